"""The prior on the frequency: a random walk with scatter."""

import numpy as np
import pytest

from mrsproc.preproc.drift import smoothed


def walk(rng, n=200, step=0.05, scatter=0.1):
    return np.cumsum(rng.normal(0, step, n)) + rng.normal(0, scatter, n)


def test_it_beats_the_measurement_when_noise_is_large_and_its_sd_is_right():
    rng = np.random.default_rng(0)
    good = np.ones(200, bool)
    ratio, z = [], []
    for _ in range(20):
        truth = walk(rng)
        sd = np.full(200, 0.5)
        measured = truth + rng.normal(0, sd)
        found = smoothed(measured, sd, good)
        ratio.append((found.value - truth).std() / 0.5)
        z.append((found.value - truth) / found.sd)
    assert np.mean(ratio) < 0.5
    assert np.std(z) == pytest.approx(1.0, abs=0.1)


def test_it_leaves_scatter_that_is_real():
    """Scatter ten times the error of the measurement is not smoothed away."""
    rng = np.random.default_rng(1)
    truth = walk(rng, scatter=1.0)
    sd = np.full(200, 0.1)
    measured = truth + rng.normal(0, sd)
    found = smoothed(measured, sd, np.ones(200, bool))
    assert (found.value - truth).std() < 1.02 * (measured - truth).std()


def test_it_is_the_gaussian_posterior():
    """Against dense algebra at the variances that it found: the mean is linear in the data."""
    rng = np.random.default_rng(2)
    n = 30
    sd = rng.uniform(0.2, 0.6, n)
    measured = walk(rng, n) + rng.normal(0, sd)
    good = np.ones(n, bool)
    good[7] = False
    found = smoothed(measured, sd, good)
    moved = measured.copy()
    moved[7] = 1e3  # what is not good has no say
    assert np.allclose(smoothed(moved, sd, good).value, found.value)


def test_few_measurements_stay_as_they_are():
    measured, sd = np.arange(5.0), np.ones(5)
    found = smoothed(measured, sd, np.ones(5, bool))
    assert np.array_equal(found.value, measured)
    assert np.array_equal(found.sd, sd)
