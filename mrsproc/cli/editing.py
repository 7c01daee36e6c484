"""Edited recordings on the command line: how their conditions stand, and which is fitted."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mrsproc.errors import InvalidInputError

if TYPE_CHECKING:
    from mrsproc.data import MRSData

Edit = Annotated[
    Literal["difference", "on", "off", "none"] | None,
    typer.Option(
        help="Of an edited recording (MEGA): which scan is fitted; on is the first condition. none "
        "when all transients are alike."
    ),
]
Order = Annotated[
    Literal["blocks", "alternating"] | None,
    typer.Option(
        help="How on and off stand in one row of transients: one half and then the other, or in "
        "turns."
    ),
]


def split(
    data: "MRSData", edit: str | None, order: Literal["blocks", "alternating"] | None
) -> "MRSData":
    """Return a recording with its conditions of editing apart, as asked for.

    Parameters
    ----------
    data : MRSData
        As read.
    edit, order : str or None
        As typed.

    Raises
    ------
    InvalidInputError
        Conditions that would be averaged into one, or that are not there.
    """
    from mrsproc.preproc.editing import looks_edited, split_edited

    if edit is None and looks_edited(data):
        raise InvalidInputError(
            f"{data.acquisition.sequence or 'this'} is an edited sequence, and its conditions have "
            "no mean that one basis set could fit: give --edit difference, on or off with a basis "
            "set of that scan, or --edit none if all transients are alike."
        )
    if edit is None and order is not None:
        raise InvalidInputError("--order tells how the scans of --edit stand: give --edit, too.")
    if edit in {None, "none"} or "edit" in data.dims:
        return data
    if order is None:
        raise InvalidInputError(
            f"--edit {edit}: which of the {data.sizes.get('transient', 1)} transients? Give "
            "--order blocks (one half is on, the other off) or --order alternating."
        )
    return split_edited(data, order)


def averaged(data: "MRSData", edit: str | None) -> "MRSData":
    """Return the spectrum that is fitted: mean, or scan of an edited recording, of clean data."""
    from mrsproc.preproc import edited

    mean = data.mean("transient") if "transient" in data.dims else data
    if edit in {None, "none"}:
        return mean
    scan: MRSData = getattr(edited(mean), str(edit))
    return scan
