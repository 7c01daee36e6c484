r"""Removal of residual water by a sum of damped exponentials.

The FID around water is written as :math:`\\sum_k c_k z_k^n`, the poles :math:`z_k` from the singular value
decomposition of its Hankel matrix (HSVD: Barkhuijsen 1987, 10.1016/0022-2364(87)90023-0). Only a band around
water matters, so the decomposition is done on the band-limited, decimated FID, a few hundred times faster than
on the full one. The amplitudes follow by least squares on the spectrum of that band, where the exact
spectrum of a sampled, truncated exponential is known; lines outside `ppm` are fitted but not removed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import InvalidInputError
from mrsproc.numerics.hsvd import poles

WATER_PPM: Final = (4.25, 5.05)
_REACH_PPM: Final = 0.7  # of the band beyond `ppm` on either side
_N_COMPONENTS: Final = 12
_MAX_WIDTH_HZ: Final = 60.0
_KEPT_PART: Final = 3  # quarters of the short FID: what rings ahead of time 0 wraps around to its end


@dataclass(frozen=True, eq=False, kw_only=True)
class WaterModel(Record):
    """The residual water of each FID.

    Parameters
    ----------
    fid : ndarray of complex, shape of the data
        What is removed.
    ppm : tuple of float
        Range in which lines count as water [ppm].
    """

    fid: Array
    ppm: tuple[float, float]

    def apply(self, data: MRSData) -> MRSData:
        """Subtract the water.

        Parameters
        ----------
        data : MRSData
            The data that the model was estimated from, or others of the same shape.

        Returns
        -------
        MRSData
            Without residual water.

        Raises
        ------
        InvalidInputError
            Another shape.
        """
        if data.fid.shape != self.fid.shape:
            raise InvalidInputError(f"the water model is for FIDs of shape {self.fid.shape}, the data have {data.fid.shape}.")
        step = Step("Nuisance peak removal", f"remove_water(ppm={self.ppm}), {_N_COMPONENTS} exponentials (HSVD)")
        kept = (np.asarray(data.fid) - self.fid).astype(data.fid.dtype)
        return data.with_fid(kept, step)


def water_model(data: MRSData, ppm: tuple[float, float] = WATER_PPM) -> WaterModel:
    """Estimate the residual water of each FID.

    Parameters
    ----------
    data : MRSData
        FIDs; masked ones get a model of zero.
    ppm : tuple of float, default (4.25, 5.05)
        Range in which lines count as water [ppm].

    Returns
    -------
    WaterModel
        To inspect and apply.

    Raises
    ------
    InvalidInputError
        The spectrum does not hold the range.
    """
    low, high = min(ppm), max(ppm)
    if not data.ppm.min() < low < high < data.ppm.max():
        raise InvalidInputError(f"ppm = {ppm}: the spectrum spans {data.ppm.min():.2f} to {data.ppm.max():.2f} ppm; choose a range inside.")
    inside = np.flatnonzero((data.ppm > low - _REACH_PPM) & (data.ppm < high + _REACH_PPM))
    flat = np.asarray(data.fid).reshape(-1, data.n_points)
    model = np.zeros(flat.shape, complex)
    frequency = np.sort(axes.ppm_to_hz((low, high), data.acquisition.spectrometer_frequency, data.acquisition.ppm_reference))
    for row, fid in enumerate(flat):
        if np.isfinite(fid).all() and fid.any():
            model[row] = _water_fid(fid.astype(complex), data.time, inside, (float(frequency[0]), float(frequency[1])))
    return WaterModel(fid=model.reshape(data.fid.shape), ppm=(low, high))


def remove_water(data: MRSData, ppm: tuple[float, float] = WATER_PPM) -> MRSData:
    """Remove residual water; ``water_model(data).apply(data)`` in one call.

    Parameters
    ----------
    data : MRSData
        FIDs.
    ppm : tuple of float, default (4.25, 5.05)
        Range in which lines count as water [ppm].

    Returns
    -------
    MRSData
        Without residual water.
    """
    return water_model(data, ppm).apply(data)


def _water_fid(fid: Array, time: Array, inside: Array, water_hz: tuple[float, float]) -> Array:
    """Return the sum of the exponentials of one FID whose frequencies lie within `water_hz`."""
    dwell = float(time[1])
    spectrum = axes.fid_to_spectrum(fid)[inside]
    frequency = axes.frequency_axis(fid.size, dwell)[inside]
    short = np.fft.ifft(spectrum * np.hanning(inside.size + 2)[1:-1])[: _KEPT_PART * inside.size // 4]
    found = poles(short, _N_COMPONENTS)
    width = frequency[1] - frequency[0]
    position = frequency[0] + np.mod(np.angle(found) / (2 * np.pi), 1.0) * inside.size * width
    damping = -np.log(np.abs(found)) * inside.size * width
    rates = 2j * np.pi * position - np.clip(damping, 0.0, np.pi * _MAX_WIDTH_HZ)
    columns = _line_spectra(rates, frequency, dwell, fid.size)
    smooth = np.vander(np.linspace(-1, 1, inside.size), 3).astype(complex)
    amplitude = np.linalg.lstsq(np.hstack([columns, smooth]), spectrum, rcond=1e-8)[0][: rates.size]
    water = (position > water_hz[0]) & (position < water_hz[1])
    return np.asarray(amplitude[water] @ np.exp(rates[water, None] * time))


def _line_spectra(rates: Array, frequency: Array, dwell: float, n: int) -> Array:
    """Return the spectra of sampled, truncated exponentials, first point halved, one column each."""
    z = np.exp((rates[None, :] - 2j * np.pi * frequency[:, None]) * dwell)
    near_one = np.abs(1.0 - z) < 1e-12
    total = np.where(near_one, n, (1.0 - z**n) / np.where(near_one, 1.0, 1.0 - z))
    return np.asarray(total - 0.5)
