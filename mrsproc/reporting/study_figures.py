"""Interactive figures of a study, as plain data for plotly; see `mrsproc.reporting.figures`."""

import html
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc import stats
from mrsproc.axes import Array
from mrsproc.reporting.figures import Figure, packed, stacked
from mrsproc.reporting.trial import Course, Findings
from mrsproc.stats.groups import DIFFERENCE

if TYPE_CHECKING:
    import pandas as pd

SERIES: Final = ("first", "second", "third", "fourth")
"""Colours of conditions, the control first."""
_DASHES: Final = ("solid", "dash", "dot", "dashdot")
_SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up")
_QUALITY: Final = {
    "linewidth_hz": "linewidth (Hz)",
    "snr": "SNR",
    "rejected": "transients left out (%)",
}
_ROW_PX: Final = 22


def series(findings: Findings, condition: str) -> int:
    """Return the place of a condition in the colours."""
    known = findings.conditions
    return (known.index(condition) if condition in known else len(known)) % len(SERIES)


def ordered(findings: Findings, table: "pd.DataFrame") -> list[str]:
    """Return the conditions of a table of means, the control first."""
    there = [str(label) for label in dict.fromkeys(table["condition"]) if label != DIFFERENCE]
    return sorted(there, key=lambda label: series(findings, label))


def title_of(course: Course) -> str:
    """Return the title of the axis of a time course."""
    if course.quantity == "percent_change" or course.unit == "%":
        return f"{course.name}, change from baseline (%)"
    unit = f" ({course.unit})" if course.unit not in {"", "1"} else ""
    return f"{course.name}, {course.quantity.replace('_', ' ')}{unit}"


def time_title(findings: Findings) -> str:
    """Return the title of a time axis."""
    return f"time since the start of the {'infusion' if findings.timed else 'recording'} (min)"


def _line(part: "pd.DataFrame", place: int, name: str, **more: Any) -> list[Figure]:
    """Return a mean over people with its band."""
    colour = SERIES[place]
    x = packed(part["time_s"].to_numpy() / 60.0)
    edge = {
        "type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip", "legendgroup": name,
        "line": {"width": 0, "color": f"@{colour}"}, **more, "showlegend": False,
    }  # fmt: skip
    low, high = (packed(part[key].to_numpy()) for key in ("ci_low", "ci_high"))
    return [
        edge | {"y": high},
        edge | {"y": low, "fill": "tonexty", "fillcolor": f"@{colour}-band"},
        {
            "type": "scatter", "mode": "lines+markers", "x": x, "hoverinfo": "x+y+text+name",
            "y": packed(part["estimate"].to_numpy()), "name": html.escape(name),
            "text": [f"{int(n)} people" for n in part["people"]], "legendgroup": name,
            "line": {"color": f"@{colour}", "width": 2, "dash": _DASHES[place]},
            "marker": {"color": f"@{colour}", "size": 6, "symbol": _SYMBOLS[place]},
        } | more,
    ]  # fmt: skip


def group(findings: Findings, course: Course, shapes: list[Figure]) -> Figure:
    """Return the means by condition and, below, the difference within people.

    Parameters
    ----------
    findings : Findings
        The study.
    course : Course
        Time courses of a metabolite.
    shapes : list of dict
        Shading of the infusion.

    Returns
    -------
    dict
        Figure.
    """
    table = course.group
    split = (table["condition"] == DIFFERENCE).any()
    traces: list[Figure] = []
    for label in ordered(findings, table):
        part = table[table["condition"] == label]
        traces += _line(part, series(findings, label), label)
    titles = [html.escape(title_of(course))]
    if split and findings.contrast is not None:
        name = " - ".join(findings.contrast)
        traces += _line(table[table["condition"] == DIFFERENCE], 2, name, yaxis="y2")
        titles.append(html.escape(f"difference, {name}"))
    layout = stacked(titles, time_title(findings), row_px=270)
    return {"data": traces, "layout": layout | {"shapes": shapes}}


def shading(findings: Findings, duration_s: float) -> list[Figure]:
    """Return the infusion as a shaded part of the time axis."""
    if not (findings.timed and np.isfinite(duration_s)):
        return []
    return [
        {
            "type": "rect", "xref": "x", "yref": "paper", "x0": 0.0, "x1": duration_s / 60.0,
            "y0": 0, "y1": 1, "fillcolor": "@shade", "line": {"width": 0}, "layer": "below",
        }
    ]  # fmt: skip


def _bars(names: list[str], middle: Array, ends: Array, colour: str, **marker: Any) -> Figure:
    """Return estimates with intervals, the first on top."""
    return {
        "type": "scatter", "mode": "markers", "x": packed(middle),
        "y": list(range(len(names), 0, -1)), "text": [html.escape(name) for name in names],
        "hoverinfo": "x+text", "showlegend": False,
        "marker": {"color": f"@{colour}", "size": 10} | marker,
        "error_x": {
            "type": "data", "symmetric": False, "array": packed(ends[1] - middle),
            "arrayminus": packed(middle - ends[0]), "color": f"@{colour}", "thickness": 1.5,
            "width": 4,
        },
    }  # fmt: skip


def _rows(names: list[str], title: str) -> Figure:
    """Return the layout of rows of estimates around zero."""
    count = len(names)
    return {
        "height": 136 + _ROW_PX * max(count, 3), "hovermode": "closest",
        "xaxis": {"title": {"text": html.escape(title)}, "zeroline": False},
        "shapes": [{"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1,
                    "line": {"color": "@quiet", "width": 1, "dash": "dot"}, "layer": "below"}],
        "yaxis": {
            "tickvals": list(range(count, 0, -1)), "range": [0.3, count + 0.7],
            "ticktext": [html.escape(name) for name in names], "zeroline": False,
            "showgrid": False,
        },
        "margin": {"l": 20, "r": 16, "t": 34, "b": 45},
    }  # fmt: skip


def forest(found: dict[str, "stats.Crossover"]) -> Figure:
    """Return the treatment effect on each metabolite with its 95 % interval.

    Parameters
    ----------
    found : dict of str to Crossover
        By name of the metabolite; of one endpoint.

    Returns
    -------
    dict
        Figure.
    """
    first = next(iter(found.values()))
    unit = f" ({first.unit})" if first.unit else ""
    middle = np.array([one.estimate for one in found.values()])
    ends = np.array([[one.ci_low, one.ci_high] for one in found.values()]).T
    title = f"{' - '.join(first.contrast)}, 95 % CI{unit}"
    return {
        "data": [_bars(list(found), middle, ends, "second", symbol="square")],
        "layout": _rows(list(found), title),
    }


def people(result: "stats.Crossover") -> Figure:
    """Return the difference of each person, with the effect of the trial below.

    Parameters
    ----------
    result : Crossover
        The analysis.

    Returns
    -------
    dict
        Figure; bars of people are the 95 % intervals of the spectra alone.
    """
    table = result.to_frame("differences").sort_values("difference", ascending=False)
    names = [*(f"sub-{name}" for name in table["subject"]), "all"]
    half = 1.96 * table["sd"].to_numpy(float)
    middle = table["difference"].to_numpy()
    weight = table["weight"].to_numpy() / table["weight"].max()
    size = [round(4.0 + 6.0 * float(one), 1) for one in weight]
    own = _bars(names, middle, np.array([middle - half, middle + half]), "first", size=size)
    own["y"] = list(range(len(names), 1, -1))
    own["text"] = own["text"][:-1]
    ends = np.array([[result.ci_low], [result.ci_high]])
    whole = _bars(["all"], np.array([result.estimate]), ends, "second", symbol="diamond", size=13)
    unit = f" ({result.unit})" if result.unit else ""
    title = f"{' - '.join(result.contrast)}{unit}"
    return {"data": [own, whole], "layout": _rows(names, title)}


def quality(findings: Findings, shapes: list[Figure]) -> Figure | None:
    """Return linewidth, SNR and transients left out over time, by condition.

    Parameters
    ----------
    findings : Findings
        The study.
    shapes : list of dict
        Shading of the infusion.

    Returns
    -------
    dict or None
        Figure; None without any quality.
    """
    if findings.qc.empty or not np.isfinite(findings.qc["time_s"].astype(float)).all():
        return None
    outcomes = dict(iter(stats.quality_course(findings.qc).groupby("outcome", sort=False)))
    traces: list[Figure] = []
    for row, table in enumerate(outcomes.values()):
        axis = "" if row == 0 else str(row + 1)
        for label in ordered(findings, table):
            part = table[table["condition"] == label]
            more = {"yaxis": f"y{axis}", "showlegend": row == 0}
            traces += _line(part, series(findings, label), label, **more)
    titles = [_QUALITY[str(name)] for name in outcomes]
    layout = stacked(titles, time_title(findings), row_px=175)
    return {"data": traces, "layout": layout | {"shapes": shapes}}
