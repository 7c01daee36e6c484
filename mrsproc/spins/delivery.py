"""`simulate_basis`: from the name of a sequence to a basis set on the time axis of a recording."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import InvalidInputError, MRSWarning, suggest
from mrsproc.lineshape import voigt_decay
from mrsproc.spins.designs import gaussian, hyperbolic_secant, shinnar_le_roux
from mrsproc.spins.engine import Field, Lines, simulate_lines
from mrsproc.spins.macromolecules import with_macromolecules
from mrsproc.spins.pulses import Pulse
from mrsproc.spins.sequences import RF, Edit, Sequence, Timing, build
from mrsproc.spins.store import stored_lines
from mrsproc.spins.systems import SpinSystem, spin_systems

ROLES: Final = ("excitation", "refocusing", "inversion", "editing")
"""What a shaped pulse can be used for."""

_NO_SIGNAL: Final = 1e-5
"""A metabolite that gives less than this part of its protons is left out."""

_EDITED: Final = ("mega_press", "mega_slaser")


def shaped_pulses(sequence: str) -> dict[str, Pulse]:
    """Return the built-in shaped pulses of a sequence, like those of no particular scanner.

    Parameters
    ----------
    sequence : str
        Name of a built-in sequence.

    Returns
    -------
    dict of str to Pulse
        By role: SLR pulses for excitation (90 degrees, 3.2 ms, 2.2 kHz) and refocusing (180
        degrees, 6.9 ms, 1.35 kHz); hyperbolic secant pulses for inversion and for the refocusing of
        semi-LASER (4 ms, 3 kHz; 3 ms where it is edited); a Gaussian pulse of 14 ms for editing.
    """
    if sequence == "slaser":
        refocusing = hyperbolic_secant(4.0e-3, bandwidth=3000.0, peak=1200.0)
    elif sequence == "mega_slaser":
        refocusing = hyperbolic_secant(3.0e-3, bandwidth=3000.0, peak=1400.0)
    else:
        refocusing = shinnar_le_roux(180.0, 6.9e-3, bandwidth=1350.0, kind="refocusing")
    return {
        "excitation": shinnar_le_roux(90.0, 3.2e-3, bandwidth=2200.0, kind="excitation"),
        "refocusing": refocusing,
        "inversion": hyperbolic_secant(4.0e-3, bandwidth=3000.0, peak=1200.0),
        "editing": gaussian(180.0, 14.0e-3),
    }


def simulate_basis(
    sequence: str | Sequence,
    *,
    echo_time: float | None = None,
    acquisition: Acquisition,
    n_points: int = 2048,
    metabolites: Iterable[str | SpinSystem] | None = None,
    first_echo_time: float | None = None,
    mixing_time: float = 0.010,
    echo_times: tuple[float, float, float] | None = None,
    pulses: Mapping[str, Pulse] | Literal["shaped"] | None = None,
    carrier_ppm: float = 3.0,
    grid_points: int = 41,
    grid_extent: float = 2.0,
    edit: Edit = "difference",
    edit_ppm: tuple[float, float] = (1.9, 7.5),
    macromolecules: str | Iterable[str] | MRSData | None = None,
    linewidth: float = 1.0,
    cache: bool = True,
    progress: Callable[[int, int], object] | None = None,
) -> BasisSet:
    """Simulate a basis set from first principles.

    The density matrix of each metabolite is followed through the sequence with full scalar
    coupling, at 37 degrees C and without relaxation. An amplitude of 1 means one molecule: the
    first point of a FID is the number of protons that the sequence makes visible, so that the
    singlet of a methyl group has 3 (1.5 after a stimulated echo).

    Parameters
    ----------
    sequence : str or Sequence
        "press", "steam", "slaser" (semi-LASER), "special", "spin_echo", "pulse_acquire",
        "mega_press", "mega_slaser", or a declared sequence, which brings its own times and pulses.
    echo_time : float, optional
        TE [s]; for "pulse_acquire" the delay before the FID. Needed for built-in sequences; that of
        the acquisition when not given.
    acquisition : Acquisition
        Gives Larmor frequency, dwell time and ppm reference.
    n_points : int, default 2048
        Length of the FIDs.
    metabolites : iterable of str or SpinSystem, optional
        Names (`mrsproc.spins.names` lists them) or spin systems of your own. When not given: Ala,
        Asc, Asp, Cr, GABA, GPC, GSH, Glc, Gln, Glu, Gly, Ins, Lac, NAA, NAAG, PCh, PCr, PE, Scyllo
        and Tau.
    first_echo_time : float, optional
        TE1 of PRESS and MEGA-PRESS [s]: twice the time from excitation to the first refocusing.
        When not given, 14 ms for PRESS and 15 ms for MEGA-PRESS, and half or a quarter of TE where
        that is shorter.
    mixing_time : float, default 0.010
        TM of STEAM [s].
    echo_times : tuple of float, optional
        The three partial echo times of semi-LASER [s]: around the first refocusing pulse, the
        middle two and the last one. They add up to TE. When not given they are as 8 : 11 : 9, and
        as 1 : 2 : 1 for MEGA-sLASER.
    pulses : mapping of str to Pulse or "shaped", optional
        Shaped pulses by role ("excitation", "refocusing", "inversion", "editing"); roles left out
        get pulses without duration. "shaped" takes `shaped_pulses`. When not given all pulses are
        ideal but those for editing, which are Gaussian and last 14 ms.
    carrier_ppm : float, default 3.0
        Frequency of the slice-selective pulses [ppm], which sets the chemical shift displacement.
    grid_points : int, default 41
        Positions along each axis where pulses are shaped.
    grid_extent : float, default 2.0
        Length of the grid in thicknesses of the slice; it must hold the displaced slices.
    edit : str, default "difference"
        "on", "off" or "difference" (on minus off): which scan of an edited sequence. Each scan is
        phased on an uncoupled spin at the carrier, as sub-spectra are aligned before they are
        subtracted; what phase the editing pulses give to other chemical shifts (Bloch-Siegert
        effect) refocuses in MEGA-PRESS and stays in MEGA-sLASER.
    edit_ppm : tuple of float, default (1.9, 7.5)
        Frequency of the editing pulses in the on and in the off scan [ppm].
    macromolecules : str, iterable of str or MRSData, optional
        Broad signals to add: "lcmodel" (Gaussian lines of the LCModel manual), "parametrised" (13
        Gaussian lines of the metabolite-nulled spectrum of human brain at 3 T), some names of
        either, or a recording without metabolites, whose mean becomes "MM".
    linewidth : float, default 1.0
        Lorentzian FWHM of every line of a metabolite [Hz].
    cache : bool, default True
        Whether results are kept in `mrsproc.files.cache_folder` and taken from there.
    progress : callable, optional
        Called with the number of metabolites done and their total.

    Returns
    -------
    BasisSet
        FIDs with whole first points; `source` states sequence, times and pulses.

    Raises
    ------
    InvalidInputError
        Unknown sequence or metabolite, times that do not fit, another nucleus than 1H.

    Warns
    -----
    MRSWarning
        The sequence leaves no signal of a metabolite, which is left out; the cache cannot be used.

    References
    ----------
    Zhang 2017, 10.1002/mrm.26772 (projection method); Near 2021, 10.1002/nbm.4257.
    """
    field = Field(acquisition.spectrometer_frequency, carrier_ppm, grid_points, grid_extent)
    _check_numbers(acquisition, n_points, linewidth, field)
    systems = spin_systems(metabolites)
    if isinstance(sequence, str):
        te = acquisition.echo_time if echo_time is None else echo_time
        if te is None:
            raise InvalidInputError(
                "echo_time is not given, and the acquisition lacks it: give echo_time= in s."
            )
        timing = Timing(te, first_echo_time, mixing_time, echo_times, edit, edit_ppm)
        sequence = build(sequence, timing, _chosen_pulses(sequence, pulses))
    elif pulses is not None or echo_time is not None:
        raise InvalidInputError(
            "a declared sequence has its own pulses and times: leave out pulses= and echo_time=."
        )
    fids = {}
    for number, system in enumerate(systems):
        lines = (
            stored_lines(system, sequence, field)
            if cache
            else simulate_lines(system, sequence, field)
        )
        if np.abs(lines.amplitude).sum() > _NO_SIGNAL * system.protons:
            fids[system.name] = _fid(lines, acquisition, n_points, linewidth)
        if progress is not None:
            progress(number + 1, len(systems))
    _warn_of_missing(systems, fids, sequence.name)
    basis = BasisSet(
        names=tuple(fids),
        fid=np.array(list(fids.values())),
        dwell_time=acquisition.dwell_time,
        spectrometer_frequency=acquisition.spectrometer_frequency,
        ppm_reference=acquisition.ppm_reference,
        source=_described(sequence, field, linewidth),
    )
    return (
        basis if macromolecules is None else with_macromolecules(basis, macromolecules, acquisition)
    )


def _warn_of_missing(systems: Iterable[SpinSystem], fids: Iterable[str], sequence: str) -> None:
    found = set(fids)
    missing = [system.name for system in systems if system.name not in found]
    if missing and not found:
        raise InvalidInputError(
            f"{sequence} gives no signal of {', '.join(missing)}: simulate other metabolites."
        )
    if missing:
        text = f"{sequence} gives no signal of {', '.join(missing)}; the basis set does without."
        warnings.warn(text, MRSWarning, stacklevel=3)


def _check_numbers(acquisition: Acquisition, n_points: int, linewidth: float, field: Field) -> None:
    if acquisition.nucleus != "1H":
        raise InvalidInputError(
            f"the acquisition is of {acquisition.nucleus}; spin systems are there for 1H only."
        )
    if n_points < 2:
        raise InvalidInputError(f"n_points = {n_points}: a FID has at least 2 points.")
    if not (np.isfinite(linewidth) and linewidth >= 0):
        raise InvalidInputError(f"linewidth = {linewidth} Hz: give 0 or more.")
    if (
        field.grid_points < 1
        or not (np.isfinite(field.grid_extent) and field.grid_extent > 0)
        or not np.isfinite(field.carrier_ppm)
    ):
        raise InvalidInputError(
            f"grid_points = {field.grid_points}, grid_extent = {field.grid_extent}, "
            f"carrier_ppm = {field.carrier_ppm}: "
            "give 1 point or more, a positive extent and a finite carrier."
        )


def _chosen_pulses(
    sequence: str, pulses: Mapping[str, Pulse] | Literal["shaped"] | None
) -> dict[str, Pulse]:
    if isinstance(pulses, str):
        if pulses != "shaped":
            raise InvalidInputError(
                f"pulses = {pulses!r}: give 'shaped', a mapping of role to Pulse, or None."
            )
        return shaped_pulses(sequence)
    chosen = dict(pulses or {})
    for role, pulse in chosen.items():
        if role not in ROLES or not isinstance(pulse, Pulse):
            raise InvalidInputError(
                f"pulses has {role!r}: {type(pulse).__name__}. "
                f"Give Pulse objects. {suggest(str(role), ROLES)}"
            )
    if sequence in _EDITED:
        chosen.setdefault("editing", gaussian(180.0, 14.0e-3))
    return chosen


def _fid(lines: Lines, acquisition: Acquisition, n_points: int, linewidth: float) -> Array:
    frequency = axes.ppm_to_hz(
        lines.shift, acquisition.spectrometer_frequency, acquisition.ppm_reference
    )
    time = axes.time_axis(n_points, acquisition.dwell_time)
    fid: Array = lines.fid(frequency, n_points, acquisition.dwell_time) * voigt_decay(
        time, linewidth
    )
    return fid


def _described(sequence: Sequence, field: Field, linewidth: float) -> str:
    used = {
        event.shape.name: event
        for scan in sequence.scans
        for event in scan.events
        if isinstance(event, RF) and event.shape
    }
    shapes = ", ".join(f"{name} {event.role}" for name, event in used.items()) or "ideal"
    grid = (
        f", carrier {field.carrier_ppm:g} ppm, {field.grid_points} points an axis" if used else ""
    )
    return (
        f"mrsproc simulation: {sequence.name}, TE {sequence.echo_time * 1e3:g} ms, "
        f"{field.spectrometer_frequency:.6g} MHz, pulses: {shapes}{grid}; "
        f"linewidth {linewidth:g} Hz"
    )
