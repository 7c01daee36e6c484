"""Non-negative least squares against SciPy and against the conditions of a minimum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from mrsproc.numerics.nonnegative import nonnegative_least_squares


@settings(max_examples=150)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 12),
    extra=st.integers(0, 20),
    correlated=st.floats(0, 0.99),
    start=st.integers(0, 4095),
)
def test_same_as_scipy_from_any_start(seed, n, extra, correlated, start):
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((n + extra, n)) + correlated * 3 * rng.standard_normal(
        (n + extra, 1)
    )
    target = rng.standard_normal(n + extra)
    passive = np.array([bool(start >> k & 1) for k in range(n)])
    before = passive.copy()
    x, free = nonnegative_least_squares(design.T @ design, design.T @ target, passive)
    wanted, _ = nnls(design, target)
    assert (passive == before).all()
    assert (x >= 0).all()
    assert (x[~free] == 0).all()
    assert (x[free] > 0).all()
    cost = np.linalg.norm(design @ x - target)
    assert cost <= np.linalg.norm(design @ wanted - target) * (1 + 1e-7) + 1e-9


def test_nothing_positive():
    x, free = nonnegative_least_squares(np.eye(3), -np.ones(3), np.ones(3, bool))
    assert x.tolist() == [0, 0, 0]
    assert not free.any()


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_scale_does_not_matter(scale):
    rng = np.random.default_rng(3)
    design = rng.standard_normal((30, 8))
    target = design @ np.array([1, 2, 0, 0, 3, 0, 1, 0.0]) - 0.1
    base, _ = nonnegative_least_squares(design.T @ design, design.T @ target, np.zeros(8, bool))
    scaled, _ = nonnegative_least_squares(
        design.T @ design, scale * design.T @ target, np.zeros(8, bool)
    )
    assert np.allclose(scaled, scale * base, rtol=1e-9)
