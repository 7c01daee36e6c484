"""Crossover analysis against textbook tests, permutations enumerated, and bad tables."""

import dataclasses
import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats as distributions

import mrsproc as mp
from mrsproc.errors import DataWarning, InvalidInputError
from mrsproc.stats.differences import coefficient, regress


def wide(frame):
    table = frame.pivot(index="subject", columns="condition", values="estimate")
    return table["drug"].to_numpy(), table["placebo"].to_numpy()


def test_without_periods_it_is_the_paired_t_test(endpoints):
    frame = endpoints()
    found = mp.stats.crossover(frame.drop(columns="period"))
    wanted = distributions.ttest_rel(*wide(frame))
    assert found.statistic == pytest.approx(wanted.statistic)
    assert found.p == pytest.approx(wanted.pvalue)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(wanted.confidence_interval()))
    assert found.contrast == ("drug", "placebo")
    assert "periods" in found.notes[0]


def test_with_periods_it_is_the_two_sample_t_test_of_the_orders(endpoints):
    """Half the difference of the period differences between the orders (Jones and Kenward)."""
    frame = endpoints(n=13)
    drug, placebo = wide(frame)
    second = np.arange(13) % 2 == 0  # of these the drug came second
    between = np.where(second, drug - placebo, placebo - drug)
    wanted = distributions.ttest_ind(between[second], between[~second])
    found = mp.stats.crossover(frame)
    assert found.statistic == pytest.approx(wanted.statistic)
    assert found.estimate == pytest.approx((between[second].mean() - between[~second].mean()) / 2)
    rows = found.to_frame().set_index("term")
    assert rows.loc["period", "estimate"] == pytest.approx(
        (between[second].mean() + between[~second].mean()) / 2
    )
    total = drug + placebo
    wanted = distributions.ttest_ind(total[~second], total[second])
    assert rows.loc["carry-over (or sequence)", "statistic"] == pytest.approx(wanted.statistic)


def test_sign_flips_against_scipy(endpoints):
    frame = endpoints(n=9, effect=0.6)
    difference = np.subtract(*wide(frame))
    wanted = distributions.permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    found = mp.stats.crossover(frame.drop(columns="period"))
    assert found.permutation == "sign"
    assert found.p_permutation == pytest.approx(wanted.pvalue)


def test_orders_against_scipy(endpoints):
    frame = endpoints(n=10, effect=0.6)
    drug, placebo = wide(frame)
    second = np.arange(10) % 2 == 0
    between = np.where(second, drug - placebo, placebo - drug)
    wanted = distributions.permutation_test(
        (between[second], between[~second]),
        lambda a, b: np.mean(a) - np.mean(b),
        n_resamples=np.inf,
    )
    found = mp.stats.crossover(frame)
    assert found.permutation == "order"
    assert found.p_permutation == pytest.approx(wanted.pvalue)


def test_random_orders_agree_with_all_orders(endpoints):
    frame = endpoints(n=12, effect=0.5)
    every = mp.stats.crossover(frame).p_permutation
    drawn = mp.stats.crossover(frame, resamples=900, rng=1).p_permutation
    assert drawn == pytest.approx(every, abs=4 * np.sqrt(every * (1 - every) / 900))
    assert drawn == mp.stats.crossover(frame, resamples=900, rng=1).p_permutation


def test_precision_weights_are_those_of_metafor(endpoints):
    """REML by brute force over the between-person variance, then Knapp and Hartung."""
    frame = endpoints(n=20, spread=0.8).drop(columns="period")
    found = mp.stats.crossover(frame, weights="precision")
    difference = np.subtract(*wide(frame))
    variance = (frame.assign(v=frame["sd"] ** 2).groupby("subject")["v"].sum()).to_numpy()
    grid = np.linspace(0.0, 10.0, 100001)[:, None]
    w = 1.0 / (variance + grid)
    mean = (w * difference).sum(1) / w.sum(1)
    likelihood = 0.5 * np.log(w).sum(1) - 0.5 * np.log(w.sum(1))
    likelihood -= 0.5 * (w * (difference - mean[:, None]) ** 2).sum(1)
    best = int(likelihood.argmax())
    scale = (w[best] * (difference - mean[best]) ** 2).sum() / 19 / w[best].sum()
    assert found.estimate == pytest.approx(mean[best], rel=1e-4)
    assert found.se == pytest.approx(np.sqrt(scale), rel=1e-4)
    assert found.df < 19  # the precise people carry it


def test_equal_sds_make_the_weights_equal(endpoints):
    frame = endpoints()
    one, other = (mp.stats.crossover(frame, weights=kind) for kind in ("equal", "precision"))
    assert one.estimate == pytest.approx(other.estimate)
    assert one.se == pytest.approx(other.se)


@pytest.mark.parametrize(("effect", "p"), [(2.0, 0.0), (0.0, np.nan)])
def test_differences_without_scatter(endpoints, effect, p):
    frame = endpoints()
    frame["estimate"] = np.where(frame["condition"] == "drug", effect, 0.0)
    found = mp.stats.crossover(frame.drop(columns="period"))
    assert found.p == pytest.approx(p, nan_ok=True)
    assert np.isnan(found.effect_size.value)


def test_a_noisy_session_counts_less(endpoints):
    frame = endpoints(n=12)
    frame.loc[0, ["estimate", "sd"]] = 60.0, 30.0
    equal = mp.stats.crossover(frame)
    precise = mp.stats.crossover(frame, weights="precision")
    assert abs(precise.estimate - 1.0) < 1.0 < abs(equal.estimate - 1.0)
    assert precise.to_frame("differences").set_index("subject").loc["00", "weight"] < 0.05


def test_moderator(endpoints):
    frame = endpoints(n=18)
    frame.loc[(frame["sex"] == "M") & (frame["condition"] == "drug"), "estimate"] += 4.0
    rows = mp.stats.crossover(frame, moderator="sex").to_frame().set_index("term")
    women, men = rows.loc["treatment in sex F"], rows.loc["treatment in sex M"]
    difference = rows.loc["treatment x sex (M - F)"]
    assert difference["estimate"] == pytest.approx(men["estimate"] - women["estimate"])
    assert difference["estimate"] == pytest.approx(4.0, abs=3 * difference["se"])
    assert difference["p"] < 0.01
    plain = mp.stats.crossover(frame)
    assert rows.iloc[0]["estimate"] == plain.estimate  # the treatment row is that of all people
    numbers = frame.assign(age=20.0 + frame["subject"].astype(int))
    rows = mp.stats.crossover(numbers, moderator="age").to_frame().set_index("term")
    assert np.isfinite(rows.loc["treatment x age", "p"])


def test_missing_sessions_are_said(endpoints):
    frame = endpoints().drop(index=3)
    frame.loc[4, "estimate"] = np.nan
    with pytest.warns(
        DataWarning, match="01: no session with placebo; 02: no estimate for placebo"
    ):
        found = mp.stats.crossover(frame)
    assert len(found.pairs) == 10
    assert found.pairs.excluded == {
        "01": "no session with placebo",
        "02": "no estimate for placebo",
    }
    assert "Left out: 01" in repr(found)


def test_everybody_in_the_same_order_is_said(endpoints):
    frame = endpoints()
    frame["period"] = np.where(frame["condition"] == "drug", 2, 1)
    with pytest.warns(DataWarning, match="cannot be told from an effect of time"):
        mp.stats.crossover(frame)


def test_holm_over_metabolites(endpoints):
    parts = [endpoints(seed=seed).assign(metabolite=name) for seed, name in enumerate("abc")]
    table = mp.stats.crossover_table(_joined(parts), list("abc"))
    assert table["metabolite"].tolist() == list("abc")
    assert table["p_holm"].tolist() == mp.stats.holm(table["p"]).tolist()
    assert (table["people"] == 12).all()


def _joined(parts):
    import pandas as pd

    return pd.concat(parts, ignore_index=True)


def _misspelt(frame):
    frame = frame.copy()
    frame.loc[0, "condition"] = "plaecbo"
    return frame


BAD = [
    (lambda f: f, {"metabolite": "Glux"}, "Did you mean 'Glx'"),
    (lambda f: f, {"endpoint": "aux"}, "Known: auc"),
    (lambda f: f, {"reference": "tCr"}, "Known: tNAA"),
    (lambda f: f, {"contrast": ("drugg", "placebo")}, "Did you mean 'drug'? Known: drug, placebo"),
    (lambda f: f, {"contrast": ("drug",)}, "two labels"),
    (lambda f: f, {"treatment": "arm"}, "no column 'arm'"),
    (lambda f: f, {"weights": "precise"}, "Did you mean 'precision'"),
    (lambda f: f, {"resamples": 10}, "at least 99"),
    (lambda f: f, {"moderator": "age"}, "no column 'age'"),
    (lambda f: f.replace({"condition": {"drug": "placebo"}}), {}, "two labels of condition"),
    (_misspelt, {}, "plaecbo (1 rows: 00/1)"),
    (lambda f: f.iloc[:0], {}, "no rows"),
    (lambda f: f.iloc[:6], {}, "3 people have both drug and placebo"),
    (lambda f: _joined([f, f.iloc[:1]]), {}, "there are several for 00/1"),
    (lambda f: f.assign(sd=0.0), {"weights": "precision"}, "SD above zero"),
    (lambda f: f.assign(unit=["%", "1"] * 12), {}, "several units"),
    (lambda f: f.assign(estimate="high"), {}, "no number"),
    (lambda f: f.assign(period=1), {}, "have the same period"),
    (lambda f: f.assign(condition=None), {}, "condition is missing for 00/1"),
    (lambda f: f.assign(sex=["F", "M"] * 12), {"moderator": "sex"}, "one value for a person"),
    (lambda f: f.assign(sex="F"), {"moderator": "sex"}, "has 1 labels"),
    (lambda f: _joined([f, f.assign(reference="tCr")]), {}, "reference='tCr'"),
]


@pytest.mark.parametrize(("change", "options", "words"), BAD)
def test_bad_tables(endpoints, change, options, words):
    with pytest.raises(InvalidInputError, match=re.escape(words)):
        mp.stats.crossover(change(endpoints()), **options)


def test_results_are_frozen_and_tables_have_no_strangers(endpoints):
    found = mp.stats.crossover(endpoints())
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.estimate = 0.0
    with pytest.raises(InvalidInputError, match="Known: effects, differences"):
        found.to_frame("people")


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), factor=st.floats(0.1, 100.0))
def test_invariances(seed, factor):
    frame = make_trial(seed)
    found = mp.stats.crossover(frame)
    people = np.random.default_rng(seed).normal(size=len(frame) // 2)
    moved = frame.assign(estimate=factor * (frame["estimate"] + np.repeat(people, 2)))
    moved = moved.sample(frac=1.0, random_state=seed)
    other = mp.stats.crossover(moved)
    assert other.estimate == pytest.approx(factor * found.estimate, rel=1e-8, abs=1e-9)
    assert other.p == pytest.approx(found.p, rel=1e-6)
    turned = mp.stats.crossover(frame, contrast=("placebo", "naltrexone"))
    assert turned.estimate == pytest.approx(-found.estimate)
    assert turned.p_permutation == found.p_permutation


def make_trial(seed):
    table = mp.stats.simulate_trial(mp.stats.TrialDesign(participants=8), rng=seed).endpoints
    return table[table["endpoint"] == "auc"]


@pytest.mark.parametrize("precise", [False, True])
def test_coverage_of_small_trials(precise):
    """A quick look at what tests/benchmarks/bench_stats.py measures."""
    rng = np.random.default_rng(0)
    n, trials, truth = 12, 800, 0.7
    variances = np.exp(rng.standard_normal(n))
    design = np.column_stack([np.ones(n), np.where(np.arange(n) % 2, 1.0, -1.0)])
    covered = 0
    for _ in range(trials):
        scatter = np.sqrt(variances + 0.3) * rng.standard_normal(n)
        found = regress(
            truth + 0.4 * design[:, 1] + scatter, design, variances if precise else None
        )
        row = coefficient(found, 0)
        covered += row["ci_low"] <= truth <= row["ci_high"]
    assert covered / trials == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / trials))
