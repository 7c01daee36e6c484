"""Time, frequency and ppm axes, and the way from a FID to a spectrum.

The one home of sign and scale: with numpy's forward FFT a signal ``exp(2j pi f t)`` appears at
``f``, and ``ppm = ppm_reference - f / spectrometer_frequency``, which is how NIfTI-MRS stores FIDs
(Clarke 2022, 10.1002/mrm.29418). A FID in memory is physical: its first point is whole. A transform
halves it, because the first of the samples that a sum takes for an integral stands for half an
interval.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def time_axis(n_points: int, dwell_time: float) -> Array:
    """Return the sampling times of a FID in s, shape (n_points,), starting at 0.

    Parameters
    ----------
    n_points : int
        Number of samples.
    dwell_time : float
        Sampling interval [s].

    Returns
    -------
    ndarray
        Times [s].

    Examples
    --------
    >>> time_axis(3, 0.5).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.arange(n_points) * dwell_time


def frequency_axis(n_points: int, dwell_time: float) -> Array:
    """Return the frequencies of a spectrum in Hz, ascending, shape (n_points,).

    Parameters
    ----------
    n_points : int
        Number of points of the spectrum.
    dwell_time : float
        Sampling interval of the FID [s].

    Returns
    -------
    ndarray
        Frequencies [Hz] relative to the transmitter, zero at index ``n_points // 2``.

    Examples
    --------
    >>> frequency_axis(4, 0.25).tolist()
    [-2.0, -1.0, 0.0, 1.0]
    """
    return np.fft.fftshift(np.fft.fftfreq(n_points, dwell_time))


def hz_to_ppm(frequency: ArrayLike, spectrometer_frequency: float, ppm_reference: float) -> Array:
    """Convert a frequency offset in Hz to a chemical shift in ppm.

    Parameters
    ----------
    frequency : array_like
        Offset from the transmitter [Hz].
    spectrometer_frequency : float
        Larmor frequency [MHz].
    ppm_reference : float
        Chemical shift at zero offset [ppm].

    Returns
    -------
    ndarray
        Chemical shift [ppm].

    Examples
    --------
    >>> float(hz_to_ppm(-100.0, 100.0, 4.65))
    5.65
    """
    return ppm_reference - np.asarray(frequency) / spectrometer_frequency


def ppm_to_hz(ppm: ArrayLike, spectrometer_frequency: float, ppm_reference: float) -> Array:
    """Convert a chemical shift in ppm to a frequency offset in Hz, the inverse of `hz_to_ppm`.

    Parameters
    ----------
    ppm : array_like
        Chemical shift [ppm].
    spectrometer_frequency : float
        Larmor frequency [MHz].
    ppm_reference : float
        Chemical shift at zero offset [ppm].

    Returns
    -------
    ndarray
        Offset from the transmitter [Hz].

    Examples
    --------
    >>> round(float(ppm_to_hz(2.0, 100.0, 4.65)), 9)
    265.0
    """
    return (ppm_reference - np.asarray(ppm)) * spectrometer_frequency


def halve_first_point(fid: ArrayLike) -> Array:
    """Return a copy of FIDs (time last) whose first point is halved, ready for a plain FFT."""
    halved = np.array(fid)
    halved[..., 0] *= 0.5
    return halved


def fid_to_spectrum(fid: ArrayLike, n_points: int | None = None) -> Array:
    """Transform FIDs to spectra on the axis of `frequency_axis`.

    Parameters
    ----------
    fid : array_like
        Complex FIDs, time last, first point whole.
    n_points : int, optional
        Length after zero-filling; the length of the FID when not given.

    Returns
    -------
    ndarray
        Spectra, frequency last and ascending.
    """
    spectrum = np.fft.fft(halve_first_point(fid), n_points, axis=-1)
    return np.fft.fftshift(spectrum, axes=-1)


def spectrum_to_fid(spectrum: ArrayLike) -> Array:
    """Transform spectra back to FIDs with a whole first point, the inverse of `fid_to_spectrum`.

    Parameters
    ----------
    spectrum : array_like
        Spectra, frequency last and ascending.

    Returns
    -------
    ndarray
        Complex FIDs, time last.
    """
    fid: Array = np.fft.ifft(np.fft.ifftshift(spectrum, axes=-1), axis=-1)
    fid[..., 0] *= 2.0
    return fid
