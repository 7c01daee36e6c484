"""The clock of a session: onset times of transients, events, time bins.

Time counts in seconds from the start of the first transient.
"""

import csv
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData
from mrsproc.errors import FormatError, InvalidInputError

_COLUMNS: Final = ("onset", "duration")


@dataclass(frozen=True)
class Event:
    """Something that happened during a recording.

    Parameters
    ----------
    onset : float
        Start since the first transient [s].
    duration : float
        Duration [s]; 0 for a moment.
    name : str, default ""
        What it was: ``trial_type`` of an events file.

    Raises
    ------
    InvalidInputError
        A time that is not finite, or a negative duration.
    """

    onset: float
    duration: float
    name: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.onset):
            raise InvalidInputError(
                f"onset = {self.onset!r}: give the start of the event in s since the first "
                "transient."
            )
        if not (math.isfinite(self.duration) and self.duration >= 0.0):
            raise InvalidInputError(
                f"duration = {self.duration!r}: give the duration of the event in s, 0 or more."
            )


def read_events(path: str | os.PathLike[str]) -> tuple[Event, ...]:
    """Read a BIDS ``events.tsv``.

    Parameters
    ----------
    path : path
        Table with the columns onset and duration [s], and perhaps trial_type.

    Returns
    -------
    tuple of Event
        In the order of the file.

    Raises
    ------
    FormatError
        A column is missing or a time is not a number.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise FormatError(
                f"{path} has no column {' and no column '.join(missing)}: a BIDS events file is "
                "a table separated by tabs with the columns onset and duration, in s."
            )
        return tuple(_event(path, number, row) for number, row in enumerate(rows, start=2))


def _event(path: str | os.PathLike[str], number: int, row: dict[str, str]) -> Event:
    try:
        onset, duration = (float(row[name]) for name in _COLUMNS)
        return Event(onset, duration, (row.get("trial_type") or "").strip())
    except (ValueError, TypeError) as error:
        raise FormatError(
            f"{path}, line {number}: onset = {row['onset']!r}, duration = {row['duration']!r}; "
            "both must be finite numbers of seconds."
        ) from error


def transient_onsets(data: MRSData, gaps: Iterable[tuple[int, float]] = ()) -> Array:
    """Return the onset time of each transient since the first one.

    Parameters
    ----------
    data : MRSData
        With a "transient" dimension. Its coordinate holds the onset times where they are known;
        else they are multiples of the repetition time.
    gaps : iterable of (int, float), default ()
        Pauses: index of the transient that follows a pause, and its length beyond the repetition
        time [s].

    Returns
    -------
    ndarray, shape (n_transients,)
        Onset times [s].

    Raises
    ------
    InvalidInputError
        No transients, neither onset times nor a repetition time, times that do not ascend, or a gap
        outside the recording.
    """
    data.axis("transient")
    n = data.sizes["transient"]
    given = data.coords.get("transient")
    interval = data.acquisition.repetition_time
    if given is not None:
        onsets: Array = np.asarray(given, float) - float(given[0])
    elif interval is not None:
        onsets = interval * np.arange(n)
    else:
        raise InvalidInputError(
            "neither onset times nor a repetition time are known: give coords={'transient': onset "
            "times in s}, or Acquisition(repetition_time=...)."
        )
    for index, seconds in gaps:
        if not (0 < index < n and math.isfinite(seconds)):
            raise InvalidInputError(
                f"gap ({index}, {seconds}): give the index of a transient, 1 to {n - 1}, and the "
                "length of the pause before it in s."
            )
        onsets = onsets + seconds * (np.arange(n) >= index)
    if n > 1 and not (np.diff(onsets) > 0.0).all():
        raise InvalidInputError(
            "the onset times of the transients do not ascend: give one time in s for each, in "
            "the order of recording."
        )
    return np.asarray(onsets)


def repetition(onsets: Array) -> float:
    """Return the usual distance of onset times [s]; 0 for a single one."""
    return float(np.median(np.diff(onsets))) if onsets.size > 1 else 0.0


def time_bins(onsets: Array, width: float, anchor: float = 0.0) -> tuple[float, ...]:
    """Return the edges of time bins that hold all transients.

    Parameters
    ----------
    onsets : ndarray
        Onset times [s], ascending.
    width : float
        Width of a bin [s].
    anchor : float, default 0.0
        Time at which a bin starts, such as the onset of the infusion [s].

    Returns
    -------
    tuple of float
        Edges [s]. The first and last bins are joined to their neighbours where they would be less
        than a quarter as wide.

    Raises
    ------
    InvalidInputError
        A width that is not positive.

    Examples
    --------
    >>> time_bins(np.arange(0.0, 100.0, 2.0), 30.0, 40.0)
    (0.0, 10.0, 40.0, 70.0, 100.0)
    """
    if not width > 0.0:
        raise InvalidInputError(f"bin_width = {width!r}: give a positive number of seconds.")
    first, last = float(onsets[0]), float(onsets[-1]) + repetition(onsets)
    low = math.floor((first - anchor) / width + 1e-9)
    high = math.ceil((last - anchor) / width - 1e-9)
    inner = [anchor + k * width for k in range(low + 1, high)]
    if inner and inner[0] - first < 0.25 * width and inner[0] != anchor:
        inner = inner[1:]
    if inner and last - inner[-1] < 0.25 * width and inner[-1] != anchor:
        inner = inner[:-1]
    return (first, *inner, last)


def bin_index(onsets: Array, edges: Sequence[float]) -> Array:
    """Return the bin of each transient, shape (n,).

    Parameters
    ----------
    onsets : ndarray, shape (n,)
        Onset times [s].
    edges : sequence of float
        Edges of the bins [s].

    Returns
    -------
    ndarray of int, shape (n,)
        Index of the bin; times outside belong to the nearest one.
    """
    return np.asarray(
        np.clip(np.searchsorted(edges, onsets + 1e-9, side="right") - 1, 0, len(edges) - 2)
    )
