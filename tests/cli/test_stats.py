"""The commands ``mrsproc stats`` and ``mrsproc power``."""

import json
import warnings

import pandas as pd
import pytest

import mrsproc as mp


@pytest.fixture
def study(tmp_path):
    """Return a folder with the tables of a simulated study."""
    trial = mp.stats.simulate_trial(rng=3)
    folder = tmp_path / "study"
    folder.mkdir()
    glu = trial.endpoints.assign(metabolite="Glu", estimate=trial.endpoints["estimate"] * 0.7)
    tables = {
        "endpoints": pd.concat([trial.endpoints, glu]),
        "timecourses": trial.timecourses,
        "participants": trial.participants,
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.tsv", sep="\t", index=False, na_rep="n/a")
    return folder


def test_stats(run, study, tmp_path):
    code, out, err = run(
        "stats", study, "-o", tmp_path / "out", "--metabolite", "Glx", "--metabolite", "Glu",
        "--participants", study / "participants.tsv", "--moderator", "sex",
        "--formula", "estimate ~ condition * time + period", "--baseline", "0", "600",
    )  # fmt: skip
    assert code == 0, err
    found = mp.stats.crossover(pd.read_csv(study / "endpoints.tsv", sep="\t"))
    table = pd.read_csv(tmp_path / "out/stats_crossover.tsv", sep="\t").set_index("term")
    assert table.loc["naltrexone - placebo", "estimate"] == pytest.approx(found.estimate)
    assert table.loc["naltrexone - placebo", "p"] == pytest.approx(found.p)
    assert "treatment x sex (M - F)" in table.index
    assert "p_holm" in out
    assert "MixedModel" in out
    people = pd.read_csv(tmp_path / "out/stats_people.tsv", sep="\t")
    assert len(people) == 26
    assert {"difference", "weight", "estimate_without"} <= set(people.columns)
    sidecar = json.loads((tmp_path / "out/stats_crossover.json").read_text())
    assert all("dimension" not in column["Description"] for column in sidecar.values())
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"stats_mixed.tsv", "stats_mixed-variances.tsv", "stats_people.svg"} <= written


def test_quality(run, study, tmp_path):
    rows = pd.read_csv(study / "timecourses.tsv", sep="\t", dtype={"subject": str})
    active = rows["condition"].eq("naltrexone") & (rows["time_s"] >= 600)
    width = 6.0 - 0.5 * active + 0.01 * rows["subject"].astype(float) * rows["period"]
    rows.assign(valid=True, linewidth_hz=width).to_csv(study / "qc.tsv", sep="\t", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        code, out, err = run("stats", study, "--onset", "600")
    assert code == 0, err
    assert "warning: quality differs: linewidth_hz by condition" in err
    table = pd.read_csv(study / "stats_quality.tsv", sep="\t")
    found = table.set_index(["outcome", "term"]).loc[("linewidth_hz", "condition x time")]
    assert found["estimate"] == pytest.approx(-0.5)
    assert found["alarm"]
    assert "quality by condition and time" in out


def test_bad_input_leaves_nothing(run, study, tmp_path):
    for words, message in (
        ((study, "--metabolite", "Glxx"), "Did you mean 'Glx'"),
        ((study, "--contrast", "naltrexon", "placebo"), "Did you mean 'naltrexone'"),
        ((tmp_path / "nothing",), "no such file"),
        ((study, "--onset", "600"), "qc.tsv: no such file"),
        ((study, "--weights", "best"), "Known: equal, precision"),
    ):
        code, _, err = run("stats", *words, "-o", tmp_path / "out")
        assert code == 2
        assert message in err
        assert err.startswith("mrsproc: ")
    assert not (tmp_path / "out").exists()


def test_power(run, tmp_path):
    known = ("--endpoint-sd", "2.9", "--between-session-sd", "5")
    code, out, err = run("power", "--effect", "5", *known, "-o", "power.png")
    assert code == 0, err
    plan = mp.stats.power(effect_percent=5.0, endpoint_sd=2.9, between_session_sd=5.0)
    assert out.splitlines()[0] == repr(plan)
    assert (tmp_path / "power.png").stat().st_size > 5000
    code, out, _ = run(
        "power", "--participants", "26", *known, "--snr", "20", "40", "--duration", "600", "1200"
    )
    wanted = mp.stats.power(participants=26, endpoint_sd=2.9 / 2 / 2**0.5, between_session_sd=5.0)
    assert out.splitlines()[0] == repr(wanted)
    code, _, err = run("power", *known)
    assert code == 2
    assert "give effect_percent, participants or both" in err
