r"""Averages in time: blocks and moving windows by count or by seconds.

The noise of two windows that share transients is correlated: with :math:`n_i` and :math:`n_j` valid
transients, :math:`s_{ij}` of them shared, the correlation is :math:`s_{ij} / \sqrt{n_i n_j}`, which
is that of every amplitude estimated from them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import InvalidInputError
from mrsproc.timeline import transient_onsets

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class Averages(Record):
    """Averages over windows in time.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"), a row a window; its onsets are the mean times of the transients
        inside. Windows without a valid transient are masked.
    start_s, duration_s : ndarray, shape (n_windows,)
        Start since the first transient, and length, of each window [s].
    mean_time_s : ndarray, shape (n_windows,)
        Mean onset of the valid transients [s]; NaN without any.
    n_transients : ndarray of int, shape (n_windows,)
        Valid transients.
    correlation : ndarray, shape (n_windows, n_windows)
        Correlation of the noise between windows; NaN for one without valid transients.
    """

    data: MRSData
    start_s: Array
    duration_s: Array
    mean_time_s: Array
    n_transients: Array
    correlation: Array

    def to_frame(self) -> "pd.DataFrame":
        """Return one row a window: time_s, duration_s, mean_time_s, n_transients."""
        import pandas as pd

        return pd.DataFrame(
            {
                "time_s": self.start_s,
                "duration_s": self.duration_s,
                "mean_time_s": self.mean_time_s,
                "n_transients": self.n_transients,
            }
        )


def average(
    data: MRSData,
    *,
    transients: int | None = None,
    seconds: float | None = None,
    step: float | None = None,
    phase_cycle: int = 1,
) -> Averages:
    """Average transients over blocks or moving windows.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"), aligned. Masked transients take no part.
    transients : int, optional
        Length of a window in transients.
    seconds : float, optional
        Length of a window in seconds; give one of the two.
    step : float, optional
        From one window to the next, in the unit of the length; its length when not given, so that
        windows do not overlap.
    phase_cycle : int, default 1
        Steps of the phase cycle: windows begin and end with whole cycles.

    Returns
    -------
    Averages
        Averaged FIDs with their times, counts and correlation. Transients that fill no window at
        the end are left out.

    Raises
    ------
    InvalidInputError
        Other dimensions, neither or both lengths, a window longer than the recording or shorter
        than a phase cycle, or unknown times where seconds are given.
    """
    if data.dims != ("transient", "time"):
        raise InvalidInputError(
            f"dims = {data.dims}: averages are over ('transient', 'time'). Combine coils first."
        )
    onset = transient_onsets(data)
    windows = _windows(onset, transients, seconds, step, phase_cycle)
    member = np.zeros((len(windows), onset.size))
    for row, (first, last) in enumerate(windows):
        member[row, first:last] = data.mask[first:last]
    count = member.sum(axis=1)
    some = count > 0
    fid = member @ np.nan_to_num(data.fid) / np.maximum(count, 1)[:, None]
    with np.errstate(invalid="ignore"):
        mean_time = (member @ onset) / count
        correlation = (member @ member.T) / np.sqrt(np.outer(count, count))
    ends = np.append(onset, onset[-1] + (np.median(np.diff(onset)) if onset.size > 1 else 0.0))
    start = np.array([onset[first] for first, _ in windows])
    middle = np.where(some, mean_time, start)
    return Averages(
        data=data.with_fid(
            fid,
            Step("Signal averaging", f"{len(windows)} windows in time"),
            mask=some,
            coords={"transient": middle},
        ),
        start_s=start,
        duration_s=np.array([ends[last] - onset[first] for first, last in windows]),
        mean_time_s=mean_time,
        n_transients=count.astype(int),
        correlation=correlation,
    )


def _windows(
    onset: Array,
    transients: int | None,
    seconds: float | None,
    step: float | None,
    phase_cycle: int,
) -> list[tuple[int, int]]:
    """Return first and last index (exclusive) of each window."""
    if (transients is None) == (seconds is None):
        raise InvalidInputError("give the length of a window as transients= or as seconds=.")
    if phase_cycle < 1:
        raise InvalidInputError(f"phase_cycle = {phase_cycle}: give 1 or more.")
    length = float(transients if transients is not None else seconds or 0.0)
    stride = length if step is None else float(step)
    if not (length > 0.0 and stride > 0.0):
        raise InvalidInputError(f"a window of {length:g} every {stride:g}: both must be positive.")
    clock = np.arange(onset.size, dtype=float) if transients is not None else onset
    interval = np.median(np.diff(clock)) if clock.size > 1 else length
    windows: list[tuple[int, int]] = []
    start = float(clock[0])
    while start + length <= clock[-1] + interval * (1.0 + 1e-6):
        edges = np.searchsorted(clock, np.array([start, start + length]) - 1e-6 * interval)
        first, last = (int(edge) // phase_cycle * phase_cycle for edge in edges)
        if last > first and (first, last) not in windows:
            windows.append((first, last))
        start += stride
    if not windows:
        raise InvalidInputError(
            f"no window of {length:g} with whole phase cycles of {phase_cycle} fits into "
            f"{onset.size} transients over {onset[-1] - onset[0]:g} s: choose another length."
        )
    return windows
