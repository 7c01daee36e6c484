"""The inner loop: gradient, band-limited model, amplitudes at given shape."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import nnls

from mrsproc.errors import BasisError
from mrsproc.fitting import solve
from mrsproc.fitting.band import band_model
from mrsproc.fitting.baseline import baseline_for
from mrsproc.fitting.batch import batch_for
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.priors import is_broad, ratio_rows, shape_prior, yardstick
from mrsproc.fitting.single import fresh_spectrum
from mrsproc.fitting.volume import volume_slope
from mrsproc.lineshape import voigt_decay

PPM = (0.2, 4.0)


@pytest.fixture
def problem(synthetic):
    basis, options = synthetic.basis, FitOptions()
    band = band_model(basis, synthetic.acquisition, 1024, PPM)
    _, rows = ratio_rows(basis, options)
    return solve.Problem(
        band=band,
        baseline=baseline_for(band.ppm, 0.1),
        prior=shape_prior(basis, is_broad(basis), options, 123.2),
        ratio_rows=rows / band.scale,
        phase_ramp=band.ppm - band.ppm.mean(),
        narrow=~is_broad(basis),
        yardstick=yardstick(basis, options) / band.scale,
    )


def spectrum_of(problem, fid, sd, *, volume=0.0, seed=0):
    n = problem.n_basis
    rng = np.random.default_rng(seed)
    pull = rng.standard_normal((3, n)) / 300
    sigma = sd * np.sqrt(fid.size)
    return solve.Spectrum(
        values=problem.band.of_data(fid),
        noise=sigma,
        sigma=sigma,
        stiffness=problem.baseline.stiffness_for(3.0),
        nodes=np.array([problem.baseline.stiffness_for(3.0)]),
        prior=problem.prior,
        ratio_precision=pull.T @ pull,
        volume_slope=volume * rng.standard_normal(3 + 2 * n),
    )


def somewhere(problem, seed):
    """A shape that is neither at the minimum nor symmetric in anything."""
    rng = np.random.default_rng(seed)
    n = problem.n_basis
    theta = np.zeros(3 + 2 * n)
    theta[:3] = rng.normal(0.3, 0.2), rng.normal(0, 0.05), np.log(rng.uniform(3, 6))
    theta[3 : 3 + n] = rng.normal(1.0, 0.5, n)
    theta[3 + n :] = rng.uniform(0.3, 2.0, n)
    return theta


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("volume", [0.0, 1.0])
def test_gradient_is_that_of_the_cost(problem, synthetic, seed, volume):
    """`downhill` promises minus the exact gradient of half the cost."""
    fid = synthetic.data(noise=1.0, seed=seed).fid
    spectrum = spectrum_of(problem, fid, 1.0, volume=volume)
    free = np.ones(problem.n_basis, bool)
    theta = somewhere(problem, seed)
    point = solve.evaluate(problem, spectrum, theta, free)
    downhill = solve.downhill(problem, spectrum, point)
    numeric = np.empty_like(theta)
    for i in range(theta.size):
        step = np.zeros_like(theta)
        step[i] = 1e-4
        up, down = (solve.evaluate(problem, spectrum, theta + s, free).cost for s in (step, -step))
        numeric[i] = (up - down) / 2e-4
    assert np.allclose(-2 * downhill, numeric, rtol=1e-4, atol=1e-5 * np.abs(numeric).max())


def test_hessian_is_that_of_the_model_at_the_minimum(problem, synthetic):
    """Without noise, at the truth, Kaufman's Hessian is that of half the cost."""
    n = problem.n_basis
    fid = synthetic.data(gauss=4.0).fid
    theta = np.zeros(3 + 2 * n)
    theta[2] = np.log(4.0)
    flat = dataclasses.replace(problem.prior, precision=np.zeros_like(problem.prior.precision))
    spectrum = dataclasses.replace(
        spectrum_of(problem, fid, 1.0), prior=flat, ratio_precision=np.zeros((n, n))
    )
    free = np.ones(n, bool)
    point = solve.evaluate(problem, spectrum, theta, free)
    hessian = solve.hessian(problem, spectrum, point)
    for i in (0, 2, 3, 4, 3 + n, 5 + n):
        step = np.zeros_like(theta)
        step[i] = 2e-3
        up, down = (solve.evaluate(problem, spectrum, theta + s, free).cost for s in (step, -step))
        second = (up - 2 * point.cost + down) / 2e-3**2 / 2
        assert hessian[i, i] == pytest.approx(second, rel=0.02)


def test_volume_slope_is_that_of_amplitudes_relative_to_references(problem, synthetic):
    """log |N| + z^2 + 2 sum log of the references, ratio priors as wide as theirs are large."""
    n = problem.n_basis
    deviation, scale = problem.ratio_rows
    theta, free = somewhere(problem, 4), np.ones(n, bool)
    spectrum = spectrum_of(problem, synthetic.data(noise=1.0).fid, 1.0)
    metabolic = ~(scale[:, ~problem.narrow] > 0.0).any(axis=1)
    assert metabolic.any()
    assert not metabolic.all()
    flat = (problem.narrow & ~(deviation > 0.0).any(axis=0)).sum()

    def precision(references):
        rows = deviation / references[:, None]
        return rows.T @ rows

    for _ in range(20):
        point = solve.evaluate(problem, spectrum, theta, free)
        spectrum.ratio_precision = precision(scale @ point.amplitude)

    def volume(theta):
        there = solve.evaluate(problem, spectrum, theta, free)
        assert there.passive.all()
        references = np.where(metabolic, scale @ there.amplitude, scale @ point.amplitude)
        prior = precision(references)
        normal = there.gram[1:, 1:] / spectrum.sigma**2 + prior
        logs = np.log(references).sum() + flat * np.log(problem.yardstick @ there.amplitude)
        return np.linalg.slogdet(normal)[1] + point.amplitude @ prior @ point.amplitude + 2 * logs

    found = volume_slope(problem, spectrum, point)
    assert (found[:2] == 0).all()
    for i in range(2, theta.size):
        step = np.zeros_like(theta)
        step[i] = 1e-4
        numeric = (volume(theta + step) - volume(theta - step)) / 2e-4
        assert found[i] == pytest.approx(numeric, rel=1e-3, abs=1e-5)


def test_volume_of_one_line_prefers_no_width(synthetic):
    """Then log |N| + 2 log a is the logarithm of what is explained, level where that is most."""
    basis = synthetic.basis.without(set(synthetic.names) - {"Cr"})
    options = FitOptions(macromolecules="none")
    time = synthetic.acquisition.dwell_time * np.arange(1024)
    fid = 9.0 * np.asarray(basis.fid[0, :1024]) * voigt_decay(time, 1.0, 4.0)
    batch = batch_for(dataclasses.replace(synthetic.data(), fid=fid), basis, options)
    spectrum = dataclasses.replace(fresh_spectrum(batch, fid, 1.0), sigma=1.0)
    theta = np.array([0.0, 0.0, np.log(4.0), 0.0, 1.0])
    point = solve.evaluate(batch.problem, spectrum, theta, np.ones(1, bool))
    slope = volume_slope(batch.problem, spectrum, point)

    def log_determinant(width):
        there = theta + np.array([0.0, 0.0, 0.0, 0.0, width])
        return np.log(solve.evaluate(batch.problem, spectrum, there, point.passive).gram[1, 1])

    flat = (log_determinant(1e-4) - log_determinant(-1e-4)) / 2e-4
    assert abs(slope[4]) < 1e-4 * abs(flat)
    assert abs(slope[2]) < 1e-4
    faint = dataclasses.replace(point, amplitude=4.0 / np.sqrt(point.gram[1:, 1]))
    assert not volume_slope(batch.problem, spectrum, faint).any()


def test_band_is_the_full_model(problem, synthetic):
    """Shift and decay act in the band as on the whole, zero-filled FID.

    To 2e-5 of the norm for lines in the window; 5e-5 where a line stands just outside (NAA, GPC).
    """
    basis, n = synthetic.basis, problem.n_basis
    theta = somewhere(problem, 7)
    shift, lorentz, gauss = theta[3 : 3 + n], theta[3 + n :], float(np.exp(theta[2]))
    found = problem.band.spectra(problem.band.decayed(shift, lorentz, gauss))
    found = found * problem.band.scale[:, None]
    time = np.arange(1024) * 5e-4
    decay = np.exp((2j * np.pi * shift - np.pi * lorentz)[:, None] * time)
    decay = decay * np.exp(-(np.pi**2) / (4 * np.log(2)) * (gauss * time) ** 2)
    fid = basis.fid[:, :1024] * decay
    fid[:, 0] /= 2
    full = np.fft.fftshift(np.fft.fft(fid, 2048, axis=1), axes=1)
    ppm = 4.65 - np.fft.fftshift(np.fft.fftfreq(2048, 5e-4)) / 123.2
    inside = (ppm >= PPM[0]) & (ppm <= PPM[1])
    wanted = full[:, inside]
    assert np.allclose(ppm[inside], problem.band.ppm)
    error = np.linalg.norm(found - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
    outside = np.isin(basis.names, ["NAA", "GPC"])
    assert error[~outside].max() < 2e-5
    assert error.max() < 5e-5


def test_band_has_the_scale_of_the_data(problem, synthetic):
    """The spectrum of a basis FID taken as data is the basis spectrum itself."""
    row = synthetic.names.index("Cr")
    zero = np.zeros(problem.n_basis)
    band = problem.band
    own = band.spectra(band.decayed(zero, zero, 1e-6))[row] * band.scale[row]
    data = band.of_data(synthetic.basis.fid[row, :1024])
    assert np.linalg.norm(own - data) < 1e-4 * np.linalg.norm(data)


def test_amplitudes_are_penalised_nonnegative_least_squares(problem, synthetic):
    """Against a direct solve with the baseline written as penalised columns."""
    fid = synthetic.data(noise=2.0, seed=5).fid
    n = problem.n_basis
    spectrum = dataclasses.replace(spectrum_of(problem, fid, 2.0), ratio_precision=np.zeros((n, n)))
    point = solve.evaluate(problem, spectrum, somewhere(problem, 1), np.ones(n, bool))
    q, d = problem.baseline.q, problem.baseline.shrinkage(spectrum.stiffness)
    weight = np.eye(q.shape[1]) - (q.T * d) @ q
    values, vectors = np.linalg.eigh(weight)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    amplitude, norm = nnls(root @ point.signals.real.T, root @ point.data.real)
    assert np.allclose(point.amplitude, amplitude, rtol=1e-6, atol=1e-8 * amplitude.max())
    prior = problem.prior.cost(point.theta)
    assert point.cost - prior == pytest.approx(norm**2 / spectrum.sigma**2, rel=1e-8)
    smooth, residual = solve.baseline_and_residual(problem, spectrum, point)
    left = point.data.real - point.amplitude @ point.signals.real
    assert np.allclose(smooth + residual, left)
    assert np.allclose(weight @ left, residual, atol=1e-9 * np.abs(left).max())


def test_minimise_goes_down_and_says_when_it_cannot(problem, synthetic):
    spectrum = spectrum_of(problem, synthetic.data(noise=1.0).fid, 1.0)
    start = solve.evaluate(problem, spectrum, somewhere(problem, 2), np.ones(problem.n_basis, bool))
    stopped, converged = solve.minimise(problem, spectrum, start, max_steps=1)
    assert not converged
    assert stopped.cost < start.cost
    end, converged = solve.minimise(problem, spectrum, start, max_steps=200)
    assert converged
    assert end.cost < stopped.cost
    downhill = solve.downhill(problem, spectrum, end)
    promised = downhill @ np.linalg.solve(solve.hessian(problem, spectrum, end), downhill)
    assert promised < 0.05


def test_stiffness_gives_the_wanted_dimension(problem):
    for per_ppm in (1.0, 2.0, 5.0):
        stiffness = problem.baseline.stiffness_for(per_ppm)
        dimension = problem.baseline.shrinkage(stiffness).sum()
        assert dimension == pytest.approx(per_ppm * problem.baseline.width_ppm, rel=1e-6)


def test_range_outside_the_data(synthetic):
    slow = synthetic.acquisition.replace(dwell_time=2e-3)
    with pytest.raises(BasisError, match=r"the data span .* the fit wants 0.2 to 4.0"):
        band_model(synthetic.basis, slow, 512, PPM)
    narrow = dataclasses.replace(synthetic.basis, dwell_time=2e-3)
    with pytest.raises(BasisError, match="spectral width of 500 Hz, which does not hold 0.2 to 4"):
        band_model(narrow, synthetic.acquisition, 1024, PPM)
