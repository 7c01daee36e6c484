"""Time courses: estimate with its band, the infusion shaded."""

from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc.errors import InvalidInputError, suggest
from mrsproc.plot.style import COLOURS, new_axes, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mrsproc.dynamics import DynamicResult
    from mrsproc.preproc.over_time import Interval

_MINUTE_S: Final = 60.0
_LABELS: Final = {
    "amplitude": "amplitude (units of the basis set)",
    "ratio": "ratio",
    "difference": "change from baseline",
    "percent_change": "change from baseline (%)",
    "log_ratio": "log ratio to baseline",
}


def timecourse(
    result: "DynamicResult",
    metabolite: str,
    *,
    relative_to: str | None = None,
    quantity: str | None = None,
    baseline: tuple[float, float] | None = None,
    bin_width: float | None = None,
    infusion: "Interval | None" = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the time course of a metabolite with its 95 % band.

    Parameters
    ----------
    result : DynamicResult
        The joint fit.
    metabolite : str
        For example "Glx".
    relative_to : str, optional
        Denominator of a ratio.
    quantity : {"amplitude", "ratio", "difference", "percent_change", "log_ratio"}, optional
        What to draw: the amplitude or ratio when not given.
    baseline : tuple of float, optional
        Start and end of the baseline [s]; up to the onset of the drug when not given.
    bin_width : float, optional
        Width of the time bins [s]; that of the fit when not given.
    infusion : Infusion or other object with onset and duration [s], optional
        What to shade; the one of the options of the fit when not given.
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Minutes since the start of the infusion, or since the first transient where that is not
        known.

    Raises
    ------
    InvalidInputError
        Unknown metabolite or quantity.
    """
    table = result.timecourse(
        metabolite, relative_to=relative_to, baseline=baseline, bin_width=bin_width
    )
    wanted = str(table["quantity"].iloc[0]) if quantity is None else quantity
    if wanted not in set(table["quantity"]):
        raise InvalidInputError(
            f"quantity = {wanted!r}. {suggest(wanted, table['quantity'].unique())} "
            "Changes need a baseline."
        )
    rows = table[table["quantity"] == wanted]
    shaded = result.options.infusion if infusion is None else infusion
    onset = _onset(result, shaded)
    middle = (rows["time_s"] + 0.5 * rows["duration_s"] - onset).to_numpy() / _MINUTE_S
    estimate, sd = rows["estimate"].to_numpy(), rows["sd"].to_numpy()
    with style():
        ax = new_axes(ax, (6.0, 3.2))
        if shaded is not None:
            start = (shaded.onset - onset) / _MINUTE_S
            ax.axvspan(start, start + shaded.duration / _MINUTE_S, color="#eeeeee", lw=0, zorder=0)
        elif np.isfinite(result.infusion_onset_s):
            ax.axvline((result.infusion_onset_s - onset) / _MINUTE_S, color="#bbbbbb", lw=0.8)
        if wanted in {"difference", "percent_change", "log_ratio"}:
            ax.axhline(0.0, color="#bbbbbb", lw=0.8)
        ax.fill_between(
            middle,
            estimate - 1.96 * sd,
            estimate + 1.96 * sd,
            color=COLOURS["fit"],
            alpha=0.2,
            lw=0,
        )
        ax.plot(middle, estimate, color=COLOURS["fit"], marker="o", ms=3)
        known = np.isfinite(result.infusion_onset_s)
        ax.set_xlabel(f"time since {'infusion' if known else 'first transient'} (min)")
        name = metabolite if relative_to is None else f"{metabolite}/{relative_to}"
        ax.set_ylabel(f"{name}, {_LABELS[wanted]}")
        return ax


def _onset(result: "DynamicResult", infusion: "Interval | None") -> float:
    """Return what counts as time 0 [s]."""
    if np.isfinite(result.infusion_onset_s):
        return float(result.infusion_onset_s)
    return 0.0 if infusion is None else float(infusion.onset)
