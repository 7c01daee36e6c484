"""Basis sets as folders: FSL-MRS's JSON files, and one NIfTI-MRS file for each signal."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import FormatError
from mrsproc.files import atomic_path
from mrsproc.io import nifti_mrs

_REQUIRED = ("basis_re", "basis_im", "basis_dwell", "basis_centre")


def load_json(paths: list[Path]) -> BasisSet:
    """Read a folder of FSL-MRS basis files.

    Parameters
    ----------
    paths : list of pathlib.Path
        One JSON file for each signal.

    Returns
    -------
    BasisSet
        First points as they stand in the files, which are whole.

    Raises
    ------
    FormatError
        A key is missing, or the files have different axes.
    """
    signals = [_json_signal(path) for path in paths]
    axes = {(len(fid), round(dwell, 12), round(centre, 6)) for _, fid, dwell, centre in signals}
    if len(axes) != 1:
        raise FormatError(
            f"{paths[0].parent}: the basis files have different lengths, dwell times or "
            "frequencies."
        )
    _, dwell, centre = axes.pop()
    return BasisSet(
        names=tuple(name for name, *_ in signals),
        fid=np.array([fid for _, fid, *_ in signals]),
        dwell_time=dwell,
        spectrometer_frequency=centre,
        source=f"{paths[0].parent.name} (FSL-MRS JSON)",
    )


def _json_signal(path: Path) -> tuple[str, Array, float, float]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not valid JSON ({error}).") from error
    basis: dict[str, Any] = content.get("basis", content) if isinstance(content, dict) else {}
    missing = [key for key in _REQUIRED if key not in basis]
    if missing:
        raise FormatError(f"{path}: not an FSL-MRS basis file, it lacks {', '.join(missing)}.")
    try:
        fid = np.asarray(basis["basis_re"], float) + 1j * np.asarray(basis["basis_im"], float)
        return (
            str(basis.get("basis_name", path.stem)),
            fid,
            float(basis["basis_dwell"]),
            float(basis["basis_centre"]),
        )
    except (TypeError, ValueError) as error:
        raise FormatError(f"{path}: its numbers cannot be read ({error}).") from error


def save_json(basis: BasisSet, folder: Path) -> None:
    """Write a folder of FSL-MRS basis files.

    Parameters
    ----------
    basis : BasisSet
        What to write; its ppm reference must be 4.65, which FSL-MRS assumes for protons.
    folder : pathlib.Path
        Made where it is missing.

    Raises
    ------
    FormatError
        Another ppm reference.
    """
    if abs(basis.ppm_reference - 4.65) > 1e-6:
        raise FormatError(
            f"the basis set has its centre at {basis.ppm_reference} ppm; FSL-MRS wants 4.65: "
            "use resampled_to() first."
        )
    for name, fid in zip(basis.names, basis.fid, strict=True):
        content = {
            "basis_re": fid.real.tolist(),
            "basis_im": fid.imag.tolist(),
            "basis_dwell": basis.dwell_time,
            "basis_centre": basis.spectrometer_frequency,
            "basis_width": None,
            "basis_name": name,
        }
        with atomic_path(folder / f"{file_stem(name)}.json") as temporary:
            temporary.write_text(json.dumps({"basis": content}), encoding="utf-8")


def load_nifti(paths: list[Path]) -> BasisSet:
    """Read a folder of NIfTI-MRS files, one signal each, as a basis set.

    Parameters
    ----------
    paths : list of pathlib.Path
        The files; their names are those of the signals.

    Returns
    -------
    BasisSet
        The signals.

    Raises
    ------
    FormatError
        A file holds more than one FID, or the files have different axes.
    """
    recordings = [nifti_mrs.load(path) for path in paths]
    for path, data in zip(paths, recordings, strict=True):
        if data.fid.size != data.n_points:
            raise FormatError(
                f"{path}: holds {data.fid.size // data.n_points} FIDs; a basis file holds one."
            )
    first = recordings[0].acquisition
    for path, data in zip(paths, recordings, strict=True):
        acquisition = data.acquisition
        same = np.isclose(acquisition.dwell_time, first.dwell_time) and np.isclose(
            acquisition.spectrometer_frequency, first.spectrometer_frequency
        )
        if not same or data.n_points != recordings[0].n_points:
            raise FormatError(
                f"{path}: has another length, dwell time or frequency than {paths[0].name}."
            )
    return BasisSet(
        names=tuple(path.name.removesuffix(".gz").removesuffix(".nii") for path in paths),
        fid=np.array([np.asarray(data.fid).reshape(-1) for data in recordings]),
        dwell_time=first.dwell_time,
        spectrometer_frequency=first.spectrometer_frequency,
        ppm_reference=first.ppm_reference,
        source=f"{paths[0].parent.name} (NIfTI-MRS)",
    )


def save_nifti(basis: BasisSet, folder: Path) -> None:
    """Write a folder of NIfTI-MRS files, one signal each.

    Parameters
    ----------
    basis : BasisSet
        What to write.
    folder : pathlib.Path
        Made where it is missing.
    """
    acquisition = Acquisition(
        spectrometer_frequency=basis.spectrometer_frequency,
        dwell_time=basis.dwell_time,
        ppm_reference=basis.ppm_reference,
    )
    for name, fid in zip(basis.names, basis.fid, strict=True):
        nifti_mrs.save(
            MRSData(fid=fid, dims=("time",), acquisition=acquisition),
            folder / f"{file_stem(name)}.nii.gz",
        )


def file_stem(name: str) -> str:
    """Return a signal's name as it can stand in a file name on every system."""
    return "".join(letter if letter.isalnum() or letter in "-+_." else "_" for letter in name)
