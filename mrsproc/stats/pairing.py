"""The two sessions of each person of a crossover trial, beside each other."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError
from mrsproc.stats.observations import numbers, refuse_duplicates, require

if TYPE_CHECKING:
    import pandas as pd

_FEWEST: Final = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairs(Record):
    """Both sessions of every person who has both.

    Parameters
    ----------
    subjects : tuple of str
        People.
    active, control : ndarray, shape (n,)
        Their values.
    variances : ndarray, shape (n,)
        Known variance of the difference; NaN where an SD is missing.
    order : ndarray, shape (n,)
        Period of the active minus period of the control condition; NaN where unknown.
    moderator : ndarray of object, shape (n,)
        What may change the effect, such as sex; None where not asked for.
    excluded : mapping of str to str
        People who are left out, with the reason.
    """

    subjects: tuple[str, ...]
    active: Array
    control: Array
    variances: Array
    order: Array
    moderator: Any
    excluded: dict[str, str]

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def difference(self) -> Array:
        """Active minus control, shape (n,)."""
        return self.active - self.control

    def without(self, person: int) -> "Pairs":
        """Return the pairs without one person.

        Parameters
        ----------
        person : int
            Index.

        Returns
        -------
        Pairs
            One fewer.
        """
        kept = np.arange(len(self)) != person
        return replace(
            self,
            subjects=tuple(name for name, keep in zip(self.subjects, kept, strict=True) if keep),
            active=self.active[kept],
            control=self.control[kept],
            variances=self.variances[kept],
            order=self.order[kept],
            moderator=self.moderator[kept],
        )


def pair(
    rows: "pd.DataFrame", treatment: str, contrast: tuple[str, str], moderator: str | None
) -> Pairs:
    """Put the two sessions of each person beside each other.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a person and condition.
    treatment : str
        Column of the conditions.
    contrast : tuple of str
        Active, control.
    moderator : str or None
        Column to carry along.

    Returns
    -------
    Pairs
        People with both, and who was left out.

    Raises
    ------
    InvalidInputError
        Two rows for one condition, or fewer than four people.
    """
    rows = rows.assign(
        subject=rows["subject"].astype(str), **{treatment: rows[treatment].astype(str)}
    )
    rows = rows[rows[treatment].isin(contrast)]
    refuse_duplicates(rows, ["subject", treatment], what="endpoints")
    everybody = sorted(rows["subject"].unique())
    sides = [rows[rows[treatment] == label].set_index("subject") for label in contrast]
    absent = {
        name: reason
        for label, side in zip(contrast, sides, strict=True)
        for name, reason in _absences(side, label, everybody).items()
    }
    used = [name for name in everybody if name not in absent]
    if len(used) < _FEWEST:
        raise InvalidInputError(
            f"{len(used)} people have both {contrast[0]} and {contrast[1]}; at least {_FEWEST} are "
            "needed. " + "; ".join(f"{name}: {why}" for name, why in absent.items())
        )
    active, control = (side.loc[used] for side in sides)
    values = np.full(len(used), None, dtype=object)
    if moderator is not None:
        values = _moderator(active, control, moderator)
    sds = [numbers(side, "sd", what="endpoints") for side in (active, control)]
    periods = [numbers(side, "period", what="endpoints") for side in (active, control)]
    order = periods[0] - periods[1]
    if (order == 0.0).any():
        raise InvalidInputError(
            f"endpoints: both sessions of {used[int((order == 0.0).argmax())]} have the same "
            "period. Correct the column period, or drop it."
        )
    return Pairs(
        subjects=tuple(used),
        active=numbers(active, "estimate", what="endpoints"),
        control=numbers(control, "estimate", what="endpoints"),
        variances=sds[0] ** 2 + sds[1] ** 2,
        order=order,
        moderator=values,
        excluded=absent,
    )


def _absences(side: "pd.DataFrame", label: str, everybody: list[str]) -> dict[str, str]:
    """Return who has no estimate under a condition, and why."""
    finite = np.isfinite(numbers(side, "estimate", what="endpoints"))
    have = set(side.index[finite])
    return {
        name: f"no estimate for {label}" if name in side.index else f"no session with {label}"
        for name in everybody
        if name not in have
    }


def _moderator(active: "pd.DataFrame", control: "pd.DataFrame", name: str) -> Any:
    require(active, [name], what="endpoints")
    values, other = active[name].to_numpy(object), control[name].to_numpy(object)
    for subject, one, two in zip(active.index, values, other, strict=True):
        if one != two:  # NaN too: it differs from itself
            raise InvalidInputError(
                f"moderator {name!r} of {subject} is {one!r} in one session and {two!r} in the "
                "other: give one value for a person."
            )
    return values
