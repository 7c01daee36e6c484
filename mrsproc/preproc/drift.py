r"""A prior on the frequency over time: a random walk with scatter.

The measured frequency is :math:`y_n = s_n + j_n + e_n`, with a slow part :math:`s_n = s_{n-1} +
u_n`, scatter :math:`j_n` from one transient to the next, and the error :math:`e_n` of the
measurement, whose variance is known. The variances of u and j are integrated over, on a grid of
their logarithms weighted by the likelihood. For each pair the slow part is Gaussian with a
tridiagonal precision, so that all of it costs a time proportional to the number of transients (the
Kalman smoother's result; Rauch 1965, 10.2514/3.3166).
"""

from typing import Final, NamedTuple

import numpy as np

from mrsproc.axes import Array

_LEAST: Final = 8  # transients that it takes to tell drift from scatter
_FLOOR: Final = 1e-12  # of the variance [Hz^2], for measurements that are all the same
_STEPS: Final = np.geomspace(1e-5, 1.0, 11)  # variances of u over that of the differences
_SCATTERS: Final = np.geomspace(1e-3, 1.0, 9)  # variances of j over that of the differences


class Smoothed(NamedTuple):
    """Frequencies with their prior."""

    value: Array
    """Posterior mean, slow part and scatter together."""
    sd: Array
    """Posterior SD."""


def smoothed(measured: Array, sd: Array, good: Array) -> Smoothed:
    """Return measurements drawn towards a random walk with scatter.

    Parameters
    ----------
    measured : ndarray, shape (n,)
        Measurements in order of time.
    sd : ndarray, shape (n,)
        SDs of their errors.
    good : ndarray of bool, shape (n,)
        Which of them the walk may learn from.

    Returns
    -------
    Smoothed
        As they came where there are fewer than 8 good ones.
    """
    if good.sum() < _LEAST:
        return Smoothed(measured, sd)
    error = sd**2
    size = max(float(np.var(np.diff(measured[good]))), _FLOOR)
    weights, means, squares = [], [], []
    for step in size * _STEPS:
        for scatter in size * _SCATTERS:
            likelihood, slow, variance = _walk(measured, error, good, (step, scatter))
            kept = np.where(good, scatter / (scatter + error), 0.0)
            mean = slow + kept * (measured - slow)
            own = np.where(good, kept * error, scatter)
            weights.append(likelihood)
            means.append(mean)
            squares.append(own + (1.0 - kept) ** 2 * variance + mean**2)
    weight = np.exp(np.array(weights) - max(weights))
    weight /= weight.sum()
    value = weight @ np.array(means)
    return Smoothed(value, np.sqrt(np.maximum(weight @ np.array(squares) - value**2, 0.0)))


def _walk(
    measured: Array, error: Array, good: Array, variances: tuple[float, float]
) -> tuple[float, Array, Array]:
    """Return log likelihood, mean and variance of the slow part."""
    from scipy.linalg import cholesky_banded, solve_banded

    step, scatter = variances
    n = measured.size
    precision = np.where(good, 1.0 / (scatter + error), 0.0)
    band = np.zeros((2, n))
    band[1] = precision
    band[1, :-1] += 1.0 / step
    band[1, 1:] += 1.0 / step
    band[0, 1:] = -1.0 / step
    factor = cholesky_banded(band)
    full = np.vstack([band[0], band[1], np.append(band[0, 1:], 0.0)])
    mean = solve_banded((1, 1), full, precision * measured)
    gone = measured - mean
    quadratic = (precision * gone**2).sum() + (np.diff(mean) ** 2).sum() / step
    log_determinant = (
        2.0 * np.log(factor[1]).sum() + (n - 1) * np.log(step) - np.log(precision[good]).sum()
    )
    return -0.5 * (quadratic + log_determinant), mean, _inverse_diagonal(factor)


def _inverse_diagonal(factor: Array) -> Array:
    """Return the diagonal of the inverse of a tridiagonal matrix from its Cholesky factor."""
    diagonal, above = factor[1], factor[0]
    inverse = np.zeros(diagonal.size)
    inverse[-1] = diagonal[-1] ** -2
    for i in range(diagonal.size - 2, -1, -1):
        inverse[i] = diagonal[i] ** -2 * (1.0 + above[i + 1] ** 2 * inverse[i + 1])
    return inverse
