"""Residual water: a known line is taken out, the metabolites stay."""

import numpy as np
import pytest

from mrsproc.data import Step
from mrsproc.errors import InvalidInputError
from mrsproc.preproc.water import remove_water, water_model


def with_water(synthetic, make_line, size, *, noise=0.0, width=8.0, ppm=4.68):
    data = synthetic.data(noise=noise, n=2048)
    water = size * np.exp(1.1j) * make_line(ppm, data.time, width)
    return data, data.with_fid(data.fid + water, Step("Water", "added"))


@pytest.mark.parametrize("size", [200.0, 5000.0])
@pytest.mark.parametrize("ppm", [4.5, 4.68, 4.8])
def test_known_water_is_removed(synthetic, make_line, size, ppm):
    clean, wet = with_water(synthetic, make_line, size, ppm=ppm)
    dry = remove_water(wet)
    low = (clean.ppm > 0.5) & (clean.ppm < 4.2)
    left = np.abs(dry.spectrum - clean.spectrum)[low].max()
    assert left < 0.002 * np.abs(wet.spectrum - clean.spectrum).max()
    assert left < 0.01 * np.abs(clean.spectrum[low]).max() + 1e-3 * size
    assert dry.history[-1].method == "Nuisance peak removal"


def test_metabolites_stay_where_there_is_no_water(synthetic):
    data = synthetic.data(noise=0.5, n=2048)
    dry = remove_water(data)
    low = (data.ppm > 0.5) & (data.ppm < 4.0)
    assert np.abs(dry.spectrum - data.spectrum)[low].max() < 0.02 * np.abs(data.spectrum[low]).max()


def test_noise_is_not_removed_with_the_water(synthetic, make_line):
    clean, wet = with_water(synthetic, make_line, 500.0, noise=1.0)
    dry = remove_water(wet)
    near = (clean.ppm > 1.0) & (clean.ppm < 4.0)
    assert np.abs(dry.spectrum - clean.spectrum)[near].std() < 0.5 * np.sqrt(2048)


def test_model_is_only_what_is_removed(synthetic, make_line):
    _, wet = with_water(synthetic, make_line, 500.0)
    model = water_model(wet)
    assert np.allclose(model.apply(wet).fid, wet.fid - model.fid)
    assert not model.fid.flags.writeable


def test_masked_nan_and_zeros_are_left_alone(synthetic):
    data = synthetic.data(shape=(3,), dims=("transient",))
    fid = np.array(data.fid)
    fid[0], fid[1] = np.nan, 0.0
    odd = type(data)(
        fid=fid, dims=data.dims, acquisition=data.acquisition, mask=np.array([False, True, True])
    )
    model = water_model(odd)
    assert (model.fid[:2] == 0).all()
    assert np.isnan(model.apply(odd).fid[0]).all()


def test_bad_input(synthetic):
    data = synthetic.data()
    with pytest.raises(InvalidInputError, match=r"ppm = \(4, 40\): the spectrum spans"):
        water_model(data, (4, 40))
    with pytest.raises(
        InvalidInputError,
        match=r"water model is for FIDs of shape \(1024,\), the data have \(2, 1024\)",
    ):
        water_model(data).apply(synthetic.data(shape=(2,), dims=("transient",)))
