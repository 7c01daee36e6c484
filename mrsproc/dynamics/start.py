"""A rough alignment to start a joint fit from: frequency and phase of each transient.

Transients are correlated with the spectrum of usual brain concentrations, then twice with their
own aligned mean; residual water is taken off by extrapolation from its line (`nuisance`). A tenth
of a linewidth is enough here: the joint fit goes on from it.
"""

from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.dynamics.nuisance import Water
from mrsproc.fitting.band import BandModel
from mrsproc.fitting.start import USUAL_MM

_RANGE_PPM: Final = (1.75, 4.0)
_EDGE_PPM: Final = 0.15
_MAX_SHIFT_PPM: Final = 0.35
_WIDTH_HZ: Final = 6.0
_ROUNDS: Final = 3


def rough_alignment(
    spectra: Array, basis: BasisSet, band: BandModel, inside: slice, water: Water
) -> Array:
    """Return what has to be added to frequency and phase of each transient.

    Parameters
    ----------
    spectra : ndarray of complex, shape (n, n_band)
        Spectra of the transients over the band.
    basis : BasisSet
        Signals of `band`.
    band : BandModel
        Grid and signals.
    inside : slice
        Points of the band that are fitted.
    water : Water
        How to take off residual water.

    Returns
    -------
    ndarray, shape (n, 2)
        Frequency [Hz] and phase [rad].
    """
    taper = _taper(band.ppm[inside])
    signals = _cut(spectra, inside, water, taper)
    n = signals.shape[1]
    step = float(band.frequency[1] - band.frequency[0])
    time = np.arange(n) / (n * step)
    early = time < 0.5 / step  # what comes later is the zero-filled half
    signals = signals * early
    template = _cut(_usual(basis, band)[None], inside, water, taper)[0] * early
    shift = np.fft.fftfreq(2 * n, time[1])
    allowed = np.abs(shift) <= _MAX_SHIFT_PPM * basis.spectrometer_frequency
    for _ in range(_ROUNDS):
        frequency, phase = _registered(signals, template, time, shift, allowed)
        turned = signals * np.exp(1j * (2.0 * np.pi * frequency[:, None] * time + phase[:, None]))
        template = turned.mean(axis=0)
    return np.column_stack([frequency, phase])


def _taper(ppm: Array) -> Array:
    """Return a window over the narrow peaks of the brain, over everything where they are not."""
    low, high = _RANGE_PPM
    if ppm.min() > low or ppm.max() < 2.2:
        low, high = float(ppm.min()), float(ppm.max())
    within = np.minimum(ppm - low, min(high, float(ppm.max())) - ppm) / _EDGE_PPM
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(within, 0.0, 1.0)))


def _cut(spectra: Array, inside: slice, water: Water, taper: Array) -> Array:
    """Return the FIDs of the peaks, without the tail of water."""
    line, tail = spectra[:, water.line], water.tail
    clean = spectra[:, inside] - (line.real @ tail + 1j * (line.imag @ tail))
    return np.asarray(np.fft.ifft(clean * taper, axis=1))


def _usual(basis: BasisSet, band: BandModel) -> Array:
    """Return the spectrum of usual concentrations over the band."""
    weight = np.array([USUAL_MM.get(name, 0.0) for name in basis.names]) * band.scale
    if not weight.any():
        weight = np.ones(len(basis))
    zero = np.zeros(len(basis))
    return np.asarray(band.spectra(weight @ band.decayed(zero, zero + 1.0, _WIDTH_HZ)))


def _registered(
    signals: Array, template: Array, time: Array, shift: Array, allowed: Array
) -> tuple[Array, Array]:
    """Return frequency [Hz] and phase [rad] that take each signal to the template."""
    product = signals * template.conj()
    strength = np.abs(np.fft.fft(product, shift.size, axis=1))
    best = np.argmax(np.where(allowed, strength, 0.0), axis=1)
    rows = np.arange(len(signals))
    left, middle, right = (strength[rows, (best + k) % shift.size] for k in (-1, 0, 1))
    bend = left - 2.0 * middle + right
    offset = np.where(bend < 0.0, 0.5 * (left - right) / np.where(bend < 0.0, bend, -1.0), 0.0)
    found = shift[best] + np.clip(offset, -0.5, 0.5) * shift[1]
    turned = (product * np.exp(-2j * np.pi * found[:, None] * time)).sum(axis=1)
    return -found, -np.angle(turned)
