"""Prior knowledge: peaks, and the lmfit parameters that they stand for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc.data import MRSData, Record
from mrsproc.errors import InvalidInputError
from mrsproc.peaks.model import COMMON, OF_A_PEAK, Lines

if TYPE_CHECKING:
    import lmfit

_WIDEST_HZ: Final = 500.0
_LEAST_HZ: Final = 2.0  # width that the search for the start takes at least


@dataclass(frozen=True, eq=False)
class Peak(Record):
    """One line, and what is known of it.

    A quantity is a number, from which the fit starts, or an expression of lmfit that ties it to
    others: ``"PCr_ppm - 2.5"``, ``"2 * ATPa_amplitude"``. The parameters of a peak are named after
    it: ``PCr_amplitude``, ``PCr_ppm``, ``PCr_lorentz_hz``, ``PCr_gauss_hz``, ``PCr_phase_deg``;
    common to all are ``phase0_deg`` and ``begin_time_s``.

    Parameters
    ----------
    name : str
        Name: letters, digits and underscores.
    ppm : float or str
        Chemical shift [ppm].
    amplitude : float or str, optional
        Amplitude at time 0 [units of the FID]; found from the data when not given. Not negative.
    lorentz_hz : float or str or None, default 5.0
        Lorentzian width, FWHM [Hz]; None for a line without.
    gauss_hz : float or str or None, default None
        Gaussian width, FWHM [Hz]; None for a line without.
    phase_deg : float or str or None, default None
        Phase relative to the common one [degrees]; None for a line that has the common one.
    reach_ppm : float, default 0.2
        How far the line may stray from `ppm` where that is a number [ppm].

    Raises
    ------
    InvalidInputError
        A name that cannot be part of an expression, or a number that cannot be.
    """

    name: str
    ppm: float | str
    amplitude: float | str | None = None
    lorentz_hz: float | str | None = 5.0
    gauss_hz: float | str | None = None
    phase_deg: float | str | None = None
    reach_ppm: float = 0.2

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.name):
            raise InvalidInputError(
                f"name = {self.name!r}: use letters, digits and underscores, a letter first, so "
                "that expressions can name it."
            )
        for key in OF_A_PEAK:
            value = getattr(self, key)
            if isinstance(value, (int, float)) and not np.isfinite(value):
                raise InvalidInputError(f"{key} = {value!r} of {self.name}: give a finite number.")
        for key in ("lorentz_hz", "gauss_hz", "amplitude"):
            value = getattr(self, key)
            if isinstance(value, (int, float)) and value < 0.0:
                raise InvalidInputError(
                    f"{key} = {value!r} of {self.name}: give a number that is not negative."
                )
        if not self.reach_ppm > 0.0:
            raise InvalidInputError(f"reach_ppm = {self.reach_ppm!r}: give a positive number.")
        super().__post_init__()


def peak_parameters(peaks: Sequence[Peak], data: MRSData | None = None) -> "lmfit.Parameters":
    """Return the lmfit parameters of some peaks, ready to be changed and fitted.

    Parameters
    ----------
    peaks : sequence of Peak
        What is known.
    data : MRSData, optional
        One spectrum, from which amplitudes that are not given, a common shift within the reach of
        the peaks, and the common phase are guessed.

    Returns
    -------
    lmfit.Parameters
        Bounds, expressions and what varies can be set as with any others. ``begin_time_s`` is fixed
        at 0 until told otherwise.

    Raises
    ------
    InvalidInputError
        No peaks, a name twice, no chemical shift that is a number, or an expression that cannot be
        evaluated.
    """
    import lmfit

    names = [peak.name for peak in peaks]
    if not names or len(set(names)) != len(names):
        raise InvalidInputError(f"peaks named {names}: give at least one, each with its own name.")
    if all(isinstance(peak.ppm, str) for peak in peaks):
        raise InvalidInputError("no peak has a number as ppm: at least one must.")
    guess = _Guess(0.0, 0.0, dict.fromkeys(names, 1.0))
    if data is not None:
        guess = _guessed(peaks, data)
    parameters = lmfit.Parameters()
    ties: dict[str, str] = {}
    parameters.add("phase0_deg", value=guess.phase_deg)
    parameters.add("begin_time_s", value=0.0, vary=False)
    for peak in peaks:
        amplitude = guess.amplitude[peak.name] if peak.amplitude is None else peak.amplitude
        given: dict[str, float | str | None] = {
            **{key: getattr(peak, key) for key in OF_A_PEAK},
            "amplitude": amplitude,
        }
        for key, value in given.items():
            name = f"{peak.name}_{key}"
            if isinstance(value, str):
                ties[name] = value
                parameters.add(name, value=0.0)
                continue
            low, high = _bounds(peak, key)
            start = float(value or 0.0)
            if key == "ppm":
                start = float(np.clip(start + guess.shift_ppm, low, high))
            parameters.add(name, value=start, min=low, max=high, vary=value is not None)
    _tie(parameters, ties)
    return parameters


def _tie(parameters: "lmfit.Parameters", ties: Mapping[str, str]) -> None:
    """Set expressions once all names are known."""
    for name, expression in ties.items():
        try:
            parameters[name].expr = expression
            finite = np.isfinite(parameters[name].value)
        except (NameError, SyntaxError, TypeError, ValueError) as error:
            raise InvalidInputError(
                f"{name} = {expression!r} cannot be evaluated ({error}): name parameters like "
                f"{next(iter(parameters))} or {name}, and use numbers and + - * /."
            ) from None
        if not finite:
            raise InvalidInputError(f"{name} = {expression!r} gives no finite number.")


def _bounds(peak: Peak, key: str) -> tuple[float, float]:
    if key == "ppm":
        assert not isinstance(peak.ppm, str)
        return peak.ppm - peak.reach_ppm, peak.ppm + peak.reach_ppm
    if key == "phase_deg":
        return -np.inf, np.inf
    return 0.0, np.inf if key == "amplitude" else _WIDEST_HZ


@dataclass(frozen=True)
class _Guess:
    """Where a fit starts."""

    shift_ppm: float
    phase_deg: float
    amplitude: Mapping[str, float]


def _guessed(peaks: Sequence[Peak], data: MRSData) -> _Guess:
    """Return the common shift under which the peaks explain most, with amplitudes and phase."""
    free = [peak for peak in peaks if not isinstance(peak.ppm, str)]
    lines = Lines(tuple(peak.name for peak in free), data.acquisition, data.time)
    fid = np.asarray(data.fid, complex).reshape(-1)
    value: dict[str, float] = {"phase0_deg": 0.0, "begin_time_s": 0.0}
    for peak in free:
        width = peak.lorentz_hz if isinstance(peak.lorentz_hz, (int, float)) else 0.0
        value |= {
            f"{peak.name}_amplitude": 1.0,
            f"{peak.name}_ppm": float(peak.ppm),
            f"{peak.name}_lorentz_hz": max(width, _LEAST_HZ),
            f"{peak.name}_gauss_hz": 0.0,
            f"{peak.name}_phase_deg": 0.0,
        }
    narrowest = min(value[f"{name}_lorentz_hz"] for name in lines.names)
    reach = min(peak.reach_ppm for peak in free)
    step = 0.5 * narrowest / data.acquisition.spectrometer_frequency
    count = int(np.floor(reach / step))
    shifts = step * np.arange(-count, count + 1)
    units = lines.signals(value)
    # A common shift turns signals and leaves their inner products: the data are turned instead.
    hertz = data.acquisition.spectrometer_frequency * shifts
    turned = fid * np.exp(2j * np.pi * np.multiply.outer(hertz, data.time))
    along = turned @ units.conj().T
    amplitudes = along @ np.linalg.pinv(units @ units.conj().T, hermitian=True)
    best = int(np.argmax(np.sum(along.conj() * amplitudes, axis=1).real))
    shift, found = shifts[best], amplitudes[best]
    phase = np.angle(np.sum(found * np.abs(found)))
    heights = np.maximum((found * np.exp(-1j * phase)).real, 0.05 * np.abs(found).max())
    typical = float(np.mean(heights))
    amplitude = {peak.name: typical for peak in peaks}
    amplitude |= dict(zip(lines.names, heights.tolist(), strict=True))
    return _Guess(float(shift), float(np.rad2deg(phase)), amplitude)


def names_of(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the peaks that a set of parameters describes.

    Parameters
    ----------
    parameters : mapping
        Parameters by name.

    Returns
    -------
    tuple of str
        In the order of their amplitudes.

    Raises
    ------
    InvalidInputError
        A parameter of the model is missing.
    """
    tail = "_amplitude"
    names = tuple(name.removesuffix(tail) for name in parameters if name.endswith(tail))
    wanted = [*(f"{name}_{key}" for name in names for key in OF_A_PEAK), *COMMON]
    missing = [name for name in wanted if name not in parameters]
    if missing or not names:
        raise InvalidInputError(
            f"the parameters lack {', '.join(missing) or 'an amplitude'}: make them with "
            "mp.peak_parameters."
        )
    return names
