"""Standard deviation of the noise, measured where there is no signal."""

from typing import Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.data import MRSData

_SIGNAL_PPM: Final = {
    "1H": ((-0.8, 9.0), (-0.3, 5.8))
}  # where there are signals; where there are tall ones
_EDGE: Final = 0.08  # outer part of the band on either side, where receivers filter
_LEAST_POINTS: Final = 48
_MAD_TO_SD: Final = 1.4826
_CLEAR: Final = 4.0  # robust SDs beyond which a sample is no noise


def noise_samples(data: MRSData) -> Array:
    r"""Return samples of the noise of a FID point.

    They are taken from the spectrum, outside the range where the nucleus has signals and away from
    the edges of the band, as second differences :math:`(x_{k-1} - 2 x_k + x_{k+1}) / \sqrt 6`,
    which hold no smooth tail of water. Where the band leaves too little room, the last quarter of
    the FID serves in the same way. Zeros that fill up the end of a FID are left out first.

    Parameters
    ----------
    data : MRSData
        FIDs.

    Returns
    -------
    ndarray of complex, shape of the FIDs with samples last
        Each has the variance of a FID point.
    """
    fid = np.asarray(data.fid)
    filled = np.flatnonzero(np.abs(fid).reshape(-1, data.n_points).max(axis=0) > 0.0)
    n = int(filled[-1]) + 1 if filled.size else data.n_points
    fid = fid[..., :n]
    regions = [
        _quiet_region(data, n, limits) for limits in _SIGNAL_PPM.get(data.acquisition.nucleus, ())
    ]
    region = next((region for region in regions if region.sum() >= _LEAST_POINTS), None)
    if region is not None:
        values = axes.fid_to_spectrum(fid)[..., region] / np.sqrt(n)
    else:
        values = fid[..., -max(n // 4, 8) :].astype(complex)
    return np.asarray((values[..., 2:] - 2.0 * values[..., 1:-1] + values[..., :-2]) / np.sqrt(6.0))


def noise_sd(data: MRSData) -> Array:
    """Return the SD of the noise in the real (or imaginary) part of each time point.

    It is the root mean square of those of `noise_samples` that lie within four of their robust SDs
    (from the median absolute deviation), so that a line where none was expected does not move it.

    Parameters
    ----------
    data : MRSData
        FIDs.

    Returns
    -------
    ndarray, shape of the FIDs without time
        Standard deviation, in the units of the FID; NaN for FIDs that hold NaN.
    """
    samples = noise_samples(data)
    if samples.shape[-1] == 0:
        return np.full(samples.shape[:-1], np.nan)
    parts = np.concatenate([samples.real, samples.imag], axis=-1)
    limit = _CLEAR * _MAD_TO_SD * np.median(np.abs(parts), axis=-1, keepdims=True)
    inside = np.isnan(parts) | (np.abs(parts) <= limit)
    return np.asarray(np.sqrt((parts**2 * inside).sum(axis=-1) / inside.sum(axis=-1)))


def _quiet_region(data: MRSData, n: int, limits: tuple[float, float]) -> Array:
    acquisition = data.acquisition
    frequency = axes.frequency_axis(n, acquisition.dwell_time)
    ppm = axes.hz_to_ppm(frequency, acquisition.spectrometer_frequency, acquisition.ppm_reference)
    central = np.abs(frequency) * acquisition.dwell_time < 0.5 - _EDGE
    return np.asarray(((ppm < limits[0]) | (ppm > limits[1])) & central)
