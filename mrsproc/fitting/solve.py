r"""Variable projection for one spectrum.

With :math:`Y(f)` the recorded spectrum, the residual in the window of the fit is

.. math::

    r = \Re\{e^{i(\phi_0 + \phi_1 (p - p_0))} Y\}
        - \sum_l a_l \Re S_l(\nu_l, \gamma_l, g) - \text{baseline}

and what is minimised over amplitudes :math:`a \ge 0` and shape :math:`\theta` is

.. math:: \chi^2 = r^T W r / \sigma^2 + \text{(priors)},

:math:`W` taking the baseline out (`baseline`). For given shape the amplitudes follow by
non-negative least squares; the shape is stepped by Levenberg-Marquardt on the projected problem
(Golub 2003, 10.1088/0266-5611/19/2/201, with Kaufman's Hessian; the gradient is exact). All
products of columns are formed once a step, so that priors, projection and covariance are algebra
on matrices of the size of the number of parameters.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.fitting.band import BandModel
from mrsproc.fitting.baseline import Baseline
from mrsproc.fitting.priors import ShapePrior
from mrsproc.lineshape import GAUSS_RATE
from mrsproc.numerics.nonnegative import nonnegative_least_squares

MAX_STEPS: Final = 40
_LOG_GAUSS: Final = (np.log(0.3), np.log(60.0))
_LORENTZ_LIMIT: Final = 60.0
_ENOUGH: Final = 1e-3  # a step that promises less than this of chi-squared is not taken
_LITTLE: Final = 5e-3  # two steps in turn that gain less than this of chi-squared are the last


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
    """

    band: BandModel
    baseline: Baseline
    prior: ShapePrior
    ratio_rows: Array
    phase_ramp: Array
    narrow: Array

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
        SD of what the model leaves over: that of the noise, or of the residual where it is larger.
    stiffness : float
        Stiffness of the baseline.
    prior : ShapePrior
        Prior of its shape.
    ratio_precision : ndarray, shape (n_basis, n_basis)
        Precision of the ratio priors at the current amplitudes of their references.
    volume_slope : ndarray, shape (p,)
        Slope of the logarithm of the volume of the amplitudes, see `volume_slope`.
    """

    values: Array
    noise: float
    sigma: float
    stiffness: float
    prior: ShapePrior
    ratio_precision: Array
    volume_slope: Array


def phased(problem: Problem, values: Array, theta: Array) -> Array:
    """Return a spectrum turned by the phases of `theta`."""
    return np.asarray(values * np.exp(1j * (theta[0] + theta[1] * problem.phase_ramp)))


def weighted_products(problem: Problem, columns: Array, stiffness: float) -> Array:
    """Return the products of rows of `columns` with the baseline taken out."""
    onto = columns @ problem.baseline.q.T
    return np.asarray(columns @ columns.T - (onto * problem.baseline.shrinkage(stiffness)) @ onto.T)


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
    signals = problem.band.spectra(fid)
    data = phased(problem, spectrum.values, theta)
    gram = weighted_products(problem, np.vstack([data.real, signals.real]), spectrum.stiffness)
    variance = spectrum.sigma**2
    normal = gram[1:, 1:] + variance * spectrum.ratio_precision
    amplitude, passive = nonnegative_least_squares(normal, gram[1:, 0], passive)
    squares = gram[0, 0] - 2.0 * gram[0, 1:] @ amplitude + amplitude @ normal @ amplitude
    volume = float(spectrum.volume_slope @ theta)
    cost = float(squares) / variance + spectrum.prior.cost(theta) + volume
    return Point(theta, fid, signals, data, amplitude, passive, gram, cost)


def jacobian(problem: Problem, point: Point) -> tuple[Array, Array]:
    """Return the derivatives of the model after the shape parameters.

    Parameters
    ----------
    problem : Problem
        What is fitted.
    point : Point
        Where.

    Returns
    -------
    model : ndarray, shape (p, n)
        Derivatives, those after the phases taken from the model, free of noise: for the Hessian.
    exact : ndarray, shape (2, n)
        Derivatives after the phases, taken from the data: for the gradient.
    """
    n, time = problem.n_basis, problem.band.time
    scaled = point.fid * point.amplitude[:, None]
    turned = np.vstack(
        [scaled * (2j * np.pi * time), scaled.sum(axis=0) * _gauss_slope(point.theta[2], time)]
    )
    slopes = problem.band.spectra(turned)
    model = np.empty((3 + 2 * n, slopes.shape[1]))
    imaginary = point.amplitude @ point.signals.imag
    model[0], model[1] = imaginary, imaginary * problem.phase_ramp
    model[2] = slopes[n].real
    model[3 : 3 + n] = slopes[:n].real
    model[3 + n :] = -0.5 * slopes[:n].imag
    exact = np.vstack([point.data.imag, point.data.imag * problem.phase_ramp])
    return model, exact


def _gauss_slope(log_gauss: float, time: Array) -> Array:
    return np.asarray(-2.0 * GAUSS_RATE * np.exp(2.0 * log_gauss) * time**2)


def baseline_and_residual(
    problem: Problem, spectrum: Spectrum, point: Point
) -> tuple[Array, Array]:
    """Return the baseline and the residual of the real part at a point, both of shape (n,)."""
    left = point.data.real - point.amplitude @ point.signals.real
    q = problem.baseline.q
    smooth = (problem.baseline.shrinkage(spectrum.stiffness) * (q @ left)) @ q
    return smooth, left - smooth


def normal_equations(problem: Problem, spectrum: Spectrum, point: Point) -> tuple[Array, Array]:
    """Return the Hessian and the downhill direction of half of chi-squared after the shape.

    Parameters
    ----------
    problem, spectrum, point
        What is fitted, and where.

    Returns
    -------
    hessian : ndarray, shape (p, p)
        With the amplitudes projected out, prior included.
    downhill : ndarray, shape (p,)
        Minus the exact gradient.
    """
    model, exact = jacobian(problem, point)
    free = np.flatnonzero(point.passive)
    columns = np.vstack([model, point.signals.real[free]])
    products = weighted_products(problem, columns, spectrum.stiffness)
    p, variance = len(model), spectrum.sigma**2
    cross = products[:p, p:]
    normal = products[p:, p:] + variance * spectrum.ratio_precision[np.ix_(free, free)]
    projected = products[:p, :p] - cross @ np.linalg.solve(normal, cross.T)
    _, weighted_residual = baseline_and_residual(problem, spectrum, point)
    slope = model @ weighted_residual
    slope[:2] = exact @ weighted_residual
    prior = spectrum.prior
    hessian = projected / variance + prior.precision
    pull = prior.precision @ (point.theta - prior.mean) + 0.5 * spectrum.volume_slope
    return hessian, slope / variance - pull


def volume_slope(problem: Problem, spectrum: Spectrum, point: Point) -> Array:
    r"""Return the slope of :math:`\log |S^T W S / \sigma^2 + \text{priors}|` after the shape.

    Half of it is what integrating the amplitudes out adds to half of chi-squared.

    Parameters
    ----------
    problem, spectrum, point
        What is fitted, and where.

    Returns
    -------
    ndarray, shape (p,)
        Slope; zero for the phases, which turn the data.
    """
    n, time, free = problem.n_basis, problem.band.time, np.flatnonzero(point.passive)
    fid, real = point.fid[free], point.signals.real[free]
    turned = np.vstack([fid * (2j * np.pi * time), fid * _gauss_slope(point.theta[2], time)])
    slopes = problem.band.spectra(turned)
    shift, width = slopes[: len(free)].real, -0.5 * slopes[: len(free)].imag
    q, shrinkage = problem.baseline.q, problem.baseline.shrinkage(spectrum.stiffness)
    weighted = real - ((real @ q.T) * shrinkage) @ q
    normal = weighted @ real.T / spectrum.sigma**2
    normal += spectrum.ratio_precision[np.ix_(free, free)]
    pull = 2.0 * np.linalg.solve(normal, weighted) / spectrum.sigma**2
    result = np.zeros(3 + 2 * n)
    result[2] = (pull * slopes[len(free) :].real).sum()
    result[3 + free] = (pull * shift).sum(axis=1)
    result[3 + n + free] = (pull * width).sum(axis=1)
    return result


def minimise(
    problem: Problem,
    spectrum: Spectrum,
    point: Point,
    directions: Array,
    max_steps: int = MAX_STEPS,
) -> tuple[Point, bool]:
    """Step the shape to the minimum of chi-squared.

    Parameters
    ----------
    problem, spectrum
        What is fitted.
    point : Point
        Start.
    directions : ndarray, shape (q, p)
        Rows span the steps that are allowed: all, or the common ones only.
    max_steps : int, optional
        Limit of the number of accepted steps.

    Returns
    -------
    point : Point
        The minimum.
    converged : bool
        Whether the last step promised less than 0.001 of chi-squared, or two in turn gained less
        than 0.005.
    """
    damping, gain = 1e-3, np.inf
    for _ in range(max_steps):
        hessian, downhill = normal_equations(problem, spectrum, point)
        hessian, downhill = directions @ hessian @ directions.T, directions @ downhill
        while True:
            damped = hessian + damping * np.diag(np.diag(hessian))
            step = np.linalg.solve(damped, downhill)
            promised = float(step @ (2.0 * downhill - hessian @ step))
            if promised < _ENOUGH:
                return point, True
            trial = evaluate(
                problem,
                spectrum,
                _within_limits(point.theta + step @ directions, problem),
                point.passive,
            )
            if trial.cost < point.cost:
                damping = max(damping * 0.2, 1e-6)
                if max(gain, point.cost - trial.cost) < _LITTLE:
                    return trial, True
                gain, point = point.cost - trial.cost, trial
                break
            damping *= 8.0
            if damping > 1e8:
                return point, promised < 1.0
    return point, False


def _within_limits(theta: Array, problem: Problem) -> Array:
    theta[2] = np.clip(theta[2], *_LOG_GAUSS)
    lorentz = theta[3 + problem.n_basis :]
    np.clip(lorentz, -_LORENTZ_LIMIT, _LORENTZ_LIMIT, out=lorentz)
    return theta
