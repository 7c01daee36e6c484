"""Blinded labels: the conditions stay letters until the recipe of the analysis is frozen.

`blind` replaces the labels of a table and keeps the key in a file. `freeze` records the hash of the
recipe in that file, once. `unblind` gives the labels back to whoever brings the same recipe. This
keeps honest people honest: the key file is not encrypted.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc.errors import FormatError, InvalidInputError
from mrsproc.files import atomic_path, content_hash
from mrsproc.stats.observations import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def blind(
    table: "pd.DataFrame",
    key: str | os.PathLike[str],
    *,
    column: str = "condition",
    rng: np.random.Generator | int | None = None,
) -> "pd.DataFrame":
    """Replace the labels of a column by letters and keep the key in a file.

    Parameters
    ----------
    table : pandas.DataFrame
        A study table; labels within its column ``sequence`` are replaced too.
    key : path
        JSON file. Where it is there already, its letters are used, so that all tables of a study
        get the same ones.
    column : str, default "condition"
        Column to blind.
    rng : numpy.random.Generator, int or None, default None
        Source of the letters.

    Returns
    -------
    pandas.DataFrame
        The blinded table.

    Raises
    ------
    InvalidInputError
        A missing column, more than 26 labels, or labels that the key does not hold.
    FormatError
        The file is no key.
    """
    require(table, [column], what="the table")
    labels = sorted(str(label) for label in table[column].dropna().unique())
    if Path(key).exists():
        letters = _read(key)["letters"]
    else:
        if len(labels) > len(_LETTERS):
            raise InvalidInputError(
                f"{column} has {len(labels)} labels; at most {len(_LETTERS)} can be blinded."
            )
        drawn = np.random.default_rng(rng).permutation(len(labels))
        letters = {label: _LETTERS[i] for label, i in zip(labels, drawn, strict=True)}
        _write(key, {"column": column, "letters": letters, "recipe_hash": None, "frozen": None})
    strangers = [label for label in labels if label not in letters]
    if strangers:
        raise InvalidInputError(
            f"{column} {', '.join(strangers)}: not in {key}, which holds {', '.join(letters)}."
        )
    return _relabelled(table, column, letters)


def freeze(key: str | os.PathLike[str], recipe: str | os.PathLike[str]) -> str:
    """Record the hash of the recipe that the analysis is bound to.

    Parameters
    ----------
    key : path
        File that `blind` wrote.
    recipe : path
        The recipe, or any file that fixes the analysis.

    Returns
    -------
    str
        SHA-256 of the recipe.

    Raises
    ------
    InvalidInputError
        Another recipe was frozen before.
    FormatError
        The file is no key.
    """
    content, digest = _read(key), content_hash(Path(recipe).read_bytes())
    if content["recipe_hash"] not in {None, digest}:
        raise InvalidInputError(
            f"{key}: another recipe was frozen at {content['frozen']} "
            f"({content['recipe_hash'][:12]}...); {recipe} is {digest[:12]}... . A frozen analysis "
            "is not changed."
        )
    if content["recipe_hash"] is None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        _write(key, {**content, "recipe_hash": digest, "frozen": now})
    return digest


def unblind(
    table: "pd.DataFrame", key: str | os.PathLike[str], recipe: str | os.PathLike[str]
) -> "pd.DataFrame":
    """Give a blinded table its labels back, once the recipe is frozen.

    Parameters
    ----------
    table : pandas.DataFrame
        A table that `blind` made.
    key : path
        Its key.
    recipe : path
        The recipe that was frozen.

    Returns
    -------
    pandas.DataFrame
        The table with its labels.

    Raises
    ------
    InvalidInputError
        No recipe is frozen, or it is another one.
    FormatError
        The file is no key.
    """
    content, digest = _read(key), content_hash(Path(recipe).read_bytes())
    if content["recipe_hash"] is None:
        raise InvalidInputError(
            f"{key}: no recipe is frozen yet; the labels stay blinded. Freeze it first: "
            "mp.stats.freeze(key, recipe)."
        )
    if content["recipe_hash"] != digest:
        raise InvalidInputError(
            f"{key}: frozen is the recipe {content['recipe_hash'][:12]}..., and {recipe} is "
            f"{digest[:12]}... : it was changed since. The labels stay blinded."
        )
    back = {letter: label for label, letter in content["letters"].items()}
    return _relabelled(table, content["column"], back)


def _relabelled(table: "pd.DataFrame", column: str, names: "Mapping[str, str]") -> "pd.DataFrame":
    columns = {column: table[column].map(lambda label: names.get(str(label), label))}
    if "sequence" in table:
        columns["sequence"] = table["sequence"].map(lambda text: _renamed(text, names))
    return table.assign(**columns)


def _renamed(text: object, names: "Mapping[str, str]") -> object:
    """Replace every label within a text at once, the longest first."""
    import re

    if not isinstance(text, str):
        return text
    longest_first = sorted(names, key=len, reverse=True)
    pattern = "|".join(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])" for name in longest_first)
    return re.sub(pattern, lambda match: names[match.group()], text)


def _read(key: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        content = json.loads(Path(key).read_text(encoding="utf-8"))
        complete = {"column", "letters", "recipe_hash", "frozen"} <= set(content)
    except (ValueError, TypeError) as error:
        raise FormatError(f"{key}: not a key of blinded labels.") from error
    if not complete:
        raise FormatError(f"{key}: not a key of blinded labels.")
    return dict(content)


def _write(key: str | os.PathLike[str], content: dict[str, Any]) -> None:
    with atomic_path(key) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
