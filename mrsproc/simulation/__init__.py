"""Recordings of known truth."""

from mrsproc.simulation.example import Example, small_example
from mrsproc.simulation.options import SessionOptions
from mrsproc.simulation.parts import WATER_MM
from mrsproc.simulation.session import SimulatedSession, infusion_response, simulate

__all__ = [
    "WATER_MM",
    "Example",
    "SessionOptions",
    "SimulatedSession",
    "infusion_response",
    "simulate",
    "small_example",
]
