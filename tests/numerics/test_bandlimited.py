"""Spectra on arbitrary grids against sums written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrsproc.numerics import bandlimited


def noise(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


@settings(max_examples=60)
@given(n_in=st.integers(1, 70), n_out=st.integers(1, 70), step=st.floats(-1.5, 1.5))
def test_chirp_sum_is_the_sum(n_in, n_out, step):
    x = noise(2, n_in, seed=n_in)
    wanted = x @ np.exp(2j * np.pi * step * np.outer(np.arange(n_in), np.arange(n_out)))
    assert np.allclose(bandlimited.chirp_sum(x, step, n_out), wanted, atol=1e-9 * n_in)


def test_chirp_sum_keeps_its_precision_when_long():
    x = noise(16384)
    assert np.abs(bandlimited.chirp_sum(x, -1 / 16384, 16384) - np.fft.fft(x)).max() < 1e-8


def test_spectrum_on_is_the_fft_on_its_grid():
    x, dwell = noise(3, 64), 1e-3
    step = 1 / (64 * dwell)
    found = bandlimited.spectrum_on(x, dwell, -32 * step, step, 64)
    assert np.allclose(found, np.fft.fftshift(np.fft.fft(x), axes=-1))


def test_spectrum_is_zero_outside_the_band():
    found = bandlimited.spectrum_on(noise(16), 1e-3, -700.0, 100.0, 15)
    frequency = -700.0 + 100.0 * np.arange(15)
    assert (found[np.abs(frequency) > 500] == 0).all()
    assert (found[np.abs(frequency) <= 500] != 0).all()


def test_signal_of_band_inverts():
    x, dwell = noise(2, 64), 1e-3
    step = 1 / (64 * dwell)
    spectrum = bandlimited.spectrum_on(x, dwell, -32 * step, step, 64)
    assert np.allclose(bandlimited.signal_of_band(spectrum, -32 * step, step, dwell, 64), x)


def test_continuation_of_damped_lines_is_their_past():
    n = np.arange(-8, 256)
    lines = sum(np.exp((2j * np.pi * f - 0.01) * n) for f in (0.11, -0.23, 0.304))
    longer = bandlimited.continued_backwards(lines[None, 8:], 8)[0]
    fall = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, 9) / 9)
    assert np.allclose(longer[:8], lines[:8] * fall, atol=1e-4)
    assert (longer[8:] == lines[8:]).all()
    assert longer.shape == (264,)


@pytest.mark.parametrize("n", [8, 20])
def test_continuation_of_short_signals_is_finite(n):
    assert np.isfinite(bandlimited.continued_backwards(noise(1, n), 4)).all()


@pytest.mark.parametrize("decay", [0.05, 0.2])
def test_continuation_does_not_run_away(decay):
    """The past of what decays fast is huge; a FID is continued without it, and without a jump."""
    n = np.arange(512)
    lines = np.array([np.exp((0.6j - decay) * n), np.exp((0.6j - decay) * n) + np.exp(-0.9j * n)])
    longer = bandlimited.continued_backwards(lines, 64)
    assert (np.abs(longer) <= 2.0 * np.abs(lines).max()).all()
    assert np.abs(longer[:, 63] - lines[:, 0]).max() < 1.5 * np.abs(np.diff(lines, axis=1)).max()
