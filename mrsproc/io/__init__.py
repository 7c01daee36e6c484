"""Reading and writing: a registry of formats that are recognised by their content."""

import os
from collections.abc import Callable  # noqa: TC003  (read by the documentation)
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Final

from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import FormatError, suggest
from mrsproc.io import basis_folder, jmrui, lcmodel, nifti_mrs, varian, vendor
from mrsproc.io.formats import Format

FORMATS: Final[tuple[Format, ...]] = (
    Format("NIfTI-MRS", nifti_mrs.sniff, nifti_mrs.load),
    *vendor.FORMATS,
    varian.FORMAT,
    *jmrui.FORMATS,
    Format("LCModel .RAW/.H2O", lcmodel.sniff_raw, lcmodel.load_raw),
)
"""Formats of recordings, in the order in which they are tried."""


def _existing(path: str | os.PathLike[str]) -> Path:
    found = Path(path)
    if not found.exists():
        there = [entry.name for entry in found.parent.iterdir()] if found.parent.is_dir() else []
        near = get_close_matches(found.name, there, n=1)
        hint = (
            f" Did you mean {near[0]!r}?"
            if near
            else ""
            if found.parent.is_dir()
            else f" The folder {found.parent} is not there either."
        )
        raise FormatError(f"{found}: no such file or folder.{hint}")
    if found.is_file() and found.stat().st_size == 0:
        raise FormatError(f"{found}: the file is empty. Copy or export it again.")
    return found


def recognised(path: Path) -> Format:
    """Return the format of a file or folder.

    Parameters
    ----------
    path : pathlib.Path
        What to look at.

    Returns
    -------
    Format
        The first whose content test holds.

    Raises
    ------
    FormatError
        None; the message lists what was tried.
    """
    for form in FORMATS:
        if form.sniff(path):
            return form
    tried = ", ".join(form.name for form in FORMATS)
    extra = (
        " It is a basis set: use mp.read_basis."
        if path.is_file() and lcmodel.sniff_basis(path)
        else ""
    )
    raise FormatError(f"{path}: not a recording in a format that is known.{extra} Tried: {tried}.")


def read(path: str | os.PathLike[str], *, part: str | None = None) -> MRSData:
    """Read a recording, whatever its format.

    Parameters
    ----------
    path : path
        NIfTI-MRS, Siemens twix .dat, .rda or .IMA, Philips .SDAT or .data, DICOM, GE P-file,
        Bruker or Varian folder, jMRUI .txt or .mrui, LCModel .RAW. The content decides, not the
        name.
    part : str, optional
        Name of one recording in a file that holds several.

    Returns
    -------
    MRSData
        FIDs in the sign convention of NIfTI-MRS, with what the header says.

    Raises
    ------
    FormatError
        No such file, an unknown format (the message lists what was tried), a damaged file or
        header, or a part that is not there.
    """
    found = _existing(path)
    form = recognised(found)
    if part is None:
        return form.load(found)
    if form.parts is None:
        raise FormatError(
            f"{found}: a file of the format {form.name} holds one recording; leave part= out."
        )
    parts = form.parts(found)
    if part not in parts:
        raise FormatError(f"{found}: no part {part!r}. {suggest(part, parts)}")
    return parts[part]


def read_all(path: str | os.PathLike[str]) -> dict[str, MRSData]:
    """Read every recording of a file.

    Parameters
    ----------
    path : path
        As for `read`.

    Returns
    -------
    dict
        Recordings by name; the name is empty where the file holds one only.
    """
    found = _existing(path)
    form = recognised(found)
    if form.parts is None:
        return {"": form.load(found)}
    parts = dict(form.parts(found))
    return parts if len(parts) > 1 else {"": next(iter(parts.values()))}


def is_basis_folder(path: str | os.PathLike[str]) -> bool:
    """Tell whether a folder holds basis files of one kind, and is no recording."""
    folder = Path(path)
    return (
        folder.is_dir()
        and bool(_basis_files(folder))
        and not any(form.sniff(folder) for form in FORMATS)
    )


def _basis_files(folder: Path) -> dict[str, list[Path]]:
    """Return the files of a folder that may hold basis signals, by kind."""
    kinds = {"json": (".json",), "nifti": (".nii", ".nii.gz"), "raw": (".raw",)}
    found = {
        kind: sorted(entry for entry in folder.iterdir() if entry.name.lower().endswith(suffixes))
        for kind, suffixes in kinds.items()
    }
    return {kind: paths for kind, paths in found.items() if paths}


def write(data: MRSData, path: str | os.PathLike[str], *, anonymise: bool = False) -> None:
    """Write a recording as NIfTI-MRS.

    Data that are as they were read keep their header, bit for bit; all else gets a new one,
    without the fields that NIfTI-MRS marks private.

    Parameters
    ----------
    data : MRSData
        What to write.
    path : path
        Name that ends in .nii or .nii.gz.
    anonymise : bool, default False
        Drop names, identifiers and dates in any case.

    Raises
    ------
    FormatError
        Another suffix, or more dimensions than the format has.
    """
    target = Path(path)
    if not target.name.endswith((".nii", ".nii.gz")):
        raise FormatError(
            f"{target}: recordings are written as NIfTI-MRS; give a name that ends in .nii.gz "
            "or .nii."
        )
    nifti_mrs.save(data, target, anonymise=anonymise)


def read_basis(path: str | os.PathLike[str], *, acquisition: Acquisition | None = None) -> BasisSet:
    """Read a basis set.

    Parameters
    ----------
    path : path
        An LCModel .BASIS file, or a folder of FSL-MRS JSON, NIfTI-MRS or LCModel .RAW files.
    acquisition : Acquisition, optional
        Dwell time and frequency for .RAW files that do not hold them.

    Returns
    -------
    BasisSet
        First points whole; `BasisSet.source` says where it comes from.

    Raises
    ------
    FormatError
        No such file, an unknown format, or a damaged file.
    """
    found = _existing(path)
    if found.is_file():
        if lcmodel.sniff_basis(found):
            return lcmodel.load_basis(found)
        raise FormatError(
            f"{found}: not a basis set that is known. Tried: LCModel .BASIS; folders of "
            "FSL-MRS JSON, NIfTI-MRS, LCModel .RAW."
        )
    files = _basis_files(found)
    if len(files) != 1:
        what = "no" if not files else "several kinds of"
        raise FormatError(
            f"{found}: holds {what} basis files; a folder of FSL-MRS .json, NIfTI-MRS .nii.gz "
            "or LCModel .RAW files is wanted."
        )
    kind, paths = files.popitem()
    if kind == "raw":
        return lcmodel.load_raw_basis(paths, acquisition)
    return basis_folder.load_json(paths) if kind == "json" else basis_folder.load_nifti(paths)


def write_basis(
    basis: BasisSet,
    path: str | os.PathLike[str],
    *,
    file_format: str | None = None,
    echo_time: float | None = None,
    sequence: str = "",
) -> None:
    """Write a basis set.

    Parameters
    ----------
    basis : BasisSet
        What to write.
    path : path
        A file that ends in .basis, or a folder.
    file_format : {"lcmodel", "fsl-mrs", "nifti-mrs"}, optional
        "lcmodel" for a name that ends in .basis, "fsl-mrs" for a folder, when not given.
    echo_time : float, optional
        Echo time for the header of a .basis file [s].
    sequence : str, default ""
        Sequence for the header of a .basis file.

    Raises
    ------
    FormatError
        Unknown format.
    """
    target = Path(path)
    chosen = file_format or ("lcmodel" if target.suffix.lower() == ".basis" else "fsl-mrs")
    writers: dict[str, Callable[[BasisSet, Path], None]] = {
        "lcmodel": partial(lcmodel.save_basis, echo_time=echo_time, sequence=sequence),
        "fsl-mrs": basis_folder.save_json,
        "nifti-mrs": basis_folder.save_nifti,
    }
    if chosen not in writers:
        raise FormatError(f"file_format = {chosen!r}. {suggest(chosen, writers)}")
    writers[chosen](basis, target)
