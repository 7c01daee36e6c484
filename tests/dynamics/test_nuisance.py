"""Residual water, noise and bad transients."""

import numpy as np
import pytest

from mrsproc.data import Acquisition
from mrsproc.dynamics.nuisance import common_noise, misfits, random_part, water_for
from mrsproc.fitting.band import band_model

N = 1024


@pytest.fixture(scope="module")
def grid(synthetic):
    band = band_model(synthetic.basis, synthetic.acquisition, N, (0.2, 5.05))
    inside = slice(int((band.ppm > 4.0).sum()), band.ppm.size)
    return band, inside, water_for(synthetic.acquisition, N, band, inside)


def lines(band, acquisition, rng, count):
    """Return real spectra of water lines of random size, phase, frequency and width."""
    time = np.arange(N) * acquisition.dwell_time
    frequency = rng.normal(0.0, 3.0, (count, 1))
    width = rng.uniform(5.0, 15.0, (count, 1))
    size = rng.normal(size=(count, 1)) + 1j * rng.normal(size=(count, 1))
    fids = size * np.exp((2j * np.pi * frequency - np.pi * width) * time)
    return band.of_data(fids).real


def test_tail_follows_from_the_line(grid, synthetic, rng):
    band, inside, water = grid
    spectra = lines(band, synthetic.acquisition, rng, 20)
    left = spectra[:, inside] - spectra[:, water.line] @ water.tail
    assert np.linalg.norm(left) < 0.1 * np.linalg.norm(spectra[:, inside])


def test_curves_span_the_tails(grid, synthetic, rng):
    band, inside, water = grid
    tails = lines(band, synthetic.acquisition, rng, 20)[:, inside]
    left = tails - (tails @ water.curves.T) @ water.curves
    assert np.linalg.norm(left) < 0.01 * np.linalg.norm(tails)
    assert water.curves @ water.curves.T == pytest.approx(np.eye(len(water.curves)), abs=1e-9)


def test_random_part_is_what_was_put_in(grid, rng):
    """A tail of 9 times the variance of the noise along one curve: 0.9 of it is taken out."""
    band, inside, water = grid
    water = type(water)(slice(0, 0), np.zeros((0, water.curves.shape[1])), water.curves)
    n, m = 3000, water.curves.shape[1]
    noise = rng.normal(size=(n, m))
    local = rng.normal(size=(2, m))
    residual = noise + 3.0 * rng.normal(size=(n, 1)) * water.curves[2]
    residual += rng.normal(size=(n, 2)) @ local  # frequency and phase are not taken for water
    curves, shrinkage = random_part(water, local, residual, np.ones(n))
    assert shrinkage.max() == pytest.approx(0.9, abs=0.03)
    strongest = curves[np.argmax(shrinkage)]
    assert abs(strongest @ water.curves[2]) == pytest.approx(1.0, abs=0.02)
    plain, nothing = random_part(water, local, noise, np.ones(n))
    assert nothing.size == 0
    assert plain.shape == (0, m)


def test_other_nuclei_have_no_water(grid):
    band, inside, _ = grid
    phosphorus = Acquisition(spectrometer_frequency=49.9, dwell_time=5e-4, nucleus="31P")
    water = water_for(phosphorus, N, band, inside)
    assert water.curves.shape[0] == 0
    assert water.line == slice(0, 0)


def test_equal_noise_becomes_equal(rng):
    measured = np.exp(np.sqrt(1.36 / 400) * rng.normal(size=500))
    assert common_noise(measured, 400).std() < 0.25 * measured.std()
    louder = np.where(np.arange(500) % 2, 3.0, 1.0)
    better = common_noise(measured * louder, 400)
    assert np.median(better[1::2]) / np.median(better[::2]) == pytest.approx(3.0, rel=0.05)


def test_misfits_are_noisy_or_of_another_size(rng):
    left = rng.chisquare(500, 300) / 500.0
    size = rng.normal(1.0, 0.03, 300)
    left[7], size[20], size[30] = 3.0, 1.4, 0.6
    assert np.flatnonzero(misfits(left, 500, size, 5.5)).tolist() == [7, 20, 30]
