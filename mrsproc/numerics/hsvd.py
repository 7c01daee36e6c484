r"""Sums of damped exponentials by singular value decomposition of a Hankel matrix (HSVD).

A signal :math:`\\sum_k c_k z_k^n` makes a Hankel matrix of rank K, whose signal space is invariant to a shift by
one sample; the eigenvalues of that shift are the poles (Barkhuijsen 1987, 10.1016/0022-2364(87)90023-0).
"""

import numpy as np

from mrsproc.axes import Array


def poles(signal: Array, n_components: int) -> Array:
    """Return the poles of a signal.

    Parameters
    ----------
    signal : ndarray of complex, shape (n,)
        Samples.
    n_components : int
        How many exponentials; fewer where the signal is too short.

    Returns
    -------
    ndarray of complex, shape (k,)
        Poles: the angle is 2 pi times the frequency in cycles a sample, the modulus the decay a sample.

    Examples
    --------
    >>> pole = 0.9 * np.exp(0.5j)
    >>> bool(np.allclose(poles(pole ** np.arange(20), 1), pole))
    True
    """
    rows = signal.size // 2
    hankel = np.lib.stride_tricks.sliding_window_view(signal, rows).T
    left = np.linalg.svd(hankel, full_matrices=False)[0][:, : min(n_components, rows - 1)]
    shift = np.linalg.lstsq(left[:-1], left[1:], rcond=None)[0]
    return np.linalg.eigvals(shift)


def low_rank(signal: Array, n_components: int) -> Array:
    """Return the sum of few decaying exponentials that is nearest to a signal.

    Parameters
    ----------
    signal : ndarray of complex, shape (n,)
        Samples.
    n_components : int
        How many exponentials.

    Returns
    -------
    ndarray of complex, shape (n,)
        Least squares on the poles of `poles`, those that grow taken as constant.
    """
    found = poles(signal, n_components)
    found = found / np.maximum(np.abs(found), 1.0)
    powers = found[:, None] ** np.arange(signal.size)
    amplitude = np.linalg.lstsq(powers.T, signal, rcond=1e-6)[0]
    return np.asarray(amplitude @ powers)
