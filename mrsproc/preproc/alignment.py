r"""Frequency and phase of each transient by registration to a template.

A transient is the template shifted by f and turned by :math:`\phi`, plus noise. Least squares
over both is the maximum of :math:`|c(f)|`, :math:`c(f) = \sum_t \overline{m(t)} y(t) e^{-2\pi i
f t}`, and :math:`\phi` its angle there (Near 2015, 10.1002/mrm.25094, in closed form for the
phase). The signals are cut to a range of chemical shifts first. The template is the mean of the
aligned transients, found in a few rounds, as a sum of few damped exponentials: a template with the
freedom of a plain mean follows the noise of the transients that it aligns, which at low SNR makes
the rounds drift away from the truth.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import InvalidInputError
from mrsproc.numerics.hsvd import low_rank
from mrsproc.qc.noise import noise_sd

if TYPE_CHECKING:
    import pandas as pd

MAX_SHIFT_HZ: Final = 40.0
_ROUNDS: Final = 4
_PADDING: Final = 4
_TEMPLATE_RANK: Final = 20
_ROUND: Final = Step("Frequency correction", "round of the alignment")


@dataclass(frozen=True, eq=False, kw_only=True)
class Alignment(Record):
    """Frequency and phase of each transient, as found before correction.

    Parameters
    ----------
    frequency_hz : ndarray, shape (n_transients,)
        Shift towards higher ppm [Hz], relative to the mean.
    phase_rad : ndarray, shape (n_transients,)
        Phase [rad]; the FID is the template times ``exp(-1j * (2 pi frequency_hz t + phase_rad))``.
    frequency_sd_hz, phase_sd_rad : ndarray, shape (n_transients,)
        SDs from the noise.
    """

    frequency_hz: Array
    phase_rad: Array
    frequency_sd_hz: Array
    phase_sd_rad: Array

    def apply(self, data: MRSData) -> MRSData:
        """Shift and turn each transient back.

        Parameters
        ----------
        data : MRSData
            With as many transients.

        Returns
        -------
        MRSData
            Aligned.

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
        turn = _turn(-self.frequency_hz, -self.phase_rad, data.time)
        shape = [1] * data.fid.ndim
        shape[axis], shape[-1] = turn.shape
        aligned = (data.fid * turn.reshape(shape)).astype(data.fid.dtype)
        return data.with_fid(
            aligned,
            Step("Frequency and phase correction", "spectral registration to the iterated mean"),
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each transient.

        Returns
        -------
        pandas.DataFrame
            Columns transient, frequency_hz, frequency_sd_hz, phase_rad, phase_sd_rad.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "transient": np.arange(self.frequency_hz.size),
                "frequency_hz": self.frequency_hz,
                "frequency_sd_hz": self.frequency_sd_hz,
                "phase_rad": self.phase_rad,
                "phase_sd_rad": self.phase_sd_rad,
            }
        )


def align(data: MRSData, *, ppm: tuple[float, float] = (1.8, 4.2)) -> Alignment:
    """Estimate frequency and phase of each transient.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"); masked transients take no part in the template.
    ppm : tuple of float, default (1.8, 4.2)
        Range of chemical shifts that is compared [ppm].

    Returns
    -------
    Alignment
        To inspect and apply.

    Raises
    ------
    InvalidInputError
        Other dimensions, or no valid transient.
    """
    if data.dims != ("transient", "time"):
        raise InvalidInputError(
            f"dims = {data.dims}: alignment wants ('transient', 'time'). Combine coils and "
            "select the others first."
        )
    if not data.mask.any():
        raise InvalidInputError("every transient is masked: there is nothing to align to.")
    if not np.abs(data.fid[data.mask]).any():
        raise InvalidInputError("every valid transient is zero: there is nothing to align.")
    still = data
    signals, time = _cut(still, ppm)
    frequency, phase = np.zeros(len(signals)), np.zeros(len(signals))
    template = low_rank(signals[data.mask][0], _TEMPLATE_RANK)
    for _ in range(_ROUNDS):
        more, _ = _registered(signals, template, time)
        frequency += more
        still = data.with_fid(data.fid * _turn(frequency, 0.0 * phase, data.time), _ROUND)
        signals, _ = _cut(still, ppm)
        phase = np.angle((signals * template.conj()).sum(axis=1))
        signals = signals * np.exp(-1j * phase[:, None])
        template = low_rank(signals[data.mask].mean(axis=0), _TEMPLATE_RANK)
    frequency -= frequency[data.mask].mean()
    frequency_sd, phase_sd = _bounds(
        template, time, noise_sd(data) * np.sqrt(data.acquisition.dwell_time / time[1])
    )
    return Alignment(
        frequency_hz=-frequency,
        phase_rad=-phase,
        frequency_sd_hz=frequency_sd,
        phase_sd_rad=phase_sd,
    )


def _turn(frequency: Array, phase: Array, time: Array) -> Array:
    """Return what takes a frequency [Hz] and phase [rad] off each FID."""
    return np.asarray(np.exp(-1j * (2.0 * np.pi * frequency[:, None] * time + phase[:, None])))


def _cut(data: MRSData, ppm: tuple[float, float]) -> tuple[Array, Array]:
    """Return the decimated FIDs of a range of chemical shifts, and their times [s]."""
    inside = np.flatnonzero((data.ppm >= min(ppm)) & (data.ppm <= max(ppm)))
    if inside.size < 16:
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


def _registered(signals: Array, template: Array, time: Array) -> tuple[Array, Array]:
    """Return frequency [Hz] and phase [rad] of each signal relative to the template."""
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
    turned = product * np.exp(-2j * np.pi * frequency[:, None] * time)
    return frequency, np.angle(turned.sum(axis=1))


def _bounds(template: Array, time: Array, noise: Array) -> tuple[Array, Array]:
    """Return the Cramer-Rao bounds of frequency [Hz] and phase [rad] for a known template."""
    power = np.abs(template) ** 2
    e0, e1, e2 = (float((power * time**k).sum()) for k in range(3))
    spread = e2 - e1**2 / e0
    return noise / (2.0 * np.pi * np.sqrt(spread)), noise * np.sqrt(e2 / (e0 * spread))
