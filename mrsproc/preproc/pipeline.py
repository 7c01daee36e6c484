"""From a raw recording to spectra that can be fitted, in the order that the field agreed on.

Near 2021 (10.1002/nbm.4257): coil combination, eddy currents, frequency and phase of transients,
bad transients, residual water, common phase and ppm reference. No apodisation, no zero-filling, no
truncation. Transients stay apart: average them with ``clean.data.mean("transient")`` or in blocks
with `mrsproc.average`.
"""

import dataclasses
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import DataWarning, InvalidInputError, QualityError
from mrsproc.preproc.alignment import FULL_PPM, Alignment, Drift, align
from mrsproc.preproc.coils import CoilWeights, coil_weights
from mrsproc.preproc.corrections import EddyPhase, Phasing, eddy_phase, phasing
from mrsproc.preproc.outliers import MAX_REJECTED, Rejection, find_outliers
from mrsproc.preproc.over_time import Interval, epochs, onset_or_nan, quality
from mrsproc.preproc.water import (
    WATER_PPM,
    WaterModel,
    has_water_range,
    water_is_removed,
    water_model,
)
from mrsproc.qc import tallest_peak

if TYPE_CHECKING:
    import pandas as pd

_OWN_SPECTRUM: Final = {"coil", "edit", "time", "x", "y", "z"}
_NEAR_WATER_PPM: Final = 0.4


@dataclass(frozen=True, eq=False, kw_only=True)
class PreprocessOptions(Record):
    """Options of `mrsproc.preprocess`.

    Parameters
    ----------
    eddy : bool, default True
        Whether eddy currents are corrected, where there is a water reference.
    align : bool, default True
        Whether frequency and phase of transients are corrected.
    align_ppm : tuple of float, default (0.2, 5.2)
        Range that alignment compares [ppm].
    drift : {"independent", "smooth"}, default "independent"
        Model of the frequency over time, as in `mrsproc.align`.
    reject : bool, default True
        Whether bad transients are masked.
    max_rejected : float, default 0.2
        Part of an epoch that may be lost; above it preprocessing stops. 1 never stops.
    remove_water : bool, default True
        Whether residual water is removed from every transient.
    phase : bool, default True
        Whether the common phase and the ppm reference are corrected.
    repetition_time : float, optional
        Time between transients [s], where the file does not tell; onset times of a file stay.

    Raises
    ------
    InvalidInputError
        A part outside 0 to 1.
    """

    eddy: bool = True
    align: bool = True
    align_ppm: tuple[float, float] = FULL_PPM
    drift: Drift = "independent"
    reject: bool = True
    max_rejected: float = MAX_REJECTED
    remove_water: bool = True
    phase: bool = True
    repetition_time: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.max_rejected <= 1.0:
            raise InvalidInputError(f"max_rejected = {self.max_rejected}: give a part, 0 to 1.")
        super().__post_init__()


@dataclass(frozen=True, eq=False, kw_only=True)
class Preprocessed(Record):
    """A clean recording, and all that was found on the way.

    Parameters
    ----------
    data : MRSData
        Coils combined, transients aligned, bad ones masked, water removed; dims
        (..., "transient", "time"), or without transients where there were none.
    water : MRSData or None
        Mean water reference with the same coil weights, eddy currents corrected.
    coils : CoilWeights or None
        None where the data came combined.
    alignment : Alignment or None
        One row a raw transient; None without transients.
    rejection : Rejection or None
        Likewise.
    eddy : EddyPhase or None
        None without a reference.
    phasing : Phasing or None
        Common phase and ppm reference.
    residual_water : WaterModel or None
        What was removed.
    qc : pandas.DataFrame
        One row a raw transient, columns of `mrsproc.quality`; `frequency_hz` and `phase_rad` are
        those before correction, positive towards higher ppm. With conditions of editing, `edit`
        comes first.
    options : PreprocessOptions
        What was asked for.
    """

    data: MRSData
    water: MRSData | None
    coils: CoilWeights | None
    alignment: Alignment | None
    rejection: Rejection | None
    eddy: EddyPhase | None
    phasing: Phasing | None
    residual_water: WaterModel | None
    qc: "pd.DataFrame"
    options: PreprocessOptions

    def __repr__(self) -> str:
        parts = [repr(self.data)]
        if self.rejection is not None:
            bad = int((~self.rejection.valid).sum())
            parts.append(f"{bad} of {self.rejection.valid.size} transients rejected")
        if self.alignment is not None:
            found = self.qc.loc[self.qc["valid"], "frequency_hz"]
            parts.append(f"frequency over {found.max() - found.min():.1f} Hz")
        return f"Preprocessed({', '.join(parts)})"


def preprocess(
    raw: MRSData,
    reference: MRSData | None = None,
    options: PreprocessOptions | None = None,
    *,
    infusion: Interval | None = None,
) -> Preprocessed:
    """Take a raw recording to clean transients.

    Parameters
    ----------
    raw : MRSData
        Recording with any of the dims coil, edit, transient. Amplitudes of data that came combined
        are not rescaled.
    reference : MRSData, optional
        Water reference of the same protocol: gives coil weights and the eddy-current phase.
    options : PreprocessOptions, optional
        What is done; the defaults when not given.
    infusion : Infusion or other object with onset and duration [s], optional
        When the drug ran in: gives the epochs that losses are counted by.

    Returns
    -------
    Preprocessed
        Clean data, water, quality over time, and each correction.

    Raises
    ------
    InvalidInputError
        A reference of another protocol or that is not water, or every transient masked.
    QualityError
        An epoch lost more than `PreprocessOptions.max_rejected`.

    Warns
    -----
    DataWarning
        No repetition time is known: `qc` has no times.

    References
    ----------
    Near 2021, 10.1002/nbm.4257.
    """
    for what, given in (("raw", raw), ("reference", reference)):
        if given is not None and not isinstance(given, MRSData):
            raise InvalidInputError(
                f"{what} is a {type(given).__name__}: read the file with mp.read, or make an "
                "mp.MRSData of an array."
            )
    if raw.acquisition.nucleus != "1H" and raw.sizes.get("transient", 1) > 1:
        raise InvalidInputError(
            f"preprocessing knows where protons have their signals, not {raw.acquisition.nucleus}: "
            "combine coils with mp.coil_weights, align with mp.align(data, ppm=...) over your "
            "lines, and average."
        )
    options = options or PreprocessOptions()
    if not raw.mask.any():
        raise InvalidInputError("every transient of the recording is masked: none is left.")
    data, water, weights = _combined(_with_one_transient_dim(raw), reference)
    if options.repetition_time is not None:
        data = dataclasses.replace(
            data, acquisition=data.acquisition.replace(repetition_time=options.repetition_time)
        )
    _warn_without_times(data, infusion)
    eddy = None
    if water is not None and options.eddy:
        eddy = eddy_phase(water)
        data, water = eddy.apply(data), eddy.apply(water)
    parts = [_cleaned(part, options, infusion) for part in _conditions(data)]
    clean, model = _stacked(data, parts)
    common = None
    if options.phase and clean.acquisition.nucleus == "1H" and clean.mask.any():
        common = phasing(clean)
        clean = common.apply(clean)
    return Preprocessed(
        data=clean,
        water=water,
        coils=weights,
        alignment=_joined(Alignment, [part.alignment for part in parts]),
        rejection=_joined(Rejection, [part.rejection for part in parts]),
        eddy=eddy,
        phasing=common,
        residual_water=model,
        qc=_joined_qc(data, parts),
        options=options,
    )


class _Part(NamedTuple):
    """One condition on its way."""

    data: MRSData
    alignment: Alignment | None
    rejection: Rejection | None
    water: Array
    qc: "pd.DataFrame"


def _combined(
    raw: MRSData, reference: MRSData | None
) -> tuple[MRSData, MRSData | None, CoilWeights | None]:
    """Return data and mean reference with coils combined, and the weights."""
    water = reference
    if water is not None:
        _check_pair(raw, water)
    weights = None
    if "coil" in raw.dims:
        weights = coil_weights(raw if water is None else water, raw)
        raw = weights.apply(raw)
        water = None if water is None else weights.apply(water)
    if water is not None:
        for dim in water.mask_dims:
            water = water.mean(dim)
        _check_is_water(water)
    return raw, water, weights


def _check_is_water(water: MRSData) -> None:
    if water.acquisition.nucleus != "1H":
        return
    peak = tallest_peak(water, (float(water.ppm.min()), float(water.ppm.max())))
    offset = abs(peak.ppm - water.acquisition.ppm_reference)
    suppressed = water.acquisition.water_suppressed is True
    if offset > _NEAR_WATER_PPM or suppressed:
        header = "; its header says that water was suppressed" if suppressed else ""
        raise InvalidInputError(
            f"the reference is not water: its tallest peak is at {peak.ppm:.2f} ppm{header}. Give "
            "the recording without water suppression, or none."
        )


def _warn_without_times(data: MRSData, infusion: Interval | None) -> None:
    """Warn of onset times that are not known."""
    if "transient" not in data.dims:
        return
    if "transient" not in data.coords and data.acquisition.repetition_time is None:
        lost = "" if infusion is None else ", and the infusion gives no epochs"
        warnings.warn(
            f"neither onset times nor a repetition time are known: transients have no times{lost}. "
            "Give PreprocessOptions(repetition_time=...) in s.",
            DataWarning,
            stacklevel=3,
        )


def _conditions(data: MRSData) -> list[MRSData]:
    """Return the parts of the data that have transients of one kind, or single spectra."""
    kept = {"transient", "time"}
    outer = [dim for dim in data.dims if dim not in kept]
    indices = np.ndindex(*(data.sizes[dim] for dim in outer))
    if not outer:
        return [data]
    return [data.select(**dict(zip(outer, index, strict=True))) for index in indices]


def _cleaned(data: MRSData, options: PreprocessOptions, infusion: Interval | None) -> _Part:
    """Align, judge and dry the transients of one condition."""
    single = "transient" not in data.dims
    rows = _as_transient(data) if single else data
    alignment = align(rows, ppm=options.align_ppm, drift=options.drift) if options.align else None
    clean = rows if single or alignment is None else alignment.apply(rows)
    water = np.zeros(clean.fid.shape, complex)
    if options.remove_water and has_water_range(clean) and not water_is_removed(clean):
        model = water_model(clean)
        clean, water = model.apply(clean), model.fid
    epoch = epochs(onset_or_nan(rows), infusion)
    rejection = find_outliers(clean, alignment=alignment, epochs=epoch, max_rejected=1.0)
    if options.reject and not single:
        _stop_at_losses(rejection, options.max_rejected)
        clean = rejection.apply(clean)
    qc = quality(rows, alignment=alignment, rejection=rejection, infusion=infusion)
    return _Part(
        clean.select(transient=0) if single else clean,
        None if single else alignment,
        None if single else rejection,
        water[0] if single else water,
        qc,
    )


def _as_transient(data: MRSData) -> MRSData:
    """Return a single FID as a recording of one transient."""
    return dataclasses.replace(
        data, fid=data.fid[None], dims=("transient", "time"), mask=data.mask[None], header=None
    )


def _stop_at_losses(rejection: Rejection, limit: float) -> None:
    lost = {name: rate for name, rate in rejection.rates().items() if rate > limit}
    if lost:
        text = ", ".join(f"{name}: {100.0 * rate:.0f} %" for name, rate in lost.items())
        common = ", ".join(sorted({reason for reason in rejection.reason.tolist() if reason}))
        raise QualityError(
            f"more than {100.0 * limit:.0f} % of the transients of an epoch are bad ({text}; "
            f"{common}): look at mp.find_outliers(...).to_frame(), and leave the session out or "
            "set PreprocessOptions(max_rejected=...) higher."
        )


def _stacked(data: MRSData, parts: list[_Part]) -> tuple[MRSData, WaterModel]:
    """Return the conditions as one recording again, and the water that was removed."""
    outer = tuple(dim for dim in data.dims if dim not in {"transient", "time"})
    shape = tuple(data.sizes[dim] for dim in outer)
    first = parts[0].data
    order = (*outer, *first.dims)
    steps = first.history[len(data.history) + 1 :] if outer else first.history[len(data.history) :]
    fid = np.stack([part.data.fid for part in parts]).reshape((*shape, *first.fid.shape))
    mask = np.stack([part.data.mask for part in parts]).reshape((*shape, *first.mask.shape))
    clean = dataclasses.replace(
        data,
        fid=fid,
        mask=mask,
        dims=order,
        coords=data.coords,
        history=(*data.history, *steps),
        header=None,
    )
    water = np.stack([part.water for part in parts]).reshape(fid.shape)
    return clean, WaterModel(fid=water, ppm=WATER_PPM)


_Found = TypeVar("_Found", Alignment, Rejection)


def _joined(kind: type[_Found], parts: "list[_Found | None]") -> _Found | None:
    """Return the records of the conditions as one, row after row."""
    present = [part for part in parts if part is not None]
    if len(present) < 2:
        return present[0] if present else None
    join = {"template": np.stack}
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(
        **{
            name: join.get(name, np.concatenate)([getattr(part, name) for part in present])
            for name in names
        }
    )


def _joined_qc(data: MRSData, parts: list[_Part]) -> "pd.DataFrame":
    """Return the quality of all conditions, with a column for each dimension that they fill."""
    import pandas as pd

    outer = [dim for dim in data.dims if dim not in {"transient", "time"}]
    frames = []
    for index, part in zip(np.ndindex(*(data.sizes[dim] for dim in outer)), parts, strict=True):
        frame = part.qc.copy()
        for place, (dim, value) in enumerate(zip(outer, index, strict=True)):
            frame.insert(place, dim, value)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _check_pair(raw: MRSData, water: MRSData) -> None:
    ours, theirs = raw.acquisition, water.acquisition
    if not np.isclose(ours.dwell_time, theirs.dwell_time, rtol=1e-3):
        raise InvalidInputError(
            f"the water reference has a spectral width of {theirs.spectral_width:.6g} Hz, the "
            f"data {ours.spectral_width:.6g} Hz: "
            "they are not from one protocol."
        )
    if not np.isclose(ours.spectrometer_frequency, theirs.spectrometer_frequency, rtol=1e-3):
        raise InvalidInputError(
            f"the water reference is at {theirs.spectrometer_frequency:.6g} MHz, the data at "
            f"{ours.spectrometer_frequency:.6g} MHz."
        )
    if raw.sizes.get("coil") != water.sizes.get("coil"):
        raise InvalidInputError(
            f"the water reference has {water.sizes.get('coil', 'combined')} coils, the data "
            f"{raw.sizes.get('coil', 'combined')}: "
            "give the reference as it was recorded with the data."
        )


def _with_one_transient_dim(data: MRSData) -> MRSData:
    """Return the data with every dimension of repetition joined into "transient"."""
    repeated = [dim for dim in data.dims if dim not in _OWN_SPECTRUM]
    if len(repeated) < 2:
        return (
            data if repeated in ([], ["transient"]) else data.rename(**{repeated[0]: "transient"})
        )
    kept = [dim for dim in data.dims[:-1] if dim not in repeated]
    order = [data.axis(dim) for dim in (*kept, *repeated, "time")]
    shape = (*(data.sizes[dim] for dim in kept), -1)
    mask_order = [data.mask_dims.index(dim) for dim in (*kept, *repeated)]
    return dataclasses.replace(
        data,
        fid=data.fid.transpose(order).reshape(*shape, data.n_points),
        mask=data.mask.transpose(mask_order).reshape(shape),
        dims=(*kept, "transient", "time"),
        coords={dim: values for dim, values in data.coords.items() if dim in kept},
        header=None,
        history=(*data.history, Step("Reshaping", f"{', '.join(repeated)} joined into transient")),
    )
