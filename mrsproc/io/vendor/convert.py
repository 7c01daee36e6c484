"""The one place that runs spec2nii: one verb, one file, in a temporary folder.

What comes back is checked, and faults of the header are mended on the NIfTI image itself. So the
header that `MRSData` keeps for lossless writing is the mended one, and fields that identify a
person stay in those bytes and never become values.
"""

import dataclasses
import gzip
import json
import os
import re
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from mrsproc.data import MRSData, Step
from mrsproc.errors import DataWarning, FormatError, suggest
from mrsproc.io import nifti_mrs

Header = dict[str, Any]
Mend = Callable[[str, Header], Iterable[str]]
"""Takes the name of a part and its header, changes the header, and says what it changed."""

MAIN: Final = "main"
_CODE: Final = "import sys; from spec2nii.spec2nii import main; sys.exit(main())"
_STEM: Final = "out"
_NIFTI2: Final = b"n+2\0"
_WARNINGS: Final = "default,ignore::ResourceWarning,ignore::DeprecationWarning"
_TELLING: Final[tuple[tuple[str, str], ...]] = (
    (
        r"setting (?:nucleus )?to 1H|using 1H default",
        "the header does not tell the nucleus; spec2nii took it to be 1H",
    ),
    (
        r"Incomplete Averages",
        "incomplete: spec2nii left out the transients of the last, unfinished cycle",
    ),
    (
        r"MRSI .* might not be reconstructed",
        "spatially encoded raw data, which may not be reconstructed",
    ),
    (
        r"rotations or transpositions",
        "spec2nii has not been tested for the orientation of this CSI grid",
    ),
    (
        r"quaternion .* was singular",
        "the position of the voxel is not well defined; a default stands for it",
    ),
    (
        r"unexpected read error|file may be corrupt",
        "the file ends early; what came before was read",
    ),
)


def convert(
    arguments: Sequence[str | Path], source: Path, label: str, mend: Mend | None = None
) -> dict[str, MRSData]:
    """Run a verb of spec2nii and read what it wrote.

    Parameters
    ----------
    arguments : sequence of str or Path
        Verb, input files and options.
    source : pathlib.Path
        The file that the user named, for messages.
    label : str
        Name of the format, for messages and the history.
    mend : callable, optional
        Corrects the header of each part; see `Mend`.

    Returns
    -------
    dict of str to MRSData
        Recordings by part: ``"main"``, ``"ref"``, ...

    Raises
    ------
    FormatError
        spec2nii failed, wrote nothing, or wrote what cannot be read.
    """
    with TemporaryDirectory(prefix="mrsproc-") as name:
        folder = Path(name)
        log = _run(
            [*arguments, "-f", _STEM, "-o", folder, "--keep_zero_valued"], folder, source, label
        )
        files = sorted(folder.glob(f"{_STEM}*.nii.gz"))
        if not files:
            raise FormatError(
                f"{source}: spec2nii found no spectroscopy in this {label} file. {_last_line(log)} "
                "Check that it holds spectra, not images, and that it is complete."
            )
        _warn_of(log, source)
        return {
            part: finish(gzip.decompress(file.read_bytes()), part, source, label, mend)
            for part, file in _named(files).items()
        }


def _named(files: Sequence[Path]) -> dict[str, Path]:
    return {MAIN if len(files) == 1 else _part(file): file for file in files}


def _part(file: Path) -> str:
    name = file.name.removesuffix(".nii.gz").removeprefix(_STEM).strip("_ ")
    return re.sub(r"\s+", "", name) or MAIN


def _run(command: Sequence[str | Path], folder: Path, source: Path, label: str) -> str:
    """Run spec2nii and return what it said."""
    environment = os.environ | {"PYTHONWARNINGS": _WARNINGS, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _CODE, *map(str, command)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    said = "\n".join(stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
    if done.returncode:
        raise FormatError(
            f"{source}: spec2nii cannot read this {label} file. {_last_line(said)} Check that it "
            "is complete and as the scanner wrote it, or export it again."
        )
    return said


def _last_line(log: str) -> str:
    """Return the last line of a log, which names the error, as a sentence."""
    lines = [line for line in log.splitlines() if line.strip() and not line.startswith(" ")]
    if not lines:
        return ""
    line = lines[-1].strip()[:300].rstrip(".")
    missing = re.fullmatch(r"KeyError: (.+)", line)
    return f"The header key {missing[1]} is missing." if missing else f"It says: {line}."


def _warn_of(log: str, source: Path) -> None:
    for pattern, text in _TELLING:
        if re.search(pattern, log, re.IGNORECASE | re.DOTALL):
            warnings.warn(f"{source}: {text}.", DataWarning, stacklevel=2)


def finish(
    content: bytes, part: str, source: Path, label: str, mend: Mend | None = None
) -> MRSData:
    """Mend the header of a NIfTI-MRS file in memory and turn it into data.

    Parameters
    ----------
    content : bytes
        An uncompressed NIfTI-MRS file.
    part : str
        Which part of the file it is.
    source : pathlib.Path
        The file that the user named.
    label : str
        Name of the format.
    mend : callable, optional
        See `Mend`.

    Returns
    -------
    MRSData
        With a first step in its history that says how it was read.

    Raises
    ------
    FormatError
        The content cannot be read, holds only zeros, or has a header of nonsense.
    """
    where = str(source) if part == MAIN else f"{source} (part {part!r})"
    content, notes = _mended(content, part, where, source, mend)
    data = _mask_empty(nifti_mrs.decode(content, where), where)
    details = "; ".join([f"{label} read through {_converter(data)}", *notes])
    return dataclasses.replace(data, history=(Step("Conversion", details), *data.history))


def _converter(data: MRSData) -> str:
    method = str(data.acquisition.extra.get("ConversionMethod", "spec2nii"))
    return method.split(";", 1)[0]


def _mended(
    content: bytes, part: str, where: str, source: Path, mend: Mend | None
) -> tuple[bytes, list[str]]:
    """Return the file with its header mended, and what was changed."""
    from nibabel import Nifti1Image, Nifti2Image

    kind = Nifti2Image if content[4:8] == _NIFTI2 else Nifti1Image
    image: Any = kind.from_bytes(content)
    header = nifti_mrs.read_extension(image, where)
    notes = list(mend(part, header)) if mend else []
    notes += _drop_tags_without_axis(header, len(image.shape))
    if notes:
        method = str(header.get("ConversionMethod", "spec2nii"))
        header["ConversionMethod"] = "; ".join([method, f"mrsproc v{version('mrsproc')}", *notes])
    header["OriginalFile"] = _file_names(header.get("OriginalFile"), source)
    return _with_extension(content, json.dumps(header).encode(), int(image.dataobj.offset)), notes


def _drop_tags_without_axis(header: Header, n_dims: int) -> Iterator[str]:
    """Remove the tags of dimensions that the array does not have."""
    for number in range(max(n_dims, 4) + 1, 8):
        tag = header.pop(f"dim_{number}", None)
        for suffix in ("info", "header"):
            header.pop(f"dim_{number}_{suffix}", None)
        if tag is not None:
            yield f"tag {tag} of the missing dimension {number} dropped"


def _with_extension(content: bytes, text: bytes, offset: int) -> bytes:
    """Return a NIfTI file with `text` for its only extension; the data are copied once."""
    size, where, kind = (540, 168, "q") if content[4:8] == _NIFTI2 else (348, 108, "f")
    order = "<" if content[:4] == struct.pack("<i", size) else ">"
    room = -(len(text) + 8) % 16
    extension = struct.pack(f"{order}2i", len(text) + 8 + room, nifti_mrs.EXTENSION_CODE)
    start = bytearray(content[:size])
    struct.pack_into(order + kind, start, where, size + 4 + len(extension) + len(text) + room)
    return b"".join(
        (start, b"\1\0\0\0", extension, text, bytes(room), memoryview(content)[offset:])
    )


def _file_names(names: object, source: Path) -> list[str]:
    """Return names without their folders; of one file, the name that the user gave."""
    if isinstance(names, list) and len(names) > 1:
        return [PurePath(str(name)).name for name in names]
    return [source.name]


def _mask_empty(data: MRSData, where: str) -> MRSData:
    """Mask FIDs that hold only zeros, as an unfinished series has them; refuse a file of zeros."""
    filled = (np.asarray(data.fid) != 0).any(axis=-1)
    if not filled.any():
        raise FormatError(
            f"{where}: every point is zero. Raw spatially encoded data (CSI, MRSI) must be "
            "reconstructed on the scanner first; of a single voxel, export the file again."
        )
    if "coil" in data.dims:
        filled = filled.any(axis=data.dims.index("coil"))
    if filled.all() or {"x", "y", "z"} & set(data.dims):
        return data
    message = (
        f"{where}: {int((~filled).sum())} of {filled.size} FIDs hold only zeros and are masked."
    )
    warnings.warn(message, DataWarning, stacklevel=2)
    return dataclasses.replace(data, mask=np.asarray(data.mask & filled))


def choose(parts: Mapping[str, MRSData], source: Path, main: str = MAIN) -> MRSData:
    """Return the metabolite recording of a file that may hold several.

    Parameters
    ----------
    parts : mapping of str to MRSData
        What the file holds.
    source : pathlib.Path
        The file, for messages.
    main : str, default "main"
        Name of the part that is meant when the user says nothing.

    Returns
    -------
    MRSData
        The only part, or the main one.

    Raises
    ------
    FormatError
        Several parts, none of them the main one.

    Warns
    -----
    DataWarning
        There are other parts; it names them.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    listed = ", ".join(f"{name!r} ({_sizes(data)})" for name, data in parts.items())
    if main not in parts:
        raise FormatError(f"{source} holds several recordings: {listed}. Name one with part=.")
    warnings.warn(
        f"{source} holds several recordings: {listed}. {main!r} is read; name another with part=.",
        DataWarning,
        stacklevel=3,
    )
    return parts[main]


def _sizes(data: MRSData) -> str:
    return " x ".join(f"{size} {dim}" for dim, size in data.sizes.items())


def head(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, none for a folder or a file that cannot be opened."""
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError:
        return b""


def sibling(path: Path, suffix: str) -> Path | None:
    """Return the file beside `path` with the same stem and another suffix, in any case.

    Parameters
    ----------
    path : pathlib.Path
        A file.
    suffix : str
        Suffix with its dot, in lower case.

    Returns
    -------
    pathlib.Path or None
        The file, if there is one.
    """
    if path.suffix.lower() == suffix:
        return path
    wanted = (path.stem + suffix).lower()
    found = [
        other for other in path.parent.iterdir() if other.name.lower() == wanted and other.is_file()
    ]
    exact = [other for other in found if other.stem == path.stem]
    return next(iter([*exact, *found]), None)


def positive(header: Mapping[str, Any], keys: Iterable[str], source: Path) -> None:
    """Check that header keys are there and hold positive, finite numbers.

    Parameters
    ----------
    header : mapping
        Header fields, text or numbers.
    keys : iterable of str
        Keys that are needed.
    source : pathlib.Path
        The file, for messages.

    Raises
    ------
    FormatError
        A key is missing, or its value is not a positive number.
    """
    for key in keys:
        if key not in header:
            raise FormatError(
                f"{source}: the header key {key!r} is missing. {suggest(key, sorted(header)[:80])} "
                "Export the file again, or add the key."
            )
        value = number(header[key])
        if value is None or not 0 < value < np.inf:
            raise FormatError(
                f"{source}: the header has {key} = {header[key]!r}; it must be a number above 0. "
                "Export the file again, or correct the header."
            )


def number(value: Any) -> float | None:
    """Return a header value as a number, also with a decimal comma; None if it is not one."""
    try:
        return float(str(value).strip().replace(",", "."))
    except ValueError:
        return None


def check_size(actual: int, expected: int, source: Path, what: str) -> None:
    """Raise `FormatError` unless the data have the length that the header announces.

    Parameters
    ----------
    actual, expected : int
        Numbers of bytes.
    source : pathlib.Path
        The file, for messages.
    what : str
        The header's words, for the message.
    """
    if actual != expected:
        state = "cut off" if actual < expected else "longer than its header says"
        raise FormatError(
            f"{source}: {state}: {what} make {expected} bytes of data, there are {actual}. "
            "Copy or export it again."
        )
