"""Errors and warnings: every message names what was given, what is allowed and the way out."""

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MRSError(Exception):
    """Base of every error that mrsproc raises on purpose."""


class InvalidInputError(MRSError, ValueError):
    """A value, an array or an option that cannot be used."""


class FormatError(MRSError, ValueError):
    """A file that cannot be read or written."""


class MissingPackageError(MRSError, ImportError):
    """An optional package that is needed and not installed."""


class BasisError(MRSError, ValueError):
    """A basis set that does not suit the data."""


class QualityError(MRSError):
    """A recording that is too bad to go on with."""


class MRSWarning(UserWarning):
    """Base of every warning that mrsproc gives."""


class DataWarning(MRSWarning):
    """Something in the input is unusual, and was handled in the way the text states."""


class FitWarning(MRSWarning):
    """A fit whose numbers want a second look."""


class StatisticsWarning(MRSWarning):
    """A test or an interval that may promise too much."""


def suggest(given: str, known: "Iterable[str]") -> str:
    """Return a sentence that lists the known names and the one nearest to what was given.

    Parameters
    ----------
    given : str
        Name as typed.
    known : iterable of str
        Names that are allowed.

    Returns
    -------
    str
        For example ``"Did you mean 'Glu'? Known: Gln, Glu."``.

    Examples
    --------
    >>> suggest("glu", ["Gln", "Glu"])
    "Did you mean 'Glu'? Known: Gln, Glu."
    """
    names = [str(name) for name in known]
    lowered = {name.lower(): name for name in reversed(names)}
    near = get_close_matches(given.lower(), lowered, n=1, cutoff=0.5)
    hint = f"Did you mean {lowered[near[0]]!r}? " if near else ""
    return f"{hint}Known: {', '.join(names) or 'none'}."
