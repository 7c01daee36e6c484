"""Spectral fitting: one spectrum or many, by a linear combination of basis spectra."""

from mrsproc.fitting.driver import fit
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.refits import bootstrap
from mrsproc.fitting.result import FitResult

__all__ = ["FitOptions", "FitResult", "bootstrap", "fit"]
