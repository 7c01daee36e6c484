"""Single lines in the time domain with prior knowledge, in the AMARES manner."""

from mrsproc.peaks.knowledge import Peak, peak_parameters
from mrsproc.peaks.result import PeakFit
from mrsproc.peaks.solve import fit_peaks

__all__ = ["Peak", "PeakFit", "fit_peaks", "peak_parameters"]
