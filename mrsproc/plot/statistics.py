"""Crossover trials and power: differences of people, forest plots, power curves."""

from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc.plot.style import COLOURS, new_axes, style
from mrsproc.stats.observations import require, unit_of
from mrsproc.stats.paired import Crossover
from mrsproc.stats.planning import Power

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_Z95: Final = 1.96
_SMALLEST, _LARGEST = 3.0, 9.0  # marker sizes


def crossover(result: Crossover, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the difference of every person, with the effect of the trial below.

    The bar of a person is the 95 % interval of the spectra alone; the marker is larger the more
    the person weighs.

    Parameters
    ----------
    result : Crossover
        The analysis.
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.
    """
    frame = result.to_frame("differences").sort_values("difference").reset_index(drop=True)
    with style():
        ax = new_axes(ax, (5.5, 1.4 + 0.17 * len(frame)))
        rows = np.arange(len(frame), 0, -1)
        ax.axvline(0.0, color="0.8", lw=0.7)
        bars = _Z95 * frame["sd"].astype(float)
        ax.hlines(
            rows,
            frame["difference"] - bars,
            frame["difference"] + bars,
            color=COLOURS["residual"],
            lw=0.7,
        )
        weight = frame["weight"] / frame["weight"].max()
        ax.scatter(
            frame["difference"],
            rows,
            s=(_SMALLEST + (_LARGEST - _SMALLEST) * weight) ** 2 / 2.0,
            color=COLOURS["baseline"],
            zorder=3,
        )
        _diamond(ax, result.ci_low, result.estimate, result.ci_high, -0.5)
        ax.set_yticks([*rows, -0.5], [*frame["subject"], "all"], fontsize=7)
        unit = f" ({result.unit})" if result.unit else ""
        ax.set_xlabel(f"{result.what}: {result.contrast[0]} - {result.contrast[1]}{unit}")
        ax.set_ylim(-1.5, len(frame) + 1)
        return ax


def forest(table: "pd.DataFrame", *, label: str = "term", ax: "Axes | None" = None) -> "Axes":
    """Draw estimates with their 95 % intervals, one above the other.

    Parameters
    ----------
    table : pandas.DataFrame
        estimate, ci_low, ci_high and a column of names, such as the effects of a crossover, the
        coefficients of a mixed model, or `mrsproc.stats.crossover_table`.
    label : str, default "term"
        Column of names.
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.

    Raises
    ------
    InvalidInputError
        Missing columns, or estimates of several units.
    """
    require(table, [label, "estimate", "ci_low", "ci_high"], what="the table")
    unit = unit_of(table, what="the table")
    with style():
        ax = new_axes(ax, (5.5, 0.9 + 0.28 * len(table)))
        rows = np.arange(len(table), 0, -1)
        ax.axvline(0.0, color="0.8", lw=0.7)
        ax.hlines(rows, table["ci_low"], table["ci_high"], color=COLOURS["data"], lw=1.0)
        ax.plot(table["estimate"], rows, "s", color=COLOURS["fit"], ms=5)
        ax.set_yticks(rows, [str(name) for name in table[label]])
        ax.set_ylim(0.4, len(table) + 0.6)
        ax.set_xlabel("estimate, 95 % CI" + (f" ({unit})" if unit else ""))
        return ax


def power(result: Power, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the power of a trial over its participants.

    Parameters
    ----------
    result : Power
        The plan.
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.
    """
    with style():
        ax = new_axes(ax, (5.0, 3.4))
        ax.plot(result.numbers, result.powers, color=COLOURS["baseline"])
        ax.plot([result.participants], [result.power], "o", color=COLOURS["fit"], zorder=3)
        ax.annotate(
            f"{result.participants} participants: {result.power:.2f}",
            (result.participants, result.power),
            xytext=(6, -12),
            textcoords="offset points",
            color=COLOURS["fit"],
        )
        ax.axhline(result.target, color="0.6", lw=0.7, ls=":")
        ax.set_ylim(0.0, 1.02)
        ax.set_xlabel(f"participants ({result.design})")
        ax.set_ylabel(f"power to find {result.effect_percent:.3g} % of rest")
        return ax


def _diamond(ax: "Axes", low: float, middle: float, high: float, row: float) -> None:
    ax.fill(
        [low, middle, high, middle],
        [row, row + 0.45, row, row - 0.45],
        color=COLOURS["fit"],
    )
