"""Figures with matplotlib: every function takes ``ax=`` and returns it."""

from mrsproc.plot.basis_sets import basis
from mrsproc.plot.lines import peaks
from mrsproc.plot.spectra import fit, spectrum
from mrsproc.plot.style import style

__all__ = ["basis", "fit", "peaks", "spectrum", "style"]
