r"""Removal of residual water by a sum of damped exponentials.

The poles come from the singular value decomposition of a Hankel matrix (`mrsproc.numerics.hsvd`;
Barkhuijsen 1987, 10.1016/0022-2364(87)90023-0), done on a band around water only. Lines of that
band outside the range of water are fitted, too, but not removed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import InvalidInputError
from mrsproc.numerics.hsvd import Lines, lines_in_band

WATER_PPM: Final = (4.42, 4.95)
_REACH_PPM: Final = 0.7  # of the band beyond `ppm` on either side
_N_COMPONENTS: Final = 20
_METHOD: Final = "Nuisance peak removal"


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
            raise InvalidInputError(
                f"the water model is for FIDs of shape {self.fid.shape}, the data have "
                f"{data.fid.shape}."
            )
        step = Step(
            _METHOD,
            f"remove_water(ppm={self.ppm}), {_N_COMPONENTS} exponentials (HSVD)",
        )
        kept = (np.asarray(data.fid) - self.fid).astype(data.fid.dtype)
        return data.with_fid(kept, step)


def water_is_removed(data: MRSData) -> bool:
    """Tell whether residual water was removed before, by any program."""
    return any(step.method == _METHOD for step in data.history)


def has_water_range(data: MRSData) -> bool:
    """Tell whether these are proton spectra that hold the range of water."""
    inside = data.ppm.min() < WATER_PPM[0] < WATER_PPM[1] < data.ppm.max()
    return data.acquisition.nucleus == "1H" and bool(inside)


def water_model(data: MRSData, ppm: tuple[float, float] = WATER_PPM) -> WaterModel:
    """Estimate the residual water of each FID.

    Parameters
    ----------
    data : MRSData
        FIDs; those of zeros or with NaN get a model of zero.
    ppm : tuple of float, default (4.42, 4.95)
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
    flat = np.asarray(data.fid).reshape(-1, data.n_points)
    model = np.zeros(flat.shape, complex)
    for row, lines in enumerate(water_lines(data, (low, high))):
        if lines is not None:
            model[row] = lines.fid(data.time)
    return WaterModel(fid=model.reshape(data.fid.shape), ppm=(low, high))


def water_lines(data: MRSData, ppm: tuple[float, float] = WATER_PPM) -> Iterator[Lines | None]:
    """Decompose the residual water of each FID.

    Parameters
    ----------
    data : MRSData
        FIDs.
    ppm : tuple of float, default (4.42, 4.95)
        Range in which lines count as water [ppm].

    Yields
    ------
    Lines or None
        Damped exponentials in the range, None for a FID of zeros or NaN.

    Raises
    ------
    InvalidInputError
        The spectrum does not hold the range.
    """
    low, high = ppm
    if not data.ppm.min() < low < high < data.ppm.max():
        raise InvalidInputError(
            f"ppm = {ppm}: the spectrum spans {data.ppm.min():.2f} to {data.ppm.max():.2f} "
            "ppm; choose a range inside."
        )
    water_hz, band_hz = (
        np.sort(
            axes.ppm_to_hz(
                limits, data.acquisition.spectrometer_frequency, data.acquisition.ppm_reference
            )
        )
        for limits in ((low, high), (low - _REACH_PPM, high + _REACH_PPM))
    )
    for fid in np.asarray(data.fid).reshape(-1, data.n_points):
        if not (np.isfinite(fid).all() and fid.any()):
            yield None
            continue
        lines = lines_in_band(
            fid.astype(complex),
            data.acquisition.dwell_time,
            (band_hz[0], band_hz[1]),
            _N_COMPONENTS,
        )
        yield lines.within(water_hz[0], water_hz[1])


def remove_water(data: MRSData, ppm: tuple[float, float] = WATER_PPM) -> MRSData:
    """Remove residual water; ``water_model(data).apply(data)`` in one call.

    Parameters
    ----------
    data : MRSData
        FIDs.
    ppm : tuple of float, default (4.42, 4.95)
        Range in which lines count as water [ppm].

    Returns
    -------
    MRSData
        Without residual water.
    """
    return water_model(data, ppm).apply(data)
