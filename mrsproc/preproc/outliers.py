r"""Transients that do not resemble the others: found, named, masked, never cut out.

Each transient is compared with the mean of the good ones by least squares
(`mrsproc.preproc.registration`), which gives its size, its extra linewidth, its frequency and what
is left over. A drug changes lines and sizes slowly, ruin is sudden: each measure is judged by its
distance from the running median around it, in units of a robust SD (1.4826 times the median
absolute deviation, of all or of those above, the larger), and only on the side where a transient is
bad: more residual (its logarithm, since water and lipids vary by factors), broader lines, less
signal. The frequency is judged by its distance from its own trend, on both sides.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike

from mrsproc.axes import Array
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import DataWarning, InvalidInputError
from mrsproc.preproc.alignment import Alignment, alike, band_hz
from mrsproc.preproc.registration import Registered, Registration, State, Window
from mrsproc.preproc.water import has_water_range, remove_water, water_is_removed
from mrsproc.qc.noise import noise_sd

if TYPE_CHECKING:
    import pandas as pd

MAX_REJECTED: Final = 0.2
"""Part of an epoch above which its loss is told aloud."""
_PPM: Final = (0.2, 3.8)  # what removal leaves of water varies above
_ROUNDS: Final = 2
_NEIGHBOURS: Final = 20  # transients on either side that the running median takes
_FREQUENCY_NEIGHBOURS: Final = 5  # of the frequency, which may drift steeply
_LEAST: Final = 8  # transients that it takes to know what is usual
_LIMIT: Final = 4.0  # robust SDs; a good transient exceeds it once in 30 000
_TREND_LIMIT: Final = 6.0  # of the frequency: motion, not the scatter of breathing
_LEAST_SPREAD: Final = {"residual": 0.0, "broad lines": 0.15, "low amplitude": 0.01}
"""SDs [1, Hz, 1] that harm no fit: at high SNR smaller differences are real, but not ruin."""
_LEAST_GAIN: Final = 0.5  # of the median of all, below which a transient is lost in any case
_MAD_TO_SD: Final = 1.4826


@dataclass(frozen=True, eq=False, kw_only=True)
class Rejection(Record):
    """Which transients are bad, and why.

    Parameters
    ----------
    valid : ndarray of bool, shape (n_transients,)
        Transients that take part; those masked before do not.
    reason : ndarray of str, shape (n_transients,)
        Why a transient takes no part, reasons joined by "; ", empty for one that does.
    epoch : ndarray of str, shape (n_transients,)
        Part of the session.
    amplitude : ndarray, shape (n_transients,)
        Size relative to the mean.
    extra_linewidth_hz, extra_linewidth_sd_hz : ndarray, shape (n_transients,)
        Lorentzian width beyond that of the mean [Hz], and its SD.
    residual : ndarray, shape (n_transients,)
        Mean square of what is left over, 1 for noise alone.
    template : ndarray of complex, shape (n_points,)
        Mean of the good transients, as few damped exponentials; a row a condition where there are
        several.
    """

    valid: Array
    reason: Array
    epoch: Array
    amplitude: Array
    extra_linewidth_hz: Array
    extra_linewidth_sd_hz: Array
    residual: Array
    template: Array

    def apply(self, data: MRSData) -> MRSData:
        """Mask the bad transients.

        Parameters
        ----------
        data : MRSData
            With as many transients.

        Returns
        -------
        MRSData
            With all FIDs, and a mask that leaves the bad ones out.

        Raises
        ------
        InvalidInputError
            Another number of transients.
        """
        axis = data.axis("transient")
        if data.sizes["transient"] != self.valid.size:
            raise InvalidInputError(
                f"the rejection is for {self.valid.size} transients, the data have "
                f"{data.sizes['transient']}."
            )
        shape = [1] * len(data.mask_dims)
        shape[data.mask_dims.index(data.dims[axis])] = self.valid.size
        bad = int((~self.valid).sum())
        return data.with_mask(
            data.mask & self.valid.reshape(shape),
            Step("Rejection of transients", f"find_outliers: {bad} of {self.valid.size} masked"),
        )

    def rates(self) -> dict[str, float]:
        """Return the part of each epoch that is lost."""
        names = dict.fromkeys(self.epoch.tolist())
        return {name: float((~self.valid[self.epoch == name]).mean()) for name in names}

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each transient.

        Returns
        -------
        pandas.DataFrame
            Columns transient, epoch, amplitude, extra_linewidth_hz, extra_linewidth_sd_hz,
            residual, valid, reason.
        """
        import pandas as pd

        columns = (
            "epoch", "amplitude", "extra_linewidth_hz", "extra_linewidth_sd_hz", "residual",
            "valid", "reason",
        )  # fmt: skip
        return pd.DataFrame(
            {
                "transient": np.arange(self.valid.size),
                **{name: getattr(self, name) for name in columns},
            }
        )


def find_outliers(
    data: MRSData,
    *,
    alignment: Alignment | None = None,
    epochs: ArrayLike | None = None,
    max_rejected: float = MAX_REJECTED,
) -> Rejection:
    """Find the transients that do not resemble the others.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"), aligned; residual water is left out of the comparison.
    alignment : Alignment, optional
        What the data were aligned by; with it, frequencies off the trend are found, too.
    epochs : array_like of str, shape (n_transients,), optional
        Part of the session that each transient belongs to; one for all when not given.
    max_rejected : float, default 0.2
        Part of an epoch above which a warning tells of its loss.

    Returns
    -------
    Rejection
        To inspect and apply. Of fewer than 8 transients only those of zeros are masked.

    Raises
    ------
    InvalidInputError
        Other dimensions, no valid transient, or epochs that do not fit.

    Warns
    -----
    DataWarning
        An epoch that loses more than `max_rejected`.

    References
    ----------
    Near 2021, 10.1002/nbm.4257 (criteria); Rousseeuw 1993, 10.1080/01621459.1993.10476408 (robust
    SD).
    """
    if data.dims != ("transient", "time"):
        raise InvalidInputError(
            f"dims = {data.dims}: outliers are found among ('transient', 'time'). Combine coils "
            "and select the others first."
        )
    if not data.mask.any():
        raise InvalidInputError("every transient is masked: there is none to judge.")
    n = data.sizes["transient"]
    epoch = np.full(n, "all") if epochs is None else np.asarray(epochs, str)
    if epoch.shape != (n,):
        raise InvalidInputError(f"epochs of shape {epoch.shape}: give one for each transient, {n}.")
    silent = data.mask & ~data.fid.any(axis=1)
    data = data.with_mask(data.mask & ~silent, Step("Selection", "FIDs of zeros masked"))
    if not data.mask.any():
        raise InvalidInputError("every valid transient is zero: there is none to judge.")
    dry = data if water_is_removed(data) or not has_water_range(data) else remove_water(data)
    state, found, template = compared(dry)
    measures = {
        "residual": np.log(np.maximum(found.variance, 1e-12)),
        "broad lines": state.width,
        "low amplitude": -state.gain,
    }
    reasons: list[list[str]] = [[] if good else ["masked before"] for good in data.mask]
    for i in np.flatnonzero(silent):
        reasons[i] = ["no signal"]
    for name, values in measures.items():
        _judge(
            reasons,
            name,
            _distance(values, data.mask, least=_LEAST_SPREAD[name]),
            data.mask,
            _LIMIT,
        )
    lost = (state.gain < _LEAST_GAIN * np.median(state.gain[data.mask])) & data.mask
    lost &= data.mask.sum() >= _LEAST
    for i in np.flatnonzero(lost):  # a long stretch of them is its own neighbourhood
        reasons[i] = list(dict.fromkeys([*reasons[i], "low amplitude"]))
    if alignment is not None:
        off = np.abs(_distance(alignment.frequency_hz, data.mask, _FREQUENCY_NEIGHBOURS))
        _judge(reasons, "frequency off trend", off, data.mask, _TREND_LIMIT)
    point_sd = noise_sd(dry) * np.sqrt(data.n_points)
    result = Rejection(
        valid=np.array([not reason for reason in reasons]),
        reason=np.array(["; ".join(reason) for reason in reasons]),
        epoch=epoch,
        amplitude=state.gain,
        extra_linewidth_hz=state.width,
        extra_linewidth_sd_hz=found.sd[:, 3] * point_sd,
        residual=found.variance,
        template=template,
    )
    _warn_of_losses(result, max_rejected)
    return result


def compared(data: MRSData) -> tuple[State, Registered, Array]:
    """Compare each transient with the mean of those that are alike."""
    fid = np.nan_to_num(np.asarray(data.fid, complex))
    good = np.array(data.mask)
    typical = float(np.median(noise_sd(data)[good])) * np.sqrt(data.n_points)
    registration = Registration(fid, data, Window.of(data, _PPM), typical, widths=True)
    band = band_hz(data, (_PPM[0] - 0.2, _PPM[1] + 0.5))
    state = State.at_rest(len(fid))
    for _ in range(_ROUNDS):
        template = registration.denoised_mean((fid * state.turn(data.time))[good], band)
        registration.centre(state, template, good)
        found = registration.refine(state, template)
        variance = registration.variance(found.residual - registration.learn(found.residual[good]))
        good = data.mask & alike(variance, data.mask)
    return state, found._replace(variance=variance), template


def _distance(
    values: Array, valid: Array, neighbours: int = _NEIGHBOURS, least: float = 0.0
) -> Array:
    """Return how many robust SDs each value lies above the running median of the valid ones."""
    if valid.sum() < _LEAST:
        return np.zeros(values.size)
    gone = values - running_median(values, valid, neighbours)
    above = gone[valid & (gone >= 0.0)]  # the side that is judged may be the wider one
    spread = _MAD_TO_SD * max(np.median(np.abs(gone[valid])), np.median(above))
    return np.asarray(gone / max(spread, least, 1e-12))


def running_median(values: Array, valid: Array, neighbours: int) -> Array:
    """Return the median of the valid values around each.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Values in order of time.
    valid : ndarray of bool, shape (n,)
        Which of them count; at least one.
    neighbours : int
        How many on either side are taken.

    Returns
    -------
    ndarray, shape (n,)
        Medians; of all valid values where there is no valid neighbour.
    """
    padded = np.pad(np.where(valid, values, np.nan), neighbours, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * neighbours + 1)
    lonely = np.isnan(around).all(axis=1)
    median = np.full(values.size, np.median(values[valid]))
    median[~lonely] = np.nanmedian(around[~lonely], axis=1)
    return median


def _judge(
    reasons: list[list[str]], name: str, distance: Array, valid: Array, limit: float
) -> None:
    for i in np.flatnonzero(valid & (distance > limit)):
        reasons[i].append(name)


def _warn_of_losses(found: Rejection, limit: float) -> None:
    lost = {name: rate for name, rate in found.rates().items() if rate > limit}
    if lost:
        text = ", ".join(f"{name} {100.0 * rate:.0f} %" for name, rate in lost.items())
        warnings.warn(
            f"more than {100.0 * limit:.0f} % of the transients are rejected or masked: {text}. "
            "Look at the reasons in to_frame() before you go on.",
            DataWarning,
            stacklevel=3,
        )
