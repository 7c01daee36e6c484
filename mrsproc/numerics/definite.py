"""Linear systems whose matrix is positive definite."""

import numpy as np
from scipy.linalg.lapack import dposv

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
    _, solution, failed = dposv(matrix, right)
    return np.asarray(np.linalg.solve(matrix, right) if failed else solution)
