"""`report`: what was given, checked, and the page that suits it."""

import os
from collections.abc import Sequence
from typing import Final

from mrsproc.data import MRSData
from mrsproc.errors import InvalidInputError
from mrsproc.fitting.result import FitResult
from mrsproc.quantification import Quantities, quantify
from mrsproc.reporting import session as of_session
from mrsproc.reporting import study as of_study
from mrsproc.reporting.page import write_page
from mrsproc.reporting.parts import Drug, Dynamics, Preprocessing, Session, Study

_PARTS: Final = {
    "raw": "the raw recording",
    "clean": "preprocessing",
    "fit": "a spectral fit",
    "dynamic": "a fit over time",
}


def report(
    path: str | os.PathLike[str],
    *,
    raw: MRSData | None = None,
    clean: Preprocessing | None = None,
    fit: FitResult | None = None,
    dynamic: Dynamics | None = None,
    quantities: Quantities | None = None,
    infusion: Drug | None = None,
    relative_to: str | None = None,
    baseline: tuple[float, float] | None = None,
    study: Study | None = None,
    contrast: Sequence[str] | None = None,
    title: str | None = None,
) -> None:
    """Write the report of a session, or of a study, as one HTML file that needs no network.

    Parts of a session that are not given are left out, and the report says so. Of a header only
    what a methods section needs is shown: no name, no date, no comment.

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
    relative_to : str, optional
        Denominator of time courses and endpoints, for example "tNAA".
    baseline : tuple of float, optional
        Start and end of their baseline [s]; up to the onset of the drug when not given.
    study : StudyResult, optional
        What `Study.run` returns, or `StudyResult.read`: then the report is that of the study, and
        nothing of a session is given.
    contrast : sequence of str, optional
        Active and control condition of the study, as in `mrsproc.stats.crossover`.
    title : str, optional
        Heading; "MR spectroscopy session" or "MR spectroscopy study" when not given.

    Raises
    ------
    InvalidInputError
        A name without .html, nothing to report, or parts that do not go together.
    MissingPackageError
        The packages of the extra ``report`` are not installed.

    References
    ----------
    Lin 2021, 10.1002/nbm.4484 (the table of minimum reporting standards).
    """
    if not os.fspath(path).endswith(".html"):
        raise InvalidInputError(f"{os.fspath(path)}: give the report a name that ends in .html.")
    given = {"raw": raw, "clean": clean, "fit": fit, "dynamic": dynamic}
    of_one = {**given, "quantities": quantities, "infusion": infusion, "relative_to": relative_to,
              "baseline": baseline}  # fmt: skip
    if study is not None:
        wrong = [name for name, part in of_one.items() if part is not None]
        if wrong:
            raise InvalidInputError(
                f"study= and {wrong[0]}=: give a study, or parts of one session."
            )
        content = of_study.content(study, path, contrast, title or "MR spectroscopy study")
        write_page(path, "study.html", content)
        return
    if contrast is not None:
        raise InvalidInputError("contrast= is for study=: a session has one condition.")
    if all(part is None for part in given.values()) and quantities is None:
        raise InvalidInputError(
            "nothing to report: give raw=, clean=, fit= or dynamic=, or study=."
        )
    if quantities is None and fit is not None:
        quantities = quantify(fit)
    if infusion is None and dynamic is not None:
        infusion = getattr(dynamic.options, "infusion", None)
    if fit is None and quantities is not None:
        given["fit"] = fit = quantities.fit
    parts = Session(raw, clean, fit, dynamic, quantities, infusion, relative_to, baseline)
    absent = [text for key, text in _PARTS.items() if given[key] is None]
    content = of_session.content(parts, title or "MR spectroscopy session", absent)
    write_page(path, "session.html", content)
