"""B-splines against SciPy, the Demmler-Reinsch basis against direct penalised least squares."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from mrsproc.numerics.splines import bspline_design, demmler_reinsch


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("intervals", [4, 11])
def test_design_is_scipys(degree, intervals):
    x = np.linspace(0.2, 4.0, 200)
    design = bspline_design(x, 0.2, 4.0, intervals, degree)
    knots = 0.2 + np.arange(-degree, intervals + degree + 1) * 3.8 / intervals
    wanted = BSpline.design_matrix(np.clip(x, None, 4.0 - 1e-12), knots, degree).toarray()
    assert design.shape == (200, intervals + degree)
    assert np.allclose(design, wanted, atol=1e-9)
    assert np.allclose(design.sum(axis=1), 1.0)
    assert (design >= -1e-12).all()


@pytest.mark.parametrize("stiffness", [0.0, 1e-2, 1.0, 1e4])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_smooth_is_penalised_least_squares(stiffness, order):
    rng = np.random.default_rng(2)
    x = np.linspace(0, 1, 120)
    y = np.sin(7 * x) + 0.3 * rng.standard_normal(120)
    design = bspline_design(x, 0, 1, 18)
    q, roughness = demmler_reinsch(design, order)
    smooth = q.T @ ((q @ y) / (1 + stiffness * roughness))
    penalty = np.diff(np.eye(21), order, axis=0)
    normal = design.T @ design + stiffness * penalty.T @ penalty
    direct = design @ np.linalg.solve(normal, design.T @ y)
    assert np.allclose(smooth, direct, atol=1e-8)
    assert (1 / (1 + stiffness * roughness)).sum() == pytest.approx(
        np.trace(np.linalg.solve(normal, design.T @ design)), rel=1e-7
    )


def test_basis_is_orthonormal_and_ordered():
    q, roughness = demmler_reinsch(bspline_design(np.linspace(0, 1, 90), 0, 1, 12))
    assert np.allclose(q @ q.T, np.eye(15), atol=1e-12)
    assert (roughness[:2] == 0).all()
    assert (np.diff(roughness) >= 0).all()
    straight = np.vstack([np.ones(90), np.linspace(0, 1, 90)])
    assert np.allclose(straight @ q[:2].T @ q[:2], straight)
