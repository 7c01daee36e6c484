"""`Study`: the sessions of a data set, and one recipe run over them."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mrsproc import io
from mrsproc.basis import BasisSet
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError, MRSError
from mrsproc.files import atomic_path
from mrsproc.spins import simulate_basis
from mrsproc.study.discovery import Session, chosen, find_sessions, same_references
from mrsproc.study.execution import connected, run_here, run_on_dask
from mrsproc.study.gathering import COLUMNS_OF, gather, read_table, session_notes, write_tables
from mrsproc.study.recipe import SEQUENCES, Recipe
from mrsproc.study.work import Outcome, Task, analysis_hash, finished

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], object]
_RUN: Final = "recipe.json"
_BIDS_VERSION: Final = "1.10.0"


class Planned(NamedTuple):
    """What a run would do with a session."""

    session: Session
    state: str
    """"run", "done before", or the problem."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StudyResult(Record):
    """The tables of a study.

    Parameters
    ----------
    endpoints : pandas.DataFrame
        One row a session, metabolite and endpoint: subject, session, condition, period, sequence,
        metabolite, reference, endpoint, unit, estimate, sd.
    timecourses : pandas.DataFrame
        One row a time bin and quantity.
    qc : pandas.DataFrame
        One row a raw transient.
    failures : pandas.DataFrame
        One row a session that is not in the others: stage, error, message.
    sessions : pandas.DataFrame
        One row a session in the tables: infusion_onset_s, infusion_duration_s, warnings (the
        warnings its analysis gave, one a line), report (its report, relative to `output`).
    about : dict
        Version, Recipe, RecipeHash, BasisSet and Analysis of the run.
    output : pathlib.Path
        Folder of the files.
    """

    endpoints: "pd.DataFrame"
    timecourses: "pd.DataFrame"
    qc: "pd.DataFrame"
    failures: "pd.DataFrame"
    sessions: "pd.DataFrame"
    about: dict[str, Any]
    output: Path

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> "StudyResult":
        """Read what a run has written.

        Parameters
        ----------
        folder : path
            Folder of the results: the output of `Study.run`, or of ``mrsproc run``.

        Returns
        -------
        StudyResult
            The tables, as they stand there.

        Raises
        ------
        InvalidInputError
            No run has written there.
        FormatError
            A table that cannot be read.
        """
        output = Path(folder)
        about = _earlier(output)
        missing = [name for name in COLUMNS_OF if not (output / f"{name}.tsv").is_file()]
        if about is None or missing:
            raise InvalidInputError(
                f"{output}: not the results of a study. `mrsproc run BIDS_DIR OUT_DIR participant` "
                "writes them; give its OUT_DIR."
            )
        tables = {name: read_table(output / f"{name}.tsv") for name in COLUMNS_OF}
        return cls(**tables, sessions=session_notes(tables, output), about=about, output=output)

    def __repr__(self) -> str:
        done = self.endpoints[["subject", "session"]].drop_duplicates()
        return f"StudyResult({len(done)} sessions, {len(self.failures)} failures, {self.output})"


@dataclass(frozen=True, eq=False, kw_only=True)
class Study(Record):
    """The sessions of a data set.

    Parameters
    ----------
    folder : pathlib.Path
        Root of the data set.
    sessions : tuple of Session
        By person and period.
    """

    folder: Path
    sessions: tuple[Session, ...]

    @classmethod
    def from_bids(cls, folder: str | os.PathLike[str]) -> "Study":
        """Find the sessions of a BIDS data set.

        Parameters
        ----------
        folder : path
            Its root. Recordings are ``sub-XX/[ses-YY/]mrs/*_svs.*``, NIfTI-MRS or a vendor's;
            ``*_mrsref.*`` and ``*_events.tsv`` stand beside them; conditions in ``sessions.tsv``
            (participant_id, session_id, condition) or ``sub-XX/sub-XX_sessions.tsv``.

        Returns
        -------
        Study
            The sessions, those that are missing or doubled with their problem.

        Raises
        ------
        InvalidInputError
            No such folder, or no recording in it.
        FormatError
            A table that cannot be read.
        """
        return cls(folder=Path(folder), sessions=find_sessions(folder))

    def plan(
        self,
        recipe: Recipe | None = None,
        output: str | os.PathLike[str] | None = None,
        *,
        basis: BasisSet | str | os.PathLike[str] | None = None,
        participants: Sequence[str] = (),
        overwrite: bool = False,
    ) -> list[Planned]:
        """Tell what `run` would do; nothing is written.

        Parameters
        ----------
        recipe, output, basis, participants, overwrite
            As for `run`.

        Returns
        -------
        list of Planned
            Session, and its state: "run", "done before", or what forbids it.
        """
        tasks = self._prepared(recipe, output, basis, overwrite).tasks(participants)
        return [
            Planned(
                task.session,
                task.session.problem or ("done before" if finished(task) else "run"),
            )
            for task in tasks
        ]

    def run(
        self,
        recipe: Recipe | None = None,
        output: str | os.PathLike[str] | None = None,
        *,
        basis: BasisSet | str | os.PathLike[str] | None = None,
        participants: Sequence[str] = (),
        jobs: int | None = None,
        client: Any = None,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> StudyResult:
        """Analyse all sessions, and write derivatives and tables.

        Sessions that were finished with the same version, recipe, basis set and inputs are not
        analysed again. One that fails is a row in ``failures``, and the others go on.

        Parameters
        ----------
        recipe : Recipe, optional
            How; the defaults when not given.
        output : path, optional
            Folder of the results; ``derivatives/mrsproc`` in the data set when not given.
        basis : BasisSet or path, optional
            Signals, in place of the recipe's.
        participants : sequence of str, default ()
            Labels of the people to analyse; all when empty.
        jobs : int, optional
            Processes on this machine; one for each core when not given, 1 for none but this one.
            A script that starts others must do so under ``if __name__ == "__main__"``.
        client : str or distributed.Client, optional
            Address of a scheduler of Dask, or a client, in place of `jobs`.
        overwrite : bool, default False
            Whether `output` may hold the results of another recipe, which are then replaced.
        progress : callable, optional
            Called with the number of sessions done and of all, from 0 on.

        Returns
        -------
        StudyResult
            The tables, as they stand in `output`.

        Raises
        ------
        InvalidInputError
            No basis set and no known sequence, another recipe's results in `output`, unknown
            participants.
        MissingPackageError
            A client without Dask.
        """
        if jobs is not None and jobs < 1:
            raise InvalidInputError(f"jobs = {jobs}: give 1 or more.")
        prepared = self._prepared(recipe, output, basis, overwrite)
        tasks = prepared.tasks(participants)
        with nullcontext() if client is None else connected(client) as workers:
            prepared.record()
            if workers is None:
                outcomes = run_here(tasks, jobs or os.cpu_count() or 1)
            else:
                outcomes = run_on_dask(tasks, workers)
            return prepared.tables(_followed(outcomes, len(tasks), progress))

    def gather(self, output: str | os.PathLike[str] | None = None) -> StudyResult:
        """Write the tables of a study from what earlier runs left, such as one for each person.

        Parameters
        ----------
        output : path, optional
            Folder of the results, as for `run`.

        Returns
        -------
        StudyResult
            The tables; sessions that were not analysed are among the failures.

        Raises
        ------
        InvalidInputError
            No run has written there.
        """
        target = _target(self.folder, output)
        record = _earlier(target)
        if record is None:
            raise InvalidInputError(
                f"{target}: no results there. First run the sessions: "
                "`mrsproc run BIDS_DIR OUT_DIR participant`."
            )
        sessions = self.sessions
        if record["Recipe"].get("water_reference") != "none":
            sessions = same_references(sessions)
        return _collected(sessions, target, record)

    def _prepared(
        self,
        recipe: Recipe | None,
        output: str | os.PathLike[str] | None,
        basis: BasisSet | str | os.PathLike[str] | None,
        overwrite: bool,
    ) -> "_Run":
        """Check all that the sessions share, before anything is written."""
        chosen_recipe = recipe or Recipe()
        target = _target(self.folder, output)
        if target.is_file():
            raise InvalidInputError(f"{target} is a file: give a folder for the results.")
        sessions = self.sessions
        if chosen_recipe.water_reference != "none":
            sessions = same_references(sessions)
        earlier = _earlier(target)
        if earlier and earlier["RecipeHash"] != chosen_recipe.hash() and not overwrite:
            raise InvalidInputError(
                f"{target} holds the results of another recipe ({_differences(earlier, recipe)}): "
                "give another folder, or overwrite=True (--overwrite) to replace them."
            )
        signals = _signals(chosen_recipe, basis, sessions)
        return _Run(chosen_recipe, target, signals, sessions)

    def __repr__(self) -> str:
        people = {one.subject for one in self.sessions}
        conditions = sorted({one.condition or "n/a" for one in self.sessions})
        return (
            f"Study({len(people)} people, {len(self.sessions)} sessions, conditions: "
            f"{', '.join(conditions)})"
        )


class _Run(NamedTuple):
    """All that the sessions of a run share."""

    recipe: Recipe
    output: Path
    basis: BasisSet
    sessions: tuple[Session, ...]

    def tasks(self, participants: Sequence[str]) -> list[Task]:
        analysis = analysis_hash(self.recipe, self.basis)
        return [
            Task(
                session=session,
                recipe=self.recipe,
                basis=self.basis,
                analysis=analysis,
                output=self.output,
            )
            for session in chosen(self.sessions, participants)
        ]

    def about(self) -> dict[str, Any]:
        recipe = json.loads(json.dumps(self.recipe.to_dict()))
        return {
            "Version": version("mrsproc"),
            "Recipe": recipe,
            "RecipeHash": self.recipe.hash(),
            "BasisSet": self.basis.source,
            "Analysis": analysis_hash(self.recipe, self.basis),
        }

    def record(self) -> None:
        """Write what the folder holds."""
        _write_json(self.output / _RUN, self.about())
        _write_json(
            self.output / "dataset_description.json",
            {
                "Name": "mrsproc",
                "BIDSVersion": _BIDS_VERSION,
                "DatasetType": "derivative",
                "GeneratedBy": [{"Name": "mrsproc", "Version": version("mrsproc")}],
            },
        )

    def tables(self, outcomes: Iterator[Outcome]) -> StudyResult:
        """Work, and collect what is there."""
        lost = {(one.subject, one.session): one for one in outcomes if one.status == "failed"}
        return _collected(self.sessions, self.output, self.about(), lost)


def _collected(
    sessions: tuple[Session, ...],
    output: Path,
    about: dict[str, Any],
    lost: dict[tuple[str, str], Outcome] | None = None,
) -> StudyResult:
    tables = gather(sessions, output, about["Analysis"], lost or {})
    write_tables(tables, output, about)
    return StudyResult(**tables, sessions=session_notes(tables, output), about=about, output=output)


def _followed(
    outcomes: Iterator[Outcome], count: int, progress: Progress | None
) -> Iterator[Outcome]:
    tell = progress or (lambda _done, _count: None)
    tell(0, count)
    for number, outcome in enumerate(outcomes, start=1):
        tell(number, count)
        yield outcome


def _target(folder: Path, output: str | os.PathLike[str] | None) -> Path:
    return folder / "derivatives" / "mrsproc" if output is None else Path(output)


def _earlier(output: Path) -> dict[str, Any] | None:
    """Return what an earlier run left about itself."""
    path = output / _RUN
    if not path.is_file():
        return None
    try:
        record = dict(json.loads(path.read_text(encoding="utf-8")))
        return {name: record[name] for name in ("Recipe", "RecipeHash", "Analysis")} | record
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(
            f"{path}: not written by mrsproc. Give a folder of its own for the results."
        ) from error


def _differences(earlier: dict[str, Any], recipe: Recipe | None) -> str:
    """Name the keys in which two recipes differ."""
    now = json.loads(json.dumps((recipe or Recipe()).to_dict()))
    before = earlier["Recipe"]
    return ", ".join(name for name in now if now[name] != before.get(name)) or "other keys"


def _signals(
    recipe: Recipe,
    basis: BasisSet | str | os.PathLike[str] | None,
    sessions: Sequence[Session],
) -> BasisSet:
    """Return the basis set that is given, else simulate that of a known sequence."""
    if isinstance(basis, BasisSet):
        return basis
    given = basis or recipe.basis
    if given is not None:
        return io.read_basis(given)
    acquisition = _first_acquisition(sessions)
    header = (acquisition.sequence or "").strip().lower()
    sequence = recipe.sequence or (header if header in SEQUENCES else None)
    if sequence is None:
        raise InvalidInputError(
            f"no basis set, and the sequence is not known (the header says "
            f"{acquisition.sequence!r}). Either give a basis set: --basis FILE, or basis = 'FILE' "
            "in the recipe; or let one be simulated: sequence = 'press' in the recipe, one of "
            f"{', '.join(SEQUENCES)}."
        )
    time = acquisition.echo_time if recipe.echo_time is None else recipe.echo_time
    if time is None:
        raise InvalidInputError(
            f"no basis set, and the echo time of {sequence!r} is not known. Either give a basis "
            "set: --basis FILE; or echo_time = 0.035 (in s) in the recipe, to simulate one."
        )
    return simulate_basis(sequence, echo_time=time, acquisition=acquisition)


def _first_acquisition(sessions: Sequence[Session]) -> Any:
    """Return the acquisition of the first recording that can be read."""
    error: Exception | None = None
    for session in sessions:
        if session.recording is not None and not session.problem:
            try:
                return io.read(session.recording).acquisition
            except (MRSError, OSError) as found:
                error = error or found
    raise InvalidInputError(
        f"no recording can be read; the first says: {error or sessions[0].problem}"
    )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
