"""Endpoints of a time course: one number a session, for statistics over sessions.

They are taken from the percent change from baseline in time bins over an interval:

- ``mean``: mean over the interval [%];
- ``plateau``: mean over its second half [%];
- ``auc``: area under the curve [% min];
- ``slope``: of the straight line by least squares [% / min];
- ``peak``: largest change in the direction of the mean [%];
- ``time_to_peak``: middle of its bin, since the onset of the drug where it is known [s].

The first four are linear, with exact SDs; peak and time to peak have the SD of draws from the
normal distribution of the curve.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.dynamics.curves import Curve

if TYPE_CHECKING:
    import pandas as pd

_DRAWS: Final = 1000
_MINUTE_S: Final = 60.0
UNITS: Final = {
    "mean": "%",
    "plateau": "%",
    "auc": "% min",
    "slope": "% / min",
    "peak": "%",
    "time_to_peak": "s",
}


class Endpoints(NamedTuple):
    """What endpoints are taken from."""

    change: Curve
    """Percent change in each bin."""
    edges: Array
    """Edges of the bins [s], shape (k + 1,)."""
    onset: float
    """Start of the drug [s]; NaN where it is not known."""


def endpoints_of(given: Endpoints, parameters: Array, rng: np.random.Generator) -> "pd.DataFrame":
    """Return all endpoints with SDs.

    Parameters
    ----------
    given : Endpoints
        Time course.
    parameters : ndarray, shape (n_parameters, n_parameters)
        Covariance of the parameters behind it.
    rng : Generator
        Source of the draws for peak and time to peak.

    Returns
    -------
    pandas.DataFrame
        Columns endpoint, unit, estimate, sd.
    """
    import pandas as pd

    linear = given.change.weighted(_rows(given.edges))
    values, sds = list(linear.value), list(linear.sd(parameters))
    covariance = given.change.covariance(parameters)
    draws = _drawn(given.change.value, covariance, rng)
    for peak, drawn in zip(
        _peak(given, given.change.value[None]), _peak(given, draws), strict=True
    ):
        values.append(peak[0])
        sds.append(drawn.std())
    return pd.DataFrame(
        {"endpoint": list(UNITS), "unit": list(UNITS.values()), "estimate": values, "sd": sds}
    )


def _rows(edges: Array) -> Array:
    """Return the weights of mean, plateau, area and slope."""
    width = np.diff(edges)
    middle = 0.5 * (edges[1:] + edges[:-1])
    late = width * (middle >= 0.5 * (edges[0] + edges[-1]))
    centred = (middle - width @ middle / width.sum()) * width
    spread = float(centred @ middle)
    slope = centred / spread * _MINUTE_S if spread > 0.0 else np.full(width.size, np.nan)
    return np.array([width / width.sum(), late / late.sum(), width / _MINUTE_S, slope])


def _peak(given: Endpoints, values: Array) -> tuple[Array, Array]:
    """Return the peak and its time for each row of values."""
    sign = np.where(values @ np.diff(given.edges) >= 0.0, 1.0, -1.0)
    best = np.argmax(values * sign[:, None], axis=1)
    middle = 0.5 * (given.edges[1:] + given.edges[:-1])
    start = given.onset if np.isfinite(given.onset) else 0.0
    return values[np.arange(len(values)), best], middle[best] - start


def _drawn(value: Array, covariance: Array, rng: np.random.Generator) -> Array:
    """Return draws from a normal distribution whose covariance may be singular."""
    if not np.isfinite(covariance).all():
        return np.full((_DRAWS, value.size), np.nan)
    strength, vectors = np.linalg.eigh(covariance)
    normal = rng.standard_normal((_DRAWS, value.size))
    return np.asarray(value + (normal * np.sqrt(np.maximum(strength, 0.0))) @ vectors.T)
