r"""Variable projection for one spectrum.

With :math:`Y(f)` the recorded spectrum, the residual in the window of the fit is

.. math::

    r = \Re\{e^{i(\phi_0 + \phi_1 (p - p_0))} Y\}
        - \sum_l a_l \Re S_l(\nu_l, \gamma_l, g) - \text{baseline}

and what is minimised over amplitudes :math:`a \ge 0` and shape :math:`\theta` is

.. math:: \chi^2 = r^T W r / \sigma^2 + \text{(priors)},

:math:`W` taking the baseline out (`baseline`). For given shape the amplitudes follow by
non-negative least squares; the shape is stepped by Levenberg-Marquardt on the projected problem
(Golub 2003, 10.1088/0266-5611/19/2/201). Kaufman's Hessian is computed at the start and corrected
from step to step by the change of the gradient (Broyden, Fletcher, Goldfarb, Shanno; Nocedal 2006,
10.1007/978-0-387-40065-5, chapter 6). The gradient is exact, and costs one Fourier transform:
with :math:`w = W r` and :math:`s_l(t)` the decayed signal,

.. math::

    \sum_f w_f \Re \mathcal F[2 \pi i t\, s_l]_f
        = \Re \sum_t 2 \pi i t\, s_l(t)\, \mathcal F[w](t).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.fitting.band import BandModel
from mrsproc.fitting.baseline import Baseline
from mrsproc.fitting.priors import ShapePrior
from mrsproc.lineshape import GAUSS_RATE
from mrsproc.numerics.definite import solve_definite
from mrsproc.numerics.nonnegative import nonnegative_least_squares

MAX_STEPS: Final = 40
_LOG_GAUSS: Final = (np.log(0.3), np.log(60.0))
_LORENTZ_LIMIT: Final = 60.0
ENOUGH: Final = 3e-3
_MOST_DAMPING: Final = 1e8
RIDGE: Final = 1e-10
"""Relative, added to information matrices: two signals may be all but the same."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What all spectra of a batch share.

    Parameters
    ----------
    band : BandModel
        Grids and signals.
    baseline : Baseline
        Spline space.
    prior : ShapePrior
        Prior of the shape parameters.
    ratio_rows : ndarray, shape (2, n_priors, n_basis)
        Ratio priors, see `priors.ratio_rows`, in amplitudes as scaled in `band`.
    phase_ramp : ndarray, shape (n,)
        Chemical shift minus the pivot of the first-order phase [ppm].
    narrow : ndarray of bool, shape (n_basis,)
        Which signals are metabolites, not macromolecules or lipids.
    yardstick : ndarray, shape (n_basis,)
        Weights with which amplitudes are summed to what metabolites without a ratio prior are
        relative to, see `volume`; zero where no priors are wanted.
    """

    band: BandModel
    baseline: Baseline
    prior: ShapePrior
    ratio_rows: Array
    phase_ramp: Array
    narrow: Array
    yardstick: Array

    @property
    def n_basis(self) -> int:
        """Number of signals."""
        return int(self.band.fid.shape[0])


@dataclass(eq=False)
class Point:
    """The model at one set of shape parameters, amplitudes and baseline fitted.

    Attributes
    ----------
    theta : ndarray
        Phase 0 [rad], phase 1 [rad/ppm], log Gaussian FWHM, shifts [Hz], Lorentzian FWHM [Hz].
    fid : ndarray of complex
        Decayed band-limited FIDs.
    signals : ndarray of complex, shape (n_basis, n)
        Their spectra.
    data : ndarray of complex, shape (n,)
        Phased spectrum.
    amplitude : ndarray, shape (n_basis,)
        Amplitudes.
    passive : ndarray of bool
        Which are not held at zero.
    onto : ndarray, shape (1 + n_basis, m)
        (data, signals) on the functions of the baseline.
    gram : ndarray
        Weighted products of (data, signals).
    cost : float
        Chi-squared with all priors.
    """

    theta: Array
    fid: Array
    signals: Array
    data: Array
    amplitude: Array
    passive: Array
    onto: Array
    gram: Array
    cost: float


@dataclass(eq=False)
class Spectrum:
    """One spectrum in the window, with its noise and the stiffness of its baseline.

    Attributes
    ----------
    values : ndarray of complex, shape (n,)
        Spectrum as recorded.
    noise : float
        SD of the noise of its real part, as measured.
    sigma : float
        SD of what the model leaves over: a mean of residual and noise; that of the residual where
        it has more than chance explains.
    stiffness : float
        Stiffness of the baseline.
    nodes : ndarray
        Stiffnesses of equal probability that stand for all likely ones.
    prior : ShapePrior
        Prior of its shape.
    ratio_precision : ndarray, shape (n_basis, n_basis)
        Precision of the ratio priors at the amplitudes that their references had in the first fit.
    volume_slope : ndarray, shape (p,)
        Slope of the logarithm of the volume of the amplitudes, see `volume`.
    shape_dimension : float, default 5
        Effective number of parameters of the shape.
    """

    values: Array
    noise: float
    sigma: float
    stiffness: float
    nodes: Array
    prior: ShapePrior
    ratio_precision: Array
    volume_slope: Array
    shape_dimension: float = 5.0


def phased(problem: Problem, values: Array, theta: Array) -> Array:
    """Return a spectrum turned by the phases of `theta`."""
    return np.asarray(values * np.exp(1j * (theta[0] + theta[1] * problem.phase_ramp)))


def evaluate(problem: Problem, spectrum: Spectrum, theta: Array, passive: Array) -> Point:
    """Fit amplitudes and baseline at given shape parameters.

    Parameters
    ----------
    problem, spectrum
        What is fitted.
    theta : ndarray
        Shape parameters.
    passive : ndarray of bool
        Which amplitudes to start from as positive.

    Returns
    -------
    Point
        The model there.
    """
    n = problem.n_basis
    fid = problem.band.decayed(theta[3 : 3 + n], theta[3 + n :], float(np.exp(theta[2])))
    signals, data = problem.band.spectra(fid), phased(problem, spectrum.values, theta)
    return _fitted(problem, spectrum, theta, (fid, signals, data), passive)


def reweighted(problem: Problem, spectrum: Spectrum, point: Point) -> Point:
    """Fit amplitudes and baseline again, after stiffness, noise or priors have changed.

    Parameters
    ----------
    problem, spectrum
        What is fitted.
    point : Point
        The model, whose shape stays.

    Returns
    -------
    Point
        With new amplitudes and cost.
    """
    curves = (point.fid, point.signals, point.data)
    return _fitted(problem, spectrum, point.theta, curves, point.passive)


def _fitted(
    problem: Problem,
    spectrum: Spectrum,
    theta: Array,
    curves: tuple[Array, Array, Array],
    passive: Array,
) -> Point:
    fid, signals, data = curves
    columns = np.concatenate([data.real[None], signals.real])
    onto = columns @ problem.baseline.q.T
    shrinkage = problem.baseline.shrinkage(spectrum.stiffness)
    gram = columns @ columns.T - (onto * shrinkage) @ onto.T
    variance = spectrum.sigma**2
    normal = gram[1:, 1:] + variance * spectrum.ratio_precision
    amplitude, passive = nonnegative_least_squares(normal, gram[1:, 0], passive)
    squares = gram[0, 0] - 2.0 * gram[0, 1:] @ amplitude + amplitude @ normal @ amplitude
    volume = float(spectrum.volume_slope @ theta)
    cost = float(squares) / variance + spectrum.prior.cost(theta) + volume
    return Point(theta, fid, signals, data, amplitude, passive, onto, gram, cost)


def jacobian(problem: Problem, point: Point) -> Array:
    """Return the derivatives of the model after the shape parameters.

    Parameters
    ----------
    problem : Problem
        What is fitted.
    point : Point
        Where.

    Returns
    -------
    ndarray, shape (p, n)
        Those after the phases are taken from the model, free of noise.
    """
    n, time = problem.n_basis, problem.band.time
    scaled = point.fid * (point.amplitude[:, None] * (2j * np.pi * time))
    slopes = problem.band.spectra(scaled)
    model = np.empty((3 + 2 * n, slopes.shape[1]))
    model[:3] = _phase_and_gauss(problem, point)
    model[3 : 3 + n] = slopes.real
    model[3 + n :] = -0.5 * slopes.imag
    return model


def common_jacobian(problem: Problem, point: Point) -> Array:
    """Return the derivatives after the common shape, see `common_directions`, shape (5, n)."""
    scaled = (point.amplitude @ point.fid) * (2j * np.pi * problem.band.time)
    slope = problem.band.spectra(scaled)
    return np.vstack([_phase_and_gauss(problem, point), slope.real, -0.5 * slope.imag])


def common_directions(n: int) -> Array:
    """Return the steps common to all signals, shape (5, 3 + 2 n).

    They are phase 0, phase 1, Gaussian width, shift, Lorentzian width.
    """
    rows = np.zeros((5, 3 + 2 * n))
    rows[0, 0] = rows[1, 1] = rows[2, 2] = 1.0
    rows[3, 3 : 3 + n] = 1.0
    rows[4, 3 + n :] = 1.0
    return rows


def _phase_and_gauss(problem: Problem, point: Point) -> Array:
    imaginary = point.amplitude @ point.signals.imag
    slope = gauss_slope(point.theta[2], problem.band.time)
    gauss = problem.band.spectra((point.amplitude @ point.fid) * slope).real
    return np.array([imaginary, imaginary * problem.phase_ramp, gauss])


def gauss_slope(log_gauss: float, time: Array) -> Array:
    """Return the slope of the logarithm of the Gaussian decay after that of its width."""
    return np.asarray(-2.0 * GAUSS_RATE * np.exp(2.0 * log_gauss) * time**2)


def baseline_and_residual(
    problem: Problem, spectrum: Spectrum, point: Point
) -> tuple[Array, Array]:
    """Return the baseline and the residual of the real part at a point, both of shape (n,)."""
    left = point.data.real - point.amplitude @ point.signals.real
    q = problem.baseline.q
    smooth = (problem.baseline.shrinkage(spectrum.stiffness) * (q @ left)) @ q
    return smooth, left - smooth


def information(problem: Problem, spectrum: Spectrum, point: Point, model: Array) -> Array:
    r"""Return :math:`J^T W J / \sigma^2` of derivatives and amplitudes, no prior of shape in it.

    Parameters
    ----------
    problem, spectrum, point
        What is fitted, and where.
    model : ndarray, shape (q, n)
        Derivatives after parameters of shape.

    Returns
    -------
    ndarray, shape (q + n_basis, q + n_basis)
        Parameters of shape first; the ratio priors are in the part of the amplitudes.
    """
    q, variance = len(model), spectrum.sigma**2
    shrinkage = problem.baseline.shrinkage(spectrum.stiffness)
    onto = model @ problem.baseline.q.T
    smooth = onto * shrinkage
    full = np.empty((q + problem.n_basis, q + problem.n_basis))
    full[:q, :q] = model @ model.T - smooth @ onto.T
    full[:q, q:] = model @ point.signals.real.T - smooth @ point.onto[1:].T
    full[q:, :q] = full[:q, q:].T
    full[q:, q:] = point.gram[1:, 1:]
    full /= variance
    full[q:, q:] += spectrum.ratio_precision
    return full


def hessian(
    problem: Problem, spectrum: Spectrum, point: Point, directions: Array | None = None
) -> Array:
    """Return Kaufman's Hessian of half of chi-squared after the shape, amplitudes projected out.

    Parameters
    ----------
    problem, spectrum, point
        What is fitted, and where.
    directions : ndarray, shape (5, p), optional
        The common directions; all when not given.

    Returns
    -------
    ndarray, shape (5, 5) or (p, p)
        With the prior.
    """
    prior = spectrum.prior.precision
    if directions is None:
        model = jacobian(problem, point)
    else:
        model, prior = common_jacobian(problem, point), directions @ prior @ directions.T
    q, free = len(model), np.flatnonzero(point.passive)
    full = information(problem, spectrum, point, model)
    cross = full[:q, q + free]
    normal = full[np.ix_(q + free, q + free)]
    normal.flat[:: len(free) + 1] *= 1.0 + RIDGE
    return np.asarray(full[:q, :q] - cross @ solve_definite(normal, cross.T) + prior)


def downhill(problem: Problem, spectrum: Spectrum, point: Point) -> Array:
    """Return minus the exact gradient of half of chi-squared after the shape, shape (p,)."""
    _, residual = baseline_and_residual(problem, spectrum, point)
    slope = np.empty(point.theta.size)
    slope[0] = point.data.imag @ residual
    slope[1] = point.data.imag @ (problem.phase_ramp * residual)
    seen = problem.band.adjoint(residual)
    n, time = problem.n_basis, problem.band.time
    sums = point.amplitude * (point.fid @ (time * seen))
    gauss = gauss_slope(point.theta[2], time) * seen
    slope[2] = ((point.amplitude @ point.fid) @ gauss).real
    slope[3 : 3 + n] = -2.0 * np.pi * sums.imag
    slope[3 + n :] = -np.pi * sums.real
    prior = spectrum.prior
    pull = prior.precision @ (point.theta - prior.mean) + 0.5 * spectrum.volume_slope
    return np.asarray(slope / spectrum.sigma**2 - pull)


def minimise(
    problem: Problem,
    spectrum: Spectrum,
    point: Point,
    directions: Array | None = None,
    *,
    curvature: Array | None = None,
    enough: float = ENOUGH,
    max_steps: int = MAX_STEPS,
) -> tuple[Point, bool]:
    """Step the shape to the minimum of chi-squared.

    Parameters
    ----------
    problem, spectrum
        What is fitted.
    point : Point
        Start.
    directions : ndarray, shape (5, p), optional
        The common directions, where only these are stepped along; all when not given.
    curvature : ndarray, optional
        Hessian to start with; computed when not given.
    enough : float, optional
        A step that promises less than this of chi-squared is not taken.
    max_steps : int, optional
        Limit of the number of accepted steps.

    Returns
    -------
    point : Point
        The minimum.
    converged : bool
        Whether the last step promised less than `enough`, or two in turn gained less than five
        times as much.
    """
    along = np.eye(point.theta.size) if directions is None else directions
    if curvature is None:
        curvature = hessian(problem, spectrum, point, directions)
    slope = along @ downhill(problem, spectrum, point)
    damping, gain, fresh = 1e-3, np.inf, True
    for _ in range(max_steps):
        while True:
            step = solve_definite(curvature + damping * np.diag(np.diag(curvature)), slope)
            promised = float(step @ (2.0 * slope - curvature @ step))
            if promised < enough:
                return point, True
            theta = within_limits(point.theta + step @ along, problem)
            trial = _tried(problem, spectrum, theta, point.passive)
            if trial is not None and trial.cost < point.cost:
                break
            if not fresh:
                curvature, fresh = hessian(problem, spectrum, point, directions), True
                continue
            damping *= 8.0
            if damping > _MOST_DAMPING:
                return point, promised < 1.0
        damping = max(damping * 0.2, 1e-6)
        before, gain = gain, point.cost - trial.cost
        point = trial
        if max(before, gain) < 5.0 * enough:
            return point, True
        last, slope = slope, along @ downhill(problem, spectrum, point)
        curvature, fresh = _corrected(curvature, step, last - slope), False
    return point, False


def _tried(problem: Problem, spectrum: Spectrum, theta: Array, passive: Array) -> Point | None:
    """Return the model at a trial step, None where it went so far that signals are all the same."""
    try:
        return evaluate(problem, spectrum, theta, passive)
    except np.linalg.LinAlgError:
        return None


def _corrected(curvature: Array, step: Array, change: Array) -> Array:
    """Return a Hessian that has the change of the gradient over a step (BFGS)."""
    seen = curvature @ step
    along, known = float(change @ step), float(step @ seen)
    if along < 0.2 * known:  # damped, so that it stays positive (Nocedal 2006, 18.2)
        part = 0.8 * known / (known - along)
        change = part * change + (1.0 - part) * seen
        along = float(change @ step)
    return np.asarray(curvature + np.outer(change, change) / along - np.outer(seen, seen) / known)


def within_limits(theta: Array, problem: Problem) -> Array:
    """Return shape parameters, changed in place where the model has no meaning."""
    theta[2] = np.clip(theta[2], *_LOG_GAUSS)
    shift, limit = theta[3 : 3 + problem.n_basis], problem.band.margin_hz
    np.clip(shift, -limit, limit, out=shift)
    lorentz = theta[3 + problem.n_basis :]
    np.clip(lorentz, -_LORENTZ_LIMIT, _LORENTZ_LIMIT, out=lorentz)
    return theta
