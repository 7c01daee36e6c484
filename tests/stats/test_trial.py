"""The simulated trial has the effects it says, and tables like a study's."""

import numpy as np
import pytest

from mrsproc import stats
from mrsproc.errors import InvalidInputError

KEYS = ["subject", "session", "condition", "period", "sequence"]


def test_tables(trial):
    assert list(trial.endpoints.columns) == [
        *KEYS, "metabolite", "reference", "endpoint", "unit", "estimate", "sd",
    ]  # fmt: skip
    assert list(trial.timecourses.columns) == [
        *KEYS, "time_s", "duration_s", "metabolite", "quantity", "reference", "unit", "estimate",
        "sd",
    ]  # fmt: skip
    assert len(trial.endpoints) == 26 * 2 * 2
    first = trial.endpoints.query("period == 1 and endpoint == 'auc'")
    assert first["condition"].value_counts().tolist() == [13, 13]
    table = stats.add_participants(trial.endpoints, trial.participants, ["sex"])
    assert table.groupby("subject")["sex"].nunique().max() == 1
    same = stats.simulate_trial(rng=3)
    assert same.timecourses.equals(trial.timecourses)


def test_effects_are_those_of_the_design():
    design = stats.TrialDesign(participants=2000, madrs_effect_size=0.5, sex_difference=0.8)
    trial = stats.simulate_trial(design, rng=0)
    endpoints = stats.add_participants(trial.endpoints, trial.participants, ["sex"])
    found = stats.crossover(endpoints, endpoint="mean", moderator="sex", resamples=99)
    assert found.estimate == pytest.approx(design.effect_percent, abs=4 * found.se)
    assert found.effect_size.value == pytest.approx(-design.effect_size, abs=0.08)
    sex = found.to_frame().iloc[-1]
    assert sex["estimate"] == pytest.approx(-0.8 * design.difference_sd, abs=4 * sex["se"])
    scores = trial.scores.rename(columns={"madrs_change": "estimate"})
    madrs = stats.crossover(scores, metabolite=None, endpoint=None, resamples=99)
    assert madrs.effect_size.value == pytest.approx(0.5, abs=0.1)
    within = stats.association(
        trial.endpoints, trial.scores, "madrs_change", endpoint="mean", adjust=["condition"]
    ).within
    assert within.slope < -3 * within.se


def test_endpoints_are_those_of_the_time_courses(trial):
    change = stats.change_from_baseline(trial.timecourses, (0.0, 600.0), scale="difference")
    means = change.groupby(["subject", "session"])["estimate"].mean() / trial.design.rest * 100
    endpoints = trial.endpoints.query("endpoint == 'mean'").set_index(["subject", "session"])
    assert means.to_numpy() == pytest.approx(endpoints["estimate"].loc[means.index].to_numpy())


def test_reported_sds_are_the_scatter():
    design = stats.TrialDesign(
        participants=2000, session_sd=0.0, response_sd=0.0, effect_size=0.0, sex_difference=0.0
    )
    rows = stats.simulate_trial(design, rng=1).endpoints.query("endpoint == 'mean'")
    scaled = (rows["estimate"] - design.response) / rows["sd"]
    assert scaled.std() == pytest.approx(1.0, abs=0.03)
    assert scaled.mean() == pytest.approx(0.0, abs=0.06)


def test_dropout():
    design = stats.TrialDesign(participants=200, dropout=0.3)
    table = stats.simulate_trial(design, rng=1).endpoints.query("endpoint == 'auc'")
    assert (table["period"] == 1).sum() == 200
    assert (table["period"] == 2).sum() == pytest.approx(140, abs=4 * np.sqrt(42))


def test_bad_designs():
    for options, words in (
        ({"participants": 2}, "at least 4"),
        ({"session_sd": -1.0}, "zero or more"),
        ({"dropout": 1.0}, "below 1"),
        ({"bin_s": 900.0}, "at least one time point"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            stats.TrialDesign(**options)


def test_participants_have_to_be_known(trial):
    short = trial.participants.iloc[1:]
    with pytest.raises(InvalidInputError, match="no row for 01"):
        stats.add_participants(trial.endpoints, short, ["sex"])
    twice = trial.participants.assign(participant_id="sub-01")
    with pytest.raises(InvalidInputError, match="more than once"):
        stats.add_participants(trial.endpoints, twice, ["sex"])
