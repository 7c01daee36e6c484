"""From a sequence and a spin system to the lines of its FID.

The density matrix is kept in the eigenbasis of free precession, so that a delay is a phase for each
element. Slice gradients are handled with the one-dimensional projection method: pulses that select
along different axes act one after the other on averages over their own axis, which makes a volume
as cheap as three lines (Zhang 2017, 10.1002/mrm.26772).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Record
from mrsproc.spins.operators import (
    Block,
    blocks_of,
    eigensystem,
    magnetic_quantum_number,
    raising_operator,
    rotation,
)
from mrsproc.spins.propagation import shaped_propagator
from mrsproc.spins.sequences import RF, Delay, Scan, Sequence
from mrsproc.spins.systems import Moiety, SpinGroup, SpinSystem

_NEGLIGIBLE: Final = 1e-7
"""Lines weaker than this part of a proton are left out."""

_SAME_FREQUENCY: Final = 1e-4
"""Lines nearer than this [Hz] are added."""


@dataclass(frozen=True)
class Field:
    """What turns chemical shifts and slice positions into frequencies.

    Parameters
    ----------
    spectrometer_frequency : float
        Larmor frequency [MHz].
    carrier_ppm : float, default 3.0
        Frequency of the slice-selective pulses [ppm].
    grid_points : int, default 41
        Positions an axis.
    grid_extent : float, default 2.0
        Length of the grid in thicknesses of the slice.
    """

    spectrometer_frequency: float
    carrier_ppm: float = 3.0
    grid_points: int = 41
    grid_extent: float = 2.0

    @property
    def positions(self) -> Array:
        """Positions along an axis, in thicknesses of the slice, shape (grid_points,)."""
        half = self.grid_points // 2
        step = self.grid_extent / self.grid_points
        return (np.arange(self.grid_points) - half + 0.5 * (self.grid_points % 2 == 0)) * step


@dataclass(frozen=True, eq=False)
class Lines(Record):
    """Undamped lines whose sum is a FID.

    Parameters
    ----------
    shift : ndarray, shape (n_lines,)
        Chemical shifts [ppm].
    amplitude : ndarray of complex, shape (n_lines,)
        Signals at the first point, in protons.
    """

    shift: Array
    amplitude: Array

    def fid(self, frequency: Array, n_points: int, dwell_time: float) -> Array:
        """Return the sum of lines at given frequencies.

        Parameters
        ----------
        frequency : ndarray, shape (n_lines,)
            Frequencies [Hz].
        n_points : int
            Length.
        dwell_time : float
            Sampling interval [s].

        Returns
        -------
        ndarray, shape (n_points,)
            Undamped FID.
        """
        short = int(np.ceil(np.sqrt(n_points)))
        step = 2j * np.pi * dwell_time * frequency[:, None]
        coarse = np.exp(step * short * np.arange(-(-n_points // short)))
        fine = np.exp(step * np.arange(short))
        total: Array = ((coarse * self.amplitude[:, None]).T @ fine).ravel()[:n_points]
        return total

    def scaled(self, factor: complex) -> "Lines":
        """Return the lines with amplitudes times a factor."""
        return Lines(self.shift, self.amplitude * factor)


def merge_lines(parts: Iterable[Lines], resolution: float) -> Lines:
    """Add lines that stand at one frequency, and leave out those without signal.

    Parameters
    ----------
    parts : iterable of Lines
        What to add.
    resolution : float
        Lines nearer than this [ppm] are added.

    Returns
    -------
    Lines
        In the order of chemical shift.
    """
    found = list(parts)
    shift = np.concatenate([part.shift for part in found])
    amplitude = np.concatenate([part.amplitude for part in found])
    keep = np.abs(amplitude) > _NEGLIGIBLE
    place = np.argsort(shift[keep])
    shift, amplitude = shift[keep][place], amplitude[keep][place]
    if not len(shift):
        return Lines(shift, amplitude)
    start = np.flatnonzero(np.diff(shift, prepend=-np.inf) > resolution)
    return Lines(shift[start], np.add.reduceat(amplitude, start))


def simulate_lines(system: SpinSystem, sequence: Sequence, field: Field) -> Lines:
    """Return the lines of a spin system after a sequence.

    Parameters
    ----------
    system : SpinSystem
        The protons.
    sequence : Sequence
        Pulses and delays.
    field : Field
        Larmor frequency, carrier and grid.

    Returns
    -------
    Lines
        Amplitudes add up to the number of protons for an uncoupled spin at the carrier when pulses
        are without duration (to half of it for a stimulated echo), whatever the losses of shaped
        pulses.
    """
    blocks = [block for moiety in system.moieties for block in blocks_of(moiety)]
    weights = _weights(sequence, field)
    parts = [_followed(block, sequence.scans, weights, field) for block in blocks]
    return merge_lines(parts, _SAME_FREQUENCY / field.spectrometer_frequency)


@lru_cache(maxsize=8)
def _weights(sequence: Sequence, field: Field) -> tuple[complex, ...]:
    """Return the factor of each scan that gives an uncoupled spin at the carrier its ideal signal.

    Editing pulses turn the phase of spins that they do not invert (Bloch-Siegert effect).
    Sub-spectra are aligned to undo it, and so it is undone here, for the spin at the carrier.
    """
    (block,) = blocks_of(Moiety((SpinGroup("H", 1, field.carrier_ppm),)))

    def signals(scans: Iterable[Scan]) -> Array:
        return np.array([_followed(block, [scan], [1.0], field).amplitude.sum() for scan in scans])

    weight = np.array([scan.weight for scan in sequence.scans])
    plain = [Scan(tuple(map(_without_editing, scan.events))) for scan in sequence.scans]
    ideal = [Scan(tuple(map(_without_shape, scan.events))) for scan in plain]
    edited, unedited = signals(sequence.scans), signals(plain)
    chosen = slice(sequence.calibration_scans)
    scale = abs((weight * signals(ideal))[chosen].sum()) / (weight * unedited)[chosen].sum()
    seen = np.abs(edited) > 0.5 * np.abs(unedited)
    turn = np.where(seen, edited / unedited, 1.0)
    return tuple((weight * scale * np.abs(turn) / turn).tolist())


def _without_editing(event: RF | Delay) -> RF | Delay:
    if isinstance(event, RF) and event.role == "editing":
        return Delay(0.0 if event.shape is None else event.shape.duration)
    return event


def _without_shape(event: RF | Delay) -> RF | Delay:
    return replace(event, shape=None) if isinstance(event, RF) else event


def _followed(
    block: Block, scans: Iterable[Scan], weights: Iterable[complex], field: Field
) -> Lines:
    """Return the sum of the lines of a block after the scans, each times its weight."""
    frequencies = block.frequencies(field.spectrometer_frequency, field.carrier_ppm)
    follower = _Follower(block, frequencies, field)
    lines = [
        follower.lines(follower.density_after(scan)).scaled(weight)
        for scan, weight in zip(scans, weights, strict=True)
    ]
    return Lines(lines[0].shift, np.sum([part.amplitude for part in lines], axis=0))


class _Follower:
    """The state of a block in the course of a scan."""

    def __init__(self, block: Block, frequencies: Array, field: Field) -> None:
        self.block, self.frequencies, self.field = block, frequencies, field
        self.energies, self.vectors = eigensystem(block, frequencies)
        self.m = magnetic_quantum_number(block.spins)
        self.orders = np.round(self.m[:, None] - self.m).astype(int)
        self.known: dict[tuple[object, ...], Array] = {}  # propagators of pulses

    def density_after(self, scan: Scan) -> Array:
        """Return the density matrix at the first point of the FID, in the eigenbasis."""
        density = np.diag(self.m).astype(complex)
        order = 0
        last_use = {event.axis: k for k, event in enumerate(scan.events) if isinstance(event, RF)}
        open_axes: list[str] = []
        for number, event in enumerate(scan.events):
            if isinstance(event, Delay):
                density = density * self._phases(event.duration)
                continue
            if event.shape is None:
                density = _conjugated(self._ideal(event), density)
            else:
                density = self._shaped(event, density, order, open_axes)
            if event.order is not None:
                density = np.where(self.orders == event.order, density, 0)
                order = event.order
            if event.axis in open_axes and last_use[event.axis] == number:
                place = open_axes.index(event.axis)
                density = density.mean(axis=place)
                open_axes.remove(event.axis)
        return density

    def lines(self, density: Array) -> Lines:
        """Return the lines of the detected single-quantum coherences."""
        detect = self.vectors.T @ raising_operator(self.block.spins) @ self.vectors
        rows, columns = np.nonzero(self.orders == -1)
        amplitude = (density[rows, columns] * detect[columns, rows]).conj() * self.block.weight
        frequency = self.energies[columns] - self.energies[rows]
        shift = self.field.carrier_ppm + frequency / self.field.spectrometer_frequency
        return Lines(shift, amplitude)

    def _phases(self, duration: float) -> Array:
        phase = np.exp(-2j * np.pi * self.energies * duration)
        return phase[:, None] * phase.conj()

    def _ideal(self, pulse: RF) -> Array:
        key = (pulse.flip_angle, pulse.phase)
        if key not in self.known:
            turn = rotation(self.block.spins, pulse.flip_angle, pulse.phase)
            self.known[key] = self.vectors.T @ turn @ self.vectors
        return self.known[key]

    def _shaped(self, pulse: RF, density: Array, order: int, open_axes: list[str]) -> Array:
        """Apply a shaped pulse; a new axis adds a leading dimension of `density`."""
        turn = self._shaped_propagator(pulse, order)
        if pulse.axis is None:
            return _conjugated(turn[0], density)
        if pulse.axis not in open_axes:
            open_axes.insert(0, pulse.axis)
            density = np.broadcast_to(density, (len(turn), *density.shape))
        place = open_axes.index(pulse.axis)
        shape = [1] * len(open_axes)
        shape[place] = len(turn)
        return _conjugated(turn.reshape(*shape, *turn.shape[1:]), density)

    def _shaped_propagator(self, pulse: RF, order: int) -> Array:
        shape = pulse.shape
        assert shape is not None  # the caller has looked
        key = (id(shape), pulse.phase, pulse.axis is None, pulse.frequency_ppm, order, pulse.order)
        if key not in self.known:
            field = self.field
            offsets = np.zeros(1) if pulse.axis is None else field.positions * shape.bandwidth
            at = field.carrier_ppm if pulse.frequency_ppm is None else pulse.frequency_ppm
            relative = (at - field.carrier_ppm) * field.spectrometer_frequency
            turn = shaped_propagator(
                self.block, self.frequencies - relative, shape, offsets, pulse.phase
            )
            if relative:  # back from the frame of the pulse to that of the carrier
                turn = np.exp(-2j * np.pi * relative * shape.duration * self.m)[:, None] * turn
            turn = self._rephased(turn, offsets, pulse, order)
            self.known[key] = self.vectors.T @ turn @ self.vectors
        return self.known[key]

    def _rephased(self, turn: Array, offsets: Array, pulse: RF, before: int) -> Array:
        """Add the gradient lobes that undo the dephasing by the slice gradient of a pulse."""
        after = pulse.order
        if after is None or before == -after:  # an echo or an inversion refocuses by itself
            return turn
        twist = 2j * np.pi * offsets[:, None] * self.m
        start = np.exp(twist * pulse.lead) if before else np.ones_like(twist)
        end = np.exp(twist * pulse.tail) if after else np.ones_like(twist)
        rephased: Array = end[:, :, None] * turn * start[:, None, :]
        return rephased


def _conjugated(turn: Array, density: Array) -> Array:
    result: Array = turn @ density @ turn.conj().swapaxes(-1, -2)
    return result
