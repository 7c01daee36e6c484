"""What ``mrsproc report`` does, and the report at the end of ``mrsproc run``."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mrsproc.cli.dynamic import Course
from mrsproc.cli.work import Request, analysed, report_lines, stem
from mrsproc.errors import InvalidInputError, MissingPackageError, MRSError

if TYPE_CHECKING:
    from mrsproc.study import StudyResult

STUDY_REPORT: Final = "report.html"


def of_recording(request: Request, output: Path | None, course: Course) -> Iterator[str]:
    """Fit a recording, over time too where an infusion is given, and write its report."""
    from mrsproc import io
    from mrsproc.reporting import report

    target = Path(f"{stem(request.file)}_report.html") if output is None else output
    infusion = course.drip()
    if infusion is not None and request.edit not in {None, "none"}:
        raise InvalidInputError(
            "an edited recording is reported as a whole: leave out --edit or the infusion."
        )
    raw, clean, quantities = analysed(request, infusion)
    dynamic = None
    if infusion is not None:
        signals = io.read_basis(request.basis)
        dynamic = course.followed(clean.data, signals, infusion, request.ppm)
    report(
        target,
        raw=raw,
        clean=clean,
        quantities=quantities,
        dynamic=dynamic,
        infusion=infusion,
        relative_to=course.ratio,
        title=_title(request.file),
    )
    yield from report_lines(quantities)
    if dynamic is not None:
        yield from course.told(dynamic)
    yield f"wrote {target}: open it in a browser"


def _title(file: Path) -> str | None:
    """Return the heading: a BIDS name, which is a pseudonym; others may be those of people."""
    name = stem(file)
    return name.replace("_", " ") if name.startswith("sub-") else None


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
    except (MRSError, OSError, ArithmeticError, ValueError) as error:  # the tables count without it
        return f"no report: {error} See mrsproc report {result.output} --debug."
    return f"wrote {target}: open it in a browser"
