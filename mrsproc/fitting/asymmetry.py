r"""Lines that lean to one side, all in the same way.

After shimming a line is rarely symmetric. What is common to all signals multiplies their FIDs by

.. math:: h(t) = 1 + i \sum_{k=1}^{3} b_k \sin(2 \pi k \delta t), \qquad \delta = 3\ \text{Hz},

which in the spectrum adds :math:`b_k / 2` of each line k times 3 Hz to one side and takes as much
away on the other: areas stay as they are. The weights have the prior :math:`N(0, 0.1^2)`. They are
found by Gauss-Newton steps together with everything else, and are kept only where the evidence
rises (Laplace's approximation; MacKay 1992, 10.1162/neco.1992.4.3.415): where chi-squared falls by
more than :math:`b^2 / 0.1^2 + \log |0.1^2 H_b|`, :math:`H_b` being their Hessian.
"""

import dataclasses
from typing import Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.fitting.solve import (
    Point,
    Problem,
    Spectrum,
    baseline_and_residual,
    downhill,
    evaluate,
    information,
    jacobian,
    minimise,
    within_limits,
)

N_WEIGHTS: Final = 3
WEIGHT_SD: Final = 0.1
_SPACING_HZ: Final = 3.0
_STEPS: Final = 2


class Asymmetric(NamedTuple):
    """A fit with asymmetric lines."""

    problem: Problem
    """Problem whose signals have the lineshape."""
    point: Point
    """Its minimum."""
    weights: Array
    """b, shape (3,)."""


def lineshape(time: Array, weights: Array) -> Array:
    """Return the factor h that all FIDs have in common.

    Parameters
    ----------
    time : ndarray, shape (m,)
        Time [s].
    weights : ndarray, shape (3,)
        b.

    Returns
    -------
    ndarray of complex, shape (m,)
        1 at time 0, and never smaller than 1 in magnitude.
    """
    return np.asarray(1.0 + weights @ _functions(time))


def columns(problem: Problem, point: Point, weights: Array) -> Array:
    """Return the derivatives of the model after the weights, shape (3, n)."""
    time = problem.band.time
    total = (point.amplitude @ point.fid) / lineshape(time, weights)
    return np.asarray(problem.band.spectra(total * _functions(time)).real)


def with_asymmetry(problem: Problem, spectrum: Spectrum, point: Point) -> Asymmetric | None:
    """Fit asymmetric lines.

    Parameters
    ----------
    problem, spectrum, point
        What is fitted, and the minimum with symmetric lines.

    Returns
    -------
    Asymmetric or None
        The fit; None where the evidence prefers symmetric lines.
    """
    weights, bent, current = np.zeros(N_WEIGHTS), problem, point
    for _ in range(_STEPS):
        step, hessian = _newton_step(bent, spectrum, current, weights)
        weights = weights + step[:N_WEIGHTS]
        shape = lineshape(problem.band.time, weights)
        band = dataclasses.replace(problem.band, fid=problem.band.fid * shape)
        bent = dataclasses.replace(problem, band=band)
        theta = within_limits(current.theta + step[N_WEIGHTS:], bent)
        start = evaluate(bent, spectrum, theta, current.passive)
        current, converged = minimise(bent, spectrum, start)
    penalty = weights @ weights / WEIGHT_SD**2 + np.linalg.slogdet(hessian * WEIGHT_SD**2)[1]
    if not converged or point.cost - current.cost < penalty:
        return None
    return Asymmetric(bent, current, weights)


def _functions(time: Array) -> Array:
    turns = np.arange(1, N_WEIGHTS + 1)[:, None] * _SPACING_HZ
    return np.asarray(1j * np.sin(2.0 * np.pi * turns * time))


def _newton_step(
    problem: Problem, spectrum: Spectrum, point: Point, weights: Array
) -> tuple[Array, Array]:
    """Return the step of weights and shape, and the Hessian of the weights, all else free."""
    kernel = columns(problem, point, weights)
    full = information(problem, spectrum, point, np.vstack([kernel, jacobian(problem, point)]))
    p = N_WEIGHTS + point.theta.size
    full[:N_WEIGHTS, :N_WEIGHTS] += np.eye(N_WEIGHTS) / WEIGHT_SD**2
    full[N_WEIGHTS:p, N_WEIGHTS:p] += spectrum.prior.precision
    free = np.flatnonzero(np.r_[np.ones(p, bool), point.passive])
    inverse = np.linalg.inv(full[np.ix_(free, free)])
    _, residual = baseline_and_residual(problem, spectrum, point)
    slope = kernel @ residual / spectrum.sigma**2 - weights / WEIGHT_SD**2
    slope = np.concatenate([slope, downhill(problem, spectrum, point)])
    return inverse[:p, :p] @ slope, np.linalg.inv(inverse[:N_WEIGHTS, :N_WEIGHTS])
