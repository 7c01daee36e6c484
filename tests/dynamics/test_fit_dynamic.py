"""The joint fit finds the truth of simulated sessions, and says how well it knows it."""

import dataclasses
import pickle
import warnings

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.errors import DataWarning, FitWarning


def test_known_response_is_recovered(fitted, session, z_of):
    for name in ("Glu", "Gln", "Glx"):
        assert abs(z_of(fitted, session, name)) < 3.0
    assert fitted.success
    assert fitted.used.all()


def test_response_is_far_from_zero_where_there_is_one(fitted):
    row = fitted.to_frame().set_index(["metabolite", "parameter"]).loc[("Glx", "response")]
    assert row.estimate > 8.0 * row.sd


def test_frequency_and_phase_of_each_transient_are_found(fitted, session):
    """Signs are those of the other tables: positive towards higher ppm."""
    off = fitted.frequency_hz - session.frequency_hz
    assert (off - off.mean()).std() < 0.15
    turn = np.angle(np.exp(1j * (fitted.phase_rad - session.phase_rad)))
    assert (turn - turn.mean()).std() < 0.05


def test_line_narrowing_is_found(fitted, session):
    slope = np.polyfit(session.extra_linewidth_hz, fitted.linewidth_change_hz, 1)[0]
    assert 0.7 < slope < 1.3


def test_ignored_line_narrowing_biases_the_effect(simulated, shape, z_of):
    """What the freedom of the linewidth is there for; references show that something is wrong."""
    session = simulated(8, line_narrowing_hz=0.5)
    responses = {"Glu": shape, "Gln": shape}
    free = mp.fit_dynamic(session.data, session.basis, responses, scale="none")
    with pytest.warns(FitWarning, match="changes with the response"):
        fixed = mp.fit_dynamic(
            session.data, session.basis, responses, scale="none", linewidth="constant"
        )
    assert abs(z_of(free, session, "Glx")) < 2.5
    assert abs(z_of(fixed, session, "Glx") - z_of(free, session, "Glx")) > 2.0


def test_callable_equals_declared_response(session, shape, fitted):
    def same(time):
        return shape.columns(time, np.zeros(0))[:, 0]

    def copy(time):
        return same(time)

    fit = mp.fit_dynamic(session.data, session.basis, {"Glu": same, "Gln": copy})
    ours, theirs = (f.to_frame().set_index(["metabolite", "parameter"]) for f in (fit, fitted))
    for key in (("Glu", "response"), ("Glx", "response"), ("Glx", "rest")):
        assert ours.estimate[key] == pytest.approx(theirs.estimate[key], rel=1e-6)
        assert ours.sd[key] == pytest.approx(theirs.sd[key], rel=1e-6)


def test_sum_has_no_response_where_shapes_differ(session, shape):
    fit = mp.fit_dynamic(session.data, session.basis, {"Glu": shape, "Gln": "free"})
    table = fit.to_frame()
    glx = table[table.metabolite == "Glx"]
    assert glx.parameter.tolist() == ["rest"]
    assert np.isfinite(fit.timecourse("Glx").estimate).all()


def test_constant_fit_equals_fit_of_the_aligned_mean(simulated):
    """Estimates to 0.1 SD, SDs to 5 %; a single free bin likewise."""
    session = simulated(5, n_transients=64, snr=22.0, line_narrowing_hz=0.0, effects={})
    constant = mp.fit_dynamic(session.data, session.basis, {})
    one_bin = mp.fit_dynamic(session.data, session.basis, {"Glu": "free"}, bin_width=1e6)
    turn = np.exp(
        1j * (2 * np.pi * constant.frequency_hz[:, None] * session.data.time
              + constant.phase_rad[:, None])
    )  # fmt: skip
    aligned = dataclasses.replace(session.data, fid=session.data.fid * turn)
    mean = mp.fit(mp.remove_water(aligned.mean("transient")), session.basis)
    single = mean.to_frame().set_index("metabolite")
    for fit in (constant, one_bin):
        table = fit.to_frame()
        rest = table[table.parameter == "rest"].set_index("metabolite")
        for name in ("Glu", "Gln", "Glx", "tNAA", "tCr", "tCho", "Ins"):
            off = (rest.estimate[name] - single.amplitude[name]) / single.sd[name]
            assert abs(off) < 0.1, name
            assert rest.sd[name] / single.sd[name] == pytest.approx(1.0, abs=0.05), name


def test_unequal_noise_and_masks_are_weighted(session, shape, z_of):
    rng = np.random.default_rng(0)
    fid = np.array(session.data.fid)
    noisy = np.arange(len(fid)) % 3 == 0
    sd = 4.0 * session.noise_sd
    fid[noisy] += sd * (rng.normal(size=fid[noisy].shape) + 1j * rng.normal(size=fid[noisy].shape))
    mask = np.ones(len(fid), bool)
    mask[[3, 4, 20]] = False
    fid[3] = np.nan
    data = dataclasses.replace(session.data, fid=fid, mask=mask)
    fit = mp.fit_dynamic(data, session.basis, {"Glu": shape, "Gln": shape})
    assert fit.used.sum() == 45
    assert np.isnan(fit.frequency_hz[[3, 4, 20]]).all()
    for name in ("Glu", "Gln", "Glx"):
        assert abs(z_of(fit, session, name)) < 3.0
    plain = fit.to_frame().set_index(["metabolite", "parameter"]).sd[("Glx", "response")]
    even = mp.fit_dynamic(
        data, session.basis, {"Glu": shape, "Gln": shape},
        fit=mp.FitOptions(noise_sd=session.noise_sd * 2.5), outliers="keep",
    )  # fmt: skip
    assert plain < even.to_frame().set_index(["metabolite", "parameter"]).sd[("Glx", "response")]


def test_ruined_transients_are_left_out_and_named(simulated, shape, z_of):
    session = simulated(2, n_ruined=5)
    with pytest.warns(DataWarning, match="do not look like the others"):
        fit = mp.fit_dynamic(session.data, session.basis, {"Glu": shape, "Gln": shape})
    assert session.ruined[~fit.used].all()
    assert not fit.used[np.isin(session.ruin, ["lipid", "movement"])].any()
    assert abs(z_of(fit, session, "Glx")) < 3.0
    with pytest.warns(FitWarning):
        kept = mp.fit_dynamic(session.data, session.basis, {"Glu": shape}, outliers="keep")
    assert kept.used.all()


def test_ratio_is_right_in_spite_of_gain_drift(simulated, shape):
    session = simulated(3, gain_drift=0.03, n_transients=64)
    responses = {"Glu": shape, "Gln": shape, "tNAA": shape}
    fit = mp.fit_dynamic(session.data, session.basis, responses)
    change = fit.change("Glx", relative_to="tNAA").set_index("quantity").loc["percent_change"]
    rest = {m: session.timecourse(m) for m in ("Glu", "Gln")}
    truth = rest["Glu"] + rest["Gln"]
    after = session.time_s >= 200.0
    expected = 100.0 * (truth[after].mean() / truth[~after].mean() - 1.0)
    assert abs(change.estimate - expected) < 3.0 * change.sd


def test_reference_that_changes_is_named(simulated, shape):
    session = simulated(4, effects={"Glu": 0.1, "NAA": 0.15, "NAAG": 0.15}, snr=100.0)
    with pytest.warns(FitWarning, match="changes with the response"):
        mp.fit_dynamic(session.data, session.basis, {"Glu": shape, "Gln": shape}, scale="none")


def test_no_warning_where_nothing_is_wrong(session, shape):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mp.fit_dynamic(session.data, session.basis, {"Glu": shape, "Gln": shape})


def test_members_of_tnaa_move_in_proportion(ratio_fit):
    table = ratio_fit.to_frame().set_index(["metabolite", "parameter"])
    naa, naag, both = (table.estimate[(name, "response")] for name in ("NAA", "NAAG", "tNAA"))
    assert naa + naag == pytest.approx(both, rel=1e-9)
    assert "response" in table.loc["tNAA"].index


def test_order_and_units_of_the_table(fitted, session):
    table = fitted.to_frame("parameters")
    assert table.columns.tolist() == ["metabolite", "parameter", "estimate", "sd", "unit"]
    rest = table[table.parameter == "rest"]
    assert set(rest.metabolite) >= {*session.basis.names, "tNAA", "tCr", "tCho", "Glx"}
    assert (rest.sd > 0.0).all()
    responses = table[table.parameter == "response"].metabolite.tolist()
    assert responses == ["Gln", "Glu", "Glx"]


def test_result_pickles_and_stays_read_only(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.covariance, fitted.covariance)
    with pytest.raises(ValueError, match="read-only"):
        again.estimate[0] = 1.0


def test_scaling_the_data_scales_everything(session, shape, fitted):
    scaled = dataclasses.replace(session.data, fid=session.data.fid * 1e-4)
    fit = mp.fit_dynamic(scaled, session.basis, {"Glu": shape, "Gln": shape})
    assert fit.estimate == pytest.approx(fitted.estimate * 1e-4, rel=2e-3, abs=1e-7)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(
        1e-4 * np.sqrt(np.diag(fitted.covariance)), rel=1e-2
    )


def test_input_is_not_modified(session, shape):
    before = np.array(session.data.fid)
    mp.fit_dynamic(session.data, session.basis, {"Glu": shape})
    assert np.array_equal(before, session.data.fid)


def test_global_phase_and_shift_are_irrelevant(session, shape, fitted):
    turned = session.data.fid * np.exp(1j * (2.0 + 2 * np.pi * 6.0 * session.data.time))
    fit = mp.fit_dynamic(
        dataclasses.replace(session.data, fid=turned), session.basis, {"Glu": shape, "Gln": shape}
    )
    ours, theirs = (f.to_frame().set_index(["metabolite", "parameter"]) for f in (fit, fitted))
    key = ("Glx", "response")
    assert abs(ours.estimate[key] - theirs.estimate[key]) < 0.1 * theirs.sd[key]


def test_noisier_transients_do_no_harm(simulated):
    """Added to good ones, transients of six times the noise leave every SD about as it was."""
    session = simulated(5, n_transients=64, snr=30.0, line_narrowing_hz=0.0, effects={})
    rng = np.random.default_rng(2)
    fid = np.array(session.data.fid)
    noisy = np.arange(len(fid)) % 2 == 1
    noise = rng.normal(size=fid[noisy].shape) + 1j * rng.normal(size=fid[noisy].shape)
    fid[noisy] += 6.0 * session.noise_sd * noise
    data = dataclasses.replace(session.data, fid=fid)
    every = mp.fit_dynamic(data, session.basis, {}, outliers="keep")
    good = mp.fit_dynamic(data.select(transient=~noisy), session.basis, {}, outliers="keep")
    sd = [fit.to_frame().query("parameter == 'rest'").set_index("metabolite").sd
          for fit in (every, good)]  # fmt: skip
    for name in ("Glu", "Glx", "tNAA", "tCr", "Ins"):
        assert sd[0][name] < 1.05 * sd[1][name], name
