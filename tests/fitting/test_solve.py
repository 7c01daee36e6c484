"""The engine of the fit against independent computations."""

import dataclasses

import numpy as np
import pytest

from mrsproc import axes
from mrsproc.fitting import solve
from mrsproc.fitting.band import band_model
from mrsproc.fitting.baseline import baseline_for
from mrsproc.fitting.solve import (
    common_directions,
    common_jacobian,
    downhill,
    evaluate,
    hessian,
    jacobian,
    minimise,
    reweighted,
)
from mrsproc.fitting.start import shape_that_wants_more, starting_points
from mrsproc.fitting.stiffness import stiffness_grid
from mrsproc.fitting.uncertainty import uncertainty
from mrsproc.fitting.volume import volume_slope

GAUSS = np.pi**2 / (4 * np.log(2))


def test_gradient_is_exact(setup):
    problem, spectrum, templates, _ = setup
    point = starting_points(problem, templates, spectrum)[0]
    found = downhill(problem, spectrum, point)
    n = problem.n_basis
    for i in (0, 1, 2, 3, 6, 3 + n, 3 + n + 5):
        steps = np.zeros((2, 3 + 2 * n))
        steps[0, i], steps[1, i] = 1e-5, -1e-5
        up, down = (evaluate(problem, spectrum, point.theta + s, point.passive).cost for s in steps)
        assert found[i] == pytest.approx(-(up - down) / 4e-5, rel=2e-5, abs=1e-5)


def test_a_step_too_far_is_taken_back(setup, monkeypatch):
    """Where all signals have become the same a fit goes on with a shorter step."""
    problem, spectrum, templates, _ = setup
    start = starting_points(problem, templates, spectrum)[0]
    plain, _ = minimise(problem, spectrum, start)
    calls = []

    def sometimes(*given):
        calls.append(given)
        if len(calls) in {1, 3}:
            raise np.linalg.LinAlgError
        return evaluate(*given)

    monkeypatch.setattr(solve, "evaluate", sometimes)
    found, converged = minimise(problem, spectrum, start)
    assert converged
    assert len(calls) > 3
    assert found.cost == pytest.approx(plain.cost, abs=0.05)


def test_slope_of_the_volume_is_exact(setup):
    """Against finite differences of log |N| and of the logarithm of the yardstick, of weight n."""
    problem, spectrum, templates, _ = setup
    n = problem.n_basis
    spectrum = dataclasses.replace(spectrum, ratio_precision=0.01 * np.eye(n))
    without = dataclasses.replace(problem, ratio_rows=np.zeros((2, 0, n)))
    point = reweighted(without, spectrum, starting_points(problem, templates, spectrum)[0])
    slope = volume_slope(without, spectrum, point)
    free = np.flatnonzero(point.passive)
    flat = (problem.narrow & point.passive).sum()

    def volume(theta):
        there = evaluate(problem, spectrum, theta, point.passive)
        gram = there.gram[1:, 1:] / spectrum.sigma**2 + spectrum.ratio_precision
        scale = 2.0 * flat * np.log(problem.yardstick @ there.amplitude)
        return np.linalg.slogdet(gram[np.ix_(free, free)])[1] + scale

    for i in (2, 3 + free[0], 3 + n + free[0], 3 + n + free[-1]):
        step = np.zeros(3 + 2 * n)
        step[i] = 1e-5
        numeric = (volume(point.theta + step) - volume(point.theta - step)) / 2e-5
        assert slope[i] == pytest.approx(numeric, rel=1e-4, abs=1e-5)


def test_band_model_equals_the_full_one(synthetic):
    """Shift, Lorentzian and Gaussian decay act in the short FIDs as in the full ones."""
    model = band_model(synthetic.basis, synthetic.acquisition, 1024, (0.5, 4.1))
    rng = np.random.default_rng(0)
    n = len(synthetic.basis)
    shift, lorentz = rng.normal(0, 0.6, n), rng.uniform(0.2, 2.0, n)
    time = np.arange(1024) * synthetic.acquisition.dwell_time
    full = synthetic.basis.fid[:, :1024] * np.exp(
        (2j * np.pi * shift - np.pi * lorentz)[:, None] * time - GAUSS * (5.0 * time) ** 2
    )
    wanted = axes.fid_to_spectrum(full, 2048)[:, model.window] / model.scale[:, None]
    found = model.spectra(model.decayed(shift, lorentz, 5.0))
    assert np.abs(found - wanted).max() < 3e-5 * np.abs(wanted).max()


def test_minimum_is_stationary_and_covariance_positive(setup):
    problem, spectrum, templates, _ = setup
    spectrum = dataclasses.replace(spectrum, volume_slope=0.0 * spectrum.volume_slope)
    start = starting_points(problem, templates, spectrum)[0]
    point, converged = minimise(problem, spectrum, start)
    assert converged
    assert point.cost < start.cost
    slope = downhill(problem, spectrum, point)
    assert slope @ np.linalg.solve(hessian(problem, spectrum, point), slope) < 0.02
    covariance = uncertainty(problem, spectrum, point).covariance
    assert (np.linalg.eigvalsh(covariance) > 0).all()


def test_baseline_takes_smooth_curves_and_leaves_lines():
    ppm = np.linspace(4.0, 0.2, 500)
    baseline = baseline_for(ppm, 0.1)
    d = baseline.shrinkage(baseline.stiffness_for(4.0))
    assert d.sum() == pytest.approx(4.0 * 3.8, rel=0.01)
    smooth, line = np.cos(1.2 * ppm), 1.0 / (1.0 + ((ppm - 2.0) / 0.02) ** 2)
    left = [np.linalg.norm(y - (d * (baseline.q @ y)) @ baseline.q) for y in (smooth, line)]
    assert left[0] < 0.01 * np.linalg.norm(smooth)
    assert left[1] > 0.7 * np.linalg.norm(line)


def test_grid_runs_from_stiff_to_soft(setup):
    problem, *_ = setup
    assert (np.diff(stiffness_grid(problem)) < 0).all()


def test_common_directions_are_sums_of_all(setup):
    problem, spectrum, templates, _ = setup
    point = starting_points(problem, templates, spectrum)[0]
    directions = common_directions(problem.n_basis)
    found = common_jacobian(problem, point)
    assert np.allclose(
        found, directions @ jacobian(problem, point), atol=1e-9 * np.abs(found).max()
    )
    full = directions @ hessian(problem, spectrum, point) @ directions.T
    assert np.allclose(hessian(problem, spectrum, point, directions), full, rtol=1e-8)


def test_adjoint_is_the_adjoint(setup):
    band = setup[0].band
    rng = np.random.default_rng(0)
    curve = rng.standard_normal(band.ppm.size)
    assert np.allclose(band.spectra(band.fid) @ curve, band.fid @ band.adjoint(curve))


def test_minimum_does_not_depend_on_how_the_hessian_was_made(setup, monkeypatch):
    """With a Hessian made anew at each step, where BFGS corrects it otherwise."""
    problem, spectrum, templates, _ = setup
    start = starting_points(problem, templates, spectrum)[0]
    corrected, _ = minimise(problem, spectrum, start, enough=1e-9, max_steps=200)
    monkeypatch.setattr("mrsproc.fitting.solve._corrected", lambda curvature, *_: curvature)
    plain, _ = minimise(problem, spectrum, start, enough=1e-9, max_steps=200)
    assert corrected.cost == pytest.approx(plain.cost, abs=1e-4)


def test_a_signal_at_zero_is_tried_at_other_shifts(setup):
    """With its shift eight SDs off, Ins is of no use where it stands; where it belongs it is."""
    problem, spectrum, templates, _ = setup
    spectrum = dataclasses.replace(spectrum, volume_slope=0.0 * spectrum.volume_slope)
    start = starting_points(problem, templates, spectrum)[0]
    point, _ = minimise(problem, spectrum, start, common_directions(problem.n_basis))
    assert shape_that_wants_more(problem, spectrum, point) is None
    row = 6  # Ins
    theta = point.theta.copy()
    step = 4.5 * spectrum.prior.shift_sd.min()
    theta[3 + row] += step
    away = evaluate(problem, spectrum, theta, point.passive)
    passive = away.passive.copy()
    passive[row] = False
    amplitude = np.where(passive, away.amplitude, 0.0)
    held = dataclasses.replace(away, passive=passive, amplitude=amplitude)
    found = shape_that_wants_more(problem, spectrum, held)
    assert found is not None
    assert abs(found[3 + row] - point.theta[3 + row]) < step
    assert (np.delete(found, 3 + row) == np.delete(theta, 3 + row)).all()
