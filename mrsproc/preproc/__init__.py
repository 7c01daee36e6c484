"""From raw to clean: coils, alignment, bad transients, corrections, residual water, averages."""

from mrsproc.preproc.alignment import Alignment, align
from mrsproc.preproc.averaging import Averages, average
from mrsproc.preproc.coils import CoilWeights, coil_weights
from mrsproc.preproc.corrections import EddyPhase, Phasing, eddy_phase, phasing
from mrsproc.preproc.editing import Edited, edited, split_edited
from mrsproc.preproc.matching import match_linewidth
from mrsproc.preproc.outliers import Rejection, find_outliers
from mrsproc.preproc.over_time import linewidths, quality
from mrsproc.preproc.pipeline import Preprocessed, PreprocessOptions, preprocess
from mrsproc.preproc.water import WaterModel, remove_water, water_model

__all__ = [
    "Alignment",
    "Averages",
    "CoilWeights",
    "EddyPhase",
    "Edited",
    "Phasing",
    "PreprocessOptions",
    "Preprocessed",
    "Rejection",
    "WaterModel",
    "align",
    "average",
    "coil_weights",
    "eddy_phase",
    "edited",
    "find_outliers",
    "linewidths",
    "match_linewidth",
    "phasing",
    "preprocess",
    "quality",
    "remove_water",
    "split_edited",
    "water_model",
]
