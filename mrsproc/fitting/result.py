"""`FitResult`: what a spectral fit found, with its uncertainty."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import SUMS, SYNONYMS
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.fitting.asymmetry import lineshape
from mrsproc.fitting.band import BandModel
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.priors import RatioPrior
from mrsproc.numerics import covariance as propagation

if TYPE_CHECKING:
    import pandas as pd

_LAGS: Final = 3  # of the residual, whose correlations make its whiteness


def sum_weights(names: tuple[str, ...]) -> dict[str, Array]:
    """Return the weights of the combined quantities whose members a set of signals holds."""
    known = {
        alias: name for name in names for group in SYNONYMS if name in group for alias in group
    }
    weights = {}
    for combined, members in SUMS.items():
        present = {known.get(member, member) for member in members} & set(names)
        if present:
            weights[combined] = np.array([float(name in present) for name in names])
    return weights


@dataclass(frozen=True, eq=False, kw_only=True)
class FitResult(Record):
    """Amplitudes, lineshape, phases and baseline of one spectrum or many.

    Arrays have the leading dimensions of the data (none for one spectrum), written ``...`` below.
    A fit that failed, or a masked FID, has ``success`` False, a reason, and NaN in every number.

    Parameters
    ----------
    names : tuple of str
        Signals, those of the basis set first.
    dims : tuple of str
        Names of the leading dimensions.
    coords : mapping
        Coordinates along them, as in the data.
    amplitude : ndarray, shape (..., n)
        Amplitudes: the basis FID as given, times this. They are posterior means, given that no
        amplitude is negative, and so never zero, or a little less where bias matters more than
        error (`mrsproc.fitting.uncertainty`); with ``FitOptions(priors="none")`` they are the
        minimum of chi-squared.
    covariance : ndarray, shape (..., n, n)
        Their covariance, everything else unknown.
    at_bounds : ndarray of bool, shape (..., n)
        Amplitudes that are zero where chi-squared is lowest: the data do not ask for the signal,
        and the amplitude is an upper limit rather than a value.
    shift_ppm, lorentz_hz : ndarray, shape (..., n)
        Shift from the position in the basis set [ppm] and Lorentzian FWHM added [Hz] of each
        signal.
    gauss_hz : ndarray, shape (...)
        Common Gaussian FWHM [Hz].
    phase0_deg : ndarray, shape (...)
        Zero-order phase at the ppm reference [degrees]: what the data were turned by.
    phase1_deg_per_ppm : ndarray, shape (...)
        First-order phase [degrees/ppm].
    noise_sd : ndarray, shape (...)
        SD of the noise of the real spectrum.
    snr : ndarray, shape (...)
        Tallest metabolite peak of the fit over `noise_sd`.
    linewidth_hz : ndarray, shape (...)
        FWHM of that peak [Hz].
    baseline_dimension : ndarray, shape (...)
        Effective number of parameters of the baseline.
    fit_quality : ndarray, shape (...)
        Variance of the residual over that of the noise; 1 for a perfect model.
    success : ndarray of bool, shape (...)
        Whether the fit found a minimum.
    reason : ndarray of str, shape (...)
        Why not; empty where it did.
    ppm : ndarray, shape (m,)
        Chemical shifts of the curves [ppm], descending.
    data, baseline, residual : ndarray, shape (..., m)
        Real part of the phased spectrum, baseline, and what neither model nor baseline explain.
    shape : ndarray, shape (..., p)
        Phases, widths and shifts, as the model takes them.
    asymmetry : ndarray, shape (..., 3)
        Weights of the asymmetric lineshape, see `mrsproc.fitting.asymmetry`; zero where lines are
        symmetric.
    model : BandModel
        Grids and signals, to draw components from.
    priors : tuple of RatioPrior
        Ratio priors that acted.
    prior_pull : ndarray, shape (..., n_priors)
        How far each ratio is from its expectation, in SDs of the prior and of what the spectrum
        leaves open together.
    options : FitOptions
        How it was fitted.
    basis_source : str
        Where the basis set comes from.
    signal_per_proton : float
        First point of the FID of one proton in the basis set; NaN where it is not known.
    """

    names: tuple[str, ...]
    dims: tuple[str, ...]
    coords: Mapping[str, Array]
    amplitude: Array
    covariance: Array
    at_bounds: Array
    shift_ppm: Array
    lorentz_hz: Array
    gauss_hz: Array
    phase0_deg: Array
    phase1_deg_per_ppm: Array
    noise_sd: Array
    snr: Array
    linewidth_hz: Array
    baseline_dimension: Array
    fit_quality: Array
    success: Array
    reason: Array
    ppm: Array
    data: Array
    baseline: Array
    residual: Array
    shape: Array
    asymmetry: Array
    model: BandModel
    priors: tuple[RatioPrior, ...]
    prior_pull: Array
    options: FitOptions
    basis_source: str
    signal_per_proton: float

    @property
    def sd(self) -> Array:
        """Standard deviation of the amplitudes, shape (..., n)."""
        return np.asarray(np.sqrt(np.diagonal(self.covariance, axis1=-2, axis2=-1)))

    @property
    def correlation(self) -> Array:
        """Correlation matrix of the amplitudes, shape (..., n, n)."""
        sd = self.sd
        return np.asarray(self.covariance / (sd[..., :, None] * sd[..., None, :]))

    @property
    def fitted(self) -> Array:
        """The model with its baseline, shape (..., m)."""
        return np.asarray(self.data - self.residual)

    @property
    def whiteness(self) -> Array:
        r"""Probability that noise leaves a residual as smooth as this one, shape (...).

        From the correlations :math:`r_k` of the residual with itself, k points further: the upper
        tail of :math:`\sqrt{m / 3} (r_1 + r_2 + r_3)`, normal for white noise (Bartlett 1946,
        10.2307/2983611). A fit takes smooth parts of the noise with it, so that a good one is
        rarely below 0.5; below 0.01 the model leaves something out.
        """
        from scipy.special import ndtr

        off = self.residual - self.residual.mean(axis=-1, keepdims=True)
        power = (off**2).sum(axis=-1)
        products = [(off[..., k:] * off[..., :-k]).sum(axis=-1) for k in range(1, _LAGS + 1)]
        return np.asarray(ndtr(-np.sqrt(self.ppm.size / _LAGS) * sum(products) / power))

    def components(self, index: tuple[int, ...] = ()) -> Array:
        """Return the real spectrum of every signal as fitted.

        Parameters
        ----------
        index : tuple of int, default ()
            Which spectrum, along `dims`.

        Returns
        -------
        ndarray, shape (n, m)
            Their sum and the baseline make `fitted`.
        """
        n, theta = len(self.names), self.shape[index]
        if not np.isfinite(theta).all():
            return np.full((n, self.ppm.size), np.nan)
        fid = self.model.decayed(theta[3 : 3 + n], theta[3 + n :], float(np.exp(theta[2])))
        fid = fid * lineshape(self.model.time, self.asymmetry[index])
        scaled = self.model.scale * self.amplitude[index]
        return np.asarray(self.model.spectra(fid).real * scaled[:, None])

    def with_sums(self) -> tuple[tuple[str, ...], Array, Array]:
        """Return the amplitudes with tNAA, tCr, tCho and Glx appended.

        Returns
        -------
        names : tuple of str
            Signals, then the combined quantities.
        amplitude : ndarray, shape (..., k)
            Their amplitudes.
        covariance : ndarray, shape (..., k, k)
            Their covariance: sums carry the correlation of their members.
        """
        sums = {
            name: weights
            for name, weights in sum_weights(self.names).items()
            if name not in self.names
        }
        weights = np.vstack([np.eye(len(self.names)), *sums.values()])
        return (
            (*self.names, *sums),
            self.amplitude @ weights.T,
            propagation.of_sums(weights, self.covariance),
        )

    def estimate(self, name: str) -> tuple[Array, Array]:
        """Return the amplitude of a signal or combined quantity, with its SD.

        Parameters
        ----------
        name : str
            For example "Glu" or "Glx".

        Returns
        -------
        amplitude, sd : ndarray, shape (...)
            Both in the units of the basis set.

        Raises
        ------
        InvalidInputError
            There is no such quantity.
        """
        names, amplitude, covariance = self.with_sums()
        if name not in names:
            raise InvalidInputError(f"no {name!r} in this fit. {suggest(name, names)}")
        i = names.index(name)
        return amplitude[..., i], np.sqrt(covariance[..., i, i])

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each spectrum and signal or combined quantity.

        Returns
        -------
        pandas.DataFrame
            Columns: the leading dimensions (indices), metabolite, amplitude, sd, crlb_percent,
            at_bounds. ``crlb_percent`` is the SD in percent, NaN where the amplitude is zero.
        """
        import pandas as pd

        names, amplitude, covariance = self.with_sums()
        sd = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
        bounds = np.zeros(amplitude.shape, bool)
        bounds[..., : len(self.names)] = self.at_bounds
        columns: dict[str, Any] = {}
        grid = np.indices(amplitude.shape)
        for axis, dim in enumerate(self.dims):
            columns[dim] = grid[axis].ravel()
        columns["metabolite"] = np.array(names, object)[grid[-1].ravel()]
        positive = np.where(amplitude > 0.0, amplitude, np.nan)
        columns |= {
            "amplitude": amplitude.ravel(),
            "sd": sd.ravel(),
            "crlb_percent": (100.0 * sd / positive).ravel(),
            "at_bounds": bounds.ravel(),
        }
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        done = int(np.sum(self.success))
        head = (
            f"FitResult({done} of {np.size(self.success)} spectra fitted, {len(self.names)} signals"
        )
        if self.dims or not done:
            return head + ")"
        parts = []
        for name in ("tNAA", "tCr", "tCho", "Glx"):
            if name in sum_weights(self.names):
                value, sd = self.estimate(name)
                parts.append(f"{name} {float(value):.4g} +- {float(sd):.2g}")
        return f"{head}; {', '.join(parts)}; {self.quality_text()})"

    def quality_text(self) -> str:
        """Return SNR, linewidth and fit quality of a single spectrum in one line."""
        snr, width, quality = (float(x) for x in (self.snr, self.linewidth_hz, self.fit_quality))
        return f"SNR {snr:.3g}, linewidth {width:.3g} Hz, fit quality {quality:.3g}"
