"""From a recording of any dimensions to spectra that can be fitted."""

import dataclasses
from typing import NamedTuple

import numpy as np

from mrsproc.data import MRSData, Step
from mrsproc.errors import InvalidInputError
from mrsproc.preproc.alignment import align
from mrsproc.preproc.coils import coil_weights
from mrsproc.preproc.water import remove_water

_OWN_SPECTRUM = {"coil", "edit", "time", "x", "y", "z"}


class Prepared(NamedTuple):
    """Spectra to fit, and the water reference that belongs to them."""

    data: MRSData
    """Dims ("time",), or with "edit", or with "transient" where those were kept."""
    water: MRSData | None
    """Mean water reference, coils combined as in the data."""


def prepare(raw: MRSData, water: MRSData | None = None, *, average: bool = True) -> Prepared:
    """Combine coils, align transients, average, and remove residual water.

    Parameters
    ----------
    raw : MRSData
        The recording.
    water : MRSData, optional
        Water reference; gives the coil weights.
    average : bool, default True
        Whether transients are averaged.

    Returns
    -------
    Prepared
        Spectra and water reference.

    Raises
    ------
    InvalidInputError
        A reference of another spectral width, Larmor frequency or number of coils.
    """
    if water is not None:
        _check_pair(raw, water)
    if "coil" in raw.dims:
        weights = coil_weights(raw if water is None else water, raw)
        raw = weights.apply(raw)
        water = None if water is None else weights.apply(water)
    data = _with_one_transient_dim(raw)
    if data.dims == ("transient", "time") and data.sizes["transient"] > 1:
        data = align(remove_water(data)).apply(data)
    if average and "transient" in data.dims:
        data = data.mean("transient")
    return Prepared(data=remove_water(data), water=None if water is None else _mean(water))


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


def _mean(water: MRSData) -> MRSData:
    for dim in water.mask_dims:
        water = water.mean(dim)
    return water
