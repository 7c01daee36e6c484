"""From the fits of single spectra to a `FitResult`."""

import dataclasses

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData
from mrsproc.fitting.asymmetry import N_WEIGHTS
from mrsproc.fitting.batch import Batch
from mrsproc.fitting.result import FitResult
from mrsproc.fitting.single import Single, residual_sd
from mrsproc.fitting.solve import Point, Problem, Spectrum, baseline_and_residual
from mrsproc.fitting.uncertainty import Uncertainty
from mrsproc.qc.singlets import half_width


class Collection:
    """Rows of a result, put in one by one so that no fit is kept whole.

    Parameters
    ----------
    batch : Batch
        What is fitted.
    count : int
        Number of spectra; those that are never put in are masked.
    """

    def __init__(self, batch: Batch, count: int) -> None:
        problem = batch.problem
        n, m, p = problem.n_basis, problem.band.ppm.size, problem.prior.mean.size
        widths = {
            "amplitude": n,
            "at_bounds": n,
            "shape": p,
            "asymmetry": N_WEIGHTS,
            "prior_pull": len(batch.priors),
        }
        widths |= {"data": m, "baseline": m, "residual": m}
        self._batch = batch
        self._rows: dict[str, Array] = {
            key: np.full((count, width), np.nan) for key, width in widths.items()
        }
        self._rows["covariance"] = np.full((count, n, n), np.nan)
        for key in ("noise_sd", "snr", "linewidth_hz", "baseline_dimension", "fit_quality"):
            self._rows[key] = np.full(count, np.nan)
        self._reason = np.full(count, "masked", dtype="U64")

    def put(self, i: int, single: Single | None) -> None:
        """Enter the fit of spectrum i, or why there is none."""
        if single is None or not np.isfinite(single.amplitude.covariance).all():
            self._reason[i] = "the information matrix is singular"
        elif not single.converged:
            self._reason[i] = "no minimum found"
        else:
            self._reason[i] = ""
            for key, value in _row(self._batch, single).items():
                self._rows[key][i] = value

    def result(self, data: MRSData) -> FitResult:
        """Return what was put in, with the leading dimensions of the data."""
        batch = self._batch
        band, basis, n = batch.problem.band, batch.basis, batch.problem.n_basis
        shape = tuple(data.sizes[dim] for dim in data.mask_dims)
        rows = {key: value.reshape(shape + value.shape[1:]) for key, value in self._rows.items()}
        theta = rows["shape"]
        offset = data.acquisition.ppm_reference - float(band.ppm.mean())
        phase0 = theta[..., 0] + theta[..., 1] * offset
        bounds = rows.pop("at_bounds")
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
            success=(self._reason == "").reshape(shape),
            reason=self._reason.reshape(shape),
            ppm=band.ppm,
            model=band,
            priors=batch.priors,
            options=batch.options,
            basis_source=basis.source,
            signal_per_proton=(
                basis.signal_per_proton if data.acquisition.nucleus == "1H" else float("nan")
            ),
            **rows,
        )


def _row(batch: Batch, single: Single) -> dict[str, Array | float]:
    problem, spectrum = batch.problem, single.spectrum
    band = problem.band
    point = dataclasses.replace(single.point, amplitude=single.amplitude.mean)
    smooth, residual = baseline_and_residual(problem, spectrum, point)
    snr, linewidth = _height_and_width(problem, spectrum, point)
    return {
        "amplitude": point.amplitude / band.scale,
        "at_bounds": ~point.passive,
        "covariance": single.amplitude.covariance / np.outer(band.scale, band.scale),
        "shape": point.theta,
        "asymmetry": single.asymmetry,
        "data": point.data.real,
        "baseline": smooth,
        "residual": residual,
        "prior_pull": _pull(batch, single.amplitude),
        "noise_sd": spectrum.noise,
        "baseline_dimension": float(problem.baseline.shrinkage(spectrum.stiffness).sum()),
        "fit_quality": (residual_sd(problem, spectrum, single.point) / spectrum.noise) ** 2,
        "snr": snr,
        "linewidth_hz": linewidth,
    }


def _pull(batch: Batch, found: Uncertainty) -> Array:
    """Return how far each ratio ended from what was expected, relative to what is known of both."""
    location, spread = np.array([prior.normal for prior in batch.priors]).reshape(-1, 2).T
    ratio, sd = np.array([(prior.ratio, prior.sd) for prior in batch.priors]).reshape(-1, 2).T
    deviation, scale = batch.problem.ratio_rows
    references = scale / spread[:, None]
    rows = deviation + (location - ratio)[:, None] * references
    expected = (sd * (references @ found.mean)) ** 2
    left_open = np.einsum("ij,jk,ik->i", rows, found.covariance, rows)
    return np.asarray(rows @ found.mean / np.sqrt(expected + left_open))


def _height_and_width(problem: Problem, spectrum: Spectrum, point: Point) -> tuple[float, float]:
    """Return the SNR and the FWHM [Hz] of the tallest peak of the fitted metabolites."""
    narrow = problem.narrow
    line = (point.amplitude * narrow) @ point.signals.real
    top = int(np.argmax(line))
    step = float(problem.band.frequency[1] - problem.band.frequency[0])
    return float(line[top]) / spectrum.noise, half_width(line, top) * step
