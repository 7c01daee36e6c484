"""FIDs whose end rises."""

import warnings

import numpy as np
import pytest

from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import DataWarning
from mrsproc.preproc.ends import n_rising, without_rising_end

ACQUISITION = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)


def noisy(n=1024, count=1, seed=0):
    rng = np.random.default_rng(seed)
    fid = (
        rng.standard_normal((count, n))
        + 1j * rng.standard_normal((count, n))
        + 50 * np.exp(-np.arange(n) / (n / 10))
    )
    return MRSData(fid=fid, dims=("transient", "time"), acquisition=ACQUISITION)


def risen(points, data):
    fid = np.array(data.fid)
    fid[..., -points:] += 8.0 * np.exp(np.linspace(-1, 1, points))
    return MRSData(fid=fid, dims=data.dims, acquisition=ACQUISITION, mask=data.mask)


@pytest.mark.parametrize("points", [16, 40, 64])
def test_a_rising_end_is_cut_with_a_warning(points):
    data = risen(points, noisy())
    assert points <= n_rising(data) < points + 16
    with pytest.warns(DataWarning, match=r"last \d+ of 1024 points of the FIDs rise.*left out"):
        cut = without_rising_end(data)
    assert cut.n_points == 1024 - n_rising(data)
    assert cut.history[-1].method == "Truncation"


@pytest.mark.parametrize("n", [256, 512, 2048])
def test_ordinary_fids_are_as_they_were(n):
    """200 FIDs a length; with 4 points a block or more a false alarm is below 1 in 1000 each."""
    alarms = 0
    for seed in range(200):
        data = noisy(n, seed=seed)
        alarms += n_rising(data) > 0
    assert alarms <= (3 if n == 256 else 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = noisy(n)
        assert without_rising_end(data) is data


@pytest.mark.parametrize("n", [2, 8, 63, 64, 128])
def test_short_fids_are_left_alone(n):
    """Blocks of one or two points say nothing: noise alone must not cut a FID."""
    assert sum(n_rising(noisy(n, seed=seed)) > 0 for seed in range(300)) <= 2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_masked_fids_take_no_part(bad):
    data = noisy(count=3)
    fid = np.array(data.fid)
    fid[1, -30:] = bad
    fid[2, -30:] = 1e4
    masked = MRSData(
        fid=fid, dims=data.dims, acquisition=ACQUISITION, mask=np.array([True, False, False])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert n_rising(masked) == 0


def test_zeros():
    data = noisy()
    assert n_rising(data.with_fid(np.zeros_like(data.fid), _step())) == 0


def _step():
    from mrsproc.data import Step

    return Step("Zero", "all")
