"""The commands ``mrsproc basis ...``."""

import json

import pandas as pd
import pytest

import mrsproc as mp

SIMULATE = ("basis", "simulate", "press", "--te", "35", "--metabolites", "NAA,Cr,Glu,Lac")
AT_3T = ("--frequency", "127.731")


def test_simulate_show_convert_compare(run, tmp_path):
    code, out, err = run(*SIMULATE, *AT_3T, "-o", "set.basis", "--points", "2048")
    assert code == 0, err
    assert "4: NAA, Cr, Glu, Lac" in out
    assert {path.name for path in tmp_path.iterdir()} >= {"set.basis", "set.png", "set.svg"}
    text = (tmp_path / "set.basis").read_text()
    assert "ECHOT = 35.00" in text
    assert "SEQ = 'PRESS'" in text

    code, out, err = run("basis", "show", "set.basis", "-o", "picture.pdf")
    assert code == 0, err
    assert (tmp_path / "picture.pdf").read_bytes().startswith(b"%PDF")

    for kind in ("fsl-mrs", "nifti-mrs"):
        code, _, err = run("basis", "convert", "set.basis", "-o", kind, "--format", kind)
        assert code == 0, err
        code, out, err = run("basis", "compare", "set.basis", kind)
        assert code == 0, err
        rows = dict(line.split()[:2] for line in out.splitlines()[1:])
        assert set(rows) == {"NAA", "Cr", "Glu", "Lac"}
        assert all(float(value) > 0.9999 for value in rows.values())


def test_referenced(run, tmp_path, synthetic):
    import dataclasses

    import numpy as np

    basis = synthetic.basis
    off = basis.fid * np.exp(2j * np.pi * 0.03 * 123.2 * basis.time)
    mp.write_basis(dataclasses.replace(basis, fid=off), tmp_path / "off.basis")
    code, _, err = run("basis", "convert", "off.basis", "--referenced", "-o", "good.basis")
    assert code == 0, err
    assert abs(mp.read_basis(tmp_path / "good.basis").axis_offset()) < 0.002


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("simulate", "pres", "--te", "35", *AT_3T), "Did you mean 'press'"),
        (
            ("simulate", "press", "--te", "35", "--metabolites", "Glut", *AT_3T),
            "Did you mean 'Glu'",
        ),
        (("simulate", "press", "--te", "8", "--pulses", "shaped", *AT_3T), "overlap"),
        (("simulate", "press", "--te", "35", "--pulses", "square", *AT_3T), "Known: ideal, shaped"),
        (("simulate", "steam", "--te", "20", "--tm", "-5", *AT_3T), "TM must be 0 or longer"),
        (("simulate", "press", "--te", "35", "--frequency", "0"), "between 1 and 3000"),
        (("simulate", "press", "--te", "35"), "for which scanner"),
        (("simulate", "press", "--te", "35", "--tm", "10", *AT_3T), "--tm is for steam"),
        (("convert", "nothing.basis"), "no such file"),
    ],
)
def test_bad_input(run, tmp_path, words, message):
    code, _, err = run("basis", *words, "-o", "out.basis")
    assert code == 2
    assert message in err
    assert err.startswith("mrsproc: ")
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("out*"))


@pytest.mark.real
def test_philips_recording_with_a_simulated_basis(run, data_folder, tmp_path):
    """LCModel has 1.350 and 1.312 with the basis of the vendor's sequence."""
    recording = data_folder / "philips_press_3t/sub-01_PRESS_35_act.sdat"
    code, _, err = run("basis", "simulate", "press", "--like", recording, "-o", "press.basis")
    assert code == 0, err
    code, _, err = run("fit", recording, "--basis", "press.basis", "-o", "out")
    assert code == 0, err
    path = next((tmp_path / "out").glob("*.tsv"))
    table = pd.read_csv(path, sep="\t", na_values="n/a").set_index("metabolite")
    wanted = json.loads((data_folder / "reference/lcmodel.json").read_text())
    ratios = wanted["philips_press_3t/sub-01"]["ratio_tCr"]
    assert table.ratio_tCr["Glx"] == pytest.approx(ratios["Glu+Gln"], rel=0.15)
    assert table.ratio_tCr["tNAA"] == pytest.approx(ratios["NAA+NAAG"], rel=0.15)
