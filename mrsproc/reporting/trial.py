"""The statistics that the report of a study shows, all by `mrsproc.stats`.

What cannot be computed has a reason in its place: a study of two people has time courses and no
test.
"""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mrsproc import stats
from mrsproc.errors import MRSError, MRSWarning
from mrsproc.reporting.page import rows_of
from mrsproc.reporting.parts import Study

if TYPE_CHECKING:
    import pandas as pd

_PREFERRED: Final = ("percent_change", "change", "ratio", "amplitude")
_EACH_BIN: Final = ("constant", "free")
_FORMULA: Final = "estimate ~ condition * time + period"


class Course(NamedTuple):
    """Time courses of one metabolite."""

    name: str
    """As it is shown: metabolite, or metabolite/reference."""
    quantity: str
    unit: str
    rows: "pd.DataFrame"
    """Rows of all sessions; time_s counts from the infusion where it is known."""
    group: "pd.DataFrame"
    """Means over people, as `mrsproc.stats.group_course` has them."""


class Findings(NamedTuple):
    """What was found in a study."""

    conditions: tuple[str, ...]
    """Labels, the control first where there is one."""
    contrast: tuple[str, str] | None
    """Active, control; None where there are not two."""
    timed: bool
    """Whether times count from the infusion."""
    courses: dict[str, Course]
    crossovers: dict[tuple[str, str], "stats.Crossover"]
    """By endpoint and metabolite."""
    mixed: dict[str, "stats.MixedModel"]
    alarm: "pd.DataFrame | None"
    qc: "pd.DataFrame"
    """Rows of all transients, time_s as in `courses`."""
    reasons: dict[str, str]
    """Why there is no "crossover", "mixed" or "quality"."""


def analysed(study: Study, contrast: Sequence[str] | None) -> Findings:
    """Analyse the tables of a study.

    Parameters
    ----------
    study : Study
        The tables.
    contrast : sequence of str or None
        Active and control label; those that can be told when None.

    Returns
    -------
    Findings
        What was found, and why the rest was not.
    """
    reasons: dict[str, str] = {}
    labels, pair = _conditions(study, contrast, reasons)
    timed, timecourses = _from_infusion(study, study.timecourses)
    _, qc = _from_infusion(study, study.qc)
    courses = _courses(timecourses, pair)
    with warnings.catch_warnings():  # the page has the sentences of its own
        warnings.simplefilter("ignore", MRSWarning)
        crossovers = _crossovers(study, pair, reasons)
        shaped = _shaped(study)
        mixed = {} if shaped else _mixed(courses, crossovers, pair, reasons, timed=timed)
        if shaped:
            reasons["mixed"] = shaped
        alarm = _alarm(qc, pair, reasons, timed=timed)
    return Findings(labels, pair, timed, courses, crossovers, mixed, alarm, qc, reasons)


def _conditions(
    study: Study, contrast: Sequence[str] | None, reasons: dict[str, str]
) -> tuple[tuple[str, ...], tuple[str, str] | None]:
    """Return the labels, control first, and the contrast; it is an error if one was asked for."""
    from mrsproc.stats.observations import contrast_of

    known = study.endpoints[study.endpoints["condition"].notna()]
    labels = tuple(sorted({str(label) for label in known["condition"]}))
    if contrast is None and len(labels) < 2:
        what = f"one condition, {labels[0]}" if labels else "no conditions"
        reasons["crossover"] = f"the sessions have {what}: there is nothing to compare."
        return labels, None
    try:
        active, control = contrast_of(known, "condition", contrast, what="the study")
    except MRSError as error:
        if contrast is not None:
            raise
        reasons["crossover"] = str(error)
        return labels, None
    others = [label for label in labels if label not in {active, control}]
    return (control, active, *others), (active, control)


def _from_infusion(study: Study, table: "pd.DataFrame") -> tuple[bool, "pd.DataFrame"]:
    """Return a table whose time_s counts from the infusion, where every session tells it."""
    onsets = {
        (str(row.subject), str(row.session)): row.infusion_onset_s
        for row in rows_of(study.sessions)
    }
    keys = zip(table["subject"].astype(str), table["session"].astype(str), strict=True)
    found = np.array([onsets.get(key, np.nan) for key in keys], dtype=float)
    if not found.size or not np.isfinite(found).all():
        return False, table
    return True, table.assign(time_s=table["time_s"].astype(float) - found)


def _courses(table: "pd.DataFrame", pair: tuple[str, str] | None) -> dict[str, Course]:
    courses = {}
    for metabolite in dict.fromkeys(table["metabolite"]):
        rows = table[table["metabolite"] == metabolite]
        known = list(dict.fromkeys(rows["quantity"]))
        quantity = next((name for name in _PREFERRED if name in known), known[0])
        rows = rows[rows["quantity"] == quantity]
        if not np.isfinite(rows["estimate"].astype(float)).any():
            continue
        reference = rows["reference"].dropna().unique()
        name = f"{metabolite}/{reference[0]}" if len(reference) == 1 else str(metabolite)
        unit = "".join(str(one) for one in rows["unit"].dropna().unique()[:1])
        group = stats.group_course(rows, contrast=pair)
        courses[str(metabolite)] = Course(name, str(quantity), unit, rows, group)
    return courses


def _shaped(study: Study) -> str:
    """Return why time points are no observations of their own; empty where they are.

    A response of given shape has one height a session, whatever the number of bins: a test against
    the scatter of time points would count that height many times.
    """
    responses = study.about.get("Recipe", {}).get("responses", {})
    shapes = [f"{name}: {shape}" for name, shape in responses.items() if shape not in _EACH_BIN]
    if not shapes:
        return ""
    return (
        f"by the recipe time courses follow a shape ({', '.join(shapes)}), so that the time points "
        "of a session are one observation: the endpoints hold all there is. Responses called "
        "'free' can be modelled."
    )


def _crossovers(
    study: Study, pair: tuple[str, str] | None, reasons: dict[str, str]
) -> dict[tuple[str, str], "stats.Crossover"]:
    found: dict[tuple[str, str], stats.Crossover] = {}
    if pair is None:
        return found
    rows = study.endpoints[study.endpoints["condition"].isin(pair)]
    asked = [*study.about.get("Recipe", {}).get("endpoints", ())]
    keys = dict.fromkeys(zip(rows["metabolite"], rows["endpoint"], strict=True))
    by_recipe = sorted(keys, key=lambda key: asked.index(key[1]) if key[1] in asked else len(asked))
    for metabolite, endpoint in by_recipe:
        try:
            found[str(endpoint), str(metabolite)] = stats.crossover(
                rows, metabolite=metabolite, endpoint=endpoint, contrast=pair
            )
        except MRSError as error:
            reasons.setdefault("crossover", str(error))
    return found


def _mixed(
    courses: dict[str, Course],
    crossovers: dict[tuple[str, str], "stats.Crossover"],
    pair: tuple[str, str] | None,
    reasons: dict[str, str],
    *,
    timed: bool,
) -> dict[str, "stats.MixedModel"]:
    if pair is None or not crossovers:
        reasons["mixed"] = reasons.get("crossover", "there is no contrast.")
        return {}
    if not timed:
        reasons["mixed"] = "when the infusion began is not known for every session."
        return {}
    found = {}
    for name, course in courses.items():
        rows = course.rows[course.rows["condition"].isin(pair)]
        periods = rows["period"].nunique() if "period" in rows else 0
        formula = _FORMULA if periods > 1 else _FORMULA.removesuffix(" + period")
        try:
            found[name] = stats.mixed_model(
                rows, formula, metabolite=name, window=(0.0, np.inf), levels=pair[::-1]
            )
        except MRSError as error:
            reasons.setdefault("mixed", str(error))
    return found


def _alarm(
    qc: "pd.DataFrame", pair: tuple[str, str] | None, reasons: dict[str, str], *, timed: bool
) -> "pd.DataFrame | None":
    if pair is None or not timed:
        reasons["quality"] = (
            reasons.get("crossover", "there is no contrast.")
            if pair is None
            else "when the infusion began is not known for every session."
        )
        return None
    try:
        return stats.quality_alarm(qc[qc["condition"].isin(pair)], 0.0, contrast=pair)
    except MRSError as error:
        reasons["quality"] = str(error)
        return None


def holm_of(findings: Findings) -> dict[tuple[str, str], float]:
    """Return p of each crossover corrected for the number of metabolites, endpoint by endpoint."""
    corrected: dict[tuple[str, str], float] = {}
    for endpoint in dict.fromkeys(key[0] for key in findings.crossovers):
        keys = [key for key in findings.crossovers if key[0] == endpoint]
        values: Any = stats.holm([findings.crossovers[key].p for key in keys])
        corrected |= dict(zip(keys, (float(value) for value in values), strict=True))
    return corrected
