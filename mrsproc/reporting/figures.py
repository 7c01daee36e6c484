"""Interactive figures as plain data for plotly, without its Python objects.

Colours are names such as ``@data`` that the page resolves for light, dark and print. Strings are
escaped, since plotly reads labels as HTML.
"""

import base64
import html
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.basis import BROAD_PREFIXES
from mrsproc.data import MRSData
from mrsproc.fitting.result import FitResult
from mrsproc.plot.spectra import region
from mrsproc.reporting.parts import Dynamics, Session

if TYPE_CHECKING:
    import pandas as pd

Figure = dict[str, Any]
PPM: Final = {"1H": (0.2, 4.2)}
"""Range of spectra by nucleus [ppm]; the whole band for others."""
_MOST_SPECTRA: Final = 400
_NORMAL_95: Final = 1.959964
_MODEL_POINTS: Final = 240
_LEAST_PART: Final = 0.004  # components below this part of the data are not drawn
_COURSES: Final = {
    "amplitude": "{} ({})",
    "ratio": "{} (ratio)",
    "percent_change": "change from baseline ({1})",
}
QUALITY: Final = {
    "snr": "SNR",
    "linewidth_hz": "linewidth (Hz)",
    "frequency_hz": "frequency (Hz)",
    "phase_rad": "phase (rad)",
    "residual_water": "residual water",
}


def packed(values: Array) -> dict[str, str]:
    """Return an array as plotly takes it: base64 of single precision."""
    data = np.ascontiguousarray(values, "<f4").tobytes()
    return {"dtype": "f4", "bdata": base64.b64encode(data).decode()}


def _trace(x: Array, y: Array, name: str, colour: str, width: float = 1.3, **more: Any) -> Figure:
    line = {"color": f"@{colour}", "width": width}
    base = {"type": "scatter", "mode": "lines", "hoverinfo": "x+y+name"}
    return base | {"x": packed(x), "y": packed(y), "name": html.escape(name), "line": line} | more


def _ppm_axis(ppm: Array) -> Figure:
    return {"title": {"text": "chemical shift (ppm)"}, "range": [float(ppm[0]), float(ppm[-1])]}


def domain(row: int, count: int) -> list[float]:
    """Return the part of the height that one of several rows takes, the first on top."""
    low = 1.0 - (row + 1) / count
    return [low, low + (1.0 if count == 1 else 0.88) / count]


def _shading(session: Session) -> list[Figure]:
    """Return the infusion as a shaded part of the time axis."""
    drug = session.infusion
    if drug is None:
        return []
    ends = session.minutes(np.array([drug.onset, drug.onset + drug.duration]))
    return [
        {
            "type": "rect", "xref": "x", "yref": "paper", "x0": float(ends[0]),
            "x1": float(ends[1]), "y0": 0, "y1": 1, "fillcolor": "@shade", "line": {"width": 0},
            "layer": "below",
        }
    ]  # fmt: skip


def time_title(session: Session) -> str:
    """Return the title of a time axis."""
    start = "recording" if session.infusion is None else "infusion"
    return f"time since the start of the {start} (min)"


def spectra(session: Session) -> dict[str, Any] | None:
    """Return single spectra before and after preprocessing, for the slider.

    Parameters
    ----------
    session : Session
        Parts of the report.

    Returns
    -------
    dict or None
        ppm, number of spectra, labels, range to draw, and the real spectra as 16-bit integers,
        before and after; None without a recording. Of more than 400 spectra, means of neighbours
        are shown.
    """
    after = session.data
    if after is None:
        return None
    before = session.raw if session.clean is not None else None
    if before is not None and "coil" in before.dims:
        weights = None if session.clean is None else session.clean.coils
        before = weights.apply(before) if weights is not None else before.select(coil=0)
    if "coil" in after.dims:
        after = after.select(coil=0)
    limits = PPM.get(after.acquisition.nucleus, (-np.inf, np.inf))
    inside = (after.ppm >= limits[0]) & (after.ppm <= limits[1])
    mean = _rows(after)[after.mask.reshape(-1)].mean(axis=0) if after.mask.any() else 0.0
    shown = np.ravel(axes.fid_to_spectrum(mean))[inside] if np.ndim(mean) else np.ones(1)
    turn = np.exp(-1j * np.angle(shown[np.argmax(np.abs(shown))]))
    kept = {"after": after}
    if before is not None and before.fid.shape == after.fid.shape:
        kept["before"] = before
    size = -(-_rows(after).shape[0] // _MOST_SPECTRA)
    stacks = {key: _stack(data, size, inside, turn) for key, data in kept.items()}
    return {
        "ppm": packed(after.ppm[inside]),
        "count": len(next(iter(stacks.values()))),
        "points": int(inside.sum()),
        "labels": _labels(session, after, size),
        **_integers(stacks),
    }


def _rows(data: MRSData) -> Array:
    """Return the FIDs in one list; masked ones may hold NaN, which become 0."""
    return np.asarray(np.nan_to_num(data.fid, nan=0.0)).reshape(-1, data.n_points)


def _stack(data: MRSData, size: int, inside: Array, turn: complex) -> Array:
    """Return real spectra, means of `size` neighbours."""
    fids = _rows(data)
    starts = np.arange(0, len(fids), size)
    counts = np.diff(np.append(starts, len(fids)))
    means = np.add.reduceat(fids, starts, axis=0) / counts[:, None]
    return np.asarray((axes.fid_to_spectrum(means)[:, inside] * turn).real)


def _integers(stacks: dict[str, Array]) -> dict[str, Any]:
    """Return spectra as 16-bit integers of one scale, with the range to draw.

    The range is that of ordinary spectra; what a ruined one has beyond four times it is cut.
    """
    after = stacks["after"]
    high = 1.2 * float(np.quantile(after.max(axis=1), 0.9)) or 1.0
    low = min(1.2 * float(np.quantile(after.min(axis=1), 0.1)), -0.05 * abs(high))
    limit = 4.0 * max(abs(high), abs(low))
    found: dict[str, Any] = {"low": round(low / limit * 32000), "high": round(high / limit * 32000)}
    for key, stack in stacks.items():
        whole = np.round(np.clip(stack / limit, -1.0, 1.0) * 32000).astype("<i2")
        found[key] = base64.b64encode(whole.tobytes()).decode()
    return found


def _labels(session: Session, data: MRSData, size: int) -> list[str]:
    """Return what the slider says of each spectrum."""
    count = _rows(data).shape[0]
    valid = data.mask.reshape(-1)
    reasons, seconds = [""] * count, np.full(count, np.nan)
    if session.clean is not None and len(session.clean.qc) == count:
        reasons = [str(text) for text in session.clean.qc["reason"].fillna("")]
        seconds = session.clean.qc["time_s"].to_numpy(float)
    elif len(data.coords.get("transient", ())) == count:
        seconds = np.asarray(data.coords["transient"], float)
    texts = []
    for first in range(0, count, size):
        last = min(first + size, count) - 1
        text = f"{first + 1}" if first == last else f"mean of {first + 1} to {last + 1}"
        text += f" of {count}"
        if np.isfinite(seconds[first]):
            text += f", {float(session.minutes(seconds[first])):.1f} min"
        lost = [i for i in range(first, last + 1) if not valid[i]]
        if lost and size == 1:
            text += f": left out{f' ({reasons[first]})' if reasons[first] else ''}"
        elif lost:
            text += f": {len(lost)} of them left out"
        texts.append(text)
    return texts


def quality(session: Session) -> Figure | None:
    """Return quality over time, rejected transients marked; None without preprocessing."""
    if session.clean is None:
        return None
    table = session.clean.qc
    shown = [key for key in QUALITY if key in table and np.isfinite(table[key]).any()]
    if not shown:
        return None
    timed = bool(np.isfinite(table["time_s"]).all())
    number = table["transient"].to_numpy(float) + 1.0
    where = session.minutes(table["time_s"].to_numpy()) if timed else number
    valid = table["valid"].to_numpy(bool)
    reasons = [html.escape(str(text)) for text in table["reason"].fillna("")]
    shapes = _shading(session) if timed else []
    traces, layout = [], {"shapes": shapes, "height": 120 * len(shown) + 90}
    for row, key in enumerate(shown):
        axis = "" if row == 0 else str(row + 1)
        values = table[key].to_numpy(float)
        layout[f"yaxis{axis}"] = {
            "title": {"text": QUALITY[key]},
            "domain": domain(row, len(shown)),
        }
        point = {"type": "scatter", "mode": "markers", "yaxis": f"y{axis}", "showlegend": row == 0}
        traces.append(
            point | {
                "x": packed(where[valid]), "y": packed(values[valid]), "name": "used",
                "legendgroup": "used", "marker": {"color": "@baseline", "size": 4},
            }
        )  # fmt: skip
        traces.append(
            point | {
                "x": packed(where[~valid]), "y": packed(values[~valid]), "name": "left out",
                "legendgroup": "left out",
                "text": [reasons[i] for i in np.flatnonzero(~valid)],
                "marker": {"color": "@fit", "size": 9, "symbol": "x-thin", "line": {
                    "width": 2, "color": "@fit"}},
            }
        )  # fmt: skip
    title = time_title(session) if timed else "transient"
    layout["xaxis"] = {"title": {"text": title}, "anchor": f"y{len(shown)}"}
    return {"data": traces, "layout": layout}


def fit(result: FitResult, index: tuple[int, ...]) -> Figure | None:
    """Return the fit of a spectrum with residual and components; None where it failed."""
    if not result.success[index]:
        return None
    data, baseline = result.data[index], result.baseline[index]
    span = float(np.ptp(data))
    above = float(data.max()) + 0.1 * span
    traces = [
        _trace(result.ppm, data, "data", "data", 1.0),
        _trace(result.ppm, result.fitted[index], "fit", "fit", 1.6),
        _trace(result.ppm, baseline, "baseline", "baseline", 1.6),
        _trace(result.ppm, result.residual[index] + above, "residual (moved up)", "residual", 1.0),
    ]
    layout: Figure = {
        "xaxis": _ppm_axis(result.ppm), "yaxis": {"visible": False}, "height": 440,
        "margin": {"l": 12, "r": 64, "t": 8, "b": 45},
    }  # fmt: skip
    lowest = float(min(data.min(), baseline.min()))
    rows, notes = _components(result, index, lowest, span)
    return {
        "data": traces + rows,
        "layout": {**layout, "height": 440 + 18 * len(rows), "annotations": notes},
    }


def _components(
    result: FitResult, index: tuple[int, ...], lowest: float, span: float
) -> tuple[list[Figure], list[Figure]]:
    """Return the components below one another, and their names beside them."""
    curves = result.components(index)
    drawn = [i for i, curve in enumerate(curves) if np.abs(curve).max() > _LEAST_PART * span]
    gap = 0.07 * span
    tallest = max((float(np.abs(curves[i]).max()) for i in drawn), default=1.0)
    scale = min(1.0, 2.5 * gap / tallest)
    rows, notes = [], []
    for row, i in enumerate(drawn):
        name, level = result.names[i], lowest - (row + 2.5) * gap
        colour = "broad" if name.startswith(BROAD_PREFIXES) else "component"
        rows.append(
            _trace(
                result.ppm, level + scale * curves[i], name, colour, 1.1,
                showlegend=False, hoverinfo="name",
            )
        )  # fmt: skip
        notes.append(
            {
                "text": html.escape(name), "x": 1.0, "xref": "paper", "xanchor": "left", "y": level,
                "showarrow": False, "font": {"size": 11, "color": f"@{colour}"},
            }
        )  # fmt: skip
    if drawn:
        text = "components" if scale == 1.0 else f"components x {scale:.2g}"
        where = {"x": 0.0, "xref": "paper", "xanchor": "left", "y": lowest - 1.1 * gap}
        notes.append({"text": text, "showarrow": False, "font": {"size": 11}, **where})
    return rows, notes


def course(session: Session, dynamic: Dynamics, metabolite: str) -> Figure:
    """Return the time course of a metabolite with its 95 % band.

    Parameters
    ----------
    session : Session
        Parts of the report.
    dynamic : Dynamics
        The joint fit.
    metabolite : str
        For example "Glx".

    Returns
    -------
    dict
        Figure.
    """
    table = dynamic.timecourse(
        metabolite, relative_to=session.relative_to, baseline=session.baseline
    )
    name = metabolite if session.relative_to is None else f"{metabolite}/{session.relative_to}"
    quantities = [str(found) for found in table["quantity"].unique()]
    shown = [found for found in quantities if found in _COURSES] or quantities[:1]
    model = _model(session, dynamic, metabolite, table)
    traces: list[Figure] = []
    layout: Figure = {"shapes": _shading(session), "height": 130 + 230 * len(shown)}
    for row, quantity in enumerate(shown):
        part = table[table["quantity"] == quantity]
        axis = "" if row == 0 else str(row + 1)
        unit = str(part["unit"].iloc[0] or "")
        title = _COURSES.get(quantity, "{} ({})").format(name, unit)
        layout[f"yaxis{axis}"] = {
            "title": {"text": html.escape(title)}, "domain": domain(row, len(shown))
        }  # fmt: skip
        middle = session.minutes((part["time_s"] + 0.5 * part["duration_s"]).to_numpy())
        traces += _band(middle, part, f"y{axis}", first=row == 0)
        if quantity in model:
            more: Figure = {"yaxis": f"y{axis}", "showlegend": row == 0, "legendgroup": "model"}
            traces.append(_trace(*model[quantity], "model", "fit", 1.6, **more))
    layout["xaxis"] = {"title": {"text": time_title(session)}, "anchor": f"y{len(shown)}"}
    return {"data": traces, "layout": layout}


def _model(
    session: Session, dynamic: Dynamics, metabolite: str, table: "pd.DataFrame"
) -> dict[str, tuple[Array, Array]]:
    """Return the model between the bins, by quantity: minutes and values."""
    first = str(table["quantity"].iloc[0])
    bins = table[table["quantity"] == first]
    start, end = bins["time_s"].min(), (bins["time_s"] + bins["duration_s"]).max()
    time = start + (np.arange(_MODEL_POINTS) + 0.5) * (end - start) / _MODEL_POINTS
    value = np.asarray(dynamic.amplitude(metabolite, time).value)
    if session.relative_to is not None:
        value = value / np.asarray(dynamic.amplitude(session.relative_to, time).value)
    minutes = session.minutes(time)
    found = {first: (minutes, value)}
    percent = table[table["quantity"] == "percent_change"]
    if len(percent) == len(bins):
        rest = bins["estimate"].to_numpy() / (1.0 + percent["estimate"].to_numpy() / 100.0)
        found["percent_change"] = (minutes, 100.0 * (value / np.nanmedian(rest) - 1.0))
    return found


def _band(minutes: Array, part: "pd.DataFrame", axis: str, *, first: bool) -> list[Figure]:
    """Return a time course with its 95 % interval."""
    value, sd = (part[key].to_numpy(float) for key in ("estimate", "sd"))
    half = _NORMAL_95 * sd
    edge = {"yaxis": axis, "hoverinfo": "skip"}
    return [
        _trace(minutes, value + half, "", "band", 0.0, showlegend=False, **edge),
        _trace(minutes, value - half, "95 % interval", "band", 0.0, fill="tonexty",
               fillcolor="@band", showlegend=first, **edge),
        _trace(minutes, value, "mean of a bin", "fit", 1.8, mode="markers", yaxis=axis,
               showlegend=first, marker={"color": "@fit", "size": 6}),
    ]  # fmt: skip


def correlation(result: FitResult, index: tuple[int, ...], pair: tuple[str, str]) -> Figure | None:
    """Return the 95 % region of two amplitudes; None where there are none."""
    if not result.success[index] or any(name not in result.names for name in pair):
        return None
    where = [result.names.index(name) for name in pair]
    centre = result.amplitude[index][where]
    covariance = result.covariance[index][np.ix_(where, where)]
    if not np.isfinite(covariance).all():
        return None
    x, y = region(centre, covariance)
    point = {"type": "scatter", "mode": "markers", "marker": {"color": "@fit", "size": 9}}
    return {
        "data": [
            _trace(x, y, "95 % region", "baseline", 1.8, fill="toself", fillcolor="@band"),
            point | {"x": packed(centre[:1]), "y": packed(centre[1:]), "name": "estimate"},
        ],
        "layout": {
            "height": 380,
            "xaxis": {"title": {"text": html.escape(f"{pair[0]} (amplitude)")}},
            "yaxis": {"title": {"text": html.escape(f"{pair[1]} (amplitude)")}},
        },
    }
