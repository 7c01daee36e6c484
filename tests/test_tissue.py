"""Tissue fractions from segmentations, and the correction by hand."""

import dataclasses

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mrsproc as mp
from mrsproc import constants
from mrsproc.data import MRSData
from mrsproc.errors import DataWarning, InvalidInputError
from mrsproc.tissue import TissueCorrection, attenuation

PRESS = {"echo_time": 0.03, "repetition_time": 2.0}
SAME = {"water_echo_time": 0.03, "water_repetition_time": 2.0}
WHOLE = {"water_echo_time": 0.0, "water_repetition_time": 100.0}


def correction(gm, wm, csf, **changes):
    given = {
        "tissue": mp.Tissue(gm=gm, wm=wm, csf=csf),
        "relaxation": mp.Relaxation.at(3.0),
        **PRESS,
        **SAME,
        **changes,
    }
    return TissueCorrection(**given)


def test_pure_grey_matter_by_hand():
    """One compartment: its water density cancels (Gasparovic 2006)."""
    water = np.exp(-0.03 / 0.110) * (1 - np.exp(-2.0 / 1.331))
    glutamate = np.exp(-0.03 / 0.179) * (1 - np.exp(-2.0 / 1.22))
    pure = correction(1.0, 0.0, 0.0)
    assert pure.molal("Glu") == pytest.approx(55510.0 * water / glutamate, rel=1e-12)
    assert pure.water_of_tissue == pytest.approx(0.78 * 0.9933)


def test_mixed_voxel_by_hand():
    """Equation of Gasparovic 2006, written out."""
    d = {"gm": 0.78, "wm": 0.65, "csf": 0.97}
    volume = {"gm": 0.6, "wm": 0.25, "csf": 0.15}
    t1 = {"gm": 1.331, "wm": 0.832, "csf": 3.817}
    t2 = {"gm": 0.110, "wm": 0.0792, "csf": 0.503}
    total = sum(volume[i] * d[i] for i in d)
    f = {i: volume[i] * d[i] / total for i in d}
    left = {i: np.exp(-0.03 / t2[i]) * (1 - np.exp(-2.0 / t1[i])) for i in d}
    metabolite = np.exp(-0.03 / 0.270) * (1 - np.exp(-2.0 / 1.41))
    molal = 55510.0 * sum(f[i] * left[i] for i in d) / ((1 - f["csf"]) * metabolite)
    molar = 0.9933 * 55510.0 * sum(volume[i] * d[i] * left[i] for i in d) / (0.85 * metabolite)
    found = correction(**volume)
    assert found.molal("NAA") == pytest.approx(molal, rel=1e-12)
    assert found.molal("NAA") * found.water_of_tissue == pytest.approx(molar, rel=1e-12)


def test_csf_dilutes():
    """The same signal in half the tissue is twice the concentration of the tissue."""
    none = {"water_t1": dict.fromkeys(("gm", "wm", "csf"), 1e-3)}
    relaxation = dataclasses.replace(mp.Relaxation.at(3.0), **none)
    full = correction(1.0, 0.0, 0.0, relaxation=relaxation, **WHOLE)
    half = correction(0.5, 0.0, 0.5, relaxation=relaxation, **WHOLE)
    expected = (0.78 + 0.97) / 0.78
    assert half.molal("Cr") / full.molal("Cr") == pytest.approx(expected)


def test_water_and_metabolites_have_their_own_times():
    longer = correction(1.0, 0.0, 0.0, water_echo_time=0.06)
    ratio = longer.molal("Cr") / correction(1.0, 0.0, 0.0).molal("Cr")
    assert ratio == pytest.approx(np.exp(-0.03 / 0.110))


@given(
    gm=st.floats(0.05, 0.9),
    split=st.floats(0.0, 1.0),
    te=st.floats(0.005, 0.3),
    tr=st.floats(0.5, 10.0),
)
def test_fractions_of_water_sum_to_one(gm, split, te, tr):
    rest = 1.0 - gm
    found = correction(
        gm, rest * split, rest * (1 - split), echo_time=te, repetition_time=tr,
        water_echo_time=te, water_repetition_time=tr,
    )  # fmt: skip
    assert sum(found.water_fraction.values()) == pytest.approx(1.0)
    assert all(0.0 < left < 1.0 for left in found.water_attenuation.values())
    assert 0.0 < found.metabolite_attenuation("Glu") < 1.0
    assert found.molal("Glu") > 0.0


def test_voxel_of_csf_is_refused():
    with pytest.raises(InvalidInputError, match="all CSF"):
        correction(0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("fractions", "text"),
    [
        ((60, 30, 10), "not percent"),
        ((0.6, 0.3, 0.2), "sum to 1.1"),
        ((-0.1, 0.9, 0.2), "between 0 and 1"),
        ((float("nan"), 0.5, 0.5), "between 0 and 1"),
    ],
)
def test_what_are_not_fractions(fractions, text):
    with pytest.raises(InvalidInputError, match=text):
        mp.Tissue(gm=fractions[0], wm=fractions[1], csf=fractions[2])


def test_relaxation_of_the_field():
    assert mp.Relaxation.at(2.8936).water_t1["gm"] == 1.331
    assert mp.Relaxation.at(6.98).water_t1["gm"] == 2.132
    with pytest.raises(InvalidInputError, match="only for 3 and 7 T"):
        mp.Relaxation.at(4.7)


def test_relaxation_by_any_name():
    relaxation = mp.Relaxation.at(3.0)
    assert relaxation.t2("mI") == relaxation.t2("Ins") == 0.208
    assert relaxation.t2("PCho") == relaxation.t2("GPC")
    assert relaxation.t1("Glc") == relaxation.metabolite_t1["*"]
    with pytest.raises(InvalidInputError, match="also for \\*"):
        dataclasses.replace(relaxation, metabolite_t2={"Glu": 0.2})
    with pytest.raises(InvalidInputError, match="also for csf"):
        dataclasses.replace(relaxation, water_t1={"gm": 1.0, "wm": 1.0})


def test_macromolecules_have_no_factor():
    assert np.isnan(correction(0.6, 0.3, 0.1).molal("MM20"))


def test_constants_are_told():
    table = correction(0.6, 0.3, 0.1).to_frame(("Glu", "MM09")).set_index("quantity").value
    assert table["T2 of Glu"] == 0.179
    assert table["T1 of water in csf"] == 3.817
    assert table["signal of Glu left"] == pytest.approx(attenuation(0.03, 2.0, 1.22, 0.179))
    assert not any("MM09" in name for name in table.index)


# Segmentations.

OBLIQUE = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])


def brain(shape=(60, 64, 56), edge=1.2, origin=(-40.0, -38.0, -30.0), angle=0.2):
    """Return three maps on a tilted grid: smooth patches that sum to 1."""
    c, s = np.cos(angle), np.sin(angle)
    affine = np.eye(4)
    affine[:3, :3] = edge * np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    affine[:3, 3] = origin
    rng = np.random.default_rng(3)
    waves = np.array([sum(np.sin(np.indices(shape)[k] * rng.uniform(0.1, 0.4) + rng.uniform(0, 6))
                      for k in range(3)) for _ in range(3)])  # fmt: skip
    parts = np.exp(2.0 * waves)
    parts /= parts.sum(axis=0)
    return [nib.Nifti1Image(part.astype(np.float32), affine) for part in parts]


def voxel_affine(edges=(20.0, 30.0, 15.0), centre=(-5.0, 4.0, 2.0), rotation=OBLIQUE):
    affine = np.eye(4)
    affine[:3, :3] = rotation * np.array(edges)
    affine[:3, 3] = centre
    return affine


def test_oblique_voxel_against_random_points():
    maps, affine = brain(), voxel_affine()
    found = mp.Tissue.from_segmentation(affine, gm=maps[0], wm=maps[1], csf=maps[2])
    rng = np.random.default_rng(0)
    inside = rng.uniform(-0.5, 0.5, (400000, 3)) @ affine[:3, :3].T + affine[:3, 3]
    index = np.rint(nib.affines.apply_affine(np.linalg.inv(maps[0].affine), inside)).astype(int)
    wanted = [float(image.get_fdata()[tuple(index.T)].mean()) for image in maps]
    assert [found.gm, found.wm, found.csf] == pytest.approx(wanted, abs=2e-3)
    assert found.coverage == pytest.approx(1.0, abs=1e-5)


def test_half_space_cuts_the_voxel_where_geometry_says():
    """A plane through a cube, 2 mm off its centre: 60 % on one side."""
    shape = (80, 80, 80)
    affine = np.diag([0.5, 0.5, 0.5, 1.0])
    affine[:3, 3] = -20.0
    x = np.indices(shape)[0] * 0.5 - 20.0
    left = nib.Nifti1Image((x < 2.0).astype(np.float32), affine)
    right = nib.Nifti1Image((x >= 2.0).astype(np.float32), affine)
    none = nib.Nifti1Image(np.zeros(shape, np.float32), affine)
    cube = voxel_affine((20.0,) * 3, (0.0,) * 3, np.eye(3))
    found = mp.Tissue.from_segmentation(cube, gm=left, wm=right, csf=none)
    # The grid is of voxel centres: the border lies at 1.75 mm.
    assert found.gm == pytest.approx((10.0 + 1.75) / 20.0, abs=0.005)
    assert found.csf == 0.0


def test_a_recording_carries_its_voxel(synthetic, tmp_path):
    maps = brain()
    paths = [tmp_path / f"{name}.nii.gz" for name in ("gm", "wm", "csf")]
    for image, path in zip(maps, paths, strict=True):
        nib.save(image, path)
    data = synthetic.data()
    data = MRSData(fid=data.fid, dims=data.dims, acquisition=data.acquisition,
                   affine=voxel_affine())  # fmt: skip
    mp.write(data, tmp_path / "svs.nii.gz")
    again = mp.read(tmp_path / "svs.nii.gz")
    by_file = mp.Tissue.from_segmentation(again, gm=paths[0], wm=paths[1], csf=str(paths[2]))
    by_affine = mp.Tissue.from_segmentation(voxel_affine(), gm=maps[0], wm=maps[1], csf=maps[2])
    assert by_file.gm == pytest.approx(by_affine.gm, abs=1e-4)


def test_voxel_at_the_edge_of_the_brain():
    maps = brain()
    outside = voxel_affine(centre=(-50.0, 4.0, 2.0))
    with pytest.warns(DataWarning, match="of the voxel is grey matter"):
        found = mp.Tissue.from_segmentation(outside, gm=maps[0], wm=maps[1], csf=maps[2])
    assert 0.1 < found.coverage < 0.9
    assert found.gm + found.wm + found.csf == pytest.approx(1.0)
    away = voxel_affine(centre=(500.0, 0.0, 0.0))
    with pytest.raises(InvalidInputError, match="none of the three tissues"):
        mp.Tissue.from_segmentation(away, gm=maps[0], wm=maps[1], csf=maps[2])


def test_bad_maps_and_voxels(synthetic):
    maps, affine = brain(), voxel_affine()
    labels = nib.Nifti1Image(np.full(maps[0].shape, 3, np.uint8), maps[0].affine)
    with pytest.raises(InvalidInputError, match="gm holds values from 3 to 3"):
        mp.Tissue.from_segmentation(affine, gm=labels, wm=maps[1], csf=maps[2])
    ones = nib.Nifti1Image(np.ones(maps[0].shape, np.float32), maps[0].affine)
    with pytest.raises(InvalidInputError, match="sum to more than 1"):
        mp.Tissue.from_segmentation(affine, gm=ones, wm=maps[1], csf=maps[2])
    with pytest.raises(InvalidInputError, match="wm = ndarray"):
        mp.Tissue.from_segmentation(affine, gm=maps[0], wm=np.zeros((2, 2, 2)), csf=maps[2])
    flat = nib.Nifti1Image(np.zeros((4, 4), np.float32), np.eye(4))
    with pytest.raises(InvalidInputError, match="csf has shape"):
        mp.Tissue.from_segmentation(affine, gm=maps[0], wm=maps[1], csf=flat)
    with pytest.raises(InvalidInputError, match="has no affine"):
        mp.Tissue.from_segmentation(synthetic.data(), gm=maps[0], wm=maps[1], csf=maps[2])
    with pytest.raises(InvalidInputError, match="size and place of a voxel"):
        mp.Tissue.from_segmentation(
            np.diag([1e4, 1e4, 1e4, 1.0]), gm=maps[0], wm=maps[1], csf=maps[2]
        )
    with pytest.raises(InvalidInputError, match="4 x 4"):
        mp.Tissue.from_segmentation(np.eye(3), gm=maps[0], wm=maps[1], csf=maps[2])


@pytest.mark.real
def test_times_are_those_of_the_database(data_folder):
    """T2 of metabolites: the median over studies of each study's median, patients left out."""
    import pandas as pd

    table = pd.read_csv(data_folder / "reference/t2_meta_2023.csv", encoding="utf-8-sig")
    patients = table.Notes.fillna("").str.contains("MCI|AD|ALS|Tumor|Aged")
    table = table[(table.Subject == "Human") & ~patients]
    named = {"NAA": "NAA_CH3", "NAAG": "NAAG_CH3", "Cr": "Cre_CH3", "Ins": "Myo", "Scyllo": "Scy"}
    for field, values in constants.METABOLITE_T2.items():
        found = {}
        for metabolite in values:
            rows = table[(table.Name == named.get(metabolite, metabolite)) & (table.Tesla == field)]
            if len(rows):
                found[metabolite] = rows.groupby("Reference").T2.median().median() / 1e3
        assert len(found) >= 11
        for metabolite, median in found.items():
            assert values[metabolite] == pytest.approx(median, abs=6e-4), (field, metabolite)
        assert values["*"] == pytest.approx(np.median(list(found.values())), abs=1e-3)
