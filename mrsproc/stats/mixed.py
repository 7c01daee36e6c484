r"""Mixed models of time courses, by formula, with small-sample tests.

The default is

.. math:: y_{ijt} = x_{ijt}'\beta + a_i + b_{ij} + e_{ijt}

for time point t of session j of person i. The person x session intercept b is what a treatment that
changes from session to session is tested against: without it the time points of a session count as
independent evidence about the treatment, and at 5 % the test rejects in 9, 17 and 33 % of trials
of 26 people without an effect, where sessions differ by 0.3, 0.5 and 1 times the SD of a time point
(``tests/benchmarks/bench_stats.py``).

The formulas are those of statsmodels' MixedLM, which makes the design matrices; variances are
estimated by `mrsproc.stats.reml`, which adds small-sample tests and known measurement variances,
and agrees with lme4 and lmerTest.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError, StatisticsWarning, suggest
from mrsproc.stats import reml
from mrsproc.stats.designs import design
from mrsproc.stats.observations import (
    contrast_of,
    numbers,
    pick,
    refuse_duplicates,
    require,
    unit_of,
)

if TYPE_CHECKING:
    import pandas as pd

Correction = Literal["kenward-roger", "satterthwaite", "wald"]
CORRECTIONS: Final = ("kenward-roger", "satterthwaite", "wald")
SESSION_INTERCEPT: Final[Mapping[str, str]] = {"session": "0 + C(session)"}
"""The person x session intercept, as a variance component of statsmodels."""
_NAMED_OBSERVATION: Final = ("subject", "session", "time_s")


class Coefficient(NamedTuple):
    """One fixed effect, or a combination of several."""

    estimate: float
    se: float
    df: float
    statistic: float
    p: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True, eq=False, kw_only=True)
class MixedModel(Record):
    """A fitted mixed model.

    Parameters
    ----------
    formula : str
        Fixed effects.
    terms : tuple of str
        Names of the fixed effects.
    components : tuple of str
        Names of the variance components; a covariance has "~" in it.
    estimate : Estimate
        Variances, fixed effects and their covariances.
    correction : str
        "kenward-roger", "satterthwaite" or "wald".
    subjects : tuple of str
        People in the model.
    n_sessions, n_observations : int
        What the model saw.
    unit : str
        Unit of the observations.
    notes : tuple of str
        What a reader has to know: missing sessions, negative variances.
    blocks : Blocks
        Design matrices.
    held : ndarray of bool, shape (k,)
        Which variance components may not go below zero.
    observations : ndarray, shape (persons, n)
        Observations, zero where padded.
    """

    formula: str
    terms: tuple[str, ...]
    components: tuple[str, ...]
    estimate: reml.Estimate
    correction: Correction
    subjects: tuple[str, ...]
    n_sessions: int
    n_observations: int
    unit: str
    notes: tuple[str, ...]
    blocks: reml.Blocks
    held: Array
    observations: Array

    def __repr__(self) -> str:
        head = (
            f"MixedModel({self.formula!r}, {len(self.subjects)} people, {self.n_sessions} sessions,"
            f" {self.n_observations} observations, {self.correction})"
        )
        rows = self.to_frame().to_string(index=False, float_format=lambda value: f"{value:.4g}")
        return "\n".join([head, rows, *self.notes])

    def to_frame(
        self, which: Literal["coefficients", "tests", "variances"] = "coefficients"
    ) -> "pd.DataFrame":
        """Return a table of the model.

        Parameters
        ----------
        which : {"coefficients", "tests", "variances"}, default "coefficients"
            Fixed effects with 95 % intervals; F tests of the terms of the formula, each given
            all others; or variance components.

        Returns
        -------
        pandas.DataFrame
            Coefficients: term, estimate, se, df, statistic, p, ci_low, ci_high, unit. Tests:
            term, statistic, df1, df, p. Variances: component, variance, sd.

        Raises
        ------
        InvalidInputError
            No such table.
        """
        import pandas as pd

        makers = {
            "coefficients": self._coefficients,
            "tests": self._tests,
            "variances": self._variances,
        }
        if which not in makers:
            raise InvalidInputError(f"no table {which!r}. {suggest(which, makers)}")
        return pd.DataFrame(makers[which]())

    def _coefficients(self) -> list[dict[str, Any]]:
        unit = np.eye(len(self.terms))
        return [
            {"term": term, **combined(self, row)._asdict(), "unit": self.unit}
            for term, row in zip(self.terms, unit, strict=True)
        ]

    def _tests(self) -> list[dict[str, Any]]:
        whole = [re.sub(r"\[.*?\]", "", term) for term in self.terms]
        rows = []
        for name in dict.fromkeys(whole):
            if name != "Intercept":
                picked = np.eye(len(whole))[[term == name for term in whole]]
                test = reml.kenward_roger(self.estimate, picked)
                rows.append(
                    {
                        "term": name,
                        "statistic": test.statistic,
                        "df1": test.df1,
                        "df": test.df2,
                        "p": test.p,
                    }
                )
        return rows

    def _variances(self) -> list[dict[str, Any]]:
        theta = self.estimate.theta
        return [
            {
                "component": name,
                "variance": value,
                "sd": np.sqrt(value) if value >= 0.0 and "~" not in name else np.nan,
            }
            for name, value in zip(self.components, theta, strict=True)
        ]


def mixed_model(
    table: "pd.DataFrame",
    formula: str = "estimate ~ condition * time + period",
    *,
    metabolite: str | None = "Glx",
    quantity: str | None = None,
    reference: str | None = None,
    window: tuple[float, float] | None = None,
    treatment: str = "condition",
    levels: Sequence[str] | None = None,
    re_formula: str = "1",
    vc_formula: Mapping[str, str] | None = None,
    measurement: str | None = None,
    correction: Correction = "kenward-roger",
    bounded: bool = False,
) -> MixedModel:
    r"""Fit a mixed model to a table of time courses or of endpoints.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of ``timecourses.tsv`` (or ``endpoints.tsv``): subject, session, estimate, and what the
        formula names. Sessions need not be complete.
    formula : str, default "estimate ~ condition * time + period"
        Fixed effects in statsmodels' formula language. ``time`` is made from time_s and
        duration_s: minutes from the mean of all rows used, so that condition is the effect at
        the middle of the window. Add ``sex`` by `add_participants`: "estimate ~ condition * sex +
        time + period".
    metabolite, quantity, reference : str, optional
        Which rows; needed where the table holds several. Metabolite is "Glx" by default.
    window : tuple of float, optional
        Start and end of the time points used, on the axis of time_s [s]; all when not given.
    treatment : str, default "condition"
        Column of the treatment.
    levels : sequence of str, optional
        Labels of the treatment that are used, the control first; needed for more than two.
    re_formula : str, default "1"
        Random effects of a person: "1" an intercept, "1 + time" also a slope.
    vc_formula : mapping, optional
        Further variance components within a person. By default a person x session intercept,
        where sessions have several rows; an empty mapping leaves it out, with a warning.
    measurement : str, optional
        Column of known SDs ("sd"): every observation then has its own measurement variance, and
        the residual is what scatters beyond it.
    correction : {"kenward-roger", "satterthwaite", "wald"}, default "kenward-roger"
        Small-sample correction of tests and intervals. "wald" takes the variances as known (z
        tests) and warns of the false positives this gives.
    bounded : bool, default False
        Whether variances are held at zero where the likelihood would have them negative, as lme4
        does; tests then reject too rarely.

    Returns
    -------
    MixedModel
        Coefficients, tests and variances.

    Raises
    ------
    InvalidInputError
        Unknown labels, columns or options, a formula that cannot be read or identified.
    MissingPackageError
        statsmodels is not installed.
    NotConvergedError
        The random effects ask for more than the data hold.

    References
    ----------
    Kenward, Roger 1997, 10.2307/2533558. Kuznetsova 2017, 10.18637/jss.v082.i13. Jelen 2025,
    10.1038/s41591-025-03800-w.
    """
    if correction not in CORRECTIONS:
        raise InvalidInputError(f"correction {correction!r}: {suggest(correction, CORRECTIONS)}")
    require(table, ["subject", "session", "estimate"], what="the table")
    rows = pick(
        table, what="the table", metabolite=metabolite, quantity=quantity, reference=reference
    )
    rows, notes = _prepared(rows, window, treatment, levels)
    several = bool(rows.groupby(["subject", "session"], observed=True).size().max() > 1)
    if vc_formula is None:
        vc_formula = SESSION_INTERCEPT if several else {}
    made = design(rows, formula, re_formula, vc_formula, measurement)
    held = np.array(["~" not in name and bounded for name in made.components])
    held[0] |= measurement is not None  # there is no less scatter than that of the measurement
    estimate = reml.fit(made.blocks, made.observations, bounded=held)
    negative = [
        name
        for name, value in zip(made.components, estimate.theta, strict=True)
        if value < 0.0 and "~" not in name
    ]
    if negative:
        notes.append(
            f"Estimated below zero: variance of {', '.join(negative)}, as happens where there is "
            "little; bounded=True holds it at zero."
        )
    if several and not vc_formula:
        warnings.warn(
            "no person x session intercept: the time points of a session count as independent "
            "evidence about the treatment, and at 5 % such a test rejects in 9, 17 and 33 % of "
            "trials without an effect where sessions differ by 0.3, 0.5 and 1 x the SD of a time "
            "point.",
            StatisticsWarning,
            stacklevel=2,
        )
    model = MixedModel(
        formula=formula,
        terms=made.terms,
        components=made.components,
        estimate=estimate,
        correction=correction,
        subjects=made.subjects,
        n_sessions=len(rows[["subject", "session"]].drop_duplicates()),
        n_observations=len(rows),
        unit=unit_of(rows, what="the table"),
        notes=tuple(notes),
        blocks=made.blocks,
        held=held,
        observations=made.observations,
    )
    if correction == "wald":
        _warn_of_wald(model)
    return model


def combined(model: MixedModel, weights: Mapping[str, float] | Array) -> Coefficient:
    """Return a linear combination of fixed effects, such as the treatment effect in men.

    Parameters
    ----------
    model : MixedModel
        The model.
    weights : mapping of str to float, or ndarray, shape (p,)
        Weight of each fixed effect by name; those not named have none.

    Returns
    -------
    Coefficient
        Estimate, se, df, statistic, p, ci_low, ci_high.

    Raises
    ------
    InvalidInputError
        A name that is no fixed effect.
    """
    from scipy import stats

    if isinstance(weights, Mapping):
        for name in weights:
            if name not in model.terms:
                raise InvalidInputError(f"no fixed effect {name!r}. {suggest(name, model.terms)}")
        weights = np.array([weights.get(term, 0.0) for term in model.terms])
    fit = model.estimate
    if model.correction == "kenward-roger":
        df = reml.kenward_roger(fit, weights[None]).df2
        variance = weights @ fit.adjusted @ weights
    else:
        df = np.inf if model.correction == "wald" else reml.satterthwaite(fit, weights)
        variance = weights @ fit.covariance @ weights
    estimate, se = float(weights @ fit.beta), float(np.sqrt(variance))
    half = se * float(stats.t.ppf(0.975, df))
    p = 2.0 * float(stats.t.sf(abs(estimate) / se, df))
    return Coefficient(estimate, se, df, estimate / se, p, estimate - half, estimate + half)


def _prepared(
    rows: "pd.DataFrame",
    window: tuple[float, float] | None,
    treatment: str,
    levels: Sequence[str] | None,
) -> tuple["pd.DataFrame", list[str]]:
    """Return the rows used, with a centred time and ordered labels, and what was left out."""
    import pandas as pd

    notes = []
    if window is not None:
        require(rows, ["time_s"], what="the table")
        inside = (rows["time_s"] >= window[0]) & (rows["time_s"] < window[1])
        if not inside.any():
            raise InvalidInputError(
                f"window = {window}: no time point starts there; they start between "
                f"{rows['time_s'].min():g} and {rows['time_s'].max():g} s."
            )
        rows = rows[inside]
    if treatment in rows:
        order = (
            tuple(reversed(contrast_of(rows, treatment, None, what="the table")))
            if levels is None
            else _known_levels(rows, treatment, levels)
        )
        rows = rows[rows[treatment].astype(str).isin(order)]
        labels = pd.Categorical(rows[treatment].astype(str), categories=list(order))
        rows = rows.assign(**{treatment: labels})
    finite = np.isfinite(numbers(rows, "estimate", what="the table"))
    if not finite.all():
        notes.append(f"{int((~finite).sum())} rows without an estimate are left out.")
        rows = rows[finite]
    named = [name for name in _NAMED_OBSERVATION if name in rows]
    refuse_duplicates(rows, named, what="the table")
    if "time_s" in rows and "time" not in rows:
        half = rows["duration_s"] / 2 if "duration_s" in rows else 0.0
        minutes = (rows["time_s"] + half) / 60.0
        rows = rows.assign(time=minutes - minutes.mean())
    return rows, notes + _incomplete(rows, treatment)


def _known_levels(rows: "pd.DataFrame", treatment: str, levels: Sequence[str]) -> tuple[str, ...]:
    known = sorted(rows[treatment].dropna().astype(str).unique())
    for label in levels:
        if label not in known:
            raise InvalidInputError(
                f"{treatment} {label!r} does not occur. {suggest(label, known)}"
            )
    return tuple(levels)


def _incomplete(rows: "pd.DataFrame", treatment: str) -> list[str]:
    """Name the people who lack a condition; the model uses what they have."""
    if treatment not in rows:
        return []
    wanted = rows[treatment].nunique()
    count = rows.groupby("subject", observed=True)[treatment].nunique()
    people = sorted(str(name) for name in count.index[count < wanted])
    if not people:
        return []
    return [f"Not every {treatment} is there for {', '.join(people)}; what there is, is used."]


def _warn_of_wald(model: MixedModel) -> None:
    from scipy import stats

    worst = 0.0
    for row in np.eye(len(model.terms))[1:]:
        test = reml.kenward_roger(model.estimate, row[None])
        widened = row @ model.estimate.adjusted @ row / (row @ model.estimate.covariance @ row)
        worst = max(worst, 2.0 * float(stats.t.sf(1.95996 / np.sqrt(widened), test.df2)))
    warnings.warn(
        f"Wald z tests take the variances as known: with {len(model.subjects)} people a test at "
        f"5 % rejects up to {100.0 * worst:.1f} % of true null hypotheses. "
        "correction='kenward-roger' holds the 5 %.",
        StatisticsWarning,
        stacklevel=3,
    )
