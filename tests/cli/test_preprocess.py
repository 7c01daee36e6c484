"""``mrsproc preprocess``: what is written, and what stops it."""

import json

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp
from mrsproc.simulation.example import example_basis


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    options = mp.SessionOptions(
        n_transients=48, n_coils=2, n_ruined=2, infusion_onset=50.0, infusion_duration=40.0
    )
    session = mp.simulate(example_basis(), options, rng=2)
    root = tmp_path_factory.mktemp("bids")
    session.write_bids(root)
    return root / "sub-01" / "ses-01" / "mrs"


def test_it_writes_data_quality_and_figures(run, folder, tmp_path):
    name = "sub-01_ses-01"
    code, output, _ = run(
        "preprocess", folder / f"{name}_svs.nii.gz", "-r", folder / f"{name}_mrsref.nii.gz",
        "--events", folder / f"{name}_events.tsv", "-o", tmp_path,
    )  # fmt: skip
    assert code == 0
    assert "48 transients" in output
    qc = pd.read_csv(tmp_path / f"{name}_desc-qc_mrs.tsv", sep="\t", keep_default_na=False)
    assert list(qc["epoch"].unique()) == ["baseline", "infusion", "after"]
    sidecar = json.loads((tmp_path / f"{name}_desc-qc_mrs.json").read_text())
    assert set(sidecar) >= set(qc.columns)
    clean = mp.read(tmp_path / f"{name}_desc-preproc_svs.nii.gz")
    assert (clean.mask == (qc["valid"].astype(str) == "True")).all()
    assert clean.history[0].method == "RF coil combination"
    assert np.allclose(clean.coords["transient"], qc["time_s"])
    for what in ("beforeafter", "quality", "waterfall"):
        for suffix in ("png", "svg"):
            assert (tmp_path / f"{name}_desc-{what}_mrs.{suffix}").stat().st_size > 1000
    written = [line.removeprefix("wrote ") for line in output.splitlines()
               if line.startswith("wrote ")]  # fmt: skip
    assert sorted(written) == sorted(str(path) for path in tmp_path.iterdir())


def test_a_wrong_reference_stops_it_before_anything_is_written(run, folder, tmp_path):
    data = folder / "sub-01_ses-01_svs.nii.gz"
    code, _, error = run("preprocess", data, "-r", data, "-o", tmp_path / "out")
    assert code == 2
    assert "not water" in error
    assert not (tmp_path / "out").exists()


def test_repetition_time_is_given_in_ms(run, tmp_path):
    session = mp.simulate(example_basis(), mp.SessionOptions(n_transients=10), rng=0)
    acquisition = session.data.acquisition.replace(repetition_time=None)
    mp.write(
        mp.MRSData(fid=session.data.fid, dims=session.data.dims, acquisition=acquisition),
        tmp_path / "x_svs.nii.gz",
    )
    code, _, error = run("preprocess", tmp_path / "x_svs.nii.gz", "--tr", 3000, "-o", tmp_path)
    assert code == 0, error
    qc = pd.read_csv(tmp_path / "x_desc-qc_mrs.tsv", sep="\t")
    assert np.allclose(qc["time_s"], 3.0 * np.arange(10))


def test_an_events_file_without_events_is_told(run, folder, tmp_path):
    empty = tmp_path / "events.tsv"
    empty.write_text("onset\tduration\ttrial_type\n")
    data = folder / "sub-01_ses-01_svs.nii.gz"
    code, _, error = run("preprocess", data, "--events", empty, "-o", tmp_path / "out")
    assert code == 2
    assert "holds no event: give --infusion" in error
    assert not (tmp_path / "out").exists()
