r"""Restricted maximum likelihood for Gaussian models whose covariance is linear in its parameters.

.. math:: y_i \sim N\Big(X_i \beta,\; V_i = R_i + \sum_k \theta_k V_{ik}\Big)

for each person :math:`i`, with :math:`R_i` known (measurement covariance of the spectral fit, or
zero) and matrices :math:`V_{ik}` that say which observations share a variance component: the
residual, the person, the person x session, slopes. :math:`\theta` maximises the restricted
likelihood by Fisher scoring, then by Newton's method where the observed information is positive
definite:

.. math:: \theta \leftarrow \theta + I^{-1} s, \quad
    s_k = \tfrac12 \left(y' P V_k P y - \mathrm{tr}\, P V_k\right), \quad
    I_{kl} = \tfrac12 \mathrm{tr}\, P V_k P V_l

The likelihood itself asks only that every :math:`V_i` be positive definite. A component may so be
negative, as in an analysis of variance, which keeps the size of F tests right; held at zero, the
tests of a trial without differences between sessions reject too rarely
(Kenward and Roger 1997, 10.2307/2533558).

Small samples: Kenward and Roger's covariance of :math:`\hat\beta`, and F tests with their degrees
of freedom; or Satterthwaite's degrees of freedom (10.2307/3002019) with the observed information,
as lmerTest has them (Kuznetsova 2017, 10.18637/jss.v082.i13).
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import Record
from mrsproc.errors import InvalidInputError, MRSError

_MOST_STEPS: Final = 200
_MOST_HALVINGS: Final = 40
_DECREMENT: Final = 1e-12
_FISHER_STEPS: Final = 3  # they find the right region; Newton's then settle fast
_LEAST_RISE: Final = 0.25  # of what a step promises; Newton's own gives 0.5
_MOST_CONDITION: Final = 1e14


class NotConvergedError(MRSError, ArithmeticError):
    """The variances of a model could not be found."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Blocks(Record):
    """A model, one block a person; blocks shorter than the longest are padded.

    Padded observations have a variance of one, shared with nothing, and no fixed effects: they
    add nothing to any quantity.

    Parameters
    ----------
    fixed : ndarray, shape (persons, n, p)
        Fixed effects X.
    components : ndarray, shape (k, persons, n, n)
        What each variance component adds; the first is the residual, the identity.
    known : ndarray, shape (persons, n, n)
        Known covariance; the identity where padded.
    used : ndarray of bool, shape (persons, n)
        Which observations are not padding.
    """

    fixed: Array
    components: Array
    known: Array
    used: Array

    def __len__(self) -> int:
        return len(self.fixed)

    def without(self, person: int) -> "Blocks":
        """Return the model without one person.

        Parameters
        ----------
        person : int
            Index.

        Returns
        -------
        Blocks
            One block fewer.
        """
        kept = np.arange(len(self)) != person
        return replace(
            self,
            fixed=self.fixed[kept],
            components=self.components[:, kept],
            known=self.known[kept],
            used=self.used[kept],
        )

    def with_components(self, kept: Array) -> "Blocks":
        """Return the model with some of its variance components.

        Parameters
        ----------
        kept : ndarray of bool, shape (k,)
            Which stay.

        Returns
        -------
        Blocks
            Fewer components.
        """
        return replace(self, components=self.components[kept])


class _Point(NamedTuple):
    """The likelihood and its parts at one value of the variances."""

    beta: Array
    covariance: Array
    log_likelihood: float
    inverse: Array
    weighted: Array
    residual: Array


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimate(Record):
    """Maximum of the restricted likelihood.

    Parameters
    ----------
    theta : ndarray, shape (k,)
        Variance components.
    beta : ndarray, shape (p,)
        Fixed effects.
    covariance : ndarray, shape (p, p)
        Of `beta`, the variances taken as known: what a Wald z test uses.
    adjusted : ndarray, shape (p, p)
        Of `beta`, with Kenward and Roger's correction for estimated variances.
    slopes : ndarray, shape (k, p, p)
        Derivatives of `covariance` by theta.
    theta_covariance, theta_covariance_observed : ndarray, shape (k, k)
        Of theta, from the expected and from the observed information.
    log_likelihood : float
        Restricted log-likelihood, without its constant.
    """

    theta: Array
    beta: Array
    covariance: Array
    adjusted: Array
    slopes: Array
    theta_covariance: Array
    theta_covariance_observed: Array
    log_likelihood: float


class FTest(NamedTuple):
    """A test of linear combinations of fixed effects."""

    statistic: float
    df1: float
    df2: float
    p: float


def fit(blocks: Blocks, y: Array, *, bounded: Array | None = None) -> Estimate:
    """Maximise the restricted likelihood.

    Parameters
    ----------
    blocks : Blocks
        The model.
    y : ndarray, shape (persons, n)
        Observations, zero where padded.
    bounded : ndarray of bool, shape (k,), optional
        Which variance components are held at zero where the likelihood would have them below;
        none when not given.

    Returns
    -------
    Estimate
        Variances, fixed effects and what small-sample tests need; components held at zero count
        as known.

    Raises
    ------
    NotConvergedError
        The likelihood has no maximum, as when a variance component is shared by nothing.
    """
    if bounded is None:
        bounded = np.zeros(len(blocks.components), dtype=bool)
    theta, free = _maximum(blocks, y, bounded)
    estimate = _estimate(blocks.with_components(free), y, theta[free])
    return replace(estimate, theta=theta)


def _maximum(blocks: Blocks, y: Array, bounded: Array) -> tuple[Array, Array]:
    """Return the variances, and which of them are not held at zero."""
    theta = _start(blocks, y)
    point = _at(blocks, y, theta)
    if point is None:
        raise NotConvergedError("the fixed effects leave nothing: there is no scatter at all.")
    for count in range(_MOST_STEPS):
        score, information = _score(blocks, point)
        free = ~(bounded & (theta <= 0.0) & (score <= 0.0))
        step = np.zeros_like(theta)
        if free.any():
            cross = _cross(blocks, point) if count >= _FISHER_STEPS else np.zeros_like(information)
            step[free] = _step(score[free], information[free][:, free], cross[free][:, free])
        promise = score @ step
        if promise < _DECREMENT:
            return theta, free
        for _ in range(_MOST_HALVINGS):
            trial = np.where(bounded, np.maximum(theta + step, 0.0), theta + step)
            there = _at(blocks, y, trial)
            least = point.log_likelihood + _LEAST_RISE * promise
            if there is not None and there.log_likelihood >= least:
                break
            step, promise = step / 2.0, promise / 2.0
        else:
            return theta, free  # no rise within rounding
        theta, point = trial, there
    raise NotConvergedError(
        f"the variances did not settle in {_MOST_STEPS} steps: the model asks for more than the "
        "data hold. Leave a random effect out, or hold variances at zero (bounded=True)."
    )


def _step(score: Array, expected: Array, cross: Array) -> Array:
    """Return Newton's step where the observed information is positive definite, else Fisher's."""
    if np.linalg.cond(expected) > _MOST_CONDITION:
        raise NotConvergedError("the variance components cannot be told apart: leave one out.")
    observed = cross - expected
    try:
        np.linalg.cholesky(observed)
    except np.linalg.LinAlgError:
        return np.linalg.solve(expected, score)
    return np.linalg.solve(observed, score)


def _start(blocks: Blocks, y: Array) -> Array:
    """Return a start that is always allowed: what the fixed effects leave is all residual."""
    design, flat = blocks.fixed[blocks.used], y[blocks.used]
    beta = np.linalg.lstsq(design, flat, rcond=None)[0]
    theta = np.zeros(len(blocks.components))
    theta[0] = np.mean((flat - design @ beta) ** 2)
    return theta


def _at(blocks: Blocks, y: Array, theta: Array) -> _Point | None:
    """Return the likelihood at theta; None where it is not defined."""
    covariance = blocks.known + np.tensordot(theta, blocks.components, axes=1)
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return None
    inverse = np.linalg.inv(covariance)
    weighted = inverse @ blocks.fixed
    normal = np.einsum("mip,miq->pq", blocks.fixed, weighted)
    sign, log_normal = np.linalg.slogdet(normal)
    if sign <= 0:
        return None
    of_beta = np.linalg.inv(normal)
    beta = of_beta @ np.einsum("mip,mi->p", weighted, y)
    rest = y - blocks.fixed @ beta
    residual = np.einsum("mij,mj->mi", inverse, rest)
    log_determinant = 2.0 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum()
    log_likelihood = -0.5 * (log_determinant + log_normal + np.sum(rest * residual))
    return _Point(beta, of_beta, float(log_likelihood), inverse, weighted, residual)


def _score(blocks: Blocks, point: _Point) -> tuple[Array, Array]:
    """Return the score and the expected information."""
    products = point.inverse @ blocks.components
    first, second = _traces(blocks, point)
    quadratic = np.einsum("mi,kmij,mj->k", point.residual, blocks.components, point.residual)
    trace = np.einsum("kmii->k", products) + np.einsum("pq,kqp->k", point.covariance, first)
    information = np.einsum("kmij,lmji->kl", products, products)
    information -= 2.0 * np.einsum("pq,klqp->kl", point.covariance, second)
    turned = point.covariance @ first
    information += np.einsum("kpq,lqp->kl", turned, turned)
    return 0.5 * (quadratic - trace), 0.5 * information


def _traces(blocks: Blocks, point: _Point) -> tuple[Array, Array]:
    """Return P_k and Q_kl of Kenward and Roger, summed over persons."""
    through = blocks.components @ point.weighted
    first = -np.einsum("mip,kmiq->kpq", point.weighted, through)
    second = np.tensordot(through, point.inverse @ through, axes=((1, 2), (1, 2)))
    return first, second.transpose(0, 2, 1, 3)


def _estimate(blocks: Blocks, y: Array, theta: Array) -> Estimate:
    point = _at(blocks, y, theta)
    assert point is not None
    _, information = _score(blocks, point)
    first, second = _traces(blocks, point)
    of_theta = np.linalg.inv(information)
    phi = point.covariance
    inner = second - np.einsum("kpq,qr,lrs->klps", first, phi, first)
    adjusted = phi + 2.0 * phi @ np.einsum("kl,klpq->pq", of_theta, inner) @ phi
    observed = _cross(blocks, point) - information
    return Estimate(
        theta=theta,
        beta=point.beta,
        covariance=phi,
        adjusted=(adjusted + adjusted.T) / 2.0,
        slopes=-phi @ first @ phi,
        theta_covariance=of_theta,
        theta_covariance_observed=np.linalg.pinv(observed),
        log_likelihood=point.log_likelihood,
    )


def _cross(blocks: Blocks, point: _Point) -> Array:
    """Return y' P V_k P V_l P y, the random part of the observed information."""
    through = np.einsum("kmij,mj->kmi", blocks.components, point.residual)
    projected = np.einsum("mip,kmi->kp", point.weighted, through)
    whole = np.tensordot(
        through, np.einsum("mij,lmj->lmi", point.inverse, through), axes=((1, 2), (1, 2))
    )
    return np.asarray(whole - projected @ point.covariance @ projected.T)


def kenward_roger(estimate: Estimate, combinations: Array) -> FTest:
    """Test that linear combinations of the fixed effects are zero, after Kenward and Roger.

    Parameters
    ----------
    estimate : Estimate
        The fit.
    combinations : ndarray, shape (q, p)
        One row a combination, linearly independent.

    Returns
    -------
    FTest
        F, its two degrees of freedom and p.
    """
    from scipy import stats

    q = len(combinations)
    phi, beta = estimate.covariance, estimate.beta
    middle = combinations.T @ np.linalg.solve(combinations @ phi @ combinations.T, combinations)
    turned = middle @ -estimate.slopes
    single = np.einsum("kpp->k", turned)
    a1 = float(single @ estimate.theta_covariance @ single)
    double = np.einsum("kpq,lqp->kl", turned, turned)
    a2 = float(np.sum(estimate.theta_covariance * double))
    contrast = combinations @ beta
    inverse = np.linalg.inv(combinations @ estimate.adjusted @ combinations.T)
    statistic = float(contrast @ inverse @ contrast) / q
    if a2 == 0.0:  # all variances are known
        return FTest(statistic, q, np.inf, float(stats.chi2.sf(q * statistic, q)))
    df, scale = _kenward_roger_df(a1, a2, q)
    statistic *= scale
    return FTest(statistic, q, df, float(stats.f.sf(statistic, q, df)))


def _kenward_roger_df(a1: float, a2: float, q: int) -> tuple[float, float]:
    """Return the degrees of freedom of the denominator and the scale of F."""
    b = (a1 + 6.0 * a2) / (2.0 * q)
    g = ((q + 1.0) * a1 - (q + 4.0) * a2) / ((q + 2.0) * a2)
    common = 3.0 * q + 2.0 * (1.0 - g)
    c1, c2, c3 = g / common, (q - g) / common, (q + 2.0 - g) / common
    mean = 1.0 - a2 / q  # of 1 / F
    ratio = (mean / (1.0 - c2 * b)) ** 2 * (1.0 + c1 * b) / (1.0 - c3 * b) / q
    df = 4.0 + (q + 2.0) / (q * ratio - 1.0)
    return df, df * mean / (df - 2.0)


def satterthwaite(estimate: Estimate, combination: Array) -> float:
    """Return Satterthwaite's degrees of freedom of one linear combination of fixed effects.

    Parameters
    ----------
    estimate : Estimate
        The fit.
    combination : ndarray, shape (p,)
        The combination.

    Returns
    -------
    float
        Degrees of freedom, from the observed information.
    """
    variance = combination @ estimate.covariance @ combination
    slope = np.einsum("p,kpq,q->k", combination, estimate.slopes, combination)
    spread = slope @ estimate.theta_covariance_observed @ slope
    return float(2.0 * variance**2 / spread)


def stack(parts: list[Array], length: int) -> Array:
    """Pad arrays along their first axis with zeros and stack them.

    Parameters
    ----------
    parts : list of ndarray, shape (n_i, ...)
        One a person.
    length : int
        Length to pad to.

    Returns
    -------
    ndarray, shape (persons, length, ...)
        The stack.

    Raises
    ------
    InvalidInputError
        No parts.
    """
    if not parts:
        raise InvalidInputError("there is nobody in the table: give at least one person.")
    whole = np.zeros((len(parts), length, *parts[0].shape[1:]))
    for row, part in zip(whole, parts, strict=True):
        row[: len(part)] = part
    return whole
