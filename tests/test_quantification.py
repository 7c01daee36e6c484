"""Ratios and water scaling against a known truth."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import MRSData, Step
from mrsproc.errors import InvalidInputError
from mrsproc.numerics.covariance import ratio
from mrsproc.quantification import concentration_factor, water_amplitude
from mrsproc.simulation import small_example


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MRSPROC_CACHE", str(tmp_path_factory.mktemp("cache")))
        return small_example(snr=60)


@pytest.fixture(scope="module")
def quantities(example):
    return mp.quantify(mp.fit(example.data, example.basis), water=example.water)


def test_concentrations_are_the_truth(example, quantities):
    table = quantities.to_frame().set_index("metabolite")
    for name, truth in example.truth.items():
        row = table.loc[name]
        assert abs(row.concentration - truth) < 4 * row.concentration_sd, name
        assert row.concentration_sd < 0.1 * truth
    assert table.ratio_tCr["tCr"] == 1.0
    assert table.ratio_tCr_sd["tCr"] == pytest.approx(0.0, abs=1e-6)


def test_ratio_is_that_of_the_amplitudes(quantities):
    names, amplitude, covariance = quantities.fit.with_sums()
    i, j = names.index("Glx"), names.index("tNAA")
    assert quantities.ratio_tNAA[i] == pytest.approx(amplitude[i] / amplitude[j])
    rng = np.random.default_rng(0)
    pair = covariance[np.ix_([i, j], [i, j])]
    draws = rng.multivariate_normal(amplitude[[i, j]], pair, 40000)
    scatter = (draws[:, 0] / draws[:, 1]).std()
    assert quantities.ratio_tNAA_sd[i] == pytest.approx(scatter, rel=0.03)


def test_without_a_reference_there_is_no_number(example):
    table = mp.quantify(mp.fit(example.data, example.basis)).to_frame()
    assert table[["concentration", "concentration_sd"]].isna().all(axis=None)
    assert table.unit.isna().all()


def test_no_denominator_no_ratio(synthetic):
    basis = synthetic.basis.without(["NAA"])
    fit = mp.fit(synthetic.data(noise=1.0), basis)
    table = mp.quantify(fit).to_frame()
    assert table.ratio_tNAA.isna().all()
    assert table.ratio_tCr.notna().all()


def test_water_amplitude_looks_past_bent_first_points(example):
    """Digital filters halve or bend the first points; the decay behind them tells the start."""
    water = example.water
    true = water_amplitude(water)
    assert true == pytest.approx(abs(water.fid[0]), rel=0.005)
    bent = np.array(water.fid)
    bent[:2] *= (0.55, 1.05)
    again = water.with_fid(bent, Step("Filter", "test"))
    assert water_amplitude(again) == pytest.approx(true, rel=1e-6)


def test_factor_by_hand():
    scaling = mp.WaterScaling(water_concentration=40000.0, water_relaxation=0.5)
    assert concentration_factor(0.01, 800.0, scaling) == pytest.approx(0.01 / 400 * 40000 * 0.5)
    with pytest.raises(InvalidInputError, match="scale of the basis set is not known"):
        concentration_factor(float("nan"), 800.0, scaling)
    with pytest.raises(InvalidInputError, match="positive"):
        mp.WaterScaling(water_relaxation=0.0)


def test_reference_that_is_not_water(example, quantities):
    with pytest.raises(InvalidInputError, match="not of water"):
        mp.quantify(quantities.fit, water=mp.remove_water(example.data))


def test_reference_with_coils(example, quantities):
    fid = np.stack([example.water.fid] * 2)
    coils = MRSData(fid=fid, dims=("coil", "time"), acquisition=example.water.acquisition)
    with pytest.raises(InvalidInputError, match="combine it"):
        mp.quantify(quantities.fit, water=coils)


def test_ratio_to_nothing_is_nan():
    value, sd = ratio(np.array([1.0, 0.0]), np.eye(2), 1)
    assert np.isnan(value).all()
    assert np.isnan(sd).all()
