"""`fit`: from data and basis set to a `FitResult`, one spectrum after the other."""

import warnings
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.data import MRSData
from mrsproc.errors import FitWarning, InvalidInputError
from mrsproc.fitting.batch import Batch, batch_for
from mrsproc.fitting.collect import Collection
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.result import FitResult, sum_weights
from mrsproc.fitting.single import fit_one
from mrsproc.fitting.start import conjugate_fits_better
from mrsproc.preproc.ends import without_rising_end
from mrsproc.qc.noise import noise_sd

_BAD_LINEWIDTH_PPM: Final = 0.1
_LOW_SNR: Final = 3.0
_BLOCK: Final = 64  # spectra whose noise is measured together
_VOTERS: Final = 8  # spectra that say which way the frequency axis runs


def fit(data: MRSData, basis: BasisSet, options: FitOptions | None = None) -> FitResult:
    """Fit spectra by a linear combination of basis spectra.

    The model, its priors and its uncertainty are written down in `mrsproc.fitting.solve`,
    `mrsproc.fitting.priors`, `mrsproc.fitting.stiffness` and `mrsproc.fitting.uncertainty`.

    Parameters
    ----------
    data : MRSData
        One spectrum, or any leading dimensions, each spectrum fitted on its own; no coil dimension.
    basis : BasisSet
        Signals. Macromolecules and lipids are added when it has none (see `FitOptions`).
    options : FitOptions, optional
        How to fit; the defaults of `FitOptions` when not given.

    Returns
    -------
    FitResult
        Amplitudes with covariance, lineshape, phases, baseline, residual. Masked FIDs give NaN.

    Raises
    ------
    InvalidInputError
        Coils that were not combined, FIDs that are zero, an inverted sign convention.
    BasisError
        A basis set of another field, nucleus or a band that is too narrow.

    Warns
    -----
    FitWarning
        Linewidth above 0.1 ppm, SNR below 3, no tNAA, or a fit that failed.

    References
    ----------
    Provencher 1993, 10.1002/mrm.1910300604; Near 2021, 10.1002/nbm.4257.
    """
    options = FitOptions() if options is None else options
    if "coil" in data.dims:
        raise InvalidInputError(
            "the data have a coil dimension: combine the coils first (mp.coil_weights), or "
            "select one."
        )
    data = without_rising_end(data)
    batch = batch_for(data, basis, options)
    fids = np.asarray(data.fid).reshape(-1, data.n_points)
    mask = data.mask.ravel() if data.mask_dims else np.atleast_1d(data.mask)
    noise = _noise(data, options, mask)
    check_sign(batch, fids[np.flatnonzero(mask)[:_VOTERS]])
    collection = Collection(batch, len(fids))
    for i in np.flatnonzero(mask).tolist():
        collection.put(i, fit_one(batch, fids[i], noise[i]))
    result = collection.result(data)
    warn_of(result, data.acquisition.spectrometer_frequency)
    return result


def _noise(data: MRSData, options: FitOptions, mask: Array) -> Array:
    """Return the SD of the noise of the real spectrum of each FID, NaN where it is masked."""
    fids = np.asarray(data.fid).reshape(mask.size, -1)[mask]
    largest = np.abs(fids).max(axis=1)
    if not (largest > 0.0).all():
        raise InvalidInputError(
            f"{int((largest == 0.0).sum())} of {mask.size} FIDs are zero throughout: there is "
            "nothing to fit. Mask or remove them."
        )
    sd = np.full(mask.size, np.nan)
    if options.noise_sd is not None:
        sd[mask] = options.noise_sd
    elif mask.any():
        sd[mask] = np.concatenate(
            [
                noise_sd(
                    MRSData(fid=part, dims=("transient", "time"), acquisition=data.acquisition)
                )
                for part in np.array_split(fids, -(-len(fids) // _BLOCK))
            ]
        )
    if not np.isfinite(sd[mask]).all():
        raise InvalidInputError(
            "the noise cannot be measured in FIDs as short as these: give its SD with "
            "FitOptions(noise_sd=...)."
        )
    sd[mask] = np.maximum(sd[mask], 1e-6 * largest)  # simulated data may hold no noise
    return np.asarray(sd * np.sqrt(data.n_points))


def check_sign(batch: Batch, fids: Array) -> None:
    """Refuse spectra on an inverted frequency axis.

    Parameters
    ----------
    batch : Batch
        What is fitted.
    fids : ndarray of complex, shape (n, n_points)
        Some FIDs, first point whole.

    Raises
    ------
    InvalidInputError
        They match the basis set better when mirrored.
    """
    if len(fids) and conjugate_fits_better(batch.problem, batch.templates, fids):
        raise InvalidInputError(
            "the spectra look mirrored: their peaks match the basis set on an inverted "
            "frequency axis. "
            "The file follows the other sign convention; take the complex conjugate of the FIDs."
        )


def warn_of(result: FitResult, megahertz: float) -> None:
    """Say once for all spectra what wants a second look.

    Parameters
    ----------
    result : FitResult
        Fits.
    megahertz : float
        Larmor frequency [MHz].

    Warns
    -----
    FitWarning
        Linewidth above 0.1 ppm, SNR below 3, no tNAA, or a fit that failed.
    """
    count = result.success.size
    failed = int((~result.success & (result.reason != "masked")).sum())
    with np.errstate(invalid="ignore"):
        wide = int((result.linewidth_hz > _BAD_LINEWIDTH_PPM * megahertz).sum())
        weak = int((result.snr < _LOW_SNR).sum())
    findings = {
        "the fit failed (its numbers are NaN)": failed,
        f"the linewidth is above {_BAD_LINEWIDTH_PPM} ppm, metabolites cannot be told apart": wide,
        f"the SNR is below {_LOW_SNR:g}": weak,
    }
    if "tNAA" in sum_weights(result.names):
        value, sd = result.estimate("tNAA")
        with np.errstate(invalid="ignore"):
            findings["tNAA is not there (below 3 SD): check voxel, basis set and ppm axis"] = int(
                (value < 3.0 * sd).sum()
            )
    for text, number in findings.items():
        if number:
            where = "" if count == 1 else f"in {number} of {count} spectra "
            warnings.warn(f"{where}{text}.", FitWarning, stacklevel=3)
