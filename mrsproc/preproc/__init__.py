"""From raw to clean: coils, alignment, residual water."""

from mrsproc.preproc.alignment import Alignment, align
from mrsproc.preproc.coils import CoilWeights, coil_weights
from mrsproc.preproc.pipeline import Prepared, prepare
from mrsproc.preproc.water import WaterModel, remove_water, water_model

__all__ = [
    "Alignment",
    "CoilWeights",
    "Prepared",
    "WaterModel",
    "align",
    "coil_weights",
    "prepare",
    "remove_water",
    "water_model",
]
