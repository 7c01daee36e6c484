"""Quality as an outcome: a drug that moves the lines may look like one that moves glutamate.

Linewidth, SNR and rejected transients are averaged before and after the start of the infusion in
every session. If they differ between conditions, or change differently, a change of glutamate may
come from the fit: 0.3 Hz of narrowing that is ignored moves the glutamate effect by some percent of
its rest value.
"""

import warnings
from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc.errors import InvalidInputError, StatisticsWarning
from mrsproc.stats.differences import Regression, coefficient, regress
from mrsproc.stats.effect_sizes import holm
from mrsproc.stats.observations import contrast_of, is_valid, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

OUTCOMES: Final = ("linewidth_hz", "snr", "rejected")
_ALARMING: Final = ("condition", "condition x time")


def quality_alarm(
    qc: "pd.DataFrame",
    onset_s: float,
    *,
    treatment: str = "condition",
    contrast: "Sequence[str] | None" = None,
    level: float = 0.05,
) -> "pd.DataFrame":
    """Test whether quality differs by condition, time, and condition x time.

    Parameters
    ----------
    qc : pandas.DataFrame
        Rows of the study's ``qc.tsv``, one a transient: subject, session, condition, time_s, valid,
        and linewidth_hz or snr.
    onset_s : float
        Start of the infusion on the axis of time_s [s].
    treatment : str, default "condition"
        Column of the conditions.
    contrast : sequence of str, optional
        Active and control label; as in `crossover`.
    level : float, default 0.05
        Level of the alarm, after Holm's correction over the tests that can raise it.

    Returns
    -------
    pandas.DataFrame
        outcome, term ("condition", "time", "condition x time"), estimate, se, df, statistic, p,
        ci_low, ci_high, p_holm, alarm. Time alone raises no alarm: it is the same in both
        conditions.

    Raises
    ------
    InvalidInputError
        Missing columns, unknown labels, no transients before or after the onset, or fewer than
        three people with both conditions.

    Warns
    -----
    StatisticsWarning
        Quality differs by condition or by condition x time.
    """
    import pandas as pd

    require(qc, ["subject", "session", treatment, "time_s", "valid"], what="qc")
    labels = contrast_of(qc, treatment, contrast, what="qc")
    frame = _epochs(qc, onset_s, treatment)
    rows = []
    for outcome in OUTCOMES:
        if outcome in frame and frame[outcome].notna().any():
            wide = (
                frame[outcome]
                .reset_index()
                .pivot_table(index="subject", columns=[treatment, "after"], values=outcome)
            )
            wide = wide.reindex(columns=pd.MultiIndex.from_product([labels, [False, True]]))
            rows += _tests(wide.dropna(), labels, outcome)
    found = pd.DataFrame(rows)
    candidate = found["term"].isin(_ALARMING).to_numpy()
    found["p_holm"] = holm(found["p"].where(candidate))
    found["alarm"] = (found["p_holm"] < level).to_numpy()
    if found["alarm"].any():
        listed = "; ".join(
            f"{row.outcome} by {row.term} ({row.estimate:+.3g}, p = {row.p_holm:.2g})"
            for row in found[found["alarm"]].itertuples()
        )
        warnings.warn(
            f"quality differs: {listed}. The treatment may have moved the lines and not the "
            "metabolite: look at estimates that are corrected for linewidth.",
            StatisticsWarning,
            stacklevel=2,
        )
    return found


def _epochs(qc: "pd.DataFrame", onset_s: float, treatment: str) -> "pd.DataFrame":
    """Return means before and after the onset; widths and SNR of valid transients only."""
    valid = is_valid(qc)
    after = qc["time_s"] >= onset_s
    if after.all() or not after.any():
        raise InvalidInputError(
            f"onset_s = {onset_s:g}: transients are needed before and after it; they go from "
            f"{qc['time_s'].min():g} to {qc['time_s'].max():g} s."
        )
    columns = {name: qc[name].astype(float).where(valid) for name in OUTCOMES if name in qc.columns}
    columns["rejected"] = (~valid).astype(float)
    whole = qc.assign(after=after, **columns)
    keys = ["subject", treatment, "after"]
    return whole.groupby(keys)[[name for name in OUTCOMES if name in columns]].mean()


def _tests(wide: "pd.DataFrame", labels: tuple[str, str], outcome: str) -> list[dict[str, object]]:
    if len(wide) < 3:
        raise InvalidInputError(
            f"{len(wide)} people have {outcome} in both conditions, before and after the onset; at "
            "least 3 are needed."
        )
    active, control = (wide[label].to_numpy(float) for label in labels)
    changes = active[:, 1] - active[:, 0], control[:, 1] - control[:, 0]
    contrasts = {
        "condition": active.mean(axis=1) - control.mean(axis=1),
        "time": (changes[0] + changes[1]) / 2.0,
        "condition x time": changes[0] - changes[1],
    }
    return [
        {"outcome": outcome, "term": term, **coefficient(_mean(values), 0)}
        for term, values in contrasts.items()
    ]


def _mean(values: np.ndarray) -> Regression:
    return regress(values, np.ones((len(values), 1)))
