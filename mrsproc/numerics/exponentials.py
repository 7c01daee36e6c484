"""Complex exponentials on an even grid, from two short tables instead of one long one."""

from typing import Final

import numpy as np

from mrsproc.axes import Array

_BLOCK: Final = 32


def exponentials(rate: Array, step: float, n: int) -> Array:
    """Return ``exp(rate * step * k)`` for k = 0 ... n - 1.

    Parameters
    ----------
    rate : ndarray of complex, shape (...)
        Rates [1/s].
    step : float
        Distance of the points [s].
    n : int
        Number of points.

    Returns
    -------
    ndarray of complex, shape (..., n)
        Exponentials; those of block and place within it multiplied.
    """
    blocks = -(-n // _BLOCK)
    coarse = np.exp(rate[..., None] * (step * _BLOCK * np.arange(blocks)))
    fine = np.exp(rate[..., None] * (step * np.arange(_BLOCK)))
    whole = (coarse[..., :, None] * fine[..., None, :]).reshape(*rate.shape, blocks * _BLOCK)
    return np.asarray(whole[..., :n])
