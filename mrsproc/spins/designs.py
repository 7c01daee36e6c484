"""Usual designs of shaped pulses."""

from typing import Final, Literal

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.spins.pulses import Pulse

N_STEPS: Final = 256
"""Steps of the built-in pulses."""


def _scaled(shape: Array, flip_angle: float, duration: float, name: str) -> Pulse:
    """Return a pulse of a shape whose rotation on resonance is the flip angle [degrees]."""
    area = abs(shape.sum()) * duration / len(shape)
    return Pulse(shape * (flip_angle / 360.0) / area, duration, name=name)


def hamming_sinc(
    flip_angle: float, duration: float, *, lobes: float = 3.0, n_steps: int = N_STEPS
) -> Pulse:
    """Return a sinc pulse under a Hamming window.

    Parameters
    ----------
    flip_angle : float
        On resonance [degrees].
    duration : float
        Length [s].
    lobes : float, default 3.0
        Zero crossings on either side; time times bandwidth is about twice that for small flip
        angles.
    n_steps : int, default 256
        Steps of the waveform.

    Returns
    -------
    Pulse
        Its bandwidth is that of its profile.
    """
    t = _midpoints(n_steps)
    return _scaled(
        np.sinc(lobes * t) * (0.54 + 0.46 * np.cos(np.pi * t)), flip_angle, duration, "sinc"
    )


def gaussian(
    flip_angle: float, duration: float, *, truncation: float = 0.01, n_steps: int = N_STEPS
) -> Pulse:
    """Return a Gaussian pulse, as it is used for spectral editing.

    Parameters
    ----------
    flip_angle : float
        On resonance [degrees].
    duration : float
        Length [s].
    truncation : float, default 0.01
        Amplitude at the ends relative to the maximum.
    n_steps : int, default 256
        Steps of the waveform.

    Returns
    -------
    Pulse
        Its bandwidth is that of its profile.
    """
    return _scaled(truncation ** (_midpoints(n_steps) ** 2), flip_angle, duration, "Gaussian")


def hyperbolic_secant(
    duration: float,
    *,
    bandwidth: float,
    peak: float,
    truncation: float = 0.01,
    n_steps: int = N_STEPS,
) -> Pulse:
    """Return an adiabatic full passage, amplitude sech and frequency tanh.

    Parameters
    ----------
    duration : float
        Length [s].
    bandwidth : float
        Width of the frequency sweep [Hz].
    peak : float
        Highest amplitude gamma B1 / 2 pi [Hz]; it must be high enough for the passage to be
        adiabatic.
    truncation : float, default 0.01
        Amplitude at the ends relative to the maximum.
    n_steps : int, default 256
        Steps of the waveform.

    Returns
    -------
    Pulse
        Its bandwidth is that of its profile.

    References
    ----------
    Silver 1985, 10.1103/PhysRevA.31.2753.
    """
    t = _midpoints(n_steps)
    rate = np.arccosh(1.0 / truncation)
    amplitude = 1.0 / np.cosh(rate * t)
    phase = -np.pi * bandwidth * duration / (2 * rate) * np.log(np.cosh(rate * t))
    return Pulse(peak * amplitude * np.exp(1j * phase), duration, name="hyperbolic secant")


def shinnar_le_roux(
    flip_angle: float,
    duration: float,
    *,
    bandwidth: float,
    ripple: tuple[float, float] = (0.01, 0.01),
    kind: Literal["excitation", "refocusing", "inversion"] = "refocusing",
    n_steps: int = N_STEPS,
) -> Pulse:
    """Return a linear-phase pulse designed with the Shinnar-Le Roux transform.

    Parameters
    ----------
    flip_angle : float
        90 for excitation, 180 for refocusing and inversion [degrees].
    duration : float
        Length [s].
    bandwidth : float
        FWHM of the profile that is asked for [Hz].
    ripple : tuple of float, default (0.01, 0.01)
        Deviation of the profile in and outside the slice, as parts of the full effect.
    kind : str, default "refocusing"
        "excitation", "refocusing" or "inversion": whose profile has the ripple.
    n_steps : int, default 256
        Steps of the waveform.

    Returns
    -------
    Pulse
        Its bandwidth is that of its profile.

    Raises
    ------
    InvalidInputError
        Unknown kind, or a time times bandwidth too small for the ripple.

    References
    ----------
    Pauly 1991, 10.1109/42.75611.
    """
    from scipy.signal import firls

    inside, outside, effect = _slr_ripple(flip_angle, ripple, kind)
    product = duration * bandwidth
    edge = _transition_width(inside, outside) / product
    if not 0 < edge < 0.98:
        raise InvalidInputError(
            f"a pulse of {duration * 1e3:g} ms cannot have a bandwidth of {bandwidth:g} Hz "
            f"with ripples {ripple}: make it longer, wider or rougher."
        )
    band = product / n_steps * np.array([1 - edge, 1 + edge])
    taps = n_steps - 1 + n_steps % 2
    beta = firls(taps, [0, band[0], band[1], 1], [1, 1, 0, 0], weight=[1, inside / outside])
    beta = np.append(beta, 0.0) if taps < n_steps else beta
    beta = beta / np.abs(np.fft.fft(beta, 16 * n_steps)).max() * effect
    return Pulse(_inverse_slr(beta) / (2 * np.pi * duration / n_steps), duration, name="SLR")


def _slr_ripple(
    flip_angle: float, ripple: tuple[float, float], kind: str
) -> tuple[float, float, float]:
    """Return the ripples of the polynomial beta and its value in the slice."""
    one, two = ripple
    effect = float(np.sin(np.deg2rad(flip_angle) / 2))
    table = {
        "excitation": (np.sqrt(one / 2), two / np.sqrt(2)),
        "refocusing": (one / 4, np.sqrt(two)),
        "inversion": (one / 8, np.sqrt(two / 2)),
    }
    if kind not in table:
        raise InvalidInputError(f"kind = {kind!r}. {suggest(str(kind), table)}")
    inside, outside = table[kind]
    return float(inside), float(outside), min(effect, 1 - 1e-5)


def _transition_width(inside: float, outside: float) -> float:
    """Return time times width of the transition of an optimal filter (Pauly 1991, eq. 20)."""
    one, two = np.log10(inside), np.log10(outside)
    return float(
        (5.309e-3 * one**2 + 7.114e-2 * one - 4.761e-1) * two
        + (-2.66e-3 * one**2 - 5.941e-1 * one - 4.278e-1)
    )


def _inverse_slr(beta: Array) -> Array:
    """Return the rotations of the hard pulses [radians] that a polynomial beta stands for."""
    n = len(beta)
    size = 16 * n
    magnitude = np.sqrt(1 - np.abs(np.fft.fft(beta, size)) ** 2)
    cepstrum = np.fft.ifft(np.log(magnitude))
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    alpha = np.fft.ifft(np.exp(np.fft.fft(cepstrum)))[:n]
    b = beta.astype(complex)
    turns = np.zeros(n, complex)
    for step in range(n - 1, -1, -1):
        ratio = b[0] / alpha[0]
        cosine = 1 / np.sqrt(1 + abs(ratio) ** 2)
        sine = cosine * ratio
        turns[step] = 2 * np.arctan2(abs(ratio), 1.0) * np.exp(1j * np.angle(ratio))
        down_a = cosine * alpha + np.conj(sine) * b
        down_b = -sine * alpha + cosine * b
        alpha, b = down_a[:step], down_b[1 : step + 1]
    return turns


def _midpoints(n_steps: int) -> Array:
    """Return the middles of the steps of a pulse that lasts from -1 to 1."""
    return (2 * np.arange(n_steps) + 1) / n_steps - 1
