"""Poles of sums of damped exponentials."""

import numpy as np
import pytest

from mrsproc.numerics import hsvd

POLES = np.exp(
    np.array([2j * np.pi * 0.11 - 0.02, -2j * np.pi * 0.3 - 0.05, 2j * np.pi * 0.12 - 0.01])
)
AMPLITUDES = np.array([1.0, 2.0 - 1j, 0.5j])


def signal(n=200):
    return AMPLITUDES @ POLES[:, None] ** np.arange(n)


def test_poles_without_noise():
    found = hsvd.poles(signal(), 3)
    assert np.allclose(np.sort_complex(found), np.sort_complex(POLES), atol=1e-8)


def test_input_is_untouched():
    x = signal()
    x.flags.writeable = False
    hsvd.poles(x, 3)
    assert (x == signal()).all()


@pytest.mark.parametrize("n", [4, 5, 9])
def test_short_signals(n):
    found = hsvd.poles(signal(n), 10)
    assert 0 < found.size <= max(1, n // 2 - 1)
    assert np.isfinite(found).all()


def test_low_rank_removes_noise():
    """3 exponentials of 200 points: about 3/200 of the noise power per parameter pair stays."""
    rng = np.random.default_rng(4)
    noise = 0.05 * (rng.standard_normal(200) + 1j * rng.standard_normal(200))
    smooth = hsvd.low_rank(signal() + noise, 3)
    assert np.linalg.norm(smooth - signal()) < 0.35 * np.linalg.norm(noise)


def test_growing_poles_are_held():
    grown = 1.02 ** np.arange(100) * np.exp(0.3j * np.arange(100))
    assert np.abs(hsvd.low_rank(grown, 1)).max() < np.abs(grown).max()
