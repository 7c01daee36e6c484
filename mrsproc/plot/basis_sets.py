"""Basis sets: the spectra of all signals, one above the other."""

from typing import TYPE_CHECKING

import numpy as np

from mrsproc import axes
from mrsproc.basis import BROAD_PREFIXES, BasisSet
from mrsproc.lineshape import voigt_decay
from mrsproc.plot.style import COLOURS, new_axes, ppm_axis, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def basis(
    signals: BasisSet,
    *,
    ppm: tuple[float, float] = (0.2, 4.4),
    broadening_hz: float = 3.0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the real spectra of a basis set, each scaled to its own tallest line.

    Parameters
    ----------
    signals : BasisSet
        What to draw.
    ppm : tuple of float, default (0.2, 4.4)
        Range [ppm].
    broadening_hz : float, default 3.0
        Lorentzian width added to every line [Hz].
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.
    """
    with style():
        ax = new_axes(ax, (7.0, 0.8 + 0.32 * len(signals)))
        size = 4 * signals.n_points
        frequency = axes.frequency_axis(size, signals.dwell_time)
        axis = axes.hz_to_ppm(frequency, signals.spectrometer_frequency, signals.ppm_reference)
        inside = (axis >= min(ppm)) & (axis <= max(ppm))
        broadened = signals.fid * voigt_decay(signals.time, broadening_hz)
        spectra = axes.fid_to_spectrum(broadened, size)[:, inside].real
        for row, (name, curve) in enumerate(zip(signals.names, spectra, strict=True)):
            colour = COLOURS["broad" if name.startswith(BROAD_PREFIXES) else "component"]
            height = 0.9 * curve / max(float(np.abs(curve).max()), np.finfo(float).tiny)
            ax.plot(axis[inside], height - row, color=colour, lw=0.8)
            ax.text(1.005, -row, name, transform=ax.get_yaxis_transform(), va="center", fontsize=8)
        ppm_axis(ax, ppm)
        return ax
