"""Delta method: sums exactly, ratios against simulation."""

import numpy as np
import pytest

from mrsproc.numerics import covariance


def test_sums_of_correlated_terms():
    rng = np.random.default_rng(0)
    half = rng.standard_normal((4, 4))
    matrix = half @ half.T
    weights = np.array([[1, 1, 0, 0], [0, 0, 1, -1.0]])
    found = covariance.of_sums(weights, np.stack([matrix, 2 * matrix]))
    assert found.shape == (2, 2, 2)
    assert found[0, 0, 0] == pytest.approx(matrix[0, 0] + matrix[1, 1] + 2 * matrix[0, 1])
    assert found[1, 1, 1] == pytest.approx(2 * (matrix[2, 2] + matrix[3, 3] - 2 * matrix[2, 3]))


@pytest.mark.parametrize("correlation", [-0.8, 0.0, 0.9])
def test_ratio_sd_is_that_of_a_simulation(correlation):
    """40 000 draws give the SD to 0.35 %; 2 % allows for the second order."""
    mean, sd = np.array([12.0, 8.0]), np.array([0.5, 0.3])
    matrix = np.diag(sd**2)
    matrix[0, 1] = matrix[1, 0] = correlation * sd.prod()
    value, error = covariance.ratio(mean, matrix, 1)
    draws = np.random.default_rng(5).multivariate_normal(mean, matrix, 40_000)
    assert value[0] == pytest.approx(1.5)
    assert error[0] == pytest.approx((draws[:, 0] / draws[:, 1]).std(), rel=0.02)
    assert (value[1], error[1]) == (1.0, 0.0)


@pytest.mark.parametrize("below", [0.0, -1.0, np.nan])
def test_no_ratio_to_nothing(below):
    value, sd = covariance.ratio(np.array([1.0, below]), np.eye(2), 1)
    assert np.isnan(value).all()
    assert np.isnan(sd).all()


def test_ratio_of_many():
    value, sd = covariance.ratio(np.array([[2.0, 4.0], [1.0, 2.0]]), np.stack([np.eye(2)] * 2), 1)
    assert value.tolist() == [[0.5, 1.0], [0.5, 1.0]]
    assert sd[1, 0] == pytest.approx(2 * sd[0, 0])
