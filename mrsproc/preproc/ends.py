"""FIDs whose last points rise: the wrapped-around start of a digital filter.

Some scanners decimate by cutting the spectrum, which puts what the filter rings ahead of time 0 at
the end of the FID. Left in, it shows as a rapid ripple at the edges of every fit.
"""

import warnings
from typing import Final

import numpy as np

from mrsproc.data import MRSData, Step
from mrsproc.errors import DataWarning

_BLOCKS: Final = 64
_RISE: Final = 2.0
_SHORTEST_BLOCK: Final = 4  # fewer points than this say nothing


def n_rising(data: MRSData) -> int:
    """Return how many points at the end of the FIDs stand out above those before.

    Parameters
    ----------
    data : MRSData
        FIDs.

    Returns
    -------
    int
        0 for an ordinary FID.
    """
    length = data.n_points // _BLOCKS
    if length < _SHORTEST_BLOCK or not data.mask.any():
        return 0
    ends = np.asarray(data.fid)[..., -length * 14 :]
    if "coil" in data.dims:
        ends = np.moveaxis(ends, data.axis("coil"), 0)
        fid = ends.reshape(len(ends), -1, 14, length)[:, data.mask.ravel()].reshape(-1, 14, length)
    else:
        fid = ends.reshape(-1, 14, length)[data.mask.ravel()]
    size = np.sqrt((np.abs(fid) ** 2).mean(axis=(0, 2)))
    before = np.median(size[:8])
    count = 0
    for block in size[:7:-1]:
        if before == 0.0 or block < _RISE * before:
            break
        count += 1
    return count * length


def without_rising_end(data: MRSData) -> MRSData:
    """Return FIDs without a rising end, with a warning; as they are where there is none.

    Parameters
    ----------
    data : MRSData
        FIDs.

    Returns
    -------
    MRSData
        Shorter where points were cut.

    Warns
    -----
    DataWarning
        Points were cut.
    """
    count = n_rising(data)
    if count == 0:
        return data
    warnings.warn(
        f"the last {count} of {data.n_points} points of the FIDs rise (a digital filter "
        "wrapped around) and are left out.",
        DataWarning,
        stacklevel=3,
    )
    return data.with_fid(
        data.fid[..., :-count], Step("Truncation", f"last {count} points, which rise, left out")
    )
