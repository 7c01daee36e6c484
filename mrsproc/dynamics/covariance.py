r"""Covariance of what a joint fit estimates.

Thermal: the inverse of the Fisher information, Bayesian where priors act, and what the stiffness of
the baseline adds that is an estimate itself (`mrsproc.fitting.uncertainty`).

Amplitudes of constant signals are not negative: the mean and the covariance are those of the normal
distribution that is cut off there, as for a single spectrum (`mrsproc.fitting.uncertainty`).

Robust: what transients really scatter. With :math:`s_n` the part of the score that transient n
contributes, :math:`H^{-1} M H^{-1}`, where M is the long-run covariance of the scores (Newey 1987,
10.2307/1913610): neighbours may be correlated, and noise need not be what was measured. It needs
many transients.
"""

from typing import NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.dynamics.model import Model, Point, Session
from mrsproc.dynamics.solve import Linearised, without_local
from mrsproc.numerics.definite import inverted
from mrsproc.numerics.truncated import positive_normal


class Covariances(NamedTuple):
    """Values and covariances of coefficients and unknowns, in the scale of `band`."""

    mean: Array
    """Values, shape (n_terms + n_unknowns,)."""
    thermal: Array
    """Shape (n_terms + n_unknowns,) * 2."""
    robust: Array
    """The same shape."""


def covariances(
    session: Session, model: Model, point: Point, tangent: Linearised, *, shared: bool = True
) -> Covariances:
    """Return values and covariances of coefficients and unknowns.

    Parameters
    ----------
    session, model, point
        What was fitted, and the minimum.
    tangent : Linearised
        The session to first order there.
    shared : bool, default True
        Whether amplitudes that cannot be negative are posterior means, those of
        `mrsproc.numerics.truncated` with the full lift: of all transients together signals are
        clear of zero, or not there; else the minimum itself.

    Returns
    -------
    Covariances
        NaN throughout where the information matrix is singular.
    """
    size, unknowns = len(tangent.information), len(model.bounds)
    wanted = np.r_[np.arange(model.n_terms), np.arange(size - unknowns, size)]
    inverse = inverted(tangent.information)
    meat = _long_run(_scores(session, point, tangent)) + tangent.precision
    robust = inverse @ meat @ inverse
    move, thermal = _over_stiffness(session, model, point, tangent, wanted)
    mean = np.concatenate([point.coefficient, point.unknowns])
    bounded = np.flatnonzero(model.nonnegative)
    if shared and bounded.size and np.isfinite(thermal).all():
        mean[: model.n_terms] += move[: model.n_terms]
        mean, thermal = _restricted(mean, thermal, bounded)
    return Covariances(mean, thermal, robust[np.ix_(wanted, wanted)])


def _over_stiffness(
    session: Session, model: Model, point: Point, tangent: Linearised, wanted: Array
) -> tuple[Array, Array]:
    """Return how parameters move, and their covariance, over the likely stiffnesses."""
    smooth = model.n_terms + np.arange(point.smooth.size)
    moves, inverses = [], []
    for relative in session.nodes / session.stiffness:
        added = (relative - 1.0) * session.baseline_precision
        information, downhill = tangent.information.copy(), tangent.downhill.copy()
        information[smooth, smooth] += added
        downhill[smooth] -= added * point.smooth
        inverse = inverted(information)[wanted]
        moves.append(inverse @ downhill)
        inverses.append(inverse[:, wanted])
    off = np.array(moves) - np.mean(moves, axis=0)
    return np.mean(moves, axis=0), np.mean(inverses, axis=0) + off.T @ off / len(off)


def _restricted(mean: Array, covariance: Array, bounded: Array) -> tuple[Array, Array]:
    """Return mean and covariance of a normal distribution, some of whose values are positive."""
    inner = covariance[np.ix_(bounded, bounded)]
    positive, narrowed = positive_normal(mean[bounded], inner)
    along = np.linalg.solve(inner, covariance[bounded]).T
    moved = mean + along @ (positive - mean[bounded])
    return moved, covariance + along @ (narrowed - inner) @ along.T


def _scores(session: Session, point: Point, tangent: Linearised) -> Array:
    """Return what each transient adds to the gradient, shape (n, n_parameters)."""
    heavy = without_local(session, tangent.local, tangent.spectra)
    weighted = tangent.times * session.weight[:, None]
    return tangent.columns.scores(weighted, point.residual @ heavy.T)


def _long_run(scores: Array) -> Array:
    """Return the covariance of the sum of a correlated series, by Bartlett weights."""
    n = len(scores)
    centred = scores - scores.mean(axis=0)
    lags = min(int(4.0 * (n / 100.0) ** (2.0 / 9.0)) + 1, n // 4)
    total = centred.T @ centred
    for lag in range(1, lags + 1):
        product = centred[lag:].T @ centred[:-lag]
        total += (1.0 - lag / (lags + 1.0)) * (product + product.T)
    return np.asarray(total * n / max(n - 2.0, 1.0))


class AddedColumn(NamedTuple):
    """A parameter that was not fitted, estimated to first order."""

    estimate: float
    """Its value."""
    sd: float
    """Its SD."""


def added_column(
    session: Session, point: Point, tangent: Linearised, course: Array, spectrum: Array
) -> AddedColumn:
    """Estimate the coefficient of one more product of time course and spectrum (Rao's score test).

    Parameters
    ----------
    session, point, tangent
        What was fitted, the minimum, and the session to first order there.
    course : ndarray, shape (n,)
        Time course.
    spectrum : ndarray, shape (m,)
        Spectrum.

    Returns
    -------
    AddedColumn
        To first order, all else free.
    """
    heavy = without_local(session, tangent.local, spectrum[None])[0]
    weighted = session.weighted(course)
    across = np.outer(weighted @ tangent.times, tangent.spectra @ heavy)
    cross = tangent.columns.moments(across)
    own = float((weighted @ course) * (spectrum @ heavy))
    score = float(weighted @ (point.residual @ heavy))
    inverse = inverted(tangent.information)
    left = own - float(cross @ inverse @ cross)
    return AddedColumn(score / left, float(1.0 / np.sqrt(max(left, 1e-300))))
