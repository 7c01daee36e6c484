"""``mrsproc dynamic`` as a user types it."""

import json

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dynamic")
    options = mp.SessionOptions(n_transients=24, repetition_time=32.0, snr=60.0)
    session = mp.simulate(None, options, effects={"Glu": 0.2, "Gln": 0.2}, rng=0)
    mp.write(session.data, folder / "sub-01_svs.nii.gz")
    mp.write_basis(session.basis, folder / "press35.basis")
    (folder / "events.tsv").write_text("onset\tduration\ttrial_type\n300\t400\tinfusion\n")
    return folder


def test_writes_the_tables_of_the_design(run, files, tmp_path):
    code, out, err = run(
        "dynamic", files / "sub-01_svs.nii.gz", "-b", files / "press35.basis",
        "--events", files / "events.tsv", "-o", tmp_path / "out", "--bin-width", "120",
    )  # fmt: skip
    assert code == 0, err
    base = tmp_path / "out" / "sub-01_desc-"
    table = pd.read_csv(f"{base}timecourse_mrs.tsv", sep="\t", na_values="n/a")
    assert table.columns.tolist() == [
        "time_s", "duration_s", "n_transients", "metabolite", "quantity", "reference", "unit",
        "estimate", "sd",
    ]  # fmt: skip
    sidecar = json.loads((tmp_path / "out/sub-01_desc-timecourse_mrs.json").read_text())
    assert sidecar["mrsproc"]["infusion_onset_s"] == 300.0
    assert "cannot scale a later time point" in sidecar["mrsproc"]["WaterScaling"]
    assert sidecar["time_s"]["Units"] == "s"
    parameters = pd.read_csv(f"{base}parameters_mrs.tsv", sep="\t")
    assert parameters.columns.tolist() == ["metabolite", "parameter", "estimate", "sd", "unit"]
    with np.load(f"{base}timecourse_cov.npz") as content:
        n = content["labels"].size
        assert content["covariance"].shape == (n, n)
    assert (tmp_path / "out/sub-01_desc-Glx_mrs.png").stat().st_size > 1000
    assert "Glx" in out
    assert "wrote" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "when was the infusion"),
        (("--infusion", "300", "400", "--response", "step"), "Known: free, rise, plasma, boxcar"),
        (("--infusion", "9000", "400"), "the recording lasts"),
        (("--infusion", "300", "400", "--metabolites", "Glue"), "Did you mean 'Glu'"),
    ],
)
def test_input_that_is_wrong(run, files, tmp_path, words, message):
    code, _, err = run(
        "dynamic", files / "sub-01_svs.nii.gz", "-b", files / "press35.basis", "-o",
        tmp_path / "out", *words,
    )  # fmt: skip
    assert code == 2
    assert message in err
    assert not (tmp_path / "out").exists()
