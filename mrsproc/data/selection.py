"""Selection along a named dimension."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError

Index = int | slice | ArrayLike
"""What selects along a dimension: an integer, a slice, a boolean mask or indices."""


def short(index: Index) -> str:
    """Return an indexer as a message shows it."""
    if isinstance(index, slice):
        return ":".join(
            "" if part is None else str(part) for part in (index.start, index.stop, index.step)
        )
    if np.ndim(index) == 0:
        return str(index)
    array = np.asarray(index)
    return f"{int(array.sum()) if array.dtype == bool else array.size} of them"


def as_index(dim: str, index: Index, size: int) -> int | slice | Array:
    """Check an indexer and return what numpy takes."""
    if isinstance(index, slice):
        chosen: int | slice | Array = index
        empty = len(range(*index.indices(size))) == 0
    elif np.ndim(index) == 0:
        chosen, empty = int(np.asarray(index)), False
    else:
        chosen = np.asarray(index)
        empty = chosen.size == 0 or (chosen.dtype == bool and not chosen.any())
        if chosen.dtype == bool and chosen.shape != (size,):
            raise InvalidInputError(
                f"the mask for {dim!r} has shape {chosen.shape}, the dimension {size} entries."
            )
    outside = not isinstance(chosen, slice) and not empty and np.asarray(chosen).dtype != bool and (
        np.max(chosen) >= size or np.min(chosen) < -size
    )  # fmt: skip
    if outside or empty:
        why = "out of range" if outside else "selects nothing"
        raise InvalidInputError(f"{dim} = {short(index)} {why}: the dimension has {size} entries.")
    return chosen


def take(array: Array, index: int | slice | Array, axis: int) -> Array:
    """Return what an indexer picks along an axis."""
    where: tuple[Any, ...] = (slice(None),) * axis + (index,)
    return np.asarray(array[where])
