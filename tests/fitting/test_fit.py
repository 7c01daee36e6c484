"""What a user relies on: recovery, invariances, honest SDs, NaN where there is nothing."""

import pickle

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import MRSData, Step
from mrsproc.errors import InvalidInputError

PLAIN = mp.FitOptions(macromolecules="none", priors="none")
SUMS = ("tNAA", "tCr", "tCho", "Glx")


def amplitudes(fit, synthetic):
    order = [fit.names.index(name) for name in synthetic.names]
    return fit.amplitude[..., order]


def test_recovers_the_truth_without_noise(synthetic):
    fit = mp.fit(synthetic.data(noise=0.01), synthetic.basis, mp.FitOptions(priors="none"))
    names, amplitude, _ = fit.with_sums()
    truth = dict(zip(synthetic.names, synthetic.truth, strict=True))
    for name in ("NAA", "GPC", "Ins", "Glu"):
        assert amplitude[names.index(name)] == pytest.approx(truth[name], rel=0.03)
    assert amplitude[names.index("tCr")] == pytest.approx(truth["Cr"] + truth["PCr"], rel=0.02)


@pytest.mark.parametrize("phase", [-3.0, -1.6, 0.7, 2.2, 3.1])
@pytest.mark.parametrize("shift", [-0.2, 0.0, 0.2])
def test_any_phase_and_shift_is_found(synthetic, phase, shift):
    fit = mp.fit(synthetic.data(noise=1.0, phase=phase, shift_ppm=shift), synthetic.basis)
    naa, sd = fit.estimate("tNAA")
    assert abs(naa - 12.0) < 5 * sd
    assert np.median(fit.shift_ppm) == pytest.approx(shift, abs=0.01)


@pytest.mark.parametrize("factor", [1e-4, 37.0])
def test_scaling_the_data_scales_amplitudes_only(synthetic, factor):
    data = synthetic.data(noise=1.0)
    plain = mp.fit(data, synthetic.basis).to_frame()
    scaled = mp.fit(data.with_fid(data.fid * factor, Step("Scale", "")), synthetic.basis).to_frame()
    assert np.allclose(scaled.amplitude, factor * plain.amplitude, rtol=1e-5, atol=1e-7 * factor)
    assert np.allclose(scaled.crlb_percent, plain.crlb_percent, rtol=1e-4, equal_nan=True)


def test_order_of_the_basis_is_irrelevant(synthetic):
    data = synthetic.data(noise=1.0)
    one = mp.fit(data, synthetic.basis)
    other = mp.fit(data, synthetic.basis.select(synthetic.basis.names[::-1]))
    for name in (*synthetic.names, *SUMS):
        (a, sd_a), (b, sd_b) = one.estimate(name), other.estimate(name)
        assert a == pytest.approx(b, abs=0.02 * sd_a)
        assert sd_a == pytest.approx(sd_b, rel=0.01)


def test_input_is_not_touched(synthetic):
    fid = np.asfortranarray(np.array([synthetic.data(noise=1.0, seed=s).fid for s in range(3)]))
    copy = fid.copy()
    fid.flags.writeable = False
    data = MRSData(fid=fid[::2], dims=("transient", "time"), acquisition=synthetic.acquisition)
    mp.fit(data, synthetic.basis)
    assert (fid == copy).all()


def test_leading_dims_become_columns_and_masked_fids_nan(synthetic):
    data = synthetic.data(noise=1.0, shape=(2, 3), dims=("edit", "transient"))
    mask = np.ones((2, 3), bool)
    mask[1, 2] = False
    fit = mp.fit(data.with_mask(mask, Step("Mask", "test")), synthetic.basis)
    frame = fit.to_frame()
    assert list(frame.columns[:3]) == ["edit", "transient", "metabolite"]
    assert len(frame) == 6 * (len(fit.names) + len(SUMS))
    bad = frame[(frame.edit == 1) & (frame.transient == 2)]
    assert bad[["amplitude", "sd", "crlb_percent"]].isna().all(axis=None)
    assert frame.drop(bad.index)[["amplitude", "sd"]].notna().all(axis=None)
    assert not fit.success[1, 2]
    assert fit.reason[1, 2] == "masked"
    assert set(SUMS) < set(frame.metabolite)


def test_sums_carry_the_covariance(synthetic):
    fit = mp.fit(synthetic.data(noise=1.0), synthetic.basis)
    i, j = fit.names.index("Glu"), fit.names.index("Gln")
    variance = fit.covariance[i, i] + fit.covariance[j, j] + 2 * fit.covariance[i, j]
    assert fit.estimate("Glx")[1] == pytest.approx(np.sqrt(variance))
    assert fit.correlation[i, j] < -0.1


def test_curves_add_up(synthetic):
    fit = mp.fit(synthetic.data(noise=1.0), synthetic.basis)
    whole = fit.components().sum(axis=0) + fit.baseline
    assert np.allclose(whole, fit.fitted, atol=1e-9 * np.abs(fit.data).max())
    assert fit.fit_quality == pytest.approx(1.0, abs=0.3)


def test_reported_sd_is_the_scatter(synthetic):
    """80 spectra: the SD of their scatter is known to 8 %; 0.72-1.28 is left once in 2000."""
    data = synthetic.data(noise=1.5, shape=(80,), dims=("transient",))
    fit = mp.fit(data, synthetic.basis, PLAIN)
    for name in ("tNAA", "tCr", "tCho", "Ins", "Glu", "Glx"):
        value, sd = fit.estimate(name)
        assert 0.72 < np.std(value) / np.median(sd) < 1.28, name


def test_result_is_immutable_and_pickles(synthetic):
    fit = mp.fit(synthetic.data(noise=1.0), synthetic.basis)
    again = pickle.loads(pickle.dumps(fit))
    assert not again.amplitude.flags.writeable
    assert (again.amplitude == fit.amplitude).all()
    assert repr(again) == repr(fit)
    assert repr(fit).startswith("FitResult(1 of 1 spectra fitted")


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ({"ppm": (2.0, 2.1)}, "0.3 to 40 ppm apart"),
        ({"baseline": "spline"}, "Known: reml, maic"),
        ({"baseline": 50.0}, "0.5 to 20 effective"),
        ({"priors": "all"}, "Known: default, none"),
        ({"noise_sd": 0.0}, "positive"),
        ({"shift_sd": -1.0}, "positive"),
    ],
)
def test_bad_options(option, match):
    with pytest.raises(InvalidInputError, match=match):
        mp.FitOptions(**option)


def test_unknown_quantity(synthetic):
    fit = mp.fit(synthetic.data(noise=1.0), synthetic.basis)
    with pytest.raises(InvalidInputError, match="Did you mean 'Glx'"):
        fit.estimate("glx")
