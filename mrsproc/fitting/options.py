"""What a user can decide about a fit."""

from collections.abc import Mapping, Sequence  # noqa: TC003  (read by the documentation)
from dataclasses import dataclass
from typing import Final, Literal

from mrsproc.data import Record
from mrsproc.errors import InvalidInputError, suggest

BaselineCriterion = Literal["reml", "maic"]
_MACROMOLECULES: Final = ("auto", "none")


@dataclass(frozen=True, eq=False, kw_only=True)
class FitOptions(Record):
    """Options of `mrsproc.fit`.

    Parameters
    ----------
    ppm : tuple of float, default (0.2, 4.0)
        Range of the spectrum that is fitted [ppm].
    baseline : {"reml", "maic"} or float, default "reml"
        How the stiffness of the baseline is chosen for each spectrum: by restricted maximum
        likelihood, by Wilson's modified Akaike criterion, or as given: the effective number of
        parameters per ppm.
    baseline_spacing : float, default 0.1
        Distance of the knots of the spline [ppm], an upper limit to its flexibility.
    priors : {"default", "none"}, default "default"
        Soft priors on amplitude ratios of weak, overlapped signals and of macromolecules (listed in
        `FitResult.priors`), or none. Without them amplitudes are the minimum of chi-squared; with
        them the mean of what the data and the priors leave possible.
    lineshape : {"voigt", "asymmetric"}, default "voigt"
        Lines common to all signals: symmetric, or asymmetric for each spectrum in which the
        evidence asks for it.
    shift_sd : float, default 0.004
        SD of the prior on the shift of a single signal [ppm].
    width_sd : float, default 0.15
        SD of the prior on the Lorentzian width of a single signal around the common one [Hz].
    macromolecules : {"auto", "none"}, default "auto"
        Whether built-in macromolecules and lipids are added when the basis set has no signal named
        MM*, Lip* or Mac*.
    omit : sequence of str, default ()
        Signals of the basis set to leave out.
    noise_sd : float, optional
        SD of the noise in the real part of a FID point, when it is known; measured when not given.

    Raises
    ------
    InvalidInputError
        A value that is not allowed.

    References
    ----------
    SDs of shift: Provencher 1993, 10.1002/mrm.1910300604; Wilson 2025, 10.1002/mrm.30462
    (PMC11971491).
    """

    ppm: tuple[float, float] = (0.2, 4.0)
    baseline: BaselineCriterion | float = "reml"
    baseline_spacing: float = 0.1
    priors: Literal["default", "none"] = "default"
    lineshape: Literal["voigt", "asymmetric"] = "voigt"
    shift_sd: float = 0.004
    width_sd: float = 0.15
    macromolecules: Literal["auto", "none"] = "auto"
    omit: tuple[str, ...] = ()
    noise_sd: float | None = None

    def __post_init__(self) -> None:
        low, high = (float(value) for value in self.ppm)
        object.__setattr__(self, "ppm", (min(low, high), max(low, high)))
        given: Sequence[str] | str = self.omit
        object.__setattr__(self, "omit", (given,) if isinstance(given, str) else tuple(given))
        if not 0.3 <= abs(high - low) <= 40.0:
            raise InvalidInputError(
                f"ppm = {self.ppm}: give two chemical shifts that are 0.3 to 40 ppm apart."
            )
        self._check_choices()
        positive: Mapping[str, float | None] = {
            "baseline_spacing": self.baseline_spacing,
            "shift_sd": self.shift_sd,
            "width_sd": self.width_sd,
            "noise_sd": self.noise_sd,
        }
        for name, value in positive.items():
            if value is not None and not value > 0.0:
                raise InvalidInputError(f"{name} = {value!r}: give a positive number.")
        super().__post_init__()

    def _check_choices(self) -> None:
        choices = {
            "priors": ("default", "none"),
            "macromolecules": _MACROMOLECULES,
            "lineshape": ("voigt", "asymmetric"),
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed:
                raise InvalidInputError(f"{name} = {value!r}. {suggest(str(value), allowed)}")
        if isinstance(self.baseline, str):
            if self.baseline not in {"reml", "maic"}:
                raise InvalidInputError(
                    f"baseline = {self.baseline!r}. {suggest(self.baseline, ('reml', 'maic'))} "
                    "Or give a number of parameters per ppm."
                )
        elif not 0.5 <= float(self.baseline) <= 20.0:
            raise InvalidInputError(
                f"baseline = {self.baseline!r}: give 0.5 to 20 effective parameters per ppm."
            )
