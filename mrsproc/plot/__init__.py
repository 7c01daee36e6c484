"""Figures with matplotlib: every function takes ``ax=`` and returns it."""

from mrsproc.plot.basis_sets import basis
from mrsproc.plot.spectra import fit, spectrum
from mrsproc.plot.statistics import crossover, forest, power
from mrsproc.plot.style import style

__all__ = ["basis", "crossover", "fit", "forest", "power", "spectrum", "style"]
