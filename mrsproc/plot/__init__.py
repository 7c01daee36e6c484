"""Figures with matplotlib: every function takes ``ax=`` and returns it."""

from mrsproc.plot.basis_sets import basis
from mrsproc.plot.lines import peaks
from mrsproc.plot.sessions import before_after, quality, waterfall
from mrsproc.plot.spectra import fit, spectrum
from mrsproc.plot.statistics import crossover, forest, power
from mrsproc.plot.style import style
from mrsproc.plot.timecourses import timecourse

__all__ = [
    "basis",
    "before_after",
    "crossover",
    "fit",
    "forest",
    "peaks",
    "power",
    "quality",
    "spectrum",
    "style",
    "timecourse",
    "waterfall",
]
