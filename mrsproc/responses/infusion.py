r"""`Infusion`: dose and timing of a drug, and the responses that follow from them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.responses.base import Unknown, check_positive, check_time
from mrsproc.responses.kinetics import PUBLISHED, Kinetics
from mrsproc.responses.shapes import RiseDecay, _Shape
from mrsproc.timeline import Event

_LARGEST_MG_PER_KG: Final = 50.0


@dataclass(frozen=True, kw_only=True)
class Infusion:
    """An infusion at constant rate, perhaps with a bolus before it.

    Parameters
    ----------
    onset : float
        Start [s since the first transient].
    duration : float
        Duration [s].
    drug : str, optional
        Name of the drug; "ketamine" has published kinetics.
    dose_mg_per_kg : float, optional
        Dose over the whole infusion [mg/kg].
    dose_mg : float, optional
        The same in mg, with `weight_kg`.
    weight_kg : float, optional
        Body weight [kg].
    bolus_mg_per_kg : float, default 0.0
        Dose given at the onset at once, on top of the infusion [mg/kg].

    Raises
    ------
    InvalidInputError
        Times that are not finite, a duration or dose that is not positive, two doses that
        contradict each other.
    """

    onset: float
    duration: float
    drug: str | None = None
    dose_mg_per_kg: float | None = None
    dose_mg: float | None = None
    weight_kg: float | None = None
    bolus_mg_per_kg: float = 0.0

    def __post_init__(self) -> None:
        check_time(self.onset, "onset")
        check_positive(self.duration, "duration", "seconds")
        check_positive(self.dose_mg_per_kg, "dose_mg_per_kg", "mg/kg")
        check_positive(self.dose_mg, "dose_mg", "mg")
        check_positive(self.weight_kg, "weight_kg", "kg")
        if self.dose_mg is not None and self.weight_kg is None:
            raise InvalidInputError("dose_mg needs weight_kg; or give dose_mg_per_kg.")
        if self.dose_mg is not None and self.dose_mg_per_kg is not None:
            raise InvalidInputError("give dose_mg or dose_mg_per_kg, not both.")
        if not 0.0 <= self.bolus_mg_per_kg <= _LARGEST_MG_PER_KG:
            raise InvalidInputError(
                f"bolus_mg_per_kg = {self.bolus_mg_per_kg!r}: give 0 to {_LARGEST_MG_PER_KG:g}."
            )
        if (self.mg_per_kg or 0.0) > _LARGEST_MG_PER_KG:
            raise InvalidInputError(
                f"a dose of {self.mg_per_kg:g} mg/kg: give it in mg per kg of body weight, at "
                f"most {_LARGEST_MG_PER_KG:g}."
            )

    @classmethod
    def from_event(cls, event: Event, **dose: float | str | None) -> "Infusion":
        """Take onset and duration from an event.

        Parameters
        ----------
        event : Event
            From `mrsproc.timeline.read_events`.
        **dose
            The other parameters of `Infusion`.

        Returns
        -------
        Infusion
            The infusion.
        """
        return cls(onset=event.onset, duration=event.duration, **dose)  # type: ignore[arg-type]

    @property
    def end(self) -> float:
        """End [s since the first transient]."""
        return self.onset + self.duration

    @property
    def mg_per_kg(self) -> float | None:
        """Dose of the infusion [mg/kg], where it is known."""
        if self.dose_mg is not None and self.weight_kg is not None:
            return self.dose_mg / self.weight_kg
        return self.dose_mg_per_kg

    def response(
        self,
        kinetics: Kinetics | None = None,
        *,
        ke0: float | str | None = None,
        ec50: float | str | None = None,
        hill: float = 1.0,
    ) -> "PlasmaResponse":
        """Return the time course of the drug as the shape of a response.

        Parameters
        ----------
        kinetics : Kinetics, optional
            Compartment model; that published for the drug when not given.
        ke0 : float or "fit", optional
            Rate constant of an effect site [1/min], given or estimated; the plasma itself when
            not given.
        ec50 : float or "fit", optional
            Concentration of half the greatest effect [mg/l], given or estimated: the shape is then
            Emax. Proportional to the concentration when not given.
        hill : float, default 1.0
            Exponent of the Emax model.

        Returns
        -------
        PlasmaResponse
            A shape of height 1 at its peak, or of height 1 at saturation with `ec50`.

        Raises
        ------
        InvalidInputError
            No kinetics are known for the drug, or `ec50` without a dose.
        """
        model = self._published() if kinetics is None else kinetics
        dose = self.mg_per_kg
        if dose is None and (ec50 is not None or self.bolus_mg_per_kg > 0.0):
            raise InvalidInputError(
                "the dose is not known: give Infusion(dose_mg_per_kg=...), which ec50 and a bolus "
                "need."
            )
        return PlasmaResponse(
            kinetics=model,
            start=self.onset,
            duration=self.duration,
            dose_mg_per_kg=1.0 if dose is None else dose,
            bolus_mg_per_kg=self.bolus_mg_per_kg,
            effect_site=ke0 is not None,
            ke0=_number(ke0, "ke0"),
            saturates=ec50 is not None,
            ec50=_number(ec50, "ec50"),
            hill=hill,
        )

    def rise_and_decay(self, rise: float | None = None, decay: float | None = None) -> RiseDecay:
        """Return an exponential rise during the infusion and decay after it.

        Parameters
        ----------
        rise, decay : float, optional
            Time constants [s]; estimated when not given.

        Returns
        -------
        RiseDecay
            The response.
        """
        return RiseDecay(start=self.onset, duration=self.duration, rise=rise, decay=decay)

    def _published(self) -> Kinetics:
        if self.drug is None or self.drug.lower() not in PUBLISHED:
            raise InvalidInputError(
                f"no kinetics are known for drug = {self.drug!r}. "
                f"{suggest(str(self.drug), PUBLISHED)} Give response(Kinetics(...)), or use "
                "rise_and_decay()."
            )
        return PUBLISHED[self.drug.lower()]


def _number(value: float | str | None, name: str) -> float | None:
    """Return a number, None for "fit"."""
    if value is None or value == "fit":
        return None
    if isinstance(value, str):
        raise InvalidInputError(f"{name} = {value!r}: give a number, or 'fit' to estimate it.")
    check_positive(float(value), name, "its unit")
    return float(value)


@dataclass(frozen=True, kw_only=True)
class PlasmaResponse(_Shape):
    r"""The course of a drug in plasma or at its effect site, perhaps through an Emax model.

    .. math:: s(t) = c(t) / \max c, \qquad \text{or} \qquad s(t) = c^h / (EC_{50}^h + c^h).

    Parameters
    ----------
    kinetics : Kinetics
        Compartment model.
    start, duration : float
        Of the infusion [s].
    dose_mg_per_kg, bolus_mg_per_kg : float
        Doses of infusion and bolus [mg/kg].
    effect_site : bool, default False
        Whether an effect compartment follows the plasma.
    ke0 : float, optional
        Its rate constant [1/min]; estimated when not given.
    saturates : bool, default False
        Whether the effect saturates (Emax).
    ec50 : float, optional
        Concentration of half the greatest effect [mg/l]; estimated when not given.
    hill : float, default 1.0
        Exponent of the Emax model.
    """

    kinetics: Kinetics
    start: float
    duration: float
    dose_mg_per_kg: float
    bolus_mg_per_kg: float = 0.0
    effect_site: bool = False
    ke0: float | None = None
    saturates: bool = False
    ec50: float | None = None
    hill: float = 1.0

    @property
    def onset(self) -> float:
        """Start of the infusion [s]."""
        return self.start

    def _candidates(self) -> tuple[Unknown, ...]:
        found: tuple[Unknown, ...] = ()
        if self.effect_site:
            found += (Unknown("ke0", "1/min", (0.02, 0.1, 0.5), 1e-3, 10.0),)
        if self.saturates:
            typical = float(self.concentration(np.array([self.start + self.duration]))[0].real)
            starts = (0.3 * typical, typical, 3.0 * typical)
            found += (Unknown("ec50", "mg/l", starts, 1e-3 * typical, 1e3 * typical),)
        return found

    def concentration(self, time: Array, ke0: complex | float | None = None) -> Array:
        """Return the concentration in plasma, or at the effect site with `ke0` [mg/l]."""
        infusions: tuple[tuple[float, float, float], ...] = (
            (self.start, self.duration, self.dose_mg_per_kg),
        )
        if self.bolus_mg_per_kg > 0.0:
            infusions += ((self.start, 0.0, self.bolus_mg_per_kg),)
        return self.kinetics.concentration(time, infusions, ke0)

    def columns(self, time: Array, values: Array) -> Array:
        """Return the shape, 0 before the start, shape (n, 1)."""
        given = self._given(values)
        ke0 = given["ke0"] if self.effect_site else None
        level = self.concentration(time, ke0)
        if self.saturates:
            started = level.real > 0.0
            ratio = np.where(started, level, 1.0) / given["ec50"]
            return np.where(started, 1.0 / (1.0 + ratio**-self.hill), 0.0)[:, None]
        return (level / self._peak(ke0))[:, None]

    def _peak(self, ke0: complex | float | None) -> complex | float:
        """Return the highest concentration, on a grid of 5 s around and after the infusion."""
        grid = self.start + np.arange(0.0, 2.0 * self.duration + 3600.0, 5.0)
        level = self.concentration(np.append(grid, self.start + self.duration), ke0)
        highest: complex | float = level[int(np.argmax(level.real))]
        return highest
