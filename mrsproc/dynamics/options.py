"""What a user can decide about a joint fit."""

from dataclasses import dataclass, field
from typing import Final, Literal

from mrsproc.data import Record
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.fitting.options import FitOptions
from mrsproc.responses import Infusion

_CHOICES: Final = {
    "linewidth": ("smooth", "response", "constant"),
    "scale": ("auto", "none", "linear", "bins"),
    "outliers": ("reject", "keep"),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class DynamicOptions(Record):
    """Options of `mrsproc.fit_dynamic`.

    Parameters
    ----------
    fit : FitOptions, optional
        Range, baseline, priors and macromolecules, as for a single spectrum; symmetric lines only.
    bin_width : float, default 60.0
        Width of time bins [s], of responses called "free" and of time courses.
    infusion : Infusion, optional
        Tells what is before the drug where no response says so.
    linewidth : {"smooth", "response", "constant"}, default "smooth"
        How the linewidth may change: as the responses and any smooth curve, as the responses only,
        or not at all. A drug changes it, and a change that is ignored biases amplitudes.
    scale : {"auto", "none", "linear", "bins"}, default "auto"
        Whether a gain common to all signals changes, by the receiver, movement or partial volume:
        not at all, linearly in time, or in every time bin. Signals that are constant set the scale.
        With "auto" it changes linearly, and no more than `scale_sd` says; where tNAA, tCr or tCho
        have a response and others of them are constant, the gain follows that response, too, and
        freely.
    scale_sd : float, default 0.005
        SD of the relative change of the gain in 40 minutes that "auto" expects.
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
    scale: Literal["auto", "none", "linear", "bins"] = "auto"
    scale_sd: float = 0.005
    outliers: Literal["reject", "keep"] = "reject"

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                raise InvalidInputError(f"{name} = {value!r}. {suggest(str(value), allowed)}")
        for name, unit in (("bin_width", "seconds"), ("scale_sd", "relative change")):
            if not getattr(self, name) > 0.0:
                raise InvalidInputError(
                    f"{name} = {getattr(self, name)!r}: give a positive number ({unit})."
                )
        if self.fit.lineshape != "voigt":
            raise InvalidInputError(
                f"lineshape = {self.fit.lineshape!r}: a joint fit takes symmetric lines, 'voigt'."
            )
        super().__post_init__()
