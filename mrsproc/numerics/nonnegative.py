"""Least squares with non-negative coefficients, from normal equations."""

import numpy as np

from mrsproc.axes import Array
from mrsproc.numerics.definite import solve_definite


def nonnegative_least_squares(gram: Array, moment: Array, passive: Array) -> tuple[Array, Array]:
    r"""Minimise :math:`x^T G x - 2 m^T x` subject to x >= 0.

    Parameters
    ----------
    gram : ndarray, shape (n, n)
        G, positive definite.
    moment : ndarray, shape (n,)
        m.
    passive : ndarray of bool, shape (n,)
        Start: which coefficients are taken to be positive.

    Returns
    -------
    x : ndarray, shape (n,)
        The minimum.
    passive : ndarray of bool, shape (n,)
        Which coefficients are free at the minimum.

    Raises
    ------
    numpy.linalg.LinAlgError
        No finite solution.

    References
    ----------
    Lawson 1995, Solving Least Squares Problems, 10.1137/1.9781611971217, chapter 23; started warm
    as in Bro 1997, 10.1002/(SICI)1099-128X(199709/10)11:5<393::AID-CEM483>3.0.CO;2-L.

    Examples
    --------
    >>> x, free = nonnegative_least_squares(np.eye(2), np.array([1.0, -1.0]), np.ones(2, bool))
    >>> x.tolist(), free.tolist()
    ([1.0, 0.0], [True, False])
    """
    n = moment.size
    passive = passive.copy()
    x = np.zeros(n)
    tolerance = 1e-10 * (np.abs(moment).max() + np.finfo(float).tiny)
    _shed_negative(gram, moment, x, passive)
    for _ in range(3 * n):
        slope = moment - gram @ x
        slope[passive] = 0.0
        best = int(np.argmax(slope))
        if slope[best] <= tolerance:
            break
        passive[best] = True
        _shed_negative(gram, moment, x, passive)
    return x, passive


def _shed_negative(gram: Array, moment: Array, x: Array, passive: Array) -> None:
    """Move x to the minimum over the passive set, in place, dropping what would turn negative."""
    while True:
        index = np.flatnonzero(passive)
        if index.size == 0:
            x[:] = 0.0
            return
        target = solve_definite(gram[index[:, None], index], moment[index])
        if not np.isfinite(target).all():
            raise np.linalg.LinAlgError("the normal equations have no finite solution")
        if (target > 0.0).all():
            x[:] = 0.0
            x[index] = target
            return
        current = x[index]
        down = target <= 0.0
        length = np.min(current[down] / np.maximum(current[down] - target[down], 1e-300))
        moved = current + min(length, 1.0) * (target - current)
        leave = down & (moved <= 1e-12 * max(float(np.abs(moved).max()), 1e-300))
        if not leave.any():
            leave = down
        x[:] = 0.0
        x[index] = np.where(leave, 0.0, np.maximum(moved, 0.0))
        passive[index[leave]] = False
