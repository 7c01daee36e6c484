"""Propagation of a covariance to sums, ratios and logarithms of estimates (delta method)."""

import numpy as np

from mrsproc.axes import Array


def of_sums(weights: Array, covariance: Array) -> Array:
    """Return the covariance of weighted sums.

    Parameters
    ----------
    weights : ndarray, shape (m, n)
        One row of weights for each sum.
    covariance : ndarray, shape (..., n, n)
        Covariance of the terms.

    Returns
    -------
    ndarray, shape (..., m, m)
        Covariance of the sums.

    Examples
    --------
    >>> of_sums(np.array([[1.0, 1.0]]), np.array([[1.0, -0.5], [-0.5, 1.0]])).tolist()
    [[1.0]]
    """
    return np.asarray(weights @ covariance @ np.swapaxes(weights, -1, -2))


def ratio(estimate: Array, covariance: Array, reference: int) -> tuple[Array, Array]:
    """Return the ratios of estimates to one of them, with SDs.

    Parameters
    ----------
    estimate : ndarray, shape (..., n)
        Estimates.
    covariance : ndarray, shape (..., n, n)
        Their covariance.
    reference : int
        Which is the denominator.

    Returns
    -------
    value, sd : ndarray, shape (..., n)
        Ratios and SDs; NaN where the denominator is not positive, and SD 0 for the denominator
        itself.

    Notes
    -----
    To first order in the relative SD of the denominator, which must be well above zero.

    Examples
    --------
    >>> value, sd = ratio(np.array([1.0, 2.0]), np.diag([0.01, 0.0]), 1)
    >>> value.tolist(), sd.tolist()
    ([0.5, 1.0], [0.05, 0.0])
    """
    below = estimate[..., reference : reference + 1]
    below = np.where(below > 0.0, below, np.nan)
    value = estimate / below
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    cross = covariance[..., :, reference]
    relative = variance - 2.0 * value * cross + value**2 * variance[..., reference : reference + 1]
    return value, np.sqrt(np.maximum(relative, 0.0)) / below
