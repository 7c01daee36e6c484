r"""How stiff the baseline of a spectrum is.

Restricted maximum likelihood (Patterson 1971, 10.1093/biomet/58.3.545; for splines Wood 2011,
10.1111/j.1467-9868.2010.00749.x): the baseline is a random process with variance
:math:`\sigma^2 / (\kappa s_k)`, the amplitudes are fixed effects X, and with the variance
profiled out the stiffness :math:`\kappa` minimises

.. math:: (n - p) \log(r^T W r) - \sum_k \log(1 - d_k) + \log |X^T W X|.

What the model cannot explain so counts as noise and does not soften the baseline. At low SNR the
criterion is flat, and its minimum says little. It is therefore read as minus twice the logarithm of
a likelihood, and every effective number of parameters is taken for equally probable beforehand. Its
mean is what the shape is fitted with; three stiffnesses that stand for a third of the probability
each are what the amplitudes are averaged over (`uncertainty`).

Modified Akaike criterion (Wilson 2021, 10.1002/mrm.28385): with the effective number of parameters
:math:`m = \sum_k d_k` of the baseline and n points it minimises :math:`\log(r^T r) + 2 f m / n`,
f = 5.
"""

from typing import Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.solve import Point, Problem

START_PER_PPM: Final = 3.5
"""Effective number of parameters per ppm at which a fit starts."""
_GRID_PER_PPM: Final = np.geomspace(0.6, 8.0, 16)
_MAIC_FACTOR: Final = 5.0
_NODES: Final = 3
_RIDGE: Final = 1e-10  # of the norm of a fixed effect: two may be all but the same


def stiffness_grid(problem: Problem) -> Array:
    """Return the stiffnesses that are compared, from stiff to soft, shape (16,)."""
    return np.array([problem.baseline.stiffness_for(per_ppm) for per_ppm in _GRID_PER_PPM])


def stiffness_and_nodes(
    problem: Problem, point: Point, columns: Array, grid: Array, options: FitOptions
) -> tuple[float, Array]:
    """Return the stiffness that the criterion prefers, and those that stand for all likely ones.

    Parameters
    ----------
    problem, point
        What is fitted, and where.
    columns : ndarray, shape (p, n)
        Fixed effects: signals that are free, and derivatives after the common shape.
    grid : ndarray
        Stiffnesses to compare.
    options : FitOptions
        Names the criterion.

    Returns
    -------
    stiffness : float
        That whose effective number of parameters is the mean under the restricted likelihood, or
        the minimum of Akaike's criterion.
    nodes : ndarray, shape (3,) or (1,)
        Of equal probability, with the mean and the variance that the effective number of parameters
        has under the restricted likelihood; the one that is preferred by another criterion, which
        is not a likelihood.
    """
    stacked = np.vstack([point.data.real[None], columns])
    onto = stacked @ problem.baseline.q.T
    plain = stacked @ stacked.T
    shrinkage = problem.baseline.shrinkage(grid[:, None])
    place, dimension = np.log(grid), shrinkage.sum(axis=1)
    if options.baseline == "maic":
        best = _parabolic_minimum(place, _maic(problem, plain, onto, shrinkage))
        return best, np.array([best])
    values = _reml(problem, plain, onto, shrinkage)
    weight = np.exp(0.5 * (values.min() - values)) * np.gradient(dimension)
    weight /= weight.sum()
    mean = weight @ dimension
    spread = _thirds(weight) @ dimension - mean
    spread *= np.sqrt(weight @ (dimension - mean) ** 2 / max(np.mean(spread**2), _RIDGE))
    return _at(mean, dimension, place), _at(mean + spread, dimension, place)


def _at(dimension: Array, dimensions: Array, place: Array) -> Any:
    """Return the stiffnesses that leave given effective numbers of parameters, within the grid."""
    return np.exp(np.interp(dimension, dimensions, place))


def _thirds(weight: Array) -> Array:
    """Return the weights within the lower, middle and upper third, each of sum 1."""
    parts = np.linspace(0.0, 1.0, _NODES + 1)
    below = np.concatenate([[0.0], np.cumsum(weight)])
    inside = np.clip(below, parts[:-1, None], parts[1:, None])
    return np.asarray(np.diff(inside, axis=1) * _NODES)


def _reml(problem: Problem, plain: Array, onto: Array, shrinkage: Array) -> Array:
    """Return the criterion for each row of `shrinkage`, from one Cholesky factor each.

    With the data as last row, the last diagonal element of the factor is the root of what is left
    over, and the others give the determinant of the fixed effects.
    """
    order = np.r_[1 : len(plain), 0]
    plain, onto = plain[np.ix_(order, order)], onto[order]
    weighted = plain - (onto * shrinkage[:, None]) @ onto.T
    size = np.sqrt(np.diagonal(weighted, axis1=1, axis2=2))
    weighted /= size[:, :, None] * size[:, None, :]
    weighted += np.diag(np.where(order == 0, 0.0, _RIDGE))
    diagonal = np.diagonal(np.linalg.cholesky(weighted), axis1=1, axis2=2)
    logs = np.log(diagonal) + np.log(size)
    random = problem.baseline.roughness > 0.0
    free = problem.baseline.q.shape[1] - len(plain) + 1
    prior = np.log1p(-shrinkage[:, random]).sum(axis=1)
    return np.asarray(2.0 * free * logs[:, -1] - prior + 2.0 * logs[:, :-1].sum(axis=1))


def _maic(problem: Problem, plain: Array, onto: Array, shrinkage: Array) -> Array:
    n = problem.baseline.q.shape[1]
    values = []
    for row in shrinkage:
        weighted = plain - (onto * row) @ onto.T
        twice = plain - (onto * (2.0 * row - row**2)) @ onto.T
        amplitude = np.linalg.lstsq(weighted[1:, 1:], weighted[1:, 0], rcond=1e-10)[0]
        full = np.concatenate([[1.0], -amplitude])
        values.append(np.log(full @ twice @ full) + 2.0 * _MAIC_FACTOR * row.sum() / n)
    return np.array(values)


def _parabolic_minimum(x: Array, y: Array) -> float:
    best = int(np.argmin(y))
    if best in (0, len(x) - 1):
        return float(np.exp(x[best]))
    a, b, _ = np.polyfit(x[best - 1 : best + 2] - x[best], y[best - 1 : best + 2], 2)
    lowest = x[best] - b / (2.0 * a) if a > 0.0 else x[best]
    return float(
        np.exp(np.clip(lowest, min(x[best - 1], x[best + 1]), max(x[best - 1], x[best + 1])))
    )
