"""`fit`: from data and basis set to a `FitResult`, one spectrum after the other."""

import dataclasses
import warnings
from typing import Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.constants import MACROMOLECULES
from mrsproc.data import MRSData
from mrsproc.errors import BasisError, DataWarning, FitWarning, InvalidInputError
from mrsproc.fitting.band import band_model, check_coverage
from mrsproc.fitting.baseline import baseline_for
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.priors import RatioPrior, is_broad, ratio_rows, shape_prior
from mrsproc.fitting.result import FitResult, sum_weights
from mrsproc.fitting.solve import (
    Point,
    Problem,
    Spectrum,
    baseline_and_residual,
    evaluate,
    jacobian,
    minimise,
    volume_slope,
)
from mrsproc.fitting.start import conjugate_fits_better, starting_points
from mrsproc.fitting.stiffness import START_PER_PPM, chosen_stiffness, stiffness_grid
from mrsproc.fitting.uncertainty import uncertainty
from mrsproc.preproc.ends import without_rising_end
from mrsproc.qc.noise import noise_sd
from mrsproc.qc.singlets import half_width

_ROUNDS: Final = 2  # of choosing the stiffness and fitting again
_BAD_LINEWIDTH_PPM: Final = 0.1
_LOW_SNR: Final = 3.0
_SEEN: Final = 0.05  # part of the norm of a signal that has to lie in the range of the fit


class _Batch(NamedTuple):
    """What all spectra of a call share."""

    basis: BasisSet
    problem: Problem
    priors: tuple[RatioPrior, ...]
    options: FitOptions
    stiffness: Array
    """Stiffnesses of the baseline that are compared."""


class _Single(NamedTuple):
    """The fit of one spectrum."""

    point: Point
    spectrum: Spectrum
    covariance: Array
    converged: bool


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
    _check_sign(batch, fids[mask])
    singles: list[_Single | None] = []
    for fid, sd, valid in zip(fids, noise, mask, strict=True):
        singles.append(_fit_one(batch, fid, sd) if valid else None)
    result = _collected(data, batch, singles)
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


def _batch(data: MRSData, given: BasisSet, options: FitOptions) -> _Batch:
    basis = _signals(data, given, options)
    built_in = np.array([name not in given.names for name in basis.names])
    band = band_model(basis, data.acquisition, data.n_points, options.ppm)
    priors, rows = ratio_rows(basis, options)
    problem = Problem(
        band=band,
        baseline=baseline_for(band.ppm, options.baseline_spacing),
        prior=shape_prior(basis, built_in, options, data.acquisition.spectrometer_frequency),
        ratio_rows=rows / band.scale,
        phase_ramp=band.ppm - band.ppm.mean(),
        narrow=~is_broad(basis),
    )
    return _Batch(basis, problem, priors, options, stiffness_grid(problem))


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
        valid = MRSData(fid=fids, dims=("transient", "time"), acquisition=data.acquisition)
        sd[mask] = noise_sd(valid)
    if not np.isfinite(sd[mask]).all():
        raise InvalidInputError(
            "the noise cannot be measured in FIDs as short as these: give its SD with "
            "FitOptions(noise_sd=...)."
        )
    sd[mask] = np.maximum(sd[mask], 1e-6 * largest)  # simulated data may hold no noise
    return np.asarray(sd * np.sqrt(data.n_points))


def _check_sign(batch: _Batch, fids: Array) -> None:
    if len(fids) and conjugate_fits_better(batch.problem, batch.basis, fids[:8]):
        raise InvalidInputError(
            "the spectra look mirrored: their peaks match the basis set on an inverted "
            "frequency axis. "
            "The file follows the other sign convention; take the complex conjugate of the FIDs."
        )


def _fit_one(batch: _Batch, fid: Array, noise: float) -> _Single:
    """Fit one FID, from further starts only where the first one fails."""
    problem, wanted = batch.problem, batch.options.baseline
    stiffness = problem.baseline.stiffness_for(
        START_PER_PPM if isinstance(wanted, str) else float(wanted)
    )
    n = problem.n_basis
    spectrum = Spectrum(
        values=problem.band.of_data(fid),
        noise=noise,
        sigma=noise,
        stiffness=stiffness,
        prior=problem.prior,
        ratio_precision=np.zeros((n, n)),
        volume_slope=np.zeros(3 + 2 * n),
    )
    trials: list[_Single] = []
    for point in starting_points(problem, batch.basis, spectrum):
        trials.append(_from_start(batch, dataclasses.replace(spectrum), point))
        if trials[-1].converged:
            return trials[-1]
    return min(trials, key=lambda trial: trial.point.cost)


def _from_start(batch: _Batch, spectrum: Spectrum, point: Point) -> _Single:
    problem = batch.problem
    common, every = common_directions(problem.n_basis), np.eye(problem.prior.mean.size)
    point, converged = minimise(problem, spectrum, point, common)
    for _ in range(_ROUNDS):
        if isinstance(batch.options.baseline, str):
            slopes, _ = jacobian(problem, point)
            columns = np.vstack([point.signals.real[point.passive], common @ slopes])
            spectrum.stiffness = chosen_stiffness(
                problem, point, columns, batch.stiffness, batch.options
            )
        spectrum.sigma = max(spectrum.noise, residual_sd(problem, spectrum, point))
        spectrum.ratio_precision = _ratio_precision(problem, point.amplitude)
        spectrum.prior = problem.prior.at_width(point.theta)
        spectrum.volume_slope = volume_slope(problem, spectrum, point)
        point = evaluate(problem, spectrum, point.theta, point.passive)
        point, converged = minimise(problem, spectrum, point, every)
    spectrum.sigma = max(spectrum.noise, residual_sd(problem, spectrum, point))
    return _Single(point, spectrum, uncertainty(problem, spectrum, point).amplitude, converged)


def residual_sd(problem: Problem, spectrum: Spectrum, point: Point) -> float:
    """Return the SD of the residual, for the number of parameters that were fitted."""
    _, residual = baseline_and_residual(problem, spectrum, point)
    free = problem.baseline.shrinkage(spectrum.stiffness).sum() + point.passive.sum() + 5.0
    return float(np.sqrt(residual @ residual / max(residual.size - free, 1.0)))


def common_directions(n: int) -> Array:
    """Return the steps common to all signals, shape (5, 3 + 2 n).

    They are phase 0, phase 1, Gaussian width, shift, Lorentzian width.
    """
    rows = np.zeros((5, 3 + 2 * n))
    rows[0, 0] = rows[1, 1] = rows[2, 2] = 1.0
    rows[3, 3 : 3 + n] = 1.0
    rows[4, 3 + n :] = 1.0
    return rows


def _ratio_precision(problem: Problem, amplitude: Array) -> Array:
    """Return the precision of the ratio priors at the amplitudes of their references."""
    deviation, scale = problem.ratio_rows
    reference = scale @ amplitude
    usable = reference > 0.0
    rows = deviation[usable] / reference[usable, None]
    return np.asarray(rows.T @ rows)


def _collected(data: MRSData, batch: _Batch, singles: list[_Single | None]) -> FitResult:
    problem, basis = batch.problem, batch.basis
    band, n = problem.band, problem.n_basis
    m, count, p = band.ppm.size, len(singles), problem.prior.mean.size
    sizes = {"amplitude": n, "at_bounds": n, "shape": p, "prior_pull": len(batch.priors)}
    sizes |= {"data": m, "baseline": m, "residual": m}
    arrays = {key: np.full((count, size), np.nan) for key, size in sizes.items()}
    arrays["covariance"] = np.full((count, n, n), np.nan)
    scalars = {
        key: np.full(count, np.nan)
        for key in ("noise_sd", "snr", "linewidth_hz", "baseline_dimension", "fit_quality")
    }
    reason = np.full(count, "masked", dtype="U64")
    for i, single in enumerate(singles):
        if single is None:
            continue
        reason[i] = "" if single.converged else "no minimum found"
        if not single.converged or not np.isfinite(single.covariance).all():
            reason[i] = reason[i] or "the information matrix is singular"
            continue
        _fill(problem, single, i, arrays, scalars)
    shape = tuple(data.sizes[dim] for dim in data.mask_dims)
    full = {
        key: value.reshape(shape + value.shape[1:]) for key, value in (arrays | scalars).items()
    }
    theta = full["shape"]
    offset = data.acquisition.ppm_reference - float(band.ppm.mean())
    phase0 = theta[..., 0] + theta[..., 1] * offset
    bounds = full.pop("at_bounds")
    return FitResult(
        names=basis.names,
        dims=data.mask_dims,
        coords=dict(data.coords),
        at_bounds=bounds == 1.0,
        shift_ppm=-theta[..., 3 : 3 + n] / data.acquisition.spectrometer_frequency,
        lorentz_hz=theta[..., 3 + n :],
        gauss_hz=np.exp(theta[..., 2]),
        phase0_deg=np.rad2deg(np.angle(np.exp(1j * phase0))),
        phase1_deg_per_ppm=np.rad2deg(theta[..., 1]),
        success=(reason == "").reshape(shape),
        reason=reason.reshape(shape),
        ppm=band.ppm,
        model=band,
        priors=batch.priors,
        options=batch.options,
        basis_source=basis.source,
        signal_per_proton=(
            basis.signal_per_proton if data.acquisition.nucleus == "1H" else float("nan")
        ),
        **full,
    )


def _fill(
    problem: Problem, single: _Single, i: int, arrays: dict[str, Array], scalars: dict[str, Array]
) -> None:
    point, spectrum, band = single.point, single.spectrum, problem.band
    smooth, residual = baseline_and_residual(problem, spectrum, point)
    arrays["amplitude"][i] = point.amplitude / band.scale
    arrays["at_bounds"][i] = ~point.passive
    arrays["covariance"][i] = single.covariance / np.outer(band.scale, band.scale)
    arrays["shape"][i] = point.theta
    arrays["data"][i], arrays["baseline"][i], arrays["residual"][i] = (
        point.data.real,
        smooth,
        residual,
    )
    deviation, scale = problem.ratio_rows
    reference = scale @ point.amplitude
    arrays["prior_pull"][i] = np.divide(
        deviation @ point.amplitude,
        reference,
        out=np.full(len(reference), np.nan),
        where=reference > 0,
    )
    scalars["noise_sd"][i] = spectrum.noise
    scalars["baseline_dimension"][i] = problem.baseline.shrinkage(spectrum.stiffness).sum()
    scalars["fit_quality"][i] = (residual_sd(problem, spectrum, point) / spectrum.noise) ** 2
    scalars["snr"][i], scalars["linewidth_hz"][i] = _height_and_width(problem, spectrum, point)


def _height_and_width(problem: Problem, spectrum: Spectrum, point: Point) -> tuple[float, float]:
    """Return the SNR and the FWHM [Hz] of the tallest peak of the fitted metabolites."""
    narrow = problem.narrow
    line = (point.amplitude * narrow) @ point.signals.real
    top = int(np.argmax(line))
    step = float(problem.band.frequency[1] - problem.band.frequency[0])
    return float(line[top]) / spectrum.noise, half_width(line, top) * step


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
