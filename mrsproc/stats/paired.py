r"""Crossover trials: differences within people, period, carry-over, moderators.

For person i with value :math:`y_{i+}` under the active and :math:`y_{i-}` under the control
condition, in periods :math:`p_{i+}, p_{i-}`,

.. math:: d_i = y_{i+} - y_{i-} = \delta + \pi\,(p_{i+} - p_{i-}) + e_i

with treatment effect :math:`\delta` and period effect :math:`\pi`. What the person brings cancels.
Carry-over cannot be told from a difference between the sequences, or from a treatment x period
interaction: it is the difference of the sums :math:`y_{i+} + y_{i-}` between the two orders, tested
between people. It is reported and never decides which analysis is made, since that doubles the
false positive rate (Freeman 1989, 10.1002/sim.4780081202).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Record
from mrsproc.errors import DataWarning, InvalidInputError, suggest
from mrsproc.stats.differences import coefficient, regress, relabel_p, sign_flip_p
from mrsproc.stats.effect_sizes import EffectSize, holm, standardised
from mrsproc.stats.observations import contrast_of, pick, require, unit_of
from mrsproc.stats.pairing import Pairs, pair

if TYPE_CHECKING:
    import pandas as pd

Weights = Literal["equal", "precision"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Crossover(Record):
    """Treatment effect of a crossover trial.

    Parameters
    ----------
    what : str
        Metabolite and endpoint.
    contrast : tuple of str
        Active, control; the effect is the first minus the second.
    unit : str
        Unit of the endpoint.
    weights : str
        "equal" or "precision".
    estimate, se, df, statistic, p, ci_low, ci_high : float
        Treatment effect, its t test and 95 % interval.
    p_permutation : float
        p without the assumption of normal differences.
    permutation : str
        "order" (orders of the conditions drawn anew) or "sign" (signs of differences flipped).
    effect_size : EffectSize
        In SDs of the within-person difference, with 95 % interval.
    others : tuple of dict
        Rows of the other effects: period, carry-over, moderator.
    pairs : Pairs
        Differences, and who was left out.
    person_weights : ndarray, shape (n,)
        Weight of each person, with mean 1.
    notes : tuple of str
        What a reader has to know.
    """

    what: str
    contrast: tuple[str, str]
    unit: str
    weights: Weights
    estimate: float
    se: float
    df: float
    statistic: float
    p: float
    ci_low: float
    ci_high: float
    p_permutation: float
    permutation: str
    effect_size: EffectSize
    others: tuple[dict[str, Any], ...]
    pairs: Pairs
    person_weights: Array
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        size = self.effect_size
        text = (
            f"{self.what}, {self.contrast[0]} minus {self.contrast[1]}, {len(self.pairs)} people: "
            f"{self.estimate:.4g} {self.unit} (95 % CI {self.ci_low:.4g} to {self.ci_high:.4g}), "
            f"t({self.df:.4g}) = {self.statistic:.2f}, p = {self.p:.3g}, permutation p = "
            f"{self.p_permutation:.3g}, d = {size.value:.2f} ({size.low:.2f} to {size.high:.2f})"
        )
        return "\n".join([text, *self.notes])

    def to_frame(self, which: Literal["effects", "differences"] = "effects") -> "pd.DataFrame":
        """Return a table of the analysis.

        Parameters
        ----------
        which : {"effects", "differences"}, default "effects"
            Effects with intervals and tests, the treatment first; or the difference of each
            person.

        Returns
        -------
        pandas.DataFrame
            Effects: term, estimate, se, df, statistic, p, ci_low, ci_high, unit, p_permutation,
            effect_size, effect_size_low, effect_size_high. Differences: subject, active, control,
            difference, sd, weight.

        Raises
        ------
        InvalidInputError
            No such table.
        """
        import pandas as pd

        if which == "differences":
            pairs = self.pairs
            return pd.DataFrame(
                {
                    "subject": pairs.subjects,
                    "active": pairs.active,
                    "control": pairs.control,
                    "difference": pairs.difference,
                    "sd": np.sqrt(pairs.variances),
                    "weight": self.person_weights,
                }
            )
        if which != "effects":
            raise InvalidInputError(
                f"no table {which!r}. {suggest(which, ('effects', 'differences'))}"
            )
        keys = ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high", "unit")
        treatment = {
            "term": f"{self.contrast[0]} - {self.contrast[1]}",
            **{key: getattr(self, key) for key in keys},
            "p_permutation": self.p_permutation,
            "effect_size": self.effect_size.value,
            "effect_size_low": self.effect_size.low,
            "effect_size_high": self.effect_size.high,
        }
        return pd.DataFrame([treatment, *self.others])


def crossover(
    endpoints: "pd.DataFrame",
    *,
    metabolite: str | None = "Glx",
    endpoint: str | None = "auc",
    reference: str | None = None,
    treatment: str = "condition",
    contrast: Sequence[str] | None = None,
    moderator: str | None = None,
    weights: Weights = "equal",
    resamples: int = 9999,
    rng: np.random.Generator | int | None = 0,
) -> Crossover:
    """Analyse a crossover trial by differences within people.

    Parameters
    ----------
    endpoints : pandas.DataFrame
        One row a person, session and endpoint, as in ``endpoints.tsv``: subject, session,
        condition, period, metabolite, reference, endpoint, unit, estimate, sd.
    metabolite, endpoint, reference : str, optional
        Which rows: "Glx" and "auc" by default; `reference` where there are several ("none" for
        no reference).
    treatment : str, default "condition"
        Column of the conditions.
    contrast : sequence of str, optional
        Active and control label. By default the two labels there are, with placebo (control,
        saline, sham, vehicle, baseline) as the control, else the first in the alphabet.
    moderator : str, optional
        Column, constant within a person, that may change the effect: two labels such as sex, or a
        number. The treatment row stays that of all people.
    weights : {"equal", "precision"}, default "equal"
        Whether people count equally, or by the precision of their spectra (column sd).
    resamples : int, default 9999
        Draws of the permutation test; all permutations where there are not more.
    rng : numpy.random.Generator, int or None, default 0
        Source of the draws.

    Returns
    -------
    Crossover
        Effect, tests, and the difference of each person.

    Raises
    ------
    InvalidInputError
        Missing columns, unknown or misspelt labels, two rows for one session, missing SDs with
        precision weights, or fewer than four people with both conditions.

    Warns
    -----
    DataWarning
        People without both conditions are left out; they are named.

    References
    ----------
    Freeman 1989, 10.1002/sim.4780081202. Knapp, Hartung 2003, 10.1002/sim.1482. Phipson, Smyth
    2010, 10.2202/1544-6115.1585.
    """
    if weights not in {"equal", "precision"}:
        raise InvalidInputError(
            f"weights {weights!r}: {suggest(str(weights), ('equal', 'precision'))}"
        )
    if resamples < 99:
        raise InvalidInputError(f"resamples = {resamples}: give at least 99.")
    what = "endpoints"
    require(endpoints, ["subject", treatment, "estimate"], what=what)
    rows = pick(endpoints, what=what, metabolite=metabolite, endpoint=endpoint, reference=reference)
    labels = contrast_of(rows, treatment, contrast, what=what)
    pairs = pair(rows, treatment, labels, moderator)
    if pairs.excluded:
        listed = "; ".join(f"{name}: {reason}" for name, reason in pairs.excluded.items())
        warnings.warn(f"left out of the crossover analysis: {listed}.", DataWarning, stacklevel=2)
    return analyse(
        pairs,
        what=" ".join(filter(None, (metabolite, reference and f"/ {reference}", endpoint)))
        or "estimate",
        contrast=labels,
        unit=unit_of(rows, what=what),
        moderator=moderator,
        weights=weights,
        resamples=resamples,
        rng=np.random.default_rng(rng),
    )


def crossover_table(
    endpoints: "pd.DataFrame",
    metabolites: Sequence[str],
    **options: Any,
) -> "pd.DataFrame":
    """Analyse several metabolites, with p values corrected for their number (Holm).

    Parameters
    ----------
    endpoints : pandas.DataFrame
        As for `crossover`.
    metabolites : sequence of str
        Metabolites, one family of tests.
    **options
        Options of `crossover`, the same for all.

    Returns
    -------
    pandas.DataFrame
        One row a metabolite: metabolite, people, the columns of the treatment effect, and p_holm.
    """
    import pandas as pd

    results = [crossover(endpoints, metabolite=name, **options) for name in metabolites]
    if not results:
        raise InvalidInputError("metabolites: give at least one name.")
    frame = pd.concat([result.to_frame().iloc[:1] for result in results], ignore_index=True)
    frame.insert(0, "metabolite", list(metabolites))
    frame.insert(1, "people", [len(result.pairs) for result in results])
    frame["p_holm"] = holm(frame["p"])
    return frame


def analyse(
    pairs: Pairs,
    *,
    what: str,
    contrast: tuple[str, str],
    unit: str,
    moderator: str | None,
    weights: Weights,
    resamples: int,
    rng: np.random.Generator,
) -> Crossover:
    """Analyse pairs; what `crossover` does once it has them.

    Parameters
    ----------
    pairs : Pairs
        Values of both conditions.
    what : str
        Metabolite and endpoint.
    contrast : tuple of str
        Active, control.
    unit : str
        Unit.
    moderator : str or None
        Name of the moderator.
    weights : {"equal", "precision"}
        Weights.
    resamples : int
        Draws of the permutation test.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    Crossover
        The analysis.
    """
    notes = [f"Left out: {name}, {reason}." for name, reason in pairs.excluded.items()]
    notes += _note_on_order(pairs)
    variances = _variances(pairs, weights)
    design = _design(pairs)
    periods = design.shape[1] == 2
    found = regress(pairs.difference, design, variances)
    treatment = coefficient(found, 0)
    others = []
    if periods:
        others.append({"term": "period", **coefficient(found, 1), "unit": unit})
        others.append({"term": "carry-over (or sequence)", **_carry_over(pairs), "unit": unit})
    if moderator is not None:
        others += [{**row, "unit": unit} for row in _moderated(pairs, design, variances, moderator)]
    scale = treatment["se"] / found.scatter if found.scatter > 0.0 else np.nan
    return Crossover(
        what=what,
        contrast=contrast,
        unit=unit,
        weights=weights,
        **treatment,
        p_permutation=_permutation_p(pairs, variances, resamples, rng, periods=periods),
        permutation="order" if periods else "sign",
        effect_size=standardised(treatment["statistic"], treatment["df"], scale),
        others=tuple(others),
        pairs=pairs,
        person_weights=found.weights,
        notes=tuple(notes),
    )


def _variances(pairs: Pairs, weights: Weights) -> Array | None:
    if weights == "equal":
        return None
    bad = ~(pairs.variances > 0.0)
    if bad.any():
        names = [name for name, missing in zip(pairs.subjects, bad, strict=True) if missing]
        raise InvalidInputError(
            f"precision weights need an SD above zero for every session; none for "
            f"{', '.join(names[:5])}. Use weights='equal', or leave these people out."
        )
    return pairs.variances


def _design(pairs: Pairs) -> Array:
    """Return the design of the differences: 1, and the order where it is known and varies."""
    intercept = np.ones((len(pairs), 1))
    if not np.isfinite(pairs.order).all() or np.ptp(pairs.order) == 0.0:
        return intercept
    return np.column_stack([intercept, pairs.order])


def _note_on_order(pairs: Pairs) -> list[str]:
    if not np.isfinite(pairs.order).all():
        return ["No adjustment for periods: they are not known for everybody."]
    if np.ptp(pairs.order) == 0.0:
        text = (
            "Everybody had the conditions in the same order: a treatment effect cannot be told "
            "from an effect of time."
        )
        warnings.warn(text, DataWarning, stacklevel=4)
        return [text]
    return []


def _carry_over(pairs: Pairs) -> dict[str, float]:
    """Compare the sums of people who had the active condition first with the others."""
    first = -pairs.order / np.abs(pairs.order)
    design = np.column_stack([np.ones(len(pairs)), first / 2.0])
    return coefficient(regress(pairs.active + pairs.control, design), 1)


def _moderated(
    pairs: Pairs, design: Array, variances: Array | None, name: str
) -> list[dict[str, Any]]:
    """Return the effect in each of two groups and their difference, or the slope on a number."""
    values = pairs.moderator
    if all(isinstance(value, (int, float, np.number)) for value in values):
        numbers = values.astype(float)
        extended = np.column_stack([design, numbers - numbers.mean()])
        found = regress(pairs.difference, extended, variances)
        return [{"term": f"treatment x {name}", **coefficient(found, extended.shape[1] - 1)}]
    groups = sorted({str(value) for value in values})
    if len(groups) != 2:
        raise InvalidInputError(
            f"moderator {name!r} has {len(groups)} labels ({', '.join(groups)}): give two, or "
            "numbers."
        )
    member = np.array([str(value) == groups[1] for value in values], dtype=float)
    rows = []
    for label, reference in ((groups[0], member), (groups[1], member - 1.0)):
        found = regress(pairs.difference, np.column_stack([design, reference]), variances)
        rows.append({"term": f"treatment in {name} {label}", **coefficient(found, 0)})
    last = coefficient(found, design.shape[1])
    return [*rows, {"term": f"treatment x {name} ({groups[1]} - {groups[0]})", **last}]


def _permutation_p(
    pairs: Pairs,
    variances: Array | None,
    resamples: int,
    rng: np.random.Generator,
    *,
    periods: bool,
) -> float:
    """Weights come from the fit without a treatment effect, which no permutation changes."""
    if not periods:
        null = np.zeros((len(pairs), 0))
        weights = regress(pairs.difference, null, variances).weights
        return sign_flip_p(pairs.difference, weights, resamples=resamples, rng=rng)
    order = np.sign(pairs.order)
    between_periods = pairs.difference * order
    weights = regress(between_periods, np.ones((len(pairs), 1)), variances).weights
    return relabel_p(between_periods, order, weights, resamples=resamples, rng=rng)


def reanalyse(result: Crossover, left_out: int) -> tuple[float, float]:
    """Return the treatment effect and its p without one person.

    Parameters
    ----------
    result : Crossover
        The analysis.
    left_out : int
        Index of the person.

    Returns
    -------
    tuple of float
        Estimate, p.
    """
    pairs = result.pairs.without(left_out)
    variances = _variances(pairs, result.weights)
    row = coefficient(regress(pairs.difference, _design(pairs), variances), 0)
    return row["estimate"], row["p"]
