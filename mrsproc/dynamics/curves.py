"""Quantities over time and their covariance: sums, ratios, changes from a baseline."""

from typing import NamedTuple

import numpy as np

from mrsproc.axes import Array


class Curve(NamedTuple):
    """Values, and how each depends on the parameters of a fit."""

    value: Array
    """Shape (k,)."""
    slope: Array
    """Shape (k, n_parameters)."""

    def covariance(self, of_parameters: Array) -> Array:
        """Return the covariance of the values, to first order."""
        return np.asarray(self.slope @ of_parameters @ self.slope.T)

    def sd(self, of_parameters: Array) -> Array:
        """Return the standard deviations of the values."""
        variance = np.einsum("kp,pq,kq->k", self.slope, of_parameters, self.slope)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def weighted(self, rows: Array) -> "Curve":
        """Return weighted sums of the values, one for each row."""
        return Curve(rows @ self.value, rows @ self.slope)

    def over(self, other: "Curve") -> "Curve":
        """Return the ratio to another curve, or to a single value; NaN where that is not positive.

        To first order in the relative SD of the denominator, which must be well above 0.
        """
        below = np.where(other.value > 0.0, other.value, np.nan)
        value = self.value / below
        return Curve(value, (self.slope - value[:, None] * other.slope) / below[:, None])

    def minus(self, other: "Curve") -> "Curve":
        """Return the difference from another curve, or from a single value."""
        return Curve(self.value - other.value, self.slope - other.slope)

    def log(self) -> "Curve":
        """Return the natural logarithm; NaN where a value is not positive."""
        positive = np.where(self.value > 0.0, self.value, np.nan)
        return Curve(np.log(positive), self.slope / positive[:, None])

    def times(self, factor: float) -> "Curve":
        """Return the curve times a number."""
        return Curve(self.value * factor, self.slope * factor)
