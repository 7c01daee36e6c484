"""FIDs at another sampling interval."""

import numpy as np

from mrsproc.axes import Array
from mrsproc.numerics.bandlimited import continued_backwards, signal_of_band, spectrum_on


def band_limited(fid: Array, old: float, new: float, length: int) -> Array:
    """Sample the signal of FIDs at another interval, without what the new band cannot hold.

    A FID jumps at time 0 and is not band-limited; continued smoothly to negative times it is, and
    can be filtered and sampled with no ringing at its start.
    """
    before = min(64, fid.shape[-1] // 4)
    signal = continued_backwards(fid, before)
    duration = 2.0 * max(signal.shape[-1] * old, length * new + before * old)
    width = min(1.0 / old, 1.0 / new)
    step = 1.0 / duration
    n_frequencies = int(np.floor(width / step))
    first = -step * (n_frequencies // 2)
    frequency = first + step * np.arange(n_frequencies)
    spectrum = spectrum_on(signal, old, first, step, n_frequencies) * np.exp(
        2j * np.pi * frequency * before * old
    )
    if new > old:
        spectrum *= _edge_filter(frequency, width)
    return signal_of_band(spectrum, first, step, new, length) * (old / new)


def _edge_filter(frequency: Array, width: float) -> Array:
    """Return a low-pass filter that falls as a cosine over the outer 5 % of either side."""
    inside = (0.5 * width - np.abs(frequency)) / (0.05 * width)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(inside, 0.0, 1.0)))
