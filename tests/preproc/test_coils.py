"""Coil combination: weights of least variance, whatever the phases, with dead and bad parts."""

import numpy as np
import pytest

from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import InvalidInputError
from mrsproc.preproc.coils import coil_weights

ACQUISITION = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
TIME = np.arange(1024) * 5e-4


def coils(
    make_line,
    sensitivity,
    *,
    transients=6,
    sd=0.02,
    mixing=None,
    seed=0,
    dims=("coil", "transient", "time"),
):
    rng = np.random.default_rng(seed)
    n = len(sensitivity)
    noise = sd * (
        rng.standard_normal((n, transients, 1024)) + 1j * rng.standard_normal((n, transients, 1024))
    )
    if mixing is not None:
        noise = np.einsum("ij,jtk->itk", mixing, noise)
    fid = np.asarray(sensitivity)[:, None, None] * (5 * make_line(4.65, TIME, 6.0)) + noise
    order = [("coil", "transient", "time").index(dim) for dim in dims]
    return MRSData(fid=fid.transpose(order), dims=dims, acquisition=ACQUISITION)


SENSITIVITY = np.array([1.0, 0.5j, -0.8 + 0.3j, 0.2 - 0.1j])


def test_sensitivities_are_found(make_line):
    weights = coil_weights(coils(make_line, SENSITIVITY))
    ratio = weights.sensitivity / SENSITIVITY
    assert np.allclose(ratio, ratio[0], rtol=0.02)
    assert abs(weights.weights @ weights.sensitivity - 1) < 1e-12
    assert np.linalg.norm(weights.sensitivity) == pytest.approx(1.0)
    assert np.diag(weights.noise_covariance).real == pytest.approx(
        np.full(4, 2 * 0.02**2), rel=0.25
    )


def test_combination_has_least_variance(make_line):
    """With correlated noise the variance is 1 / (s^H Psi^-1 s), the lowest there is."""
    rng = np.random.default_rng(8)
    mixing = np.eye(4) + 0.6 * rng.standard_normal((4, 4))
    data = coils(make_line, SENSITIVITY, transients=60, mixing=mixing)
    weights = coil_weights(data).weights
    covariance = 2 * 0.02**2 * mixing @ mixing.conj().T

    def variance(w):
        return (w @ covariance @ w.conj()).real / abs(w @ SENSITIVITY) ** 2

    best = 1 / (SENSITIVITY.conj() @ np.linalg.solve(covariance, SENSITIVITY)).real
    assert variance(weights) == pytest.approx(best, rel=0.02)
    assert variance(SENSITIVITY.conj()) > 1.1 * best


def test_coil_phases_are_irrelevant(make_line):
    turn = np.exp(1j * np.array([0.3, -2.0, 1.0, 3.1]))
    plain, turned = coils(make_line, SENSITIVITY), coils(make_line, SENSITIVITY)
    turned = turned.with_fid(turned.fid * turn[:, None, None], _step())
    a = coil_weights(plain).apply(plain).fid
    b = coil_weights(turned).apply(turned).fid
    common = np.exp(1j * np.angle(np.vdot(a, b)))
    assert np.allclose(b, a * common, atol=1e-9)


def _step():
    from mrsproc.data import Step

    return Step("Phasing", "by hand")


def test_where_the_coil_axis_is_does_not_matter(make_line):
    first = coils(make_line, SENSITIVITY)
    second = coils(make_line, SENSITIVITY, dims=("transient", "coil", "time"))
    weights = coil_weights(second)
    assert np.allclose(weights.weights, coil_weights(first).weights)
    combined = weights.apply(second)
    assert combined.dims == ("transient", "time")
    assert np.allclose(combined.fid, coil_weights(first).apply(first).fid)


def test_result_and_provenance(make_line):
    data = coils(make_line, SENSITIVITY)
    single = MRSData(
        fid=data.fid.astype(np.complex64),
        dims=data.dims,
        acquisition=ACQUISITION,
        coords={"transient": np.arange(6.0), "coil": np.arange(4)},
    )
    combined = coil_weights(data).apply(single)
    assert combined.fid.dtype == np.complex64
    assert set(combined.coords) == {"transient"}
    assert combined.history[-1].method == "RF coil combination"


def test_water_weights_apply_to_metabolites(make_line):
    water = coils(make_line, SENSITIVITY)
    metabolite = MRSData(
        fid=SENSITIVITY[:, None] * make_line(2.0, TIME),
        dims=("coil", "time"),
        acquisition=ACQUISITION,
    )
    combined = coil_weights(water).apply(metabolite).fid
    assert np.abs(combined).max() == pytest.approx(np.linalg.norm(SENSITIVITY), rel=0.01)


def test_dead_coil_gets_no_weight(make_line):
    data = coils(make_line, SENSITIVITY)
    fid = np.array(data.fid)
    fid[1] = 0
    weights = coil_weights(MRSData(fid=fid, dims=data.dims, acquisition=ACQUISITION))
    assert weights.weights[1] == 0
    assert np.isfinite(weights.weights).all()


def test_masked_transients_take_no_part(make_line):
    """Neither their signal nor their NaN reaches the weights."""
    data = coils(make_line, SENSITIVITY)
    fid = np.array(data.fid)
    fid[:, 2] = np.nan
    mask = np.array([True, True, False, True, True, True])
    bad = MRSData(fid=fid, dims=data.dims, acquisition=ACQUISITION, mask=mask)
    good = data.select(transient=[0, 1, 3, 4, 5])
    assert np.allclose(coil_weights(bad).weights, coil_weights(good).weights)


def test_without_noise(make_line):
    """Simulated coils may hold no noise at all: weights are still finite and combine in phase."""
    weights = coil_weights(coils(make_line, SENSITIVITY, sd=0.0))
    assert np.isfinite(weights.weights).all()
    assert abs(weights.weights @ SENSITIVITY) == pytest.approx(
        np.linalg.norm(SENSITIVITY), rel=0.05
    )


def test_more_coils_than_noise_samples(make_line):
    rng = np.random.default_rng(0)
    many = rng.standard_normal(64) + 1j * rng.standard_normal(64)
    data = coils(make_line, many, transients=1)
    short = MRSData(fid=data.fid[..., :128], dims=data.dims, acquisition=ACQUISITION)
    weights = coil_weights(short).weights
    assert np.isfinite(weights).all()
    assert abs(weights @ many) > 0


def test_bad_input(make_line):
    data = coils(make_line, SENSITIVITY)
    with pytest.raises(InvalidInputError, match="no dimension 'coil'"):
        coil_weights(data.select(coil=0))
    with pytest.raises(InvalidInputError, match="weights are for 4 coils, the data have 3"):
        coil_weights(data).apply(data.select(coil=slice(0, 3)))
    with pytest.raises(InvalidInputError, match="every FID of the reference is masked"):
        coil_weights(data.with_mask(np.zeros(6, bool), _step()))
    with pytest.raises(InvalidInputError, match="no coil holds a signal: the reference is zero"):
        coil_weights(data.with_fid(np.zeros_like(data.fid), _step()))
