"""What the registry knows of a file format: how to recognise it and how to read it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mrsproc.data import MRSData


@dataclass(frozen=True)
class Format:
    """A readable file format.

    Parameters
    ----------
    name : str
        Name for messages, such as ``"Siemens RDA"``.
    sniff : callable
        Takes a path and tells from the content whether the file is of this format. It never raises
        for a readable path, and reads little.
    load : callable
        Takes a path and returns `MRSData`; raises `FormatError` for a file it cannot read. Of a
        file that holds several recordings it returns the metabolite one, with a warning that names
        the rest, or raises where none is the obvious one.
    parts : callable, optional
        Takes a path and returns every recording in the file by name; None where a file of this
        format holds one recording only.
    """

    name: str
    sniff: Callable[[Path], bool]
    load: Callable[[Path], MRSData]
    parts: Callable[[Path], Mapping[str, MRSData]] | None = None
