"""The fit of one spectrum: start, stiffness of the baseline and minimum in turn, uncertainty."""

import dataclasses
from typing import Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.fitting.asymmetry import N_WEIGHTS, columns, with_asymmetry
from mrsproc.fitting.batch import Batch
from mrsproc.fitting.priors import BEYOND_HZ, COMMON_LORENTZ_HZ, LORENTZ_RANGE_HZ
from mrsproc.fitting.solve import (
    RIDGE,
    Point,
    Problem,
    Spectrum,
    baseline_and_residual,
    common_directions,
    common_jacobian,
    evaluate,
    hessian,
    minimise,
    reweighted,
)
from mrsproc.fitting.start import shape_that_wants_more, starting_points
from mrsproc.fitting.stiffness import stiffness_and_nodes
from mrsproc.fitting.uncertainty import Uncertainty, uncertainty
from mrsproc.fitting.volume import volume_slope
from mrsproc.numerics.definite import inverted, solve_definite

_ROUGHLY: Final = 0.3  # of chi-squared: what a minimum may leave that others follow

_SECOND_CHANCES: Final = 3  # for signals held at zero at the wrong shift
_FIRMEST: Final = 1e-3  # of the noise: SD of the firmest ratio prior


class Single(NamedTuple):
    """The fit of one spectrum."""

    point: Point
    spectrum: Spectrum
    amplitude: Uncertainty
    converged: bool
    asymmetry: Array
    """Weights of the asymmetric lineshape, zero where lines are symmetric."""


def fit_one(batch: Batch, fid: Array, noise: float) -> Single | None:
    """Fit one FID, from further starts only where the first one fails.

    Parameters
    ----------
    batch : Batch
        What is fitted.
    fid : ndarray of complex, shape (n_points,)
        FID.
    noise : float
        SD of the noise of its real spectrum.

    Returns
    -------
    Single or None
        The fit, which may not have converged; None where matrices were singular from every start.
    """
    spectrum = fresh_spectrum(batch, fid, noise)
    trials: list[Single] = []
    for point in starting_points(batch.problem, batch.templates, spectrum):
        try:
            trials.append(_from_start(batch, dataclasses.replace(spectrum), point))
        except np.linalg.LinAlgError:
            continue
        if trials[-1].converged:
            return trials[-1]
    return min(trials, key=lambda trial: trial.point.cost) if trials else None


def fresh_spectrum(batch: Batch, fid: Array, noise: float) -> Spectrum:
    """Return a FID with the settings that a fit begins with; parameters as for `fit_one`."""
    problem = batch.problem
    n = problem.n_basis
    return Spectrum(
        values=problem.band.of_data(fid),
        noise=noise,
        sigma=noise,
        stiffness=batch.start_stiffness,
        nodes=np.array([batch.start_stiffness]),
        prior=problem.prior,
        ratio_precision=np.zeros((n, n)),
        volume_slope=np.zeros(3 + 2 * n),
    )


def _from_start(batch: Batch, spectrum: Spectrum, point: Point) -> Single:
    """Fit the common shape, then twice all shapes with what was learnt about the rest before."""
    problem = batch.problem
    common = common_directions(problem.n_basis)
    point, _ = minimise(problem, spectrum, point, common, enough=_ROUGHLY)
    _learn(batch, spectrum, point)
    spectrum.ratio_precision = _ratio_precision(
        problem, point.amplitude, point.gram, spectrum.sigma
    )
    point, _ = minimise(problem, spectrum, reweighted(problem, spectrum, point), enough=_ROUGHLY)
    for _ in range(_SECOND_CHANCES):
        theta = shape_that_wants_more(problem, spectrum, point)
        if theta is None:
            break
        other = evaluate(problem, spectrum, theta, point.passive)
        other, _ = minimise(problem, spectrum, other, enough=_ROUGHLY)
        if other.cost < point.cost:
            point = other
    _learn(batch, spectrum, point)
    point = reweighted(problem, spectrum, point)
    point, converged = _last_step(problem, spectrum, point)
    kernel, weights = None, np.zeros(N_WEIGHTS)
    if batch.options.lineshape == "asymmetric":
        bent = with_asymmetry(problem, spectrum, point)
        if bent is not None:
            problem, point, weights = bent
            kernel = columns(problem, point, weights)
    spectrum.sigma = _left_over(batch, problem, spectrum, point)
    shared = batch.options.priors == "default"
    found = uncertainty(problem, spectrum, point, shared=shared, kernel=kernel)
    return Single(point, spectrum, found, converged, weights)


def _last_step(problem: Problem, spectrum: Spectrum, point: Point) -> tuple[Point, bool]:
    """Fit all shapes with the spread of shifts and the common width that the fit so far allows.

    A common width beyond its range is fitted again, with more expected of it. Where it is too
    large, without the slope of the volume, which is linear and lets lines grow to the limit.
    """
    curvature = hessian(problem, spectrum, point)
    inverse = inverted(curvature)
    spectrum.shape_dimension = len(inverse) - float((spectrum.prior.precision * inverse).sum())
    curvature -= spectrum.prior.precision
    prior = problem.prior.with_spread_of(point.theta, np.diag(inverse))
    spectrum.prior = prior.with_common_width(COMMON_LORENTZ_HZ)
    curvature += spectrum.prior.precision
    spectrum.volume_slope = volume_slope(problem, spectrum, point)
    start = reweighted(problem, spectrum, point)
    point, converged = minimise(problem, spectrum, start, curvature=curvature)
    width = prior.common_width(point.theta)
    end = float(np.clip(width, *LORENTZ_RANGE_HZ))
    if width == end:
        return point, converged
    spectrum.prior = prior.with_common_width(COMMON_LORENTZ_HZ, (end, BEYOND_HZ))
    if width > end:
        spectrum.volume_slope = np.zeros_like(point.theta)
    return minimise(problem, spectrum, reweighted(problem, spectrum, start))


def _learn(batch: Batch, spectrum: Spectrum, point: Point) -> None:
    """Set stiffness and noise to what a fit says."""
    problem = batch.problem
    if isinstance(batch.options.baseline, str):
        fixed = np.vstack([point.signals.real[point.passive], common_jacobian(problem, point)])
        spectrum.stiffness, spectrum.nodes = stiffness_and_nodes(
            problem, point, fixed, batch.stiffness, batch.options
        )
    spectrum.sigma = _left_over(batch, problem, spectrum, point)


def _left_over(batch: Batch, problem: Problem, spectrum: Spectrum, point: Point) -> float:
    r"""Return the SD of what the model leaves over, from the residual and the noise as measured.

    Where both agree, their mean, weighted by how well each is known: of n points the residual gives
    the logarithm of its SD to :math:`(2 n)^{-1/2}`, the noise the rest of the weight. What the
    residual has beyond the noise is misfit, as far as chance does not make it: of a difference of
    t SDs of chance the part :math:`1 - 1 / t^2` counts (shrinkage; Efron 1973, 10.2307/2284155).
    """
    left, weight = residual_sd(problem, spectrum, point), batch.noise_weight
    variance = weight * spectrum.noise**2 + (1.0 - weight) * left**2
    chance = (2.0 * weight * problem.band.ppm.size) ** -0.5
    excess = float(np.log(max(left / spectrum.noise, 1.0)))
    if excess > chance:
        variance += (1.0 - (chance / excess) ** 2) * (left**2 - variance)
    return float(np.sqrt(variance))


def residual_sd(problem: Problem, spectrum: Spectrum, point: Point) -> float:
    """Return the SD of the residual, for the number of parameters that were fitted."""
    _, residual = baseline_and_residual(problem, spectrum, point)
    free = problem.baseline.shrinkage(spectrum.stiffness).sum() + spectrum.shape_dimension
    free += _amplitude_dimension(spectrum, point)
    return float(np.sqrt(residual @ residual / max(residual.size - free, 1.0)))


def _amplitude_dimension(spectrum: Spectrum, point: Point) -> float:
    """Return the effective number of amplitudes: those that are free, less what priors decide."""
    free = np.flatnonzero(point.passive)
    prior = spectrum.ratio_precision[np.ix_(free, free)]
    normal = point.gram[np.ix_(1 + free, 1 + free)] / spectrum.sigma**2 + prior
    return float(free.size - np.trace(solve_definite(normal, prior)))


def _ratio_precision(problem: Problem, amplitude: Array, gram: Array, sigma: float) -> Array:
    """Return the precision of the ratio priors at the amplitudes of their references.

    These come from the first fit, in which no ratio prior acts: priors would else feed on what they
    have shrunk, macromolecules above all, whose reference is their own sum. That sum may be lost to
    lipids, with which it shares its lines, but macromolecules are never absent: the square of their
    reference is that of the amplitude and the variance, of all amplitudes free, so that priors are
    the wider the less is known of the sum. Lipids may be absent, and weak ones are where strong
    ones are.
    Where a reference all but vanishes the prior would be infinitely firm; what is firmer than a
    thousandth of the noise makes no difference but to rounding.
    """
    deviation, scale = problem.ratio_rows
    reference = scale @ amplitude
    own = ((deviation > 0.0) & (scale > 0.0)).any(axis=1)
    reference[own] = np.hypot(reference[own], sigma * _scatter(scale[own], gram[1:, 1:]))
    usable = reference > 0.0
    least = _FIRMEST * sigma * np.linalg.norm(deviation[usable], axis=1)
    rows = deviation[usable] / np.maximum(reference[usable], least)[:, None]
    return np.asarray(rows.T @ rows)


def _scatter(sums: Array, normal: Array) -> Array:
    """Return the SD of sums of amplitudes, in SDs of the noise."""
    normal = normal + RIDGE * np.diag(np.diag(normal))
    return np.asarray(np.sqrt((sums * solve_definite(normal, sums.T).T).sum(axis=1)))
