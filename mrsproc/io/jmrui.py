"""jMRUI text (.txt) and binary (.mrui) files, through spec2nii.

The format gives the transmitter frequency in Hz and the sampling interval in ms. spec2nii keeps Hz
for .mrui and refuses suffixes in upper case; both are mended here, from the file's own header.
"""

import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mrsproc.data import MRSData
from mrsproc.errors import DataWarning, FormatError
from mrsproc.io.formats import Format
from mrsproc.io.vendor.convert import (
    Header,
    Mend,
    check_size,
    choose,
    convert,
    head,
    number,
    positive,
)

_TEXT_START: Final = b"jMRUI Data Textfile"
_SIGNAL: Final = re.compile(r"^Signal (?:number: )?\d+ out of \d+ in file", re.MULTILINE)
_FIELD: Final = re.compile(r"^(\w+):(.*)$", re.MULTILINE)
_REQUIRED: Final = ("PointsInDataset", "SamplingInterval", "TransmitterFrequency")
_BINARY: Final = struct.Struct(">13d")
_BINARY_DATA: Final = 512  # bytes before the data
_BINARY_FIELDS: Final = {"PointsInDataset": 1, "SamplingInterval": 2, "TransmitterFrequency": 5}
_PRIVATE: Final = ("AdditionalInformation", "SignalNames")


def sniff_text(path: Path) -> bool:
    """Tell whether a file begins as jMRUI's text files do."""
    return _TEXT_START in head(path, 200)


def load_text(path: Path) -> MRSData:
    """Read a jMRUI text file.

    Parameters
    ----------
    path : pathlib.Path
        The file, of any suffix.

    Returns
    -------
    MRSData
        dims ("time",), or ("transient", "time") for a file of several signals.

    Raises
    ------
    FormatError
        Cut off, or with a header key missing or wrong.
    """
    text = path.read_text("latin-1")
    first = _SIGNAL.search(text)
    start = first.start() if first else len(text)
    fields = {name: value.strip() for name, value in _FIELD.findall(text[:start])}
    positive(fields, _REQUIRED, path)
    _check_points(text[start:], fields, path)
    with TemporaryDirectory(prefix="mrsproc-") as folder:
        copy = Path(folder) / "signal.txt"
        copy.write_text(text, "utf-8")
        mend = _mend(float(fields["TransmitterFrequency"]), path)
        return choose(convert(["jmrui", copy], path, "jMRUI text", mend), path)


def _check_points(body: str, fields: dict[str, str], path: Path) -> None:
    """Raise `FormatError` unless the file has the signals and points that its header announces."""
    signals = len(_SIGNAL.findall(body))
    rows = sum(1 for line in _SIGNAL.sub("", body).splitlines() if line.strip())
    wanted = int(number(fields["PointsInDataset"]) or 0) * signals
    declared = number(fields.get("DatasetsInFile"))
    if not rows or rows != wanted or declared not in {None, signals}:
        datasets = fields.get("DatasetsInFile", "some")
        raise FormatError(
            f"{path}: {rows} points in {signals} signals, but the header announces "
            f"{fields['PointsInDataset']} points in each of {datasets}. "
            "It is cut off or was edited; export it again."
        )


def _binary_header(path: Path) -> dict[str, float]:
    block = head(path, _BINARY.size)
    if len(block) < _BINARY.size:
        return {}
    values = _BINARY.unpack(block)
    return {name: values[index] for name, index in _BINARY_FIELDS.items()}


def sniff_binary(path: Path) -> bool:
    """Tell from the big-endian numbers of the header whether a file is jMRUI's binary."""
    fields = _binary_header(path)
    points = fields.get("PointsInDataset", 0.5)
    plausible = points == round(points) and 2 <= points <= 2**24 if abs(points) < 2**30 else False
    return plausible and (path.suffix.lower() == ".mrui" or _other_fields_fit(fields))


def _other_fields_fit(fields: dict[str, float]) -> bool:
    return 1e-3 < fields["SamplingInterval"] < 50 and 1e6 < fields["TransmitterFrequency"] < 3e9


def load_binary(path: Path) -> MRSData:
    """Read a jMRUI binary (.mrui) file.

    Parameters
    ----------
    path : pathlib.Path
        The file, of any suffix.

    Returns
    -------
    MRSData
        dims ("time",), or ("transient", "time") for a file of several signals.

    Raises
    ------
    FormatError
        Cut off, or with a header field that is wrong.
    """
    fields = _binary_header(path)
    positive(fields, _REQUIRED, path)
    points = 16 * int(fields["PointsInDataset"])
    size = path.stat().st_size - _BINARY_DATA
    check_size(min(size, points), points, path, "PointsInDataset")
    with TemporaryDirectory(prefix="mrsproc-") as folder:
        copy = Path(folder) / "signal.mrui"
        copy.write_bytes(path.read_bytes())
        mend = _mend(fields["TransmitterFrequency"], path)
        return choose(convert(["jmrui", copy], path, "jMRUI binary", mend), path)


def _mend(frequency: float, path: Path) -> Mend:
    """Return the corrections for a file with this TransmitterFrequency [Hz]."""

    def mend(_part: str, header: Header) -> Iterator[str]:
        header["SpectrometerFrequency"] = [_megahertz(frequency, path)]
        header["ResonantNucleus"] = [_nucleus(str(name)) for name in header["ResonantNucleus"]]
        for name in _PRIVATE:
            if name in header:
                header[f"private_{name}"] = header.pop(name)
        yield "TransmitterFrequency from Hz to MHz"
        if header.get("dim_5", "").startswith("DIM_USER"):
            header["dim_5"] = "DIM_DYN"
            yield "signals taken as transients"

    return mend


def _megahertz(frequency: float, path: Path) -> float:
    if frequency * 1e-6 >= 0.1:
        return frequency * 1e-6
    warnings.warn(
        f"{path}: TransmitterFrequency = {frequency:g} would be {frequency * 1e-6:g} MHz in "
        "jMRUI's unit, Hz; it is taken as MHz.",
        DataWarning,
        stacklevel=2,
    )
    return frequency


def _nucleus(name: str) -> str:
    return re.sub(r"[A-Za-z]+", lambda letters: letters[0].capitalize(), name)


FORMATS: Final = (
    Format("jMRUI text", sniff_text, load_text),
    Format("jMRUI binary", sniff_binary, load_binary),
)
