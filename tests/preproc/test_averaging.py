"""Blocks and moving windows: whole phase cycles, times, counts, correlation of their noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mrsproc as mp
from mrsproc.data import Step
from mrsproc.errors import InvalidInputError

ACQUISITION = mp.Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4, repetition_time=2.0)


def numbered(n, mask=None, onset=None):
    """Return FIDs of constant value 0, 1, 2, ..."""
    fid = np.repeat(np.arange(n)[:, None], 8, axis=1) + 0j
    coords = {} if onset is None else {"transient": onset}
    return mp.MRSData(
        fid=fid, dims=("transient", "time"), acquisition=ACQUISITION, mask=mask, coords=coords
    )


def test_blocks_by_count():
    found = mp.average(numbered(10), transients=4)
    assert found.data.fid[:, 0].real.tolist() == [1.5, 5.5]
    assert found.start_s.tolist() == [0.0, 8.0]
    assert found.duration_s.tolist() == [8.0, 8.0]
    assert found.mean_time_s.tolist() == [3.0, 11.0]
    assert np.array_equal(found.correlation, np.eye(2))


def test_windows_in_seconds_follow_unequal_onsets():
    onset = np.array([0.0, 2.0, 4.0, 20.0, 22.0, 24.0, 26.0, 28.0])
    found = mp.average(numbered(8, onset=onset), seconds=10.0)
    assert found.n_transients.tolist() == [3, 5]
    assert found.data.coords["transient"].tolist() == [2.0, 24.0]


def test_the_mask_is_respected():
    mask = np.ones(8, bool)
    mask[[0, 4, 5, 6, 7]] = False
    found = mp.average(numbered(8, mask), transients=4)
    assert found.n_transients.tolist() == [3, 0]
    assert found.data.mask.tolist() == [True, False]
    assert found.data.fid[0, 0] == 2.0
    assert np.isnan(found.mean_time_s[1]) and np.isnan(found.correlation[1, 1])


def test_phase_cycles_stay_whole():
    found = mp.average(numbered(32), transients=10, step=5, phase_cycle=8)
    assert set(found.n_transients.tolist()) <= {8, 16}
    assert all(start % 16.0 == 0.0 for start in found.start_s)  # 8 transients of 2 s


@given(
    n=st.integers(4, 60), length=st.integers(1, 20), step=st.integers(1, 20), seed=st.integers(0, 9)
)
def test_correlation_is_that_of_the_noise(n, length, step, seed):
    """Correlation of linear combinations of independent noise, from their weights."""
    if length > n:
        return
    mask = np.random.default_rng(seed).random(n) < 0.8
    found = mp.average(numbered(n, mask), transients=length, step=step)
    rows = []
    for start in found.start_s:
        first = round(start / 2.0)
        row = np.zeros(n)
        row[first : first + length] = mask[first : first + length]
        rows.append(row / max(row.sum(), 1.0))
    weights = np.array(rows)
    known = found.n_transients > 0
    cross = weights @ weights.T
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = cross / np.sqrt(np.outer(np.diag(cross), np.diag(cross)))
    assert np.allclose(found.correlation[known][:, known], wanted[known][:, known])


def test_bad_input():
    data = numbered(6)
    with pytest.raises(InvalidInputError, match="transients= or as seconds="):
        mp.average(data)
    with pytest.raises(InvalidInputError, match="fits into 6 transients"):
        mp.average(data, transients=7)
    with pytest.raises(InvalidInputError, match="both must be positive"):
        mp.average(data, transients=2, step=0)
    with pytest.raises(InvalidInputError, match="Combine coils"):
        mp.average(data.rename(transient="coil"), transients=2)
    with pytest.raises(InvalidInputError, match="phase_cycle = 0"):
        mp.average(data, transients=2, phase_cycle=0)


def test_matching_makes_linewidths_equal_and_noise_white(basis):
    options = mp.SessionOptions(
        n_transients=64, line_narrowing_hz=2.0, infusion_onset=0.0, snr=80.0,
        frequency_jitter_hz=0.0, frequency_drift_hz=0.0, phase_jitter_deg=0.0,
    )  # fmt: skip
    session = mp.simulate(basis, options, rng=0)
    dry = mp.remove_water(session.data)
    matched = mp.match_linewidth(dry, session.extra_linewidth_hz, rng=1)
    widths = mp.linewidths(matched, transients=16)["extra_linewidth_hz"]
    before = mp.linewidths(dry, transients=16)["extra_linewidth_hz"]
    assert np.ptp(before) > 0.3
    assert np.ptp(widths) < 0.12
    from mrsproc.qc import noise_sd

    assert noise_sd(matched).mean() == pytest.approx(noise_sd(dry).mean(), rel=0.02)
    late = matched.fid[:, 700:].std() / dry.fid[:, 700:].std()
    assert late == pytest.approx(1.0, rel=0.02)
    assert np.array_equal(
        matched.fid, mp.match_linewidth(dry, session.extra_linewidth_hz, rng=1).fid
    )
    with pytest.raises(InvalidInputError, match="can be broadened only"):
        mp.match_linewidth(dry, session.extra_linewidth_hz, target_hz=-1.0)
    with pytest.raises(InvalidInputError, match="one finite width"):
        mp.match_linewidth(dry, np.zeros(3))


def test_linewidths_have_the_sd_that_is_stated(basis):
    session = mp.simulate(basis, mp.SessionOptions(n_transients=128), rng=8)
    aligned = mp.align(session.data).apply(session.data)
    frame = mp.linewidths(aligned, seconds=20.0)
    assert frame["n_transients"].tolist() == [8] * 16
    assert frame["linewidth_sd_hz"].mean() == pytest.approx(frame["linewidth_hz"].std(), rel=0.5)
    masked = aligned.with_mask(np.arange(128) >= 8, Step("Rejection", "first block"))
    assert np.isnan(mp.linewidths(masked, seconds=20.0)["linewidth_hz"][0])
