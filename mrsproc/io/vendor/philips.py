"""Philips: .SDAT with .SPAR, and .data with .list (and .SPAR)."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mrsproc.data import MRSData
from mrsproc.errors import FormatError
from mrsproc.io.vendor.convert import (
    Header,
    Mend,
    check_size,
    choose,
    convert,
    head,
    number,
    positive,
    sibling,
)

_SPAR_KEYS: Final = ("samples", "rows", "synthesizer_frequency", "sample_frequency")
_SPAR_DEFAULTS: Final = {
    "scan_id": "",
    "patient_position": "",
    "patient_orientation": "",
    "volume_selection_enable": "no",
    "spectrum_inversion_time": "0",
    "offset_frequency": "0",
}
"""What spec2nii stops without. None of them becomes a number in the result."""
_LIST_START: Final = b"DATA DESCRIPTION FILE"
_LIST_ROW: Final = re.compile(
    rb"^\s*(?:STD|REJ|PHC|FRC|NOI|NAV)\s.*?(\d+)\s+(\d+)\s*$", re.MULTILINE
)


def _is_spar(path: Path | None) -> bool:
    block = head(path, 20000) if path is not None else b""
    return b"synthesizer_frequency" in block and b"samples" in block


def sniff_sdat(path: Path) -> bool:
    """Tell whether a file is a .SPAR text, or named .SDAT, which has no mark of its own."""
    suffix = path.suffix.lower()
    if not path.is_file() or suffix not in {".sdat", ".spar"}:
        return _is_spar(path)
    return suffix == ".sdat" or _is_spar(path)


def load_sdat(path: Path) -> MRSData:
    """Read a Philips .SDAT/.SPAR pair. Rows of the file are taken as transients.

    Parameters
    ----------
    path : pathlib.Path
        Either file of the pair; upper and lower case may be mixed.

    Returns
    -------
    MRSData
        dims ("time",), or ("transient", "time") for a file of several rows.

    Raises
    ------
    FormatError
        The other file is missing, a header key is missing or wrong, or the data are cut off.
    """
    return choose(sdat_parts(path), path)


def sdat_parts(path: Path) -> dict[str, MRSData]:
    """Read all recordings of a Philips .SDAT/.SPAR pair; see `load_sdat`."""
    sdat, spar = _pair(path, ".sdat"), _pair(path, ".spar")
    header = read_spar(spar)
    positive(header, (*_SPAR_KEYS, "repetition_time"), spar)
    if "nucleus" not in header or number(header.get("echo_time")) is None:
        key = "echo_time" if "nucleus" in header else "nucleus"
        raise FormatError(
            f"{spar}: the header key {key!r} is missing or not a number. Export the file again."
        )
    size = 8 * int(number(header["samples"]) or 0) * int(number(header["rows"]) or 0)
    check_size(sdat.stat().st_size, size, sdat, f"samples and rows of {spar.name}")
    with TemporaryDirectory(prefix="mrsproc-") as folder:
        clean = _write_clean(header, Path(folder))
        return convert(["philips", sdat.resolve(), clean], path, "Philips SDAT/SPAR", _mend(header))


def _pair(path: Path, suffix: str) -> Path:
    found = sibling(path, suffix)
    if found is None:
        other = suffix.upper()
        raise FormatError(
            f"{path}: the {other} file that belongs to it is missing. Put {path.stem}{other} "
            "beside it; the two hold the data and their description."
        )
    return found


def read_spar(path: Path) -> dict[str, str]:
    """Return the fields of a .SPAR file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict of str to str
        Values as text, without quotes.

    Raises
    ------
    FormatError
        It is not a .SPAR file.
    """
    if not _is_spar(path):
        raise FormatError(
            f"{path}: not a .SPAR file; 'samples' and 'synthesizer_frequency' are missing."
        )
    lines = path.read_text("latin-1").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith("!"))
    return {key.strip(): value.strip().strip('"') for key, value in pairs}


def _write_clean(header: dict[str, str], folder: Path) -> Path:
    """Write the fields in the one way that spec2nii reads without stumbling."""
    lines = []
    for key, value in (_SPAR_DEFAULTS | header).items():
        parsed = number(value)
        text = repr(value) if key in _SPAR_DEFAULTS and parsed is None else value
        if key == "scan_id" or key.startswith("patient"):
            text = repr(value)
        elif parsed is not None:
            text = value.replace(",", ".")
        lines.append(f"{key} : {text}\n")
    clean = folder / "clean.SPAR"
    clean.write_text("".join(lines), "utf-8")
    return clean


def _mend(header: dict[str, str]) -> Mend:
    """Return the corrections for the header of a .SPAR file."""

    def mend(_part: str, meta: Header) -> Iterator[str]:
        for name in ("PatientName", "PatientDoB", "ProtocolName"):
            if meta.get(name) == "":
                del meta[name]
        if "offset_frequency" not in header:
            meta.pop("TxOffset", None)
        if "patient_position" not in header:
            meta.pop("PatientPosition", None)
        inversion = number(header.get("spectrum_inversion_time"))
        if inversion and "InversionTime" in meta:
            meta["InversionTime"] = inversion * 1e-3
            yield "InversionTime from ms to s"
        if (number(header.get("rows")) or 0) > 1:
            yield "rows of the .SDAT file taken as transients"

    return mend


def sniff_data_list(path: Path) -> bool:
    """Tell whether a file is a Philips .list text, or the .data beside one."""
    if not path.is_file() or path.suffix.lower() not in {".data", ".list"}:
        return False
    found = sibling(path, ".list")
    return found is None or _LIST_START in head(found, 4000)


def data_list_parts(path: Path) -> dict[str, MRSData]:
    """Read all recordings of a Philips .data/.list pair with its .SPAR file.

    Parameters
    ----------
    path : pathlib.Path
        The .data or the .list file.

    Returns
    -------
    dict of str to MRSData
        ``"STD_0"`` (metabolites), ``"STD_1"`` (water reference), ``"NOI"`` (noise) ...

    Raises
    ------
    FormatError
        A file is missing or cut off.
    """
    data, listing = _pair(path, ".data"), _pair(path, ".list")
    ends = [int(row[1]) + int(row[2]) for row in _LIST_ROW.finditer(listing.read_bytes())]
    if not ends:
        raise FormatError(f"{listing}: lists no data vectors. Export the raw data again.")
    if data.stat().st_size < max(ends):
        raise FormatError(
            f"{data}: cut off: {listing.name} lists {max(ends)} bytes. Copy it again."
        )
    spar = _spar_beside(path)
    with TemporaryDirectory(prefix="mrsproc-") as folder:
        header = read_spar(spar)
        positive(header, ("synthesizer_frequency", "sample_frequency", "repetition_time"), spar)
        clean = _write_clean(header, Path(folder))
        arguments: list[str | Path] = ["philips_dl", data.resolve(), listing.resolve(), clean]
        return convert(arguments, path, "Philips data/list", _mend(header | {"rows": "1"}))


def _spar_beside(path: Path) -> Path:
    found = sibling(path, ".spar")
    if found is not None:
        return found
    others = [
        other
        for other in path.parent.iterdir()
        if other.suffix.lower() == ".spar" and _is_spar(other)
    ]
    if len(others) != 1:
        raise FormatError(
            f"{path}: a .data/.list pair does not tell frequency, dwell time and nucleus. Put the "
            f".SPAR file of the same scan beside it as {path.stem}.SPAR."
        )
    return others[0]


def load_data_list(path: Path) -> MRSData:
    """Read the metabolite recording (``STD_0``) of a .data/.list pair; see `data_list_parts`."""
    return choose(data_list_parts(path), path, main="STD_0")
