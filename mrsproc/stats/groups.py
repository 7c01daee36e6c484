r"""Means over people in time bins, by condition: what figures of a group show.

With :math:`y_{ict}` of person i under condition c at time t (sessions of one condition averaged),

.. math:: \bar y_{ct} \pm t_{0.975,\,n-1}\, s_{ct} / \sqrt{n}

over the n people who have that time point. The difference of two conditions is that within people,
over those who have both. Every time point stands for itself: intervals are not corrected for their
number, and tests come from `crossover` and `mixed_model`.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.stats.observations import numbers, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

DIFFERENCE: Final = "difference"
_FEWEST: Final = 2  # people of an interval


def group_course(
    table: "pd.DataFrame",
    *,
    value: str = "estimate",
    treatment: str = "condition",
    contrast: "Sequence[str] | None" = None,
    bin_s: float | None = None,
) -> "pd.DataFrame":
    """Return the mean over people in time bins, by condition, with 95 % intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of one quantity: subject, time_s, the column of conditions, and `value`. Times may
        count from the first transient, or from the infusion where onsets differ.
    value : str, default "estimate"
        Column that is averaged.
    treatment : str, default "condition"
        Column of the conditions; without it, all sessions are one group called "all".
    contrast : sequence of str, optional
        Active and control label: adds the rows "difference", active minus control within people.
    bin_s : float, optional
        Width of the time bins [s]; the median of duration_s when not given, else of the distances
        of time points.

    Returns
    -------
    pandas.DataFrame
        condition, time_s (middle of the bin), people, estimate, ci_low, ci_high; the interval is
        missing where fewer than two people are.

    Raises
    ------
    InvalidInputError
        Missing columns, or text in place of numbers.
    """
    import pandas as pd

    require(table, ["subject", "time_s", value], what="the table")
    time = numbers(table, "time_s", what="the table")
    if "duration_s" in table:  # the middle: bins of sessions may differ by less than half of one
        time = time + numbers(table, "duration_s", what="the table") / 2.0
    width = _width(table, time) if bin_s is None else bin_s
    labels = table[treatment] if treatment in table else pd.Series("all", index=table.index)
    frame = pd.DataFrame(
        {
            "subject": table["subject"].astype(str).to_numpy(),
            "condition": labels.astype(object).where(labels.notna(), "n/a").astype(str).to_numpy(),
            "bin": np.floor(time / width).astype(int),
            "value": numbers(table, value, what="the table"),
        }
    ).dropna()
    tables = {
        label: own.pivot_table(index="bin", columns="subject", values="value")
        for label, own in frame.groupby("condition")
    }
    parts = [_means(one, str(label), width) for label, one in tables.items()]
    if contrast is not None and set(contrast) <= set(tables):
        active, control = (tables[label] for label in contrast)
        within = pd.DataFrame(active - control).dropna(how="all")
        parts.append(_means(within, DIFFERENCE, width))
    return pd.concat(parts, ignore_index=True)


def _width(table: "pd.DataFrame", time: Array) -> float:
    if "duration_s" in table:
        return float(np.median(numbers(table, "duration_s", what="the table")))
    steps = np.diff(np.unique(time))
    return float(np.median(steps)) if steps.size else 1.0


def _means(wide: "pd.DataFrame", label: str, width: float) -> "pd.DataFrame":
    """Return the means of a condition; rows of `wide` are bins and columns people."""
    import pandas as pd
    from scipy import stats

    count = wide.notna().sum(axis=1).to_numpy()
    mean = wide.mean(axis=1).to_numpy()
    enough = np.maximum(count, _FEWEST)
    half = stats.t.ppf(0.975, enough - 1) * wide.std(axis=1).to_numpy() / np.sqrt(enough)
    half = np.where(count >= _FEWEST, half, np.nan)
    return pd.DataFrame(
        {
            "condition": label,
            "time_s": (wide.index.to_numpy() + 0.5) * width,
            "people": count,
            "estimate": mean,
            "ci_low": mean - half,
            "ci_high": mean + half,
        }
    )
