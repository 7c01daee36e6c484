r"""Association of a glutamate response with a clinical score, within and between people.

Within people: with person effects :math:`a_i`, and conditions or periods where asked for,

.. math:: y_{ij} = a_i + \beta\, x_{ij} + z_{ij}'\gamma + e_{ij}

The repeated-measures correlation is :math:`r = \mathrm{sign}(\beta)\sqrt{F / (F + \nu)}` with
:math:`\nu` the degrees of freedom of the error (Bakdash and Marusich 2017,
10.3389/fpsyg.2017.00456). Between people: the means over sessions. Noise of the spectra makes the
slope within people too small by the reliability :math:`1 - \overline{s^2} / \mathrm{Var}_w(x)`,
which is reported beside it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError
from mrsproc.stats.observations import pick, refuse_duplicates, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


class Correlation(NamedTuple):
    """A correlation, its slope and their tests."""

    r: float
    ci_low: float
    ci_high: float
    slope: float
    se: float
    df: float
    p: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Association(Record):
    """Association of an endpoint with a score.

    Parameters
    ----------
    within : Correlation
        Within people: do sessions with a larger response have a different score?
    between : Correlation
        Between people: of the means over sessions.
    reliability : float
        Part of the variance of the endpoint within people that is not noise of the spectra; the
        slope within people is too small by this factor. NaN without SDs.
    subjects : tuple of str
        People with at least two sessions.
    excluded : tuple of str
        People with fewer.
    """

    within: Correlation
    between: Correlation
    reliability: float
    subjects: tuple[str, ...]
    excluded: tuple[str, ...]

    def to_frame(self) -> "pd.DataFrame":
        """Return both associations as a table.

        Returns
        -------
        pandas.DataFrame
            term ("within people", "between people"), r, ci_low, ci_high, slope, se, df, p.
        """
        import pandas as pd

        rows = {"within people": self.within, "between people": self.between}
        return pd.DataFrame([{"term": term, **row._asdict()} for term, row in rows.items()])


def association(
    endpoints: "pd.DataFrame",
    scores: "pd.DataFrame",
    score: str,
    *,
    metabolite: str | None = "Glx",
    endpoint: str | None = "auc",
    reference: str | None = None,
    adjust: "Sequence[str]" = (),
) -> Association:
    """Relate an endpoint to a clinical score of the same sessions.

    Parameters
    ----------
    endpoints : pandas.DataFrame
        Rows of ``endpoints.tsv``: subject, session, metabolite, endpoint, estimate, sd.
    scores : pandas.DataFrame
        subject, session and the score, such as the change of the MADRS to the next day.
    score : str
        Column of the score.
    metabolite, endpoint, reference : str, optional
        Which rows of `endpoints`; "Glx" and "auc" by default.
    adjust : sequence of str, default ()
        Columns of `endpoints` that are held constant within people, such as "condition" or
        "period".

    Returns
    -------
    Association
        Correlations and slopes within and between people.

    Raises
    ------
    InvalidInputError
        Missing columns, no common sessions, or fewer than four people with two sessions.
    """
    require(endpoints, ["subject", "session", "estimate", *adjust], what="endpoints")
    require(scores, ["subject", "session", score], what="scores")
    rows = pick(
        endpoints, what="endpoints", metabolite=metabolite, endpoint=endpoint, reference=reference
    )
    keys = ["subject", "session"]
    refuse_duplicates(rows, keys, what="endpoints")
    refuse_duplicates(scores, keys, what="scores")
    left = rows.assign(**{key: _names(rows[key]) for key in keys})
    right = scores.assign(**{key: _names(scores[key]) for key in keys})[[*keys, score]]
    if score in left:
        left = left.drop(columns=score)
    both = left.merge(right, on=keys).dropna(subset=["estimate", score])
    count = both.groupby("subject")["session"].transform("size")
    excluded = sorted(set(left["subject"]) - set(both.loc[count >= 2, "subject"]))
    both = both[count >= 2]
    people = sorted(both["subject"].unique())
    if len(people) < 4:
        raise InvalidInputError(
            f"{len(people)} people have two sessions with both an endpoint and {score!r}; at least "
            "4 are needed. Do subject and session have the same names in both tables?"
        )
    x, y = both["estimate"].to_numpy(float), both[score].to_numpy(float)
    person = np.searchsorted(people, both["subject"].to_numpy())
    columns = [_coded(both[name]) for name in adjust]
    centred = [_centred(column, person) for column in (x, y, *columns)]
    nuisance = np.column_stack([np.zeros((len(x), 0)), *centred[2:]])
    return Association(
        within=_partial(centred[0], centred[1], nuisance, lost=len(people)),
        between=_partial(*(_centred_means(column, person) for column in (x, y)), lost=1),
        reliability=_reliability(centred[0], nuisance, both, lost=len(people)),
        subjects=tuple(people),
        excluded=tuple(excluded),
    )


def _means(values: Array, person: Array) -> Array:
    count = np.bincount(person).astype(float)
    columns = values.reshape(len(values), -1).T
    sums = [np.bincount(person, weights=column) for column in columns]
    return np.asarray((np.array(sums) / count).T.reshape(-1, *values.shape[1:]))


def _centred(values: Array, person: Array) -> Array:
    """Return values minus the mean of their person."""
    return np.asarray(values - _means(values, person)[person])


def _centred_means(values: Array, person: Array) -> Array:
    means = _means(values, person)
    return np.asarray(means - means.mean())


def _names(column: "pd.Series") -> "pd.Series":
    return column.astype(str).str.removeprefix("sub-").str.removeprefix("ses-")


def _coded(column: "pd.Series") -> Array:
    """Return numbers as they are, and labels as indicators without the first."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(float)[:, None]
    return pd.get_dummies(column, drop_first=True).to_numpy(float)


def _residual(values: Array, nuisance: Array) -> Array:
    """Return what linear combinations of the nuisance do not explain."""
    if not nuisance.shape[1]:
        return values
    return np.asarray(values - nuisance @ np.linalg.lstsq(nuisance, values, rcond=None)[0])


def _partial(x: Array, y: Array, nuisance: Array | None = None, *, lost: int) -> Correlation:
    """Regress centred y on centred x, the nuisance taken out of both."""
    from scipy import stats

    if nuisance is None:
        nuisance = np.zeros((len(x), 0))
    rank = int(np.linalg.matrix_rank(nuisance)) if nuisance.shape[1] else 0
    rest_x, rest_y = _residual(x, nuisance), _residual(y, nuisance)
    df = len(x) - lost - rank - 1
    spread, total = float(rest_x @ rest_x), float(rest_y @ rest_y)
    if df < 2 or spread <= 1e-20 * float(x @ x) or total <= 1e-20 * float(y @ y):
        raise InvalidInputError(
            "within or between people there is nothing left to relate: one of the two does not "
            "vary, or `adjust` takes everything."
        )
    slope = float(rest_x @ rest_y) / spread
    r = float(np.clip(slope * np.sqrt(spread / total), -1.0, 1.0))
    se = float(np.sqrt(max(total - slope**2 * spread, 0.0) / df / spread))
    p = 2.0 * float(stats.t.sf(abs(slope) / se, df)) if se > 0.0 else 0.0
    half = float(stats.norm.ppf(0.975)) / np.sqrt(df - 1.0)
    turned = np.arctanh(np.clip(r, -1.0 + 1e-12, 1.0 - 1e-12))
    low, high = np.tanh([turned - half, turned + half])
    return Correlation(r, float(low), float(high), slope, se, float(df), p)


def _reliability(x: Array, nuisance: Array, both: "pd.DataFrame", *, lost: int) -> float:
    if "sd" not in both or not (both["sd"].to_numpy(float) > 0.0).all():
        return float("nan")
    rank = int(np.linalg.matrix_rank(nuisance)) if nuisance.shape[1] else 0
    variance = float(np.sum(_residual(x, nuisance) ** 2)) / (len(x) - lost - rank)
    return max(1.0 - float(np.mean(both["sd"].to_numpy(float) ** 2)) / variance, 0.0)
