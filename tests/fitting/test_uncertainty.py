"""Posterior of amplitudes, the spread of the shifts, the tail of water."""

import dataclasses
import warnings

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import MRSData
from mrsproc.errors import FitWarning
from mrsproc.fitting import single
from mrsproc.fitting.baseline import baseline_for
from mrsproc.fitting.batch import batch_for
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.solve import evaluate, minimise
from mrsproc.fitting.start import starting_points
from mrsproc.fitting.uncertainty import uncertainty


def minimum(setup, **changes):
    problem, spectrum, templates, _ = setup
    spectrum = dataclasses.replace(spectrum, volume_slope=0.0 * spectrum.volume_slope, **changes)
    point = starting_points(problem, templates, spectrum)[0]
    return problem, spectrum, minimise(problem, spectrum, point, enough=1e-9, max_steps=200)[0]


def test_mean_is_the_minimum_where_all_is_clear_of_zero(setup):
    problem, spectrum, point = minimum(setup)
    found = uncertainty(problem, spectrum, point)
    clear = point.amplitude > 6.0 * np.sqrt(np.diag(found.covariance))
    assert clear.any()
    assert np.allclose(found.mean[clear], point.amplitude[clear], rtol=0.02)
    assert (found.mean > 0.0).all()


def test_unknown_stiffness_averages_minima_and_covariances(setup):
    """Against fits at each stiffness, to the linear order in which amplitudes follow."""
    problem, spectrum, point = minimum(setup)
    nodes = spectrum.stiffness * np.exp([-0.1, 0.0, 0.1])
    found = uncertainty(problem, dataclasses.replace(spectrum, nodes=nodes), point, shared=False)
    ends, sure = [], []
    for node in nodes:
        moved = dataclasses.replace(spectrum, stiffness=node, nodes=np.array([node]))
        start = evaluate(problem, moved, point.theta, point.passive)
        end = minimise(problem, moved, start, enough=1e-10, max_steps=200)[0]
        ends.append(end.amplitude)
        sure.append(np.diag(uncertainty(problem, moved, end, shared=False).covariance))
    strong = point.amplitude > 8.0 * np.sqrt(np.diag(found.covariance))
    within, between = np.mean(sure, axis=0)[strong], np.var(ends, axis=0)[strong]
    assert between.max() > 1e-5 * within.max()
    got = np.diag(found.covariance)[strong] - within
    assert np.allclose(got, between, rtol=0.4, atol=3e-3 * within.max())


def test_spread_follows_the_scatter(setup):
    prior = setup[0].prior
    n = prior.shift_sd.size
    rng = np.random.default_rng(0)
    theta, certain = np.zeros(prior.mean.size), np.zeros(prior.mean.size)
    theta[3 : 3 + n] = 5.0 + 3.0 * prior.shift_sd * rng.standard_normal(n)
    wide = prior.with_spread_of(theta, certain)
    factor = wide.shift_sd / prior.shift_sd
    assert np.allclose(factor, factor[0])
    assert 1.5 < factor[0] < 3.5
    assert wide.cost(theta) < prior.cost(theta)
    unknown = certain.copy()
    unknown[3 : 3 + n] = prior.shift_sd**2
    calm = prior.with_spread_of(np.zeros_like(theta), unknown)
    assert np.allclose(calm.shift_sd, prior.shift_sd)


@pytest.mark.parametrize(("firmness", "left"), [(0.0, 1.0), (1e12, 0.0)])
def test_amplitudes_that_priors_decide_are_no_parameters(setup, firmness, left):
    problem, spectrum, point = minimum(setup)
    firm = dataclasses.replace(spectrum, ratio_precision=firmness * np.eye(problem.n_basis))
    bare, free = (single.residual_sd(problem, each, point) for each in (spectrum, firm))
    baseline = problem.baseline.shrinkage(spectrum.stiffness).sum() + spectrum.shape_dimension
    counted = problem.band.ppm.size - baseline - left * point.passive.sum()
    plain = problem.band.ppm.size - baseline - point.passive.sum()
    assert free / bare == pytest.approx(np.sqrt(plain / counted), rel=1e-6)


def test_noise_and_residual_agree_or_the_residual_counts(setup, synthetic):
    """A mean of both where chance explains the difference; misfit is taken whole."""
    problem, spectrum, point = minimum(setup)
    batch = batch_for(setup[3], synthetic.basis, FitOptions())
    left = single.residual_sd(problem, spectrum, point)

    def found(relative):
        noisy = dataclasses.replace(spectrum, noise=left * relative)
        return single._left_over(batch, problem, noisy, point) / left

    def mean(relative):
        return np.sqrt(batch.noise_weight * relative**2 + 1.0 - batch.noise_weight)

    for relative in (1.0, 1.03, 1.0 / 1.03, 2.0, 1e9):
        assert found(relative) == pytest.approx(mean(relative))
    assert found(0.5) == pytest.approx(1.0, abs=0.01)
    ratios = [found(1.0 / relative) for relative in np.linspace(1.0, 1.5, 40)]
    assert np.abs(np.diff(ratios)).max() < 0.02


def test_tail_of_a_far_line_belongs_to_the_stiffest_baseline():
    ppm = np.linspace(4.0, 0.2, 400)
    tail = 1.0 / (4.65 - ppm)
    for tail_ppm, left in ((None, 0.05), (4.65, 0.0)):
        baseline = baseline_for(ppm, 0.1, tail_ppm)
        d = baseline.shrinkage(baseline.stiffness_for(0.6))
        rest = np.linalg.norm(tail - (d * (baseline.q @ tail)) @ baseline.q)
        relative = rest / np.linalg.norm(tail)
        assert relative > left if left else relative < 1e-6


def test_residual_water_out_of_phase_changes_little(synthetic):
    """A line of water forty times as tall as NAA, out of phase, 0.65 ppm from the range."""
    data = synthetic.data(noise=0.5)
    time = np.arange(1024) * 5e-4
    water = 100.0j * np.exp(-np.pi * 10.0 * time)
    wet = MRSData(fid=data.fid + water, dims=data.dims, acquisition=data.acquisition)
    dry, found = mp.fit(data, synthetic.basis), mp.fit(wet, synthetic.basis)
    for name in ("tNAA", "tCr", "Ins", "Glx"):
        (a, sd), (b, _) = dry.estimate(name), found.estimate(name)
        assert a == pytest.approx(b, abs=2.0 * sd), name


def test_whiteness_tells_a_good_model_from_a_bad_one(synthetic):
    data = synthetic.data(noise=0.5, shape=(12,), dims=("transient",))
    good = mp.fit(data, synthetic.basis).whiteness
    assert (good > 0.01).all()
    poor = mp.fit(data, synthetic.basis.without(["Cr", "PCr"])).whiteness
    assert (poor < 1e-3).all()


def test_pull_of_a_prior_tells_what_the_data_deny(synthetic):
    """Taurine five times as much as usual pulls; as usual, or drowned in noise, it does not."""
    place = synthetic.names.index("Tau")
    found = []
    for amount, noise in ((1.6, 0.3), (9.0, 0.3), (9.0, 300.0)):
        truth = synthetic.truth.copy()
        truth[place] = amount
        made = synthetic._replace(truth=truth).data(noise=noise)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            fit = mp.fit(made, synthetic.basis)
        names = [prior.name for prior in fit.priors]
        found.append(float(fit.prior_pull[names.index("Tau")]))
    assert abs(found[0]) < 1.0
    assert found[1] > 3.0
    assert abs(found[2]) < 1.5
