"""Frequency and phase drift: what is put in comes out, with the sign that is written down."""

import numpy as np
import pytest

from mrsproc.data import Step
from mrsproc.errors import InvalidInputError
from mrsproc.preproc.alignment import align

DWELL = 5e-4
COUNT = 32


def drifting(synthetic, noise, *, seed=3, reach=8.0):
    rng = np.random.default_rng(seed)
    frequency = np.linspace(-reach, reach, COUNT) + rng.normal(0, 1.0, COUNT)
    phase = rng.uniform(-1, 1, COUNT)
    still = synthetic.data(shape=(COUNT,), dims=("transient",))
    time = np.arange(1024) * DWELL
    turn = np.exp(-1j * (2 * np.pi * frequency[:, None] * time + phase[:, None]))
    fid = still.fid * turn + noise * (
        rng.standard_normal((COUNT, 1024)) + 1j * rng.standard_normal((COUNT, 1024))
    )
    return still.with_fid(fid, Step("Drift", "injected")), frequency, phase


def relative(x):
    return x - x.mean()


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_injected_drift_is_recovered(synthetic, noise):
    data, frequency, phase = drifting(synthetic, noise)
    found = align(data)
    bound = max(found.frequency_sd_hz.mean(), 0.02)
    assert np.abs(relative(found.frequency_hz) - relative(frequency)).std() < 1.5 * bound
    turn = np.angle(np.exp(1j * (found.phase_rad - phase)))
    assert relative(turn).std() < 1.6 * max(found.phase_sd_rad.mean(), 0.005)
    assert found.frequency_hz.mean() == pytest.approx(0, abs=1e-9)


def test_reported_sd_is_the_scatter(synthetic):
    """32 transients give the SD to 12 %; a factor 1.5 is exceeded once in 10^4."""
    data, frequency, phase = drifting(synthetic, 3.0)
    found = align(data)
    scatter = (relative(found.frequency_hz) - relative(frequency)).std()
    assert found.frequency_sd_hz.mean() / 1.5 < scatter < 1.5 * found.frequency_sd_hz.mean()


def test_towards_higher_ppm_is_positive(synthetic):
    data, _, _ = drifting(synthetic, 0.0)
    found = align(data).frequency_hz
    top = [data.ppm[np.argmax(np.abs(row))] for row in data.spectrum]
    assert np.corrcoef(found, top)[0, 1] > 0.98


def test_apply_brings_them_together(synthetic):
    data, _, _ = drifting(synthetic, 0.0)
    together = align(data).apply(data)
    spread = np.abs(together.fid - together.fid.mean(axis=0)).max()
    assert spread < 0.01 * np.abs(together.fid).max()
    assert together.history[-1].method == "Frequency and phase correction"
    assert together.fid.dtype == data.fid.dtype


def test_bad_transients_do_not_pull(synthetic):
    data, frequency, _ = drifting(synthetic, 1.0)
    fid = np.array(data.fid)
    fid[[0, 7]] = np.random.default_rng(0).standard_normal((2, 1024)) * 200
    fid[11] = np.nan
    mask = np.ones(COUNT, bool)
    mask[[0, 7, 11]] = False
    bad = type(data)(fid=fid, dims=data.dims, acquisition=data.acquisition, mask=mask)
    found = align(bad)
    assert np.isfinite(found.frequency_hz[mask]).all()
    assert np.abs(relative(found.frequency_hz[mask]) - relative(frequency[mask])).max() < 0.5
    assert np.isfinite(found.apply(bad).fid[mask]).all()


def test_frame(synthetic):
    data, _, _ = drifting(synthetic, 0.0)
    frame = align(data).to_frame()
    assert list(frame.columns) == [
        "transient",
        "frequency_hz",
        "frequency_sd_hz",
        "phase_rad",
        "phase_sd_rad",
        "amplitude",
    ]
    assert len(frame) == COUNT


def test_bad_input(synthetic):
    data, _, _ = drifting(synthetic, 0.0)
    with pytest.raises(InvalidInputError, match=r"alignment wants \('transient', 'time'\)"):
        align(data.select(transient=0))
    with pytest.raises(InvalidInputError, match="every transient is masked"):
        align(data.with_mask(np.zeros(COUNT, bool), Step("Rejection", "all")))
    with pytest.raises(InvalidInputError, match=r"hold \d+ points there; choose a wider range"):
        align(data, ppm=(2.0, 2.05))
    with pytest.raises(InvalidInputError, match="alignment is for 32 transients, the data have 4"):
        align(data).apply(data.select(transient=slice(0, 4)))


def test_zeros_are_not_given_numbers(synthetic):
    data, _, _ = drifting(synthetic, 0.0)
    zeros = data.with_fid(np.zeros_like(data.fid), Step("Zero", "all"))
    with pytest.raises(InvalidInputError, match="zero"):
        align(zeros)
