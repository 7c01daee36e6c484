"""The parts of a simulated recording: signals, water, lipids, background, coils, noise."""

from typing import Final, NamedTuple

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.constants import WATER_PROTONS
from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import InvalidInputError
from mrsproc.lineshape import voigt_decay
from mrsproc.qc import METABOLITE_PPM
from mrsproc.simulation.options import SessionOptions

WATER_MM: Final = 40000.0
"""Water signal of the reference [mM of molecules], no relaxation."""
RUINS: Final = ("movement", "lipid", "signal loss", "spike")
"""Ways in which a transient is ruined."""
_DRIFT_TIME: Final = 0.4  # time constant of the drift, as a part of the session
_KNOT_PPM: Final = 0.6  # distance of the knots of the background
_BACKGROUND_PPM: Final = (-0.4, 5.0)
_LIPID_PPM: Final = 1.3
_LIPID_SPREAD: Final = 0.3  # SD of the logarithm of its size
VOXEL_MM: Final = (20.0, 20.0, 20.0)
"""Size of the voxel [mm]."""


class Disturbances(NamedTuple):
    """What differs from one transient to the next; arrays of shape (n_transients,)."""

    frequency_hz: Array
    """Frequency [Hz], positive towards higher ppm."""
    phase_rad: Array
    """Phase [rad], of the same sign."""
    gain: Array
    """Common factor of everything but residual water."""
    ruin: Array
    """How the transient is ruined; empty for a good one."""


class Receiver(NamedTuple):
    """Coils with correlated noise, or one ideal coil."""

    acquisition: Acquisition
    """How FIDs are recorded."""
    sensitivity: Array | None
    """Sensitivities of coils, shape (n_coils,); None for one ideal coil."""
    covariance: Array | None
    """Covariance of the complex noise over coils."""
    noise_sd: float
    """SD of the real part of the noise of the ideal coil."""

    def __call__(self, fid: Array, rng: np.random.Generator, *, onset: Array | None) -> MRSData:
        """Return FIDs as recorded; without onset times they are a water reference."""
        dims: tuple[str, ...] = ("transient", "time")
        if self.sensitivity is not None:
            dims, fid = ("coil", *dims), self.sensitivity[:, None, None] * fid
        return MRSData(
            fid=fid + _noise(fid.shape, self.noise_sd, self.covariance, rng),
            dims=dims,
            acquisition=self.acquisition.replace(water_suppressed=onset is not None),
            coords={} if onset is None else {"transient": onset},
            affine=np.diag([*VOXEL_MM, 1.0]),
        )


def disturbances(options: SessionOptions, rng: np.random.Generator) -> Disturbances:
    """Return frequency, phase, gain and ruin of each transient."""
    n = options.n_transients
    part = np.linspace(0.0, 1.0, n)
    drift = (1.0 - np.exp(-part / _DRIFT_TIME)) / (1.0 - np.exp(-1.0 / _DRIFT_TIME))
    frequency = options.frequency_drift_hz * drift + rng.normal(0.0, options.frequency_jitter_hz, n)
    for at in rng.integers(1, max(n, 2), options.n_frequency_jumps):
        frequency[at:] += rng.normal(0.0, options.frequency_jump_hz)
    ruin = np.full(n, "", dtype="U11")
    ruin[rng.choice(n, options.n_ruined, replace=False)] = rng.choice(RUINS, options.n_ruined)
    return Disturbances(
        frequency_hz=frequency,
        phase_rad=rng.normal(0.0, np.deg2rad(options.phase_jitter_deg), n),
        gain=(1.0 + options.gain_drift * part) * (1.0 + rng.normal(0.0, options.gain_jitter, n)),
        ruin=ruin,
    )


def broadened(signals: BasisSet, options: SessionOptions, rng: np.random.Generator) -> Array:
    """Return the signals with their shifts and widths, shape (n_signals, n_points)."""
    shift = -rng.normal(0.0, options.shift_sd_ppm, len(signals)) * signals.spectrometer_frequency
    width = np.maximum(options.lorentz_hz + rng.normal(0.0, options.lorentz_sd_hz, len(signals)), 0)
    return np.asarray(
        signals.fid
        * np.exp(2j * np.pi * shift[:, None] * signals.time)
        * voigt_decay(signals.time, width[:, None], options.gauss_hz)
    )


def tallest_height(fid: Array, acquisition: Acquisition) -> float:
    """Return the height of the tallest metabolite peak of the real spectrum."""
    data = MRSData(fid=fid, dims=("time",), acquisition=acquisition)
    inside = (data.ppm >= METABOLITE_PPM[0]) & (data.ppm <= METABOLITE_PPM[1])
    height = float(data.spectrum.real[inside].max())
    if height <= 0.0:
        raise InvalidInputError("no metabolite has a concentration above zero: no signal, no SNR.")
    return height


def _line(ppm: float, width: float | Array, height: float | Array, signals: BasisSet) -> Array:
    """Return Lorentzian FIDs of given heights in the spectrum, shape (n, n_points)."""
    offset = axes.ppm_to_hz(ppm, signals.spectrometer_frequency, signals.ppm_reference)
    decay = np.exp(-np.pi * np.reshape(width, (-1, 1)) * signals.time)
    area = decay.sum(axis=1, keepdims=True) - 0.5
    turning = np.exp(2j * np.pi * offset * signals.time)
    return np.asarray(np.reshape(height, (-1, 1)) * decay / area * turning)


def _residual_water(
    height: float, signals: BasisSet, options: SessionOptions, rng: np.random.Generator
) -> Array:
    """Return the residual water of each transient."""
    n = options.n_transients
    size = height * np.abs(rng.normal(options.residual_water, options.residual_water_sd, n))
    offset = rng.normal(0.0, 0.02, n) * signals.spectrometer_frequency
    phase = {
        "random": rng.uniform(-np.pi, np.pi, n),
        "constant": np.full(n, rng.uniform(-np.pi, np.pi)),
        "cycled": rng.uniform(-np.pi, np.pi) + 2.0 * np.pi * np.arange(n) / options.phase_cycle,
    }[options.water_phase]
    lines = _line(signals.ppm_reference, rng.uniform(8.0, 16.0, n), size, signals)
    return np.asarray(
        lines * np.exp(1j * phase[:, None] + 2j * np.pi * offset[:, None] * signals.time)
    )


def _background(
    height: float, signals: BasisSet, options: SessionOptions, rng: np.random.Generator
) -> Array:
    """Return the FID whose real spectrum is a cubic spline of random values at its knots."""
    from scipy.interpolate import CubicSpline

    low, high = _BACKGROUND_PPM
    knots = np.linspace(low, high, round((high - low) / _KNOT_PPM) + 1)
    values = rng.normal(0.0, options.background * height, knots.size)
    values[[0, -1]] = 0.0
    spline = CubicSpline(knots, values, bc_type="clamped")
    n = 2 * signals.n_points
    frequency = axes.frequency_axis(n, signals.dwell_time)
    ppm = axes.hz_to_ppm(frequency, signals.spectrometer_frequency, signals.ppm_reference)
    curve = np.where((ppm > low) & (ppm < high), spline(ppm), 0.0)
    return 2.0 * np.fft.ifft(np.fft.ifftshift(curve))[: signals.n_points]  # causal half


def recorded(
    clean: Array,
    height: float,
    truth: Disturbances,
    signals: BasisSet,
    options: SessionOptions,
    *,
    rng: np.random.Generator,
) -> Array:
    """Return the FIDs of one ideal coil without noise; `height` is the tallest peak of `clean`."""
    n, time = options.n_transients, signals.time
    water = _residual_water(height, signals, options, rng)
    lipid_size = options.lipid * height * np.exp(rng.normal(0.0, _LIPID_SPREAD, n))
    lipid = _line(_LIPID_PPM, 20.0, lipid_size, signals)
    lipid = lipid * np.exp(1j * rng.uniform(-np.pi, np.pi, (n, 1)))
    fid = clean + _background(height, signals, options, rng) + lipid
    fid = truth.gain[:, None] * _ruined(fid, height, truth.ruin, signals, rng) + water
    turn = 2.0 * np.pi * truth.frequency_hz[:, None] * time + truth.phase_rad[:, None]
    return np.asarray(fid * np.exp(1j * (_eddy_phase(options, time) - turn)))


def _eddy_phase(options: SessionOptions, time: Array) -> Array:
    return np.asarray(np.deg2rad(options.eddy_deg) * np.exp(-time / options.eddy_time))


def _ruined(
    fid: Array, height: float, ruin: Array, signals: BasisSet, rng: np.random.Generator
) -> Array:
    """Return the FIDs with what ruins some of them."""
    fid, time = fid.copy(), signals.time
    for i in np.flatnonzero(ruin != ""):
        if ruin[i] == "movement":  # spread of fields and part of the voxel lost
            fid[i] *= rng.uniform(0.4, 0.8) * voigt_decay(time, rng.uniform(6.0, 14.0))
            fid[i] *= np.exp(1j * (rng.uniform(-2.0, 2.0) + 2 * np.pi * rng.normal(0, 6) * time))
        elif ruin[i] == "lipid":
            line = _line(_LIPID_PPM, 25.0, height * rng.uniform(3.0, 6.0), signals)[0]
            fid[i] += line * np.exp(1j * rng.uniform(-np.pi, np.pi))
        elif ruin[i] == "signal loss":
            fid[i] *= rng.uniform(0.1, 0.4)
        else:
            at = int(rng.integers(10, signals.n_points))
            fid[i, at] += height * rng.uniform(1.0, 3.0) * np.exp(1j * rng.uniform(-np.pi, np.pi))
    return fid


def reference(signals: BasisSet, options: SessionOptions) -> Array:
    """Return the FIDs of the water reference, without noise."""
    size = WATER_PROTONS * WATER_MM * signals.signal_per_proton
    decay = voigt_decay(signals.time, options.lorentz_hz, options.gauss_hz)
    fid = size * decay * np.exp(1j * _eddy_phase(options, signals.time))
    return np.tile(fid, (options.n_reference, 1))


def coils(
    options: SessionOptions, noise_sd: float, rng: np.random.Generator
) -> tuple[Array | None, Array | None]:
    """Return sensitivities and noise covariance whose best combination has the SNR asked for."""
    n = options.n_coils
    if n is None:
        return None, None
    sensitivity = rng.lognormal(0.0, 0.5, n) * np.exp(1j * rng.uniform(-np.pi, np.pi, n))
    vectors = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
    mixed = vectors @ vectors.conj().T
    scale = np.sqrt(np.diag(mixed).real)
    coherence = mixed / np.outer(scale, scale)
    off = np.abs(coherence - np.eye(n)).max()
    coherence = np.eye(n) + (coherence - np.eye(n)) * options.coil_correlation / max(off, 1e-12)
    smallest = float(np.linalg.eigvalsh(coherence)[0])
    if smallest < 0.05:  # many coils that all correlate as strongly cannot be: draw them apart
        coherence = np.eye(n) + (coherence - np.eye(n)) * 0.95 / (1.0 - smallest)
    spread = rng.lognormal(0.0, 0.2, n)
    covariance = coherence * np.outer(spread, spread)
    gain = (sensitivity.conj() @ np.linalg.solve(covariance, sensitivity)).real
    return sensitivity, covariance * gain * 2.0 * noise_sd**2


def _noise(
    shape: tuple[int, ...], noise_sd: float, covariance: Array | None, rng: np.random.Generator
) -> Array:
    """Return complex noise, correlated over the first axis where a covariance is given."""
    white = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    if covariance is None:
        return noise_sd * white
    if noise_sd == 0.0:
        return np.zeros(shape, complex)
    lower = np.linalg.cholesky(covariance / 2.0)
    return np.asarray(np.tensordot(lower, white, axes=1))
