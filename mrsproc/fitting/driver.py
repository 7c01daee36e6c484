"""`fit`: from data and basis set to a `FitResult`, one spectrum after the other."""

import warnings
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.constants import MACROMOLECULES, PPM_REFERENCE
from mrsproc.data import MRSData
from mrsproc.errors import BasisError, DataWarning, FitWarning, InvalidInputError
from mrsproc.fitting.band import band_model, check_coverage
from mrsproc.fitting.baseline import baseline_for
from mrsproc.fitting.collect import Collection
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.priors import is_broad, ratio_rows, shape_prior
from mrsproc.fitting.result import FitResult, sum_weights
from mrsproc.fitting.single import Batch, fit_one
from mrsproc.fitting.solve import Problem
from mrsproc.fitting.start import conjugate_fits_better, templates_for
from mrsproc.fitting.stiffness import START_PER_PPM, stiffness_grid
from mrsproc.preproc.ends import without_rising_end
from mrsproc.qc.noise import noise_sd

_BAD_LINEWIDTH_PPM: Final = 0.1
_LOW_SNR: Final = 3.0
_BLOCK: Final = 64  # spectra whose noise is measured together
_VOTERS: Final = 8  # spectra that say which way the frequency axis runs
_TAIL_DISTANCE_PPM: Final = 0.2  # nearer to water the fit sees more than a tail
_SEEN: Final = 0.05  # part of the norm of a signal that has to lie in the range of the fit


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
    batch = _batch(data, basis, options)
    fids = np.asarray(data.fid).reshape(-1, data.n_points)
    mask = data.mask.ravel() if data.mask_dims else np.atleast_1d(data.mask)
    noise = _noise(data, options, mask)
    _check_sign(batch, fids[np.flatnonzero(mask)[:_VOTERS]])
    collection = Collection(batch, len(fids))
    for i in np.flatnonzero(mask).tolist():
        collection.put(i, fit_one(batch, fids[i], noise[i]))
    result = collection.result(data)
    _warn(result, data.acquisition.spectrometer_frequency)
    return result


def _signals(data: MRSData, basis: BasisSet, options: FitOptions) -> BasisSet:
    """Return the signals to fit: those in sight, and macromolecules where there are none."""
    proton = data.acquisition.nucleus == "1H"
    adds = options.macromolecules == "auto" and proton and not basis.has_broad_signals
    built_in = MACROMOLECULES if adds else {}
    given = [name for name in options.omit if name in basis or name not in built_in]
    if given:
        basis = basis.without(given)
    check_coverage(basis, data.acquisition, options.ppm)
    if proton:
        basis.warn_if_offset()
    basis = _in_sight(basis, options.ppm)
    _check_distinct(basis)
    low, high = options.ppm
    chosen = [
        name
        for name, lines in built_in.items()
        if low <= lines[0].ppm <= high and name not in options.omit
    ]
    return basis.with_macromolecules(chosen) if chosen else basis


def _in_sight(basis: BasisSet, ppm: tuple[float, float]) -> BasisSet:
    """Return the signals that have a part in the range of the fit, and say which have not."""
    low, high = ppm
    unseen = [
        name
        for name, part in zip(basis.names, basis.visible_part(low, high), strict=True)
        if part < _SEEN
    ]
    if unseen:
        if len(unseen) == len(basis):
            raise BasisError(
                f"no signal of the basis set lies within {low} to {high} ppm: choose another "
                "FitOptions(ppm=...)."
            )
        warnings.warn(
            f"{', '.join(unseen)} have no signal within {low} to {high} ppm and are left out.",
            DataWarning,
            stacklevel=5,
        )
        basis = basis.without(unseen)
    return basis


def _check_distinct(basis: BasisSet) -> None:
    """Refuse two names for one signal, between which no data can decide."""
    unit = basis.fid / np.linalg.norm(basis.fid, axis=1, keepdims=True)
    alike = np.triu(np.abs(unit @ unit.conj().T) > 1.0 - 1e-9, 1)
    for i, j in np.argwhere(alike):
        raise BasisError(
            f"{basis.names[i]} and {basis.names[j]} are the same signal: omit one of them with "
            "FitOptions(omit=...)."
        )


def _batch(data: MRSData, given: BasisSet, options: FitOptions) -> Batch:
    basis = _signals(data, given, options)
    built_in = np.array([name not in given.names for name in basis.names])
    band = band_model(basis, data.acquisition, data.n_points, options.ppm)
    priors, rows = ratio_rows(basis, options)
    problem = Problem(
        band=band,
        baseline=baseline_for(band.ppm, options.baseline_spacing, tail_ppm(data, options)),
        prior=shape_prior(basis, built_in, options, data.acquisition.spectrometer_frequency),
        ratio_rows=rows / band.scale,
        phase_ramp=band.ppm - band.ppm.mean(),
        narrow=~is_broad(basis),
    )
    per_ppm = START_PER_PPM if isinstance(options.baseline, str) else float(options.baseline)
    return Batch(
        basis=basis,
        problem=problem,
        templates=templates_for(problem, basis),
        priors=priors,
        options=options,
        stiffness=stiffness_grid(problem),
        start_stiffness=problem.baseline.stiffness_for(per_ppm),
    )


def tail_ppm(data: MRSData, options: FitOptions) -> float | None:
    """Return where residual water stands, if that is outside the range of the fit."""
    if data.acquisition.nucleus != "1H":
        return None
    low, high = options.ppm
    outside = (
        high < PPM_REFERENCE["1H"] - _TAIL_DISTANCE_PPM
        or low > PPM_REFERENCE["1H"] + _TAIL_DISTANCE_PPM
    )
    return PPM_REFERENCE["1H"] if outside else None


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


def _check_sign(batch: Batch, fids: Array) -> None:
    if len(fids) and conjugate_fits_better(batch.problem, batch.templates, fids):
        raise InvalidInputError(
            "the spectra look mirrored: their peaks match the basis set on an inverted "
            "frequency axis. "
            "The file follows the other sign convention; take the complex conjugate of the FIDs."
        )


def _warn(result: FitResult, megahertz: float) -> None:
    """Say once for all spectra what wants a second look."""
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
