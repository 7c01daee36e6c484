"""Systems and inverses of positive definite matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrsproc.numerics.definite import inverted, solve_definite


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_inverse_and_solution(n, seed):
    """Whatever the units of the rows."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 2 * n + 4))
    units = 10.0 ** rng.uniform(-6.0, 6.0, n)
    matrix = (rows @ rows.T) * np.outer(units, units)
    inverse = inverted(matrix)
    scaled = (matrix @ inverse) * np.outer(1.0 / units, units)
    assert scaled == pytest.approx(np.eye(n), abs=1e-8)
    assert np.array_equal(inverse, inverse.T)
    solution = solve_definite(matrix, matrix @ (1.0 / units))
    assert solution * units == pytest.approx(np.ones(n), abs=1e-6)


def test_nothing_to_solve():
    assert solve_definite(np.zeros((0, 0)), np.zeros((0, 3))).shape == (0, 3)


def test_singular_information_gives_nan():
    assert np.isnan(inverted(np.array([[1.0, 1.0], [1.0, 1.0]]))).all()
    assert np.isnan(inverted(np.array([[1.0, 0.0], [0.0, 0.0]]))).all()


def test_indefinite_system_is_eliminated():
    matrix = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert solve_definite(matrix, np.array([2.0, 3.0])).tolist() == [3.0, 2.0]
    with pytest.raises(np.linalg.LinAlgError, match="[Ss]ingular"):
        solve_definite(np.zeros((2, 2)), np.ones(2))
