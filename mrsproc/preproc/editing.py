"""Edited recordings: conditions split, aligned to one another, subtracted.

Each condition is aligned to its own mean, since their spectra differ; then the means are aligned to
one another where editing changes nothing, at choline: what is left of it in the difference tells
how well that went (Near 2015, 10.1002/mrm.25094; Evans 2013, 10.1002/jmri.23923). Editing pulses
stay where they were while the field drifts, so that their efficiency falls (Harris 2014,
10.1002/mrm.25009): no correction of the spectra undoes that.
"""

import re
import warnings
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import DataWarning, InvalidInputError
from mrsproc.preproc.alignment import Alignment, align, best_shift, cut
from mrsproc.preproc.registration import Registration, State, Window

Order = Literal["blocks", "alternating"]
_SEQUENCES: Final = re.compile("edit|svs_ed|mega|mpress|hermes|hercules", re.IGNORECASE)
_NEAR_PPM: Final = (2.9, 3.4)  # where the first value of the shift is looked for
_CHOLINE_PPM: Final = (3.12, 3.32)  # which editing leaves alone
DRIFT_HZ: Final = 5.0
"""Drift above which the loss of editing efficiency is told aloud [Hz]."""


def looks_edited(data: MRSData) -> bool:
    """Tell whether a recording has, or by its sequence should have, conditions of editing.

    Parameters
    ----------
    data : MRSData
        As read.

    Returns
    -------
    bool
        True with a dimension "edit", or several transients of a sequence that is named so.
    """
    named = _SEQUENCES.search(data.acquisition.sequence or "") is not None
    return "edit" in data.dims or (named and data.sizes.get("transient", 1) > 1)


def split_edited(data: MRSData, order: Order, *, n_conditions: int = 2) -> MRSData:
    """Give a recording whose conditions stand in one row of transients a dimension "edit".

    Parameters
    ----------
    data : MRSData
        With a "transient" dimension.
    order : {"blocks", "alternating"}
        Whether the first half is one condition and the second the other, or they take turns.
    n_conditions : int, default 2
        How many there are.

    Returns
    -------
    MRSData
        Dims (..., "edit", "transient", "time").

    Raises
    ------
    InvalidInputError
        A number of transients that the conditions do not share evenly, or an unknown order.
    """
    axis = data.axis("transient")
    n = data.sizes["transient"]
    if n_conditions < 2 or n % n_conditions:
        raise InvalidInputError(f"{n} transients do not make {n_conditions} conditions.")
    if order not in {"blocks", "alternating"}:
        raise InvalidInputError(f"order = {order!r}: give 'blocks' or 'alternating'.")
    index = np.arange(n).reshape(
        (n_conditions, -1) if order == "blocks" else (-1, n_conditions),
    )
    rows = index if order == "blocks" else index.T
    fid = np.take(data.fid, rows, axis=axis)
    mask = np.take(data.mask, rows, axis=data.mask_dims.index("transient"))
    coords = {dim: values for dim, values in data.coords.items() if dim != "transient"}
    dims = (*data.dims[:axis], "edit", *data.dims[axis:])
    return data.with_fid(
        fid, Step("Reshaping", f"{order}: conditions of editing"), dims=dims, mask=mask,
        coords=coords,
    )  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Edited(Record):
    """Two conditions of editing, their difference and mean.

    Parameters
    ----------
    on, off : MRSData
        Mean spectra of the first and the second condition, dims ("time",).
    difference : MRSData
        ``on - off``.
    total : MRSData
        Mean of both.
    alignments : tuple of Alignment
        Of the transients of each condition.
    shift_hz, phase_rad : float
        How far the second mean stood from the first [Hz, rad] before they were aligned.
    drift_hz : float
        Largest distance of a transient's frequency from the first ones [Hz]; NaN when the data came
        averaged.
    """

    on: MRSData
    off: MRSData
    difference: MRSData
    total: MRSData
    alignments: tuple[Alignment, ...]
    shift_hz: float
    phase_rad: float
    drift_hz: float

    def __repr__(self) -> str:
        return (
            f"Edited({self.difference!r}, second condition {self.shift_hz:+.2f} Hz and "
            f"{self.phase_rad:+.2f} rad from the first, drift {self.drift_hz:.1f} Hz)"
        )


def edited(data: MRSData, *, aligned: bool = True) -> Edited:
    """Align, average and subtract the two conditions of an edited recording.

    Parameters
    ----------
    data : MRSData
        Dims ("edit", "transient", "time") or ("edit", "time") with two conditions; coils combined.
    aligned : bool, default True
        Whether transients and conditions are aligned; False to see what that is good for.

    Returns
    -------
    Edited
        Spectra of both conditions, difference and mean.

    Raises
    ------
    InvalidInputError
        Other dimensions or another number of conditions.

    Warns
    -----
    DataWarning
        The frequency drifted by more than 5 Hz: editing efficiency fell with it.
    """
    if data.dims not in {("edit", "transient", "time"), ("edit", "time")}:
        raise InvalidInputError(
            f"dims = {data.dims}: an edited recording has ('edit', 'transient', 'time'). Use "
            "split_edited where the conditions stand among the transients, and combine coils."
        )
    if data.sizes["edit"] != 2:
        raise InvalidInputError(f"{data.sizes['edit']} conditions: a difference takes two.")
    conditions = [data.select(edit=i) for i in range(2)]
    alignments: tuple[Alignment, ...] = ()
    drift = np.nan
    if "transient" in data.dims:
        alignments = tuple(align(condition) for condition in conditions)
        drift = _drift(conditions, alignments)
        if aligned:
            pairs = zip(alignments, conditions, strict=True)
            conditions = [found.apply(condition) for found, condition in pairs]
        conditions = [condition.mean("transient") for condition in conditions]
    shift, phase = _between(*conditions)
    on, off = conditions
    if aligned:
        turn = np.exp(1j * (2.0 * np.pi * shift * off.time + phase))
        off = off.with_fid(off.fid * turn, Step("Frequency and phase correction", "to condition 0"))
    if drift > DRIFT_HZ:
        warnings.warn(
            f"the frequency drifted by {drift:.1f} Hz during an edited recording: the editing "
            "pulses were off their target by as much, and editing efficiency fell.",
            DataWarning,
            stacklevel=2,
        )
    step = Step("Addition or subtraction", "conditions of editing")
    return Edited(
        on=on,
        off=off,
        difference=on.with_fid(on.fid - off.fid, step),
        total=on.with_fid(0.5 * (on.fid + off.fid), step),
        alignments=alignments,
        shift_hz=shift,
        phase_rad=phase,
        drift_hz=float(drift),
    )


def _drift(conditions: list[MRSData], alignments: tuple[Alignment, ...]) -> float:
    """Return how far the frequency goes from its start, on the axis that conditions share."""
    shift, _ = _between(*(condition.mean("transient") for condition in conditions))
    first = alignments[0].frequency_hz
    both = np.concatenate([first, alignments[1].frequency_hz + shift])
    smooth = np.convolve(both, np.full(8, 0.125), mode="valid") if both.size >= 16 else both
    return float(np.abs(smooth - smooth[0]).max())


def _between(on: MRSData, off: MRSData) -> tuple[float, float]:
    """Return shift [Hz] and phase [rad] of the second spectrum, positive towards higher ppm."""
    model, time = cut(on, _NEAR_PPM)
    signal, _ = cut(off, _NEAR_PPM)
    hz = float(best_shift(signal[None], model, time)[0])
    state = State.at_rest(1)
    state.frequency = np.array([-hz])
    turned = signal * np.exp(-2j * np.pi * hz * time)
    state.phase = -np.array([np.angle(np.vdot(model, turned))])
    window = Window.of(on, _CHOLINE_PPM)
    Registration(off.fid[None], off, window, 0.0).refine(state, np.asarray(on.fid))
    return float(state.frequency[0]), float(state.phase[0])
