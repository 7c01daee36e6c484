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
        Whether amplitudes that cannot be negative are posterior means, as in
        `mrsproc.fitting.uncertainty`; else the minimum itself.

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
    picked = np.ix_(wanted, wanted)
    moved = (inverse @ _stiffness_slope(session, model, point, size))[wanted]
    thermal = inverse[picked] + np.outer(moved, moved) * session.log_stiffness_sd**2
    mean = np.concatenate([point.coefficient, point.unknowns])
    bounded = np.flatnonzero(model.nonnegative)
    if shared and bounded.size and np.isfinite(thermal).all():
        mean[: model.n_terms] += (inverse @ tangent.downhill)[: model.n_terms]
        mean, thermal = _restricted(mean, thermal, bounded)
    return Covariances(mean, thermal, robust[picked])


def _stiffness_slope(session: Session, model: Model, point: Point, size: int) -> Array:
    """Return the slope of the gradient of half of chi-squared after the logarithm of stiffness."""
    slope = np.zeros(size)
    smooth = slice(model.n_terms, model.n_terms + point.smooth.size)
    slope[smooth] = session.baseline_precision * point.smooth
    return slope


def _restricted(mean: Array, covariance: Array, bounded: Array) -> tuple[Array, Array]:
    """Return mean and covariance of a normal distribution, some of whose values are positive."""
    inner = covariance[np.ix_(bounded, bounded)]
    positive, narrowed = positive_normal(mean[bounded], inner)
    along = np.linalg.solve(inner, covariance[bounded]).T
    moved = mean + along @ (positive - mean[bounded])
    return moved, covariance + along @ (narrowed - inner) @ along.T


def inverted(information: Array) -> Array:
    """Return the inverse of an information matrix; NaN throughout where it is singular."""
    scale = 1.0 / np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    try:
        inverse = np.linalg.inv(information * np.outer(scale, scale)) * np.outer(scale, scale)
    except np.linalg.LinAlgError:
        return np.full_like(information, np.nan)
    if not (np.diag(inverse) > 0.0).all():
        return np.full_like(information, np.nan)
    return np.asarray(inverse)


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
