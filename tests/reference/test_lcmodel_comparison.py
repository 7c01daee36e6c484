"""Real recordings: what LCModel found in them, and that every file reads."""

import gzip
import json

import pytest

import mrsproc as mp
from mrsproc.__main__ import main

pytestmark = pytest.mark.real

CASES = {
    "philips_press_3t/sub-01": (
        "philips_press_3t/sub-01_PRESS_35_act.sdat",
        "basis/press35_philips_3t.basis",
    ),
    "vendor/siemens_press30.rda": ("vendor/siemens_press30.rda", "basis/press30_3t.basis"),
}
LIMITS = {
    "tNAA": ("NAA+NAAG", 0.08),
    "tCho": ("GPC+PCh", 0.08),
    "Glx": ("Glu+Gln", 0.12),
    "Ins": ("Ins", 0.08),
}


@pytest.mark.filterwarnings("ignore:the last 64 of 1024 points:mrsproc.errors.DataWarning")
@pytest.mark.parametrize("case", CASES)
def test_ratios_agree_with_lcmodel(data_folder, case):
    """Default options; programs differ by more than these 8 % and 12 % (Near 2021)."""
    recording, basis = (data_folder / name for name in CASES[case])
    fit = mp.fit(mp.read(recording), mp.read_basis(basis))
    wanted = json.loads((data_folder / "reference/lcmodel.json").read_text())[case]["ratio_tCr"]
    creatine = fit.estimate("tCr")[0]
    for name, (theirs, limit) in LIMITS.items():
        assert fit.estimate(name)[0] / creatine == pytest.approx(wanted[theirs], rel=limit), name
    assert fit.fit_quality < 4.0


def test_philips_water_scaling_is_near_lcmodels(data_folder):
    """LCModel reads water low on short windows; both use the same constants."""
    folder = data_folder / "philips_press_3t"
    fit = mp.fit(
        mp.read(folder / "sub-01_PRESS_35_act.sdat"),
        mp.read_basis(data_folder / "basis/press35_philips_3t.basis"),
    )
    water = mp.read(folder / "sub-01_PRESS_35_ref.sdat")
    table = mp.quantify(fit, water=water).to_frame().set_index("metabolite")
    assert table.concentration["tNAA"] == pytest.approx(6.469, rel=0.3)
    assert (table.unit == "mM").all()


@pytest.mark.parametrize("name", ["press30_3t", "press35_philips_3t", "press35_ge_3t_offset"])
def test_naa_stands_at_its_place(data_folder, name):
    basis = mp.read_basis(data_folder / f"basis/{name}.basis")
    if name.endswith("offset"):
        assert basis.axis_offset() == pytest.approx(-0.03, abs=0.005)
        basis = basis.referenced()
    assert basis.axis_offset() == pytest.approx(0.0, abs=0.01)


def recordings(folder):
    yield from sorted(folder.glob("*/*.nii.gz"))
    yield from sorted(folder.glob("philips_press_3t/*.s*"))
    yield folder / "vendor/siemens_press30.rda"
    yield folder / "vendor/varian_mm_9p4T.fid"
    yield from sorted(folder.glob("*/*.basis"))


@pytest.mark.filterwarnings("ignore::mrsproc.errors.DataWarning")
def test_info_tells_of_every_file(data_folder, capsys, monkeypatch):
    for path in recordings(data_folder):
        monkeypatch.setattr("sys.argv", ["mrsproc", "info", str(path)])
        with pytest.raises(SystemExit) as stop:
            main()
        text = capsys.readouterr().out
        assert stop.value.code == 0, path
        wanted = ["frequency", "dwell time"]
        if path.suffix != ".basis":
            wanted += ["dimensions", "TE", "TR", "SNR", "linewidth"]
        assert all(word in text for word in wanted), path
        assert "nan" not in text, path
        assert "{" not in text, path


def test_nifti_mrs_round_trips_bit_for_bit(data_folder, tmp_path):
    for path in sorted(data_folder.glob("*/*.nii.gz")):
        mp.write(mp.read(path), tmp_path / "again.nii.gz")
        again = gzip.decompress((tmp_path / "again.nii.gz").read_bytes())
        assert again == gzip.decompress(path.read_bytes()), path


def test_derived_files_carry_no_name(data_folder, tmp_path):
    """The header of this file holds the patient name 445."""
    data = mp.read(data_folder / "vendor/siemens_press30.rda")
    mp.write(data, tmp_path / "kept.nii.gz")
    mp.write(data, tmp_path / "anonymous.nii.gz", anonymise=True)
    mp.write(mp.remove_water(data), tmp_path / "derived.nii.gz")
    kept, anonymous, derived = (
        gzip.decompress((tmp_path / f"{name}.nii.gz").read_bytes())
        for name in ("kept", "anonymous", "derived")
    )
    assert b"PatientName" in kept
    assert b'"445"' in kept
    for content in (anonymous, derived):
        assert b"PatientName" not in content
        assert b'"445"' not in content
