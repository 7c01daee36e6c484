"""The report of a session: one HTML file that needs nothing else."""

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mrsproc.data import MRSData
from mrsproc.errors import InvalidInputError, MissingPackageError, MRSError
from mrsproc.files import atomic_path, content_hash
from mrsproc.fitting.result import FitResult
from mrsproc.quantification import Quantities, quantify
from mrsproc.reporting import figures, words
from mrsproc.reporting.parts import Drug, Dynamics, Preprocessing, Session
from mrsproc.tables import mrsinmrs

if TYPE_CHECKING:
    import pandas as pd

    from mrsproc.axes import Array

_COURSES: Final = ("Glx", "Glu", "Gln", "tNAA", "tCr", "tCho", "Ins", "GABA", "Lac", "GSH")
_TRADED: Final = -0.3  # correlation below which Glu and Gln are told to trade signal
_PARTS: Final = {
    "raw": "the raw recording",
    "clean": "preprocessing",
    "fit": "a spectral fit",
    "dynamic": "a fit over time",
}


class Table(NamedTuple):
    """A table as text."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def report(
    path: str | os.PathLike[str],
    *,
    raw: MRSData | None = None,
    clean: Preprocessing | None = None,
    fit: FitResult | None = None,
    dynamic: Dynamics | None = None,
    quantities: Quantities | None = None,
    infusion: Drug | None = None,
    title: str = "MR spectroscopy session",
) -> None:
    """Write the report of a session as one HTML file that works without a network.

    Parts that are not given are left out, and the report says so. Of a header only what a methods
    section needs is shown: no name, no date, no comment.

    Parameters
    ----------
    path : path
        Name that ends in .html.
    raw : MRSData, optional
        The recording as read.
    clean : Preprocessed, optional
        What `mrsproc.preprocess` returns.
    fit : FitResult, optional
        What `mrsproc.fit` returns; of several spectra the first that was fitted is drawn.
    dynamic : DynamicResult, optional
        What `mrsproc.fit_dynamic` returns.
    quantities : Quantities, optional
        Concentrations of the fit; its ratios when not given.
    infusion : Infusion, optional
        When the drug was given, to be shaded; that of `dynamic` when not given.
    title : str, default "MR spectroscopy session"
        Heading.

    Raises
    ------
    InvalidInputError
        A name without .html, or nothing to report.
    MissingPackageError
        The packages of the extra ``report`` are not installed.

    References
    ----------
    Lin 2021, 10.1002/nbm.4484 (the table of minimum reporting standards).
    """
    if not os.fspath(path).endswith(".html"):
        raise InvalidInputError(f"{os.fspath(path)}: give the report a name that ends in .html.")
    given = {"raw": raw, "clean": clean, "fit": fit, "dynamic": dynamic}
    if all(part is None for part in given.values()) and quantities is None:
        raise InvalidInputError("nothing to report: give raw=, clean=, fit= or dynamic=.")
    if quantities is None and fit is not None:
        quantities = quantify(fit)
    if infusion is None and dynamic is not None:
        infusion = getattr(dynamic.options, "infusion", None)
    if fit is None and quantities is not None:
        given["fit"] = fit = quantities.fit
    session = Session(raw, clean, fit, dynamic, quantities, infusion)
    absent = [text for key, text in _PARTS.items() if given[key] is None]
    page = _rendered(_content(session, title, absent))
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _rendered(content: Mapping[str, Any]) -> str:
    """Return the page; every string in it is escaped."""
    try:
        import jinja2
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise MissingPackageError(
            f"a report needs the package {error.name}: pip install 'mrsproc[report]'."
        ) from None
    folder = files("mrsproc.reporting") / "templates"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((folder / "session.html").read_text(encoding="utf-8"))
    trusted = {
        name: (folder / f"report.{name}").read_text(encoding="utf-8") for name in ("css", "js")
    }
    return template.render(**content, **trusted, plotly=get_plotlyjs())


def _content(session: Session, title: str, absent: list[str]) -> dict[str, Any]:
    """Return what the template shows."""
    drawn = {"quality": figures.quality(session)}
    if session.fit is not None:
        drawn["fit"] = figures.fit(session.fit, session.shown)
        drawn["correlation"] = figures.correlation(session.fit, session.shown, ("Glu", "Gln"))
    courses = _courses(session)
    spectra = figures.spectra(session)
    return {
        "title": title,
        "version": version("mrsproc"),
        "warnings": words.warnings_of(session),
        "absent": absent,
        "facts": _facts(session),
        "tables": _tables(session),
        "drawn": [key for key, figure in drawn.items() if figure is not None],
        "spectra": spectra,
        "courses": list(courses),
        "correlation_text": _correlation_text(session),
        "methods": words.methods(session),
        "payload": {
            "figures": {key: figure for key, figure in drawn.items() if figure is not None},
            "courses": courses,
            "spectra": spectra,
        },
    }


def _courses(session: Session) -> dict[str, figures.Figure]:
    dynamic = session.dynamic
    if dynamic is None or not dynamic.success:
        return {}
    found = {}
    for name in _COURSES:
        try:
            found[name] = figures.course(session, dynamic, name)
        except MRSError:  # not a signal of this fit
            continue
    return found


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


def with_sd(value: float, sd: float) -> str:
    """Return an estimate and its SD, both to two digits of the SD.

    Examples
    --------
    >>> with_sd(12.3456, 0.123), with_sd(float("nan"), 1.0)
    ('12.35 ± 0.12', 'n/a')
    """
    if not math.isfinite(value):
        return "n/a"
    if not (math.isfinite(sd) and sd > 0.0):
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(sd)))
    return f"{value:.{digits}f} ± {sd:.{digits}f}"


def _tables(session: Session) -> dict[str, Table]:
    """Return the tables of the page."""
    found = {}
    if session.quantities is not None:
        found["amplitudes"] = _amplitudes(session, session.quantities)
    if session.clean is not None:
        found["rejected"] = _rejected(session, session.clean)
    if session.dynamic is not None and session.dynamic.success:
        found["parameters"] = _plain("Parameters over time", session.dynamic.to_frame("parameters"))
    data = session.raw or session.data
    if data is not None:
        steps = () if session.data is None else words.steps_since(session.raw, session.data)
        quality = None if session.clean is None else session.clean.qc
        table = mrsinmrs(
            data,
            processing=[words.sentence(step) for step in steps],
            quantities=session.quantities,
            quality=quality,
        )
        found["mrsinmrs"] = _plain("Minimum reporting standards (MRSinMRS)", table)
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


def _plain(caption: str, frame: "pd.DataFrame") -> Table:
    """Return a data frame as text."""
    rows = [tuple(_cell(value) for value in row) for row in frame.itertuples(index=False)]
    return Table(caption, tuple(str(name) for name in frame.columns), rows)


def _cell(value: object) -> str:
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}" if math.isfinite(value) else "n/a"
    return str(value)


def _provenance(session: Session) -> Table:
    """Return versions, options, and hashes of what went in."""
    rows = [(name, version(name)) for name in ("mrsproc", "numpy", "scipy", "pandas", "lmfit")]
    rows.insert(1, ("python", platform.python_version()))
    options = {
        "preprocessing options": None if session.clean is None else session.clean.options,
        "fit options": None if session.fit is None else session.fit.options,
        "options over time": None if session.dynamic is None else session.dynamic.options,
        "responses over time": _responses(session.dynamic),
    }
    told = {name: _told(value) for name, value in options.items() if value is not None}
    rows += [(name, json.dumps(value)) for name, value in told.items()]
    if told:
        rows.append(("hash of the options", content_hash(json.dumps(told, sort_keys=True))))
    if session.raw is not None:
        fid = np.ascontiguousarray(session.raw.fid)
        rows.append(("hash of the raw data", content_hash(fid.tobytes())))
    if session.fit is not None:
        rows.append(("basis set", session.fit.basis_source))
    return Table("Provenance", ("what", "value"), rows)


def _responses(dynamic: Dynamics | None) -> dict[str, str] | None:
    """Return the response of each signal as text, where the fit over time tells them."""
    responses = getattr(getattr(dynamic, "design", None), "responses", None)
    if dynamic is None or responses is None:
        return None
    return {name: repr(item) for name, item in zip(dynamic.names, responses, strict=True)}


def _told(options: object) -> Any:
    """Return options as JSON's own types; objects by their representation."""
    if isinstance(options, Mapping):
        return {str(key): _told(value) for key, value in options.items()}
    if isinstance(options, (str, int, float, bool, type(None))):
        return options
    if isinstance(options, Iterable):
        return [_told(value) for value in options]
    if hasattr(options, "__dict__") and vars(options):
        return {key: _told(value) for key, value in vars(options).items()}
    return repr(options)


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
