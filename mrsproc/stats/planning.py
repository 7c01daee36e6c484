r"""Power of infusion trials, by simulation of endpoints.

An endpoint, in percent of the rest value, of person i under condition c:

.. math:: y_{ic} = a_i + (\delta + u_i)\,c + s_{ic} + m_{ic}

with the person a (SD ``between_person_sd``), the treatment effect :math:`\delta`, its own variation
between people u (``effect_sd``), the session s (``between_session_sd``: position of the voxel,
state of the person) and the measurement m (``endpoint_sd``, from the spectra). A difference within
a person has the variance :math:`\mathrm{effect}^2 + 2\,(\mathrm{session}^2 + \mathrm{endpoint}^2)`;
an arm of a parallel trial :math:`\mathrm{person}^2 + \mathrm{session}^2 + \mathrm{endpoint}^2`,
plus :math:`\mathrm{effect}^2` when treated. The SD of the spectra falls with SNR and duration,
:math:`\sigma = \sigma_0\,(\mathrm{SNR}_0/\mathrm{SNR})\sqrt{T_0/T}`.

Every trial that is drawn is tested as `mrsproc.stats.crossover` tests it (t adjusted for
period), or by the two-sample t test; who drops out is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError, suggest

if TYPE_CHECKING:
    import pandas as pd

Design = Literal["crossover", "parallel"]
DESIGNS: Final = ("crossover", "parallel")
_MOST: Final = 2000
_CURVE_POINTS: Final = 12
_CHUNK: Final = 2_000_000  # values drawn at once
_LEAST_COMPLETE: Final = 2  # in each sequence or arm


@dataclass(frozen=True, eq=False, kw_only=True)
class Precision(Record):
    """SD of an endpoint at one SNR and duration, scaled to others; a callable for `power`.

    Parameters
    ----------
    sd_percent : float
        SD of the endpoint from the spectra [% of rest], as a fit reports it or a simulation of
        spectra finds it.
    snr : float
        SNR of a transient there.
    duration_s : float
        Duration of the part of the session that the endpoint averages [s].

    Raises
    ------
    InvalidInputError
        A value that is not positive.

    Examples
    --------
    >>> round(Precision(sd_percent=2.5, snr=20.0, duration_s=1200.0)(40.0, 2400.0), 3)
    0.884
    """

    sd_percent: float
    snr: float
    duration_s: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0.0:
                raise InvalidInputError(f"{name} = {value!r}: give a positive number.")
        super().__post_init__()

    def __call__(self, snr: float, duration_s: float) -> float:
        """Return the SD [% of rest] at another SNR and duration.

        Parameters
        ----------
        snr : float
            SNR of a transient.
        duration_s : float
            Duration [s].

        Returns
        -------
        float
            SD.
        """
        return float(self.sd_percent * self.snr / snr * np.sqrt(self.duration_s / duration_s))


@dataclass(frozen=True, eq=False, kw_only=True)
class Power(Record):
    """Power of a trial.

    Parameters
    ----------
    design : str
        "crossover" or "parallel".
    participants : int
        People who start.
    effect_percent : float
        Treatment effect [% of rest].
    power, power_low, power_high : float
        Share of simulated trials that find it, with the 95 % interval of the simulation.
    effect_size : float
        Effect over the SD of a within-person difference, or over the SD within an arm.
    endpoint_sd : float
        SD of an endpoint from the spectra [% of rest].
    alpha, target : float
        Level of the test, and the power asked for.
    numbers, powers : ndarray
        Curve: power over numbers of participants.
    """

    design: Design
    participants: int
    effect_percent: float
    power: float
    power_low: float
    power_high: float
    effect_size: float
    endpoint_sd: float
    alpha: float
    target: float
    numbers: Array
    powers: Array

    def __repr__(self) -> str:
        return (
            f"{self.design} trial, {self.participants} participants, effect "
            f"{self.effect_percent:.3g} % of rest (d = {self.effect_size:.2f}): power "
            f"{self.power:.3f} (95 % CI {self.power_low:.3f} to {self.power_high:.3f}) at alpha "
            f"{self.alpha:g}"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the curve.

        Returns
        -------
        pandas.DataFrame
            participants, power.
        """
        import pandas as pd

        return pd.DataFrame({"participants": self.numbers, "power": self.powers})


class _Scatter(NamedTuple):
    """SDs of what is tested: of a difference, or of the two arms."""

    first: float
    second: float


def power(
    *,
    effect_percent: float | None = None,
    participants: int | None = None,
    endpoint_sd: float | Callable[[float, float], float],
    snr: float | None = None,
    duration_s: float | None = None,
    design: Design = "crossover",
    between_session_sd: float = 0.0,
    between_person_sd: float = 0.0,
    effect_sd: float = 0.0,
    dropout: float = 0.0,
    alpha: float = 0.05,
    target: float = 0.8,
    simulations: int = 10000,
    rng: np.random.Generator | int | None = 0,
) -> Power:
    """Plan a trial: its power, the participants it needs, or the effect it can find.

    With `effect_percent` and `participants` the power is found; with only the effect, the least
    number of participants with a power of `target`; with only the participants, the least effect.

    Parameters
    ----------
    effect_percent : float, optional
        Treatment effect on the endpoint [% of the rest value].
    participants : int, optional
        People who start, in both sequences or arms together.
    endpoint_sd : float or callable
        SD of an endpoint from the spectra [% of rest]: a number, or a callable of SNR and duration
        in s, such as `Precision`.
    snr, duration_s : float, optional
        SNR of a transient and duration of the endpoint [s]; for a callable.
    design : {"crossover", "parallel"}, default "crossover"
        Both conditions in everybody, or one.
    between_session_sd : float, default 0.0
        SD of the endpoint between sessions of a person, beyond the spectra [% of rest].
    between_person_sd : float, default 0.0
        SD between people [% of rest]; cancels in a crossover.
    effect_sd : float, default 0.0
        SD of the treatment effect between people [% of rest].
    dropout : float, default 0.0
        Part of the people without a usable endpoint, in a crossover without both.
    alpha : float, default 0.05
        Level of the two-sided test.
    target : float, default 0.8
        Power that is asked for.
    simulations : int, default 10000
        Trials drawn for every power.
    rng : numpy.random.Generator, int or None, default 0
        Source of the trials.

    Returns
    -------
    Power
        Power with its interval, and a curve over participants.

    Raises
    ------
    InvalidInputError
        Neither effect nor participants, values out of range, or a power that 2000 participants
        do not reach.
    """
    _check_options(design, dropout, alpha, target, simulations)
    sd = _endpoint_sd(endpoint_sd, snr, duration_s)
    for name, value in (
        ("between_session_sd", between_session_sd),
        ("between_person_sd", between_person_sd),
        ("effect_sd", effect_sd),
    ):
        if not value >= 0.0:
            raise InvalidInputError(f"{name} = {value!r}: give an SD in % of rest, 0 or more.")
    scatter = _scatter(design, sd, between_session_sd, between_person_sd, effect_sd)
    seed = np.random.default_rng(rng).integers(2**63)
    trials = _Trials(design, scatter, dropout, alpha, simulations, int(seed))
    if effect_percent is None and participants is None:
        raise InvalidInputError("give effect_percent, participants or both.")
    if participants is not None and participants < 2 * _LEAST_COMPLETE:
        raise InvalidInputError(f"participants = {participants}: give at least 4.")
    if effect_percent is not None and not np.abs(effect_percent) > 0.0:
        raise InvalidInputError(f"effect_percent = {effect_percent!r}: give a number but zero.")
    if participants is None:
        assert effect_percent is not None
        participants = _least_number(trials, effect_percent, target)
    if effect_percent is None:
        effect_percent = _least_effect(trials, participants, target)
    found = trials.power(participants, effect_percent)
    low, high = _binomial_interval(found, simulations)
    numbers = _curve_numbers(participants)
    return Power(
        design=design,
        participants=participants,
        effect_percent=effect_percent,
        power=found,
        power_low=low,
        power_high=high,
        effect_size=abs(effect_percent) / np.sqrt((scatter.first**2 + scatter.second**2) / 2.0),
        endpoint_sd=sd,
        alpha=alpha,
        target=target,
        numbers=numbers,
        powers=np.array([trials.power(int(n), effect_percent) for n in numbers]),
    )


class _Trials(NamedTuple):
    """What every simulated trial has in common; equal seeds make powers comparable."""

    design: Design
    scatter: _Scatter
    dropout: float
    alpha: float
    simulations: int
    seed: int

    def power(self, participants: int, effect: float) -> float:
        """Return the share of trials that reject."""
        rng = np.random.default_rng(self.seed)
        size = max(_CHUNK // participants, 1)
        found = 0
        for start in range(0, self.simulations, size):
            shape = min(size, self.simulations - start), participants
            found += self._found(rng.standard_normal(shape), rng.random(shape), effect)
        return found / self.simulations

    def _found(self, values: Array, luck: Array, effect: float) -> int:
        """Count the trials that reject; values and luck have shape (trials, participants)."""
        from scipy import stats

        second = np.arange(values.shape[1]) % 2 == 1
        values = values * np.where(second, self.scatter.second, self.scatter.first)
        kept = luck >= self.dropout
        if self.design == "crossover":
            values += effect
        else:
            values[:, second] += effect
        groups = [_moments(values[:, side], kept[:, side]) for side in (~second, second)]
        df = np.maximum(groups[0].people + groups[1].people - 2, 1)
        pooled = (groups[0].squares + groups[1].squares) / df
        error = np.sqrt(pooled * (1.0 / groups[0].people + 1.0 / groups[1].people))
        too_few = np.minimum(groups[0].people, groups[1].people) < _LEAST_COMPLETE
        error[too_few] = np.inf  # no test, no finding
        sign = 1.0 if self.design == "crossover" else -1.0
        statistic = (groups[1].mean + sign * groups[0].mean) / error
        return int(np.sum(np.abs(statistic) > stats.t.ppf(1.0 - self.alpha / 2.0, df)))


class _Moments(NamedTuple):
    """Of the people of a sequence or arm who stay, in every trial."""

    people: Array
    mean: Array
    squares: Array


def _moments(values: Array, kept: Array) -> _Moments:
    count = np.maximum(kept.sum(axis=1), 1)
    mean = np.where(kept, values, 0.0).sum(axis=1) / count
    squares = np.where(kept, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return _Moments(count, mean, squares)


def _scatter(design: Design, sd: float, session: float, person: float, effect: float) -> _Scatter:
    if design == "crossover":
        difference = float(np.sqrt(effect**2 + 2.0 * (session**2 + sd**2)))
        return _Scatter(difference, difference)
    arm = person**2 + session**2 + sd**2
    return _Scatter(float(np.sqrt(arm)), float(np.sqrt(arm + effect**2)))


def _endpoint_sd(
    given: float | Callable[[float, float], float], snr: float | None, duration_s: float | None
) -> float:
    if callable(given):
        if snr is None or duration_s is None:
            raise InvalidInputError("endpoint_sd is a callable: give snr and duration_s with it.")
        if not (snr > 0.0 and duration_s > 0.0):
            raise InvalidInputError(
                f"snr = {snr!r}, duration_s = {duration_s!r}: give positive numbers."
            )
        given = float(given(snr, duration_s))
    elif snr is not None or duration_s is not None:
        raise InvalidInputError(
            "snr and duration_s need an endpoint_sd that knows them: "
            "Precision(sd_percent=, snr=, duration_s=), or a callable of your own."
        )
    if not given > 0.0:
        raise InvalidInputError(f"endpoint_sd = {given!r}: give a positive SD in % of rest.")
    return given


def _check_options(
    design: str, dropout: float, alpha: float, target: float, simulations: int
) -> None:
    if design not in DESIGNS:
        raise InvalidInputError(f"design {design!r}: {suggest(design, DESIGNS)}")
    if not 0.0 <= dropout < 1.0:
        raise InvalidInputError(f"dropout = {dropout!r}: give a part from 0 to below 1.")
    if not 0.0 < alpha < target < 1.0:
        raise InvalidInputError(
            f"alpha = {alpha!r}, target = {target!r}: both lie between 0 and 1, alpha below target."
        )
    if simulations < 100:
        raise InvalidInputError(f"simulations = {simulations}: give at least 100.")


def _least_number(trials: _Trials, effect: float, target: float) -> int:
    low, high = 2 * _LEAST_COMPLETE, 16
    while trials.power(high, effect) < target:
        low, high = high, 2 * high
        if high > 2 * _MOST:
            raise InvalidInputError(
                f"an effect of {effect:g} % needs more than {_MOST} participants for a power of "
                f"{target:g}. Is the effect in % of rest, and are the SDs?"
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if trials.power(middle, effect) >= target else (middle, high)
    return high


def _least_effect(trials: _Trials, participants: int, target: float) -> float:
    high = trials.scatter.second
    while trials.power(participants, high) < target:
        high *= 2.0
        if high > 100.0 * trials.scatter.second:
            raise InvalidInputError(
                f"{participants} participants with a dropout of {trials.dropout:g} do not reach a "
                f"power of {target:g} with any effect."
            )
    low = 0.0
    while high - low > 1e-3 * high:
        middle = (low + high) / 2.0
        low, high = (
            (low, middle) if trials.power(participants, middle) >= target else (middle, high)
        )
    return float(high)


def _curve_numbers(participants: int) -> Array:
    spread = np.geomspace(max(participants / 4.0, 4.0), participants * 2.5, _CURVE_POINTS)
    return np.unique(np.append(np.round(spread).astype(int), participants))


def _binomial_interval(share: float, trials: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z2 = 1.96**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    return float(centre - half), float(centre + half)
