"""Waveforms of shaped pulses from files: Siemens .pta, Varian .RF, plain text."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import FormatError, InvalidInputError
from mrsproc.spins.pulses import Pulse

_PTA_LINE: Final = re.compile(r"^\s*([-+.\dEe]+)\s+([-+.\dEe]+)\s*(?:;.*)?$")


def read_pulse(
    path: str | os.PathLike[str],
    *,
    duration: float,
    flip_angle: float | None = None,
    peak: float | None = None,
    bandwidth: float | None = None,
) -> Pulse:
    """Read the waveform of a shaped pulse.

    Parameters
    ----------
    path : path
        A Siemens ``.pta`` file (amplitude and phase in radians), a Varian ``.RF`` file (phase in
        degrees, amplitude, relative length of the step) or plain text (``.txt``, ``.dat``,
        ``.csv``: amplitude, and phase in degrees where there is a second column).
    duration : float
        Length of the pulse [s], which these files do not know.
    flip_angle : float, optional
        Flip angle on resonance [degrees] to scale the amplitude to. Not for adiabatic pulses.
    peak : float, optional
        Highest amplitude gamma B1 / 2 pi [Hz] to scale to. Give this or the flip angle.
    bandwidth : float, optional
        Width of the slice that its gradient is set for [Hz]; that of its profile when not given.

    Returns
    -------
    Pulse
        Named after the file.

    Raises
    ------
    FormatError
        Unknown format, or a file without a waveform.
    InvalidInputError
        Neither or both of `flip_angle` and `peak`, or a flip angle for an adiabatic pulse.
    """
    file = Path(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise FormatError(
            f"{file}: unknown format {file.suffix!r} of a pulse. Known: {', '.join(_READERS)}."
        )
    if not file.is_file():
        raise FormatError(f"{file}: there is no such file.")
    if (flip_angle is None) == (peak is None):
        raise InvalidInputError(f"{file}: give either flip_angle= in degrees or peak= in Hz.")
    text = file.read_text(encoding="latin-1")
    try:
        shape = reader(text)
    except ValueError as error:
        raise FormatError(f"{file}: the waveform cannot be read ({error}).") from error
    if shape.size < 2 or not np.isfinite(shape).all() or not shape.any():
        raise FormatError(
            f"{file}: no waveform found; a line with amplitude and phase is wanted for each step."
        )
    scaled = _scaled(shape, duration, flip_angle, peak, file.name)
    return Pulse(scaled, duration, float("nan") if bandwidth is None else bandwidth, name=file.name)


def _scaled(
    shape: Array, duration: float, flip_angle: float | None, peak: float | None, name: str
) -> Array:
    if peak is not None:
        factor = peak / np.abs(shape).max()
    else:
        area = abs(shape.sum()) / len(shape)
        if flip_angle is None or area < 0.05 * np.abs(shape).mean():
            raise InvalidInputError(
                f"{name} is swept in frequency, so that a flip angle does not set its amplitude: "
                "give peak= in Hz."
            )
        factor = flip_angle / 360.0 / duration / area
    scaled: Array = shape * factor
    return scaled


def _read_pta(text: str) -> Array:
    found = [match.groups() for match in map(_PTA_LINE.match, text.splitlines()) if match]
    values = np.array(found, dtype=float).reshape(-1, 2)
    result: Array = values[:, 0] * np.exp(1j * values[:, 1])
    return result


def _read_rf(text: str) -> Array:
    rows = [
        line.split()
        for line in text.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    steps: list[complex] = []
    for row in rows:
        phase, amplitude = float(row[0]), float(row[1]) if len(row) > 1 else 1023.0
        count = round(float(row[2])) if len(row) > 2 else 1
        steps.extend([amplitude * np.exp(1j * np.deg2rad(phase))] * count)
    return np.array(steps)


def _read_text(text: str) -> Array:
    rows = [line.replace(",", " ").split() for line in text.splitlines()]
    values = [
        [float(item) for item in row]
        for row in rows
        if row and not row[0].startswith(("#", "%", ";"))
    ]
    if len({len(row) for row in values}) > 1 or (values and len(values[0]) > 2):
        raise ValueError("one or two columns are wanted")
    return np.array(
        [row[0] * np.exp(1j * np.deg2rad(row[1] if len(row) > 1 else 0.0)) for row in values]
    )


_READERS: Final[dict[str, Callable[[str], Array]]] = {
    ".pta": _read_pta, ".rf": _read_rf, ".txt": _read_text, ".dat": _read_text, ".csv": _read_text,
}  # fmt: skip
