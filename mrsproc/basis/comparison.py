"""How alike two basis sets are, metabolite by metabolite."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.basis.basis_set import BasisSet
from mrsproc.data import Record
from mrsproc.errors import BasisError, InvalidInputError
from mrsproc.lineshape import voigt_decay

_RESOLUTION_HZ: Final = 0.2  # of the zero-filled spectra, between whose points is interpolated
_STEP_PPM: Final = 0.002
_REACH_PPM: Final = 0.1  # how far apart two axes may be when the search starts
_FIELD_TOLERANCE: Final = 0.05
_INVISIBLE: Final = 1e-3  # part of the norm of a spectrum below which the range holds no signal


@dataclass(frozen=True, eq=False)
class Comparison(Record):
    """Correlation of the signals that two basis sets have in common.

    Parameters
    ----------
    names : tuple of str
        Signals of both, as the first names them and in its order.
    correlation : ndarray of float, shape (n_names,)
        Correlation of the real spectra, between -1 and 1; NaN where one has no signal in the range.
    shift_ppm : float
        What was added to the chemical shifts of the second for all signals [ppm].
    phase_deg : float
        By how much all spectra of the second were turned [degrees].
    only_first, only_second : tuple of str
        Signals of one of the two.
    """

    names: tuple[str, ...]
    correlation: Array
    shift_ppm: float
    phase_deg: float
    only_first: tuple[str, ...] = ()
    only_second: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        return float(self.correlation[self.names.index(name)])


def compare(
    first: BasisSet,
    second: BasisSet,
    *,
    ppm: tuple[float, float] = (0.2, 4.2),
    linewidth: float = 6.0,
) -> Comparison:
    """Correlate the real spectra of two basis sets.

    One shift and one phase, common to all signals, are given to the second so that the mean
    correlation is highest: published sets differ in both, and a fit finds both.

    Parameters
    ----------
    first, second : BasisSet
        Basis sets for about the same field; dwell times and lengths may differ.
    ppm : tuple of float, default (0.2, 4.2)
        Range that is compared [ppm].
    linewidth : float, default 6.0
        Lorentzian FWHM that is added to every line [Hz].

    Returns
    -------
    Comparison
        Correlations, the shift, the phase, and what only one of the two holds.

    Raises
    ------
    BasisError
        No signal in common, none that is visible in the range, or Larmor frequencies that differ by
        more than 5 %.
    InvalidInputError
        An empty range or a negative linewidth.
    """
    low, high = min(ppm), max(ppm)
    if not (np.isfinite([low, high]).all() and high > low):
        raise InvalidInputError(f"ppm = {ppm}: give the two different ends of a range, in ppm.")
    if not (np.isfinite(linewidth) and linewidth >= 0):
        raise InvalidInputError(f"linewidth = {linewidth} Hz: give 0 or more.")
    _check_field(first, second)
    common = tuple(name for name in first.names if name in second)
    if not common:
        raise BasisError(
            f"the basis sets have no signal in common: {', '.join(first.names)} in the first, "
            f"{', '.join(second.names)} in the second."
        )
    matched = second.select(common)
    grid = np.arange(low, high, _STEP_PPM)
    target = _Spectra(first.select(common), linewidth).at(grid).real
    moved = _Spectra(matched, linewidth)
    norm = np.linalg.norm(target, axis=1)
    seen = _visible(first.select(common), low, high) & _visible(matched, low, high)
    if not seen.any():
        raise BasisError(
            f"none of {', '.join(common)} has a signal from {low:g} to {high:g} ppm in both sets."
        )

    def correlations(shift: float, phase: float) -> Array:
        real = (moved.at(grid - shift) * np.exp(1j * phase)).real
        product = np.einsum("ij,ij->i", real, target)
        scale = np.linalg.norm(real, axis=1) * norm
        return np.where(seen, product / np.where(scale > 0.0, scale, 1.0), np.nan)

    shift, phase = _best_place(lambda s, p: float(np.nanmean(correlations(s, p))))
    return Comparison(
        common,
        correlations(shift, phase),
        shift,
        float((np.rad2deg(phase) + 180.0) % 360.0 - 180.0),
        tuple(name for name in first.names if name not in common),
        tuple(name for name in second.names if name not in matched.names),
    )


def _check_field(first: BasisSet, second: BasisSet) -> None:
    ratio = first.spectrometer_frequency / second.spectrometer_frequency
    if abs(ratio - 1.0) > _FIELD_TOLERANCE:
        raise BasisError(
            f"the basis sets are for {first.spectrometer_frequency:.6g} and "
            f"{second.spectrometer_frequency:.6g} MHz: compare sets for one field strength."
        )


def _visible(basis: BasisSet, low: float, high: float) -> Array:
    return np.asarray(basis.visible_part(low, high) > _INVISIBLE)


class _Spectra:
    """Complex spectra that can be read at any chemical shift."""

    def __init__(self, basis: BasisSet, linewidth: float) -> None:
        size = max(basis.n_points, round(1.0 / (_RESOLUTION_HZ * basis.dwell_time)))
        fid = basis.fid * voigt_decay(basis.time, linewidth)
        self._values = axes.fid_to_spectrum(fid, size)[:, ::-1]
        frequency = axes.frequency_axis(size, basis.dwell_time)
        self._ppm = axes.hz_to_ppm(frequency, basis.spectrometer_frequency, basis.ppm_reference)[
            ::-1
        ]

    def at(self, ppm: Array) -> Array:
        """Return the spectra at chemical shifts [ppm], zero outside of the band."""
        return np.array([np.interp(ppm, self._ppm, row, 0.0, 0.0) for row in self._values])


def _best_place(mean: Callable[[float, float], float]) -> tuple[float, float]:
    """Return shift [ppm] and phase [rad] of the highest mean: the best of a grid, made precise."""
    from scipy.optimize import minimize

    shifts = np.linspace(-_REACH_PPM, _REACH_PPM, 21)
    phases = np.arange(8) * np.pi / 4.0
    start = max(((s, p) for s in shifts for p in phases), key=lambda place: mean(*place))
    simplex = np.array([start, (start[0] + 0.005, start[1]), (start[0], start[1] + 0.3)])

    def cost(place: Array) -> float:
        return -mean(float(place[0]), float(place[1]))

    options: Any = {"initial_simplex": simplex, "xatol": 1e-5, "fatol": 1e-9}
    best = minimize(cost, np.array(start), method="Nelder-Mead", options=options).x
    return float(best[0]), float(best[1])
