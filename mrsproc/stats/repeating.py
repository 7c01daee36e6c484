"""What a published F statistic promises for a trial that repeats it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.data import Record
from mrsproc.errors import InvalidInputError
from mrsproc.stats.effect_sizes import EffectSize, noncentral_t_cdf, standardised

_FEWEST: Final = 4
_MOST: Final = 10000


@dataclass(frozen=True, eq=False, kw_only=True)
class Replication(Record):
    """Power of repeating a published crossover trial.

    Parameters
    ----------
    participants : int
        People with both conditions in the trial to come.
    effect_size : EffectSize
        Published effect in SDs of the within-person difference, with 95 % interval.
    power, power_low, power_high : float
        Power if the effect is as published, or at the ends of its interval.
    participants_80 : int
        People needed for a power of 80 % if the effect is as published; at most 10000.
    """

    participants: int
    effect_size: EffectSize
    power: float
    power_low: float
    power_high: float
    participants_80: int

    def __repr__(self) -> str:
        size = self.effect_size
        return (
            f"published effect d = {size.value:.2f} (95 % CI {size.low:.2f} to {size.high:.2f}): "
            f"power with {self.participants} people {self.power:.2f} ({self.power_low:.2f} to "
            f"{self.power_high:.2f}); {self.participants_80} people for a power of 0.8"
        )


def replication(
    f_statistic: float, *, published: int, participants: int | None = None, alpha: float = 0.05
) -> Replication:
    """Return the power of repeating a crossover trial of which an F statistic was published.

    The F of one degree of freedom is the square of a t; its effect over the SD of the within-person
    difference is t / sqrt(n), whose interval is wide for small trials. Person-level degrees of
    freedom (n - 2) are used, also where the published model counted time points. Power comes from
    the noncentral t distribution.

    Parameters
    ----------
    f_statistic : float
        Published F(1, .) of the treatment.
    published : int
        People in the published trial.
    participants : int, optional
        People in the trial to come; as many when not given.
    alpha : float, default 0.05
        Level of the two-sided test.

    Returns
    -------
    Replication
        Effect size, power and participants needed, with intervals.

    Raises
    ------
    InvalidInputError
        An F below zero, or fewer than four people.

    References
    ----------
    Jelen 2025, 10.1038/s41591-025-03800-w: F(1, 253) = 4.83 with 26 people.
    """
    participants = published if participants is None else participants
    if not f_statistic >= 0.0:
        raise InvalidInputError(f"f_statistic = {f_statistic!r}: F is zero or more.")
    if min(published, participants) < _FEWEST:
        raise InvalidInputError(
            f"published = {published}, participants = {participants}: give at least 4."
        )
    effect = standardised(np.sqrt(f_statistic), published - 2, 1.0 / np.sqrt(published))
    enough = (n for n in range(_FEWEST, _MOST) if crossover_power(effect.value, n, alpha) >= 0.8)
    ends = [crossover_power(value, participants, alpha) for value in effect]
    lowest = alpha if effect.low <= 0.0 <= effect.high else min(ends[1:])
    return Replication(
        participants=participants,
        effect_size=effect,
        power=ends[0],
        power_low=lowest,
        power_high=max(ends[1:]),
        participants_80=next(enough, _MOST),
    )


def crossover_power(effect_size: float, participants: int, alpha: float = 0.05) -> float:
    """Return the power of a crossover trial from the noncentral t distribution.

    Parameters
    ----------
    effect_size : float
        Effect over the SD of the within-person difference.
    participants : int
        People with both conditions.
    alpha : float, default 0.05
        Level of the two-sided test, adjusted for period.

    Returns
    -------
    float
        Power.

    Examples
    --------
    >>> round(crossover_power(0.5, 34), 3)
    0.807
    """
    from scipy import stats

    df = participants - 2
    limit = float(stats.t.ppf(1.0 - alpha / 2.0, df))
    shift = abs(effect_size) * np.sqrt(participants)
    below = noncentral_t_cdf(limit, df, shift) - noncentral_t_cdf(-limit, df, shift)
    return 1.0 - below
