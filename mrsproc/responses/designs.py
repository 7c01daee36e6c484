"""Responses that are linear: bins, boxcars, design matrices, polynomials, samples, callables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError
from mrsproc.responses.base import Response, check_positive, check_time, check_values
from mrsproc.timeline import bin_index

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FreeBins(Response):
    """An amplitude of its own in each time bin.

    Parameters
    ----------
    edges : tuple of float
        Edges of the bins [s], ascending; `mrsproc.timeline.time_bins` makes regular ones.

    Raises
    ------
    InvalidInputError
        Fewer than two edges, or edges that do not ascend.
    """

    edges: tuple[float, ...]
    has_rest: ClassVar[bool] = False

    def __post_init__(self) -> None:
        edges = tuple(float(edge) for edge in self.edges)
        object.__setattr__(self, "edges", edges)
        if len(edges) < 2 or not (np.diff(edges) > 0.0).all():
            raise InvalidInputError(
                f"edges = {edges}: give at least two times in s, in ascending order."
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """The bins by their limits."""
        return tuple(
            f"amplitude {low:g} to {high:g} s"
            for low, high in zip(self.edges[:-1], self.edges[1:], strict=True)
        )

    def columns(self, time: Array, values: Array) -> Array:
        """Return 1 inside a bin and 0 elsewhere, shape (n, n_bins)."""
        index = bin_index(time, self.edges)
        inside = index[:, None] == np.arange(len(self.edges) - 1)
        return np.asarray(inside, np.result_type(values, float))


@dataclass(frozen=True)
class Boxcar(Response):
    """A step up and down.

    Parameters
    ----------
    onset_s : float
        Start [s since the first transient].
    duration : float
        Duration [s].
    """

    onset_s: float
    duration: float

    def __post_init__(self) -> None:
        check_time(self.onset_s, "onset_s")
        check_positive(self.duration, "duration", "seconds")

    @property
    def onset(self) -> float:
        """Start [s]."""
        return self.onset_s

    def columns(self, time: Array, values: Array) -> Array:
        """Return 1 inside and 0 elsewhere, shape (n, 1)."""
        since = time - self.onset_s
        inside = (since >= 0.0) & (since < self.duration)
        return inside[:, None].astype(np.result_type(values, float))


@dataclass(frozen=True)
class Design(Response):
    """Columns of a design matrix, as of a general linear model.

    Parameters
    ----------
    names : tuple of str
        A name for each column; they stand in the table of parameters.
    times : tuple of float
        Times at which the columns are given [s], ascending; in between they are interpolated.
    values : tuple of tuple of float
        A row for each time. Constant columns do not belong here: the amplitude at rest is there
        anyway. `from_frame` leaves them out.

    Raises
    ------
    InvalidInputError
        Lengths that do not fit, times that do not ascend, values that are not finite.
    """

    names: tuple[str, ...]
    times: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        array = np.asarray(self.values, float)
        if array.shape != (len(self.times), len(self.names)) or not self.names:
            raise InvalidInputError(
                f"values of shape {array.shape} for {len(self.times)} times and "
                f"{len(self.names)} names: give a row for each time and a column for each name."
            )
        if len(self.times) > 1 and not (np.diff(self.times) > 0.0).all():
            raise InvalidInputError("times must ascend: give them in s, in order.")
        check_values(tuple(array.ravel()), "values")

    @classmethod
    def from_frame(cls, frame: "pd.DataFrame", times: Sequence[float] | None = None) -> "Design":
        """Take the columns of a data frame, such as nilearn's design matrices.

        Parameters
        ----------
        frame : pandas.DataFrame
            A row for each transient; its index holds the times [s] when `times` is not given.
            Columns that are constant are left out.
        times : sequence of float, optional
            Onset times [s].

        Returns
        -------
        Design
            With the names of the columns.
        """
        array = frame.to_numpy(float)
        kept = np.ptp(array, axis=0) > 0.0
        if not kept.any():
            raise InvalidInputError(
                f"every column of the design ({', '.join(map(str, frame.columns))}) is constant: "
                "there is no response in it."
            )
        given = frame.index.to_numpy(float) if times is None else np.asarray(times, float)
        return cls(
            names=tuple(str(name) for name in frame.columns[kept]),
            times=tuple(float(t) for t in given),
            values=tuple(tuple(float(x) for x in row) for row in array[:, kept]),
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.names

    def columns(self, time: Array, values: Array) -> Array:
        """Return the columns at given times, shape (n, n_names)."""
        table = np.asarray(self.values, float)
        found = [np.interp(time, self.times, column) for column in table.T]
        return np.array(found, np.result_type(values, float)).T


@dataclass(frozen=True)
class Polynomial(Response):
    """A slow drift.

    Parameters
    ----------
    degree : int
        Degree, 1 to 6.
    duration : float
        Time over which each power grows from -1 to 1 [s], usually that of the recording.
    """

    degree: int
    duration: float

    def __post_init__(self) -> None:
        if self.degree not in range(1, 7):
            raise InvalidInputError(f"degree = {self.degree!r}: give 1 to 6.")
        check_positive(self.duration, "duration", "seconds")

    @property
    def labels(self) -> tuple[str, ...]:
        """The powers."""
        return tuple(f"power {k}" for k in range(1, self.degree + 1))

    def columns(self, time: Array, values: Array) -> Array:
        """Return powers of time, shape (n, degree)."""
        scaled = 2.0 * time / self.duration - 1.0
        powers = [scaled**k for k in range(1, self.degree + 1)]
        return np.array(powers, np.result_type(values, float)).T


@dataclass(frozen=True)
class Samples(Response):
    """A shape that was measured or computed elsewhere, such as plasma concentrations.

    Parameters
    ----------
    times : tuple of float
        Times [s since the first transient], ascending.
    values : tuple of float
        Values there; in between they are interpolated, before the first and after the last they
        stay.
    start : float, optional
        Start of the drug [s], to tell which time bins are baseline.

    Raises
    ------
    InvalidInputError
        Lengths that differ, times that do not ascend, values that are not finite.
    """

    times: tuple[float, ...]
    values: tuple[float, ...]
    start: float | None = None

    def __post_init__(self) -> None:
        for name in ("times", "values"):
            object.__setattr__(self, name, tuple(float(x) for x in getattr(self, name)))
        if len(self.times) != len(self.values) or len(self.times) < 2:
            raise InvalidInputError(
                f"{len(self.times)} times and {len(self.values)} values: give at least two of "
                "both, a value for each time."
            )
        if not (np.diff(self.times) > 0.0).all():
            raise InvalidInputError("times must ascend: give them in s, in order.")
        check_values(self.values, "values")
        check_time(self.start, "start")

    @property
    def onset(self) -> float | None:
        """Start of the drug [s]."""
        return self.start

    def columns(self, time: Array, values: Array) -> Array:
        """Return the interpolated values, shape (n, 1)."""
        shape = np.interp(time, self.times, self.values)
        return shape[:, None].astype(np.result_type(values, float))


@dataclass(frozen=True)
class Custom(Response):
    """A shape that a Python function gives.

    Parameters
    ----------
    function : callable
        Takes onset times [s since the first transient], shape (n,), and returns as many numbers.
        Functions at the top level of a module can be sent to other processes; a lambda cannot.
    """

    function: Callable[[Array], Any]

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise InvalidInputError(
                f"function = {self.function!r}: give a function of onset times in s."
            )

    def columns(self, time: Array, values: Array) -> Array:
        """Return what the function says, shape (n, 1).

        Raises
        ------
        InvalidInputError
            It returns another number of values, or values that are not finite.
        """
        shape = np.asarray(self.function(np.array(time, float)))
        name = getattr(self.function, "__name__", repr(self.function))
        if shape.shape != time.shape or shape.dtype.kind not in "iufb":
            raise InvalidInputError(
                f"the response {name}() returned shape {shape.shape} and type {shape.dtype} for "
                f"{time.size} onset times: return one real number for each."
            )
        if not np.isfinite(shape.astype(float)).all():
            raise InvalidInputError(f"the response {name}() returned values that are not finite.")
        return shape[:, None].astype(np.result_type(values, float))
