"""A quick version of `benchmarks/bench_fit_mcmc.py`: mean and SD are those of the posterior."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.fitting.batch import batch_for
from mrsproc.fitting.driver import _noise
from mrsproc.fitting.single import fit_one

STUDY = Path(__file__).parents[1] / "benchmarks" / "bench_fit_mcmc.py"


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("bench_fit_mcmc", STUDY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore")
def test_mean_and_sd_are_those_of_markov_chains(synthetic, study, monkeypatch):
    """Everything sampled that a fit estimates; the chains know a mean to 0.1 SD, an SD to 8 %.

    With more noise the common width is so uncertain that the posterior is no normal one.
    """
    monkeypatch.setattr(study, "WALKERS_PER_UNKNOWN", 2)
    data, options = synthetic.data(noise=1.0, phase=0.3), mp.FitOptions(baseline=2.0)
    batch = batch_for(data, synthetic.basis, options)
    noise = _noise(data, options, np.ones(1, bool))
    found = fit_one(batch, np.asarray(data.fid), float(noise[0]))
    draws, time = study.chains(batch, found, 700, np.random.default_rng(0))
    assert len(draws) > 100 * time
    sd = np.sqrt(np.diag(found.amplitude.covariance))
    clear = found.amplitude.mean > 6.0 * sd
    assert clear.sum() >= 7
    off = (found.amplitude.mean - draws.mean(axis=0)) / draws.std(axis=0)
    assert np.abs(off[clear]).max() < 0.25
    assert np.allclose((sd / draws.std(axis=0))[clear], 1.0, atol=0.15)
