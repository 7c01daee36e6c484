r"""Change from the baseline before the infusion, from a table of time courses.

With estimates :math:`y_t` of SDs :math:`s_t` and the weighted mean b of the baseline, of variance
:math:`v_b`:

.. math:: y_t - b,\quad 100\,(y_t / b - 1),\quad \ln (y_t / b)

with variances :math:`s_t^2 + v_b`, :math:`(100/b)^2 (s_t^2 + (y_t/b)^2 v_b)` and
:math:`s_t^2/y_t^2 + v_b/b^2`. A table holds no covariance between time points, so these are right
for time points fitted separately; the covariance of a joint fit lies beside the session's time
course. The error of the baseline is common to a session: a person x session intercept takes it up.
"""

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.stats.observations import require

if TYPE_CHECKING:
    import pandas as pd

SCALES: Final[dict[str, str]] = {"difference": "", "percent": "%", "log ratio": "1"}
"""Scales of a change, with the unit each has; a difference keeps its own."""
_SERIES: Final = ("subject", "session", "metabolite", "quantity", "reference")


def change_from_baseline(
    timecourses: "pd.DataFrame",
    baseline: tuple[float, float],
    *,
    scale: Literal["difference", "percent", "log ratio"] = "percent",
) -> "pd.DataFrame":
    """Return the change of every later time point from the mean of the baseline.

    Parameters
    ----------
    timecourses : pandas.DataFrame
        Rows of ``timecourses.tsv``: time_s, duration_s, estimate, sd, and what names a series
        (subject, session, metabolite, quantity, reference).
    baseline : tuple of float
        Start and end of the baseline, on the axis of time_s [s]; time points wholly inside count.
    scale : {"difference", "percent", "log ratio"}, default "percent"
        How the change is given.

    Returns
    -------
    pandas.DataFrame
        The rows after the baseline with estimate, sd and unit of the change; quantity says
        "change". A series without a baseline, or with one that is not positive where a ratio is
        asked for, has NaN.

    Raises
    ------
    InvalidInputError
        Missing columns, an unknown scale, or no time point within the baseline.
    """
    if scale not in SCALES:
        raise InvalidInputError(f"scale {scale!r}: {suggest(scale, SCALES)}")
    needed = ["subject", "session", "time_s", "duration_s", "estimate", "sd"]
    require(timecourses, needed, what="timecourses")
    ends = timecourses["time_s"] + timecourses["duration_s"]
    inside = (timecourses["time_s"] >= baseline[0]) & (ends <= baseline[1])
    if not inside.any():
        raise InvalidInputError(
            f"baseline = {baseline}: no time point lies wholly inside; the first ends at "
            f"{ends.min():g} s."
        )
    keys = [name for name in _SERIES if name in timecourses]
    series = timecourses.groupby(keys, dropna=False).ngroup().to_numpy()
    is_later = (timecourses["time_s"] >= baseline[1]).to_numpy()
    values, sds = (timecourses[name].to_numpy(float) for name in ("estimate", "sd"))
    changes = np.full((len(timecourses), 2), np.nan)
    for number in np.unique(series):
        before, after = (series == number) & inside.to_numpy(), (series == number) & is_later
        level = _mean(values[before], sds[before])
        changes[after] = np.column_stack(_change(values[after], sds[after], *level, scale=scale))
    later = timecourses[is_later].reset_index(drop=True)
    later["estimate"], later["sd"] = changes[is_later].T
    later["quantity"] = "change"
    if SCALES[scale]:
        later["unit"] = SCALES[scale]
    return later


def _mean(values: Array, sds: Array) -> tuple[float, float]:
    """Return the mean weighted by precision and its variance; by number where an SD is missing."""
    used = np.isfinite(values)
    values, sds = values[used], sds[used]
    if not values.size:
        return np.nan, np.nan
    if not (sds > 0.0).all():
        return float(values.mean()), np.nan
    weights = 1.0 / sds**2
    return float(np.average(values, weights=weights)), float(1.0 / weights.sum())


def _change(
    values: Array, sds: Array, level: float, variance: float, *, scale: str
) -> tuple[Array, Array]:
    if scale == "difference":
        return values - level, np.sqrt(sds**2 + variance)
    if not level > 0.0:
        return np.full_like(values, np.nan), np.full_like(values, np.nan)
    positive = np.where(values > 0.0, values, np.nan)
    ratio = (values if scale == "percent" else positive) / level
    relative = np.sqrt((sds / level) ** 2 + ratio**2 * variance / level**2)  # SD of the ratio
    if scale == "percent":
        return 100.0 * (ratio - 1.0), 100.0 * relative
    return np.log(ratio), relative / ratio
