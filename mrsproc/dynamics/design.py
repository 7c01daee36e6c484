"""From what a user asks of metabolites to coefficients, time courses and their names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BROAD_PREFIXES, SUMS, SYNONYMS
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.fitting.result import sum_weights
from mrsproc.responses import Constant, Custom, FreeBins, Response, Unknown
from mrsproc.responses.base import slopes

Asked = str | Response | Callable[[Array], Any]
"""What stands for a metabolite: "constant", "free", a response, or a function of onset times."""

REST: Final = "rest"
TIED: Final = ("tNAA", "tCr", "tCho")
_ALIKE: Final = 1e-6  # of the norm of a time course, beyond those before it: too little to tell


@dataclass(frozen=True, eq=False, kw_only=True)
class TimeDesign(Record):
    """Which signal follows which time courses.

    Parameters
    ----------
    names : tuple of str
        Signals.
    responses : tuple of Response
        That of each signal.
    groups : tuple of Response
        The different ones; each has its columns once.
    signal, column : ndarray of int, shape (n_terms,)
        Signal and time course of each coefficient; signals from `len(names)` on are mixtures.
    label : tuple of str
        Name of each coefficient.
    mixtures : ndarray, shape (n_mixtures, n_signals)
        Weights of signals that move in proportion.
    """

    names: tuple[str, ...]
    responses: tuple[Response, ...]
    groups: tuple[Response, ...]
    signal: Array
    column: Array
    label: tuple[str, ...]
    mixtures: Array

    @property
    def unknowns(self) -> tuple[tuple[Response, Unknown], ...]:
        """Unknowns of the shapes, with the response that each belongs to."""
        return tuple((group, one) for group in self.groups for one in group.unknowns())

    def parts(self, values: Array) -> list[Array]:
        """Return the values of the unknowns of each group."""
        sizes = [len(group.unknowns()) for group in self.groups]
        return np.split(values, np.cumsum(sizes)[:-1]) if sizes else []

    def courses(self, time: Array, values: Array) -> Array:
        """Return a constant and the time courses of all groups.

        Parameters
        ----------
        time : ndarray, shape (n,)
            Onset times [s].
        values : ndarray, shape (n_unknowns,)
            Values of the unknowns.

        Returns
        -------
        ndarray, shape (n, n_columns)
            Time courses.
        """
        parts = zip(self.groups, self.parts(values), strict=True)
        return np.hstack([np.ones((time.size, 1)), *(g.columns(time, v) for g, v in parts)])

    def slopes(self, time: Array, values: Array) -> Array:
        """Return the slopes of `courses` after each unknown, shape (n_unknowns, n, n_columns)."""
        width = 1 + sum(len(group.labels) for group in self.groups)
        result = np.zeros((values.size, time.size, width))
        row, column = 0, 1
        for group, part in zip(self.groups, self.parts(values), strict=True):
            size = len(group.labels)
            result[row : row + part.size, :, column : column + size] = slopes(group, time, part)
            row, column = row + part.size, column + size
        return result

    def of_signal(self, weights: Array) -> Array:
        """Return the part that each coefficient has in a weighted sum of signals.

        Parameters
        ----------
        weights : ndarray, shape (n_signals,)
            Weights of the signals.

        Returns
        -------
        ndarray, shape (n_terms,)
            Multiply by the time course of each coefficient for the amplitude of the sum.
        """
        return np.asarray(np.concatenate([weights, self.mixtures @ weights])[self.signal])

    @property
    def onset(self) -> float | None:
        """Earliest onset of a drug that a response knows of [s]."""
        onsets = [group.onset for group in self.groups if group.onset is not None]
        return min(onsets) if onsets else None

    @property
    def penalties(self) -> list[tuple[Array, Array]]:
        """Coefficients of each smooth time course, and their penalties."""
        found = []
        for first, group in zip(self._first_columns(), self.groups, strict=True):
            rough = group.roughness()
            if rough is None:
                continue
            inside = (self.column >= first) & (self.column < first + len(group.labels))
            for signal in np.unique(self.signal[inside]):
                terms = np.flatnonzero(inside & (self.signal == signal))
                found.append((terms, rough[self.column[terms] - first]))
        return found

    def _first_columns(self) -> list[int]:
        return [1 + sum(len(g.labels) for g in self.groups[:k]) for k in range(len(self.groups))]


def responses_for(
    names: tuple[str, ...], asked: Mapping[str, Asked], bins: FreeBins
) -> tuple[Response, ...]:
    """Return the response of each signal.

    Parameters
    ----------
    names : tuple of str
        Signals.
    asked : mapping
        Response by signal, by sum (Glx, tNAA, tCr, tCho) or "*" for all other metabolites; what
        is not named is constant, and so are macromolecules and lipids.
    bins : FreeBins
        What "free" means.

    Returns
    -------
    tuple of Response
        One for each signal; a single name goes before a sum, a sum before "*".

    Raises
    ------
    InvalidInputError
        A name that is not in the fit, or something that is not a response.
    """
    known = {alias: n for n in names for group in SYNONYMS if n in group for alias in group}
    sums = sum_weights(names)
    found: dict[str, Response] = {}
    for name in sorted(asked, key=lambda key: (key not in sums, key != "*")):
        response = _response(name, asked[name], bins)
        signal = known.get(name, name)
        if name == "*":
            continue
        if signal in names:
            found[signal] = response
        elif name in sums:
            found |= {n: response for n, part in zip(names, sums[name], strict=True) if part}
        else:
            raise InvalidInputError(
                f"a response for {name!r}, which is not in the fit. "
                f"{suggest(name, [*names, *sums, '*'])}"
            )
    rest = _response("*", asked.get("*", "constant"), bins)
    return tuple(
        found.get(name, Constant() if name.startswith(BROAD_PREFIXES) else rest) for name in names
    )


def _response(name: str, asked: Asked, bins: FreeBins) -> Response:
    if isinstance(asked, Response):
        return asked
    if asked == "constant":
        return Constant()
    if asked == "free":
        return bins
    if callable(asked):
        return Custom(asked)
    raise InvalidInputError(
        f"the response of {name!r} is {asked!r}: give 'constant', 'free', a response such as "
        "Infusion(...).response(), or a function of onset times in s."
    )


def design_for(
    names: tuple[str, ...], responses: tuple[Response, ...], amplitude: Array
) -> TimeDesign:
    """Lay out the coefficients of a session.

    NAA and NAAG, Cr and PCr, GPC and PCh cannot be told apart well enough to have responses of
    their own: where they are asked for the same one, they move in proportion to their amplitudes.

    Parameters
    ----------
    names : tuple of str
        Signals.
    responses : tuple of Response
        That of each.
    amplitude : ndarray, shape (n_signals,)
        Their amplitudes in the mean spectrum, in the scale of the fit.

    Returns
    -------
    TimeDesign
        Coefficients and time courses.
    """
    groups = tuple(dict.fromkeys(r for r in responses if not isinstance(r, Constant)))
    first = {}
    width = 1
    for group in groups:
        first[group], width = width, width + len(group.labels)
    units = _units(names, responses, amplitude)
    mixtures = [weights for weights, _ in units if np.count_nonzero(weights) > 1]
    terms: list[tuple[int, int, str]] = []
    for index, response in enumerate(responses):
        if response.has_rest or _is_tied(index, units):
            terms.append((index, 0, REST))
    mixed = len(names)
    for weights, response in units:
        members = np.flatnonzero(weights)
        signal = int(members[0])
        dropped = 0
        if members.size > 1:
            signal, mixed = mixed, mixed + 1
            dropped = 0 if response.has_rest else 1  # the constants of the members are there
        labels = response.labels[dropped:]
        start = first[response] + dropped
        terms += [(signal, start + k, label) for k, label in enumerate(labels)]
    return TimeDesign(
        names=names,
        responses=responses,
        groups=groups,
        signal=np.array([term[0] for term in terms]),
        column=np.array([term[1] for term in terms]),
        label=tuple(term[2] for term in terms),
        mixtures=np.array(mixtures).reshape(-1, len(names)),
    )


def _units(
    names: tuple[str, ...], responses: tuple[Response, ...], amplitude: Array
) -> list[tuple[Array, Response]]:
    """Return what moves as one: weights of signals, and their response."""
    moving = [index for index, r in enumerate(responses) if not isinstance(r, Constant)]
    units = []
    for combined in TIED:
        members = [i for i in moving if names[i] in SUMS[combined]]
        alike = len({responses[i] for i in members}) == 1
        if len(members) < 2 or not alike:
            continue
        weights = np.zeros(len(names))
        weights[members] = np.maximum(amplitude[members], 1e-3 * amplitude[members].max())
        units.append((weights / weights.sum(), responses[members[0]]))
        moving = [i for i in moving if i not in members]
    singles = [(np.eye(len(names))[i], responses[i]) for i in moving]
    return sorted(units + singles, key=lambda unit: int(np.flatnonzero(unit[0])[0]))


def _is_tied(index: int, units: list[tuple[Array, Response]]) -> bool:
    return any(np.count_nonzero(w) > 1 and w[index] > 0.0 for w, _ in units)


def check_columns(design: TimeDesign, time: Array, values: Array) -> None:
    """Refuse time courses that the recording cannot tell apart.

    Parameters
    ----------
    design : TimeDesign
        Coefficients and time courses.
    time : ndarray, shape (n,)
        Onset times of the transients that take part [s].
    values : ndarray
        Values of the unknowns.

    Raises
    ------
    InvalidInputError
        A response that is constant over the recording, is a combination of others, or has more
        columns than there are transients; an unknown of its shape that changes nothing there.
    """
    for group, part in zip(design.groups, design.parts(values), strict=True):
        columns = group.columns(time, part)
        if columns.shape[1] >= time.size:
            raise InvalidInputError(
                f"a response with {columns.shape[1]} coefficients for {time.size} valid "
                "transients: use wider bins or a simpler response."
            )
        before: list[Array] = [np.ones(time.size)] if group.has_rest else []
        for label, column in zip(group.labels, columns.T, strict=True):
            left = column - _projection(column, before)
            size = float(np.linalg.norm(column))
            if float(np.linalg.norm(left)) <= _ALIKE * size:
                raise InvalidInputError(_unseen(group, label, column, time))
            before.append(column)
        _check_unknowns(group, slopes(group, time, part), time)


def _check_unknowns(group: Response, changes: Array, time: Array) -> None:
    """Refuse unknowns that make no difference, such as a decay that was not recorded."""
    for one, change in zip(group.unknowns(), changes, strict=True):
        if not np.abs(change).any():
            raise InvalidInputError(
                f"the {one.name} of {type(group).__name__} changes nothing in the valid "
                f"transients, {time[0]:g} to {time[-1]:g} s: they cannot tell it. Give it a value."
            )


def _projection(column: Array, onto: list[Array]) -> Array:
    if not onto:
        return np.zeros_like(column)
    matrix = np.array(onto).T
    return np.asarray(matrix @ np.linalg.lstsq(matrix, column, rcond=None)[0])


def _unseen(group: Response, label: str, column: Array, time: Array) -> str:
    span = f"the valid transients, {time[0]:g} to {time[-1]:g} s"
    kind = type(group).__name__
    if np.ptp(column) == 0.0:
        onset = group.onset
        if onset is not None and onset <= time[0]:
            return (
                f"no baseline before the drug: it starts at {onset:g} s and {kind} {label!r} is "
                f"constant over {span}. Effects are differences from rest."
            )
        if onset is not None and onset > time[-1]:
            return f"the drug starts at {onset:g} s, outside {span}: check its onset."
        return f"{kind} {label!r} is constant over {span}: it is not to be told from rest."
    return (
        f"{kind} {label!r} is a combination of the other columns and of rest over {span}: leave it "
        "out."
    )
