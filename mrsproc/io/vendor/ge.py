"""GE P-files (.7)."""

import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mrsproc.data import MRSData
from mrsproc.errors import DataWarning
from mrsproc.io.vendor.convert import Header, choose, convert, head, number

_LOGO_OFFSETS: Final = (34, 110)  # revisions up to 25 and from 26 on
_LOGOS: Final = (b"GE", b"INVALID")
_PLAUSIBLE: Final = {"EchoTime": (1e-3, 1.0), "RepetitionTime": (0.1, 100.0)}
_FACTORS: Final = (1e-3, 1e-6, 1e3, 1e6)


def sniff(path: Path) -> bool:
    """Tell from revision number and maker's mark whether a file is a P-file."""
    block = head(path, 128)
    if len(block) < 128:
        return False
    revisions = [*struct.unpack_from("<f", block), *struct.unpack_from(">f", block)]
    known = any(
        5 <= revision < 100 and abs(revision * 1000 - round(revision * 1000)) < 0.1
        for revision in revisions
    )
    return known and any(block[offset:].startswith(_LOGOS) for offset in _LOGO_OFFSETS)


def parts(path: Path) -> dict[str, MRSData]:
    """Read all recordings of a GE P-file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict of str to MRSData
        ``"main"`` (water suppressed), ``"ref"`` (water reference) and others of some sequences.

    Raises
    ------
    FormatError
        Cut off, or of a sequence that spec2nii does not know.
    """

    def mend(_part: str, header: Header) -> Iterator[str]:
        for name in _PLAUSIBLE:
            yield from _mend_time(name, header, path)

    return convert(["ge", path.resolve()], path, "GE P-file", mend)


def _mend_time(name: str, header: Header, path: Path) -> Iterator[str]:
    """Bring a time that is a power of 1000 off, as some header revisions give it, to seconds."""
    value = number(header.get(name))
    low, high = _PLAUSIBLE[name]
    if value is None or low <= value < high:
        return
    fitting = [value * factor for factor in _FACTORS if low <= value * factor < high]
    if fitting:
        header[name] = float(f"{fitting[0]:.9g}")
        note = f"{name} {value:g} s cannot be; read as {header[name]:g} s, a power of 1000 away"
    else:
        del header[name]
        note = f"{name} {value:g} s cannot be; taken as unknown"
    warnings.warn(f"{path}: {note}. Check it against the protocol.", DataWarning, stacklevel=2)
    yield note


def load(path: Path) -> MRSData:
    """Read the metabolite recording of a GE P-file; see `parts`."""
    return choose(parts(path), path)
