"""Penalised splines in the Demmler-Reinsch basis."""

import numpy as np

from mrsproc.axes import Array


def bspline_design(x: Array, low: float, high: float, n_intervals: int, degree: int = 3) -> Array:
    """Return B-splines on equidistant knots.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Where to evaluate, between `low` and `high`.
    low, high : float
        Ends of the range of the knots.
    n_intervals : int
        Number of intervals between knots.
    degree : int, default 3
        Degree of the polynomials.

    Returns
    -------
    ndarray, shape (n, n_intervals + degree)
        One column for each spline; rows sum to 1.

    References
    ----------
    Eilers 1996, 10.1214/ss/1038425655.

    Examples
    --------
    >>> bspline_design(np.array([0.0, 0.5]), 0.0, 1.0, 2, 1).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    position = (np.asarray(x, float) - low) / (high - low) * n_intervals
    knots = np.arange(-degree, n_intervals + degree + 1)
    cell = np.clip(np.floor(position), 0, n_intervals - 1)
    splines = (cell[:, None] == knots[:-1]).astype(float)
    for order in range(1, degree + 1):
        left = (position[:, None] - knots[: -order - 1]) / order * splines[:, :-1]
        right = (knots[order + 1 :] - position[:, None]) / order * splines[:, 1:]
        splines = left + right
    return np.asarray(splines)


def demmler_reinsch(
    design: Array, penalty_order: int = 2, free: Array | None = None
) -> tuple[Array, Array]:
    """Return an orthonormal basis of a spline space in which the roughness penalty is diagonal.

    The smooth of y at stiffness k is then ``q.T @ ((q @ y) / (1 + k * roughness))``.

    Parameters
    ----------
    design : ndarray, shape (n, m)
        Splines, a column each.
    penalty_order : int, default 2
        Order of the differences of coefficients that are penalised.
    free : ndarray, shape (n, k), optional
        Further functions, a column each, that belong to the space and are not penalised.

    Returns
    -------
    q : ndarray, shape (m + k, n)
        Orthonormal functions, a row each, smoothest first.
    roughness : ndarray, shape (m + k,)
        Their penalties, ascending; zero for the polynomials of degree below `penalty_order` and
        for `free`.

    References
    ----------
    Ruppert 2003, Semiparametric Regression, 10.1017/CBO9780511755453, appendix B.
    """
    n_free = 0 if free is None else free.shape[1]
    differences = np.diff(np.eye(design.shape[1]), penalty_order, axis=0)
    if free is not None:
        design = np.hstack([design, free / np.linalg.norm(free, axis=0)])
        differences = np.hstack([differences, np.zeros((len(differences), n_free))])
    orthonormal, triangle = np.linalg.qr(design)
    rough = np.linalg.solve(triangle.T, differences.T)
    values, vectors = np.linalg.eigh(rough @ rough.T)
    values[: penalty_order + n_free] = 0.0
    return (orthonormal @ vectors).T.copy(), np.maximum(values, 0.0)
