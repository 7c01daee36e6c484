"""Eddy currents, phase and ppm reference: what is put in comes out."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import Step
from mrsproc.errors import InvalidInputError
from mrsproc.preproc.corrections import Phasing


def mean_of(data):
    for dim in data.mask_dims:
        data = data.mean(dim)
    return data


def test_eddy_currents_are_taken_off(basis):
    """Water and metabolites carry the same phase; corrected, they are as without it."""
    quiet = {"n_transients": 2, "snr": np.inf, "background": 0.0, "residual_water": 0.0,
             "residual_water_sd": 0.0, "frequency_drift_hz": 0.0, "frequency_jitter_hz": 0.0,
             "phase_jitter_deg": 0.0}  # fmt: skip
    plain = mp.simulate(basis, mp.SessionOptions(**quiet), rng=0)
    turned = mp.simulate(basis, mp.SessionOptions(eddy_deg=60.0, **quiet), rng=0)
    assert np.abs(turned.data.fid - plain.data.fid).max() > 0.2 * np.abs(plain.data.fid).max()
    eddy = mp.eddy_phase(turned.water)
    assert np.allclose(eddy.apply(turned.data).fid, plain.data.fid, atol=1e-6)
    start = np.deg2rad(60.0) * np.exp(-turned.water.time / 0.03)
    assert np.allclose(eddy.phase_rad[:600], start[:600], atol=1e-6)


def test_noise_at_the_end_of_the_water_is_not_taken_for_a_phase(basis):
    options = mp.SessionOptions(n_transients=2, eddy_deg=30.0, snr=10.0, gauss_hz=12.0)
    noisy = mp.simulate(basis, options, rng=1)
    eddy = mp.eddy_phase(noisy.water)
    assert np.abs(np.diff(eddy.phase_rad)).max() < 0.5
    assert np.abs(eddy.phase_rad[-1]) < 1.0


@pytest.mark.parametrize(("phase", "shift"), [(0.4, 0.03), (-2.5, -0.05), (3.0, 0.1)])
def test_phase_and_reference_are_found(basis, phase, shift):
    options = mp.SessionOptions(
        n_transients=16, snr=60.0, frequency_drift_hz=0.0, frequency_jitter_hz=0.0,
        phase_jitter_deg=0.0, background=0.0, residual_water=0.0, residual_water_sd=0.0,
        shift_sd_ppm=0.0,
    )  # fmt: skip
    data = mp.simulate(basis, options, rng=2).data
    moved = data.with_fid(
        data.fid
        * np.exp(1j * phase - 2j * np.pi * shift * data.acquisition.spectrometer_frequency
                 * data.time),
        Step("Drift", "injected"),
    )  # fmt: skip
    still, found = mp.phasing(data), mp.phasing(moved)
    assert found.shift_ppm - still.shift_ppm == pytest.approx(shift, abs=5e-4)
    assert np.angle(np.exp(1j * (found.phase_rad - still.phase_rad - phase))) == pytest.approx(
        0.0, abs=0.02
    )
    assert still.shift_ppm == pytest.approx(0.0, abs=0.005)
    assert np.rad2deg(still.phase_rad) == pytest.approx(0.0, abs=12.0)
    back = found.apply(moved)
    top = np.abs(data.fid).max()
    assert np.abs(back.fid - still.apply(data).fid).max() < 0.02 * top


def test_first_order_phase(basis):
    options = mp.SessionOptions(n_transients=4, snr=200.0, background=0.0, frequency_jitter_hz=0.0,
                                frequency_drift_hz=0.0, phase_jitter_deg=0.0)  # fmt: skip
    data = mp.remove_water(mp.simulate(basis, options, rng=3).data)
    still = mp.phasing(data, first_order=True)
    turned = Phasing(phase_rad=0.0, phase1_rad_per_ppm=-0.2).apply(data)
    found = mp.phasing(turned, first_order=True)
    assert found.phase1_rad_per_ppm - still.phase1_rad_per_ppm == pytest.approx(0.2, abs=0.03)


def test_bad_input(session, synthetic):
    with pytest.raises(InvalidInputError, match="combine them first"):
        mp.eddy_phase(session.water)
    water = mp.coil_weights(session.water).apply(session.water)
    eddy = mp.eddy_phase(water)
    short = session.data.select(coil=0)
    longer = short.with_fid(np.tile(short.fid, 2), Step("Longer", "twice"))
    with pytest.raises(InvalidInputError, match="has 1024 points, the data have 2048"):
        eddy.apply(longer)
    other = synthetic.data().acquisition.replace(dwell_time=2.5e-4)
    with pytest.raises(InvalidInputError, match="every 500 us, the data every 250 us"):
        eddy.apply(mp.MRSData(fid=np.ones(64), dims=("time",), acquisition=other))
    noise = np.random.default_rng(0).normal(size=256) + 0j
    with pytest.raises(InvalidInputError, match="is it a reference without water suppression"):
        mp.eddy_phase(water.select(transient=0).with_fid(noise, Step("Noise", "only")))
    with pytest.raises(InvalidInputError, match="proton singlets of combined coils"):
        mp.phasing(session.data)
