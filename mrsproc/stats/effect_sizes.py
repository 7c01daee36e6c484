r"""Standardised effects with intervals, and corrections for several tests.

The effect in units of the SD of the within-person differences is :math:`d = t\,s_e/\sigma`, and
Hedges' factor :math:`J(\nu) = \Gamma(\nu/2) / (\sqrt{\nu/2}\,\Gamma((\nu-1)/2))` takes away its
small-sample bias (Hedges 1981, 10.3102/10769986006002107). Its interval comes from the noncentral t
distribution: the effects under which the t found would be at the 2.5 and 97.5 % points.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


_NODES: Final = 200


class EffectSize(NamedTuple):
    """A standardised effect and its 95 % interval."""

    value: float
    low: float
    high: float


def standardised(statistic: float, df: float, scale: float) -> EffectSize:
    """Return Hedges' standardised effect of a t statistic, with its 95 % interval.

    Parameters
    ----------
    statistic : float
        t.
    df : float
        Its degrees of freedom.
    scale : float
        Standard error over the SD of the differences, 1/sqrt(n) for n differences.

    Returns
    -------
    EffectSize
        Effect in SDs of the within-person difference; NaN for a statistic that is NaN.

    Examples
    --------
    >>> effect = standardised(2.0, 24, 1 / 26 ** 0.5)
    >>> print(f"{effect.value:.3f} ({effect.low:.3f} to {effect.high:.3f})")
    0.380 (-0.011 to 0.788)
    """
    from scipy import special

    if not np.isfinite(statistic):
        return EffectSize(np.nan, np.nan, np.nan)
    correction = np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    low, high = noncentrality_interval(statistic, df)
    return EffectSize(float(correction * statistic * scale), low * scale, high * scale)


def noncentrality_interval(statistic: float, df: float) -> tuple[float, float]:
    """Return the 95 % interval of the noncentrality of a t statistic.

    Parameters
    ----------
    statistic : float
        t.
    df : float
        Its degrees of freedom.

    Returns
    -------
    tuple of float
        Limits, in units of the standard error.
    """
    from scipy import optimize

    reach = abs(statistic) + 10.0 + 10.0 * abs(statistic) / np.sqrt(df)

    def limit(level: float) -> float:
        def excess(noncentrality: float) -> float:
            return noncentral_t_cdf(statistic, df, noncentrality) - level

        return float(optimize.brentq(excess, -reach, reach))

    return limit(0.975), limit(0.025)


def noncentral_t_cdf(statistic: float, df: float, noncentrality: float) -> float:
    """Return the distribution function of the noncentral t, also far out in its tails.

    The mean of the normal distribution function over the chi-squared distribution of the variance,
    by Gauss-Legendre quadrature over its quantiles.

    Parameters
    ----------
    statistic : float
        Where.
    df : float
        Degrees of freedom.
    noncentrality : float
        Noncentrality.

    Returns
    -------
    float
        Probability of a smaller value.

    Examples
    --------
    >>> round(noncentral_t_cdf(2.0, 24.0, 2.0), 4)
    0.4918
    """
    from scipy import special

    scale, weights = _quadrature(df)
    return float(weights @ special.ndtr(statistic * scale - noncentrality))


@lru_cache(maxsize=64)
def _quadrature(df: float) -> tuple[Array, Array]:
    """Return quantiles of the SD over its true value, and their weights."""
    from scipy import stats

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return np.sqrt(stats.chi2.ppf((nodes + 1.0) / 2.0, df) / df), weights / 2.0


def holm(p: "ArrayLike") -> Array:
    """Return p values corrected for their number after Holm (1979, Scand J Stat 6, 65-70).

    The chance that any true null hypothesis of the family is rejected stays below the level,
    whatever the tests have in common.

    Parameters
    ----------
    p : array_like, shape (n,)
        p values; NaN stays NaN and does not count.

    Returns
    -------
    ndarray, shape (n,)
        Corrected p values.

    Raises
    ------
    InvalidInputError
        A value that is no probability.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=float)
    if ((values < 0.0) | (values > 1.0)).any():
        raise InvalidInputError(f"p = {values.tolist()}: give values between 0 and 1.")
    corrected = np.full_like(values, np.nan)
    order = np.flatnonzero(np.isfinite(values))[np.argsort(values[np.isfinite(values)])]
    factors = np.arange(order.size, 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1.0)
    return corrected
