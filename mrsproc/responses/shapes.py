r"""Responses with shapes of few parameters, which are given or estimated.

Every parameter that is None is estimated by the fit, with its uncertainty.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.responses.base import Response, Unknown, check_positive, check_time

_TIMES_S: Final = (60.0, 180.0, 480.0, 1200.0)  # to start from, where a time constant is not known
_TIME_LIMITS_S: Final = (5.0, 2e4)


def time_constant(name: str) -> Unknown:
    """Return an unknown time constant [s]."""
    return Unknown(name, "s", _TIMES_S, *_TIME_LIMITS_S)


@dataclass(frozen=True)
class _Shape(Response):
    """Base: which of the parameters are unknown."""

    def _candidates(self) -> tuple[Unknown, ...]:
        """Return an unknown for every parameter that could be one, named like it."""
        raise NotImplementedError

    def unknowns(self) -> tuple[Unknown, ...]:
        """Return those parameters that are None."""
        return tuple(one for one in self._candidates() if getattr(self, one.name) is None)

    def _given(self, values: Array) -> dict[str, complex | float]:
        """Return all parameters, the unknown ones at given values."""
        known = {one.name: getattr(self, one.name) for one in self._candidates()}
        return known | dict(zip((one.name for one in self.unknowns()), values, strict=True))


def _real_positive(since: Array) -> Array:
    """Return times since an onset, 0 before it; the slope after the onset is kept."""
    return np.where(since.real > 0.0, since, 0.0)


@dataclass(frozen=True)
class RiseDecay(_Shape):
    r"""Exponential rise while a drug runs in, exponential decay afterwards.

    .. math:: s(t) = 1 - e^{-(t - t_0)/\tau_r} \text{ up to } t_0 + T, \qquad
              s(t) = s(t_0 + T) \, e^{-(t - t_0 - T)/\tau_d} \text{ afterwards.}

    Parameters
    ----------
    start : float
        Start of the rise t0 [s since the first transient].
    duration : float, optional
        Duration T [s]; without end when not given.
    rise : float, optional
        Time constant of the rise [s]; estimated when not given.
    decay : float, optional
        Time constant of the decay [s]; estimated when not given and `duration` is. It matters only
        where the recording goes on after the end.
    """

    start: float
    duration: float | None = None
    rise: float | None = None
    decay: float | None = None

    def __post_init__(self) -> None:
        check_time(self.start, "start")
        for name in ("duration", "rise", "decay"):
            check_positive(getattr(self, name), name, "seconds")

    @property
    def onset(self) -> float:
        """Start [s]."""
        return self.start

    def _candidates(self) -> tuple[Unknown, ...]:
        rise = (time_constant("rise"),)
        return rise if self.duration is None else (*rise, time_constant("decay"))

    def columns(self, time: Array, values: Array) -> Array:
        """Return the shape, 0 before the start, shape (n, 1)."""
        given = self._given(values)
        since = _real_positive(time - self.start)
        if self.duration is None:
            return (1.0 - np.exp(-since / given["rise"]))[:, None]
        after = _real_positive(since - self.duration)
        during = 1.0 - np.exp(-np.minimum(since, self.duration) / given["rise"])
        return (during * np.exp(-after / given["decay"]))[:, None]


@dataclass(frozen=True)
class Sigmoid(_Shape):
    r"""A smooth step, :math:`s(t) = 1 / (1 + e^{-(t - m) / w})`.

    Parameters
    ----------
    middle : float, optional
        Time m of half height [s since the first transient]; estimated when not given.
    width : float, optional
        Time constant w [s]; estimated when not given.
    span : tuple of float, default (0.0, 3600.0)
        Range in which the middle is sought [s].
    """

    middle: float | None = None
    width: float | None = None
    span: tuple[float, float] = (0.0, 3600.0)

    def __post_init__(self) -> None:
        check_time(self.middle, "middle")
        check_positive(self.width, "width", "seconds")

    def _candidates(self) -> tuple[Unknown, ...]:
        low, high = self.span
        middles = tuple(low + (high - low) * part for part in (0.15, 0.3, 0.5, 0.7, 0.85))
        return (
            Unknown("middle", "s", middles, low, high),
            Unknown("width", "s", (30.0, 120.0, 400.0), *_TIME_LIMITS_S),
        )

    def columns(self, time: Array, values: Array) -> Array:
        """Return the shape, shape (n, 1)."""
        given = self._given(values)
        return (0.5 + 0.5 * np.tanh(0.5 * (time - given["middle"]) / given["width"]))[:, None]


@dataclass(frozen=True)
class Gamma(_Shape):
    r"""A rise and fall, :math:`s(t) = (x e^{1 - x})^k, \ x = (t - t_0) / p`, of height 1.

    Parameters
    ----------
    start : float
        Start t0 [s since the first transient].
    peak : float, optional
        Time p from the start to the peak [s]; estimated when not given.
    power : float, optional
        Exponent k: the larger, the narrower; estimated when not given.
    """

    start: float
    peak: float | None = None
    power: float | None = None

    def __post_init__(self) -> None:
        check_time(self.start, "start")
        check_positive(self.peak, "peak", "seconds")
        check_positive(self.power, "power", "units (it is a plain number)")

    @property
    def onset(self) -> float:
        """Start [s]."""
        return self.start

    def _candidates(self) -> tuple[Unknown, ...]:
        return (time_constant("peak"), Unknown("power", "", (1.0, 3.0), 0.2, 20.0))

    def columns(self, time: Array, values: Array) -> Array:
        """Return the shape, 0 before the start, shape (n, 1)."""
        given = self._given(values)
        since = time - self.start
        ratio = np.where(since > 0.0, since, 1.0) / given["peak"]
        shape = np.exp(given["power"] * (np.log(ratio) + 1.0 - ratio))
        return np.where(since > 0.0, shape, 0.0)[:, None]
