"""Pulse sequences as data: pulses with the coherence order kept after each, and delays.

A gradient pair or a phase cycle is stated by what it does: the coherence order (the change of the
magnetic quantum number) that it lets pass. The pathway ends at order -1, which the receiver sees.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from mrsproc.errors import InvalidInputError, suggest
from mrsproc.spins.pulses import Pulse

Edit = Literal["on", "off", "difference"]


@dataclass(frozen=True)
class RF:
    """A pulse of a sequence.

    Parameters
    ----------
    flip_angle : float
        Nominal flip angle [degrees].
    order : int or None
        Coherence order that is kept after the pulse; None keeps all.
    role : str, default "refocusing"
        "excitation", "refocusing", "inversion" or "editing": which shaped pulse may take its place.
    phase : float, default 0.0
        Phase of the pulse [degrees].
    axis : str, optional
        "x", "y" or "z": direction of the slice gradient that a shaped pulse is played with; none
        when not given.
    shape : Pulse, optional
        Shaped pulse; a pulse without duration that turns all spins alike when not given.
    frequency_ppm : float, optional
        Frequency of the pulse [ppm]; the carrier when not given.
    """

    flip_angle: float
    order: int | None
    role: str = "refocusing"
    phase: float = 0.0
    axis: str | None = None
    shape: Pulse | None = None
    frequency_ppm: float | None = None

    @property
    def lead(self) -> float:
        """Time from the start of the pulse to its magnetic centre [s]."""
        return 0.0 if self.shape is None else self.shape.centre

    @property
    def tail(self) -> float:
        """Time from the magnetic centre of the pulse to its end [s]."""
        return 0.0 if self.shape is None else self.shape.duration - self.shape.centre


@dataclass(frozen=True)
class Delay:
    """Free precession.

    Parameters
    ----------
    duration : float
        Length [s].
    """

    duration: float


@dataclass(frozen=True)
class Scan:
    """One passage of a sequence, from equilibrium to the first point of the FID.

    Parameters
    ----------
    events : tuple of RF or Delay
        In the order of time.
    weight : float, default 1.0
        What its FID is multiplied with before all scans of a sequence are added.
    """

    events: tuple[RF | Delay, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Sequence:
    """A pulse sequence.

    Parameters
    ----------
    name : str
        Short name, for example ``"press"``.
    echo_time : float
        Echo time [s].
    scans : tuple of Scan
        Their weighted FIDs are added.
    calibration_scans : int, optional
        How many of the scans, from the first on, an uncoupled spin at the carrier is followed
        through to set amplitude and phase; all when not given.
    """

    name: str
    echo_time: float
    scans: tuple[Scan, ...]
    calibration_scans: int | None = None


def timeline(pulses: list[tuple[float, RF]], end: float, *, name: str, weight: float = 1.0) -> Scan:
    """Set pulses in time and fill the rest with delays.

    Parameters
    ----------
    pulses : list of (float, RF)
        Time of the magnetic centre [s] and pulse, in order.
    end : float
        Time of the first point of the FID [s].
    name : str
        Of the sequence, for the message of the error.
    weight : float, default 1.0
        Of the scan.

    Returns
    -------
    Scan
        Pulses and delays.

    Raises
    ------
    InvalidInputError
        Pulses that overlap each other or the FID.
    """
    events: list[RF | Delay] = []
    clock = pulses[0][0] - pulses[0][1].lead
    for time, pulse in pulses:
        _append_delay(events, time - pulse.lead - clock, name)
        events.append(pulse)
        clock = time + pulse.tail
    _append_delay(events, end - clock, name)
    return Scan(tuple(events), weight)


def _append_delay(events: list[RF | Delay], duration: float, name: str) -> None:
    if duration < -1e-9:
        raise InvalidInputError(
            f"{name}: two pulses, or the last one and the FID, overlap by "
            f"{-duration * 1e3:.3g} ms. "
            "Make the echo time (or TE1, TM) longer, or the pulses shorter."
        )
    if duration > 1e-12:
        events.append(Delay(duration))


def _excitation(pulses: Mapping[str, Pulse], order: int | None = -1, axis: str | None = "x") -> RF:
    return RF(90.0, order, "excitation", phase=-90.0, axis=axis, shape=pulses.get("excitation"))


def _refocusing(pulses: Mapping[str, Pulse], order: int, axis: str | None) -> RF:
    return RF(180.0, order, "refocusing", axis=axis, shape=pulses.get("refocusing"))


@dataclass(frozen=True)
class Timing:
    """Times and frequencies that the built-in sequences are made from.

    Parameters
    ----------
    echo_time : float
        TE [s].
    first_echo_time : float, optional
        TE1 of PRESS [s]; what is usual for the sequence when not given.
    mixing_time : float, default 0.010
        TM of STEAM [s], between the centres of the second and the third pulse.
    echo_times : tuple of float, optional
        The three partial echo times of semi-LASER [s], which add up to TE.
    edit : str, default "difference"
        Which scan of an edited sequence.
    edit_ppm : tuple of float, default (1.9, 7.5)
        Frequency of the editing pulses in the "on" and the "off" scan [ppm].
    """

    echo_time: float
    first_echo_time: float | None = None
    mixing_time: float = 0.010
    echo_times: tuple[float, float, float] | None = None
    edit: Edit = "difference"
    edit_ppm: tuple[float, float] = (1.9, 7.5)


def _pulse_acquire(timing: Timing, pulses: Mapping[str, Pulse]) -> Sequence:
    pulse = _excitation(pulses, axis=None)
    if timing.echo_time < pulse.tail:
        _append_delay([], timing.echo_time - pulse.tail, "pulse_acquire")
    scan = timeline([(0.0, pulse)], timing.echo_time, name="pulse_acquire")
    return Sequence("pulse_acquire", timing.echo_time, (scan,))


def _spin_echo(timing: Timing, pulses: Mapping[str, Pulse]) -> Sequence:
    te = timing.echo_time
    steps = [(0.0, _excitation(pulses, 1)), (te / 2, _refocusing(pulses, -1, "y"))]
    return Sequence("spin_echo", te, (timeline(steps, te, name="spin_echo"),))


def _first_echo(timing: Timing, default: float) -> float:
    first = default if timing.first_echo_time is None else timing.first_echo_time
    if not 0 < first < timing.echo_time:
        raise InvalidInputError(
            f"first_echo_time = {first} s: TE1 must lie between 0 and the echo time, "
            f"{timing.echo_time} s."
        )
    return first


def _press_pulses(
    timing: Timing, pulses: Mapping[str, Pulse], default: float
) -> list[tuple[float, RF]]:
    first, te = _first_echo(timing, default), timing.echo_time
    return [
        (0.0, _excitation(pulses)),
        (first / 2, _refocusing(pulses, 1, "y")),
        (first / 2 + te / 2, _refocusing(pulses, -1, "z")),
    ]


def _press(timing: Timing, pulses: Mapping[str, Pulse]) -> Sequence:
    default = min(0.014, timing.echo_time / 2)
    scan = timeline(_press_pulses(timing, pulses, default), timing.echo_time, name="press")
    return Sequence("press", timing.echo_time, (scan,))


def _steam(timing: Timing, pulses: Mapping[str, Pulse]) -> Sequence:
    te, tm = timing.echo_time, timing.mixing_time
    if not (np.isfinite(tm) and tm >= 0):
        raise InvalidInputError(f"mixing_time = {tm} s: TM must be 0 or longer.")
    steps = [
        (0.0, _excitation(pulses, 1, "x")),
        (te / 2, _excitation(pulses, 0, "y")),
        (te / 2 + tm, _excitation(pulses, -1, "z")),
    ]
    return Sequence("steam", te, (timeline(steps, te + tm, name="steam"),))


def _special(timing: Timing, pulses: Mapping[str, Pulse]) -> Sequence:
    te = timing.echo_time
    inversion = RF(180.0, 0, "inversion", axis="x", shape=pulses.get("inversion"))
    gap = inversion.tail + _excitation(pulses).lead
    steps = [(0.0, _excitation(pulses, 1, "y")), (te / 2, _refocusing(pulses, -1, "z"))]
    on = timeline([(-gap, inversion), *steps], te, name="special", weight=-0.5)
    return Sequence("special", te, (timeline(steps, te, name="special", weight=0.5), on))


_SLASER_SPLIT: Final = (8 / 28, 11 / 28, 9 / 28)


def _slaser_pulses(timing: Timing, pulses: Mapping[str, Pulse]) -> list[tuple[float, RF]]:
    te = timing.echo_time
    parts = timing.echo_times or tuple(part * te for part in _SLASER_SPLIT)
    if len(parts) != 3 or min(parts) <= 0 or abs(sum(parts) - te) > 1e-6:
        raise InvalidInputError(
            f"echo_times = {timing.echo_times} s: give the three partial echo times of semi-LASER, "
            f"positive and adding up to the echo time, {te} s."
        )
    one, two, three = parts
    times = (one / 2, one + two / 4, one + 3 * two / 4, one + two + three / 2)
    steps = [(0.0, _excitation(pulses))]
    for number, (time, axis) in enumerate(zip(times, "yyzz", strict=True)):
        steps.append((time, _refocusing(pulses, (-1) ** number, axis)))
    return steps


def _slaser(timing: Timing, pulses: Mapping[str, Pulse]) -> Sequence:
    scan = timeline(_slaser_pulses(timing, pulses), timing.echo_time, name="slaser")
    return Sequence("slaser", timing.echo_time, (scan,))


def _edited(
    name: str,
    steps: list[tuple[float, RF]],
    times: tuple[float, float],
    timing: Timing,
    pulses: Mapping[str, Pulse],
) -> Sequence:
    """Add a pair of editing pulses, which keep the coherence order they find."""
    if timing.edit not in ("on", "off", "difference"):
        raise InvalidInputError(
            f"edit = {timing.edit!r}. {suggest(str(timing.edit), ('on', 'off', 'difference'))}"
        )

    def scan(ppm: float, weight: float) -> Scan:
        merged = list(steps)
        for time in times:
            order = [pulse.order for at, pulse in steps if at < time][-1]
            editing = RF(180.0, order, "editing", shape=pulses["editing"], frequency_ppm=ppm)
            merged.append((time, editing))
        merged.sort(key=lambda step: step[0])
        return timeline(merged, timing.echo_time, name=name, weight=weight)

    on, off = timing.edit_ppm
    scans = {
        "on": (scan(on, 1.0),),
        "off": (scan(off, 1.0),),
        "difference": (scan(on, 1.0), scan(off, -1.0)),
    }
    return Sequence(name, timing.echo_time, scans[timing.edit], calibration_scans=1)


def _mega_press(timing: Timing, pulses: Mapping[str, Pulse]) -> Sequence:
    te = timing.echo_time
    steps = _press_pulses(timing, pulses, min(0.015, te / 4))
    between = (steps[1][0] + steps[2][0]) / 2
    return _edited("mega_press", steps, (between, between + te / 2), timing, pulses)


def _mega_slaser(timing: Timing, pulses: Mapping[str, Pulse]) -> Sequence:
    te = timing.echo_time
    if timing.echo_times is None:
        timing = replace(timing, echo_times=(te / 4, te / 2, te / 4))
    steps = _slaser_pulses(timing, pulses)
    between = (steps[1][0] + steps[2][0]) / 2  # the first pair of refocusing pulses
    return _edited("mega_slaser", steps, (between, between + te / 2), timing, pulses)


BUILDERS: Final[Mapping[str, Callable[[Timing, Mapping[str, Pulse]], Sequence]]] = {
    "press": _press,
    "steam": _steam,
    "slaser": _slaser,
    "special": _special,
    "spin_echo": _spin_echo,
    "pulse_acquire": _pulse_acquire,
    "mega_press": _mega_press,
    "mega_slaser": _mega_slaser,
}
"""Built-in sequences by name."""


def build(name: str, timing: Timing, pulses: Mapping[str, Pulse]) -> Sequence:
    """Return a built-in sequence.

    Parameters
    ----------
    name : str
        "press", "steam", "slaser", "special", "spin_echo", "pulse_acquire", "mega_press" or
        "mega_slaser".
    timing : Timing
        Echo times and editing frequencies.
    pulses : mapping of str to Pulse
        Shaped pulses by role; roles that are missing get pulses without duration. Edited sequences
        need "editing".

    Returns
    -------
    Sequence
        Pulses and delays.

    Raises
    ------
    InvalidInputError
        Unknown name, times that are not positive, pulses that do not fit into the echo time.
    """
    if name not in BUILDERS:
        raise InvalidInputError(f"no sequence {name!r}. {suggest(str(name), BUILDERS)}")
    te = timing.echo_time
    if not (np.isfinite(te) and te >= 0) or (te == 0 and name != "pulse_acquire"):
        raise InvalidInputError(f"echo_time = {te} s: give a positive echo time in s.")
    return BUILDERS[name](timing, pulses)
