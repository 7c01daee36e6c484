"""One session, from raw files to derivatives: what a worker does."""

import hashlib
import json
import os
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from mrsproc import io
from mrsproc.basis import BasisSet
from mrsproc.data import MRSData
from mrsproc.dynamics import DynamicOptions, DynamicResult, fit_dynamic
from mrsproc.errors import DataWarning, InvalidInputError, MissingPackageError, QualityError
from mrsproc.files import atomic_path, content_hash
from mrsproc.preproc import Preprocessed, preprocess
from mrsproc.preproc.editing import looks_edited
from mrsproc.reporting import report
from mrsproc.responses import Infusion
from mrsproc.study.discovery import Session
from mrsproc.study.outcomes import endpoint_table, timecourse_table
from mrsproc.study.recipe import Recipe
from mrsproc.tables import MISSING, write_table
from mrsproc.timeline import read_events

if TYPE_CHECKING:
    from collections.abc import Iterator

Status = Literal["done", "before", "failed"]
RECORD: Final = "desc-record_mrs.json"
"""End of the name of the file that is written last: what it names is complete."""
REPORT: Final = "report.html"
"""End of the name of the report of a session."""
_EDITED: Final = (
    "the sequence is an edited one, and all its transients were fitted with one basis set: right "
    "only where they are alike. Else write the scan you want with mp.split_edited and mp.write."
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """What a worker gets.

    Parameters
    ----------
    session : Session
        Files and labels.
    recipe : Recipe
        What to do.
    basis : BasisSet
        Signals.
    analysis : str
        Hash of version, recipe and basis set.
    output : pathlib.Path
        Folder of the results.
    """

    session: Session
    recipe: Recipe
    basis: BasisSet
    analysis: str
    output: Path


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a session.

    Parameters
    ----------
    subject, session : str
        Labels.
    status : {"done", "before", "failed"}
        "before": finished in an earlier run.
    stage : str
        Where it failed: find, read, preprocess, fit, write or run.
    error, message : str
        Kind and text of the error.
    """

    subject: str
    session: str
    status: Status
    stage: str = ""
    error: str = ""
    message: str = ""


class _StageError(Exception):
    """An error, and the stage at which it came."""

    def __init__(self, stage: str, error: Exception) -> None:
        super().__init__(str(error))
        self.stage, self.error = stage, error


def analysis_hash(recipe: Recipe, basis: BasisSet) -> str:
    """Return the hash of all that the sessions share: version, recipe, basis set."""
    numbers = (basis.dwell_time, basis.spectrometer_frequency, basis.ppm_reference)
    return content_hash(
        version("mrsproc"),
        recipe.hash(),
        *basis.names,
        repr([float(number) for number in numbers]),
        np.ascontiguousarray(basis.fid, complex).tobytes(),
    )


def input_hash(task: Task) -> str:
    """Return the hash of all that determines the results of a session; no paths, no times."""
    session = task.session
    reference = session.reference if task.recipe.water_reference != "none" else None
    parts = [task.analysis]
    for role, path in (
        ("recording", session.recording), ("reference", reference), ("events", session.events),
    ):  # fmt: skip
        parts += [role, *([] if path is None else _digests(path))]
    return content_hash(*parts)


def _digests(path: Path) -> list[str]:
    """Return the digests of a file with its namesakes, or of all files in a folder."""
    if path.is_dir():
        files = sorted(found for found in path.rglob("*") if found.is_file())
    else:
        head = path.name.partition(".")[0]
        files = sorted(found for found in path.parent.glob(f"{head}.*") if found.is_file())
    digests = []
    for found in files:
        with found.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests


def read_record(session: Session, output: Path) -> dict[str, Any]:
    """Return the record of a session, empty where there is none that can be read."""
    path = output / session.folder / f"{session.stem}_{RECORD}"
    with suppress(OSError, ValueError):
        record = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(record, dict):
            return record
    return {}


def finished(task: Task) -> bool:
    """Tell whether a session is finished with the same version, recipe, basis set and inputs."""
    record = read_record(task.session, task.output)
    return record.get("Status") == "done" and record.get("Hash") == input_hash(task)


def process(task: Task) -> Outcome:
    """Analyse a session and write its derivatives, unless that was done before.

    Parameters
    ----------
    task : Task
        The session.

    Returns
    -------
    Outcome
        What became of it; errors are told, not raised.
    """
    session = task.session
    try:
        with _stage("find"):
            _check_found(session)
        with _stage("read"):
            if finished(task):
                return Outcome(subject=session.subject, session=session.session, status="before")
        _analyse(task)
    except _StageError as failed:
        outcome = Outcome(
            subject=session.subject,
            session=session.session,
            status="failed",
            stage=failed.stage,
            error=type(failed.error).__name__,
            message=_placeless(failed.error, task),
        )
        with suppress(OSError):  # a full disk: the outcome itself still tells
            _write_record(task, {"Status": "failed", **_told(outcome)})
        return outcome
    return Outcome(subject=session.subject, session=session.session, status="done")


def _check_found(session: Session) -> None:
    if session.problem:
        raise InvalidInputError(session.problem)


def _placeless(text: object, task: Task) -> str:
    """Return a message in one line, files without their folders, which may name people."""
    session = task.session
    message = " ".join(str(text).split())
    places = [
        path.parent for path in (session.recording, session.reference, session.events) if path
    ]
    for folder in (*places, task.output):
        message = message.replace(f"{folder}{os.sep}", "")
    return message


def _told(outcome: Outcome) -> dict[str, str]:
    return {"Stage": outcome.stage, "Error": outcome.error, "Message": outcome.message}


@contextmanager
def _stage(name: str) -> "Iterator[None]":
    """Say at which stage an error came; one bad session must not end a study."""
    try:
        yield
    except _StageError:
        raise
    except Exception as error:
        raise _StageError(name, error) from error


def _analyse(task: Task) -> None:
    recipe, session = task.recipe, task.session
    assert session.recording is not None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with _stage("read"):
            given = input_hash(task)
            raw = io.read(session.recording)
            with_water = session.reference is not None and recipe.water_reference != "none"
            water = io.read(session.reference) if with_water and session.reference else None
            infusion = _infusion(recipe, session)
            if looks_edited(raw):
                warnings.warn(_EDITED, DataWarning, stacklevel=1)
        with _stage("preprocess"):
            clean = preprocess(raw, water, recipe.preprocess, infusion=infusion)
        with _stage("fit"):
            result = _fitted(task, clean, infusion)
            tables = _tables(task, clean, result)
    told = sorted({_placeless(one.message, task) for one in caught})
    with _stage("write"):
        _write(task, tables, clean, result, infusion)
        told += _without_report(task, raw, clean, result, infusion, notes=told)
        _write_record(task, {"Status": "done", "Hash": given, "Warnings": told})


def _infusion(recipe: Recipe, session: Session) -> Infusion | None:
    """Return the infusion of the recipe or of the events file; None where a baseline will do."""
    if recipe.infusion is not None:
        return Infusion(onset=recipe.infusion[0], duration=recipe.infusion[1])
    if session.events is None:
        if recipe.baseline is not None:
            return None
        raise InvalidInputError(
            f"no {session.stem}_events.tsv beside the recording: add it (onset, duration, "
            "trial_type), or give infusion = [onset, duration] or a baseline in the recipe."
        )
    events = read_events(session.events)
    wanted = recipe.event or "infusion"
    found = [event for event in events if event.name == wanted]
    if recipe.event is None and len(events) == 1:
        found = list(events)
    if len(found) != 1:
        names = ", ".join(repr(event.name) for event in events) or "none"
        raise InvalidInputError(
            f"{session.events.name}: {len(found)} events {wanted!r}, and one is wanted; its "
            f"events are {names}. Give the recipe event = '...', or infusion = [onset, duration]."
        )
    return Infusion.from_event(found[0])


def _fitted(task: Task, clean: Preprocessed, infusion: Infusion | None) -> DynamicResult:
    recipe = task.recipe
    options = DynamicOptions(fit=recipe.fit, bin_width=recipe.bin_width, infusion=infusion)
    asked = recipe.asked(clean.data, infusion)
    result = fit_dynamic(clean.data, task.basis, asked, options)
    if not result.success:
        raise QualityError(f"the joint fit failed: {result.reason}.")
    for name in recipe.metabolites:
        if not result.moves(name):
            raise InvalidInputError(
                f"metabolites: {name} is constant in this fit, so that it has no time course: give "
                f"responses = {{{name} = 'free'}} or another, or take it out."
            )
    return result


def _tables(task: Task, clean: Preprocessed, result: DynamicResult) -> dict[str, Any]:
    """Return the tables of a session by their names."""
    session = task.session
    # The label of the session, not its place, makes the seed: a new participant changes nobody's.
    spawned = int(content_hash(session.subject, session.session)[:8], 16)
    seed = np.random.SeedSequence(task.recipe.seed, spawn_key=(spawned,))
    return {
        "timecourse": timecourse_table(result, task.recipe),
        "endpoints": endpoint_table(result, task.recipe, np.random.default_rng(seed)),
        "parameters": result.to_frame("parameters"),
        "qc": clean.qc,
    }


def _write(
    task: Task,
    tables: dict[str, Any],
    clean: Preprocessed,
    result: DynamicResult,
    infusion: Infusion | None,
) -> None:
    recipe = task.recipe
    folder = task.output / task.session.folder
    base = folder / task.session.stem
    with suppress(FileNotFoundError):
        base.with_name(f"{base.name}_{RECORD}").unlink()
    with suppress(FileNotFoundError):  # a report of numbers that are replaced
        base.with_name(f"{base.name}_{REPORT}").unlink()
    for left in folder.glob(".mrsproc-*"):  # of a run that was killed
        left.unlink()
    about = {
        "Version": version("mrsproc"),
        "infusion_onset_s": None if infusion is None else infusion.onset,
        "infusion_duration_s": None if infusion is None else infusion.duration,
        "BasisSet": task.basis.source,
    }
    for name, table in tables.items():
        plain = table.replace("", MISSING)
        write_table(plain, base.with_name(f"{base.name}_desc-{name}_mrs.tsv"), about)
    labels, covariance = result.timecourse_covariance(
        recipe.metabolites, relative_to=None if recipe.reference == "none" else recipe.reference
    )
    with atomic_path(base.with_name(f"{base.name}_desc-timecourse_cov.npz")) as temporary:
        np.savez(temporary, labels=np.array(labels), covariance=covariance)
    if recipe.save_clean:
        io.write(clean.data, base.with_name(f"{base.name}_desc-preproc_svs.nii.gz"))


def _without_report(
    task: Task,
    raw: MRSData,
    clean: Preprocessed,
    result: DynamicResult,
    infusion: Infusion | None,
    *,
    notes: list[str],
) -> list[str]:
    """Write the report of a session; return why there is none: the tables count without it."""
    session, recipe = task.session, task.recipe
    try:
        with _stage("report"):
            report(
                task.output / session.folder / f"{session.stem}_{REPORT}",
                raw=raw,
                clean=clean,
                fit=result.mean,
                dynamic=result,
                infusion=infusion,
                relative_to=None if recipe.reference == "none" else recipe.reference,
                baseline=recipe.baseline,
                notes=notes,
                title=session.stem.replace("_", " "),
            )
    except _StageError as failed:
        if isinstance(failed.error, MissingPackageError):  # the run says so once, for all sessions
            return []
        return [f"no report of this session: {_placeless(failed.error, task)}"]
    return []


def _write_record(task: Task, record: dict[str, Any]) -> None:
    session = task.session
    path = task.output / session.folder / f"{session.stem}_{RECORD}"
    content = {"Analysis": task.analysis, **record}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
