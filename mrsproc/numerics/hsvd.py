r"""Sums of damped exponentials by singular value decomposition of a Hankel matrix (HSVD).

A signal :math:`\sum_k c_k z_k^n` makes a Hankel matrix of rank K, whose signal space is invariant
to a shift by one sample; the eigenvalues of that shift are the poles (Barkhuijsen 1987,
10.1016/0022-2364(87)90023-0).
"""

from typing import Final, NamedTuple

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array

_KEPT_QUARTERS: Final = (
    3  # of a band-limited FID: what rings ahead of time 0 wraps around to its end
)
_MAX_WIDTH_HZ: Final = 60.0
_LEAST_DAMPING: Final = 1e-3  # a sample, for the height of lines that hardly decay


class Lines(NamedTuple):
    """Damped exponentials ``amplitude * exp(rate * t)``."""

    amplitude: Array
    """Complex amplitudes at time 0."""
    rate: Array
    """Complex rates [1/s]: minus the damping, plus 2 pi i times the frequency."""

    @property
    def frequency(self) -> Array:
        """Frequencies [Hz]."""
        return np.asarray(self.rate.imag / (2.0 * np.pi))

    def within(self, low: float, high: float) -> "Lines":
        """Return the lines whose frequency lies between two values [Hz]."""
        inside = (self.frequency > low) & (self.frequency < high)
        return Lines(self.amplitude[inside], self.rate[inside])

    def narrower_than(self, width: float) -> "Lines":
        """Return the lines whose full width at half maximum is below a value [Hz]."""
        narrow = -self.rate.real < np.pi * width
        return Lines(self.amplitude[narrow], self.rate[narrow])

    def taller_than(self, height: float, dwell_time: float) -> "Lines":
        """Return the lines taller than a value in the spectrum, the tallest first."""
        tall = np.abs(self.amplitude) / np.maximum(-self.rate.real * dwell_time, _LEAST_DAMPING)
        order = np.argsort(-tall)
        order = order[tall[order] > height]
        return Lines(self.amplitude[order], self.rate[order])

    def fid(self, time: Array) -> Array:
        """Return their sum at given times [s]."""
        return np.asarray(self.amplitude @ np.exp(self.rate[:, None] * time))


def poles(signal: Array, n_components: int, noise: float = 0.0) -> Array:
    """Return the poles of a signal.

    Parameters
    ----------
    signal : ndarray of complex, shape (n,)
        Samples.
    n_components : int
        How many exponentials; fewer where the signal is too short or the noise hides them.
    noise : float, default 0.0
        SD of the complex noise of a sample: singular values that noise alone can have (the edge
        of Marchenko and Pastur, 10.1070/SM1967v001n04ABEH001994) are left out.

    Returns
    -------
    ndarray of complex, shape (k,)
        Poles: the angle is 2 pi times the frequency in cycles a sample, the modulus the decay a
        sample.

    Examples
    --------
    >>> pole = 0.9 * np.exp(0.5j)
    >>> bool(np.allclose(poles(pole ** np.arange(20), 1), pole))
    True
    """
    rows = signal.size // 2
    hankel = np.lib.stride_tricks.sliding_window_view(signal, rows).T
    vectors, values, _ = np.linalg.svd(hankel, full_matrices=False)
    edge = noise * (np.sqrt(hankel.shape[0]) + np.sqrt(hankel.shape[1]))
    left = vectors[:, : max(1, min(n_components, rows - 1, int((values > edge).sum())))]
    shift = np.linalg.lstsq(left[:-1], left[1:], rcond=None)[0]
    return np.linalg.eigvals(shift)


def low_rank(signal: Array, n_components: int) -> Array:
    """Return the sum of few decaying exponentials that is nearest to a signal.

    Parameters
    ----------
    signal : ndarray of complex, shape (n,)
        Samples.
    n_components : int
        How many exponentials.

    Returns
    -------
    ndarray of complex, shape (n,)
        Least squares on the poles of `poles`, those that grow taken as constant.
    """
    found = poles(signal, n_components)
    found = found / np.maximum(np.abs(found), 1.0)
    powers = found[:, None] ** np.arange(signal.size)
    amplitude = np.linalg.lstsq(powers.T, signal, rcond=1e-6)[0]
    return np.asarray(amplitude @ powers)


def lines_in_band(
    fid: Array,
    dwell_time: float,
    band: tuple[float, float],
    n_components: int,
    noise: float = 0.0,
) -> Lines:
    """Decompose the part of a FID that lies in a band of frequencies.

    The decomposition is done on the band-limited, decimated FID, a few hundred times faster than
    on the full one. The amplitudes follow by least squares on the spectrum of the band, where the
    exact spectrum of a sampled, truncated exponential is known, together with a parabola for the
    tails of what lies outside.

    Parameters
    ----------
    fid : ndarray of complex, shape (n,)
        Samples, first point whole.
    dwell_time : float
        Sampling interval [s].
    band : tuple of float
        Ends of the band [Hz].
    n_components : int
        How many exponentials at most.
    noise : float, default 0.0
        SD of the complex noise of a point of the spectrum, below which lines are not looked for.

    Returns
    -------
    Lines
        At most as many lines.
    """
    axis = axes.frequency_axis(fid.size, dwell_time)
    inside = np.flatnonzero((axis > band[0]) & (axis < band[1]))
    frequency, spectrum = axis[inside], axes.fid_to_spectrum(fid)[inside]
    short = np.fft.ifft(spectrum * np.hanning(inside.size + 2)[1:-1])
    noise /= np.sqrt(inside.size)  # of a sample, were it white
    found = poles(short[: _KEPT_QUARTERS * inside.size // 4], n_components, noise)
    width = inside.size / (fid.size * dwell_time)
    position = frequency[0] + np.mod(np.angle(found) / (2.0 * np.pi), 1.0) * width
    damping = np.clip(-np.log(np.abs(found)) * width, 0.0, np.pi * _MAX_WIDTH_HZ)
    rate = 2j * np.pi * position - damping
    tails = np.vander(np.linspace(-1.0, 1.0, inside.size), 3)
    columns = np.hstack([line_spectra(rate, frequency, dwell_time, fid.size)[0].T, tails])
    amplitude = np.linalg.lstsq(columns, spectrum, rcond=1e-8)[0][: rate.size]
    return Lines(amplitude, rate)


def line_spectra(rate: Array, frequency: Array, dwell_time: float, n: int) -> tuple[Array, Array]:
    """Return the spectra of sampled, truncated exponentials, and their slopes over the rate.

    Parameters
    ----------
    rate : ndarray of complex, shape (..., k)
        Complex rates [1/s].
    frequency : ndarray, shape (b,)
        Where the spectra are wanted [Hz].
    dwell_time : float
        Sampling interval [s].
    n : int
        Number of samples.

    Returns
    -------
    tuple of ndarray of complex, shape (..., k, b)
        Spectra of ``exp(rate t)``, first point halved, and of ``t exp(rate t)`` [s].
    """
    growth, turn = np.asarray(rate)[..., None] * dwell_time, -2j * np.pi * frequency * dwell_time
    z = np.exp(growth) * np.exp(turn)
    power = np.exp(n * growth) * np.exp(n * turn)
    near_one = np.abs(1.0 - z) < 1e-12
    inverse = 1.0 / np.where(near_one, 1.0, 1.0 - z)
    total = (1.0 - power) * inverse
    slope = dwell_time * (z * total - n * power) * inverse
    if near_one.any():
        total = np.where(near_one, n, total)
        slope = np.where(near_one, dwell_time * n * (n - 1) / 2.0, slope)
    return total - 0.5, slope
