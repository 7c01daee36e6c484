"""What a simulated session is like."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from mrsproc.data import Record
from mrsproc.errors import InvalidInputError

WaterPhase = Literal["random", "constant", "cycled"]
_COUNTS: Final = ("n_transients", "n_points", "n_reference", "phase_cycle")
_SIZES: Final = (
    "gauss_hz", "lorentz_hz", "shift_sd_ppm", "lorentz_sd_hz", "concentration_sd",
    "frequency_jitter_hz", "frequency_jump_hz", "phase_jitter_deg", "gain_jitter",
    "residual_water", "residual_water_sd", "background", "lipid", "infusion_duration",
)  # fmt: skip

_POSITIVE: Final = ("repetition_time", "dwell_time", "snr", "eddy_time")


@dataclass(frozen=True, eq=False, kw_only=True)
class SessionOptions(Record):
    """Options of `mrsproc.simulate`: what is recorded, and what disturbs it.

    Sizes of water, lipid and background are relative to the tallest metabolite peak before the
    drug.

    Parameters
    ----------
    n_transients : int, default 320
        Transients.
    repetition_time : float, default 2.5
        Time between transients [s].
    echo_time : float, optional
        Echo time of the basis set that is given [s], for the header.
    n_points : int, default 1024
        Points of a FID.
    dwell_time : float, default 5e-4
        Sampling interval [s].
    n_coils : int or None, default None
        Receive coils; None for FIDs that are combined.
    coil_correlation : float, default 0.3
        Largest correlation of the noise between coils.
    n_reference : int, default 4
        Transients of the water reference.
    snr : float, default 10
        Tallest metabolite peak of one transient over the SD of the noise, in the real spectrum;
        of the best combination where there are coils. ``inf`` for none.
    infusion_onset, infusion_duration : float, default 300 and 400
        The infusion [s]; what it changes follows the response.
    concentration_sd : float, default 0
        SD of the natural logarithm of each concentration between sessions.
    gauss_hz, lorentz_hz : float, default 5 and 0.8
        Full widths at half maximum common to all signals [Hz].
    shift_sd_ppm, lorentz_sd_hz : float, default 0.004 and 0.15
        SDs of the shift [ppm] and of the Lorentzian width [Hz] of single signals.
    frequency_drift_hz : float, default 4
        Drift from the first to the last transient [Hz], steeper at the start.
    frequency_jitter_hz : float, default 0.7
        SD of the frequency from one transient to the next [Hz].
    n_frequency_jumps : int, default 0
        How many lasting jumps of the frequency there are.
    frequency_jump_hz : float, default 5
        SD of a jump [Hz].
    phase_jitter_deg : float, default 6
        SD of the phase of a transient [deg].
    line_narrowing_hz : float, default 0
        By how much the lines are narrower at full response [Hz].
    gain_drift : float, default 0
        Relative change of everything from the first to the last transient.
    gain_jitter : float, default 0
        Relative SD of everything from one transient to the next.
    residual_water, residual_water_sd : float, default 1 and 0.5
        Mean and SD of the height of residual water.
    water_phase : {"random", "constant", "cycled"}, default "random"
        Phase of residual water: new in each transient, the same, or turned by the phase cycle so
        that it cancels over a whole one.
    phase_cycle : int, default 8
        Steps of the phase cycle.
    lipid : float, default 0
        Height of a lipid signal from outside the voxel, of random phase.
    background : float, default 0.05
        SD of a smooth background at its knots.
    eddy_deg, eddy_time : float, default 0 and 0.03
        Phase that eddy currents add at the start of a FID [deg], and its time constant [s].
    n_ruined : int, default 0
        Transients ruined by movement, lipids, loss of signal or a spike.

    Raises
    ------
    InvalidInputError
        A value that is not allowed.
    """

    n_transients: int = 320
    repetition_time: float = 2.5
    echo_time: float | None = None
    n_points: int = 1024
    dwell_time: float = 5e-4
    n_coils: int | None = None
    coil_correlation: float = 0.3
    n_reference: int = 4
    snr: float = 10.0
    infusion_onset: float = 300.0
    infusion_duration: float = 400.0
    concentration_sd: float = 0.0
    gauss_hz: float = 5.0
    lorentz_hz: float = 0.8
    shift_sd_ppm: float = 0.004
    lorentz_sd_hz: float = 0.15
    frequency_drift_hz: float = 4.0
    frequency_jitter_hz: float = 0.7
    n_frequency_jumps: int = 0
    frequency_jump_hz: float = 5.0
    phase_jitter_deg: float = 6.0
    line_narrowing_hz: float = 0.0
    gain_drift: float = 0.0
    gain_jitter: float = 0.0
    residual_water: float = 1.0
    residual_water_sd: float = 0.5
    water_phase: WaterPhase = "random"
    phase_cycle: int = 8
    lipid: float = 0.0
    background: float = 0.05
    eddy_deg: float = 0.0
    eddy_time: float = 0.03
    n_ruined: int = 0

    def __post_init__(self) -> None:
        for name in _COUNTS:
            if not isinstance(getattr(self, name), int | np.integer) or getattr(self, name) < 1:
                raise InvalidInputError(f"{name} = {getattr(self, name)!r}: give 1 or more.")
        for name in _SIZES:
            if not 0.0 <= getattr(self, name) < np.inf:
                raise InvalidInputError(
                    f"{name} = {getattr(self, name)!r}: give a number that is not negative."
                )
        for name in _POSITIVE:
            if not getattr(self, name) > 0.0:
                raise InvalidInputError(f"{name} = {getattr(self, name)!r}: give a positive one.")
        for name, allowed, good in self._choices():
            if not good:
                raise InvalidInputError(f"{name} = {getattr(self, name)!r}: give {allowed}.")
        super().__post_init__()

    def _choices(self) -> list[tuple[str, str, bool]]:
        """Return name, what is allowed, and whether it holds."""
        return [
            ("n_coils", "1 or more, or None", self.n_coils is None or self.n_coils >= 1),
            (
                "n_ruined",
                f"0 to {self.n_transients}, the number of transients",
                0 <= self.n_ruined <= self.n_transients,
            ),
            ("n_frequency_jumps", "0 or more", self.n_frequency_jumps >= 0),
            ("coil_correlation", "0 or more, below 1", 0.0 <= self.coil_correlation < 1.0),
            (
                "water_phase",
                "'random', 'constant' or 'cycled'",
                self.water_phase in get_args(WaterPhase),
            ),
        ]
