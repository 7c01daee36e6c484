"""Spectra and band-limited signals on grids that no FFT has."""

from typing import Final

import numpy as np

from mrsproc.axes import Array

_CUTS: Final = (1e-7, 1e-5, 1e-3, 1e-2)  # of the largest singular value: what counts as noise
_MOST_GROWTH: Final = 2.0  # of what continues a FID to negative times


def chirp_sum(signal: Array, step: float, n_out: int) -> Array:
    r"""Return :math:`\sum_n x_n e^{2 \pi i k n s}` for k = 0 ... n_out - 1 (Bluestein).

    Parameters
    ----------
    signal : ndarray of complex, shape (..., n)
        Samples.
    step : float
        s, in cycles; ``-1 / n`` gives the forward FFT.
    n_out : int
        Number of outputs.

    Returns
    -------
    ndarray of complex, shape (..., n_out)
        Exact to rounding, in O(n log n).

    References
    ----------
    Rabiner 1969, 10.1109/TAU.1969.1162034.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> bool(np.allclose(chirp_sum(x, -1 / 3, 3), np.fft.fft(x)))
    True
    """
    n_in = signal.shape[-1]
    k = np.arange(max(n_in, n_out), dtype=float)
    chirp = np.exp(1j * np.pi * np.mod(step * k**2, 2.0))
    size = 1 << (n_in + n_out - 2).bit_length()
    kernel = np.zeros(size, complex)
    kernel[:n_out] = chirp[:n_out].conj()
    kernel[size - n_in + 1 :] = chirp[1:n_in].conj()[::-1]
    product = np.fft.fft(signal * chirp[:n_in], size) * np.fft.fft(kernel)
    result: Array = np.fft.ifft(product)[..., :n_out] * chirp[:n_out]
    return result


def spectrum_on(fid: Array, dwell_time: float, first: float, step: float, n_out: int) -> Array:
    """Return the spectra of FIDs at frequencies ``first + k * step``.

    Parameters
    ----------
    fid : ndarray of complex, shape (..., n)
        FIDs whose first point is halved already.
    dwell_time : float
        Sampling interval [s].
    first, step : float
        Lowest frequency and spacing [Hz].
    n_out : int
        Number of frequencies.

    Returns
    -------
    ndarray of complex, shape (..., n_out)
        Sums over the samples, as an FFT gives them; zero outside the band of the samples.
    """
    n = np.arange(fid.shape[-1])
    shifted = fid * np.exp(-2j * np.pi * first * dwell_time * n)
    spectrum = chirp_sum(shifted, -step * dwell_time, n_out)
    frequency = first + step * np.arange(n_out)
    return np.where(np.abs(frequency) * dwell_time <= 0.5, spectrum, 0.0)


def signal_of_band(
    spectrum: Array, first: float, step: float, dwell_time: float, n_out: int
) -> Array:
    """Return the samples of the signal whose spectrum on a band is given, and zero outside it.

    Parameters
    ----------
    spectrum : ndarray of complex, shape (..., m)
        Spectra at ``first + k * step``, as `spectrum_on` gives them.
    first, step : float
        Lowest frequency and spacing [Hz].
    dwell_time : float
        Sampling interval of the result [s].
    n_out : int
        Number of samples, from time 0.

    Returns
    -------
    ndarray of complex, shape (..., n_out)
        Samples whose sum of exponentials gives the spectrum back.
    """
    time = dwell_time * np.arange(n_out)
    samples = chirp_sum(spectrum, step * dwell_time, n_out)
    return np.asarray(samples * (step * dwell_time * np.exp(2j * np.pi * first * time)))


def continued_backwards(fid: Array, n_extra: int) -> Array:
    """Continue FIDs to negative times by linear prediction, falling smoothly to zero.

    Parameters
    ----------
    fid : ndarray of complex, shape (n_signals, n)
        Sums of damped oscillations.
    n_extra : int
        Number of points to put in front.

    Returns
    -------
    ndarray of complex, shape (n_signals, n_extra + n)
        Signals without a jump at time 0.

    References
    ----------
    Backward prediction with a truncated singular value decomposition: Kumaresan 1982,
    10.1109/TASSP.1982.1163974.

    Notes
    -----
    Signals that are no sum of a few damped oscillations, such as Gaussian lines, have singular
    values down to rounding, and what the smallest predict grows without limit. More are left out
    until it does not; where that does not help the signal is mirrored.
    """
    order = min(48, fid.shape[-1] // 4)
    used = min(fid.shape[-1], 16 * order)
    fall = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, n_extra + 1) / (n_extra + 1))
    return np.array(
        [np.concatenate([_predicted(row[:used], order, n_extra) * fall, row]) for row in fid]
    )


def _predicted(row: Array, order: int, n_extra: int) -> Array:
    """Return the points before a signal, from as many singular values as keep it bounded."""
    windows = np.lib.stride_tricks.sliding_window_view(row, order)[1:]
    left, size, right = np.linalg.svd(windows, full_matrices=False)
    seen = left.conj().T @ row[: len(windows)]
    for cut in _CUTS:
        kept = size > cut * size[0]
        coefficients = right[kept].conj().T @ (seen[kept] / size[kept])
        ahead = np.concatenate([np.zeros(n_extra, complex), row[:order]])
        for k in range(n_extra - 1, -1, -1):
            ahead[k] = coefficients @ ahead[k + 1 : k + 1 + order]
        if np.abs(ahead).max() <= _MOST_GROWTH * np.abs(row).max():
            return ahead[:n_extra]
    mirrored = row[n_extra:0:-1].conj() * np.exp(2j * np.angle(row[0]))
    return np.asarray(np.pad(mirrored, (n_extra - mirrored.size, 0)))
