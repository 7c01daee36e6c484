r"""Regression of within-person differences: equal or precision weights, and permutation tests.

Differences :math:`d_i` of n people, with design matrix :math:`x_i` (1 and the difference in
period):

.. math:: d_i \sim N(x_i'\beta,\; \tau^2 + v_i)

Equal weights: :math:`v_i = 0`, least squares, and t with :math:`n - p` degrees of freedom, exact
for normal differences. Precision weights: :math:`v_i` is the known variance of the measurement (of
both sessions, from the covariance of the spectral fits), :math:`\tau^2` is estimated by restricted
maximum likelihood, :math:`w_i = 1 / (\tau^2 + v_i)`, and

.. math:: \mathrm{Var}\,\hat\beta = s^2 (X'WX)^{-1}, \quad
    s^2 = \frac{1}{n - p} \sum_i w_i (d_i - x_i'\hat\beta)^2

The factor :math:`s^2` makes the test right for estimated :math:`\tau^2`, and for SDs that are all
too small or too large by one factor (Knapp and Hartung 2003, 10.1002/sim.1482). Where a few precise
people carry the result, there are fewer than :math:`n - p` degrees of freedom: Satterthwaite's of
the variance :math:`\sum_i a_i^2 r_i^2 / (1 - h_i)` of the estimate :math:`\sum_i a_i d_i`, with
residuals :math:`r = (I - H) d` and leverages :math:`h` (Imbens and Kolesar 2016,
10.1162/REST_a_00552):

.. math:: \nu = \frac{(\mathrm{tr}\, G)^2}{\mathrm{tr}\, G^2}, \quad
    G = \mathrm{diag}\Big(\frac{a_i^2}{1 - h_i}\Big)\,(I - H)\,W^{-1}\,(I - H)'

"""

import itertools
import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.stats import reml

_CHUNK: Final = 4096


class Regression(NamedTuple):
    """Regression of differences."""

    beta: Array
    covariance: Array
    df: Array
    weights: Array
    scatter: float
    """SD of a difference of mean precision, about the regression."""


def regress(differences: Array, design: Array, variances: Array | None = None) -> Regression:
    """Regress differences on a design.

    Parameters
    ----------
    differences : ndarray, shape (n,)
        One a person.
    design : ndarray, shape (n, p)
        Design matrix of full rank, n > p.
    variances : ndarray, shape (n,), optional
        Known variances of the measurement; equal weights when not given.

    Returns
    -------
    Regression
        Coefficients, covariance, degrees of freedom of each coefficient, weights (with mean 1),
        scatter.
    """
    weights = np.ones(len(differences))
    if variances is not None:
        weights = 1.0 / (between(differences, design, variances) + variances)
        weights = weights / weights.mean()
    normal = np.linalg.inv(design.T @ (weights[:, None] * design))
    beta = normal @ (design.T @ (weights * differences))
    left = len(differences) - design.shape[1]
    variance = float(np.sum(weights * (differences - design @ beta) ** 2) / left)
    if variances is None:
        df = np.full(design.shape[1], float(left))
    else:
        df = _degrees(design, weights, normal)
    return Regression(beta, variance * normal, df, weights, math.sqrt(variance))


def _degrees(design: Array, weights: Array, normal: Array) -> Array:
    """Return the degrees of freedom of every coefficient under unequal weights."""
    combination = normal @ design.T * weights  # the coefficients are this times the differences
    hat = design @ combination
    rest = np.eye(len(weights)) - hat
    scatter = (rest / weights) @ rest.T
    factor = combination**2 / (1.0 - np.diag(hat))
    trace = factor @ np.diag(scatter)
    return np.asarray(trace**2 / np.einsum("pi,ij,pj->p", factor, scatter**2, factor))


def coefficient(found: Regression, index: int) -> dict[str, float]:
    """Return a coefficient with its t test and 95 % interval.

    Parameters
    ----------
    found : Regression
        The regression.
    index : int
        Which coefficient.

    Returns
    -------
    dict
        estimate, se, df, statistic, p, ci_low, ci_high; without scatter, p is 0, or NaN for an
        estimate of zero.
    """
    from scipy import stats

    estimate = float(found.beta[index])
    se = float(np.sqrt(found.covariance[index, index]))
    df = float(found.df[index])
    half = se * float(stats.t.ppf(0.975, df))
    if se > 0.0:
        statistic = estimate / se
    else:
        statistic = np.nan if estimate == 0.0 else float(np.copysign(np.inf, estimate))
    return {
        "estimate": estimate,
        "se": se,
        "df": df,
        "statistic": statistic,
        "p": 2.0 * float(stats.t.sf(abs(statistic), df)),
        "ci_low": estimate - half,
        "ci_high": estimate + half,
    }


def between(differences: Array, design: Array, variances: Array) -> float:
    """Return the variance of differences beyond that of the measurement, by REML.

    Parameters
    ----------
    differences : ndarray, shape (n,)
        One a person.
    design : ndarray, shape (n, p)
        Design matrix.
    variances : ndarray, shape (n,)
        Known variances of the measurement.

    Returns
    -------
    float
        Variance; zero where the scatter is below that of the measurement.
    """
    n = len(differences)
    blocks = reml.Blocks(
        fixed=design[:, None, :],
        components=np.ones((1, n, 1, 1)),
        known=variances[:, None, None],
        used=np.ones((n, 1), dtype=bool),
    )
    return float(reml.fit(blocks, differences[:, None], bounded=np.array([True])).theta[0])


def sign_flip_p(
    differences: Array, weights: Array, *, resamples: int, rng: np.random.Generator
) -> float:
    """Test by flipping signs: without an effect, a difference is as likely as its negative.

    Parameters
    ----------
    differences : ndarray, shape (n,)
        One a person.
    weights : ndarray, shape (n,)
        Weights that do not depend on the signs.
    resamples : int
        Random flips; all of them are taken where there are not more.
    rng : numpy.random.Generator
        Source of the flips.

    Returns
    -------
    float
        p of the weighted mean, two-sided (Phipson and Smyth 2010, 10.2202/1544-6115.1585).
    """
    n = len(differences)
    parts = weights * differences
    if 2**n <= resamples:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))
        return _share(np.abs(signs @ parts), abs(parts.sum()), exact=True)
    drawn = [np.abs(rng.choice((-1.0, 1.0), size=(size, n)) @ parts) for size in _sizes(resamples)]
    return _share(np.concatenate(drawn), abs(parts.sum()), exact=False)


def relabel_p(
    period_differences: Array,
    order: Array,
    weights: Array,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> float:
    """Test by drawing the order of the conditions anew, as the randomisation of the trial did.

    Without a treatment effect, the difference of a person between the second and the first
    period does not depend on the order of the conditions.

    Parameters
    ----------
    period_differences : ndarray, shape (n,)
        Second minus first period.
    order : ndarray, shape (n,)
        +1 where the active condition came second, -1 where it came first.
    weights : ndarray, shape (n,)
        Weights that do not depend on the order.
    resamples : int
        Random orders; all of them are taken where there are not more.
    rng : numpy.random.Generator
        Source of the orders.

    Returns
    -------
    float
        p of the weighted difference between the orders, two-sided.
    """
    n, second = len(order), int((order > 0).sum())

    def size_of_effect(orders: Array) -> Array:
        mean = orders @ weights / weights.sum()
        slope = orders @ (weights * period_differences)
        slope = slope - mean * np.sum(weights * period_differences)
        return np.asarray(np.abs(slope) / (weights.sum() * (1.0 - mean**2)))

    observed = float(size_of_effect(order[None])[0])
    if math.comb(n, second) <= resamples:
        orders = -np.ones((math.comb(n, second), n))
        for row, chosen in zip(orders, itertools.combinations(range(n), second), strict=True):
            row[list(chosen)] = 1.0
        return _share(size_of_effect(orders), observed, exact=True)
    drawn = [
        size_of_effect(rng.permuted(np.broadcast_to(order, (size, n)), axis=1))
        for size in _sizes(resamples)
    ]
    return _share(np.concatenate(drawn), observed, exact=False)


def _sizes(resamples: int) -> Iterator[int]:
    for start in range(0, resamples, _CHUNK):
        yield min(_CHUNK, resamples - start)


def _share(drawn: Array, observed: float, *, exact: bool) -> float:
    """Return the share of draws as large as what was observed, which counts as one itself."""
    as_large = int((drawn >= observed * (1.0 - 1e-12)).sum())
    extra = 0 if exact else 1
    return (as_large + extra) / (len(drawn) + extra)
