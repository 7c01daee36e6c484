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
from mrsproc.stats.alarms import OUTCOMES
from mrsproc.stats.observations import is_valid, numbers, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

DIFFERENCE: Final = "difference"
_QUALITY_BINS: Final = 16
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
            "bin": np.floor(time / width),
            "value": numbers(table, value, what="the table"),
        }
    )
    frame = frame[np.isfinite(frame["value"]) & np.isfinite(frame["bin"])].astype({"bin": int})
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


def quality_course(
    qc: "pd.DataFrame", onset_s: float = 0.0, *, treatment: str = "condition"
) -> "pd.DataFrame":
    """Return linewidth, SNR and transients left out over time, by condition.

    Parameters
    ----------
    qc : pandas.DataFrame
        Rows of ``qc.tsv``: subject, time_s, valid, and linewidth_hz or snr.
    onset_s : float, default 0.0
        Start of the infusion on the axis of time_s [s]: some 16 bins meet there.
    treatment : str, default "condition"
        Column of the conditions.

    Returns
    -------
    pandas.DataFrame
        outcome ("linewidth_hz", "snr", "rejected" [%]), and the columns of `group_course`; time_s
        counts from the onset. Widths and SNR are those of the transients used; intervals of the
        part left out end at 0 and 100 %.

    Raises
    ------
    InvalidInputError
        Missing columns.
    """
    import pandas as pd

    require(qc, ["subject", "time_s", "valid"], what="qc")
    valid = is_valid(qc)
    time = numbers(qc, "time_s", what="qc") - onset_s
    whole = qc.assign(time_s=time, rejected=100.0 * (~valid))
    width = _quality_width(time)
    parts = []
    for outcome in OUTCOMES:
        rows = whole if outcome == "rejected" else whole[valid]
        if outcome in rows and np.isfinite(numbers(rows, outcome, what="qc")).any():
            found = group_course(rows, value=outcome, treatment=treatment, bin_s=width)
            if outcome == "rejected":
                ends = ["ci_low", "ci_high"]
                found[ends] = found[ends].clip(0.0, 100.0)  # of a part: t intervals know no ends
            found.insert(0, "outcome", outcome)
            parts.append(found)
    return pd.concat(parts, ignore_index=True)


def _quality_width(time: Array) -> float:
    """Return a width of which a whole number lies between the onset and the last transient."""
    times = np.unique(time[np.isfinite(time)])
    if times.size < 2 or times[-1] <= 0.0:
        return 1.0
    after = times[-1] + float(np.median(np.diff(times)))
    return float(after / max(1, round(_QUALITY_BINS * after / (after - times[0]))))


def _width(table: "pd.DataFrame", time: Array) -> float:
    if "duration_s" in table:
        return float(np.nanmedian(numbers(table, "duration_s", what="the table")))
    steps = np.diff(np.unique(time[np.isfinite(time)]))
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
