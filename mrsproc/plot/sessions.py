"""Sessions over time: before and after preprocessing, waterfall, quality."""

from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData
from mrsproc.errors import InvalidInputError
from mrsproc.plot.style import COLOURS, new_axes, ppm_axis, style
from mrsproc.preproc import Preprocessed, average

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from mrsproc.preproc.over_time import Interval

_PPM: Final = (0.2, 4.2)
_WATERFALL_ROWS: Final = 24
_OFFSET: Final = 0.35  # of a waterfall's rows, in heights of the tallest peak
_QUALITY: Final = (
    ("snr", "SNR"),
    ("linewidth_hz", "linewidth (Hz)"),
    ("frequency_hz", "frequency (Hz)"),
    ("phase_rad", "phase (rad)"),
    ("residual_water", "residual water"),
)


def before_after(
    raw: MRSData,
    clean: Preprocessed,
    *,
    ppm: tuple[float, float] = _PPM,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the mean of a recording as it came, and after preprocessing, above each other.

    Parameters
    ----------
    raw : MRSData
        The recording that was given.
    clean : Preprocessed
        What `mrsproc.preprocess` made of it.
    ppm : tuple of float, default (0.2, 4.2)
        Range [ppm].
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.
    """
    if "coil" in raw.dims:
        if clean.coils is None:
            raise InvalidInputError("raw has coils, the clean recording was made of one without.")
        raw = clean.coils.apply(raw)
    before, after = _mean(raw), _mean(clean.data)
    inside = (before.ppm >= min(ppm)) & (before.ppm <= max(ppm))
    common = _turned(before, after, inside)
    top = after.spectrum[inside].real.max()
    with style():
        ax = new_axes(ax, (7.0, 4.0))
        ax.plot(
            before.ppm[inside], common + 1.1 * top, color=COLOURS["residual"], label="mean, raw"
        )
        ax.plot(
            after.ppm[inside],
            after.spectrum[inside].real,
            color=COLOURS["data"],
            label="mean, preprocessed",
        )
        ppm_axis(ax, ppm)
        ax.legend(loc="upper left")
        return ax


def _mean(data: MRSData) -> MRSData:
    for dim in data.mask_dims:
        data = data.mean(dim)
    return data


def _turned(before: MRSData, after: MRSData, inside: Array) -> Array:
    """Return the raw spectrum with the phase that stands upright where the clean one does."""
    raw, clean = before.spectrum[inside], after.spectrum[inside]
    turn = np.exp(-1j * np.angle(np.vdot(np.abs(clean), raw * np.sign(clean.real))))
    return np.asarray((raw * turn).real)


def waterfall(
    data: MRSData,
    *,
    infusion: "Interval | None" = None,
    ppm: tuple[float, float] = _PPM,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw spectra over time as rows above each other, in at most 24 block averages.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"), preprocessed.
    infusion : Infusion or other object with onset and duration [s], optional
        Its rows are coloured.
    ppm : tuple of float, default (0.2, 4.2)
        Range [ppm].
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn; the vertical axis is the time in minutes.
    """
    blocks = average(data, transients=max(1, data.sizes["transient"] // _WATERFALL_ROWS))
    inside = (data.ppm >= min(ppm)) & (data.ppm <= max(ppm))
    rows = blocks.data.spectrum[:, inside].real
    step = _OFFSET * np.percentile(np.abs(rows), 99.8)
    with style():
        ax = new_axes(ax, (5.5, 6.5))
        for i in range(len(rows))[::-1]:
            if not blocks.n_transients[i]:
                continue
            during = infusion is not None and (
                0.0 <= blocks.start_s[i] - infusion.onset < infusion.duration
            )
            colour = COLOURS["fit"] if during else COLOURS["data"]
            shifted = rows[i] + i * step
            ax.fill_between(data.ppm[inside], i * step, shifted, color="white", zorder=-i)
            ax.plot(data.ppm[inside], shifted, color=colour, lw=0.7, zorder=-i)
        ppm_axis(ax, ppm)
        ticks = range(0, len(rows), max(1, len(rows) // 8))
        ax.set_yticks([i * step for i in ticks], [f"{blocks.start_s[i] / 60:.0f}" for i in ticks])
        ax.set_ylabel("time (min)")
        return ax


def quality(
    qc: "pd.DataFrame", *, infusion: "Interval | None" = None, axs: "Sequence[Axes] | None" = None
) -> "Sequence[Axes]":
    """Draw SNR, linewidth, frequency, phase and residual water over time.

    Parameters
    ----------
    qc : pandas.DataFrame
        As `mrsproc.quality` and `Preprocessed.qc` have it.
    infusion : Infusion or other object with onset and duration [s], optional
        Shaded.
    axs : sequence of five matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    sequence of matplotlib Axes
        Where it was drawn; rejected transients are marked with crosses.
    """
    import matplotlib.pyplot as plt

    known = qc["time_s"].notna().all()
    x = qc["time_s"] / 60.0 if known else qc["transient"]
    good = qc["valid"].to_numpy(bool)
    with style():
        if axs is None:
            axs = plt.subplots(len(_QUALITY), 1, figsize=(7.0, 7.5), sharex=True,
                               layout="constrained")[1]  # fmt: skip
        for ax, (name, label) in zip(axs, _QUALITY, strict=True):
            ax.plot(x[good], qc[name][good], ".", ms=2.5, color=COLOURS["baseline"])
            ax.plot(x[~good], qc[name][~good], "x", ms=5, color=COLOURS["fit"])
            spread = qc[name][good].dropna()
            if len(spread):
                low, high = spread.quantile([0.0, 1.0])
                margin = 0.15 * (high - low) or 1.0
                ax.set_ylim(low - margin, high + margin)
            ax.set_ylabel(label)
            if infusion is not None and known:
                start = infusion.onset / 60.0
                ax.axvspan(start, start + infusion.duration / 60.0, color="0.9", zorder=0, lw=0)
        axs[0].set_title(f"{int((~good).sum())} of {good.size} transients rejected (crosses)")
        axs[-1].set_xlabel("time (min)" if known else "transient")
        return axs
