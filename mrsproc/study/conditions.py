"""Who was there when, and under which condition: participants.tsv and sessions.tsv."""

import csv
import re
import warnings
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple

from mrsproc.errors import DataWarning, FormatError

MISSING: Final = ("", "n/a")
_Key = tuple[str, str]


class Visit(NamedTuple):
    """A session as it was planned."""

    subject: str
    session: str
    condition: str
    period: int
    sequence: str

    @property
    def key(self) -> _Key:
        """Person and session."""
        return self.subject, self.session


class _Row(NamedTuple):
    condition: str
    period: int | None


def check_participants(root: Path) -> None:
    """Refuse a participants.tsv that cannot be read, before anything is computed.

    Parameters
    ----------
    root : pathlib.Path
        Root of the data set; without such a file nothing is said.

    Raises
    ------
    FormatError
        It is not a table in UTF-8, or has no column participant_id.
    """
    path = root / "participants.tsv"
    if path.is_file():
        _read(path, ["participant_id"])


def read_visits(root: Path, present: Iterable[_Key]) -> list[Visit]:
    """Return all sessions, those that are planned and those that are there.

    Parameters
    ----------
    root : pathlib.Path
        Root of the data set: sessions.tsv (participant_id, session_id, condition), or
        sub-XX/sub-XX_sessions.tsv (session_id, condition), perhaps with the column period.
    present : iterable of (str, str)
        Person and session of each folder that is there.

    Returns
    -------
    list of Visit
        By person and period. The period is that of the table, else the order of the labels.

    Raises
    ------
    FormatError
        A table that cannot be read, a session named twice, or a period that is no whole number.

    Warns
    -----
    DataWarning
        Sessions that are there and not in the table: their condition is not known.
    """
    rows = _planned(root)
    there = list(present)
    unknown = [key for key in there if key not in rows]
    if rows and unknown:
        names = ", ".join(f"sub-{subject} ses-{session}" for subject, session in unknown)
        warnings.warn(
            f"not in sessions.tsv, so that the condition is not known: {names}.",
            DataWarning,
            stacklevel=4,
        )
    for key in unknown:
        rows[key] = _Row("", None)
    visits = []
    for subject in sorted({subject for subject, _ in rows}, key=_natural):
        own = {key: row for key, row in rows.items() if key[0] == subject}
        visits += _of_person(own)
    return visits


def _of_person(rows: dict[_Key, _Row]) -> list[Visit]:
    ordered = sorted(rows, key=lambda key: (rows[key].period or 0, _natural(key[1])))
    periods = [rows[key].period or place for place, key in enumerate(ordered, start=1)]
    conditions = [rows[key].condition for key in ordered]
    sequence = "-".join(conditions) if all(conditions) else ""
    return [
        Visit(*key, rows[key].condition, period, sequence)
        for key, period in zip(ordered, periods, strict=True)
    ]


def _planned(root: Path) -> dict[_Key, _Row]:
    """Return condition and period by person and session."""
    rows: dict[_Key, _Row] = {}
    common = root / "sessions.tsv"
    if common.is_file():
        for line in _read(common, ["participant_id", "session_id"]):
            _add(rows, line, line["participant_id"], common)
    for path in sorted(root.glob("sub-*/sub-*_sessions.tsv")):
        for line in _read(path, ["session_id"]):
            _add(rows, line, path.parent.name, path)
    return rows


def _add(rows: dict[_Key, _Row], line: dict[str, str], person: str, path: Path) -> None:
    key = person.removeprefix("sub-"), line["session_id"].removeprefix("ses-")
    condition = line.get("condition", "")
    given = line.get("period", "")
    if given not in MISSING and not re.fullmatch(r"[1-9]\d*", given):
        raise FormatError(
            f"{path}: period = {given!r} of sub-{key[0]} ses-{key[1]}: give 1, 2, ..., or n/a."
        )
    row = _Row("" if condition in MISSING else condition, None if given in MISSING else int(given))
    if rows.setdefault(key, row) != row:
        raise FormatError(
            f"{path}: sub-{key[0]} ses-{key[1]} stands twice with different content. Keep one row."
        )
    if _twice(rows, key, row):
        raise FormatError(
            f"{path}: sub-{key[0]} has two sessions in period {row.period}. Correct the column."
        )


def _twice(rows: dict[_Key, _Row], key: _Key, row: _Row) -> bool:
    """Tell whether another session of the person has the same period."""
    return row.period is not None and any(
        other[0] == key[0] and other != key and found.period == row.period
        for other, found in rows.items()
    )


def _read(path: Path, needed: list[str]) -> list[dict[str, str]]:
    """Return the rows of a table, its text without spaces around it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, delimiter="\t", strict=True)
            names = [str(name).strip() for name in table.fieldnames or ()]
            table.fieldnames = names
            lines = list(table)
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(
            f"{path}: cannot be read ({error}). BIDS wants a table separated by tabs, in UTF-8."
        ) from error
    for name in needed:
        if name not in names:
            raise FormatError(
                f"{path}: there is no column {name}. Its columns are {', '.join(names) or 'none'}; "
                "BIDS wants a table separated by tabs."
            )
    _check_spelling(path, names)
    for number, line in enumerate(lines, start=2):
        if None in line or None in line.values():
            raise FormatError(f"{path}, line {number}: not as many fields as the header has.")
    return [{name: value.strip() for name, value in line.items()} for line in lines]


def _check_spelling(path: Path, names: list[str]) -> None:
    """Refuse a column whose name is nearly one that would be read."""
    for wanted in ("condition", "period"):
        near = get_close_matches(wanted, [name.lower() for name in names], n=1, cutoff=0.85)
        if wanted not in names and near:
            raise FormatError(f"{path}: column {near[0]!r}: did you mean {wanted!r}?")


def _natural(label: str) -> list[tuple[int, str]]:
    """Return a key that puts 2 before 10."""
    parts = re.split(r"(\d+)", label)
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]
