"""The report of a study: what its page shows."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import numpy as np

from mrsproc import stats
from mrsproc.files import content_hash
from mrsproc.reporting import study_figures as figures
from mrsproc.reporting import study_words as words
from mrsproc.reporting.multiples import HEIGHT, WIDTH, multiples
from mrsproc.reporting.page import (
    Link,
    Table,
    cell,
    options_rows,
    probability,
    rows_of,
    told,
    versions,
    with_interval,
)
from mrsproc.reporting.parts import Study
from mrsproc.reporting.trial import Findings, analysed, holm_of
from mrsproc.stats.observations import is_valid

if TYPE_CHECKING:
    import pandas as pd

_TABLES: Final = ("endpoints", "timecourses", "qc", "failures")
_ENDPOINTS: Final = {"auc": "AUC", "time_to_peak": "time to peak"}
_MEDIANS: Final = {"snr": "SNR", "linewidth_hz": "linewidth (Hz)"}


def content(
    study: Study, path: str | os.PathLike[str], contrast: Sequence[str] | None, title: str
) -> dict[str, Any]:
    """Return what the template of a study shows.

    Parameters
    ----------
    study : Study
        The tables.
    path : path
        Where the report will stand: links to the sessions are relative to it.
    contrast : sequence of str or None
        Active and control condition.
    title : str
        Heading.

    Returns
    -------
    dict
        For ``study.html``.
    """
    findings = analysed(study, contrast)
    duration = _duration(study)
    shapes = figures.shading(findings, duration)
    crossovers = findings.crossovers
    endpoints = list(dict.fromkeys(key[0] for key in crossovers))
    quality = figures.quality(findings, shapes)
    return {
        "title": title,
        "warnings": words.warnings_of(study, findings),
        "absent": [],
        "facts": _facts(study, findings),
        "tables": _tables(study, findings, path),
        "reasons": findings.reasons,
        "metabolites": list(findings.courses),
        "legend": [(label, figures.SERIES[figures.series(findings, label)])
                   for label in findings.conditions] if findings.courses else [],
        "multiples": {
            name: multiples(findings, course, duration) for name, course in findings.courses.items()
        },
        "box": (WIDTH, HEIGHT),
        "contrast": findings.contrast,
        "endpoints": endpoints,
        "tested": list(dict.fromkeys(key[1] for key in crossovers)),
        "timed": findings.timed,
        "quality": quality is not None,
        "methods": words.methods(study, findings),
        "payload": {
            "figures": {} if quality is None else {"quality": quality},
            "choices": {
                "course": {
                    name: figures.group(findings, course, shapes)
                    for name, course in findings.courses.items()
                },
                "forest": {end: figures.forest(_of_endpoint(findings, end)) for end in endpoints},
                "people": {f"{end} {name}": figures.people(one)
                           for (end, name), one in crossovers.items()},
            },
            "spectra": None,
        },
    }  # fmt: skip


def _of_endpoint(findings: Findings, endpoint: str) -> dict[str, "stats.Crossover"]:
    return {key[1]: one for key, one in findings.crossovers.items() if key[0] == endpoint}


def _duration(study: Study) -> float:
    """Return the duration of the infusion, the longest where they differ [s]."""
    values = study.sessions["infusion_duration_s"].astype(float)
    return float(values.max()) if values.notna().any() else np.nan


def _facts(study: Study, findings: Findings) -> list[tuple[str, str]]:
    keys = study.endpoints[["subject", "session", "condition"]].drop_duplicates()
    counts = keys["condition"].value_counts()
    used = words.losses(study.qc)
    found = [("People", str(keys["subject"].nunique())), ("Sessions", str(len(keys)))]
    if findings.conditions:
        per = [f"{label} ({counts.get(label, 0)})" for label in findings.conditions]
        found.append(("Conditions", ", ".join(per)))
    if findings.courses:
        found.append(("Time courses", ", ".join(one.name for one in findings.courses.values())))
    if len(used):
        found.append(("Transients used", f"{used['used'].sum()} of {used['transients'].sum()}"))
    found.append(("Failed sessions", str(len(study.failures))))
    return found


def _tables(study: Study, findings: Findings, path: str | os.PathLike[str]) -> dict[str, Table]:
    found = {
        "sessions": _sessions(study, path),
        "exclusions": _exclusions(findings),
        "failures": _failures(study.failures),
        "provenance": _provenance(study),
    }
    if findings.crossovers:
        found["effects"] = _effects(findings)
        found["others"] = _others(findings)
        found["influence"] = _influence(findings)
    if findings.mixed:
        found |= _mixed(findings)
    if findings.alarm is not None:
        found["alarm"] = _alarm(findings.alarm)
    return {name: table for name, table in found.items() if table.rows}


def _effects(findings: Findings) -> Table:
    corrected = holm_of(findings)
    rows = []
    for (endpoint, metabolite), one in findings.crossovers.items():
        size = one.effect_size
        unit = f" {one.unit}" if one.unit else ""
        rows.append(
            (
                f"{metabolite}, {_named(endpoint)}",
                str(len(one.pairs)),
                f"{with_interval(one.estimate, one.ci_low, one.ci_high)}{unit}",
                f"{one.statistic:.2f} ({one.df:.4g})",
                probability(one.p),
                probability(corrected[endpoint, metabolite]),
                probability(one.p_permutation),
                with_interval(size.value, size.low, size.high),
            )
        )
    active, control = next(iter(findings.crossovers.values())).contrast
    return Table(
        f"Treatment effect: {active} minus {control}, within people, with 95 % intervals",
        ("endpoint", "people", "effect (95 % CI)", "t (df)", "p", "p, Holm", "p, permutation",
         "effect size d (95 % CI)"),
        rows,
    )  # fmt: skip


def _named(endpoint: str) -> str:
    return _ENDPOINTS.get(endpoint, endpoint)


def _others(findings: Findings) -> Table:
    rows = []
    for (endpoint, metabolite), one in findings.crossovers.items():
        for row in one.others:
            values = with_interval(row["estimate"], row["ci_low"], row["ci_high"])
            rows.append(
                (f"{metabolite}, {_named(endpoint)}", str(row["term"]), f"{values} {row['unit']}",
                 f"{row['statistic']:.2f} ({row['df']:.4g})", probability(row["p"]))
            )  # fmt: skip
    return Table("Period and carry-over", ("endpoint", "term", "estimate (95 % CI)", "t (df)", "p"),
                 rows)  # fmt: skip


def _influence(findings: Findings) -> Table:
    (endpoint, metabolite), one = next(iter(findings.crossovers.items()))
    rows = [
        (f"sub-{row.subject}", cell(row.estimate_without), probability(row.p_without),
         f"{row.shift:+.2f}")
        for row in rows_of(stats.influence(one))
    ]  # fmt: skip
    unit = f" ({one.unit})" if one.unit else ""
    return Table(
        f"Without each person: {metabolite}, {_named(endpoint)}",
        ("without", f"effect{unit}", "p", "shift (standard errors)"),
        rows,
    )


def _mixed(findings: Findings) -> dict[str, Table]:
    tests, coefficients, variances = [], [], []
    for name, model in findings.mixed.items():
        shown = findings.courses[name].name
        unit = f" {model.unit}" if model.unit not in {"", "1"} else ""
        for row in rows_of(model.to_frame("tests")):
            degrees = f"{row.df1:.4g}, {row.df:.4g}"
            cells = (shown, str(row.term), f"{row.statistic:.2f}", degrees, probability(row.p))
            tests.append(cells)
        for row in rows_of(model.to_frame()):
            values = with_interval(row.estimate, row.ci_low, row.ci_high)
            coefficients.append(
                (shown, str(row.term), f"{values}{unit}", f"{row.df:.4g}", probability(row.p))
            )
        for row in rows_of(model.to_frame("variances")):
            parts = (shown, str(row.component), cell(row.variance), cell(row.sd))
            variances.append(parts)
    return {
        "mixed_tests": Table("Tests of the terms, each given all others (Kenward-Roger)",
                             ("time course", "term", "F", "df", "p"), tests),
        "mixed": Table("Coefficients with 95 % intervals; time in minutes",
                       ("time course", "term", "estimate (95 % CI)", "df", "p"), coefficients),
        "variances": Table("Variance components",
                           ("time course", "component", "variance", "SD"), variances),
    }  # fmt: skip


def _alarm(table: "pd.DataFrame") -> Table:
    rows = [
        (words.OUTCOMES[row.outcome], str(row.term),
         with_interval(row.estimate, row.ci_low, row.ci_high), probability(row.p),
         probability(row.p_holm), "ALARM" if row.alarm else "no")
        for row in rows_of(table)
    ]  # fmt: skip
    return Table(
        "Quality as an outcome: before and after the onset, by condition",
        ("outcome", "term", "estimate (95 % CI)", "p", "p, Holm", "alarm"),
        rows,
    )


def _sessions(study: Study, path: str | os.PathLike[str]) -> Table:
    """Return a row a session: quality, what was left out and why, and the link to its report."""
    valid = is_valid(study.qc)
    keys = ["subject", "session"]
    medians = study.qc[valid].groupby(keys, dropna=False)
    shown = {name: medians[name].median() for name in _MEDIANS if name in study.qc}
    used = {(row.subject, row.session): row for row in rows_of(words.losses(study.qc))}
    reasons = {
        key: "; ".join(f"{text} ({count})" for text, count in table.value_counts().items())
        for key, table in study.qc[~valid].fillna({"reason": "no reason given"}).groupby(
            keys, dropna=False)["reason"]
    }  # fmt: skip
    folder = Path(path).resolve().parent
    rows = []
    for row in rows_of(study.sessions):
        key = (row.subject, row.session)
        lines = [text for text in str(row.warnings or "").split("\n") if text]
        seen = used.get(key)
        count = "n/a" if seen is None else f"{seen.used} of {seen.transients}"
        rows.append(
            (
                _linked(words.visit(*key), row.report, study.output, folder),
                cell(_given(row.condition)),
                cell(_given(row.period)),
                *(f"{float(table.get(key, np.nan)):.3g}" for table in shown.values()),
                count,
                reasons.get(key, ""),
                str(len(lines)),
            )
        )
    return Table(
        "Sessions; SNR and linewidth are medians over the transients used",
        ("session", "condition", "period", *(_MEDIANS[name] for name in shown), "transients used",
         "left out, because (transients)", "warnings"),
        rows,
    )  # fmt: skip


def _given(value: Any) -> Any:
    """Return a label, None where it is missing."""
    missing = value is None or (isinstance(value, float) and np.isnan(value))
    return None if missing else value


def _linked(name: str, report: str, output: Path, folder: Path) -> str | Link:
    """Return the name of a session, with a link where its report is there."""
    target = Path(output).resolve() / report
    if not report or not target.is_file():
        return name
    return Link(name, quote(Path(os.path.relpath(target, folder)).as_posix()))


def _exclusions(findings: Findings) -> Table:
    """Return who is not part of a treatment effect, and why."""
    rows: dict[tuple[str, str], list[str]] = {}
    for (endpoint, metabolite), one in findings.crossovers.items():
        for person, reason in one.pairs.excluded.items():
            rows.setdefault((f"sub-{person}", reason), []).append(f"{metabolite} {endpoint}")
    every = len(findings.crossovers)
    return Table(
        "People left out of the treatment effect",
        ("person", "reason", "where"),
        [(*key, "everywhere" if len(of) == every else ", ".join(of)) for key, of in rows.items()],
    )


def _failures(failures: "pd.DataFrame") -> Table:
    rows = [
        (words.visit(row.subject, row.session), cell(_given(row.condition)),
         cell(_given(row.stage)), cell(_given(row.message)))
        for row in rows_of(failures)
    ]  # fmt: skip
    return Table("Sessions that failed", ("session", "condition", "stage", "what is wrong"), rows)


def _provenance(study: Study) -> Table:
    """Return versions, the recipe key by key, and hashes of recipe and tables."""
    about = study.about
    rows = versions()
    names = {
        "Version": "mrsproc of the run",
        "RecipeHash": "hash of the recipe",
        "Analysis": "hash of version, recipe and basis set",
        "BasisSet": "basis set",
    }
    rows += [(text, str(about[key])) for key, text in names.items() if key in about]
    for name in _TABLES:
        file = Path(study.output) / f"{name}.tsv"
        if file.is_file():
            rows.append((f"hash of {file.name}", content_hash(file.read_bytes())))
    rows += options_rows("recipe", told(about.get("Recipe", {})))
    return Table("Versions, recipe and hashes", ("what", "value"), rows)
