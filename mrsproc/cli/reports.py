"""What ``mrsproc report`` does, and the report at the end of ``mrsproc run``."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mrsproc.cli.work import Request, analysed, infusion_event, stem
from mrsproc.errors import MissingPackageError

if TYPE_CHECKING:
    from mrsproc.basis import BasisSet
    from mrsproc.data import MRSData
    from mrsproc.dynamics import DynamicResult
    from mrsproc.responses import Infusion
    from mrsproc.study import StudyResult

_FOLLOWED: Final = ("Glu", "Gln")
STUDY_REPORT: Final = "report.html"


def of_recording(
    request: Request,
    output: Path | None,
    events: Path | None,
    infusion: tuple[float, float] | None,
) -> Iterator[str]:
    """Fit a recording, over time where there was an infusion, and write its report."""
    from mrsproc import io
    from mrsproc.reporting import report
    from mrsproc.responses import Infusion

    target = Path(f"{stem(request.file)}_report.html") if output is None else output
    event = infusion_event(events, infusion)
    drug = None if event is None else Infusion.from_event(event)
    raw, clean, quantities = analysed(request, drug)
    dynamic = None
    if drug is not None:
        dynamic = _over_time(clean.data, io.read_basis(request.basis), drug, request.ppm)
    report(
        target,
        raw=raw,
        clean=clean,
        quantities=quantities,
        dynamic=dynamic,
        infusion=drug,
        title=_title(request.file),
    )
    yield f"wrote {target}: open it in a browser"


def _title(file: Path) -> str | None:
    """Return the heading: a BIDS name, which is a pseudonym; others may be those of people."""
    name = stem(file)
    return name.replace("_", " ") if name.startswith("sub-") else None


def _over_time(
    data: "MRSData", basis: "BasisSet", infusion: "Infusion", ppm: tuple[float, float]
) -> "DynamicResult":
    """Follow glutamate and glutamine in time bins; nothing is assumed of their shape."""
    from mrsproc.dynamics import DynamicOptions, fit_dynamic
    from mrsproc.fitting.options import FitOptions

    options = DynamicOptions(fit=FitOptions(ppm=ppm), infusion=infusion)
    return fit_dynamic(data, basis, dict.fromkeys(_FOLLOWED, "free"), options)


def study_folder(path: Path) -> bool:
    """Tell whether a path is a folder that ``mrsproc run`` wrote."""
    return path.is_dir() and (path / "endpoints.tsv").is_file()


def of_study(folder: Path, output: Path | None, contrast: tuple[str, str] | None) -> Iterator[str]:
    """Write the report of a study from its tables."""
    from mrsproc.reporting import report
    from mrsproc.study import StudyResult

    target = folder / STUDY_REPORT if output is None else output
    report(target, study=StudyResult.read(folder), contrast=contrast)
    yield f"wrote {target}: open it in a browser"


def end_of_run(result: "StudyResult") -> str:
    """Write the report of a study that was just run, and tell where; or why there is none."""
    from mrsproc.reporting import report

    target = result.output / STUDY_REPORT
    try:
        report(target, study=result)
    except MissingPackageError as error:
        return f"no report: {error}"
    return f"wrote {target}: open it in a browser"
