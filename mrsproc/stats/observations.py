"""Study tables as the statistics need them: rows picked, labels checked, absences named."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

CONTROLS: Final = ("placebo", "control", "saline", "sham", "vehicle", "baseline")
"""Labels that are taken as the control condition when no contrast is given."""
_NONE: Final = "none"  # how a missing reference is asked for


def require(table: "pd.DataFrame", columns: "Iterable[str]", *, what: str) -> None:
    """Refuse a table that lacks columns or rows.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    columns : iterable of str
        Columns that are needed.
    what : str
        What the table is called in the error.

    Raises
    ------
    InvalidInputError
        A column is missing, or there are no rows.
    """
    known = [str(name) for name in table.columns]
    for name in columns:
        if name not in known:
            raise InvalidInputError(f"{what} has no column {name!r}. {suggest(name, known)}")
    if table.empty:
        raise InvalidInputError(f"{what} has no rows.")


def pick(table: "pd.DataFrame", *, what: str, **wanted: Any) -> "pd.DataFrame":
    """Return the rows of one metabolite, endpoint, reference, ...

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    what : str
        What the table is called in errors.
    **wanted : str or None
        Value of a column. None asks for the only value there is; "none" for a missing one.

    Returns
    -------
    pandas.DataFrame
        The rows, in their order.

    Raises
    ------
    InvalidInputError
        A value that does not occur, or a choice that is left open.
    """
    rows = table
    for column, value in wanted.items():
        if column not in rows.columns:
            if value is None:
                continue
            require(rows, [column], what=what)
        labels = rows[column].astype(object).where(rows[column].notna(), _NONE).astype(str)
        known = sorted(labels.unique())
        if value is None and len(known) == 1:
            continue
        if value is None:
            raise InvalidInputError(
                f"{what} holds several values of {column} for this choice: {', '.join(known)}. "
                f"Say which: {column}={known[0]!r}."
            )
        if str(value) not in known:
            raise InvalidInputError(
                f"{what} has no {column} {str(value)!r}. {suggest(str(value), known)}"
            )
        rows = rows[labels == str(value)]
    return rows


def contrast_of(
    table: "pd.DataFrame", treatment: str, contrast: "Sequence[str] | None", *, what: str
) -> tuple[str, str]:
    """Return the labels of the active and of the control condition.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows with the column `treatment`.
    treatment : str
        Column of the conditions.
    contrast : sequence of str or None
        Active and control. None: there have to be two labels; the one that is called placebo,
        control, saline, sham, vehicle or baseline is the control, else the first in the alphabet.
    what : str
        What the table is called in errors.

    Returns
    -------
    tuple of str
        Active, control.

    Raises
    ------
    InvalidInputError
        A label that does not occur, a missing label, or more than two without a contrast.
    """
    missing = table[table[treatment].isna()]
    if len(missing):
        raise InvalidInputError(
            f"{what}: {treatment} is missing for {_sessions(missing)}. Complete sessions.tsv."
        )
    labels = table[treatment].astype(str)
    known = sorted(labels.unique())
    if contrast is not None:
        return _given(tuple(str(label) for label in contrast), known, treatment)
    if len(known) != 2:
        counts = labels.value_counts()
        listed = "; ".join(
            f"{label} ({counts[label]} rows"
            + (f": {_sessions(table[labels == label])}" if counts[label] <= 3 else "")
            + ")"
            for label in known
        )
        raise InvalidInputError(
            f"{what}: two labels of {treatment} are wanted and {len(known)} are there: {listed}. "
            "Correct what is misspelt, or name two: contrast=(active, control)."
        )
    controls = [label for label in known if label.lower() in CONTROLS]
    control = controls[0] if len(controls) == 1 else known[0]
    return next(label for label in known if label != control), control


def _given(contrast: tuple[str, ...], known: list[str], treatment: str) -> tuple[str, str]:
    if len(contrast) != 2 or contrast[0] == contrast[1]:
        raise InvalidInputError(
            f"contrast = {contrast!r}: give two labels of {treatment}, active and control. "
            f"Known: {', '.join(known)}."
        )
    for label in contrast:
        if label not in known:
            raise InvalidInputError(
                f"{treatment} {label!r} does not occur. {suggest(label, known)}"
            )
    return contrast[0], contrast[1]


def _sessions(rows: "pd.DataFrame") -> str:
    names = rows["subject"].astype(str)
    if "session" in rows:
        names = names + "/" + rows["session"].astype(str)
    found = list(dict.fromkeys(names))
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")


def refuse_duplicates(rows: "pd.DataFrame", keys: "Sequence[str]", *, what: str) -> None:
    """Refuse a table with two rows where one is wanted.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows.
    keys : sequence of str
        Columns that together name a row.
    what : str
        What the table is called in the error.

    Raises
    ------
    InvalidInputError
        Two rows with the same keys.
    """
    twice = rows[rows.duplicated(list(keys), keep=False)]
    if len(twice):
        raise InvalidInputError(
            f"{what}: one row for each {' and '.join(keys)} is wanted, and there are several for "
            f"{_sessions(twice)}. Was a session exported twice, or a run not chosen?"
        )


def add_participants(
    table: "pd.DataFrame", participants: "pd.DataFrame", columns: "Sequence[str]"
) -> "pd.DataFrame":
    """Add what participants.tsv knows, such as sex, to a study table.

    Parameters
    ----------
    table : pandas.DataFrame
        A study table with the column subject, with or without "sub-".
    participants : pandas.DataFrame
        BIDS participants: participant_id and more.
    columns : sequence of str
        Columns to add.

    Returns
    -------
    pandas.DataFrame
        The table with the columns.

    Raises
    ------
    InvalidInputError
        A column is missing, a participant stands there twice or not at all.
    """
    require(table, ["subject"], what="the table")
    require(participants, ["participant_id", *columns], what="participants")
    known = participants.assign(
        _key=participants["participant_id"].astype(str).str.removeprefix("sub-")
    )
    if known["_key"].duplicated().any():
        twice = known.loc[known["_key"].duplicated(), "participant_id"].iloc[0]
        raise InvalidInputError(f"participants: {twice} stands there more than once.")
    keys = table["subject"].astype(str).str.removeprefix("sub-")
    strangers = sorted(set(keys) - set(known["_key"]))
    if strangers:
        raise InvalidInputError(
            f"participants: no row for {', '.join(strangers)}. "
            f"{suggest(strangers[0], sorted(known['_key']))}"
        )
    by_person = known.set_index("_key")
    return table.assign(**{name: keys.map(by_person[name]).to_numpy() for name in columns})


def numbers(rows: "pd.DataFrame", column: str, *, what: str) -> Array:
    """Return a column as numbers; NaN where it is missing.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows.
    column : str
        Column; all NaN where there is none.
    what : str
        What the table is called in the error.

    Returns
    -------
    ndarray, shape (n,)
        Numbers.

    Raises
    ------
    InvalidInputError
        Text that is no number.
    """
    import pandas as pd

    if column not in rows:
        return np.full(len(rows), np.nan)
    try:
        return pd.to_numeric(rows[column]).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InvalidInputError(
            f"{what}: column {column!r} holds what is no number: {error}."
        ) from error


def unit_of(rows: "pd.DataFrame", *, what: str) -> str:
    """Return the unit of the rows.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows, with or without a column unit.
    what : str
        What the table is called in the error.

    Returns
    -------
    str
        Unit, empty where none is given.

    Raises
    ------
    InvalidInputError
        Several units.
    """
    units = sorted(str(unit) for unit in rows["unit"].dropna().unique()) if "unit" in rows else []
    if len(units) > 1:
        raise InvalidInputError(
            f"{what} holds several units for this choice ({', '.join(units)}): pick one reference "
            "or quantity."
        )
    return units[0] if units else ""


def is_valid(qc: "pd.DataFrame") -> "pd.Series[bool]":
    """Return which transients were used.

    Parameters
    ----------
    qc : pandas.DataFrame
        Rows of ``qc.tsv``; the column valid may hold truth values, numbers or words.

    Returns
    -------
    pandas.Series of bool
        Whether a transient was used.
    """
    return qc["valid"].astype(str).str.lower().isin({"true", "1", "1.0"})
