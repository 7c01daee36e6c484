"""`MRSData`: FIDs with named dimensions."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.data.acquisition import Acquisition, Step
from mrsproc.data.record import Record
from mrsproc.data.selection import Index, as_index, short, take
from mrsproc.errors import InvalidInputError, suggest


def _check_dims(dims: Iterable[str], shape: tuple[int, ...]) -> tuple[str, ...]:
    names = tuple(str(dim) for dim in dims)
    if (
        len(names) != len(shape)
        or not names
        or names[-1] != "time"
        or len(set(names)) != len(names)
    ):
        raise InvalidInputError(
            f"dims = {names} do not describe a FID array of shape {shape}: "
            "give one different name for each axis, 'time' last, for example ('coil', "
            "'transient', 'time')."
        )
    return names


@dataclass(frozen=True, eq=False, kw_only=True)
class MRSData(Record):
    """FIDs with named dimensions.

    Parameters
    ----------
    fid : array_like
        Complex FIDs, time last, first point whole. complex64 is kept.
    dims : sequence of str
        A name for each axis: "coil", "transient", "edit", ... and "time" last.
    acquisition : Acquisition
        How they were recorded.
    coords : mapping of str to ndarray, optional
        Coordinates along a dimension, under its name; for "transient" the onset times [s].
    mask : array_like of bool, optional
        Valid FIDs, over all dims but "coil" and "time"; all valid when not given.
        FIDs that hold NaN must be masked.
    affine : ndarray, optional
        Voxel to scanner coordinates [mm], 4 x 4.
    history : tuple of Step, optional
        What was done so far.
    header : mapping, optional
        Bytes of the file header, kept for lossless writing; dropped by every change.

    Raises
    ------
    InvalidInputError
        Empty or non-numeric FIDs, dims or coords that do not fit, infinite or NaN values that are
        not masked.
    """

    fid: Array
    dims: tuple[str, ...]
    acquisition: Acquisition
    coords: Mapping[str, Array] = field(default_factory=dict)
    mask: Array = None  # type: ignore[assignment]  # all valid
    affine: Array | None = None
    history: tuple[Step, ...] = ()
    header: Mapping[str, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        fid = np.asarray(self.fid)
        if fid.size == 0 or fid.dtype.kind not in "iufc":
            raise InvalidInputError(
                f"fid of shape {fid.shape} and type {fid.dtype} holds no numbers: give complex "
                "FIDs."
            )
        if fid.dtype not in (np.dtype(np.complex64), np.dtype(np.complex128)):
            fid = fid.astype(np.complex128)
        dims = _check_dims(self.dims, fid.shape)
        if fid.shape[-1] < 2:
            raise InvalidInputError(
                f"fid of shape {fid.shape} has fewer than 2 time points: the last axis must be "
                "time."
            )
        object.__setattr__(self, "fid", fid)
        object.__setattr__(self, "dims", dims)
        object.__setattr__(self, "coords", self._checked_coords())
        object.__setattr__(self, "mask", self._checked_mask())
        super().__post_init__()

    def _checked_coords(self) -> dict[str, Array]:
        coords: dict[str, Array] = {}
        for name, values in self.coords.items():
            if name not in self.dims[:-1]:
                raise InvalidInputError(f"coords has {name!r}. {suggest(name, self.dims[:-1])}")
            array = np.asarray(values)
            if array.shape != (self.sizes[name],):
                raise InvalidInputError(
                    f"coords[{name!r}] has shape {array.shape}, but the dimension has "
                    f"{self.sizes[name]} entries."
                )
            coords[name] = array
        onset = coords.get("transient")
        if onset is not None and not (
            np.issubdtype(onset.dtype, np.number) and np.isfinite(onset).all()
        ):
            raise InvalidInputError("coords['transient'] must hold finite onset times in s.")
        return coords

    def _checked_mask(self) -> Array:
        shape = tuple(self.sizes[dim] for dim in self.mask_dims)
        given: Array | None = self.mask
        mask = np.ones(shape, bool) if given is None else np.asarray(given)
        if mask.dtype != bool or mask.shape != shape:
            raise InvalidInputError(
                f"mask of shape {mask.shape} and type {mask.dtype}: give booleans over "
                f"{self.mask_dims}, shape {shape}."
            )
        finite = np.asarray(np.isfinite(self.fid).all(axis=-1))
        if "coil" in self.dims:
            finite = np.asarray(finite.all(axis=self.dims.index("coil")))
        bad = mask & ~finite
        if bad.any():
            where = np.argwhere(bad)[:5].tolist()
            raise InvalidInputError(
                f"{int(bad.sum())} of {bad.size} FIDs hold NaN or infinite values, first at "
                f"{self.mask_dims} = {where}: "
                "mend them, or mark them invalid with mask=."
            )
        return mask

    @property
    def mask_dims(self) -> tuple[str, ...]:
        """Dimensions of the mask: all but "coil" and "time"."""
        return tuple(dim for dim in self.dims if dim not in {"coil", "time"})

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each dimension."""
        return dict(zip(self.dims, self.fid.shape, strict=True))

    @property
    def n_points(self) -> int:
        """Number of time points."""
        return int(self.fid.shape[-1])

    @property
    def time(self) -> Array:
        """Time since the start of the FID [s], shape (n_points,)."""
        return axes.time_axis(self.n_points, self.acquisition.dwell_time)

    @property
    def frequency(self) -> Array:
        """Frequency of the points of the spectrum [Hz], ascending."""
        return axes.frequency_axis(self.n_points, self.acquisition.dwell_time)

    @property
    def ppm(self) -> Array:
        """Chemical shift of the points of the spectrum [ppm], descending."""
        acquisition = self.acquisition
        return axes.hz_to_ppm(
            self.frequency, acquisition.spectrometer_frequency, acquisition.ppm_reference
        )

    @property
    def spectrum(self) -> Array:
        """Complex spectra on `frequency`, first point of the FID halved."""
        return axes.fid_to_spectrum(self.fid)

    def axis(self, dim: str) -> int:
        """Return the axis of a dimension.

        Parameters
        ----------
        dim : str
            Name of the dimension.

        Returns
        -------
        int
            Position in `dims`.

        Raises
        ------
        InvalidInputError
            There is no such dimension.
        """
        if dim not in self.dims:
            raise InvalidInputError(f"no dimension {dim!r}. {suggest(dim, self.dims)}")
        return self.dims.index(dim)

    def select(self, **indexers: Index) -> Self:
        """Return a part of the data.

        Parameters
        ----------
        **indexers
            For each dimension an integer (the dimension goes), a slice, a boolean mask or a list
            of indices.

        Returns
        -------
        MRSData
            With mask and coords that follow. Selected transients keep their onset times, which are
            multiples of the repetition time where the recording holds none.

        Raises
        ------
        InvalidInputError
            Unknown dimension, index out of range, nothing left, or a selection along time.
        """
        fid, mask, coords, dims = self.fid, self.mask, dict(self.coords), list(self.dims)
        interval = self.acquisition.repetition_time
        if self.mask_dims == ("transient",) and "transient" in indexers and interval is not None:
            onset = interval * np.arange(
                self.sizes["transient"]
            )  # what is selected keeps its clock
            coords.setdefault("transient", onset)
        for dim, index in indexers.items():
            self.axis(dim)
            if dim == "time":
                raise InvalidInputError(
                    "the time points of a FID cannot be selected: its phase and frequency axis "
                    "would change."
                )
            chosen = as_index(dim, index, self.sizes[dim])
            fid = take(fid, chosen, dims.index(dim))
            mask_dims = [name for name in dims if name not in {"coil", "time"}]
            if dim != "coil":
                mask = take(mask, chosen, mask_dims.index(dim))
            if isinstance(chosen, int):
                coords.pop(dim, None)
                dims.remove(dim)
            elif dim in coords:
                coords[dim] = coords[dim][chosen]
        kept = ", ".join(f"{dim}={short(index)}" for dim, index in indexers.items())
        return dataclasses.replace(
            self,
            fid=fid, mask=np.asarray(mask), coords=coords, dims=tuple(dims), header=None,
            history=(*self.history, Step("Selection", f"select({kept})")),
        )  # fmt: skip

    def mean(self, dim: str) -> Self:
        """Return the mean over a dimension, valid FIDs only.

        Parameters
        ----------
        dim : str
            Dimension to average over; not "coil" (combine coils) nor "time".

        Returns
        -------
        MRSData
            Without that dimension.

        Raises
        ------
        InvalidInputError
            No valid FID left to average.
        """
        axis = self.axis(dim)
        if dim in {"coil", "time"}:
            way_out = (
                "combine coils with mp.coil_weights" if dim == "coil" else "there is no use for it"
            )
            raise InvalidInputError(f"no mean over {dim!r}: {way_out}.")
        weight = self._mask_like_fid()
        count = weight.sum(axis=axis)
        mask_axis = self.mask_dims.index(dim)
        if not (count > 0).all():
            raise InvalidInputError(
                f"no valid FID left to average over {dim!r}: the mask leaves none."
            )
        total = np.where(weight, self.fid, 0).sum(axis=axis, dtype=np.complex128)
        return dataclasses.replace(
            self,
            fid=total / count,
            dims=tuple(name for name in self.dims if name != dim),
            mask=np.asarray(self.mask.any(axis=mask_axis)),
            coords={name: values for name, values in self.coords.items() if name != dim},
            header=None,
            history=(*self.history, Step("Signal averaging", f"mean over {dim}")),
        )

    def _mask_like_fid(self) -> Array:
        """Return the mask with axes of length 1 for "coil" and "time"."""
        shape = tuple(1 if dim in {"coil", "time"} else self.sizes[dim] for dim in self.dims)
        return self.mask.reshape(shape)

    def rename(self, **names: str) -> Self:
        """Return the data with dimensions renamed, for example coils that a file calls transients.

        Parameters
        ----------
        **names : str
            Old name = new name.

        Returns
        -------
        MRSData
            The same FIDs; mask and coords follow.

        Raises
        ------
        InvalidInputError
            Unknown dimension, a name that is taken, or masked FIDs along what becomes the coil
            dimension.
        """
        for old in names:
            self.axis(old)
        mask = self.mask
        for old in (old for old, new in names.items() if new == "coil" and old in self.mask_dims):
            axis = self.mask_dims.index(old)
            if not mask.all():
                raise InvalidInputError(
                    f"{old!r} cannot become 'coil': some of its FIDs are masked, and a mask is "
                    "over whole transients."
                )
            mask = np.asarray(mask.all(axis=axis))
        renamed = {old: names.get(old, old) for old in self.dims}
        return dataclasses.replace(
            self,
            dims=tuple(renamed.values()),
            coords={renamed[dim]: values for dim, values in self.coords.items()},
            mask=mask,
            header=None,
            history=(
                *self.history,
                Step("Renaming", ", ".join(f"{old} = {new}" for old, new in names.items())),
            ),
        )

    def with_fid(self, fid: ArrayLike, step: Step, **changes: Any) -> Self:
        """Return the data with new FIDs and one more step in the history.

        Parameters
        ----------
        fid : array_like
            New FIDs.
        step : Step
            What made them.
        **changes
            Other fields to change with them, such as dims.

        Returns
        -------
        MRSData
            The new object.
        """
        return dataclasses.replace(
            self, fid=np.asarray(fid), header=None, history=(*self.history, step), **changes
        )

    def with_mask(self, mask: ArrayLike, step: Step) -> Self:
        """Return the data with another mask and one more step in the history.

        Parameters
        ----------
        mask : array_like of bool
            Valid FIDs, over `mask_dims`.
        step : Step
            Why.

        Returns
        -------
        MRSData
            The new object.
        """
        return dataclasses.replace(
            self, mask=np.asarray(mask), header=None, history=(*self.history, step)
        )

    def __repr__(self) -> str:
        acquisition = self.acquisition
        sizes = " x ".join(f"{size} {dim}" for dim, size in self.sizes.items())
        masked = int((~self.mask).sum())
        parts = [
            sizes,
            f"{acquisition.nucleus} {acquisition.spectrometer_frequency:.6g} MHz",
            f"spectral width {acquisition.spectral_width:.6g} Hz",
            f"TE {_seconds(acquisition.echo_time)}",
            f"TR {_seconds(acquisition.repetition_time)}",
        ]
        if masked:
            parts.append(f"{masked} of {self.mask.size} masked")
        return f"MRSData({', '.join(parts)})"


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value * 1e3:.6g} ms"
