r"""A smooth time course of no given shape: a penalised spline.

The change from rest is a spline whose curvature is penalised; how much is estimated by restricted
maximum likelihood, in the fixed-point form of Wood 2017 (10.1111/biom.12621). This is
the posterior mean of a Gaussian process, an integrated Wiener process.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError
from mrsproc.numerics.splines import bspline_design, demmler_reinsch
from mrsproc.responses.base import Response, check_positive, check_time


@dataclass(frozen=True)
class Smooth(Response):
    """A smooth time course.

    Parameters
    ----------
    duration : float
        Time that the knots span from the first transient on [s], usually the recording's.
    spacing : float, default 240.0
        Distance of the knots [s]: an upper limit to the flexibility.
    start : float, optional
        Start of the drug [s], to tell what is baseline.

    Raises
    ------
    InvalidInputError
        A time that is not positive, or a spacing that leaves fewer than two intervals.
    """

    duration: float
    spacing: float = 240.0
    start: float | None = None
    named: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive(self.duration, "duration", "seconds")
        check_positive(self.spacing, "spacing", "seconds")
        check_time(self.start, "start")
        if self.duration < 2.0 * self.spacing:
            raise InvalidInputError(
                f"spacing = {self.spacing:g} s for {self.duration:g} s: give at most half the "
                "duration."
            )

    @property
    def onset(self) -> float | None:
        """Start of the drug [s]."""
        return self.start

    @property
    def labels(self) -> tuple[str, ...]:
        """Numbered coefficients."""
        return tuple(f"smooth {k}" for k in range(1, self._basis()[1].size))

    def columns(self, time: Array, values: Array) -> Array:
        """Return the orthogonal functions of the spline but for the constant, shape (n, k)."""
        transform, _ = self._basis()
        design = bspline_design(
            np.clip(time, 0.0, self.duration), 0.0, self.duration, self._intervals
        )
        return np.asarray((design @ transform)[:, 1:], np.result_type(values, float))

    def roughness(self) -> Array:
        """Return the penalties of the functions; 0 for the straight line."""
        return self._basis()[1][1:]

    @property
    def _intervals(self) -> int:
        return max(2, round(self.duration / self.spacing))

    def _basis(self) -> tuple[Array, Array]:
        """Return what takes B-splines to orthogonal functions of unit variance, and penalties."""
        grid = np.linspace(0.0, self.duration, 20 * self._intervals)
        design = bspline_design(grid, 0.0, self.duration, self._intervals)
        q, roughness = demmler_reinsch(design)
        line = (grid - grid.mean()) / grid.std()
        functions = np.vstack([np.ones(grid.size), line, np.sqrt(grid.size) * q[2:]])
        transform = np.linalg.lstsq(design, functions.T, rcond=None)[0]
        return transform, roughness
