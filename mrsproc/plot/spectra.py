"""Spectra and spectral fits, the ppm axis reversed as the field draws it."""

from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BROAD_PREFIXES
from mrsproc.data import MRSData
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.fitting.result import FitResult
from mrsproc.plot.style import COLOURS, new_axes, ppm_axis, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CHI2_95: Final = 5.991465  # 95 % of chi-squared with 2 degrees of freedom
_LEAST_PART: Final = 0.004  # components below this part of the data are not drawn


def spectrum(
    data: MRSData,
    *,
    ppm: tuple[float, float] = (0.2, 5.2),
    phase_deg: float = 0.0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the real part of spectra.

    Parameters
    ----------
    data : MRSData
        One spectrum or several, drawn over one another.
    ppm : tuple of float, default (0.2, 5.2)
        Range [ppm].
    phase_deg : float, default 0.0
        Phase to turn by [degrees].
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.
    """
    with style():
        ax = new_axes(ax, (7.0, 3.5))
        inside = (data.ppm >= min(ppm)) & (data.ppm <= max(ppm))
        values = (data.spectrum[..., inside] * np.exp(1j * np.deg2rad(phase_deg))).real.reshape(
            -1, int(inside.sum())
        )
        for row in values:
            ax.plot(
                data.ppm[inside],
                row,
                color=COLOURS["data"],
                lw=0.8,
                alpha=1.0 if len(values) == 1 else 0.4,
            )
        ppm_axis(ax, ppm)
        return ax


def fit(
    result: FitResult,
    *,
    index: tuple[int, ...] = (),
    components: bool = True,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a spectral fit: data, fit and baseline, the residual above, the components below.

    Parameters
    ----------
    result : FitResult
        The fit.
    index : tuple of int, default ()
        Which spectrum, along the leading dimensions of the result.
    components : bool, default True
        Whether the components are drawn.
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
            f"index = {index} does not pick one spectrum of dims {result.dims}: give one index "
            "for each."
        )
    if not result.success[index]:
        raise InvalidInputError(f"there is nothing to draw: {result.reason[index]}.")
    with style():
        ax = new_axes(ax, (7.5, 7.0 if components else 4.0))
        data, fitted, baseline = result.data[index], result.fitted[index], result.baseline[index]
        span = float(np.ptp(data))
        residual_at = float(data.max()) + 0.12 * span
        ax.plot(result.ppm, data, color=COLOURS["data"], lw=0.7, label="data")
        ax.plot(result.ppm, fitted, color=COLOURS["fit"], lw=1.1, label="fit")
        ax.plot(result.ppm, baseline, color=COLOURS["baseline"], lw=1.1, label="baseline")
        ax.axhline(residual_at, color="0.8", lw=0.6)
        ax.plot(
            result.ppm,
            result.residual[index] + residual_at,
            color=COLOURS["residual"],
            lw=0.6,
            label="residual",
        )
        if components:
            _components(ax, result, index, float(min(data.min(), baseline.min())), span)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
        ppm_axis(ax, (float(result.ppm.min()), float(result.ppm.max())))
        return ax


def correlation(
    result: FitResult,
    pair: tuple[str, str] = ("Glu", "Gln"),
    *,
    index: tuple[int, ...] = (),
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the region that holds two amplitudes with 95 % probability, from their covariance.

    Parameters
    ----------
    result : FitResult
        The fit.
    pair : tuple of str, default ("Glu", "Gln")
        Two signals of the fit.
    index : tuple of int, default ()
        Which spectrum, along the leading dimensions of the result.
    ax : matplotlib Axes, optional
        Where to draw; a new figure when not given.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.

    Raises
    ------
    InvalidInputError
        A signal that is not in the fit, or a fit that failed.
    """
    for name in pair:
        if name not in result.names:
            raise InvalidInputError(f"no signal {name!r}. {suggest(name, result.names)}")
    if not result.success[index]:
        raise InvalidInputError(f"there is nothing to draw: {result.reason[index]}.")
    where = [result.names.index(name) for name in pair]
    centre = result.amplitude[index][where]
    x, y = region(centre, result.covariance[index][np.ix_(where, where)])
    with style():
        ax = new_axes(ax, (3.6, 3.2))
        ax.fill(x, y, color=COLOURS["baseline"], alpha=0.15, lw=0)
        ax.plot(x, y, color=COLOURS["baseline"], label="95 % region")
        ax.plot(*centre, "o", color=COLOURS["fit"], ms=5, label="estimate")
        ax.set_xlabel(f"{pair[0]} (units of the basis set)")
        ax.set_ylabel(f"{pair[1]} (units of the basis set)")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        return ax


def region(centre: Array, covariance: Array) -> tuple[Array, Array]:
    """Return the outline of the region that holds two numbers with 95 % probability.

    Parameters
    ----------
    centre : ndarray, shape (2,)
        Estimates.
    covariance : ndarray, shape (2, 2)
        Their covariance.

    Returns
    -------
    tuple of ndarray, shape (121,)
        An ellipse.
    """
    values, vectors = np.linalg.eigh(covariance)
    angle = np.linspace(0.0, 2.0 * np.pi, 121)
    radii = np.sqrt(_CHI2_95 * np.maximum(values, 0.0))
    outline = centre[:, None] + vectors @ (radii[:, None] * [np.cos(angle), np.sin(angle)])
    return outline[0], outline[1]


def _components(
    ax: "Axes", result: FitResult, index: tuple[int, ...], lowest: float, span: float
) -> None:
    curves = result.components(index)
    drawn = [i for i, curve in enumerate(curves) if np.abs(curve).max() > _LEAST_PART * span]
    gap = max(0.05, 1.2 / max(len(drawn), 1)) * span
    tallest = max((float(np.abs(curves[i]).max()) for i in drawn), default=1.0)
    for row, i in enumerate(drawn):
        level = lowest - (row + 1.2) * gap
        colour = (
            COLOURS["broad"] if result.names[i].startswith(BROAD_PREFIXES) else COLOURS["component"]
        )
        height = curves[i] * min(1.0, 2.5 * gap / tallest)
        ax.plot(result.ppm, level + height, color=colour, lw=0.8)
        ax.text(
            1.005,
            level,
            result.names[i],
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=7,
            color=colour,
        )
    scale = min(1.0, 2.5 * gap / tallest)
    if drawn and scale < 1.0:
        ax.text(
            0.0,
            lowest - 0.55 * gap,
            f"components x {scale:.2g}",
            transform=ax.get_yaxis_transform(),
            fontsize=7,
            color="0.4",
        )
