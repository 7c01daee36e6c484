"""Basis sets from first principles: spin systems, density-matrix engine, sequences and pulses."""

from mrsproc.spins.delivery import shaped_pulses, simulate_basis
from mrsproc.spins.designs import gaussian, hamming_sinc, hyperbolic_secant, shinnar_le_roux
from mrsproc.spins.engine import Field, Lines, simulate_lines
from mrsproc.spins.pulse_files import read_pulse
from mrsproc.spins.pulses import Pulse
from mrsproc.spins.sequences import RF, Delay, Scan, Sequence, Timing, build, timeline
from mrsproc.spins.systems import (
    DEFAULT_METABOLITES,
    Moiety,
    SpinGroup,
    SpinSystem,
    names,
    spin_system,
)

__all__ = [
    "DEFAULT_METABOLITES",
    "RF",
    "Delay",
    "Field",
    "Lines",
    "Moiety",
    "Pulse",
    "Scan",
    "Sequence",
    "SpinGroup",
    "SpinSystem",
    "Timing",
    "build",
    "gaussian",
    "hamming_sinc",
    "hyperbolic_secant",
    "names",
    "read_pulse",
    "shaped_pulses",
    "shinnar_le_roux",
    "simulate_basis",
    "simulate_lines",
    "spin_system",
    "timeline",
]
