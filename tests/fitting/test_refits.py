"""The bootstrap: simulated spectra are like the fit, and their fits scatter as the SDs say."""

import dataclasses

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.errors import InvalidInputError
from mrsproc.fitting import refits
from mrsproc.fitting.batch import batch_for


@pytest.fixture(scope="module")
def noisy(synthetic):
    return synthetic.data(noise=4.0, phase=0.4, shift_ppm=0.01)


@pytest.fixture(scope="module")
def checked(synthetic, noisy):
    done = []
    table = mp.bootstrap(
        noisy, synthetic.basis, n=60, rng=3, progress=lambda k, n: done.append((k, n))
    )
    return table.set_index("metabolite"), done


def test_sds_are_confirmed(checked):
    table, done = checked
    assert (table.bootstrap_n == 60).all()
    assert done == [(25, 60), (50, 60), (60, 60)]
    for name in ("tNAA", "tCr", "tCho", "Glu", "Ins", "Glx"):
        row = table.loc[name]
        assert row.bootstrap_sd == pytest.approx(row.sd, rel=0.25), name
        assert abs(row.bootstrap_bias) < 0.7 * row.sd, name
        assert row.bootstrap_coverage > 85.0, name


def test_columns_are_those_of_the_fit(synthetic, noisy, checked):
    fit = mp.fit(noisy, synthetic.basis).to_frame().set_index("metabolite")
    for name in ("amplitude", "sd"):
        assert np.array_equal(checked[0][name], fit[name])


def test_same_seed_same_result(synthetic, noisy):
    first, again = (mp.bootstrap(noisy, synthetic.basis, n=20, rng=8) for _ in range(2))
    assert first.equals(again)
    other = mp.bootstrap(noisy, synthetic.basis, n=20, rng=9)
    assert not np.array_equal(first.bootstrap_sd, other.bootstrap_sd)


def test_simulated_fid_has_the_spectrum_it_was_made_of(synthetic, noisy):
    fit = mp.fit(noisy, synthetic.basis)
    silent = dataclasses.replace(fit, noise_sd=np.array(0.0))
    fid = refits._fid(silent, noisy.n_points, np.random.default_rng(0))
    band = batch_for(noisy, synthetic.basis, mp.FitOptions()).problem.band
    assert np.allclose(band.of_data(fid).real, fit.fitted, atol=3e-4 * np.abs(fit.fitted).max())


def test_draws_scatter_around_the_fit(synthetic, noisy):
    fit = mp.fit(noisy, synthetic.basis)
    random = np.random.default_rng(0)
    draws = [refits._draw(fit, 123.2, random) for _ in range(400)]
    amplitude = np.array([draw.amplitude for draw in draws])
    clear = fit.amplitude > 4.0 * fit.sd
    assert np.allclose(amplitude.mean(axis=0)[clear], fit.amplitude[clear], rtol=0.05)
    assert np.allclose(amplitude.std(axis=0)[clear], fit.sd[clear], rtol=0.15)
    mean = np.mean([draw.components().sum(axis=0) + draw.baseline for draw in draws], axis=0)
    assert np.linalg.norm(mean - fit.fitted) < 0.05 * np.linalg.norm(fit.fitted)


@pytest.mark.parametrize(
    ("change", "text"),
    [({"n": 5}, "n = 5: give at least 20"), ({"shape": True}, "give one spectrum")],
)
def test_bad_input_is_told(synthetic, noisy, change, text):
    if change.pop("shape", False):
        noisy = synthetic.data(noise=0.8, shape=(2,), dims=("transient",))
    with pytest.raises(InvalidInputError, match=text):
        mp.bootstrap(noisy, synthetic.basis, **change)
