"""Basis sets in folders."""

import json

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.basis import BasisSet
from mrsproc.errors import FormatError


@pytest.fixture
def basis(make_line):
    time = np.arange(128) * 5e-4
    fid = np.array([3 * make_line(2.008, time, 30.0), make_line(3.2, time, 30.0)])
    return BasisSet(names=("NAA", "-CrCH2"), fid=fid, dwell_time=5e-4, spectrometer_frequency=123.2)


@pytest.mark.parametrize("file_format", [None, "fsl-mrs", "nifti-mrs"])
def test_write_then_read(tmp_path, basis, file_format):
    mp.write_basis(basis, tmp_path / "set", file_format=file_format)
    again = mp.read_basis(tmp_path / "set")
    assert sorted(again.names) == sorted(basis.names)
    for name in basis.names:
        assert (again.fid[again.index(name)] == basis.fid[basis.index(name)]).all()
    assert again.dwell_time == pytest.approx(5e-4, rel=1e-12)
    assert again.spectrometer_frequency == 123.2


def test_names_that_no_file_system_takes(tmp_path, basis):
    mp.write_basis(
        basis.select(["NAA"]).combined_with(
            BasisSet(
                names=("a/b:c",), fid=basis.fid[1:], dwell_time=5e-4, spectrometer_frequency=123.2
            )
        ),
        tmp_path / "set",
    )
    assert "a/b:c" in mp.read_basis(tmp_path / "set").names


def change_one(folder, **changes):
    path = min(folder.glob("*.json"))
    content = json.loads(path.read_text())
    for key, value in changes.items():
        if value is None:
            del content["basis"][key]
        else:
            content["basis"][key] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"basis_dwell": None}, "it lacks basis_dwell"),
        ({"basis_re": "abc"}, "its numbers cannot be read"),
        ({"basis_re": [1.0, 2.0]}, "its numbers cannot be read|different lengths"),
        ({"basis_dwell": 1e-3}, "different lengths, dwell times or frequencies"),
        ({"basis_re": [1.0], "basis_im": [1.0]}, "different lengths"),
    ],
)
def test_damaged_json(tmp_path, basis, changes, text):
    mp.write_basis(basis, tmp_path)
    change_one(tmp_path, **changes)
    with pytest.raises(FormatError, match=text):
        mp.read_basis(tmp_path)


def test_not_json(tmp_path):
    (tmp_path / "NAA.json").write_text("{")
    with pytest.raises(FormatError, match="NAA.json: not valid JSON"):
        mp.read_basis(tmp_path)


def test_empty_and_mixed_folders(tmp_path, basis):
    with pytest.raises(FormatError, match="holds no basis files"):
        mp.read_basis(tmp_path)
    mp.write_basis(basis, tmp_path)
    mp.write_basis(basis, tmp_path, file_format="nifti-mrs")
    with pytest.raises(FormatError, match="several kinds of basis files"):
        mp.read_basis(tmp_path)


def test_nifti_of_several_fids(tmp_path, basis):
    from mrsproc.data import Acquisition, MRSData

    acquisition = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
    mp.write(
        MRSData(fid=np.ones((2, 16)), dims=("transient", "time"), acquisition=acquisition),
        tmp_path / "NAA.nii.gz",
    )
    with pytest.raises(FormatError, match="holds 2 FIDs; a basis file holds one"):
        mp.read_basis(tmp_path)
