"""The report of a session: what its page shows."""

import json
import math
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc.data import MRSData
from mrsproc.errors import FitWarning, MRSError
from mrsproc.files import content_hash
from mrsproc.fitting.result import sum_weights
from mrsproc.quantification import Quantities
from mrsproc.reporting import figures, words
from mrsproc.reporting.page import Table, options_rows, plain, rows_of, told, versions, with_sd
from mrsproc.reporting.parts import Dynamics, Preprocessing, Session
from mrsproc.tables import mrsinmrs

if TYPE_CHECKING:
    from mrsproc.axes import Array

_COURSES: Final = ("Glx", "Glu", "Gln", "tNAA", "tCr", "tCho", "Ins", "GABA", "Lac", "GSH")
_ENDPOINTS: Final = {
    "mean": "mean",
    "plateau": "plateau",
    "auc": "AUC",
    "slope": "slope",
    "peak": "peak",
    "time_to_peak": "time to peak",
}
_TRADED: Final = -0.3  # correlation below which Glu and Gln are told to trade signal


def content(session: Session, title: str, absent: list[str]) -> dict[str, Any]:
    """Return what the template of a session shows.

    Parameters
    ----------
    session : Session
        Parts of the report.
    title : str
        Heading.
    absent : list of str
        Parts that were not given.

    Returns
    -------
    dict
        For ``session.html``.
    """
    drawn = {"quality": figures.quality(session)}
    if session.fit is not None:
        drawn["fit"] = figures.fit(session.fit, session.shown)
        drawn["correlation"] = figures.correlation(session.fit, session.shown, ("Glu", "Gln"))
    followed = _followed(session)
    spectra = figures.spectra(session)
    return {
        "title": title,
        "warnings": words.warnings_of(session),
        "absent": absent,
        "facts": _facts(session),
        "tables": _tables(session, followed),
        "drawn": [key for key, figure in drawn.items() if figure is not None],
        "spectra": spectra,
        "courses": followed,
        "relative_to": session.relative_to,
        "correlation_text": _correlation_text(session),
        "methods": words.methods(session),
        "payload": {
            "figures": {key: figure for key, figure in drawn.items() if figure is not None},
            "choices": {"course": _courses(session, followed)},
            "spectra": spectra,
        },
    }


def _followed(session: Session) -> list[str]:
    """Return the metabolites whose time course is shown: those that move, main ones first."""
    dynamic = session.dynamic
    if dynamic is None or not dynamic.success:
        return []
    below = () if session.relative_to is None else _members(dynamic.names, session.relative_to)
    names = [name for name in dict.fromkeys([*_COURSES, *dynamic.names]) if name not in below]
    found = []
    for name in names:
        try:
            moves = dynamic.moves(name)
        except MRSError:  # not a signal of this fit
            continue
        if moves and name != session.relative_to:
            found.append(name)
    return found


def _members(names: tuple[str, ...], whole: str) -> tuple[str, ...]:
    """Return the signals of a sum; of a signal, itself."""
    weights = sum_weights(names).get(whole)
    if weights is None:
        return (whole,)
    return tuple(name for name, weight in zip(names, weights, strict=True) if weight)


def _courses(session: Session, followed: list[str]) -> dict[str, figures.Figure]:
    dynamic = session.dynamic
    if dynamic is None:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # said when the fit was made
        return {name: figures.course(session, dynamic, name) for name in followed}


def _facts(session: Session) -> list[tuple[str, str]]:
    """Return the headline: what was recorded and how good it is."""
    data, found = session.data, []
    if data is not None:
        acquisition = data.acquisition
        field = acquisition.field_strength
        found = [
            ("Nucleus", acquisition.nucleus),
            ("Field", f"{field:.2f} T" if field else "unknown"),
            ("Sequence", acquisition.sequence or "unknown"),
            ("TE", _milliseconds(acquisition.echo_time)),
            ("TR", _milliseconds(acquisition.repetition_time)),
            ("Recorded", _sizes(session.raw or data)),
        ]
    if session.clean is not None:
        valid = session.clean.qc["valid"].astype(bool)
        found.append(("Transients used", f"{int(valid.sum())} of {len(valid)}"))
    if session.fit is not None and session.fit.success[session.shown]:
        index = session.shown
        found += [
            ("SNR", f"{float(session.fit.snr[index]):.3g}"),
            ("Linewidth", f"{float(session.fit.linewidth_hz[index]):.3g} Hz"),
        ]
    return found


def _sizes(data: MRSData) -> str:
    """Return the size of a recording in words."""
    dims = [f"{n} {dim}{'s' if n > 1 else ''}" for dim, n in data.sizes.items() if dim != "time"]
    return ", ".join([*dims, f"{data.n_points} points"])


def _milliseconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value * 1e3:g} ms"


def _tables(session: Session, followed: list[str]) -> dict[str, Table]:
    """Return the tables of the page."""
    found = {}
    if session.quantities is not None:
        found["amplitudes"] = _amplitudes(session, session.quantities)
    if session.clean is not None:
        found["rejected"] = _rejected(session, session.clean)
    dynamic = session.dynamic
    if dynamic is not None and dynamic.success:
        found["parameters"] = _parameters(dynamic)
        endpoints = _endpoints(session, dynamic, followed)
        if endpoints is not None:
            found["endpoints"] = endpoints
    data = session.raw or session.data
    if data is not None:
        steps = () if session.data is None else words.steps_since(session.raw, session.data)
        quality = None if session.clean is None else session.clean.qc
        table = mrsinmrs(
            data,
            processing=[words.sentence(step) for step in steps],
            quantities=session.quantities,
            quality=quality,
            time_series=words.time_series(session),
        )
        found["mrsinmrs"] = plain("Minimum reporting standards (MRSinMRS)", table)
    found["provenance"] = _provenance(session)
    return found


def _amplitudes(session: Session, quantities: Quantities) -> Table:
    index, names = session.shown, quantities.names
    order: list[str] = [name for name in words.MAIN if name in names]
    order += [name for name in names if name not in order]
    result = quantities.fit
    held = dict(zip(result.names, result.at_bounds[index], strict=True))
    scaled = bool(quantities.unit)
    columns = ["metabolite", "amplitude", "CRLB (%)", "relative to tCr", "relative to tNAA"]
    estimates: list[tuple[Array, Array]] = [
        (quantities.amplitude, quantities.sd),
        (quantities.ratio_tCr, quantities.ratio_tCr_sd),
        (quantities.ratio_tNAA, quantities.ratio_tNAA_sd),
    ]
    if scaled:
        estimates.append((quantities.concentration, quantities.concentration_sd))
    rows = []
    for name in order:
        i = names.index(name)
        value, sd = float(quantities.amplitude[index][i]), float(quantities.sd[index][i])
        cells = [with_sd(float(x[index][i]), float(s[index][i])) for x, s in estimates]
        cells.insert(1, f"{100.0 * sd / value:.1f}" if value > 0.0 else "n/a")
        rows.append((f"{name} (held at zero)" if held.get(name, False) else name, *cells))
    if scaled:
        columns.append(f"concentration ({quantities.unit})")
    which = "" if not result.dims else f", spectrum {dict(zip(result.dims, index, strict=True))}"
    return Table(f"Estimates ± standard deviation{which}", tuple(columns), rows)


def _rejected(session: Session, clean: Preprocessing) -> Table:
    table = clean.qc[~clean.qc["valid"].astype(bool)]
    minutes = session.minutes(table["time_s"].to_numpy())
    rows = [
        (str(int(number) + 1), f"{time:.1f}" if math.isfinite(time) else "n/a", str(reason))
        for number, time, reason in zip(table["transient"], minutes, table["reason"], strict=True)
    ]
    return Table("Transients left out", ("transient", "time (min)", "reason"), rows)


def _parameters(dynamic: Dynamics) -> Table:
    """Return the parameters of the fit over time, an estimate and its SD in one cell."""
    rows = [
        (str(row.metabolite), str(row.parameter), with_sd(row.estimate, row.sd), str(row.unit))
        for row in rows_of(dynamic.to_frame("parameters"))
    ]
    columns = ("metabolite", "parameter", "estimate ± SD", "unit")
    return Table("Parameters over time", columns, rows)


def _endpoints(session: Session, dynamic: Dynamics, followed: list[str]) -> Table | None:
    """Return the endpoints of each time course; None without a baseline to count from."""
    rows, columns = [], [""]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # said when the fit was made
        for name in followed:
            try:
                table = dynamic.endpoints(
                    name, relative_to=session.relative_to, baseline=session.baseline
                )
            except MRSError:
                return None
            ratio = f"{name}/{session.relative_to}" if session.relative_to else name
            cells = [with_sd(row.estimate, row.sd) for row in rows_of(table)]
            rows.append((ratio, *cells))
            units = zip(table["endpoint"], table["unit"], strict=True)
            columns = ["metabolite", *(f"{_ENDPOINTS[end]} ({unit})" for end, unit in units)]
    if not rows:
        return None
    caption = "Endpoints of the percent change from the baseline, estimate ± standard deviation"
    return Table(caption, tuple(columns), rows)


def _provenance(session: Session) -> Table:
    """Return versions, options, and hashes of what went in."""
    rows = versions()
    options = {
        "preprocessing": None if session.clean is None else session.clean.options,
        "fit": None if session.fit is None else session.fit.options,
        "over time": None if session.dynamic is None else session.dynamic.options,
        "response": _responses(session.dynamic),
    }
    known = {name: told(value) for name, value in options.items() if value is not None}
    if session.raw is not None:
        fid = np.ascontiguousarray(session.raw.fid)
        rows.append(("hash of the raw data", content_hash(fid.tobytes())))
    if known:
        rows.append(("hash of the options", content_hash(json.dumps(known, sort_keys=True))))
    if session.fit is not None:
        rows.append(("basis set", session.fit.basis_source))
    for name, value in known.items():
        rows += options_rows(name, value)
    return Table("Versions, options and hashes", ("what", "value"), rows)


def _responses(dynamic: Dynamics | None) -> dict[str, str] | None:
    """Return the responses over time with the signals that follow them, where they are told."""
    responses = getattr(getattr(dynamic, "design", None), "responses", None)
    if dynamic is None or responses is None:
        return None
    followers: dict[str, list[str]] = {}
    for name, response in zip(dynamic.names, responses, strict=True):
        followers.setdefault(repr(response), []).append(name)
    return {", ".join(names): text for text, names in followers.items()}


def _correlation_text(session: Session) -> str:
    """Return what the correlation of Glu and Gln means in numbers."""
    result, index = session.fit, session.shown
    if result is None or any(name not in result.names for name in ("Glu", "Gln")):
        return ""
    i, j = (result.names.index(name) for name in ("Glu", "Gln"))
    r = float(result.correlation[index][i, j])
    if not math.isfinite(r):
        return ""
    told = {
        name: [float(x[index]) for x in result.estimate(name)] for name in ("Glu", "Gln", "Glx")
    }
    values = ", ".join(f"{name} {with_sd(*pair)}" for name, pair in told.items())
    meaning = (
        "what one gains, the other loses, and their sum is known better than either"
        if r < _TRADED
        else "this spectrum tells them apart"
    )
    return f"The errors of Glu and Gln correlate with r = {r:.2f}: {meaning}. {values}."
