"""Bruker ParaVision: a scan folder, or the fid, rawdata or 2dseq file in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mrsproc.data import MRSData
from mrsproc.errors import FormatError
from mrsproc.io.vendor.convert import Header, choose, convert, head

_FILES: Final = {"fid": "FID", "fid_proc.64": "FID", "rawdata.job0": "RAWDATA", "2dseq": "2DSEQ"}
_PARAMETERS: Final = {"FID": "acqp", "RAWDATA": "acqp", "2DSEQ": "visu_pars"}


def _data_file(path: Path) -> Path | None:
    """Return the data file of a scan folder, the most processed first: combined FID, raw, 2dseq."""
    if not path.is_dir():
        return path
    candidates = [
        path / "fid_proc.64",
        path / "fid",
        *sorted(path.glob("pdata/*/fid_proc.64")),
        path / "rawdata.job0",
        path / "2dseq",
        *sorted(path.glob("pdata/*/2dseq")),
    ]
    return next((file for file in candidates if file.is_file()), None)


def _parameter_file(data: Path) -> Path | None:
    name = _PARAMETERS[_FILES[data.name]]
    folders = [data.parent, *list(data.parents)[1:3]]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def sniff(path: Path) -> bool:
    """Tell whether a file or folder has ParaVision's JCAMP-DX parameters beside the data."""
    file = _data_file(path)
    if file is None or file.name not in _FILES:
        return path.is_dir() and b"##TITLE" in head(path / "acqp", 200)
    parameters = _parameter_file(file)
    return parameters is not None and b"##TITLE" in head(parameters, 200)


def parts(path: Path) -> dict[str, MRSData]:
    """Read a Bruker recording.

    Parameters
    ----------
    path : pathlib.Path
        Scan folder, or the fid, fid_proc.64, rawdata.job0 or 2dseq file.

    Returns
    -------
    dict of str to MRSData
        One recording, under spec2nii's name.

    Raises
    ------
    FormatError
        No data in the folder, or not spectroscopy.
    """
    file = _data_file(path)
    if file is None:
        raise FormatError(
            f"{path}: a Bruker scan folder without data. It needs one of "
            f"{', '.join(_FILES)}; a 2dseq file lies in pdata/1."
        )
    return convert(["bruker", file.resolve(), "-m", _FILES[file.name]], path, "Bruker", _mend)


def _mend(_part: str, header: Header) -> Iterator[str]:
    """Take the angle brackets of JCAMP-DX off the texts."""
    for name, value in header.items():
        if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
            header[name] = value[1:-1]
    yield from ()


def load(path: Path) -> MRSData:
    """Read a Bruker recording; see `parts`."""
    return choose(parts(path), path)
