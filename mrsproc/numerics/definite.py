"""Positive definite matrices: systems and inverses."""

import numpy as np
from scipy.linalg.lapack import dposv, dpotrf, dpotri

from mrsproc.axes import Array


def solve_definite(matrix: Array, right: Array) -> Array:
    """Solve a positive definite system; by elimination where rounding made it less than that.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Symmetric.
    right : ndarray, shape (n,) or (n, k)
        Right-hand sides.

    Returns
    -------
    ndarray, shape of `right`
        The solution.

    Raises
    ------
    numpy.linalg.LinAlgError
        The matrix is singular.
    """
    if not matrix.size:
        return np.zeros_like(right)
    _, solution, failed = dposv(matrix, right)
    return np.asarray(np.linalg.solve(matrix, right) if failed else solution)


def inverted(matrix: Array) -> Array:
    """Return the inverse of an information matrix.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Symmetric; units may differ from row to row.

    Returns
    -------
    ndarray, shape (n, n)
        Its inverse; NaN throughout where it is not positive definite.
    """
    size = 1.0 / np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    factor, failed = dpotrf(matrix * np.outer(size, size))
    if failed:
        return np.full_like(matrix, np.nan)
    half = np.triu(dpotri(factor)[0])
    return np.asarray((half + np.triu(half, 1).T) * np.outer(size, size))
