"""One style for all figures: colour-blind safe, thin lines, vector output with text as text."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final[dict[str, str]] = {
    "data": "#222222",
    "fit": "#d55e00",
    "baseline": "#0072b2",
    "residual": "#555555",
    "component": "#009e73",
    "broad": "#cc79a7",
}
"""Colours after Okabe and Ito, which colour-blind people can tell apart."""

_SETTINGS: Final[dict[str, Any]] = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 0.9,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "figure.dpi": 110,
    "savefig.bbox": "tight",
}


@contextmanager
def style() -> Iterator[None]:
    """Use mrsproc's style for the figures made in a ``with`` block."""
    import matplotlib as mpl

    # rc_context would also put back what a notebook's backend sets when the first figure is made
    current: Any = mpl.rcParams
    before = {key: current[key] for key in _SETTINGS}
    current.update(_SETTINGS)
    try:
        yield
    finally:
        current.update(before)


def new_axes(ax: "Axes | None", size: tuple[float, float]) -> "Axes":
    """Return the axes given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Where to draw.
    size : tuple of float
        Width and height of a new figure [inches].

    Returns
    -------
    matplotlib Axes
        Where to draw.
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def ppm_axis(ax: "Axes", ppm: tuple[float, float]) -> None:
    """Reverse and label the axis of chemical shifts, as the field draws it.

    Parameters
    ----------
    ax : matplotlib Axes
        What to change.
    ppm : tuple of float
        Range [ppm].
    """
    ax.set_xlim(max(ppm), min(ppm))
    ax.set_xlabel("chemical shift (ppm)")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
