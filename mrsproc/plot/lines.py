"""Fits of single lines: spectrum, model, residual and every line."""

from typing import TYPE_CHECKING

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError
from mrsproc.peaks import PeakFit
from mrsproc.plot.style import COLOURS, new_axes, ppm_axis, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def peaks(
    result: PeakFit,
    *,
    index: tuple[int, ...] = (),
    ppm: tuple[float, float] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a fit of single lines: data and model, the residual above, the lines below.

    Parameters
    ----------
    result : PeakFit
        The fit.
    index : tuple of int, default ()
        Which spectrum, along the leading dimensions of the data.
    ppm : tuple of float, optional
        Range [ppm]; 1 ppm beyond the outermost lines when not given.
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.

    Raises
    ------
    InvalidInputError
        `index` does not pick one spectrum, or its fit failed.
    """
    if np.shape(result.success[index]) != ():
        raise InvalidInputError(
            f"index = {index} does not pick one spectrum of dims {result.data.dims[:-1]}: give one "
            "index for each."
        )
    if not result.success[index]:
        raise InvalidInputError(f"there is nothing to draw: {result.reason[index]}.")
    turn = np.exp(-1j * np.deg2rad(result.value[index][result.parameters.index("phase0_deg")]))
    centres = [float(result.estimate(f"{name}_ppm")[0][index]) for name in result.names]
    low, high = (min(centres) - 1.0, max(centres) + 1.0) if ppm is None else sorted(ppm)
    inside = (result.data.ppm >= low) & (result.data.ppm <= high)

    def drawn(fid: Array) -> Array:
        return np.asarray((axes.fid_to_spectrum(fid) * turn)[..., inside].real)

    with style():
        ax = new_axes(ax, (7.0, 4.5))
        axis, data = result.data.ppm[inside], drawn(result.data.fid[index])
        lines = drawn(result.signals(index))
        span = float(np.ptp(data))
        ax.plot(axis, data, color=COLOURS["data"], lw=0.7, label="data")
        ax.plot(axis, lines.sum(axis=0), color=COLOURS["fit"], lw=1.1, label="fit")
        rest = drawn(result.residual[index]) + float(data.max()) + 0.12 * span
        ax.plot(axis, rest, color=COLOURS["residual"], lw=0.6, label="residual")
        level = float(data.min()) - 0.15 * span - float(lines.max())
        for name, line, centre in zip(result.names, lines, centres, strict=True):
            ax.plot(axis, line + level, color=COLOURS["component"], lw=0.8)
            ax.text(centre, level - 0.03 * span, name, ha="center", va="top", fontsize=7)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
        ppm_axis(ax, (low, high))
        return ax
