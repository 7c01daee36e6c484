"""What the report of a study says in sentences: what wants attention, methods, references."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc import stats
from mrsproc.reporting.page import rows_of, with_interval, with_p
from mrsproc.reporting.parts import Study
from mrsproc.reporting.trial import Findings
from mrsproc.reporting.words import REFERENCES, Paragraph
from mrsproc.stats.observations import is_valid

if TYPE_CHECKING:
    import pandas as pd

_MANY_LOST: Final = 0.1  # of the transients of a session
_MOST_NAMED: Final = 5
_LEVEL: Final = 0.05
_REFERENCES: Final = {
    "dynamic": REFERENCES["dynamic"],
    "mrsinmrs": REFERENCES["mrsinmrs"],
    "freeman": "Freeman. The performance of the two-stage analysis of two-treatment, two-period "
    "crossover trials. Stat Med 1989. doi:10.1002/sim.4780081202",
    "phipson": "Phipson, Smyth. Permutation p-values should never be zero: calculating exact "
    "p-values when permutations are randomly drawn. Stat Appl Genet Mol Biol 2010. "
    "doi:10.2202/1544-6115.1585",
    "kenward": "Kenward, Roger. Small sample inference for fixed effects from restricted maximum "
    "likelihood. Biometrics 1997. doi:10.2307/2533558",
}
OUTCOMES: Final = {
    "linewidth_hz": "linewidth (Hz)",
    "snr": "SNR",
    "rejected": "part of the transients left out",
}


def visit(subject: object, session: object) -> str:
    """Return how a session is named."""
    return f"sub-{subject}" + (f" ses-{session}" if isinstance(session, str) and session else "")


def listed(names: "list[str]") -> str:
    """Return the first names of a list, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def warnings_of(study: Study, findings: Findings) -> list[str]:
    """Return what wants attention, most grave first.

    Parameters
    ----------
    study : Study
        The tables.
    findings : Findings
        What was found in them.

    Returns
    -------
    list of str
        Sentences; none where nothing does.
    """
    return [
        *_of_failures(study),
        *_of_quality(findings),
        *_of_effect(findings),
        *_of_sessions(study, findings),
    ]


def _of_failures(study: Study) -> list[str]:
    failures = study.failures
    if failures.empty:
        return []
    names = [visit(row.subject, row.session) for row in rows_of(failures)]
    count = "1 session is" if len(names) == 1 else f"{len(names)} sessions are"
    return [f"{count} not in these results: {listed(names)}. The reasons stand under Failures."]


def _of_quality(findings: Findings) -> list[str]:
    if findings.alarm is not None:
        return [
            f"Alarm: {OUTCOMES[row.outcome]} differs by {row.term} "
            f"({with_interval(row.estimate, row.ci_low, row.ci_high)}, {with_p(row.p_holm)}). The "
            "treatment may have moved the lines and not the metabolite."
            for row in rows_of(findings.alarm[findings.alarm["alarm"]])
        ]
    if findings.contrast is None:
        return []
    reason = findings.reasons["quality"]
    return [f"Whether quality differs between conditions was not tested: {reason}"]


def _of_effect(findings: Findings) -> list[str]:
    if not findings.crossovers:
        return [f"There is no treatment effect: {findings.reasons['crossover']}"]
    key, first = next(iter(findings.crossovers.items()))
    absent: dict[str, list[str]] = {}
    for name, reason in first.pairs.excluded.items():
        absent.setdefault(reason, []).append(f"sub-{name}")
    found = [
        f"Left out of the treatment effect, because there is {reason}: {listed(names)}."
        for reason, names in absent.items()
    ]
    found += [note for note in first.notes if not note.startswith("Left out")]
    for row in rows_of(first.to_frame()):
        if row.term.startswith("carry-over") and row.p < _LEVEL:
            found.append(
                f"The two orders of the conditions differ ({key[1]} {key[0]}, {with_p(row.p)}): "
                f"carry-over, or a difference between the groups."
            )
    strongest = stats.influence(first).iloc[0]
    if (strongest["p_without"] < _LEVEL) != (first.p < _LEVEL):
        found.append(
            f"One person decides: without sub-{strongest['subject']}, {key[1]} {key[0]} has "
            f"{with_p(float(strongest['p_without']))} in place of {with_p(first.p)}."
        )
    return found


def _of_sessions(study: Study, findings: Findings) -> list[str]:
    found = []
    lost = [
        f"{visit(row.subject, row.session)} ({100 * row.lost:.0f} %)"
        for row in rows_of(losses(study.qc))
        if row.lost > _MANY_LOST
    ]
    if lost:
        found.append(f"More than 10 % of the transients were left out in {listed(lost)}.")
    empty = study.endpoints[~np.isfinite(study.endpoints["estimate"].astype(float))]
    if len(empty):
        names = [visit(row.subject, row.session) for row in rows_of(empty)]
        found.append(
            f"Endpoints without a number: {len(empty)}, of {listed(list(dict.fromkeys(names)))}."
        )
    if not findings.timed and len(study.sessions):
        found.append(
            "When the infusion began is not known for every session: times count from the first "
            "transient."
        )
    texts: dict[str, list[str]] = {}
    for row in rows_of(study.sessions):
        for text in filter(None, str(row.warnings or "").split("\n")):
            texts.setdefault(text, []).append(visit(row.subject, row.session))
    found += [f"{listed(names)}: {text}" for text, names in texts.items()]
    return found


def losses(qc: "pd.DataFrame") -> "pd.DataFrame":
    """Return the part of the transients that was left out, a row a session.

    Parameters
    ----------
    qc : pandas.DataFrame
        One row a transient.

    Returns
    -------
    pandas.DataFrame
        subject, session, transients, used, lost (a part).
    """
    groups = qc.assign(good=is_valid(qc)).groupby(["subject", "session"], dropna=False, sort=False)
    table = groups["good"].agg(["size", "sum"]).reset_index()
    table = table.rename(columns={"size": "transients", "sum": "used"})
    return table.assign(lost=1.0 - table["used"] / table["transients"])


def methods(study: Study, findings: Findings) -> Paragraph:
    """Return a methods paragraph, ready for a paper.

    Parameters
    ----------
    study : Study
        The tables.
    findings : Findings
        What was found in them.

    Returns
    -------
    Paragraph
        Its text, and what it refers to.
    """
    recipe = study.about.get("Recipe", {})
    used = ["mrsinmrs", "dynamic"]
    keys = study.endpoints[["subject", "session"]].drop_duplicates()
    whole = (
        f"{len(keys)} sessions of {keys['subject'].nunique()} people were analysed with mrsproc "
        f"{study.about.get('Version', version('mrsproc'))}, all by one recipe (hash "
        f"{str(study.about.get('RecipeHash', 'not known'))[:12]}), with the basis set "
        f"{study.about.get('BasisSet', 'not known')}."
    )
    parts = [whole, _of_recipe(recipe)]
    if findings.crossovers:
        first = next(iter(findings.crossovers.values()))
        used += ["freeman", "phipson"]
        drawn = (
            "drawing the orders of the conditions anew"
            if first.permutation == "order"
            else "flipping the signs of the differences"
        )
        period = ", adjusted for period" if first.permutation == "order" else ""
        parts.append(
            f"The effect of {first.contrast[0]} against {first.contrast[1]} was estimated from "
            f"differences within people{period}, with t tests, permutation tests by {drawn}, "
            "effect sizes in SDs of the within-person difference (Hedges), and p values corrected "
            "over the metabolites of an endpoint after Holm; carry-over was reported and decided "
            "nothing."
        )
    if findings.mixed:
        model = next(iter(findings.mixed.values()))
        used.append("kenward")
        parts.append(
            f"Time courses after the onset of the infusion were analysed by linear mixed models "
            f"({model.formula}; intercepts of person and of person x session) with Kenward-Roger's "
            "tests."
        )
    if findings.alarm is not None:
        parts.append(
            "Linewidth, SNR and the part of transients left out were tested for differences by "
            "condition, and condition x time, in the same people."
        )
    return Paragraph(
        " ".join(text for text in parts if text), tuple(_REFERENCES[key] for key in used)
    )


def _of_recipe(recipe: Mapping[str, object]) -> str:
    """Return what the recipe asked for."""
    if not recipe:
        return ""
    responses = recipe.get("responses", {})
    shapes = (
        ", ".join(f"{name} {shape}" for name, shape in responses.items())
        if isinstance(responses, Mapping)
        else ""
    )
    reference = recipe.get("reference")
    ratio = "" if reference in {None, "none"} else f" relative to {reference}"
    width = recipe.get("bin_width")
    return (
        f"All transients of a session were fitted together, in time bins of "
        f"{f'{width:g}' if isinstance(width, float) else width} s, with the responses over time: "
        f"{shapes}; all else constant. Time courses{ratio} are changes from the baseline before "
        "the infusion, with intervals from the full covariance over time and metabolites."
    )
