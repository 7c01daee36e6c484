"""Recordings of known truth."""

from mrsproc.simulation.example import Example, small_example

__all__ = ["Example", "small_example"]
