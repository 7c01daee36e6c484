"""Siemens raw data (twix .dat) and exports (.rda), and DICOM of Siemens, Philips and UIH."""

import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mrsproc.data import MRSData
from mrsproc.errors import FormatError
from mrsproc.io.vendor.convert import Header, check_size, choose, convert, head, number, positive

_RDA_START: Final = b">>> Begin of header <<<"
_RDA_END: Final = b">>> End of header <<<"
_RDA_SIZES: Final = ("VectorSize", "CSIMatrixSize[0]", "CSIMatrixSize[1]", "CSIMatrixSize[2]")
_VD_RECORD: Final = (
    152  # bytes of the entry of one measurement in the list at the start of a VD file
)
_LONGEST_INVERSION: Final = 100.0  # s; the raw header counts in us
_MR_IMAGES: Final = {"1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"}
_DICOM_VERBS: Final = {"siemens": "dicom", "uih": "uih", "philips": "philips_dcm"}


def sniff_rda(path: Path) -> bool:
    """Tell whether a file begins as an RDA export does."""
    return _RDA_START in head(path, 200)


def load_rda(path: Path) -> MRSData:
    """Read a Siemens RDA file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    MRSData
        One FID, or a grid of them.

    Raises
    ------
    FormatError
        Cut off, or with a header that lacks what is needed.
    """
    content = path.read_bytes()
    end = content.find(_RDA_END)
    if end < 0:
        raise FormatError(
            f"{path}: the RDA header has no end; the file is cut off. Copy or export it again."
        )
    header = _rda_header(content[:end])
    positive(header, ("DwellTime", "MRFrequency", *_RDA_SIZES, "TR"), path)
    count = 1
    for key in _RDA_SIZES:
        count *= int(number(header[key]) or 0)
    data_start = content.find(b"\n", end) + 1
    check_size(len(content) - data_start, 16 * count, path, "VectorSize and CSIMatrixSize")
    return choose(convert(["rda", path.resolve()], path, "Siemens RDA"), path)


def _rda_header(content: bytes) -> dict[str, str]:
    lines = content.decode("latin-1").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def sniff_twix(path: Path) -> bool:
    """Tell from the layout of the headers whether a file is twix, of baseline VB, VD, VE or XA."""
    start = _twix_start(path)
    if start is None:
        return False
    with path.open("rb") as stream:
        stream.seek(start[0])
        block = stream.read(40)
    if len(block) < 16:
        return start[1] > 0  # VD list of measurements without the measurement: cut off
    length, buffers = struct.unpack_from("<II", block)
    name = re.match(rb"[A-Za-z][A-Za-z0-9_]{2,}\0", block[8:])
    return 100 < length < 2**28 and 0 < buffers < 64 and name is not None


def _twix_start(path: Path) -> tuple[int, int] | None:
    """Return the offset of the last measurement's header, and how many there are (0 for VB)."""
    block = head(path, 8 + 64 * _VD_RECORD)
    if len(block) < 16:
        return None
    first, count = struct.unpack_from("<II", block)
    if first >= 10000:
        return 0, 0
    if not 1 <= count <= 64 or len(block) < 8 + count * _VD_RECORD:
        return None
    offset, length = _vd_entry(block, count - 1)
    return (offset, count) if offset >= 8 + count * _VD_RECORD and 0 < length < 2**45 else None


def _vd_entry(block: bytes, index: int) -> tuple[int, int]:
    offset, length = struct.unpack_from("<QQ", block, 8 + index * _VD_RECORD + 8)
    return int(offset), int(length)


def twix_parts(path: Path) -> dict[str, MRSData]:
    """Read all recordings of the last measurement in a Siemens twix file.

    Parameters
    ----------
    path : pathlib.Path
        The .dat file.

    Returns
    -------
    dict of str to MRSData
        ``"main"`` and, where the sequence has them, ``"ref"`` or others.

    Raises
    ------
    FormatError
        Cut off, or not a sequence that spec2nii knows.
    """
    _, count = _twix_start(path) or (0, 0)
    arguments: list[str | Path] = ["twix", path.resolve(), "-e", "image", "-q"]
    if count:
        offset, length = _vd_entry(head(path, 8 + count * _VD_RECORD), count - 1)
        if path.stat().st_size < offset + length:
            raise FormatError(
                f"{path}: cut off: the last measurement ends at byte {offset + length}, the file "
                f"at {path.stat().st_size}. Copy it again."
            )
        arguments += ["-m", str(count)]
    return convert(arguments, path, "Siemens twix", _mend_twix)


def _mend_twix(part: str, header: Header) -> Iterator[str]:
    if part == "ref" and header.get("WaterSuppressed") is True:
        header["WaterSuppressed"] = False
        yield "the reference scan marked as not water suppressed"
    inversion = number(header.get("InversionTime"))
    if inversion is not None and inversion > _LONGEST_INVERSION:
        header["InversionTime"] = inversion * 1e-6
        yield "InversionTime from us to s"


def load_twix(path: Path) -> MRSData:
    """Read the metabolite recording of a Siemens twix file; see `twix_parts`."""
    return choose(twix_parts(path), path)


def _first_dicom(path: Path) -> Path | None:
    """Return the file, or the first of a folder, that has DICOM's magic word."""
    files = sorted(path.iterdir())[:50] if path.is_dir() else [path]
    return next((file for file in files if head(file, 132)[128:] == b"DICM"), None)


def sniff_dicom(path: Path) -> bool:
    """Tell whether a file is DICOM, or a folder has DICOM files directly in it."""
    return _first_dicom(path) is not None


def dicom_parts(path: Path) -> dict[str, MRSData]:
    """Read all recordings of a DICOM file, or of a folder with one series.

    Parameters
    ----------
    path : pathlib.Path
        A file (.dcm, .IMA or any name), or a folder of them.

    Returns
    -------
    dict of str to MRSData
        Recordings by part; one file a transient becomes one recording.

    Raises
    ------
    FormatError
        Images, or a maker whose spectra spec2nii cannot read.
    """
    tags = _dicom_tags(path)
    maker = str(tags.get("Manufacturer", "")).strip()
    if tags.get("SOPClassUID") in _MR_IMAGES:
        raise FormatError(
            f"{path}: DICOM of an image, not of spectra. Name a spectroscopy file or folder."
        )
    verb = next((verb for key, verb in _DICOM_VERBS.items() if maker.lower().startswith(key)), None)
    if verb is None:
        raise FormatError(
            f"{path}: DICOM of {maker or 'an unnamed maker'}; spectra can be read from Siemens, "
            "UIH and Philips DICOM. Export the raw data (GE: the P-file) instead."
        )
    return convert([verb, path.resolve()], path, f"{maker} DICOM")


def _dicom_tags(path: Path) -> dict[str, Any]:
    import pydicom
    from pydicom.errors import InvalidDicomError

    file = _first_dicom(path)
    names = ["Manufacturer", "SOPClassUID"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on values that break DICOM's rules; none of these is used
        try:
            dataset = pydicom.dcmread(
                file or path, specific_tags=list(names), stop_before_pixels=True
            )
        except (InvalidDicomError, OSError, EOFError, ValueError, KeyError) as error:
            raise FormatError(
                f"{path}: DICOM that cannot be read ({error}). Export it again."
            ) from error
        return {name: str(dataset.get(name, "")) for name in names}


def load_dicom(path: Path) -> MRSData:
    """Read the metabolite recording of a DICOM file or folder; see `dicom_parts`."""
    return choose(dicom_parts(path), path)
