"""The band-limited model: what of a spectral fit does not depend on its parameters, computed once.

A fit looks at a range of chemical shifts only. The spectra of the basis set are therefore computed
once on the frequency grid of the data (zero-filled to twice its length, which makes the real part
hold all the information), cut to that range and a margin, and transformed back: a FID of a few
hundred points for each signal, in which shifts and decays act as they do in the full one. A step
of the fit costs one short FFT for each signal.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition, Record
from mrsproc.errors import BasisError
from mrsproc.lineshape import GAUSS_RATE
from mrsproc.numerics.bandlimited import spectrum_on

MARGIN_PPM: Final = 0.5
_BLOCK: Final = 32
_NEGATIVE_PART: Final = 0.12  # of the period: where what rings ahead of time 0 wraps around


@dataclass(frozen=True, eq=False)
class BandModel(Record):
    """Grids and signals of a fit.

    Parameters
    ----------
    window : slice
        Points of the zero-filled spectrum (frequency ascending) that are fitted.
    inner : slice
        The same points within the band.
    frequency : ndarray, shape (n,)
        Their frequencies [Hz].
    ppm : ndarray, shape (n,)
        Their chemical shifts [ppm], descending.
    fid : ndarray of complex, shape (n_basis, m)
        Band-limited FIDs, scaled by `scale`.
    time : ndarray, shape (m,)
        Their times [s], wrapped: the last ones are negative.
    scale : ndarray, shape (n_basis,)
        What each signal was divided by, so that all have unit norm in the window.
    size : int
        Length of the zero-filled spectrum.
    """

    window: slice
    inner: slice
    frequency: Array
    ppm: Array
    fid: Array
    time: Array
    scale: Array
    size: int

    @property
    def margin_hz(self) -> float:
        """Width of what is computed beyond either end of the window [Hz]."""
        return float(self.inner.start * (self.frequency[1] - self.frequency[0]))

    def decayed(self, shift_hz: Array, lorentz_hz: Array, gauss_hz: float) -> Array:
        """Return the FIDs at given shifts and widths.

        Parameters
        ----------
        shift_hz, lorentz_hz : ndarray, shape (n_basis,)
            Frequency added to and Lorentzian FWHM of each signal [Hz].
        gauss_hz : float
            Common Gaussian FWHM [Hz].

        Returns
        -------
        ndarray of complex, shape (n_basis, m)
            FIDs.
        """
        rate = 2j * np.pi * shift_hz - np.pi * lorentz_hz
        coarse = np.exp(rate[:, None] * self.time[::_BLOCK])
        fine = np.exp(rate[:, None] * (self.time[1] * np.arange(_BLOCK)))
        gauss = np.exp(-GAUSS_RATE * (gauss_hz * self.time) ** 2)
        grown = (self.fid.view(float) * np.repeat(gauss, 2)).view(complex)
        blocks = grown.reshape(len(rate), -1, _BLOCK)
        blocks *= coarse[:, :, None]
        blocks *= fine[:, None, :]
        return np.asarray(grown)

    def spectra(self, fid: Array) -> Array:
        """Return the complex spectra of band-limited FIDs in the window.

        Parameters
        ----------
        fid : ndarray of complex, shape (..., m)
            FIDs on `time`.

        Returns
        -------
        ndarray of complex, shape (..., n)
            Spectra on `frequency`.
        """
        return np.fft.fft(fid, axis=-1)[..., self.inner]

    def adjoint(self, curve: Array) -> Array:
        """Return the adjoint of `spectra`, applied to real curves in the window.

        Parameters
        ----------
        curve : ndarray, shape (..., n)
            Curves on `frequency`.

        Returns
        -------
        ndarray of complex, shape (..., m)
            v such that ``(curve * spectra(fid)).sum() == (v * fid).sum()``.
        """
        padded = np.zeros((*curve.shape[:-1], self.time.size), complex)
        padded[..., self.inner] = curve
        return np.fft.fft(padded, axis=-1)

    def of_data(self, fid: Array) -> Array:
        """Return the complex spectra of recorded FIDs in the window.

        Parameters
        ----------
        fid : ndarray of complex, shape (..., n_points)
            FIDs, first point whole.

        Returns
        -------
        ndarray of complex, shape (..., n)
            Spectra on `frequency`.
        """
        index = np.arange(self.window.start, self.window.stop) - self.size // 2
        spectra = np.take(np.fft.fft(fid, self.size, axis=-1), index, axis=-1, mode="wrap")
        return np.asarray(spectra - 0.5 * fid[..., :1])  # as if the first point were halved


def check_coverage(basis: BasisSet, acquisition: Acquisition, ppm: tuple[float, float]) -> None:
    """Refuse a basis set of another field or nucleus, or whose band does not hold a range.

    Parameters
    ----------
    basis : BasisSet
        Signals.
    acquisition : Acquisition
        How the data were recorded.
    ppm : tuple of float
        Range that is fitted [ppm].

    Raises
    ------
    BasisError
        It does not suit the data.
    """
    basis.checked_against(acquisition)
    if not basis.covers(acquisition, ppm):
        raise BasisError(
            f"the basis set has a spectral width of {1 / basis.dwell_time:.6g} Hz, which does "
            f"not hold {ppm[0]} to {ppm[1]} ppm: "
            "use one with a larger spectral width, or a narrower FitOptions(ppm=...)."
        )


def band_model(
    basis: BasisSet, acquisition: Acquisition, n_points: int, ppm: tuple[float, float]
) -> BandModel:
    """Build the band-limited model of a basis set for an acquisition.

    Parameters
    ----------
    basis : BasisSet
        Signals.
    acquisition : Acquisition
        How the data were recorded.
    n_points : int
        Length of the recorded FIDs.
    ppm : tuple of float
        Range that is fitted [ppm].

    Returns
    -------
    BandModel
        Grids and signals.

    Raises
    ------
    BasisError
        The band of the data or of the basis set does not hold the range.
    """
    check_coverage(basis, acquisition, ppm)
    size = 2 * n_points
    frequency = axes.frequency_axis(size, acquisition.dwell_time)
    axis = axes.hz_to_ppm(frequency, acquisition.spectrometer_frequency, acquisition.ppm_reference)
    inside = np.flatnonzero((axis >= ppm[0]) & (axis <= ppm[1]))
    if axis[0] < ppm[1] or axis[-1] > ppm[0] or inside.size < 32:
        raise BasisError(
            f"the data span {axis[-1]:.2f} to {axis[0]:.2f} ppm, the fit wants {ppm[0]} to "
            f"{ppm[1]} ppm: choose FitOptions(ppm=...) inside."
        )
    margin = round(MARGIN_PPM * acquisition.spectrometer_frequency * acquisition.dwell_time * size)
    length = -(-(inside.size + 2 * margin) // _BLOCK) * _BLOCK
    first = int(inside[0]) - (length - inside.size) // 2
    band = _band_spectra(
        basis, acquisition, n_points, frequency[0] + (frequency[1] - frequency[0]) * first, length
    )
    scale = np.sqrt((np.abs(band[:, inside[0] - first : inside[-1] + 1 - first]) ** 2).sum(axis=1))
    index = np.arange(length)
    wrapped = np.where(
        index >= length - _BLOCK * round(_NEGATIVE_PART * length / _BLOCK), index - length, index
    )
    step = acquisition.dwell_time * size / length
    return BandModel(
        window=slice(int(inside[0]), int(inside[-1]) + 1),
        inner=slice(int(inside[0]) - first, int(inside[-1]) + 1 - first),
        frequency=frequency[inside],
        ppm=axis[inside],
        fid=np.fft.ifft(band / scale[:, None], axis=1),
        time=wrapped * step,
        scale=scale,
        size=size,
    )


def _band_spectra(
    basis: BasisSet, acquisition: Acquisition, n_points: int, first: float, length: int
) -> Array:
    """Return the spectra of the basis set on the band, in the units of the data's FFT."""
    dwell = basis.dwell_time_for(acquisition)
    kept = min(basis.n_points, int(np.ceil(n_points * acquisition.dwell_time / dwell - 1e-6)))
    basis.check_end(n_points * acquisition.dwell_time, dwell)
    fid = axes.halve_first_point(basis.fid[:, :kept])
    step = 1.0 / (2 * n_points * acquisition.dwell_time)
    shift = (acquisition.ppm_reference - basis.ppm_reference) * acquisition.spectrometer_frequency
    spectra = spectrum_on(fid, dwell, first - shift, step, length) * (
        dwell / acquisition.dwell_time
    )
    edge = max(4, length // 24)
    taper = np.ones(length)
    taper[:edge] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    taper[-edge:] = taper[:edge][::-1]
    return np.asarray(spectra * taper)
