"""What a user can decide about a joint fit."""

from dataclasses import dataclass, field
from typing import Final, Literal

from mrsproc.data import Record
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.fitting.options import FitOptions
from mrsproc.responses import Infusion

_CHOICES: Final = {
    "linewidth": ("smooth", "response", "constant"),
    "scale": ("none", "linear", "bins"),
    "outliers": ("reject", "keep"),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class DynamicOptions(Record):
    """Options of `mrsproc.fit_dynamic`.

    Parameters
    ----------
    fit : FitOptions, optional
        Range, baseline, priors and macromolecules, as for a single spectrum.
    bin_width : float, default 60.0
        Width of time bins [s], of responses called "free" and of time courses.
    infusion : Infusion, optional
        Tells what is before the drug where no response says so.
    linewidth : {"smooth", "response", "constant"}, default "smooth"
        How the linewidth may change: as the responses and any smooth curve, as the responses only,
        or not at all. A drug changes it, and a change that is ignored biases amplitudes.
    scale : {"none", "linear", "bins"}, default "none"
        Whether a gain common to all signals changes: not at all, linearly in time, or in every time
        bin. With "bins" at least one signal that is constant must set the scale.
    outliers : {"reject", "keep"}, default "reject"
        What happens to transients that the model does not describe. Rejected ones are named in a
        warning.

    Raises
    ------
    InvalidInputError
        A value that is not allowed.
    """

    fit: FitOptions = field(default_factory=FitOptions)
    bin_width: float = 60.0
    infusion: Infusion | None = None
    linewidth: Literal["smooth", "response", "constant"] = "smooth"
    scale: Literal["none", "linear", "bins"] = "none"
    outliers: Literal["reject", "keep"] = "reject"

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                raise InvalidInputError(f"{name} = {value!r}. {suggest(str(value), allowed)}")
        if not self.bin_width > 0.0:
            raise InvalidInputError(
                f"bin_width = {self.bin_width!r}: give a positive number of seconds."
            )
        super().__post_init__()
