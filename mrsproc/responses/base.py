r"""What a response is: time courses that are added to the amplitude at rest.

The amplitude of a metabolite is :math:`a(t) = a_0 + \sum_k c_k s_k(t; u)`: at rest, plus time
courses with coefficients, whose shapes may depend on a few unknowns u.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError


@dataclass(frozen=True)
class Unknown:
    """A parameter of a shape that a fit estimates.

    Parameters
    ----------
    name : str
        As it stands in the table of parameters.
    unit : str
        Its unit.
    start : tuple of float
        Values to start from; the best is taken.
    low, high : float
        Limits.
    """

    name: str
    unit: str
    start: tuple[float, ...]
    low: float
    high: float


@dataclass(frozen=True)
class Response:
    """Base of the responses.

    Responses are values: two with the same parameters are equal, and metabolites with equal
    responses share the unknowns of the shape.
    """

    has_rest: ClassVar[bool] = True
    """Whether the amplitude at rest is a coefficient of its own beside the time courses."""
    named: ClassVar[bool] = True
    """Whether the coefficients mean something on their own, and stand in tables."""

    @property
    def onset(self) -> float | None:
        """Start of the drug [s since the first transient], where the response knows it."""
        return None

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the coefficients in the table of parameters."""
        return ("response",)

    def unknowns(self) -> tuple[Unknown, ...]:
        """Return the parameters of the shape that are to be estimated."""
        return ()

    def columns(self, time: Array, values: Array) -> Array:
        """Return the time courses.

        Parameters
        ----------
        time : ndarray, shape (n,)
            Onset times [s].
        values : ndarray, shape (n_unknowns,)
            Values of the unknowns, real or complex (a complex step gives exact slopes).

        Returns
        -------
        ndarray, shape (n, n_labels)
            A column each.
        """
        raise NotImplementedError

    def roughness(self) -> Array | None:
        """Return the penalty of each coefficient, up to a factor; None without."""
        return None


@dataclass(frozen=True)
class Constant(Response):
    """No change: the amplitude at rest throughout."""

    @property
    def labels(self) -> tuple[str, ...]:
        """No coefficients."""
        return ()

    def columns(self, time: Array, values: Array) -> Array:
        """Return no columns, shape (n, 0)."""
        return np.zeros((time.size, 0), np.result_type(values, float))


def check_positive(value: float | None, name: str, unit: str) -> None:
    """Refuse a number that is not positive; None passes."""
    if value is not None and not (np.isfinite(value) and value > 0.0):
        raise InvalidInputError(f"{name} = {value!r}: give a positive number of {unit}.")


def check_time(value: float | None, name: str) -> None:
    """Refuse a time that is not finite; None passes."""
    if value is not None and not np.isfinite(value):
        raise InvalidInputError(
            f"{name} = {value!r}: give a finite time in s since the first transient."
        )


def check_values(values: tuple[float, ...], name: str) -> None:
    """Refuse numbers that are not finite."""
    if not np.isfinite(values).all():
        raise InvalidInputError(f"{name} holds values that are not finite: {values}.")


def slopes(response: Response, time: Array, values: Array) -> Array:
    """Return the derivatives of the time courses after each unknown, by a complex step.

    The step of 1e-30 along the imaginary axis is exact to the last digit (Squire 1998,
    10.1137/S003614459631241X).

    Parameters
    ----------
    response : Response
        What to differentiate.
    time : ndarray, shape (n,)
        Onset times [s].
    values : ndarray, shape (n_unknowns,)
        Where.

    Returns
    -------
    ndarray, shape (n_unknowns, n, n_labels)
        Derivatives.
    """
    step = 1e-30
    result = np.zeros((values.size, time.size, len(response.labels)))
    for index in range(values.size):
        shifted = values.astype(complex)
        shifted[index] += 1j * step
        result[index] = response.columns(time, shifted).imag / step
    return result
