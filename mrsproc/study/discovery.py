"""What a BIDS data set holds: sessions with a recording, its water reference and its events."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from mrsproc.errors import FormatError, InvalidInputError, suggest
from mrsproc.study.conditions import Visit, check_participants, read_visits

_COMPANIONS: Final = {".json", ".tsv", ".spar", ".list"}
"""Files beside a recording that are none: side files, and headers of Philips recordings."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """One session of a person.

    Parameters
    ----------
    subject, session : str
        Labels without ``sub-`` and ``ses-``; session is "" where there is no such level.
    condition : str
        Treatment; "" where it is not known.
    period : int
        Place in the person's order of sessions, from 1.
    sequence : str
        The person's conditions in that order, such as "placebo-naltrexone"; "" where not known.
    stem : str
        How the names of its files begin.
    recording, reference, events : pathlib.Path or None
        Files, or folders of vendors.
    problem : str
        What forbids to analyse it; "" where nothing does.
    """

    subject: str
    session: str
    condition: str
    period: int
    sequence: str
    stem: str
    recording: Path | None = None
    reference: Path | None = None
    events: Path | None = None
    problem: str = ""

    @property
    def folder(self) -> Path:
        """Folder of its derivatives, relative to that of the results."""
        levels = [f"sub-{self.subject}", *([f"ses-{self.session}"] if self.session else [])]
        return Path(*levels, "mrs")

    @property
    def keys(self) -> dict[str, str | int]:
        """What names the session in the study's tables."""
        names = ("subject", "session", "condition", "period", "sequence")
        return {name: getattr(self, name) for name in names}


def find_sessions(folder: str | os.PathLike[str]) -> tuple[Session, ...]:
    """Find the sessions of a BIDS data set.

    Parameters
    ----------
    folder : path
        Its root, with ``sub-XX/[ses-YY/]mrs/*_svs.*``.

    Returns
    -------
    tuple of Session
        By person and period. What is planned in sessions.tsv and not there has a problem.

    Raises
    ------
    InvalidInputError
        No such folder, or nothing in it.
    FormatError
        A table that cannot be read.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InvalidInputError(f"{root}: no such folder. Give the root of a BIDS data set.")
    check_participants(root)
    ignored = _ignored(root)
    mrs = {}
    for found in sorted([*root.glob("sub-*/mrs"), *root.glob("sub-*/ses-*/mrs")]):
        labels = [level.partition("-")[2] for level in found.relative_to(root).parts[:-1]]
        mrs[labels[0], labels[1] if len(labels) > 1 else ""] = found
    if not any(_recordings(found, "svs", root, ignored) for found in mrs.values()):
        raise InvalidInputError(
            f"{root}: no recording sub-XX/[ses-YY/]mrs/*_svs.* in it. Give the root of a BIDS data "
            "set; `mrsproc convert` makes NIfTI-MRS files, vendors' files are read as well."
        )
    visits = read_visits(root, list(mrs))
    return tuple(_session(visit, mrs.get(visit.key), root, ignored) for visit in visits)


def chosen(sessions: Iterable[Session], labels: Iterable[str]) -> tuple[Session, ...]:
    """Return the sessions of some people, all where no label is given.

    Parameters
    ----------
    sessions : iterable of Session
        All.
    labels : iterable of str
        People, with or without ``sub-``.

    Returns
    -------
    tuple of Session
        Theirs.

    Raises
    ------
    InvalidInputError
        Nobody has that label.
    """
    every = tuple(sessions)
    known = list(dict.fromkeys(one.subject for one in every))
    wanted = [label.removeprefix("sub-") for label in labels]
    for label in wanted:
        if label not in known:
            raise InvalidInputError(f"no participant {label!r}. {suggest(label, known)}")
    return tuple(one for one in every if not wanted or one.subject in wanted)


def same_references(sessions: Iterable[Session]) -> tuple[Session, ...]:
    """Refuse sessions without a water reference where others have one.

    Parameters
    ----------
    sessions : iterable of Session
        All sessions of a study.

    Returns
    -------
    tuple of Session
        The same, with the problem named.
    """
    from dataclasses import replace

    every = tuple(sessions)
    if not any(one.reference for one in every):
        return every
    problem = (
        "no water reference (*_mrsref.*) beside the recording, and other sessions have one: add "
        "it, or set water_reference = 'none' in the recipe, so that all are analysed alike."
    )
    return tuple(
        one if one.reference or one.problem else replace(one, problem=problem) for one in every
    )


def _session(visit: Visit, folder: Path | None, root: Path, ignored: list[str]) -> Session:
    levels = [f"sub-{visit.subject}", *([f"ses-{visit.session}"] if visit.session else [])]
    common = {**visit._asdict(), "stem": "_".join(levels)}
    recordings = [] if folder is None else _recordings(folder, "svs", root, ignored)
    if folder is None or not recordings:
        return Session(
            **common,
            problem=f"no recording {'/'.join([*levels, 'mrs'])}/*_svs.*: the session is missing.",
        )
    if len(recordings) > 1:
        names = ", ".join(path.name for path in recordings)
        return Session(
            **common,
            problem=f"{len(recordings)} recordings of one session: {names}. Keep one, and name the "
            "others in .bidsignore.",
        )
    recording = recordings[0]
    stem = re.sub(r"_svs(\..*)?$", "", recording.name, flags=re.IGNORECASE)
    references = _partners(_recordings(folder, "mrsref", root, ignored), stem)
    problem = ""
    if len(references) > 1:
        names = ", ".join(path.name for path in references)
        problem = f"{len(references)} water references: {names}. Name the others in .bidsignore."
    events = _partners(sorted(folder.glob("*_events.tsv")), stem)
    return Session(
        **{**common, "stem": stem},
        recording=recording,
        reference=references[0] if references else None,
        events=events[0] if events else None,
        problem=problem,
    )


def _partners(paths: list[Path], stem: str) -> list[Path]:
    """Return the files with the same labels as the recording, else all."""
    exact = [path for path in paths if path.name.rpartition("_")[0] == stem]
    return exact or paths


def _recordings(folder: Path, suffix: str, root: Path, ignored: list[str]) -> list[Path]:
    found = []
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        is_one = re.search(rf"_{suffix}(\.|$)", name) and path.suffix.lower() not in _COMPANIONS
        place = path.relative_to(root).as_posix()
        if is_one and not any(fnmatch(place, rule) for rule in ignored):
            found.append(path)
    return found


def _ignored(root: Path) -> list[str]:
    """Return the patterns of .bidsignore; one without a folder holds everywhere."""
    path = root / ".bidsignore"
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not a text file in UTF-8.") from error
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [rule.lstrip("/") if "/" in rule else f"*{rule}" for rule in rules]
