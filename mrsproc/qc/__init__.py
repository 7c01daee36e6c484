"""Quality of recordings: noise, signal-to-noise ratio, linewidth."""

from mrsproc.qc.noise import noise_sd
from mrsproc.qc.singlets import linewidth, signal_to_noise

__all__ = ["linewidth", "noise_sd", "signal_to_noise"]
