"""Asymmetric lines: found where they are, not invented where they are not."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import MRSData
from mrsproc.errors import InvalidInputError
from mrsproc.fitting.asymmetry import N_WEIGHTS, columns, lineshape
from mrsproc.fitting.solve import evaluate
from mrsproc.fitting.start import starting_points

LEAN = mp.FitOptions(lineshape="asymmetric")


def leaning(synthetic, weights, noise=0.3):
    data = synthetic.data(noise=0.0, gauss=4.0)
    time = np.arange(1024) * 5e-4
    rng = np.random.default_rng(3)
    white = noise * (rng.standard_normal(1024) + 1j * rng.standard_normal(1024))
    fid = data.fid * lineshape(time, np.array(weights)) + white
    return MRSData(fid=fid, dims=data.dims, acquisition=data.acquisition)


def test_symmetric_lines_stay_symmetric(synthetic):
    data = synthetic.data(noise=1.0, shape=(6,), dims=("transient",))
    found = mp.fit(data, synthetic.basis, LEAN)
    assert (found.asymmetry == 0.0).all(axis=1).sum() >= 4
    plain = mp.fit(data, synthetic.basis)
    assert (plain.asymmetry == 0.0).all()


def test_asymmetry_is_found_and_frees_the_amplitudes(synthetic):
    data = leaning(synthetic, (0.3, 0.0, 0.0))
    plain, found = mp.fit(data, synthetic.basis), mp.fit(data, synthetic.basis, LEAN)
    assert found.asymmetry[0] == pytest.approx(0.3, abs=0.1)
    assert found.fit_quality < 0.7 * plain.fit_quality
    for name, truth in (("tNAA", 12.0), ("tCr", 8.5), ("Ins", 6.5)):
        value, sd = found.estimate(name)
        assert abs(value - truth) < 4.0 * sd, name


def test_curves_add_up(synthetic):
    found = mp.fit(leaning(synthetic, (0.3, 0.0, 0.0)), synthetic.basis, LEAN)
    whole = found.components().sum(axis=0) + found.baseline
    assert np.allclose(whole, found.fitted, atol=1e-9 * np.abs(found.data).max())


def test_lineshape_moves_no_area():
    time = np.arange(512) * 1e-3
    factor = lineshape(time, np.array([0.2, -0.1, 0.05]))
    assert factor[0] == 1.0
    line = np.exp(-np.pi * 5.0 * time)
    line[0] /= 2
    plain, leant = (np.fft.fft(line * h, 4096).real for h in (1.0, factor))
    assert leant.sum() == pytest.approx(plain.sum(), rel=1e-9)
    lean = np.abs(leant[1:] - leant[:0:-1]).max()
    assert np.abs(plain[1:] - plain[:0:-1]).max() < 1e-9 * lean


def test_derivatives_are_those_of_the_model(setup):
    problem, spectrum, templates, _ = setup
    point = starting_points(problem, templates, spectrum)[0]
    point = evaluate(problem, spectrum, point.theta, point.passive)
    found = columns(problem, point, np.zeros(N_WEIGHTS))
    total = point.amplitude @ point.fid
    for k in range(N_WEIGHTS):
        weights = np.zeros(N_WEIGHTS)
        weights[k] = 0.01
        change = problem.band.spectra(total * (lineshape(problem.band.time, weights) - 1.0)).real
        assert np.allclose(found[k], change / 0.01, atol=1e-9 * np.abs(change).max() / 0.01)


def test_unknown_lineshape():
    with pytest.raises(InvalidInputError, match="Known: voigt, asymmetric"):
        mp.FitOptions(lineshape="gauss")
