"""Signal-to-noise ratio and linewidth, read off the tallest singlets."""

from typing import Final, NamedTuple

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.data import MRSData
from mrsproc.qc.noise import noise_sd

METABOLITE_PPM: Final = (1.8, 3.4)
"""Where the tallest metabolite peak is looked for: NAA, creatine, choline."""
WATER_PPM: Final = (4.2, 5.1)
"""Where water is looked for [ppm]."""
_LOCAL_PPM: Final = 0.45  # the foot of a line lies within
_FOOT_PERCENTILE: Final = 12.0


class Peak(NamedTuple):
    """The tallest line of a range."""

    ppm: float
    """Position of the maximum [ppm]."""
    height: float
    """Height of the phased line [units of the spectrum]."""
    fwhm_hz: float
    """Full width at half maximum [Hz]; NaN where the line does not fall to half within the
    range."""


def tallest_peak(data: MRSData, ppm: tuple[float, float]) -> Peak:
    """Return the tallest line of one spectrum, phased to stand upright.

    Parameters
    ----------
    data : MRSData
        One FID.
    ppm : tuple of float
        Range [ppm].

    Returns
    -------
    Peak
        Its position, height and width.
    """
    fid = np.asarray(data.fid).reshape(-1)
    size = 8 * fid.size
    acquisition = data.acquisition
    frequency = axes.frequency_axis(size, acquisition.dwell_time)
    axis = axes.hz_to_ppm(frequency, acquisition.spectrometer_frequency, acquisition.ppm_reference)
    inside = (axis >= min(ppm)) & (axis <= max(ppm))
    spectrum = axes.fid_to_spectrum(fid, size)[inside]
    top = int(np.argmax(np.abs(spectrum)))
    phased = (spectrum * np.exp(-1j * np.angle(spectrum[top]))).real
    near = np.abs(axis[inside] - axis[inside][top]) < _LOCAL_PPM
    phased -= np.percentile(phased[near], _FOOT_PERCENTILE)
    top = int(np.argmax(np.where(near, phased, -np.inf)))
    return Peak(
        float(axis[inside][top]),
        float(phased[top]),
        half_width(phased, top) / (size * acquisition.dwell_time),
    )


def half_width(line: Array, top: int) -> float:
    """Return the full width at half maximum of a line, between interpolated crossings.

    Parameters
    ----------
    line : ndarray, shape (n,)
        Real spectrum.
    top : int
        Index of the maximum.

    Returns
    -------
    float
        Width [points]; NaN where the line does not fall to half on both sides.
    """
    half = 0.5 * line[top]
    left, right = np.flatnonzero(line[:top] < half), np.flatnonzero(line[top:] < half)
    if left.size == 0 or right.size == 0:
        return float("nan")
    i, j = int(left[-1]), top + int(right[0])
    low = i + (half - line[i]) / (line[i + 1] - line[i])
    high = j - (half - line[j]) / (line[j - 1] - line[j])
    return float(high - low)


def signal_to_noise(data: MRSData, ppm: tuple[float, float] = METABOLITE_PPM) -> float:
    """Return the SNR of one spectrum: height of the tallest peak over the SD of the noise.

    Both are of the real spectrum.
    Without apodisation or zero-filling of the noise; the region is `ppm` (Kreis 2021,
    10.1002/nbm.4347).

    Parameters
    ----------
    data : MRSData
        One FID.
    ppm : tuple of float, default (1.8, 3.4)
        Where the peak is looked for [ppm].

    Returns
    -------
    float
        Signal-to-noise ratio.
    """
    noise = float(noise_sd(data).reshape(-1)[0]) * np.sqrt(data.n_points)
    return tallest_peak(data, ppm).height / noise if noise > 0 else float("nan")


def linewidth(data: MRSData, ppm: tuple[float, float] = METABOLITE_PPM) -> float:
    """Return the FWHM of the tallest line of one spectrum in Hz.

    Parameters
    ----------
    data : MRSData
        One FID.
    ppm : tuple of float, default (1.8, 3.4)
        Where the line is looked for [ppm].

    Returns
    -------
    float
        Full width at half maximum [Hz]; NaN where there is none.
    """
    return tallest_peak(data, ppm).fwhm_hz
