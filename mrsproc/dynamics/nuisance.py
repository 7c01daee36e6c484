r"""What differs from one transient to the next and is nobody's interest: residual water, bad shots.

Residual water has another size, phase, frequency and width in each transient. Its line stands
outside the range of the fit, but its tail does not. The lines that are likely span a space of few
curves over line and tail together: their coefficients are measured where the line stands, and the
tail that belongs to them is subtracted. What is left of the tail is a random effect in each
transient: along the curves :math:`u_k` that tails span within the range of the fit, the covariance
of the data is :math:`\sigma_n^2 (I + U^T \Lambda U)`, so that the weights are

.. math:: W = I - U^T \operatorname{diag}(\lambda_k / (1 + \lambda_k)) U.

:math:`\Lambda` is estimated: the covariance of the residual along U beyond that of the noise. With
a strong, irregular tail this becomes a projection; where water is gone it costs nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.data import Acquisition
from mrsproc.fitting.band import BandModel

WATER_PPM: Final = 4.65
REACH_PPM: Final = 0.4  # of the range where the line is measured, on either side
_OFFSETS_PPM: Final = np.linspace(-0.12, 0.12, 7)
_WIDTHS_HZ: Final = (2.0, 4.0, 8.0, 16.0, 32.0)
_N_LINE: Final = 10
_SMALLEST: Final = 1e-3  # of the largest singular value of the tails
_MOST: Final = 8
_LEAST_POINTS: Final = 32
_LOST: Final = 0.05  # curves of which less than this is left beside frequency and phase
_MAD_TO_SD: Final = 1.4826
_LITTLE: Final = 1e-3  # of the variance of the noise


@dataclass(frozen=True, eq=False)
class Water:
    """Where water lines stand, and how their tails follow from them.

    Parameters
    ----------
    line : slice
        Points of the band around water, outside the range of the fit.
    tail : ndarray, shape (n_line, m)
        What takes a real spectrum at these points to the tail in the range of the fit.
    curves : ndarray, shape (k, m)
        Orthonormal curves that span the tails, strongest first.
    """

    line: slice
    tail: Array
    curves: Array


def water_for(acquisition: Acquisition, n_points: int, band: BandModel, inside: slice) -> Water:
    """Prepare for the residual water of an acquisition.

    Parameters
    ----------
    acquisition : Acquisition
        How the data were recorded.
    n_points : int
        Length of the FIDs.
    band : BandModel
        Grid, which holds the range of the fit and what it can of the range of water.
    inside : slice
        Points of the band that are fitted.

    Returns
    -------
    Water
        Without points and curves for nuclei other than 1H, without points where the range of the
        fit leaves no room for the line.
    """
    if acquisition.nucleus != "1H":
        empty = np.zeros((0, inside.stop - inside.start))
        return Water(slice(0, 0), empty, empty)
    centre = axes.ppm_to_hz(
        WATER_PPM + _OFFSETS_PPM, acquisition.spectrometer_frequency, acquisition.ppm_reference
    )
    rate = (2j * np.pi * centre[:, None] - np.pi * np.array(_WIDTHS_HZ)).reshape(-1, 1)
    lines = band.of_data(np.exp(rate * axes.time_axis(n_points, acquisition.dwell_time)))
    family = np.vstack([lines.real, lines.imag])
    around = np.flatnonzero(np.abs(band.ppm - WATER_PPM) < REACH_PPM)
    around = around[around < inside.start]  # chemical shifts descend
    line = slice(0, 0)
    if around.size >= _LEAST_POINTS:
        line = slice(int(around[0]), int(around[-1]) + 1)
    return Water(line, _tail_of_line(family, line, inside), _span(family[:, inside]))


def _tail_of_line(family: Array, line: slice, window: slice) -> Array:
    """Return the matrix that extrapolates lines to tails, by their leading singular vectors."""
    if line.stop == line.start:
        return np.zeros((0, window.stop - window.start))
    size = np.linalg.norm(family[:, line], axis=1, keepdims=True)
    mix, strength, rows = np.linalg.svd(family[:, line] / size, full_matrices=False)
    mix, strength, rows = mix[:, :_N_LINE], strength[:_N_LINE], rows[:_N_LINE]
    return np.asarray(rows.T @ ((mix / strength).T @ (family[:, window] / size)))


def _span(tails: Array) -> Array:
    """Return orthonormal curves that span tails of unit norm."""
    unit = tails / np.linalg.norm(tails, axis=1, keepdims=True)
    _, strength, curves = np.linalg.svd(unit, full_matrices=False)
    return np.asarray(curves[: min(_MOST, int((strength > _SMALLEST * strength[0]).sum()))])


def random_part(water: Water, local: Array, residual: Array, weight: Array) -> tuple[Array, Array]:
    r"""Estimate the covariance of what is left of the tails of water.

    Frequency and phase of each transient are taken out first, :math:`\tilde U = U (1 - P_L)`.
    Extrapolation from the line adds noise of known covariance to that of the data; along
    :math:`\tilde U` they make :math:`G = \tilde U (1 + P^T P) \tilde U^T` together, with P the
    matrix `Water.tail`. What the residual scatters beyond G is the tail that remains.

    Parameters
    ----------
    water : Water
        Curves and extrapolation.
    local : ndarray, shape (2, m)
        Derivatives of the model after frequency and phase of a transient.
    residual : ndarray, shape (n, m)
        What the model leaves of each transient.
    weight : ndarray, shape (n,)
        Inverse variance of the noise of each transient.

    Returns
    -------
    curves : ndarray, shape (q, m)
        Those directions along which there is more than noise.
    shrinkage : ndarray, shape (q,)
        Part of them to take out, between 0 and 1.
    """
    n, k = len(residual), len(water.curves)
    if k == 0:
        return water.curves, np.zeros(0)
    onto = local @ water.curves.T
    seen = water.curves - np.linalg.solve(local @ local.T, onto).T @ local
    along = residual @ seen.T
    along = (along - weight @ along / weight.sum()) * np.sqrt(weight)[:, None]
    extrapolated = water.tail @ seen.T
    root = np.linalg.cholesky(seen @ seen.T + extrapolated.T @ extrapolated + 1e-9 * np.eye(k))
    white = np.linalg.solve(root, along.T)
    variance, vectors = np.linalg.eigh(white @ white.T / max(n - 1, 1))
    by_chance = (1.0 + np.sqrt(k / max(n - 1, 1))) ** 2  # the largest of noise (Marchenko 1967)
    beyond = np.where(variance > by_chance, variance - 1.0, 0.0)
    back = np.linalg.pinv(seen @ water.curves.T, rcond=_LOST) @ root @ vectors
    known = water.tail @ water.curves.T
    total = np.eye(k) + known.T @ known + (back * beyond) @ back.T
    variance, vectors = np.linalg.eigh(total)
    kept = variance > 1.0 + _LITTLE
    return vectors[:, kept].T @ water.curves, 1.0 - 1.0 / variance[kept]


def common_noise(sd: Array, n_samples: int) -> Array:
    """Return the SD of the noise of each transient, drawn towards their common value.

    Where the measured values scatter as an equal noise makes them, they become equal.

    Parameters
    ----------
    sd : ndarray, shape (n,)
        Measured values.
    n_samples : int
        Number of real samples that each is measured from.

    Returns
    -------
    ndarray, shape (n,)
        Better values.
    """
    logs = np.log(sd)
    middle = np.median(logs)
    scatter = np.mean((logs - middle) ** 2)
    expected = 0.97 / n_samples  # of the logarithm; second differences are correlated
    kept = max(0.0, 1.0 - 2.0 * expected / max(scatter, 1e-300))
    return np.asarray(np.exp(middle + kept * (logs - middle)))


def misfits(left_over: Array, n_points: int, size: Array, limit: float) -> Array:
    """Tell which transients the model does not describe.

    Parameters
    ----------
    left_over : ndarray, shape (n,)
        Weighted sum of squares of the residual of each transient, over its expectation.
    n_points : int
        Number of points of the fit.
    size : ndarray, shape (n,)
        Size of the signal of each transient relative to the mean.
    limit : float
        How many robust SDs from the median count as a misfit: of the logarithm of `left_over`,
        above it, or of `size`, to either side.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where a transient is of another kind.
    """
    noisy = _robust_score(np.log(left_over), np.sqrt(2.0 / n_points))
    loud = _robust_score(size, 1e-6)
    return np.asarray((noisy > limit) | (np.abs(loud) > limit))


def _robust_score(values: Array, least: float) -> Array:
    """Return the deviations from the median in robust SDs, which are at least as given."""
    off = values - np.median(values)
    return np.asarray(off / max(_MAD_TO_SD * float(np.median(np.abs(off))), least))
