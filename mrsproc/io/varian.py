"""Varian and Agilent: a folder with ``fid`` and ``procpar``, through nmrglue.

Not through spec2nii, whose reader stops at many of these folders (no ``vpsi`` or ``rcvrs``, every
PRESS and STEAM), takes a pulse width for the echo time, and mixes coils and transients of several
receivers.
"""

import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import DataWarning, FormatError, InvalidInputError
from mrsproc.io import nifti_mrs
from mrsproc.io.formats import Format
from mrsproc.io.vendor.convert import MAIN, Header, check_size, finish, head, number, positive

_PROCPAR: Final = re.compile(rb"\w+ \d+ \d+ \S+ \S+ \S+ ")
_FILE_HEADER: Final = struct.Struct(">6i2hi")


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def sniff(path: Path) -> bool:
    """Tell whether a path is a folder with a procpar file, or a fid or procpar file in one."""
    if path.is_file() and path.name not in {"fid", "procpar"}:
        return False
    return _PROCPAR.match(head(_folder(path) / "procpar", 200)) is not None


def load(path: Path) -> MRSData:
    """Read a Varian or Agilent recording.

    Parameters
    ----------
    path : pathlib.Path
        The folder (usually named .fid), or the fid or procpar file in it.

    Returns
    -------
    MRSData
        dims "coil" and "transient" where there are several; echo and repetition time from the
        ``te`` and ``tr`` of procpar, which are in s.

    Raises
    ------
    FormatError
        The fid file is missing or cut off, or a parameter is missing or wrong.
    """
    folder = _folder(path)
    parameters = _parameters(folder / "procpar")
    positive(parameters, ("sfrq", "sw"), folder / "procpar")
    traces, blocks = _traces(folder / "fid")
    fid, dims = _shaped(traces, blocks, parameters, path)
    _warn_of_array(parameters, path)
    try:
        data = MRSData(fid=fid, dims=dims, acquisition=_acquisition(parameters, path))
    except InvalidInputError as error:
        raise FormatError(f"{folder / 'procpar'}: {error}") from error

    def mend(_part: str, header: Header) -> Iterator[str]:
        header |= _private(parameters)
        yield from ()

    return finish(nifti_mrs.encode(data), MAIN, path, "Varian", mend)


def _parameters(path: Path) -> dict[str, str]:
    """Return the first value of every parameter; those of several values also as ``name[]``."""
    from nmrglue.fileio.varian import read_procpar

    try:
        raw: Mapping[str, Any] = read_procpar(str(path))
    except (OSError, ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
        raise FormatError(
            f"{path}: a procpar file that cannot be read ({error}). Copy the folder again."
        ) from error
    parameters = {
        name: str(entry["values"][0]) for name, entry in raw.items() if entry.get("values")
    }
    arrays = {
        f"{name}[]": " ".join(map(str, entry["values"]))
        for name, entry in raw.items()
        if len(entry.get("values") or ()) > 1
    }
    return parameters | arrays


def _traces(path: Path) -> tuple[Array, int]:
    """Return all FIDs in the order of the file, shape (n, points), and the number of blocks."""
    from nmrglue.fileio.varian import read_fid

    if not path.is_file():
        raise FormatError(f"{path}: missing. A Varian folder needs both 'fid' and 'procpar'.")
    start = head(path, _FILE_HEADER.size)
    if len(start) < _FILE_HEADER.size:
        raise FormatError(
            f"{path}: {len(start)} bytes, too few for its header; empty or cut off. Copy it again."
        )
    blocks, _, _, _, _, block_size, *_ = _FILE_HEADER.unpack(start)
    if blocks < 1 or block_size < 1:
        raise FormatError(
            f"{path}: its header announces {blocks} blocks of {block_size} bytes; it is damaged."
        )
    check_size(
        path.stat().st_size - _FILE_HEADER.size, blocks * block_size, path, f"{blocks} blocks"
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on shapes, which are not used here
            _, data = read_fid(str(path), as_2d=True)
    except (OSError, ValueError, IndexError) as error:
        raise FormatError(f"{path}: cannot be read ({error}). Copy the folder again.") from error
    return np.atleast_2d(np.asarray(data)), int(blocks)


def _shaped(
    traces: Array, blocks: int, parameters: Mapping[str, str], path: Path
) -> tuple[Array, tuple[str, ...]]:
    """Return FIDs as (coil, transient, time), without dims of length 1.

    Each receiver has blocks of its own, and those of one transient stand together.
    """
    coils = max(parameters.get("rcvrs", "y").count("y"), 1)
    if blocks % coils:
        raise FormatError(
            f"{path}: {blocks} blocks cannot be shared by the {coils} receivers that 'rcvrs' names."
        )
    points = traces.shape[-1]
    array = (
        traces.reshape(blocks // coils, coils, -1, points)
        .transpose(1, 0, 2, 3)
        .reshape(coils, -1, points)
    )
    dims = tuple(
        dim for dim, size in zip(("coil", "transient"), array.shape, strict=False) if size > 1
    )
    sizes = [size for size in array.shape[:2] if size > 1]
    return array.reshape(*sizes, points), (*dims, "time")


def _warn_of_array(parameters: Mapping[str, str], path: Path) -> None:
    array = parameters.get("array", "")
    if array and f"{array}[]" in parameters:
        message = (
            f"{path}: the recording is arrayed over {array} = {parameters[f'{array}[]'][:200]}; "
            "its steps are read as transients. Select those that belong together."
        )
        warnings.warn(message, DataWarning, stacklevel=3)


def _single(name: str, parameters: Mapping[str, str]) -> float | None:
    """Return a parameter as a number; None where it is missing or differs between transients."""
    return None if f"{name}[]" in parameters else number(parameters.get(name))


def _acquisition(parameters: Mapping[str, str], path: Path) -> Acquisition:
    from nmrglue import __version__

    nucleus = re.fullmatch(r"([A-Za-z]{1,2})(\d{1,3})", parameters.get("tn", ""))
    if nucleus is None:
        raise FormatError(
            f"{path}: procpar has tn = {parameters.get('tn')!r}; it must name the nucleus, "
            "such as 'H1'."
        )
    extra = {
        "ConversionMethod": f"nmrglue v{__version__}",
        "SoftwareVersions": parameters.get("parver"),
        "TxCoil": parameters.get("rfcoil"),
        "InversionTime": _single("ti", parameters) if parameters.get("ir") != "n" else None,
    }
    return Acquisition(
        spectrometer_frequency=float(parameters["sfrq"]),
        dwell_time=1.0 / float(parameters["sw"]),
        nucleus=nucleus[2] + nucleus[1].capitalize(),
        echo_time=_single("te", parameters),
        repetition_time=_single("tr", parameters),
        sequence=parameters.get("seqfil"),
        manufacturer="Varian",
        water_suppressed=True
        if parameters.get("ws") == "y"
        else None,  # "n" leaves other schemes open
        extra={key: value for key, value in extra.items() if value},
    )


def _private(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return what may identify a person, under names that anonymous NIfTI-MRS files drop."""
    names = {
        "PatientName": "name",
        "PatientID": "ident",
        "private_Comment": "comment",
        "private_Operator": "operator_",
    }
    return {ours: parameters[theirs] for ours, theirs in names.items() if parameters.get(theirs)}


FORMAT: Final = Format("Varian/Agilent", sniff, load)
