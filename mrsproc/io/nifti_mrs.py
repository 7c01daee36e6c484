"""NIfTI-MRS (Clarke 2022, 10.1002/mrm.29418) on nibabel: lossless for what was not changed.

The bytes before the data are kept in ``MRSData.header`` and written again as they were, so that
read then write gives the same file. Any change drops them; then the header is made from
`Acquisition`, and fields that the standard marks private never reach it, because they are not read
into memory as values.
"""

import gzip
import json
import re
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Acquisition, MRSData, Step
from mrsproc.errors import DataWarning, FormatError, InvalidInputError
from mrsproc.files import atomic_path

EXTENSION_CODE: Final = 44
DIM_NAMES: Final[dict[str, str]] = {"DIM_COIL": "coil", "DIM_DYN": "transient", "DIM_EDIT": "edit"}
_DEFAULT_TAGS: Final = ("DIM_COIL", "DIM_DYN", "DIM_INDIRECT_0")
_UNKNOWN_VOXEL_MM: Final = 10000.0  # NIfTI-MRS's value for a voxel size that is not known
_TIME_UNITS: Final[dict[str, float]] = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6, "unknown": 1.0}
_KNOWN_FIELDS: Final[dict[str, str]] = {
    "EchoTime": "echo_time",
    "RepetitionTime": "repetition_time",
    "SpecFreqChemShift": "ppm_reference",
    "SequenceName": "sequence",
    "Manufacturer": "manufacturer",
    "WaterSuppressed": "water_suppressed",
}
_MASK_KEY: Final = "ValidFIDs"
_ONSET_KEY: Final = "TransientOnset"
_REBUILT: Final = {
    _MASK_KEY,
    "SpectrometerFrequency",
    "ResonantNucleus",
    "SpectralWidth",
    "ProcessingApplied",
    *_KNOWN_FIELDS,
}
_PRIVATE: Final = re.compile(
    r"^private_|Patient(?!Position|Weight|Sex)|Subject|Birth|DoB|Date|UID|Serial|Operator|Physician|"
    r"Accession|ManufacturersModelName|OriginalFile|StationName|^Study(?!.*Description)|Comments",
    re.IGNORECASE,
)


def is_private(key: str) -> bool:
    """Tell whether a header field may identify a person, after NIfTI-MRS and DICOM's names."""
    return bool(_PRIVATE.search(key))


def without_private(value: Any) -> Any:
    """Return a header value with every private field removed, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: without_private(item) for key, item in value.items() if not is_private(str(key))
        }
    if isinstance(value, (list, tuple)):
        return [without_private(item) for item in value]
    return value


def sniff(path: Path) -> bool:
    """Tell from the magic string of the header whether a file is NIfTI."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            zipped = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else path.open("rb") as stream:
            block = stream.read(348)
    except (OSError, EOFError, zlib.error):
        return path.name.endswith((".nii", ".nii.gz"))  # a damaged NIfTI file: let `load` say so
    return block[4:8] in {b"n+2\0", b"ni2\0"} or block[344:348] in {b"n+1\0", b"ni1\0"} or (
        path.name.endswith((".nii", ".nii.gz"))
    )  # fmt: skip


def load(path: Path) -> MRSData:
    """Read a NIfTI-MRS file.

    Parameters
    ----------
    path : pathlib.Path
        A .nii or .nii.gz file.

    Returns
    -------
    MRSData
        The data, with the bytes of its header.

    Raises
    ------
    FormatError
        Damaged, or without the header extension of NIfTI-MRS.
    """
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(
            f"{path}: cannot be read to its end ({error}). Copy or export it again."
        ) from error
    return decode(content, str(path))


def decode(content: bytes, source: str) -> MRSData:
    """Turn the bytes of an uncompressed NIfTI-MRS file into data.

    Parameters
    ----------
    content : bytes
        Header, extension and data.
    source : str
        Name for error messages.

    Returns
    -------
    MRSData
        The data.

    Raises
    ------
    FormatError
        Damaged or not NIfTI-MRS.
    """
    image = _image(content, source)
    meta = read_extension(image, source)
    array = _voxels(image, source)
    dims, array = _named_dims(array, meta, source)
    offset = len(content) - array.nbytes
    try:
        acquisition = _acquisition(image, meta, source)
        plain = _is_plain(image, content, array)
        keep = {"bytes": content[:offset], "acquisition": acquisition} if plain else None
        return MRSData(
            fid=array,
            dims=dims,
            acquisition=acquisition,
            coords=_coords(meta, dims),
            mask=_mask(array, dims, meta, source),
            affine=np.asarray(image.affine),
            history=_history(meta),
            header=keep,
        )
    except InvalidInputError as error:
        raise FormatError(f"{source}: {error}") from error


def _image(content: bytes, source: str) -> Any:
    from nibabel import Nifti1Image, Nifti2Image
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    if len(content) < 348:
        raise FormatError(
            f"{source}: {len(content)} bytes are too few for a NIfTI header; the file is empty "
            "or cut off."
        )
    kind = Nifti2Image if content[4:8] in {b"n+2\0", b"ni2\0"} else Nifti1Image
    try:
        return kind.from_bytes(content)
    except (ImageFileError, HeaderDataError, ValueError, OSError, EOFError) as error:
        raise FormatError(f"{source}: not a NIfTI file that can be read ({error}).") from error


def read_extension(image: Any, source: str) -> dict[str, Any]:
    """Return the JSON header extension of a nibabel image.

    Parameters
    ----------
    image : nibabel image
        As loaded.
    source : str
        Name for error messages.

    Returns
    -------
    dict
        Header fields.

    Raises
    ------
    FormatError
        There is none, or it is not JSON.
    """
    for extension in image.header.extensions:
        if extension.get_code() == EXTENSION_CODE:
            content = extension.get_content()
            text = (
                content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
            )
            try:
                meta = json.loads(text.rstrip("\0 \n"))
            except json.JSONDecodeError as error:
                raise FormatError(
                    f"{source}: its NIfTI-MRS header extension is not valid JSON ({error})."
                ) from error
            if isinstance(meta, dict):
                return meta
            raise FormatError(f"{source}: its NIfTI-MRS header extension is not a JSON object.")
    raise FormatError(
        f"{source}: NIfTI without the NIfTI-MRS header extension (code {EXTENSION_CODE}); "
        "it is an image, or was written by a program that drops extensions. Convert the raw "
        "file again."
    )


def _voxels(image: Any, source: str) -> Array:
    try:
        array = np.asarray(image.dataobj)
    except (OSError, EOFError, ValueError) as error:
        raise FormatError(
            f"{source}: the data end early ({error}). Copy or export the file again."
        ) from error
    if array.dtype.kind != "c":
        raise FormatError(f"{source}: holds {array.dtype} values; FIDs are complex.")
    return array


def _is_plain(image: Any, content: bytes, array: Array) -> bool:
    """Tell whether the data block is the array in Fortran order at the end of the file."""
    return (
        int(image.dataobj.offset) == len(content) - array.nbytes and array.dtype.byteorder in "=|<"
    )


def _named_dims(
    array: Array, meta: Mapping[str, Any], source: str
) -> tuple[tuple[str, ...], Array]:
    """Return dims with time last and the array in that order."""
    if array.ndim == 1:
        return ("time",), array
    if array.ndim < 4:
        raise FormatError(
            f"{source}: {array.ndim} dimensions; NIfTI-MRS has 4 (x, y, z, time) to 7."
        )
    names = ["x", "y", "z", "time"]
    for number in range(5, 8):
        tag = meta.get(f"dim_{number}")
        if number > array.ndim and tag is None:
            break
        names.append(_dim_name(str(tag or _DEFAULT_TAGS[number - 5]), names))
    array = array.reshape(array.shape + (1,) * (len(names) - array.ndim))
    order = [*range(4, array.ndim), 0, 1, 2, 3]
    array = array.transpose(order)
    names = [names[axis] for axis in order]
    drop = tuple(names.index(name) for name in "xyz" if array.shape[names.index(name)] == 1)
    array = array.squeeze(drop)
    return tuple(name for axis, name in enumerate(names) if axis not in drop), array


def _dim_name(tag: str, taken: list[str]) -> str:
    """Name a dimension; a tag that stands twice, as some converters write it, gets a number."""
    name = DIM_NAMES.get(tag, tag.lower())
    return (
        name
        if name not in taken
        else f"{name}_{sum(known.startswith(name) for known in taken) + 1}"
    )


def _mask(array: Array, dims: tuple[str, ...], meta: Mapping[str, Any], source: str) -> Array:
    """Return which FIDs hold numbers throughout and are not marked in the header."""
    finite = np.asarray(np.isfinite(array).all(axis=-1))
    if "coil" in dims:
        finite = np.asarray(finite.all(axis=dims.index("coil")))
    if not finite.any():
        raise FormatError(
            f"{source}: every FID holds NaN or infinite values; export the recording again."
        )
    if not finite.all():
        warnings.warn(
            f"{source}: {int((~finite).sum())} of {finite.size} FIDs hold NaN or infinite "
            "values and are masked.",
            DataWarning,
            stacklevel=4,
        )
    stored = (
        meta.get(_MASK_KEY, {}).get("Value") if isinstance(meta.get(_MASK_KEY), Mapping) else None
    )
    valid = np.asarray(stored, bool) if stored is not None else finite
    if valid.shape == finite.shape:
        return finite & valid
    warnings.warn(
        f"{source}: {_MASK_KEY} has shape {valid.shape}, the FIDs have {finite.shape}; it is left "
        "out and all FIDs count as valid. Mark the bad ones with with_mask().",
        DataWarning,
        stacklevel=4,
    )
    return finite


def _coords(meta: Mapping[str, Any], dims: tuple[str, ...]) -> dict[str, Array]:
    """Return the onset times of transients and the edit conditions, where the header has them."""
    coords = {}
    for number in range(5, 8):
        dim = _dim_name(str(meta.get(f"dim_{number}", "")), [])
        header = meta.get(f"dim_{number}_header")
        if dim not in dims or not isinstance(header, Mapping):
            continue
        if dim == "transient" and isinstance(header.get(_ONSET_KEY), Mapping):
            coords[dim] = np.asarray(header[_ONSET_KEY].get("Value"), float)
        elif dim == "edit" and isinstance(header.get("EditCondition"), list):
            coords[dim] = np.asarray(header["EditCondition"], str)
    return coords


def _acquisition(image: Any, meta: Mapping[str, Any], source: str) -> Acquisition:
    header = image.header
    try:
        frequency = meta["SpectrometerFrequency"]
        nucleus = meta["ResonantNucleus"]
    except KeyError as error:
        raise FormatError(
            f"{source}: the required header key {error} is missing from the NIfTI-MRS extension."
        ) from error
    units = header.get_xyzt_units()[1] if header["xyzt_units"] else "sec"
    dwell = float(header["pixdim"][4]) * _TIME_UNITS.get(units, 1.0)
    width = meta.get("SpectralWidth")
    if isinstance(width, (int, float)) and width > 0 and abs(dwell * width - 1) < 1e-4:
        dwell = 1.0 / width  # pixdim of NIfTI-1 has single precision only
    known = {
        ours: meta[theirs] for theirs, ours in _KNOWN_FIELDS.items() if meta.get(theirs) is not None
    }
    extra = without_private(
        {
            key: value
            for key, value in meta.items()
            if key not in _REBUILT and not key.startswith("dim_")
        }
    )
    return Acquisition(
        spectrometer_frequency=_first(frequency),
        dwell_time=dwell,
        nucleus=str(_first(nucleus)),
        extra=extra,
        **known,
    )


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) and value else value


def _history(meta: Mapping[str, Any]) -> tuple[Step, ...]:
    steps = meta.get("ProcessingApplied") or []
    return tuple(
        Step(*(str(step.get(key, "")) for key in ("Method", "Details", "Program", "Version")))
        for step in steps
        if isinstance(step, Mapping)
    )


def save(data: MRSData, path: Path, *, anonymise: bool = False) -> None:
    """Write a NIfTI-MRS file, atomically.

    Parameters
    ----------
    data : MRSData
        What to write.
    path : pathlib.Path
        Name that ends in .nii or .nii.gz.
    anonymise : bool, default False
        Drop names, identifiers and dates also from a header that would be kept as it was.

    Raises
    ------
    FormatError
        More dimensions than NIfTI-MRS has.
    """
    content = encode(data, anonymise=anonymise)
    if path.name.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def encode(data: MRSData, *, anonymise: bool = False) -> bytes:
    """Return the bytes of an uncompressed NIfTI-MRS file.

    Parameters
    ----------
    data : MRSData
        What to write.
    anonymise : bool, default False
        See `save`.

    Returns
    -------
    bytes
        Header, extension and data.
    """
    if data.header is not None and not anonymise and _describes(data.header, data):
        block = _nifti_order(data)[0].tobytes(order="F")
        return bytes(data.header["bytes"]) + block
    return bytes(_new_image(data, anonymise=anonymise).to_bytes())


def _describes(header: Mapping[str, Any], data: MRSData) -> bool:
    """Tell whether the bytes of a header are still those of how the data were acquired."""
    return header["acquisition"] is data.acquisition


def _nifti_order(data: MRSData) -> tuple[Array, list[str]]:
    """Return the array as (x, y, z, time, ...) and the names of the dims behind time."""
    others = [dim for dim in data.dims[:-1] if dim not in {"x", "y", "z"}]
    if len(others) > 3:
        raise FormatError(
            f"dims {data.dims}: NIfTI-MRS holds three dimensions besides x, y, z and time."
        )
    space = [data.axis(dim) for dim in "xyz" if dim in data.dims]
    order = [*space, data.axis("time"), *(data.axis(dim) for dim in others)]
    array = np.asarray(data.fid).transpose(order)
    missing = [position for position, dim in enumerate("xyz") if dim not in data.dims]
    return np.expand_dims(array, missing), others


def _new_image(data: MRSData, *, anonymise: bool) -> Any:
    from nibabel import Nifti2Image
    from nibabel.nifti1 import Nifti1Extension

    array, others = _nifti_order(data)
    affine = (
        np.diag([_UNKNOWN_VOXEL_MM] * 3 + [1.0]) if data.affine is None else np.asarray(data.affine)
    )
    image: Any = Nifti2Image(array, affine)  # type: ignore[no-untyped-call]
    image.header.set_data_dtype(array.dtype)
    image.header["pixdim"][4] = data.acquisition.dwell_time
    image.header.set_xyzt_units("mm", "sec")
    image.header["intent_name"] = b"mrs_v0_11"
    text = json.dumps(_new_extension(data, others, anonymise=anonymise))
    image.header.extensions.append(Nifti1Extension(EXTENSION_CODE, text.encode()))
    return image


def _new_extension(data: MRSData, others: list[str], *, anonymise: bool) -> dict[str, Any]:
    acquisition = data.acquisition
    tags = {ours: theirs for theirs, ours in DIM_NAMES.items()}
    meta: dict[str, Any] = {
        "SpectrometerFrequency": [acquisition.spectrometer_frequency],
        "ResonantNucleus": [acquisition.nucleus],
        "SpectralWidth": acquisition.spectral_width,
    }
    for number, dim in enumerate(others, start=5):
        meta[f"dim_{number}"] = tags.get(dim, dim.upper())
        if dim in data.coords and dim in {"transient", "edit"}:
            values = data.coords[dim].tolist()
            onset = {
                _ONSET_KEY: {
                    "Value": values,
                    "Description": "Start of each transient since the first one [s].",
                }
            }
            meta[f"dim_{number}_header"] = {"EditCondition": values} if dim == "edit" else onset
    if not data.mask.all():
        order = [dim for dim in (*others, *"xyz") if dim in data.mask_dims]  # as `load` reads them
        meta[_MASK_KEY] = {
            "Value": data.mask.transpose([data.mask_dims.index(dim) for dim in order]).tolist(),
            "Description": f"Valid FIDs over {', '.join(order)}.",
        }
    for theirs, ours in _KNOWN_FIELDS.items():
        value = getattr(acquisition, ours)
        if value is not None:
            meta[theirs] = value
    extra = without_private(_plain(acquisition.extra))
    meta |= {
        key: value for key, value in extra.items() if not (anonymise and key == "ConversionTime")
    }
    if data.history:
        meta["ProcessingApplied"] = [
            {
                "Program": step.program,
                "Version": step.version,
                "Method": step.method,
                "Details": step.details,
            }
            for step in data.history
        ]
    return meta


def _plain(value: Any) -> Any:
    """Return JSON's own types."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
