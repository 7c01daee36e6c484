"""Small multiples: the time courses of every person as one small drawing each, as SVG paths.

The page sets colours and sizes; what is here are numbers in a box of `WIDTH` by `HEIGHT`.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.reporting.page import cell
from mrsproc.reporting.study_figures import SERIES, series
from mrsproc.reporting.trial import Course, Findings

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 220
HEIGHT: Final = 130
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 214.0, 8.0, 108.0
_Z95: Final = 1.959964


class Tick(NamedTuple):
    """A mark of an axis."""

    at: float
    text: str


class Curve(NamedTuple):
    """A session of a person."""

    series: str
    line: str
    band: str


class _Axes(NamedTuple):
    """What the drawings share: ranges of minutes and of values."""

    x: tuple[float, float]
    y: tuple[float, float]


class Multiple(NamedTuple):
    """The drawing of a person."""

    person: str
    label: str
    curves: list[Curve]


class Multiples(NamedTuple):
    """The drawings of all people, with axes that they share."""

    title: str
    xticks: list[Tick]
    yticks: list[Tick]
    zero: float | None
    shade: tuple[float, float] | None
    people: list[Multiple]


def multiples(findings: Findings, course: Course, duration_s: float) -> Multiples:
    """Return the small multiples of a metabolite.

    Parameters
    ----------
    findings : Findings
        The study.
    course : Course
        Time courses of a metabolite.
    duration_s : float
        Duration of the infusion [s]; NaN where it is not known.

    Returns
    -------
    Multiples
        One drawing a person, on the same axes.
    """
    rows = course.rows.assign(
        minutes=(course.rows["time_s"] + 0.5 * course.rows["duration_s"]).astype(float) / 60.0,
        value=course.rows["estimate"].astype(float),
        half=_Z95 * course.rows["sd"].astype(float),
    ).sort_values("minutes")
    xs = _span(rows["minutes"].to_numpy())
    ys = _span(_reach(rows))
    zero = None if not ys[0] < 0.0 < ys[1] else _y(0.0, ys)
    shade = None
    if findings.timed and np.isfinite(duration_s):
        ends = np.clip([0.0, duration_s / 60.0], *xs)
        shade = (round(_x(float(ends[0]), xs), 1), round(_x(float(ends[1]), xs), 1))
    drawn = [
        _person(findings, str(subject), course, own, _Axes(xs, ys))
        for subject, own in rows.groupby("subject", sort=True)
    ]
    return Multiples(
        course.name,
        [Tick(round(_x(t, xs), 1), f"{t:g}") for t in ticks(*xs)],
        [Tick(round(_y(t, ys), 1), f"{t:g}") for t in ticks(*ys)],
        None if zero is None else round(zero, 1),
        shade,
        drawn,
    )


def _reach(rows: "pd.DataFrame") -> Array:
    """Return what the axis has to hold: all values, and intervals that are not far wider."""
    known = rows[np.isfinite(rows["value"])]
    values = known["value"].to_numpy()
    half = np.minimum(known["half"].to_numpy(), 0.5 * float(np.ptp(values)) or 0.5)
    return np.concatenate([values, values - half, values + half])


def _span(values: Array) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Return round numbers within a range.

    Examples
    --------
    >>> ticks(-4.3, 21.0)
    [0.0, 10.0, 20.0]
    """
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= least)
    first = math.ceil(low / step)
    return [round(k * step, 10) + 0.0 for k in range(first, math.floor(high / step) + 1)]


def _x(value: float, span: tuple[float, float]) -> float:
    return _LEFT + (value - span[0]) / (span[1] - span[0]) * (_RIGHT - _LEFT)


def _y(value: float, span: tuple[float, float]) -> float:
    return _BOTTOM - (value - span[0]) / (span[1] - span[0]) * (_BOTTOM - _TOP)


def _person(
    findings: Findings, subject: str, course: Course, rows: "pd.DataFrame", axes: _Axes
) -> Multiple:
    curves, told = [], []
    for (condition, session), own in rows.groupby(["condition", "session"], dropna=False):
        name = condition if isinstance(condition, str) else "n/a"
        kept = own[np.isfinite(own["value"])]
        if kept.empty:
            continue
        curves.append(_curve(kept, SERIES[series(findings, name)], axes))
        after = kept[kept["minutes"] > 0.0] if findings.timed else kept
        visit = f" (session {session})" if session != "" else ""
        told.append(f"{name}{visit} {cell(float(after['value'].mean()))} {course.unit}".strip())
    when = "mean after the onset" if findings.timed else "mean"
    return Multiple(subject, f"{subject}, {course.name}, {when}: {'; '.join(told)}", curves)


def _curve(rows: "pd.DataFrame", colour: str, axes: _Axes) -> Curve:
    xs, ys = axes
    x = [round(_x(float(t), xs), 1) for t in rows["minutes"]]
    y = [round(_y(float(v), ys), 1) for v in rows["value"]]
    return Curve(colour, _path(zip(x, y, strict=True)), _outline(rows, axes))


def _outline(rows: "pd.DataFrame", axes: _Axes) -> str:
    """Return the 95 % interval; nothing where no SD is known, rather than an interval of none."""
    known = rows[np.isfinite(rows["half"])]
    if known.empty:
        return ""
    x = [round(_x(float(t), axes.x), 1) for t in known["minutes"]]
    low, high = (np.clip(known["value"] + sign * known["half"], *axes.y) for sign in (-1.0, 1.0))
    bottom, top = ([round(_y(float(v), axes.y), 1) for v in part] for part in (low, high))
    return _path([*zip(x, top, strict=True), *zip(x[::-1], bottom[::-1], strict=True)]) + "Z"


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in points)
