"""The normal distribution cut off at zero, against sampling and closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from mrsproc.numerics.truncated import normal_before_cut, positive_normal


@pytest.mark.parametrize("mean", [-30.0, -3.0, 0.0, 1.0, 8.0])
def test_one_dimension_is_exact(mean):
    """Moments of a truncated normal distribution by quadrature."""
    x = np.linspace(0.0, max(mean, 0.0) + 12.0, 400_001)
    density = np.exp(-0.5 * (x - mean) ** 2 + 0.5 * min(mean, 0.0) ** 2)
    density /= density.sum()
    first = x @ density
    second = (x - first) ** 2 @ density
    found, variance = positive_normal(np.array([mean]), np.eye(1))
    assert found[0] == pytest.approx(first, rel=1e-3)
    assert variance[0, 0] == pytest.approx(second, rel=2e-3)


def test_two_signals_that_nobody_can_tell_apart_share():
    """Sum known to 0.1, difference to 5: least squares gives 8 and 0, the mean 4 and 4."""
    covariance = 6.25 * np.array([[1.0, -1.0], [-1.0, 1.0]]) + 0.0025
    mean, found = positive_normal(np.array([9.0, -1.0]), covariance)
    assert mean.sum() == pytest.approx(8.0, abs=0.05)
    assert 4.0 < mean[0] < 6.5
    total = found.sum()
    assert total == pytest.approx(covariance.sum(), rel=0.05)


@given(seed=st.integers(0, 10_000), n=st.integers(2, 5))
def test_moments_are_those_of_samples(seed, n):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((n, n)) + 0.7 * np.eye(n)
    covariance, mean = root @ root.T + 0.1 * np.eye(n), rng.standard_normal(n) + 0.8
    draws = rng.multivariate_normal(mean, covariance, 40_000)
    draws = draws[(draws > 0.0).all(axis=1)]
    found, spread = positive_normal(mean, covariance)
    assert (found > 0.0).all()
    assert (np.linalg.eigvalsh(spread) > 0.0).all()
    if len(draws) > 400:
        sd = draws.std(axis=0)
        error = 4.0 * sd / np.sqrt(len(draws)) + 0.06 * sd
        assert (np.abs(found - draws.mean(axis=0)) < error).all()
        assert np.allclose(np.sqrt(np.diag(spread)), sd, rtol=0.25)


def test_what_is_clear_of_zero_stays():
    mean, covariance = np.array([10.0, 20.0]), np.array([[1.0, 0.5], [0.5, 2.0]])
    found, spread = positive_normal(mean, covariance)
    assert (found == mean).all()
    assert (spread == covariance).all()


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_scale_does_not_matter(scale):
    rng = np.random.default_rng(2)
    root = rng.standard_normal((6, 6))
    mean, covariance = rng.standard_normal(6), root @ root.T + 0.1 * np.eye(6)
    base, base_spread = positive_normal(mean, covariance)
    found, spread = positive_normal(scale * mean, scale**2 * covariance)
    assert np.allclose(found, scale * base)
    assert np.allclose(spread, scale**2 * base_spread)


def test_far_below_zero():
    """Hundreds of SDs on the wrong side, as with hardly any noise: a small positive number."""
    mean, covariance = positive_normal(np.array([-1e6, 3.0]), np.array([[1.0, 0.3], [0.3, 1.0]]))
    assert 0.0 < mean[0] < 1e-2
    assert np.isfinite(covariance).all()
    assert (np.diag(covariance) > 0.0).all()


@given(st.floats(0.1, 10.0), st.floats(0.02, 0.75))
def test_normal_before_cut_has_the_moments_after_it(mean, spread):
    location, scale = normal_before_cut(mean, spread * mean)
    found, variance = positive_normal(np.array([location]), np.array([[scale**2]]))
    assert found[0] == pytest.approx(mean, rel=2e-3)
    assert variance[0, 0] ** 0.5 == pytest.approx(spread * mean, rel=5e-3)


def test_wider_than_a_half_normal_keeps_the_mean():
    location, scale = normal_before_cut(0.1, 0.25)
    assert location == 0.0
    assert positive_normal(np.zeros(1), np.array([[scale**2]]))[0] == pytest.approx(0.1)


def estimates(truth, correlation, unknown, count=4000):
    """Return estimates and SDs of two values, the second clear of zero."""
    covariance = np.array([[1.0, correlation], [correlation, 1.0]])
    rng = np.random.default_rng(5)
    draws = rng.multivariate_normal([truth, 20.0], covariance, count)
    found = [positive_normal(draw, covariance, np.array([unknown, False])) for draw in draws]
    return np.array([mean for mean, _ in found]), np.array(
        [np.sqrt(np.diag(spread)) for _, spread in found]
    )


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0, 2.0, 4.0])
def test_sd_of_a_value_and_its_neighbour_holds_whatever_the_truth(truth):
    """Where the first value falls below zero by chance, it says little of the second."""
    mean, sd = estimates(truth, -0.7, unknown=True)
    covered = np.mean(np.abs(mean - [truth, 20.0]) < 1.96 * sd, axis=0)
    assert (covered > 0.93).all()
    _, before = estimates(truth, -0.7, unknown=False)
    assert (sd >= before).all()
    unlucky = mean[:, 0] < 1.0
    if unlucky.any():
        assert (sd[unlucky] > 1.05 * before[unlucky]).all()


def test_what_is_added_is_the_square_of_the_bias():
    """Of the estimate itself, taken for the truth; by fitting again what it would give."""
    mean, variance = positive_normal(np.array([-1.0]), np.eye(1))
    added = positive_normal(np.array([-1.0]), np.eye(1), np.ones(1, bool))[1] - variance
    draws = mean[0] + np.random.default_rng(3).standard_normal(20_000)
    again = np.mean([positive_normal(np.array([z]), np.eye(1))[0][0] for z in draws])
    assert added[0, 0] == pytest.approx((again - mean[0]) ** 2, rel=0.04)


@pytest.mark.parametrize("part", [0.4, 0.8])
@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_lifted_by_a_part_of_its_sd(truth, part):
    """The mean is that of a smaller SD, the squared error is that around what is reported."""
    draws, one = truth + np.random.default_rng(8).standard_normal(2000), np.eye(1)
    usual = [positive_normal(np.array([z]), one) for z in draws]
    found = [positive_normal(np.array([z]), one, None, np.array([part])) for z in draws]
    lifted, less = (np.array([mean[0] for mean, _ in both]) for both in (usual, found))
    firmer = [positive_normal(np.array([z]), part**2 * one)[0][0] for z in draws]
    assert less == pytest.approx(np.array(firmer), rel=2e-3)
    variance, wider = (np.array([spread[0, 0] for _, spread in both]) for both in (usual, found))
    assert wider - variance == pytest.approx((lifted - less) ** 2, abs=2e-3)
    assert less.mean() - truth < (lifted.mean() - truth) * (0.5 + 0.5 * part)


def test_what_overlaps_with_a_value_that_is_lifted_less_loses_less():
    """A value that is only known together with one that is zero."""
    covariance = np.array([[1.0, -0.8], [-0.8, 1.0]])
    draws = np.random.default_rng(9).multivariate_normal([0.0, 20.0], covariance, 2000)
    lost = [
        np.mean([positive_normal(draw, covariance, None, part)[0][1] for draw in draws]) - 20.0
        for part in (None, np.array([0.5, 1.0]))
    ]
    assert lost[0] < -0.4
    assert lost[1] > 0.75 * lost[0]


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0, 2.0])
def test_lifted_less_an_unknown_value_still_holds_its_sd_and_that_of_its_neighbour(truth):
    covariance = np.array([[1.0, -0.7], [-0.7, 1.0]])
    draws = np.random.default_rng(6).multivariate_normal([truth, 20.0], covariance, 4000)
    masks = np.array([True, False]), np.array([0.5, 1.0])
    found = [positive_normal(draw, covariance, *masks) for draw in draws]
    off = np.array([mean for mean, _ in found]) - [truth, 20.0]
    sd = np.array([np.sqrt(np.diag(spread)) for _, spread in found])
    assert (np.mean(np.abs(off) < 1.96 * sd, axis=0) > 0.93).all()
    stated = np.mean(sd**2, axis=0) / np.mean(off**2, axis=0)
    assert (stated > 0.95).all()
    assert (stated < 1.7).all()


def test_an_unknown_value_that_is_lifted_less_keeps_the_bias_of_the_full_lift():
    truth = np.linspace(0.0, 8.0, 801)
    noise = np.random.default_rng(4).standard_normal(20_000)
    for z in (-2.0, -0.5, 1.0):
        drawn = np.array([z]), np.eye(1), np.ones(1, bool), np.array([0.5])
        mean, variance = positive_normal(*drawn)
        plain = positive_normal(drawn[0], drawn[1])[1]
        at = truth[np.argmin(np.abs(truth - mean[0]))]
        hazard = norm.pdf(at + noise) / norm.cdf(at + noise)
        assert variance - plain == pytest.approx(hazard.mean() ** 2, rel=0.05)


def test_what_is_clear_of_zero_is_not_widened():
    mean, covariance = np.array([10.0, 20.0]), np.array([[1.0, 0.5], [0.5, 2.0]])
    assert (positive_normal(mean, covariance, np.ones(2, bool))[1] == covariance).all()
