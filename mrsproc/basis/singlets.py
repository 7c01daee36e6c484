"""The methyl singlets of creatine and NAA, which tell the scale and the axis of a basis set."""

from typing import Final, NamedTuple

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.constants import CR_SINGLET_PPM, NAA_SINGLET_PPM
from mrsproc.errors import BasisError
from mrsproc.lineshape import voigt_decay
from mrsproc.numerics.hsvd import Lines, lines_in_band

METHYL_SINGLETS: Final = {"Cr": CR_SINGLET_PPM, "PCr": CR_SINGLET_PPM, "NAA": NAA_SINGLET_PPM}
"""Chemical shift of the methyl singlet of a signal [ppm]."""
_PROTONS: Final = 3
_N_LINES: Final = 10
_REACH_PPM: Final = 0.3
_WIDEST_HZ: Final = 30.0  # wider lines of the decomposition stand for the tails of others


class Axis(NamedTuple):
    """Sampling and reference of FIDs."""

    dwell_time: float
    """Sampling interval [s]."""
    spectrometer_frequency: float
    """Larmor frequency [MHz]."""
    ppm_reference: float
    """Chemical shift at zero frequency [ppm]."""

    def band(self, ppm: float, reach: float) -> tuple[float, float]:
        """Return the frequencies [Hz] `reach` ppm on either side of `ppm`, ascending."""
        ends = axes.ppm_to_hz(
            (ppm + reach, ppm - reach), self.spectrometer_frequency, self.ppm_reference
        )
        return float(ends[0]), float(ends[1])


def signal_of_proton(fid: Array, axis: Axis, ppm: float) -> complex:
    """Return the first point of the FID of one proton of a methyl singlet.

    Parameters
    ----------
    fid : ndarray of complex, shape (n,)
        FID of the signal.
    axis : Axis
        Its sampling.
    ppm : float
        Chemical shift of the singlet [ppm].

    Returns
    -------
    complex
        A third of the amplitude of the narrow lines within 0.08 ppm.
    """
    return complex(_methyl(fid, axis, ppm).amplitude.sum()) / _PROTONS


def _methyl(fid: Array, axis: Axis, ppm: float) -> Lines:
    """Return the narrow lines within 0.08 ppm."""
    lines = lines_in_band(fid, axis.dwell_time, axis.band(ppm, 0.4), _N_LINES)
    return lines.within(*axis.band(ppm, 0.08)).narrower_than(_WIDEST_HZ)


def singlet_width(fid: Array, axis: Axis, ppm: float) -> float:
    """Return the full width at half maximum of a methyl singlet [Hz].

    Parameters
    ----------
    fid : ndarray of complex, shape (n,)
        FID of the signal.
    axis : Axis
        Its sampling.
    ppm : float
        Chemical shift of the singlet [ppm].

    Returns
    -------
    float
        Width of the largest of the narrow lines within 0.08 ppm; NaN where there is none.
    """
    singlet = _methyl(fid, axis, ppm)
    if not singlet.amplitude.size:
        return float("nan")
    largest = np.argmax(np.abs(singlet.amplitude))
    return float(-singlet.rate.real[largest] / np.pi)


def singlet_position(fid: Array, axis: Axis, name: str, literature: float) -> float:
    """Return the chemical shift of a singlet as it stands in a FID [ppm].

    Parameters
    ----------
    fid : ndarray of complex, shape (n,)
        FID of the signal.
    axis : Axis
        Its sampling.
    name : str
        Name of the signal, for messages.
    literature : float
        Where it belongs [ppm].

    Returns
    -------
    float
        Position of the maximum within 0.3 ppm, on a grid of eight-fold zero-filling.

    Raises
    ------
    BasisError
        It stands on the other side of the axis, or not within 0.3 ppm.
    """
    time = axes.time_axis(fid.size, axis.dwell_time)
    size = 8 * fid.size
    frequency = axes.frequency_axis(size, axis.dwell_time)
    ppm = axes.hz_to_ppm(frequency, axis.spectrometer_frequency, axis.ppm_reference)
    height = np.abs(axes.fid_to_spectrum(fid * voigt_decay(time, 2.0), size))
    mirror = 2.0 * axis.ppm_reference - literature
    near = height[np.abs(ppm - literature) < _REACH_PPM].max(initial=0.0)
    if near < 0.5 * height[np.abs(ppm - mirror) < _REACH_PPM].max(initial=0.0):
        raise BasisError(
            f"{name} stands near {mirror:.2f} instead of {literature} ppm: the sign convention of "
            "this basis set is inverted. Take the complex conjugate of its FIDs."
        )
    if near < 0.5 * height[np.abs(ppm - axis.ppm_reference) > 0.2].max():
        raise BasisError(
            f"the singlet of {name} is not within {_REACH_PPM} ppm of {literature} ppm: the axis "
            "of this basis set is wrong."
        )
    return float(ppm[np.argmax(np.where(np.abs(ppm - literature) < _REACH_PPM, height, 0.0))])
