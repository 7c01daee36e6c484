r"""Corrections that are the same for every transient: eddy currents, phase, ppm reference.

Eddy currents turn every FID of a protocol by the same angle :math:`\theta(t)`, which the phase of
the water reference shows (Klose 1990, 10.1002/mrm.1910140104):
:math:`y(t) \to y(t)\, e^{-i \theta(t)}`. This also takes the constant phase off, and puts the
frequency of the reference at the centre of the axis, where water stands at 4.65 ppm. Where the
water has decayed into the noise its phase is continued as a straight line.

Phase and ppm reference are those of the three singlets of NAA, creatine and choline: the shift and
phase at which they overlap best with the spectrum (Near 2021, 10.1002/nbm.4257).
"""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.constants import CHO_SINGLET_PPM, CR_SINGLET_PPM, NAA_SINGLET_PPM
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import InvalidInputError
from mrsproc.lineshape import voigt_decay
from mrsproc.preproc.alignment import best_shift, cut
from mrsproc.qc.noise import noise_sd

if TYPE_CHECKING:
    import pandas as pd

_ABOVE_NOISE: Final = 10.0  # of the water FID, where its phase is read point by point
_SINGLETS: Final = ((NAA_SINGLET_PPM, 1.0), (CR_SINGLET_PPM, 0.8), (CHO_SINGLET_PPM, 0.6))
_SINGLET_RANGE: Final = (1.7, 3.5)  # ppm
_WIDTH_HZ: Final = 6.0
_ROUNDS: Final = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class EddyPhase(Record):
    """Phase that eddy currents add to every FID.

    Parameters
    ----------
    phase_rad : ndarray, shape (n_points,)
        Phase of the water reference [rad], unwrapped.
    dwell_time : float
        Sampling interval [s].
    """

    phase_rad: Array
    dwell_time: float

    def apply(self, data: MRSData) -> MRSData:
        """Take the phase off every FID.

        Parameters
        ----------
        data : MRSData
            Of the same protocol.

        Returns
        -------
        MRSData
            Corrected.

        Raises
        ------
        InvalidInputError
            Other sampling, or more points than the reference had.
        """
        n = self.phase_rad.size
        if not np.isclose(self.dwell_time, data.acquisition.dwell_time, rtol=1e-3):
            raise InvalidInputError(
                f"the eddy-current phase is sampled every {self.dwell_time * 1e6:.6g} us, the "
                f"data every {data.acquisition.dwell_time * 1e6:.6g} us: use the water reference "
                "of the same protocol."
            )
        if data.n_points > n:
            raise InvalidInputError(
                f"the eddy-current phase has {n} points, the data have {data.n_points}: use the "
                "water reference of the same protocol."
            )
        turned = data.fid * np.exp(-1j * self.phase_rad[: data.n_points])
        return data.with_fid(
            turned.astype(data.fid.dtype),
            Step("Eddy current correction", "phase of the water reference (Klose)"),
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each point: columns time_s, phase_rad."""
        import pandas as pd

        time = axes.time_axis(self.phase_rad.size, self.dwell_time)
        return pd.DataFrame({"time_s": time, "phase_rad": self.phase_rad})


def eddy_phase(water: MRSData) -> EddyPhase:
    """Estimate the phase that eddy currents add.

    Parameters
    ----------
    water : MRSData
        Water reference, coils combined; FIDs are averaged.

    Returns
    -------
    EddyPhase
        To apply to every recording of the protocol, and to the reference itself.

    Raises
    ------
    InvalidInputError
        Coils that are not combined, or water that does not stand out from the noise.
    """
    if "coil" in water.dims:
        raise InvalidInputError(
            "the water reference has coils: combine them first, with mp.coil_weights."
        )
    for dim in water.mask_dims:
        water = water.mean(dim)
    fid, noise = np.asarray(water.fid), float(noise_sd(water))
    weak = np.flatnonzero(np.abs(fid) < _ABOVE_NOISE * noise)
    known = int(weak[0]) if weak.size else fid.size
    if known < 16:
        raise InvalidInputError(
            f"the water reference stands out from the noise for {known} points only: is it a "
            "reference without water suppression?"
        )
    phase = np.unwrap(np.angle(fid[:known]))
    tail = np.arange(known // 2, known)
    slope = np.polyfit(tail, phase[tail], 1, w=np.abs(fid[tail]))[0]
    rest = np.arange(known, fid.size)
    continued = phase[-1] + slope * (rest - known + 1)
    return EddyPhase(
        phase_rad=np.concatenate([phase, continued]), dwell_time=water.acquisition.dwell_time
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Phasing(Record):
    """Phase and ppm reference of a recording.

    Parameters
    ----------
    phase_rad : float
        Phase of zero order that the data have [rad], at the NAA singlet.
    phase1_rad_per_ppm : float, default 0
        Phase of first order that they have [rad/ppm], zero at the NAA singlet.
    shift_ppm : float, default 0
        How far the singlets stand from their chemical shifts, positive towards higher ppm [ppm].
    """

    phase_rad: float
    phase1_rad_per_ppm: float = 0.0
    shift_ppm: float = 0.0

    def apply(self, data: MRSData) -> MRSData:
        """Take phase and shift off every FID.

        Parameters
        ----------
        data : MRSData
            Recording.

        Returns
        -------
        MRSData
            Phased and referenced.
        """
        hz = self.shift_ppm * data.acquisition.spectrometer_frequency
        fid = data.fid * np.exp(1j * (2.0 * np.pi * hz * data.time - self.phase_rad))
        if self.phase1_rad_per_ppm:
            turn = np.exp(-1j * self.phase1_rad_per_ppm * (data.ppm - NAA_SINGLET_PPM))
            fid = axes.spectrum_to_fid(axes.fid_to_spectrum(fid) * turn)
        step = Step(
            "Frequency and phase correction",
            f"all FIDs: {self.phase_rad:.4g} rad, {self.phase1_rad_per_ppm:.4g} rad/ppm, "
            f"{self.shift_ppm:.4g} ppm",
        )
        return data.with_fid(fid.astype(data.fid.dtype), step)

    def to_frame(self) -> "pd.DataFrame":
        """Return one row: columns phase_rad, phase1_rad_per_ppm, shift_ppm."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])


def phasing(data: MRSData, *, first_order: bool = False) -> Phasing:
    """Estimate phase and ppm reference from the singlets of NAA, creatine and choline.

    Parameters
    ----------
    data : MRSData
        Proton spectra, coils combined, aligned; valid FIDs are averaged.
    first_order : bool, default False
        Whether the phase may differ between NAA and the other two. Leave it out unless the sequence
        has a known delay: the fit estimates it, too.

    Returns
    -------
    Phasing
        To apply.

    Raises
    ------
    InvalidInputError
        Coils that are not combined, or another nucleus.
    """
    if data.acquisition.nucleus != "1H" or "coil" in data.dims:
        raise InvalidInputError(
            "phase and reference are taken from proton singlets of combined coils; for other "
            "nuclei make a Phasing by hand."
        )
    for dim in data.mask_dims:
        data = data.mean(dim)
    lines = [_singlet(data, ppm, height) for ppm, height in _SINGLETS]
    template = cut(data.with_fid(np.sum(lines, axis=0), _MODEL), _SINGLET_RANGE)[0]
    hz = 0.0
    for _ in range(_ROUNDS):  # what the window cuts off moves with the shift
        moved = data.with_fid(data.fid * np.exp(-2j * np.pi * hz * data.time), _MODEL)
        turned, time = cut(moved, _SINGLET_RANGE)
        hz += float(best_shift(turned[None], template, time)[0])
    phase = float(np.angle(np.vdot(template, turned)))
    slope = 0.0
    if first_order:
        slope = _slope(turned, data, lines)
        span = np.array([ppm for ppm, _ in _SINGLETS]) - NAA_SINGLET_PPM
        weights = np.array([height for _, height in _SINGLETS])
        phase -= slope * float(weights @ span / weights.sum())
    frequency = data.acquisition.spectrometer_frequency
    return Phasing(phase_rad=phase, phase1_rad_per_ppm=slope, shift_ppm=-hz / frequency)


_MODEL: Final = Step("Simulation", "three singlets")


def _singlet(data: MRSData, ppm: float, height: float) -> Array:
    acquisition = data.acquisition
    hz = axes.ppm_to_hz(ppm, acquisition.spectrometer_frequency, acquisition.ppm_reference)
    decay = voigt_decay(data.time, 0.5 * _WIDTH_HZ, 0.5 * _WIDTH_HZ)
    return np.asarray(height * decay * np.exp(2j * np.pi * hz * data.time))


def _slope(turned: Array, data: MRSData, lines: list[Array]) -> float:
    """Return the phase of creatine and choline over that of NAA, per ppm, by least squares."""
    columns = np.stack([cut(data.with_fid(line, _MODEL), _SINGLET_RANGE)[0] for line in lines])
    amplitude = np.linalg.lstsq(columns.T, turned, rcond=None)[0]
    apart = np.angle(amplitude[1:] * np.conj(amplitude[0]))
    span = np.array([ppm for ppm, _ in _SINGLETS[1:]]) - NAA_SINGLET_PPM
    weight = np.abs(amplitude[1:])
    return float((weight * apart * span).sum() / (weight * span**2).sum())
