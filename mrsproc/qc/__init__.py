"""Quality of recordings: noise, signal-to-noise ratio, linewidth."""

from mrsproc.qc.noise import noise_sd
from mrsproc.qc.singlets import (
    METABOLITE_PPM,
    WATER_PPM,
    Peak,
    linewidth,
    signal_to_noise,
    tallest_peak,
)

__all__ = [
    "METABOLITE_PPM",
    "WATER_PPM",
    "Peak",
    "linewidth",
    "noise_sd",
    "signal_to_noise",
    "tallest_peak",
]
