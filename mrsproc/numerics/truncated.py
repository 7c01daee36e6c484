r"""A normal distribution cut off at zero: its moments, by expectation propagation, and back.

Each condition :math:`x_i \ge 0` is replaced by the Gaussian factor that leaves the same mean and
variance of :math:`x_i` when all other conditions are replaced likewise (Minka 2001, arXiv:
1301.2294; for orthants Cunningham 2011, arXiv:1111.6832). Conditions that the distribution meets
anyhow cost nothing.

That mean lies above the truth where the truth is near zero, and the variance says nothing of it: it
is right on average over all positive values, each as likely as any other, most of which are large.
With z the unrestricted mean in SDs the estimate is :math:`z + h(z)`, :math:`h = \phi / \Phi`, and
its bias where the truth is x is

.. math:: b(x) = \mathrm{E}_{\epsilon \sim N(0, 1)} [h(x + \epsilon)],

0.90 at x = 0, 0.42 at 1, 0.03 at 3. It is taken at the estimate (parametric bootstrap; Efron 1993,
10.1201/9780429246593, chapter 10), and for values of which nothing but their sign is known its
square is added, so that what is stated is the squared error to expect. Each value is treated as if
it were the only one.

Where bias matters more than error does, values are lifted less, as if their SD were the part q of
what it is: by :math:`h_q(z) = q\, h(z / q)`. The squared error to expect of values that may be
anywhere is the variance and :math:`(h - h_q)^2` then. For unknown ones :math:`b^2` stays in its
place, with b of the full lift: more than their error where the truth is below one SD (a variance
of 0.84 for an error of 0.58 at 0.8 SD, q = 1/2), but with the bias of :math:`h_q` the 95 % coverage
at 2 SD would be 92.7 %.
"""

import functools
import math
from typing import Any, Final

import numpy as np
from scipy.special import erfcx

from mrsproc.axes import Array

_CUT_NOTHING: Final = 8.0  # SDs from zero at which nothing is cut off
_CLEAR: Final = 4.0  # SDs from zero at which a condition changes nothing
_SWEEPS: Final = 12
_SETTLED: Final = 3e-3  # of an SD: change of the mean in a sweep that is the last
_FAR: Final = 1e3  # SDs below zero beyond which rounding would tell
_ROOT_TWO_OVER_PI: Final = math.sqrt(2.0 / math.pi)


def positive_normal(
    mean: Array,
    covariance: Array,
    unknown: Array | None = None,
    lift: Array | None = None,
) -> tuple[Array, Array]:
    """Return mean and covariance of a normal distribution restricted to x >= 0.

    Parameters
    ----------
    mean : ndarray, shape (n,)
        Mean of the unrestricted distribution.
    covariance : ndarray, shape (n, n)
        Its covariance, positive definite.
    unknown : ndarray of bool, shape (n,), optional
        Of which values nothing but their sign was known beforehand, so that their variance holds
        the square of the bias; none when not given.
    lift : ndarray, shape (n,), optional
        Part q of its SD, above 0 and at most 1, by which each value is lifted; 1 when not given.

    Returns
    -------
    mean : ndarray, shape (n,)
        Positive.
    covariance : ndarray, shape (n, n)
        Positive definite.

    Examples
    --------
    >>> mean, covariance = positive_normal(np.zeros(1), np.eye(1))
    >>> round(float(mean[0]), 4), round(float(covariance[0, 0]), 4)
    (0.7979, 0.3634)
    """
    mean, covariance = mean.copy(), covariance.copy()
    precision, shift, less = np.zeros(mean.size), np.zeros(mean.size), np.zeros(mean.size)
    known = np.ones(mean.size, bool) if unknown is None else ~unknown
    part = np.ones(mean.size) if lift is None else lift
    for _ in range(_SWEEPS):
        before, sd = mean.copy(), np.sqrt(np.diag(covariance))
        for i in np.flatnonzero((mean < _CLEAR * sd) | (precision > 0.0)).tolist():
            variance = float(covariance[i, i])
            others = 1.0 / variance - precision[i]
            if others <= 0.0:
                continue
            wanted, moved, less[i] = _matched(
                float(mean[i]) / variance - shift[i], others, float(part[i])
            )
            step, push = wanted - precision[i], moved - shift[i]
            column = covariance[:, i] / (1.0 + step * variance)
            mean += column * (push - step * mean[i])
            covariance -= column[:, None] * (covariance[i] * step)
            precision[i], shift[i] = wanted, moved
        if (np.abs(mean - before) < _SETTLED * sd).all():
            break
    for i in np.flatnonzero(precision > 0.0).tolist():
        more = less[i] ** 2 if known[i] else _squared_bias(mean, covariance, precision, i)
        if more > 0.0:
            _widen(covariance, precision, i, float(more))
    return mean, covariance


def _squared_bias(mean: Array, covariance: Array, precision: Array, i: int) -> float:
    """Return the square of the bias b of one value, that of the full lift."""
    others = 1.0 / float(covariance[i, i]) - precision[i]
    if others <= 0.0:
        return 0.0
    bias = float(np.interp(mean[i] * math.sqrt(others), *_bias_of_estimate()))
    return bias**2 / float(others)


def _widen(covariance: Array, precision: Array, i: int, by: float) -> None:
    """Let the factor of one condition, in place, leave a variance that is larger by `by`."""
    variance = float(covariance[i, i])
    step = 1.0 / (variance + by) - 1.0 / variance
    column = covariance[:, i] / (1.0 + step * variance)
    covariance -= column[:, None] * (covariance[i] * step)
    precision[i] += step


@functools.cache
def _bias_of_estimate() -> tuple[Array, Array]:
    """Return truths, in SDs, and the bias b at each."""
    truth, noise = np.linspace(0.0, _CUT_NOTHING, 321), np.linspace(-8.0, 8.0, 641)
    density = np.exp(-0.5 * noise**2)
    return truth, _hazard(truth[:, None] + noise) @ density / density.sum()


def _hazard(z: Any) -> Any:
    """Return the density of the standard normal distribution at z over what is below z."""
    return _ROOT_TWO_OVER_PI / erfcx(-z / math.sqrt(2.0))


@functools.cache
def normal_before_cut(mean: float, sd: float) -> tuple[float, float]:
    r"""Return the normal distribution that has a given mean and SD once it is cut off at zero.

    With z the ratio of its location to its scale s, and :math:`\lambda` the hazard
    :math:`\phi(z) / \Phi(z)`, the mean is :math:`s (z + \lambda)` and the variance
    :math:`s^2 (1 - \lambda (z + \lambda))` (Johnson 1994, Continuous univariate distributions 1).

    Parameters
    ----------
    mean, sd : float
        Moments of what is not negative; above 0.76 times the mean, the SD of a half normal
        distribution, the SD becomes just that.

    Returns
    -------
    location, scale : float
        Of the normal distribution.

    Examples
    --------
    >>> location, scale = normal_before_cut(10.0, 1.0)
    >>> round(location, 6), round(scale, 6)
    (10.0, 1.0)
    """
    z = np.linspace(0.0, _CUT_NOTHING, 2001)
    hazard = _hazard(z)
    spread = np.sqrt(1.0 - hazard * (z + hazard)) / (z + hazard)
    found = float(np.interp(-sd / mean, -spread, z))
    if found == _CUT_NOTHING:
        return mean, sd
    scale = mean / (found + float(np.interp(found, z, hazard)))
    return found * scale, scale


def _matched(moment: float, precision: float, part: float) -> tuple[float, float, float]:
    """Return precision and moment of the factor that stands for x >= 0.

    The other factors have the precision and the moment (precision times mean) that are given. Third
    is how far the mean that it leaves is below that of the distribution cut off at zero: not at
    all, but for values that are lifted by a part of their SD.
    """
    root = math.sqrt(precision)
    z = max(moment / root, -_FAR)
    hazard = float(_hazard(z))
    raised = hazard if part == 1.0 else part * float(_hazard(z / part))
    kept = 1.0 - hazard * (z + hazard)
    moved = root * (z + raised) / kept - moment
    return precision * (1.0 / kept - 1.0), moved, (hazard - raised) / root
