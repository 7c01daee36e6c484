"""Quality of a session over time: one row a transient."""

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData, Step
from mrsproc.errors import InvalidInputError
from mrsproc.preproc.alignment import Alignment, align
from mrsproc.preproc.averaging import average
from mrsproc.preproc.outliers import Rejection, compared, find_outliers
from mrsproc.preproc.water import has_water_range, remove_water, water_is_removed
from mrsproc.qc import METABOLITE_PPM, WATER_PPM, tallest_peak
from mrsproc.qc.noise import noise_sd
from mrsproc.timeline import transient_onsets

if TYPE_CHECKING:
    import pandas as pd

_MODEL: Final = Step("Simulation", "mean of the good transients, as few exponentials")
_WIDTH_STEPS: Final = 9


class Interval(Protocol):
    """Something with an onset and a duration, such as `mrsproc.Infusion`."""

    @property
    def onset(self) -> float:
        """Start since the first transient [s]."""

    @property
    def duration(self) -> float:
        """Duration [s]."""


def epochs(onset_s: Array, infusion: Interval | None) -> Array:
    """Return the part of a session that each transient belongs to.

    Parameters
    ----------
    onset_s : ndarray, shape (n,)
        Onset times [s].
    infusion : Interval or None
        When the drug ran in.

    Returns
    -------
    ndarray of str, shape (n,)
        "baseline", "infusion" or "after"; "all" without an infusion, or where times
        are not known.
    """
    if infusion is None or np.isnan(onset_s).any():
        return np.full(onset_s.size, "all")
    end = infusion.onset + infusion.duration
    names = np.where(onset_s < infusion.onset, "baseline", "infusion")
    return np.where(onset_s >= end, "after", names)


def quality(
    data: MRSData,
    *,
    alignment: Alignment | None = None,
    rejection: Rejection | None = None,
    infusion: Interval | None = None,
) -> "pd.DataFrame":
    """Return SNR, linewidth, frequency, phase, residual water and validity over time.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"), coils combined, not aligned, with its residual water.
    alignment : Alignment, optional
        What was found for these data; found here when not given.
    rejection : Rejection, optional
        Likewise.
    infusion : Infusion or other object with onset and duration [s], optional
        Gives the epochs.

    Returns
    -------
    pandas.DataFrame
        Columns transient, time_s, epoch, snr, linewidth_hz, frequency_hz, phase_rad,
        residual_water, valid, reason. `snr` and `linewidth_hz` are those of the tallest metabolite
        peak of the mean, sized and broadened as the transient is: a single noisy transient has no
        linewidth to be read off. `residual_water` is the tallest peak near water over the tallest
        metabolite peak. What is not known is NaN.

    Raises
    ------
    InvalidInputError
        Other dimensions.
    """
    import pandas as pd

    if data.dims != ("transient", "time"):
        raise InvalidInputError(
            f"dims = {data.dims}: quality over time is of ('transient', 'time'). Combine coils "
            "first."
        )
    onset = onset_or_nan(data)
    epoch = epochs(onset, infusion)
    alignment = align(data) if alignment is None else alignment
    if rejection is None:
        rejection = find_outliers(alignment.apply(data), alignment=alignment, epochs=epoch)
    height, width = _peak_of_each(data, rejection)
    noise = noise_sd(data) * np.sqrt(data.n_points)
    water = (data.ppm > WATER_PPM[0]) & (data.ppm < WATER_PPM[1])
    size = np.abs(data.spectrum[:, water]).max(axis=1) if water.any() else np.full(len(noise), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "transient": np.arange(noise.size),
            "time_s": onset,
            "epoch": epoch,
            "snr": height / noise,
            "linewidth_hz": width,
            "frequency_hz": alignment.frequency_hz,
            "phase_rad": alignment.phase_rad,
            "residual_water": size / height if water.any() else np.full(noise.size, np.nan),
            "valid": rejection.valid,
            "reason": rejection.reason,
        }
    return pd.DataFrame(columns).replace([np.inf, -np.inf], np.nan)


def linewidths(
    data: MRSData, *, transients: int | None = None, seconds: float | None = None
) -> "pd.DataFrame":
    """Return the linewidth over time, of single transients or of windows.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"), aligned.
    transients : int, optional
        Length of a window; 1 when neither length is given.
    seconds : float, optional
        Length of a window [s].

    Returns
    -------
    pandas.DataFrame
        Columns time_s (start), duration_s, n_transients, linewidth_hz (FWHM of the tallest
        metabolite peak), linewidth_sd_hz, and extra_linewidth_hz: the Lorentzian width beyond the
        mean, which the width of all metabolites together gives.
    """
    if transients is None and seconds is None:
        transients = 1
    dry = data if water_is_removed(data) or not has_water_range(data) else remove_water(data)
    windows = average(dry, transients=transients, seconds=seconds)
    state, found, template = compared(windows.data)
    noise = noise_sd(windows.data) * np.sqrt(data.n_points)
    _, width, slope = _peaks(windows.data, template, state.width)
    frame = windows.to_frame().drop(columns="mean_time_s")
    frame["linewidth_hz"] = width
    frame["linewidth_sd_hz"] = np.abs(slope) * found.sd[:, 3] * noise
    frame["extra_linewidth_hz"] = state.width
    frame.loc[~windows.data.mask, ["linewidth_hz", "linewidth_sd_hz", "extra_linewidth_hz"]] = (
        np.nan
    )
    return frame


def onset_or_nan(data: MRSData) -> Array:
    """Return onset times [s], NaN where neither times nor a repetition time are known."""
    if "transient" not in data.coords and data.acquisition.repetition_time is None:
        return np.full(data.sizes["transient"], np.nan)
    return transient_onsets(data)


def _peak_of_each(data: MRSData, rejection: Rejection) -> tuple[Array, Array]:
    """Return height and FWHM [Hz] of the tallest metabolite peak of each transient."""
    height, width, _ = _peaks(data, rejection.template, rejection.extra_linewidth_hz)
    unknown = ~np.isfinite(data.fid).all(axis=-1) | ~data.fid.any(axis=-1)
    height, width = height * rejection.amplitude, width.copy()
    height[unknown], width[unknown] = np.nan, np.nan
    return height, width


def _peaks(data: MRSData, template: Array, extra: Array) -> tuple[Array, Array, Array]:
    """Return height, FWHM and the slope of the FWHM over the extra Lorentzian width."""
    grid = np.linspace(min(extra.min(), -0.5), max(extra.max(), 0.5), _WIDTH_STEPS)
    rows = template * np.exp(-np.pi * grid[:, None] * data.time)
    found = [
        tallest_peak(
            data.with_fid(row, _MODEL, dims=("time",), mask=np.array(True), coords={}),
            METABOLITE_PPM,
        )
        for row in rows
    ]
    heights = np.array([peak.height for peak in found])
    widths = np.array([peak.fwhm_hz for peak in found])
    slope = np.gradient(widths, grid)
    return tuple(np.interp(extra, grid, values) for values in (heights, widths, slope))
