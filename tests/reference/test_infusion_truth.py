"""Simulated sessions of known truth: drift is found as well as its Cramer-Rao bound allows."""

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp

pytestmark = pytest.mark.real


# session: Cramer-Rao bounds [Hz, degrees] over the full band, from the README of the data
BOUNDS = {"01": (0.195, 1.4), "02": (0.19, 1.3), "03": (0.32, 2.1), "05_long": (0.17, 1.1)}


def session(folder, name):
    data = mp.read(folder / "infusion" / f"session-{name}_svs.nii.gz")
    truth = pd.read_csv(folder / "infusion" / f"session-{name}_truth.tsv", sep="\t")
    return data, truth, ~truth.ruined.to_numpy(bool)


@pytest.mark.parametrize("name", BOUNDS)
def test_drift_is_recovered_near_the_bound(data_folder, name):
    """SD of the error over 304 to 1055 transients, which is known to 4 %."""
    hz, degrees = BOUNDS[name]
    data, truth, good = session(data_folder, name)
    found = mp.align(data)
    off = (found.frequency_hz - truth.frequency_hz.to_numpy())[good]
    turn = (found.phase_rad - truth.phase_rad.to_numpy())[good]
    turn = np.angle(np.exp(1j * turn) / np.exp(1j * turn).mean())
    assert off.std() < (1.3 if name == "03" else 1.2) * hz
    assert np.rad2deg(turn.std()) < 1.4 * degrees
    assert np.median(found.frequency_sd_hz) == pytest.approx(off.std(), rel=0.2)


@pytest.mark.parametrize("name", BOUNDS)
def test_ruined_transients_are_found(data_folder, name):
    data, truth, good = session(data_folder, name)
    drift = mp.align(data)
    found = mp.find_outliers(drift.apply(data), alignment=drift)
    assert (~found.valid & ~good).sum() >= 0.9 * (~good).sum()
    assert (~found.valid & good).sum() <= 0.01 * good.sum()


def test_coils_combine_at_the_best_snr(data_folder):
    """SNR of the combination over that of the true sensitivities and noise covariance."""
    folder = data_folder / "infusion"
    raw = mp.read(folder / "session-04_raw_svs.nii.gz")
    water = mp.read(folder / "session-04_raw_mrsref.nii.gz")
    with np.load(folder / "session-04_raw_coils.npz") as truth:
        names = {array.ndim: array for array in (truth[key] for key in truth.files)}
    sensitivity, covariance = names[1], names[2]

    def snr(weights):
        noise = (weights @ covariance @ weights.conj()).real
        return abs(weights @ sensitivity) / np.sqrt(noise)

    best = np.sqrt((sensitivity.conj() @ np.linalg.solve(covariance, sensitivity)).real)
    plain = water.fid.reshape(len(sensitivity), -1)[:, 0].conj()
    assert snr(mp.coil_weights(water, raw).weights) > 0.99 * best
    assert snr(mp.coil_weights(raw).weights) > 0.98 * best
    assert snr(plain) < 0.8 * best
