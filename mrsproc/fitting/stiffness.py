r"""How stiff the baseline of a spectrum is.

Restricted maximum likelihood (Patterson 1971, 10.1093/biomet/58.3.545; for splines Wood 2011,
10.1111/j.1467-9868.2010.00749.x): the baseline is a random process with variance
:math:`\sigma^2 / (\kappa s_k)`, the amplitudes are fixed effects X, and with the variance
profiled out the stiffness :math:`\kappa` minimises

.. math:: (n - p) \log(r^T W r) - \sum_k \log(1 - d_k) + \log |X^T W X|.

What the model cannot explain so counts as noise and does not soften the baseline.

Modified Akaike criterion (Wilson 2021, 10.1002/mrm.28385): with the effective number of parameters
:math:`m = \sum_k d_k` of the baseline and n points it minimises :math:`\log(r^T r) + 2 f m / n`,
f = 5.
"""

from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.solve import Point, Problem

START_PER_PPM: Final = 3.5
"""Effective number of parameters per ppm at which a fit starts."""
_GRID_PER_PPM: Final = np.geomspace(0.6, 8.0, 16)
_MAIC_FACTOR: Final = 5.0


def stiffness_grid(problem: Problem) -> Array:
    """Return the stiffnesses that are compared, from stiff to soft, shape (16,)."""
    return np.array([problem.baseline.stiffness_for(per_ppm) for per_ppm in _GRID_PER_PPM])


def chosen_stiffness(
    problem: Problem, point: Point, columns: Array, grid: Array, options: FitOptions
) -> float:
    """Return the stiffness that the criterion of the options prefers.

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
    float
        The best, between the points of the grid by a parabola.
    """
    stacked = np.vstack([point.data.real[None], columns])
    onto = stacked @ problem.baseline.q.T
    plain = stacked @ stacked.T
    criterion = _reml if options.baseline == "reml" else _maic
    values = np.array([criterion(problem, plain, onto, stiffness) for stiffness in grid])
    return _parabolic_minimum(np.log(grid), values)


def _reml(problem: Problem, plain: Array, onto: Array, stiffness: float) -> float:
    shrinkage = problem.baseline.shrinkage(stiffness)
    weighted = plain - (onto * shrinkage) @ onto.T
    normal = weighted[1:, 1:]
    scale = 1.0 / np.sqrt(np.diag(normal))
    normal = normal * np.outer(scale, scale) + 1e-10 * np.eye(len(scale))
    moment = weighted[1:, 0] * scale
    left = weighted[0, 0] - moment @ np.linalg.solve(normal, moment)
    random = problem.baseline.roughness > 0.0
    log_prior = -np.log1p(-shrinkage[random]).sum()
    free = problem.baseline.q.shape[1] - len(scale)
    return float(
        free * np.log(left) + log_prior + np.linalg.slogdet(normal)[1] - 2.0 * np.log(scale).sum()
    )


def _maic(problem: Problem, plain: Array, onto: Array, stiffness: float) -> float:
    shrinkage = problem.baseline.shrinkage(stiffness)
    weighted = plain - (onto * shrinkage) @ onto.T
    twice = plain - (onto * (2.0 * shrinkage - shrinkage**2)) @ onto.T
    amplitude = np.linalg.lstsq(weighted[1:, 1:], weighted[1:, 0], rcond=1e-10)[0]
    full = np.concatenate([[1.0], -amplitude])
    squares = float(full @ twice @ full)
    n = problem.baseline.q.shape[1]
    return float(np.log(squares) + 2.0 * _MAIC_FACTOR * shrinkage.sum() / n)


def _parabolic_minimum(x: Array, y: Array) -> float:
    best = int(np.argmin(y))
    if best in (0, len(x) - 1):
        return float(np.exp(x[best]))
    a, b, _ = np.polyfit(x[best - 1 : best + 2] - x[best], y[best - 1 : best + 2], 2)
    lowest = x[best] - b / (2.0 * a) if a > 0.0 else x[best]
    return float(
        np.exp(np.clip(lowest, min(x[best - 1], x[best + 1]), max(x[best - 1], x[best + 1])))
    )
