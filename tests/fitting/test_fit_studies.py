"""Quick versions of the studies in tests/benchmarks: wrong minima, calibration, memory."""

import dataclasses
import tracemalloc
import warnings

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import MRSData
from mrsproc.errors import FitWarning
from mrsproc.fitting import single
from mrsproc.fitting.batch import batch_for
from mrsproc.fitting.driver import _noise
from mrsproc.fitting.solve import evaluate, minimise, reweighted


def shaken(synthetic, count, seed=0):
    """Spectra of random phase, shift, width and noise, with phase, shift [Hz] and width [Hz]."""
    rng = np.random.default_rng(seed)
    time = np.arange(1024) * 5e-4
    cases, fids = [], []
    for _ in range(count):
        phase, shift, gauss = rng.uniform(-np.pi, np.pi), rng.uniform(-25, 25), rng.uniform(2, 15)
        noise = np.exp(rng.uniform(np.log(0.3), np.log(4.0)))
        clean = np.asarray(synthetic.data(gauss=gauss).fid) * np.exp(-np.pi * 0.78 * time)
        white = rng.standard_normal(1024) + 1j * rng.standard_normal(1024)
        fids.append(clean * np.exp(1j * phase + 2j * np.pi * shift * time) + noise * white)
        cases.append((phase, shift, gauss))
    return MRSData(
        fid=np.array(fids), dims=("transient", "time"), acquisition=synthetic.acquisition
    ), cases


def test_no_wrong_minimum_from_anywhere(synthetic):
    data, cases = shaken(synthetic, 40)
    batch = batch_for(data, synthetic.basis, mp.FitOptions())
    problem, n = batch.problem, batch.problem.n_basis
    noise = _noise(data, mp.FitOptions(), np.ones(40, bool))
    for fid, sd, (phase, shift, gauss) in zip(data.fid, noise, cases, strict=True):
        found = single.fit_one(batch, fid, sd)
        assert found is not None
        assert found.converged
        theta = problem.prior.mean.copy()
        theta[0], theta[2], theta[3 : 3 + n] = -phase, np.log(gauss), shift
        fresh = single.fresh_spectrum(batch, fid, sd)
        start = evaluate(problem, fresh, theta, np.ones(n, bool))
        best = single._from_start(batch, fresh, start)
        ends = [
            minimise(problem, best.spectrum, reweighted(problem, best.spectrum, one.point))[0].cost
            for one in (found, best)
        ]
        assert ends[0] < ends[1] + 10.0


@pytest.mark.filterwarnings("ignore::mrsproc.errors.FitWarning")
def test_default_sds_are_the_scatter(synthetic):
    """100 spectra: the SD of the scatter is known to 7 %; a factor of 1.3 is four of these."""
    data, _ = shaken(synthetic, 100, seed=5)
    fit = mp.fit(data, synthetic.basis)
    assert fit.success.all()
    truth = dict(zip(synthetic.names, synthetic.truth, strict=True))
    wanted = {"tNAA": truth["NAA"], "tCr": truth["Cr"] + truth["PCr"], "tCho": truth["GPC"]}
    wanted["Glx"] = truth["Glu"] + truth["Gln"]
    for name, true in wanted.items():
        value, sd = fit.estimate(name)
        z = (value - true) / sd
        assert 0.7 < z.std() < 1.3, name
        assert (np.abs(z) < 1.96).mean() > 0.85, name


@pytest.mark.parametrize("extra_hz", [-0.5, 1.5, 3.0])
def test_no_common_width_is_expected(synthetic, extra_hz):
    """Lines broader or narrower than usual bias nothing: their width is left to the data."""
    data = synthetic.data(noise=0.7, shape=(40,), dims=("transient",))
    decay = np.exp(-np.pi * extra_hz * data.acquisition.dwell_time * np.arange(data.n_points))
    fit = mp.fit(dataclasses.replace(data, fid=data.fid * decay), synthetic.basis)
    truth = dict(zip(synthetic.names, synthetic.truth, strict=True))
    sums = {"NAA": truth["NAA"], "tCr": truth["Cr"] + truth["PCr"], "GPC": truth["GPC"]}
    for name, expected in sums.items():
        value, sd = fit.estimate(name)
        assert abs(np.mean((value - expected) / sd)) < 0.6, name


def test_memory_grows_by_a_row_for_each_spectrum(synthetic):
    """A row of the result has some 2000 numbers; the model of one spectrum has 50 000."""

    def peak(count):
        data, _ = shaken(synthetic, count)
        tracemalloc.start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            mp.fit(data, synthetic.basis)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(2)
    assert (peak(30) - peak(10)) / 20 < 150_000
