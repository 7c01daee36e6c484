"""Shaped radio-frequency pulses: waveforms, how they act on a single spin, and usual designs."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from mrsproc.axes import Array
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError


@dataclass(frozen=True, eq=False)
class Pulse(Record):
    """A shaped pulse.

    Parameters
    ----------
    waveform : array_like of complex, shape (n_steps,)
        Amplitude gamma B1 / 2 pi [Hz] in the rotating frame, one value a step of equal length.
    duration : float
        Length [s].
    bandwidth : float, optional
        Width of the slice profile [Hz], which a slice gradient turns into the thickness of the
        slice; the FWHM of the profile on resonance when not given.
    centre : float, optional
        Time from the start of the pulse to its magnetic centre [s], from which echo times count;
        from the phase of the excited slice for pulses up to 120 degrees, half the duration
        otherwise, when not given.
    name : str, default "pulse"
        For messages.

    Raises
    ------
    InvalidInputError
        Waveform or duration that cannot be played.
    """

    waveform: Array
    duration: float
    bandwidth: float = field(default=float("nan"))
    centre: float = field(default=float("nan"))
    name: str = "pulse"

    def __post_init__(self) -> None:
        waveform = np.array(self.waveform, dtype=complex)
        if (
            waveform.ndim != 1
            or waveform.size < 2
            or not np.isfinite(waveform).all()
            or not waveform.any()
        ):
            raise InvalidInputError(
                f"{self.name}: a waveform of shape {waveform.shape}: "
                "give 2 or more finite values, not all 0."
            )
        if not (np.isfinite(self.duration) and 0 < self.duration < 1):
            raise InvalidInputError(
                f"{self.name}: duration = {self.duration} s: give a length in s, for example 0.005."
            )
        object.__setattr__(self, "waveform", waveform)
        if not np.isfinite(self.centre):
            object.__setattr__(self, "centre", self._magnetic_centre())
        if not np.isfinite(self.bandwidth):
            object.__setattr__(self, "bandwidth", self._profile_width())
        if not self.bandwidth > 0:
            raise InvalidInputError(
                f"{self.name}: bandwidth = {self.bandwidth} Hz: it must be positive."
            )
        super().__post_init__()

    @property
    def time_step(self) -> float:
        """Length of a step [s]."""
        return self.duration / len(self.waveform)

    @property
    def flip_angle(self) -> float:
        """Flip angle of a spin on resonance [degrees], between 0 and 180."""
        alpha, _ = self.cayley_klein([0.0])
        return float(np.rad2deg(2 * np.arccos(np.clip(np.abs(alpha[0]), 0, 1))))

    def cayley_klein(self, frequency: ArrayLike) -> tuple[Array, Array]:
        """Return the rotation of single spins.

        Parameters
        ----------
        frequency : array_like
            Offsets from the pulse's frequency [Hz].

        Returns
        -------
        alpha, beta : ndarray
            The propagator of a spin 1/2 is ``[[alpha, -conj(beta)], [beta, conj(alpha)]]``.
        """
        offset = np.asarray(frequency, dtype=float)
        alpha, beta = np.ones(offset.shape, complex), np.zeros(offset.shape, complex)
        for b1 in self.waveform:
            a, b = step_rotation(offset, b1, self.time_step)
            alpha, beta = a * alpha - b.conj() * beta, b * alpha + a.conj() * beta
        return alpha, beta

    def profile(self, frequency: ArrayLike) -> Array:
        """Return the refocused or the excited part of a spin's magnetisation.

        Parameters
        ----------
        frequency : array_like
            Offsets from the pulse's frequency [Hz].

        Returns
        -------
        ndarray
            abs(beta)**2 for pulses above 120 degrees, which is the refocused part, or
            2 abs(alpha beta), the transverse magnetisation after the pulse, for others.
        """
        alpha, beta = self.cayley_klein(frequency)
        refocused: Array = np.abs(beta) ** 2
        return refocused if self.flip_angle > 120 else 2 * np.abs(alpha * beta)

    def with_bandwidth(self, bandwidth: float) -> Self:
        """Return the pulse with another width of the slice that its gradient is set for [Hz]."""
        return replace(self, bandwidth=float(bandwidth))

    def _magnetic_centre(self) -> float:
        if self.flip_angle > 120:
            return self.duration / 2
        frequency = np.linspace(-0.25, 0.25, 21) / self.time_step / len(self.waveform) * 2
        alpha, beta = self.cayley_klein(frequency)
        transverse = alpha.conj() * beta
        phase = np.unwrap(np.angle(transverse))
        slope = np.polyfit(frequency, phase, 1, w=np.abs(transverse))[0]
        return float(np.clip(self.duration - slope / (2 * np.pi), 0, self.duration))

    def _profile_width(self) -> float:
        limit = 20.0 / self.duration
        while True:
            frequency = np.linspace(-limit, limit, 801)
            profile = self.profile(frequency)
            above = np.flatnonzero(profile >= profile.max() / 2)
            inside = above[0] > 0 and above[-1] < len(frequency) - 1
            if inside or limit > 0.5 / self.time_step:
                return float(frequency[above[-1]] - frequency[above[0]])
            limit *= 2


def step_rotation(offset: Array, b1: complex, duration: float) -> tuple[Array, Array]:
    """Return the Cayley-Klein parameters of a constant field.

    Parameters
    ----------
    offset : ndarray
        Precession frequencies [Hz].
    b1 : complex
        Transverse field, gamma B1 / 2 pi [Hz].
    duration : float
        How long it acts [s].

    Returns
    -------
    alpha, beta : ndarray
        See `Pulse.cayley_klein`.
    """
    total = np.sqrt(offset**2 + abs(b1) ** 2)
    half = np.pi * total * duration
    scale = np.pi * duration * np.sinc(half / np.pi)
    return np.cos(half) - 1j * offset * scale, -1j * b1 * scale
