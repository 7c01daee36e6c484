"""Figures with matplotlib: every function takes ``ax=`` and returns it."""

from mrsproc.plot.basis_sets import basis
from mrsproc.plot.groups import group_quality, group_timecourse, participants
from mrsproc.plot.lines import peaks
from mrsproc.plot.sessions import before_after, quality, waterfall
from mrsproc.plot.spectra import correlation, fit, spectrum
from mrsproc.plot.statistics import crossover, forest, power
from mrsproc.plot.style import style
from mrsproc.plot.timecourses import timecourse

__all__ = [
    "basis",
    "before_after",
    "correlation",
    "crossover",
    "fit",
    "forest",
    "group_quality",
    "group_timecourse",
    "participants",
    "peaks",
    "power",
    "quality",
    "spectrum",
    "style",
    "timecourse",
    "waterfall",
]
