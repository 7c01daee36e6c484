r"""Compartment models of a drug in plasma.

With drug amounts x [mg/kg] in up to three compartments and an infusion at rate r,

.. math:: \dot x = A x + r e_1,

the plasma concentration :math:`x_1 / V_1` after a unit dose is a sum of exponentials, from the
eigenvalues of A; an infusion is its integral. An effect compartment follows the plasma with
:math:`\dot c_e = k_{e0} (c - c_e)` (Sheiner 1979, 10.1002/cpt1979253358), which turns an
exponential :math:`w e^{\lambda t}` into
:math:`w k_{e0} (e^{\lambda t} - e^{-k_{e0} t}) / (k_{e0} + \lambda)`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError

_MINUTE_S: Final = 60.0


@dataclass(frozen=True)
class Kinetics:
    """Micro rate constants of a compartment model.

    Parameters
    ----------
    volume_l_per_kg : float
        Volume of the central compartment [l/kg].
    k10 : float
        Elimination [1/min].
    k12, k21 : float, default 0.0
        Exchange with the second compartment [1/min]; 0 for a single compartment.
    k13, k31 : float, default 0.0
        Exchange with the third compartment [1/min]; 0 for one or two compartments.
    source : str, default ""
        Where the constants are from.

    Raises
    ------
    InvalidInputError
        Volume or elimination that are not positive, exchange in one direction only.
    """

    volume_l_per_kg: float
    k10: float
    k12: float = 0.0
    k21: float = 0.0
    k13: float = 0.0
    k31: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("volume_l_per_kg", "k10"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0.0):
                raise InvalidInputError(f"{name} = {value!r}: give a positive number.")
        for there, back in (("k12", "k21"), ("k13", "k31")):
            pair = getattr(self, there), getattr(self, back)
            if not np.isfinite(pair).all() or min(pair) < 0.0 or (min(pair) == 0.0 < max(pair)):
                raise InvalidInputError(
                    f"{there} = {pair[0]!r} and {back} = {pair[1]!r}: give two positive rate "
                    "constants in 1/min, or 0 for both when there is no such compartment."
                )

    def modes(self, ke0: complex | float | None = None) -> tuple[Array, Array]:
        """Return what a unit amount in the central compartment becomes: a sum of exponentials.

        Parameters
        ----------
        ke0 : float, optional
            Rate constant of the effect site [1/min]; for the plasma when not given.

        Returns
        -------
        rate : ndarray, shape (k,)
            Rate constants [1/s], negative.
        weight : ndarray, shape (k,)
            Their weights; for the effect site, of the amount that the plasma would hold at its
            concentration.
        """
        rates = np.array(
            [
                [-self.k10 - self.k12 - self.k13, self.k21, self.k31],
                [self.k12, -self.k21, 0.0],
                [self.k13, 0.0, -self.k31],
            ]
        )
        kept = [0] + [1] * (self.k12 > 0.0) + [2] * (self.k13 > 0.0)
        values, vectors = np.linalg.eig(rates[np.ix_(kept, kept)] / _MINUTE_S)
        weight = vectors[0] * np.linalg.inv(vectors)[:, 0]
        if ke0 is None:
            return values.real, weight.real
        effect = ke0 / _MINUTE_S
        passed = weight.real * effect / (effect + values.real)
        return np.append(values.real, -effect), np.append(passed, -passed.sum())

    def concentration(
        self,
        time: Array,
        infusions: tuple[tuple[float, float, float], ...],
        ke0: complex | float | None = None,
    ) -> Array:
        """Return the concentration in plasma, or at the effect site where `ke0` is given.

        Parameters
        ----------
        time : ndarray, shape (n,)
            Times [s].
        infusions : tuple of (float, float, float)
            Start [s], duration [s] (0 for a bolus) and dose [mg/kg] of each.
        ke0 : float, optional
            Rate constant of the effect site [1/min].

        Returns
        -------
        ndarray, shape (n,)
            Concentration [mg/l], which is the same as microgram/ml.
        """
        rate, weight = self.modes(ke0)
        total = np.zeros(time.size, rate.dtype)
        for start, duration, dose in infusions:
            since = np.maximum(time - start, 0.0)[:, None]
            if duration > 0.0:
                during, after = np.minimum(since, duration), np.maximum(since - duration, 0.0)
                grown = np.expm1(rate * during) / rate * np.exp(rate * after)
                total += (grown @ weight) * dose / duration
            else:
                total += (np.exp(rate * since) @ weight) * dose * (time >= start)
        return np.asarray(total / self.volume_l_per_kg)


KETAMINE: Final = Kinetics(
    volume_l_per_kg=0.063,
    k10=0.4381,
    k12=0.5921,
    k21=0.2470,
    k13=0.5900,
    k31=0.0146,
    source="racemic ketamine, volunteers: Domino 1984, Clin Pharmacol Ther 36, 645-653",
)
"""Ketamine in plasma (Domino 1984, 10.1038/clpt.1984.235). Its clearance, 116 l/h for 70 kg, is
above the mean of 18 studies, 79 l/h, and its volume, 193 l, below theirs, 252 l (Kamp 2020,
10.1097/ALN.0000000000003577): people differ by as much."""
PUBLISHED: Final[dict[str, Kinetics]] = {"ketamine": KETAMINE}
"""Compartment models of drugs by name."""
