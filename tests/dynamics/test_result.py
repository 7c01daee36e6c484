"""Time courses, changes and endpoints, and how their uncertainty follows from the parameters."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.dynamics.curves import Curve
from mrsproc.errors import FitWarning
from mrsproc.responses import Sigmoid, Smooth


def test_timecourse_has_the_columns_of_the_file(fitted):
    table = fitted.timecourse("Glx")
    assert table.columns.tolist() == [
        "time_s", "duration_s", "n_transients", "metabolite", "quantity", "reference", "unit",
        "estimate", "sd",
    ]  # fmt: skip
    assert table.quantity.unique().tolist() == [
        "amplitude", "difference", "percent_change", "log_ratio",
    ]  # fmt: skip
    assert table[table.quantity == "amplitude"].n_transients.sum() == fitted.used.sum()
    assert (table.sd >= 0.0).all()


def test_timecourse_follows_the_truth(fitted, session):
    table = fitted.timecourse("Glx").set_index("quantity").loc["amplitude"]
    truth = session.timecourse("Glu") + session.timecourse("Gln")
    middle = table.time_s + 0.5 * table.duration_s
    found = np.interp(middle, session.time_s + 8.0, truth)
    assert (np.abs(table.estimate - found) < 3.5 * table.sd).all()


def test_baseline_noise_is_in_the_change(session, shape):
    """A free time course: its difference from baseline has the variance of both."""
    fit = mp.fit_dynamic(
        session.data, session.basis, {"Glu": "free"}, infusion=mp.Infusion(onset=200, duration=400)
    )
    labels, covariance = fit.timecourse_covariance("Glu")
    bins = np.array([float(label.split()[1]) for label in labels])
    before = bins < 200.0
    counts = fit.timecourse("Glu").query("quantity == 'amplitude'").n_transients.to_numpy()
    row = np.where(before, counts, 0.0) / counts[before].sum()
    rows = np.eye(len(bins)) - row
    expected = np.sqrt(np.diag(rows @ covariance @ rows.T))
    table = fit.timecourse("Glu").set_index("quantity").loc["difference"]
    assert table.sd.to_numpy() == pytest.approx(expected, rel=1e-9)


def test_sums_carry_the_covariance_of_their_members(fitted):
    labels, covariance = fitted.timecourse_covariance(["Glu", "Gln"])
    n = len(labels) // 2
    glx = fitted.timecourse_covariance("Glx")[1]
    blocks = covariance.reshape(2, n, 2, n)
    assert glx == pytest.approx(blocks.sum(axis=(0, 2)), rel=1e-9)
    assert np.linalg.eigvalsh(covariance).min() > -1e-9 * np.abs(covariance).max()


def test_ratio_changes_are_unaffected_by_gain(ratio_fit):
    change = ratio_fit.change("Glx", relative_to="tNAA").set_index("quantity")
    assert change.unit.tolist() == ["", "%", ""]
    log, percent = change.estimate["log_ratio"], change.estimate["percent_change"]
    assert 100.0 * np.expm1(log) == pytest.approx(percent, rel=0.02)


def test_constant_reference_is_named(fitted):
    with pytest.warns(FitWarning, match="tNAA is constant in this fit"):
        table = fitted.timecourse("Glx", relative_to="tNAA", baseline=(0, 200))
    assert (table.reference == "tNAA").all()
    assert np.isfinite(table.estimate).all()


def test_endpoints_are_consistent(fitted):
    ends = fitted.endpoints("Glx", interval=(200.0, 600.0)).set_index("endpoint")
    assert ends.estimate["auc"] == pytest.approx(ends.estimate["mean"] * 400.0 / 60.0)
    assert ends.sd["auc"] == pytest.approx(ends.sd["mean"] * 400.0 / 60.0)
    assert ends.estimate["plateau"] > ends.estimate["mean"] > 0.0
    assert ends.estimate["peak"] >= ends.estimate["plateau"]
    assert 300.0 < ends.estimate["time_to_peak"] < 400.0
    assert ends.unit["slope"] == "% / min"
    again = fitted.endpoints("Glx", interval=(200.0, 600.0)).set_index("endpoint")
    assert again.sd["peak"] == ends.sd["peak"]


def test_curve_algebra_matches_draws():
    """Ratio and logarithm by the delta method against samples."""
    rng = np.random.default_rng(0)
    covariance = np.array([[0.04, 0.01], [0.01, 0.02]])
    mean = np.array([4.0, 8.0])
    draws = rng.multivariate_normal(mean, covariance, 200_000)
    top, below = (Curve(mean[k : k + 1], np.eye(2)[k : k + 1]) for k in (0, 1))
    ratio = top.over(below)
    assert ratio.sd(covariance)[0] == pytest.approx((draws[:, 0] / draws[:, 1]).std(), rel=0.01)
    log = top.log().minus(below.log())
    sd = np.log(draws[:, 0] / draws[:, 1]).std()
    assert log.sd(covariance)[0] == pytest.approx(sd, rel=0.01)
    assert np.isnan(Curve(-mean[:1], np.eye(2)[:1]).log().value).all()


def test_unknown_time_constant_is_estimated(session):
    infusion = mp.Infusion(onset=200.0, duration=400.0)
    fit = mp.fit_dynamic(session.data, session.basis, {"Glu": infusion.rise_and_decay()})
    assert {"rise", "decay"} <= set(fit.to_frame().query("metabolite == 'Glu'").parameter)
    row = fit.to_frame().set_index(["metabolite", "parameter"]).loc[("Glu", "rise")]
    assert abs(row.estimate - 240.0) < 3.0 * row.sd
    assert row.unit == "s"


def test_smooth_curve_follows_the_truth(session):
    smooth = Smooth(duration=768.0, spacing=100.0, start=200.0)
    fit = mp.fit_dynamic(session.data, session.basis, {"Glu": smooth})
    table = fit.timecourse("Glu").set_index("quantity").loc["amplitude"]
    truth = np.interp(table.time_s + 30.0, session.time_s, session.timecourse("Glu"))
    inside = table.duration_s == 60.0
    off = ((table.estimate - truth) / table.sd)[inside]
    assert np.sqrt((off**2).mean()) < 2.0
    assert fit.to_frame().query("metabolite == 'Glu'").parameter.tolist() == ["rest"]


def test_better_shape_has_the_lower_criterion(session, shape, fitted):
    late = Sigmoid(middle=650.0, width=20.0)
    worse = mp.fit_dynamic(
        session.data, session.basis, {"Glu": late, "Gln": late},
        infusion=mp.Infusion(onset=200.0, duration=400.0),
    )  # fmt: skip
    assert fitted.aic < worse.aic
    assert fitted.bic < worse.bic


def test_robust_sd_is_near_the_thermal_one(fitted):
    thermal, robust = (fitted.to_frame(covariance=kind).sd for kind in ("thermal", "robust"))
    ratio = (robust / thermal).to_numpy()
    assert 0.6 < np.median(ratio) < 1.6
    assert np.abs(fitted.autocorrelation).max() < 0.6


def test_repr_says_what_moves(fitted):
    assert repr(fitted) == (
        "DynamicResult(48 of 48 transients, 26 signals; time courses of Gln, Glu, Glx)"
    )


def test_table_of_transients(fitted):
    table = fitted.to_frame("transients")
    assert len(table) == 48
    assert table.valid.all()
    assert np.median(table.misfit) == pytest.approx(1.0, abs=0.25)
