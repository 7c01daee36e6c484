"""Bad input gives a clear error or a stated warning, never a silent answer."""

import dataclasses

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.errors import DataWarning, InvalidInputError
from mrsproc.responses import Boxcar, Constant, Design, FreeBins, Polynomial, Samples


def fit(session, responses, **keywords):
    return mp.fit_dynamic(session.data, session.basis, responses, **keywords)


def masked(session, bad):
    mask = np.ones(session.time_s.size, bool)
    mask[bad] = False
    return dataclasses.replace(session, data=dataclasses.replace(session.data, mask=mask))


def test_no_baseline_before_the_drug(session):
    with pytest.raises(InvalidInputError, match="no valid transient before the drug"):
        fit(session, {"Glu": Boxcar(0.0, 400.0)})


def test_infusion_outside_the_recording(session):
    for onset in (900.0, -20.0):
        with pytest.raises(InvalidInputError, match="the recording lasts from 0 to 768 s"):
            fit(session, {"Glu": Boxcar(onset, 400.0)})
    late = mp.Infusion(onset=5000.0, duration=10.0)
    with pytest.raises(InvalidInputError, match="the drug starts at 5000 s"):
        fit(session, {"Glu": "free"}, infusion=late)


def test_fewer_transients_than_parameters(session):
    few = dataclasses.replace(session.data.select(transient=slice(0, 10)))
    with pytest.raises(InvalidInputError, match="12 coefficients for 10 valid transients"):
        mp.fit_dynamic(few, session.basis, {"Glu": FreeBins(tuple(np.arange(13) * 13.0))})
    with pytest.raises(InvalidInputError, match="needs at least 4"):
        mp.fit_dynamic(session.data.select(transient=slice(0, 3)), session.basis, {})


def test_all_of_an_epoch_masked(session, shape):
    before = masked(session, session.time_s < 200.0)
    with pytest.raises(InvalidInputError, match=r"before the drug .* are masked"):
        fit(before, {"Glu": shape})
    after = masked(session, session.time_s >= 200.0)
    with pytest.raises(InvalidInputError, match=r"after the drug .* are masked"):
        fit(after, {"Glu": shape})


def test_masked_time_bin_is_joined_and_named(session, shape):
    bad = masked(session, (session.time_s >= 320.0) & (session.time_s < 380.0))
    with pytest.warns(DataWarning, match="no valid transient within 320 to 380 s"):
        found = fit(bad, {"Glu": "free"}, infusion=mp.Infusion(onset=200.0, duration=400.0))
    assert 320.0 not in found.edges
    assert np.isfinite(found.timecourse("Glu").estimate).all()


def test_onsets_that_are_not_finite(session):
    for value in (np.nan, np.inf):
        with pytest.raises(InvalidInputError, match="finite time in s"):
            mp.Infusion(onset=value, duration=400.0)
        with pytest.raises(InvalidInputError, match="finite time in s"):
            Boxcar(value, 10.0)
    onsets = session.time_s.copy()
    onsets[3] = np.nan
    with pytest.raises(InvalidInputError, match="finite onset times"):
        dataclasses.replace(session.data, coords={"transient": onsets})


def test_response_that_is_constant_or_collinear(session):
    with pytest.raises(InvalidInputError, match="is constant over the valid transients"):
        fit(session, {"Glu": np.ones_like})
    time = tuple(session.time_s)
    twice = Design(("a", "b"), time, tuple((t, 2.0 * t + 1.0) for t in time))
    with pytest.raises(InvalidInputError, match="'b' is a combination of the other columns"):
        fit(session, {"Glu": twice})


def test_callable_that_returns_something_else(session):
    def wrong_length(time):
        return time[:-1]

    def not_finite(time):
        return np.where(time > 100.0, np.nan, 0.0)

    for function, words in (
        (wrong_length, r"wrong_length\(\) returned shape \(47,\)"),
        (not_finite, "not finite"),
        (lambda time: "x", "returned shape"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            fit(session, {"Glu": function})


def test_names_and_responses_that_are_unknown(session, shape):
    with pytest.raises(InvalidInputError, match="Did you mean 'Glu'"):
        fit(session, {"glu": shape})
    with pytest.raises(InvalidInputError, match="give 'constant', 'free'"):
        fit(session, {"Glu": "linear"})
    with pytest.raises(InvalidInputError, match="has no option binwidth"):
        fit(session, {}, binwidth=3)
    with pytest.raises(InvalidInputError, match="give one or the other"):
        fit(session, {}, options=mp.DynamicOptions(), bin_width=3.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"linewidth": "free"}, "Known: smooth, response, constant"),
        ({"scale": "quadratic"}, "Known: auto, none, linear, bins"),
        ({"outliers": "drop"}, "Known: reject, keep"),
        ({"bin_width": 0.0}, "positive number"),
        ({"scale_sd": -1.0}, "positive number"),
    ],
)
def test_options_are_checked(changes, words):
    with pytest.raises(InvalidInputError, match=words):
        mp.DynamicOptions(**changes)


def test_data_that_are_not_transients(session):
    with pytest.raises(InvalidInputError, match="transient"):
        mp.fit_dynamic(session.data.mean("transient"), session.basis, {})
    coils = dataclasses.replace(
        session.data, fid=np.stack([session.data.fid] * 2), dims=("coil", "transient", "time")
    )
    with pytest.raises(InvalidInputError, match="combine the coils first"):
        mp.fit_dynamic(coils, session.basis, {})
    fid = np.array(session.data.fid)
    fid[5] = 0.0
    with pytest.raises(InvalidInputError, match="zero throughout"):
        mp.fit_dynamic(dataclasses.replace(session.data, fid=fid), session.basis, {})


def test_time_is_needed(session):
    acquisition = session.data.acquisition.replace(repetition_time=None)
    data = dataclasses.replace(session.data, acquisition=acquisition, coords={})
    with pytest.raises(InvalidInputError, match="neither onset times nor a repetition time"):
        mp.fit_dynamic(data, session.basis, {})


def test_results_refuse_what_is_not_there(fitted):
    with pytest.raises(InvalidInputError, match="Did you mean 'Glx'"):
        fitted.timecourse("glx")
    with pytest.raises(InvalidInputError, match="no transient of the fit starts within it"):
        fitted.change("Glx", baseline=(5000.0, 6000.0))
    with pytest.raises(InvalidInputError, match="Known: thermal, robust"):
        fitted.timecourse("Glx", covariance="bootstrap")
    with pytest.raises(InvalidInputError, match="Known: parameters, timecourse, transients"):
        fitted.to_frame("table")


def test_baseline_must_be_known(session):
    found = fit(session, {"Glu": Polynomial(1, 768.0)})
    with pytest.raises(InvalidInputError, match="what is baseline is not known"):
        found.change("Glu")
    assert set(found.timecourse("Glu").quantity) == {"amplitude"}


def test_responses_refuse_nonsense():
    with pytest.raises(InvalidInputError, match="ascending order"):
        FreeBins((0.0, 5.0, 5.0))
    with pytest.raises(InvalidInputError, match="give 1 to 6"):
        Polynomial(0, 100.0)
    with pytest.raises(InvalidInputError, match="times must ascend"):
        Samples((0.0, 2.0, 1.0), (0.0, 1.0, 2.0))
    with pytest.raises(InvalidInputError, match="not finite"):
        Samples((0.0, 2.0), (0.0, np.nan))
    with pytest.raises(InvalidInputError, match="give a row for each time"):
        Design(("a",), (0.0, 1.0), ((1.0,),))
    assert Constant().labels == ()


def test_decay_that_was_not_recorded(session):
    """The recording ends while the drug runs in."""
    infusion = mp.Infusion(onset=200.0, duration=4000.0)
    with pytest.raises(InvalidInputError, match="decay .*changes nothing .*Give it a value"):
        mp.fit_dynamic(session.data, session.basis, {"Glu": infusion.rise_and_decay()})
    fit = mp.fit_dynamic(session.data, session.basis, {"Glu": infusion.rise_and_decay(decay=900.0)})
    assert fit.success
