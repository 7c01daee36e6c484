"""`Acquisition`: how a recording was made, and `Step`: what was done to it."""

import dataclasses
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final, Self

import numpy as np

from mrsproc.constants import GYROMAGNETIC_RATIO, PPM_REFERENCE
from mrsproc.data.record import Record
from mrsproc.errors import InvalidInputError

_LIMITS: Final[dict[str, tuple[str, float, float, str]]] = {
    "spectrometer_frequency": ("SpectrometerFrequency", 1.0, 3000.0, "MHz"),
    "dwell_time": ("dwell time (pixdim[4] of a NIfTI file)", 1e-6, 0.05, "s"),
    "echo_time": ("EchoTime", 0.0, 3.0, "s"),
    "repetition_time": ("RepetitionTime", 1e-3, 120.0, "s"),
}


def _check_quantity(name: str, value: object, *, required: bool) -> float | None:
    key, low, high, unit = _LIMITS[name]
    if value is None and not required:
        return None
    number = float(value) if isinstance(value, (int, float, np.number)) else np.nan
    if not low <= number <= high:
        raise InvalidInputError(
            f"{name} = {value!r} (header key {key}) is not a value in {unit} between {low:g} "
            f"and {high:g}. "
            f"Give it in {unit}."
        )
    return number


@dataclass(frozen=True, eq=False, kw_only=True)
class Acquisition(Record):
    """How a recording was made. What is not known is None.

    Parameters
    ----------
    spectrometer_frequency : float
        Larmor frequency [MHz].
    dwell_time : float
        Sampling interval of the FID [s].
    nucleus : str, default "1H"
        Nucleus observed, mass number first.
    echo_time : float, optional
        Echo time [s].
    repetition_time : float, optional
        Repetition time [s].
    ppm_reference : float, optional
        Chemical shift at the centre of the spectrum [ppm]; 4.65 for 1H, 0 for nuclei without an
        agreed one, when not given.
    sequence, manufacturer : str, optional
        As the header has them.
    water_suppressed : bool, optional
        Whether water was suppressed.
    extra : mapping, optional
        Other header fields, under their names in the file.

    Raises
    ------
    InvalidInputError
        A value out of its physical range, such as an echo time of 35 s.
    """

    spectrometer_frequency: float
    dwell_time: float
    nucleus: str = "1H"
    echo_time: float | None = None
    repetition_time: float | None = None
    ppm_reference: float = None  # type: ignore[assignment]  # filled in by nucleus
    sequence: str | None = None
    manufacturer: str | None = None
    water_suppressed: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in _LIMITS:
            required = name in {"spectrometer_frequency", "dwell_time"}
            object.__setattr__(
                self, name, _check_quantity(name, getattr(self, name), required=required)
            )
        if not re.fullmatch(r"\d{1,3}[A-Z][a-z]?", str(self.nucleus)):
            raise InvalidInputError(
                f"nucleus = {self.nucleus!r} (header key ResonantNucleus): write the mass "
                "number first, for example '1H' or '31P'."
            )
        given: float | None = self.ppm_reference
        reference = PPM_REFERENCE.get(self.nucleus, 0.0) if given is None else given
        if not np.isfinite(reference):
            raise InvalidInputError(
                f"ppm_reference = {self.ppm_reference!r}: give a finite chemical shift in ppm."
            )
        object.__setattr__(self, "ppm_reference", float(reference))
        super().__post_init__()

    @property
    def spectral_width(self) -> float:
        """Spectral width [Hz]."""
        return 1.0 / self.dwell_time

    @property
    def field_strength(self) -> float | None:
        """Static field [T], or None for a nucleus whose gyromagnetic ratio is not listed."""
        ratio = GYROMAGNETIC_RATIO.get(self.nucleus)
        return None if ratio is None else self.spectrometer_frequency / ratio

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed.

        Parameters
        ----------
        **changes
            New values by field name.

        Returns
        -------
        Acquisition
            Checked like any other.
        """
        return dataclasses.replace(self, **changes)


@functools.cache
def _own_version() -> str:
    return version("mrsproc")


@dataclass(frozen=True, eq=False)
class Step(Record):
    """One step of processing, as NIfTI-MRS's ``ProcessingApplied`` keeps it.

    Parameters
    ----------
    method : str
        What was done, in NIfTI-MRS's vocabulary where it has a word for it.
    details : str
        How: function and parameters.
    program, version : str, optional
        What did it; mrsproc and its version when not given.
    """

    method: str
    details: str
    program: str = "mrsproc"
    version: str = field(default_factory=_own_version)
