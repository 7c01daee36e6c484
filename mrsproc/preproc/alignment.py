r"""Frequency and phase of each transient by registration to a template.

A transient is the template shifted by f and turned by :math:`\phi`, plus residual water of its own
and noise. A first value comes from the maximum of :math:`|c(f)|`, :math:`c(f) = \sum_t
\overline{m(t)} y(t) e^{-2\pi i f t}`, where large shifts do no harm (Near 2015, 10.1002/mrm.25094,
in closed form for the phase); then frequency, phase, size and the residual water of each transient
are fitted together (`mrsproc.preproc.registration`). The template is the mean of the aligned
transients without those that do not resemble it, found in a few rounds, as a sum of few damped
exponentials: a template with the freedom of a plain mean follows the noise of the transients that
it aligns, which at low SNR makes the rounds drift away from the truth.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import InvalidInputError
from mrsproc.numerics.hsvd import low_rank
from mrsproc.preproc.drift import Smoothed, smoothed
from mrsproc.preproc.registration import Registration, State, Window
from mrsproc.preproc.water import WATER_PPM, water_lines
from mrsproc.qc.noise import noise_sd

if TYPE_CHECKING:
    import pandas as pd

MAX_SHIFT_HZ: Final = 40.0
FULL_PPM: Final = (0.2, 5.2)
"""Window of the alignment: the metabolites, and the residual water that is fitted with them."""
TOP_PPM: Final = 4.3
"""Where metabolites end and residual water begins [ppm]."""
_MARGIN_PPM: Final = 0.5  # of the template beyond the window
_COARSE_ROUNDS: Final = 2
_ROUNDS: Final = 3
_PADDING: Final = 4
_COARSE_RANK: Final = 20
_COARSE_HZ: Final = 8.0  # line broadening of the first values
_WATER_LINES: Final = 2
_LIPID_PPM: Final = (1.0, 1.6)
_LIPID_HZ: Final = 20.0  # first width of a lipid line
_UNSTABLE: Final = 1.5  # variance of the residual over that of the noise
_STEADY: Final = 2.0  # scatter of water about the metabolites, over the SD of those
_LEAST_STEADY: Final = 4
_FIRST: Final = 32  # transients whose common part is the first template
_LINE_ABOVE_NOISE: Final = 4.0  # height of a water line that is worth its unknowns
_UNLIKE: Final = 4.0  # robust SDs of the residual above which a transient is left out
_LEAST_POINTS: Final = 16

Drift = Literal["independent", "smooth"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Alignment(Record):
    """Frequency and phase of each transient, as found before correction.

    Parameters
    ----------
    frequency_hz : ndarray, shape (n_transients,)
        Shift towards higher ppm [Hz], relative to the mean; NaN for a transient without signal.
    phase_rad : ndarray, shape (n_transients,)
        Phase [rad], relative to the mean; the FID is the template times
        ``exp(-1j * (2 pi frequency_hz t + phase_rad))``.
    frequency_sd_hz, phase_sd_rad : ndarray, shape (n_transients,)
        SDs from the noise, or from the residual where that is larger.
    amplitude : ndarray, shape (n_transients,)
        Size relative to the template.
    """

    frequency_hz: Array
    phase_rad: Array
    frequency_sd_hz: Array
    phase_sd_rad: Array
    amplitude: Array

    def apply(self, data: MRSData) -> MRSData:
        """Shift and turn each transient back.

        Parameters
        ----------
        data : MRSData
            With as many transients.

        Returns
        -------
        MRSData
            Aligned; a transient of unknown frequency stays as it is.

        Raises
        ------
        InvalidInputError
            Another number of transients.
        """
        axis = data.axis("transient")
        if data.sizes["transient"] != self.frequency_hz.size:
            raise InvalidInputError(
                f"the alignment is for {self.frequency_hz.size} transients, the data have "
                f"{data.sizes['transient']}."
            )
        frequency, phase = np.nan_to_num(self.frequency_hz), np.nan_to_num(self.phase_rad)
        turn = np.exp(1j * (2.0 * np.pi * frequency[:, None] * data.time + phase[:, None]))
        shape = [1] * data.fid.ndim
        shape[axis], shape[-1] = turn.shape
        aligned = (data.fid * turn.reshape(shape)).astype(data.fid.dtype)
        return data.with_fid(
            aligned,
            Step("Frequency and phase correction", "registration to the iterated mean"),
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each transient.

        Returns
        -------
        pandas.DataFrame
            Columns transient, frequency_hz, frequency_sd_hz, phase_rad, phase_sd_rad, amplitude.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "transient": np.arange(self.frequency_hz.size),
                "frequency_hz": self.frequency_hz,
                "frequency_sd_hz": self.frequency_sd_hz,
                "phase_rad": self.phase_rad,
                "phase_sd_rad": self.phase_sd_rad,
                "amplitude": self.amplitude,
            }
        )


def align(
    data: MRSData, *, ppm: tuple[float, float] = FULL_PPM, drift: Drift = "independent"
) -> Alignment:
    """Estimate frequency and phase of each transient.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"); masked transients take no part in the template. Residual water
        may be there: each transient's is fitted with it.
    ppm : tuple of float, default (0.2, 5.2)
        Range of chemical shifts that is compared [ppm]. The range of water is worth including:
        what is fitted there is known in the rest.
    drift : {"independent", "smooth"}, default "independent"
        Whether each frequency is estimated by itself, or with a prior: a random walk plus
        scatter, their sizes by maximum likelihood. Smooth is better at low SNR.

    Returns
    -------
    Alignment
        To inspect and apply.

    Raises
    ------
    InvalidInputError
        Other dimensions, no valid transient, or an unknown model of drift.

    References
    ----------
    Near 2015, 10.1002/mrm.25094; Mikkelsen 2020, 10.1002/mrm.28027; Wilson 2019,
    10.1002/mrm.27605.
    """
    _check(data, drift)
    flat = np.asarray(data.fid)
    known = np.isfinite(flat).all(axis=1) & flat.any(axis=1)
    part = data.select(transient=known)
    fit = _fitted(part, ppm, nuisance=_holds_residual_water(part))
    if fit.state.water.any() and _water_is_steady(fit, part):
        fit = _fitted(part, ppm, nuisance=False)
    state = fit.state
    frequency = Smoothed(state.frequency, fit.frequency_sd)
    if drift == "smooth":
        frequency = smoothed(*frequency, part.mask)
    mean_phase = np.angle(np.exp(1j * state.phase[part.mask]).sum())
    columns = {
        "frequency_hz": frequency.value - frequency.value[part.mask].mean(),
        "phase_rad": np.angle(np.exp(1j * (state.phase - mean_phase))),
        "frequency_sd_hz": frequency.sd,
        "phase_sd_rad": fit.phase_sd,
        "amplitude": state.gain,
    }
    return Alignment(**{name: _spread(values, known) for name, values in columns.items()})


class _Fit(NamedTuple):
    """Transients registered to their template."""

    state: State
    frequency_sd: Array
    phase_sd: Array


def _fitted(data: MRSData, ppm: tuple[float, float], *, nuisance: bool) -> _Fit:
    """Register transients to their iterated mean; water is a nuisance, or part of the signal."""
    good = np.asarray(data.mask)
    noise = noise_sd(data) * np.sqrt(data.n_points)
    fid = np.asarray(data.fid, complex)
    window = Window.of(data, ppm)
    registration = Registration(fid, data, window, float(np.median(noise[good])))
    metabolites = _without_water(ppm) if nuisance else (min(ppm), max(ppm))
    state = State.at_rest(len(fid), _WATER_LINES + 1)
    if nuisance:
        fid = _take_water_lines(registration, state, data, ppm)
    dry = data.with_fid(fid, Step("Nuisance peak removal", "for the first values"))
    frequency, phase = _coarse(dry, good, metabolites)
    state.frequency, state.phase = -frequency, -phase
    top = metabolites[1] + _MARGIN_PPM
    band = band_hz(data, (metabolites[0] - _MARGIN_PPM, min(top, TOP_PPM) if nuisance else top))
    for _ in range(_ROUNDS):
        without = (registration.fid - state.water_fid(data.time)) * state.turn(data.time)
        template = registration.denoised_mean(without[good], band)
        found = registration.refine(state, template)
        residual = found.residual - registration.learn(found.residual[good])
        variance = registration.variance(residual)
        _watch_lipids(registration, state, data, residual)
        good = data.mask & alike(variance, data.mask)
    point_sd = np.maximum(noise, registration.noise * np.sqrt(found.variance))
    return _Fit(state, found.sd[:, 2] * point_sd, found.sd[:, 1] * point_sd)


def _water_is_steady(fit: _Fit, data: MRSData) -> bool:
    """Tell whether water has the frequency and phase of the metabolites in every transient.

    Where suppression leaves the same water each time, it is the best signal to align by.
    """
    if data.mask.sum() < _LEAST_STEADY:
        return False
    frequency, phase = _coarse(data, data.mask, (TOP_PPM, WATER_PPM[1]))
    turned = np.exp(1j * (phase + fit.state.phase))
    turned = np.angle(turned / turned[data.mask].mean())
    pairs = ((frequency + fit.state.frequency, fit.frequency_sd), (turned, fit.phase_sd))
    return all(
        1.4826 * np.median(np.abs(values - np.median(values[data.mask]))[data.mask])
        < _STEADY * np.median(sd[data.mask])
        for values, sd in pairs
    )


def _spread(values: Array, known: Array) -> Array:
    """Return values of the known transients among all, NaN for the others."""
    full = np.full(known.size, np.nan)
    full[known] = values
    return full


def _check(data: MRSData, drift: str) -> None:
    if data.dims != ("transient", "time"):
        raise InvalidInputError(
            f"dims = {data.dims}: alignment wants ('transient', 'time'). Combine coils and "
            "select the others first."
        )
    if not data.mask.any():
        raise InvalidInputError("every transient is masked: there is nothing to align to.")
    if not np.abs(data.fid[data.mask]).any():
        raise InvalidInputError("every valid transient is zero: there is nothing to align.")
    if drift not in {"independent", "smooth"}:
        raise InvalidInputError(f"drift = {drift!r}: give 'independent' or 'smooth'.")


def _take_water_lines(
    registration: Registration, state: State, data: MRSData, ppm: tuple[float, float]
) -> Array:
    """Give transients their water lines, and return them without.

    Where the window leaves water out, it is taken off the transients instead: its tail is not
    enough to fit it by.
    """
    fid = np.array(registration.fid)
    inside = max(ppm) >= WATER_PPM[1]
    for i, lines in enumerate(water_lines(data, WATER_PPM)):
        assert lines is not None  # unknown transients were left out
        tall = lines.taller_than(_LINE_ABOVE_NOISE * registration.noise, data.time[1])
        fid[i] -= tall.fid(data.time)
        if inside:
            n = min(_WATER_LINES, tall.rate.size)
            state.rate[i, :n], state.water[i, :n] = tall.rate[:n], tall.amplitude[:n]
    if not inside:
        registration.fid = fid
    return fid


def _holds_residual_water(data: MRSData) -> bool:
    """Whether water is a nuisance here, and not the signal itself."""
    inside = data.ppm.min() < WATER_PPM[0] < WATER_PPM[1] < data.ppm.max()
    suppressed = data.acquisition.water_suppressed is not False
    return data.acquisition.nucleus == "1H" and suppressed and inside


def _without_water(ppm: tuple[float, float]) -> tuple[float, float]:
    """Return the part of the window that holds metabolites, all of it where there is none."""
    low, high = min(ppm), max(ppm)
    return (low, min(high, TOP_PPM)) if low < TOP_PPM else (low, high)


def _coarse(data: MRSData, good: Array, ppm: tuple[float, float]) -> tuple[Array, Array]:
    """Return frequency [Hz] and phase [rad] that align the transients to their denoised mean."""
    signals, time = cut(data, ppm)
    signals = signals * np.exp(-np.pi * _COARSE_HZ * time)  # late noise has no say
    signals = signals / np.maximum(np.linalg.norm(signals, axis=1, keepdims=True), 1e-300)
    template = np.linalg.svd(signals[good][:_FIRST], full_matrices=False)[2][0]
    for _ in range(_COARSE_ROUNDS):
        frequency = best_shift(signals, template, time)
        turned = signals * np.exp(-2j * np.pi * frequency[:, None] * time)
        phase = np.angle((turned * template.conj()).sum(axis=1))
        mean = (turned * np.exp(-1j * phase[:, None]))[good].mean(axis=0)
        template = low_rank(mean, _COARSE_RANK)
    return frequency, phase


def band_hz(data: MRSData, ppm: tuple[float, float]) -> tuple[float, float]:
    """Return the lower and upper end of a range of chemical shifts [ppm] in Hz."""
    acquisition = data.acquisition
    low, high = axes.ppm_to_hz(
        (max(ppm), min(ppm)), acquisition.spectrometer_frequency, acquisition.ppm_reference
    )
    return float(low), float(high)


def _watch_lipids(registration: Registration, state: State, data: MRSData, residual: Array) -> None:
    """Give each transient a lipid line of its own, where lipids vary more than the noise."""
    frequency = registration.window.frequency
    low, high = band_hz(data, _LIPID_PPM)
    inside = (frequency > low) & (frequency < high)
    if state.water[:, -1].any() or inside.sum() < _LEAST_POINTS:
        return
    if np.median(registration.weight[inside]) > 1.0 / _UNSTABLE:
        return
    centre = 0.5 * (low + high) - state.frequency
    state.rate[:, -1] = -np.pi * _LIPID_HZ + 2j * np.pi * centre
    registration.start_line(state, -1, residual)


def alike(variance: Array, valid: Array) -> Array:
    """Tell which transients resemble the template: by their residual, on the high side only."""
    centre = np.median(variance[valid])
    spread = 1.4826 * np.median(np.abs(variance[valid] - centre))
    return np.asarray(variance <= centre + _UNLIKE * spread + 0.05 * centre)


def cut(data: MRSData, ppm: tuple[float, float]) -> tuple[Array, Array]:
    """Return the decimated FIDs of a range of chemical shifts [ppm], and their times [s]."""
    inside = np.flatnonzero((data.ppm >= min(ppm)) & (data.ppm <= max(ppm)))
    if inside.size < _LEAST_POINTS:
        raise InvalidInputError(
            f"ppm = {ppm}: the spectra hold {inside.size} points there; choose a wider range "
            f"inside {data.ppm.min():.1f} to {data.ppm.max():.1f} ppm."
        )
    edge = max(2, inside.size // 10)
    taper = np.ones(inside.size)
    taper[:edge] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    taper[-edge:] = taper[:edge][::-1]
    signals = np.fft.ifft(np.nan_to_num(data.spectrum[..., inside]) * taper, axis=-1) * (
        inside.size / data.n_points
    )
    time = np.arange(inside.size) * data.acquisition.dwell_time * data.n_points / inside.size
    return signals, time


def best_shift(signals: Array, template: Array, time: Array) -> Array:
    """Return the frequency [Hz] of each signal relative to the template."""
    product = signals * template.conj()
    size = _PADDING * time.size
    coarse = np.fft.fftfreq(size, time[1])
    strength = np.abs(np.fft.fft(product, size, axis=1))
    strength[:, np.abs(coarse) > MAX_SHIFT_HZ] = 0.0
    frequency = coarse[np.argmax(strength, axis=1)]
    for _ in range(4):  # Newton on |c|^2
        turned = product * np.exp(-2j * np.pi * frequency[:, None] * time)
        c, c1, c2 = (np.sum(turned * (-2j * np.pi * time) ** k, axis=1) for k in range(3))
        slope = 2.0 * (c.conj() * c1).real
        curvature = 2.0 * (np.abs(c1) ** 2 + (c.conj() * c2).real)
        step = np.where(curvature < 0.0, -slope / np.where(curvature < 0.0, curvature, -1.0), 0.0)
        frequency = frequency + np.clip(step, -0.5 * coarse[1], 0.5 * coarse[1])
    return np.asarray(frequency)
