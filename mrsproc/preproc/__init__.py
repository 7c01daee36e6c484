"""From raw to clean: coils, alignment, residual water."""

from mrsproc.preproc.alignment import Alignment, align
from mrsproc.preproc.coils import CoilWeights, coil_weights
from mrsproc.preproc.outliers import Rejection, find_outliers
from mrsproc.preproc.pipeline import Prepared, prepare
from mrsproc.preproc.water import WaterModel, remove_water, water_model

__all__ = [
    "Alignment",
    "CoilWeights",
    "Prepared",
    "Rejection",
    "WaterModel",
    "align",
    "coil_weights",
    "find_outliers",
    "prepare",
    "remove_water",
    "water_model",
]
