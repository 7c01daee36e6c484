"""Mixed models of tables: formulas, labels, options, and what is said."""

import sys

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.errors import InvalidInputError, MissingPackageError, StatisticsWarning


def test_default_model_is_the_crossover_test_of_session_means(trial):
    """Complete data: condition of the mixed model is the t test of the means within people."""
    model = mp.stats.mixed_model(trial.timecourses, window=(600.0, 3000.0))
    means = (
        trial.timecourses.query("time_s >= 600")
        .groupby(["subject", "session", "condition", "period"], as_index=False)["estimate"]
        .mean()
    )
    pairs = mp.stats.crossover(means, metabolite=None, endpoint=None)
    row = model.to_frame().set_index("term").loc["condition[T.naltrexone]"]
    for name in ("estimate", "se", "df", "p", "ci_low", "ci_high"):
        assert row[name] == pytest.approx(getattr(pairs, name), rel=1e-5), name


def test_labels_terms_and_tests(gappy):
    model = mp.stats.mixed_model(gappy, "estimate ~ condition * sex + time + period")
    assert model.terms[1] == "condition[T.drug]"
    assert model.components == ("residual", "subject", "subject x session")
    assert "Not every condition is there for 04" in repr(model)
    tests = model.to_frame("tests").set_index("term")
    rows = model.to_frame().set_index("term")
    assert list(tests.index) == ["condition", "sex", "condition:sex", "time", "period"]
    assert tests.loc["time", "statistic"] == pytest.approx(rows.loc["time", "statistic"] ** 2)
    assert tests.loc["time", "p"] == pytest.approx(rows.loc["time", "p"])
    men = mp.stats.combined(model, {"condition[T.drug]": 1.0, "condition[T.drug]:sex[T.M]": 1.0})
    swapped = mp.stats.mixed_model(
        gappy.assign(sex=gappy["sex"].map({"M": "A", "F": "B"})),
        "estimate ~ condition * sex + time + period",
    )
    wanted = swapped.to_frame().set_index("term").loc["condition[T.drug]"]
    assert men.estimate == pytest.approx(wanted["estimate"])
    assert men.p == pytest.approx(wanted["p"])


def test_a_joint_test_of_several_coefficients(gappy):
    model = mp.stats.mixed_model(gappy, "estimate ~ C(time_s) + condition + period")
    test = model.to_frame("tests").set_index("term").loc["C(time_s)"]
    assert test["df1"] == 5
    assert 0.0 < test["p"] < 1.0


def test_slopes_have_a_covariance(gappy):
    model = mp.stats.mixed_model(gappy, re_formula="1 + time")
    table = model.to_frame("variances").set_index("component")
    assert list(table.index) == [
        "residual", "subject", "subject ~ subject x time", "subject x time", "subject x session",
    ]  # fmt: skip
    assert np.isnan(table.loc["subject ~ subject x time", "sd"])
    assert table.loc["subject x time", "sd"] > 0.0


def test_known_measurement_variances_are_taken_off_the_residual(gappy):
    plain = mp.stats.mixed_model(gappy)
    known = mp.stats.mixed_model(gappy, measurement="sd")
    assert known.estimate.theta[0] == pytest.approx(plain.estimate.theta[0] - 0.36, rel=1e-4)
    assert known.estimate.beta == pytest.approx(plain.estimate.beta, rel=1e-6)
    all_measured = mp.stats.mixed_model(gappy.assign(sd=3.0), measurement="sd")
    assert all_measured.estimate.theta[0] == 0.0  # never less scatter than the measurement's
    known = mp.stats.mixed_model(gappy.assign(sd=9.0), measurement="sd", bounded=True)
    assert not known.estimate.theta.any()
    assert np.isinf(known.to_frame()["df"]).all()
    assert known.to_frame("tests")["p"].iloc[0] == pytest.approx(known.to_frame()["p"].iloc[1])


def test_noisy_time_points_count_less(gappy):
    frame = gappy.copy()
    rows = frame.index[frame["condition"] == "drug"][:6]
    frame.loc[rows, "estimate"] += 50.0
    frame.loc[rows, "sd"] = 100.0
    wanted = mp.stats.mixed_model(gappy, measurement="sd").estimate.beta[1]
    found = mp.stats.mixed_model(frame, measurement="sd").estimate.beta[1]
    assert found == pytest.approx(wanted, abs=0.15)


def test_wald_says_what_it_costs(gappy):
    with pytest.warns(StatisticsWarning, match="rejects up to 6"):
        model = mp.stats.mixed_model(gappy, correction="wald")
    assert np.isinf(model.to_frame()["df"]).all()
    small = mp.stats.mixed_model(gappy)
    assert (model.to_frame()["p"] < small.to_frame()["p"]).all()


def test_a_person_intercept_alone_is_warned_of(gappy):
    with pytest.warns(StatisticsWarning, match="no person x session intercept"):
        model = mp.stats.mixed_model(gappy, vc_formula={})
    assert model.components == ("residual", "subject")
    assert model.to_frame()["df"].iloc[1] > 150


def test_endpoints_need_no_session_intercept(endpoints):
    frame = endpoints(n=12)
    model = mp.stats.mixed_model(frame, "estimate ~ condition + period")
    assert model.components == ("residual", "subject")
    pairs = mp.stats.crossover(frame)
    row = model.to_frame().iloc[1]
    assert row["estimate"] == pytest.approx(pairs.estimate)
    assert row["p"] == pytest.approx(pairs.p, rel=1e-5)


def test_variances_below_zero_are_said():
    design = mp.stats.TrialDesign(session_sd=0.0, response_sd=0.0)
    for seed in range(20):
        table = mp.stats.simulate_trial(design, rng=seed).timecourses
        model = mp.stats.mixed_model(table, window=(600, 3000))
        if model.estimate.theta[2] < 0.0:
            break
    assert "below zero: variance of subject x session" in repr(model)
    held = mp.stats.mixed_model(table, window=(600, 3000), bounded=True)
    assert held.estimate.theta[2] == 0.0


def test_three_conditions(gappy):
    frame = gappy.copy()
    frame.loc[frame["subject"] > "12", "condition"] = "other"
    with pytest.raises(InvalidInputError, match="two labels of condition are wanted and 3"):
        mp.stats.mixed_model(frame)
    model = mp.stats.mixed_model(frame, levels=("placebo", "drug", "other"))
    assert model.terms[1:3] == ("condition[T.drug]", "condition[T.other]")


BAD = [
    ({"formula": "estimate ~ conditoin"}, "formula cannot be used"),
    ({"formula": "estimate ~ condition +"}, "formula cannot be used"),
    ({"formula": "estimate ~ condition + C(condition)"}, "cannot be told apart"),
    ({"metabolite": "GABA"}, "Known: Glx"),
    ({"quantity": "change"}, "Known: ratio"),
    ({"levels": ("placebo", "drg")}, "Did you mean 'drug'"),
    ({"correction": "kr"}, "Known: kenward-roger"),
    ({"window": (9000, 9999)}, "they start between 300 and 2300 s"),
    ({"measurement": "error"}, "no column 'error'"),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_bad_input(gappy, options, words):
    with pytest.raises(InvalidInputError, match=words):
        mp.stats.mixed_model(gappy, **options)


def test_bad_rows(gappy):
    with pytest.raises(InvalidInputError, match="there are several for 00/1"):
        mp.stats.mixed_model(gappy.assign(time_s=0.0))
    with pytest.raises(InvalidInputError, match="every row needs a positive SD"):
        mp.stats.mixed_model(gappy.assign(sd=np.nan), measurement="sd")
    model = mp.stats.mixed_model(gappy.assign(estimate=gappy["estimate"].where(gappy.index > 2)))
    assert "3 rows without an estimate are left out" in repr(model)
    with pytest.raises(InvalidInputError, match="no fixed effect 'drug'"):
        mp.stats.combined(model, {"drug": 1.0})
    with pytest.raises(InvalidInputError, match="Did you mean 'tests'"):
        model.to_frame("test")


def test_without_statsmodels(gappy, monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels.regression.mixed_linear_model", None)
    with pytest.raises(MissingPackageError, match=r'pip install "mrsproc\[stats\]"'):
        mp.stats.mixed_model(gappy)


def test_influence(gappy, endpoints):
    frame = endpoints(n=10)
    frame.loc[frame["subject"].eq("03") & frame["condition"].eq("drug"), "estimate"] += 20.0
    pairs = mp.stats.crossover(frame)
    table = mp.stats.influence(pairs)
    assert table.loc[0, "subject"] == "03"
    wanted = mp.stats.crossover(frame[frame["subject"] != "03"])
    assert table.loc[0, "estimate_without"] == pytest.approx(wanted.estimate)
    assert table.loc[0, "p_without"] == pytest.approx(wanted.p)
    assert table.loc[0, "shift"] == pytest.approx((pairs.estimate - wanted.estimate) / pairs.se)

    model = mp.stats.mixed_model(gappy, "estimate ~ condition + period")
    table = mp.stats.influence(model, "condition[T.drug]").set_index("subject")
    wanted = mp.stats.mixed_model(
        gappy[gappy["subject"] != "07"], "estimate ~ condition + period"
    ).to_frame()
    assert table.loc["07", "estimate_without"] == pytest.approx(wanted.loc[1, "estimate"])
    assert table.loc["07", "p_without"] == pytest.approx(wanted.loc[1, "p"], rel=1e-5)
    with pytest.raises(InvalidInputError, match="name a fixed effect"):
        mp.stats.influence(model)
