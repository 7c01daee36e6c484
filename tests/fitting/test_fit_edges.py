"""Spectra and basis sets at the edge of what a fit can take."""

import dataclasses
import warnings

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import BasisError, FitWarning, InvalidInputError
from mrsproc.fitting import single
from mrsproc.fitting.batch import batch_for


def noisy(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


@pytest.mark.filterwarnings("ignore::mrsproc.errors.FitWarning")
def test_noise_is_not_turned_into_metabolites(synthetic):
    """Phase and shift are fitted to noise, so 2 SD are common, 5 SD are not."""
    data = MRSData(
        fid=noisy((40, 1024)), dims=("transient", "time"), acquisition=synthetic.acquisition
    )
    fit = mp.fit(data, synthetic.basis)
    for name in ("tNAA", "tCr", "tCho", "Glx", "Ins"):
        value, sd = fit.estimate(name)
        assert (value < 5 * sd).all(), name


def test_noise_is_said_to_be_noise(synthetic):
    data = MRSData(fid=noisy(1024), dims=("time",), acquisition=synthetic.acquisition)
    with pytest.warns(FitWarning) as said:
        mp.fit(data, synthetic.basis)
    texts = " ".join(str(item.message) for item in said)
    assert "the SNR is below 3" in texts
    assert "tNAA is not there" in texts


def test_a_failed_fit_is_nan_throughout(synthetic, monkeypatch):
    """No start leads to a minimum, as when the steps run out."""
    monkeypatch.setattr("mrsproc.fitting.single.minimise", lambda *args, **_: (args[2], False))
    data = synthetic.data(noise=1.0)
    with pytest.warns(FitWarning, match="the fit failed"):
        fit = mp.fit(data, synthetic.basis)
    assert not fit.success
    assert fit.reason != ""
    assert np.isnan(fit.amplitude).all()
    assert fit.to_frame()[["amplitude", "sd", "crlb_percent"]].isna().all(axis=None)
    assert repr(fit) == f"FitResult(0 of 1 spectra fitted, {len(fit.names)} signals)"


def test_a_prior_on_a_signal_that_vanishes_stays_finite(synthetic):
    """The reference of Lip09 and Lip20 is Lip13, of which there is none here."""
    problem = batch_for(
        synthetic.data(noise=1.0), synthetic.basis.without(["MM09", "MM20"]), mp.FitOptions()
    ).problem
    amplitude = np.full(problem.n_basis, 1e-200)
    gram = np.eye(1 + problem.n_basis)
    precision = single._ratio_precision(problem, amplitude, gram, sigma=30.0)
    assert np.isfinite(precision).all()
    assert precision.max() > 1.0
    assert precision.max() <= 2e6 * len(problem.ratio_rows[0]) / 30.0**2


def test_singular_matrices_are_a_reason_and_no_exception(synthetic, monkeypatch):
    def singular(*_, **__):
        raise np.linalg.LinAlgError

    monkeypatch.setattr("mrsproc.fitting.single.minimise", singular)
    with pytest.warns(FitWarning, match="the fit failed"):
        fit = mp.fit(synthetic.data(noise=1.0), synthetic.basis)
    assert fit.reason == "the information matrix is singular"
    assert np.isnan(fit.amplitude).all()


def test_phosphorus(make_line):
    """PCr stands at 0 ppm here; its proton singlet has no say."""
    time = np.arange(2048) * 2e-4
    fid = np.array([make_line(ppm, time, 4.0, 49.9, 0.0) for ppm in (0.0, -2.4, 4.8)])
    basis = BasisSet(
        names=("PCr", "ATP", "Pi"), fid=fid, dwell_time=2e-4, spectrometer_frequency=49.9,
        ppm_reference=0.0,
    )  # fmt: skip
    acquisition = Acquisition(spectrometer_frequency=49.9, dwell_time=2e-4, nucleus="31P")
    truth = np.array([4.0, 3.0, 2.0])
    made = truth @ fid * np.exp(-((4.0 * time) ** 2)) + 0.02 * noisy(2048)
    data = MRSData(fid=made, dims=("time",), acquisition=acquisition)
    fit = mp.fit(data, basis, mp.FitOptions(ppm=(-8, 8)))
    assert fit.names == basis.names
    assert np.allclose(fit.amplitude, truth, rtol=0.02)


def test_builtin_macromolecules_can_be_omitted(synthetic):
    basis = synthetic.basis.without(["MM09", "MM20"])
    data = synthetic.data(noise=1.0)
    assert "MM12" in mp.fit(data, basis).names
    assert "MM12" not in mp.fit(data, basis, mp.FitOptions(omit=("MM12",))).names
    assert "Tau" not in mp.fit(data, basis, mp.FitOptions(omit="Tau")).names


@pytest.mark.parametrize("name", ["Gly", "MM12"])
def test_omitting_what_is_not_there_is_an_error(synthetic, name):
    with pytest.raises(BasisError, match=f"no signal '{name}' in the basis set"):
        mp.fit(synthetic.data(noise=1.0), synthetic.basis, mp.FitOptions(omit=name))


def test_the_same_signal_twice(synthetic):
    names = (*synthetic.names, "mI")
    row = synthetic.names.index("Ins")
    fid = np.vstack([synthetic.basis.fid, 3 * synthetic.basis.fid[row]])
    twice = dataclasses.replace(synthetic.basis, names=names, fid=fid)
    with pytest.raises(BasisError, match="Ins and mI are the same signal.*omit one"):
        mp.fit(synthetic.data(noise=1.0), twice)


def test_nearly_the_same_signals_share_their_sum(synthetic):
    """Cr and PCr differ by 0.002 ppm at 3.03 ppm: their sum is known much better than either."""
    fit = mp.fit(synthetic.data(noise=1.0), synthetic.basis, mp.FitOptions(ppm=(1.7, 3.5)))
    (_, each), (total, sd) = fit.estimate("Cr"), fit.estimate("tCr")
    assert each > 3 * sd
    assert total == pytest.approx(8.5, abs=5 * sd)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_masked_fids_may_hold_anything(synthetic, bad):
    data = synthetic.data(noise=1.0, shape=(3,), dims=("transient",))
    fid = np.array(data.fid)
    fid[1] = bad
    mask = np.array([True, False, True])
    odd = MRSData(fid=fid, dims=data.dims, acquisition=data.acquisition, mask=mask)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = mp.fit(odd, synthetic.basis)
    assert fit.success.tolist() == [True, False, True]
    alone = mp.fit(data.select(transient=2), synthetic.basis)
    assert np.allclose(fit.amplitude[2], alone.amplitude, rtol=1e-6, atol=1e-9)


def test_all_masked(synthetic):
    data = synthetic.data(noise=1.0, shape=(2,), dims=("transient",))
    fit = mp.fit(data.with_mask(np.zeros(2, bool), mp.Step("Rejection", "all")), synthetic.basis)
    assert not fit.success.any()
    assert (fit.reason == "masked").all()
    assert fit.to_frame().amplitude.isna().all()


def test_noise_that_cannot_be_measured(synthetic):
    fid = np.zeros(1024, complex)
    fid[0] = 1.0
    data = MRSData(fid=fid, dims=("time",), acquisition=synthetic.acquisition)
    with pytest.raises(InvalidInputError, match="noise cannot be measured.*noise_sd"):
        mp.fit(data, synthetic.basis)


def test_given_noise_is_taken(synthetic):
    data = synthetic.data(noise=1.0)
    plain = mp.fit(data, synthetic.basis, mp.FitOptions(noise_sd=1.0))
    assert plain.noise_sd == pytest.approx(np.sqrt(1024))
    louder = mp.fit(data, synthetic.basis, mp.FitOptions(noise_sd=3.0, priors="none"))
    quiet = mp.fit(data, synthetic.basis, mp.FitOptions(noise_sd=1.0, priors="none"))
    ratio = louder.estimate("tNAA")[1] / quiet.estimate("tNAA")[1]
    assert 2.0 < ratio < 3.3  # the baseline is stiffer, so a little below 3


def test_single_precision_data(synthetic):
    data = synthetic.data(noise=1.0)
    single = MRSData(
        fid=data.fid.astype(np.complex64), dims=data.dims, acquisition=data.acquisition
    )
    one, other = mp.fit(data, synthetic.basis), mp.fit(single, synthetic.basis)
    assert np.allclose(one.amplitude, other.amplitude, rtol=1e-3, atol=1e-3)
    assert other.amplitude.dtype == float


def test_spectra_of_a_batch_do_not_touch_one_another(synthetic):
    data = synthetic.data(noise=1.0, shape=(3,), dims=("transient",))
    loud = np.array(data.fid)
    loud[0] *= 1e6
    batch = mp.fit(MRSData(fid=loud, dims=data.dims, acquisition=data.acquisition), synthetic.basis)
    for i in (1, 2):
        alone = mp.fit(data.select(transient=i), synthetic.basis)
        assert np.allclose(batch.amplitude[i], alone.amplitude, rtol=1e-9)


@pytest.mark.parametrize("baseline", ["reml", "maic", 1.5])
def test_every_baseline_recovers_the_main_signals(synthetic, baseline):
    fit = mp.fit(synthetic.data(noise=0.5), synthetic.basis, mp.FitOptions(baseline=baseline))
    for name, truth in (("tNAA", 12.0), ("tCr", 8.5), ("Glx", 12.5)):
        assert fit.estimate(name)[0] == pytest.approx(truth, rel=0.04)


def test_phases_are_reported_as_put_in(synthetic):
    fit = mp.fit(synthetic.data(noise=0.3, phase=0.8), synthetic.basis)
    assert fit.phase0_deg == pytest.approx(-np.rad2deg(0.8), abs=6.0)  # what the data are turned by
    assert abs(fit.phase1_deg_per_ppm) < 3.0


def test_spectrum_without_its_signals_spoils_no_other(synthetic):
    """Where nothing of the basis set is there, no signal is left in the fit."""
    basis = synthetic.basis.select(["Ins"])
    good = synthetic.data(noise=0.5)
    time = np.arange(1024) * 5e-4
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(3, 1024)) + 1j * rng.normal(size=(3, 1024))
    strange = noise + 200.0 * np.exp((-2j * np.pi * 300.0 - 200.0) * time)
    data = MRSData(
        fid=np.vstack([good.fid[None], strange]),
        dims=("transient", "time"),
        acquisition=good.acquisition,
    )
    for lineshape in ("voigt", "asymmetric"):
        options = mp.FitOptions(macromolecules="none", lineshape=lineshape)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            fit = mp.fit(data, basis, options)
        assert all(reason for reason in fit.reason[~fit.success])
        assert np.isfinite(fit.amplitude[fit.success]).all()
