"""SNR and linewidth of lines whose height and width are known."""

import numpy as np
import pytest

from mrsproc import qc
from mrsproc.data import Acquisition, MRSData
from mrsproc.qc.singlets import half_width, tallest_peak

ACQUISITION = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
TIME = np.arange(2048) * 5e-4


def of(fid):
    return MRSData(fid=fid, dims=("time",), acquisition=ACQUISITION)


@pytest.mark.parametrize("width", [3.0, 6.0, 12.0])
@pytest.mark.parametrize("phase", [0.0, 2.0, -3.0])
def test_linewidth(make_line, width, phase):
    fid = 5 * make_line(2.008, TIME, width) * np.exp(1j * phase)
    assert qc.linewidth(of(fid)) == pytest.approx(width, rel=0.04)
    peak = tallest_peak(of(fid), (1.8, 3.4))
    assert peak.ppm == pytest.approx(2.008, abs=0.002)
    assert peak.height == pytest.approx(5 / (np.pi * width * 5e-4), rel=0.05)


def test_the_tallest_counts(make_line):
    fid = (
        3 * make_line(2.008, TIME, 5)
        + 4 * make_line(3.027, TIME, 9)
        + 50 * make_line(4.65, TIME, 9)
    )
    assert tallest_peak(of(fid), (1.8, 3.4)).ppm == pytest.approx(2.008, abs=0.003)
    assert qc.linewidth(of(fid), (2.8, 3.4)) == pytest.approx(9, rel=0.1)


@pytest.mark.parametrize("wanted", [20.0, 100.0])
def test_snr(make_line, wanted):
    """Height over SD of the noise; 12 draws, each with an SD of 1 on the height."""
    width = 6.0
    height = 1 / (np.pi * width * 5e-4)
    sd = height / (wanted * np.sqrt(2048))
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        noise = sd * (rng.standard_normal(2048) + 1j * rng.standard_normal(2048))
        found.append(qc.signal_to_noise(of(make_line(2.008, TIME, width) + noise)))
    assert np.mean(found) == pytest.approx(wanted, rel=0.12, abs=2.5)


def test_snr_does_not_depend_on_scale(make_line):
    rng = np.random.default_rng(0)
    fid = make_line(2.008, TIME, 5) + 0.01 * (
        rng.standard_normal(2048) + 1j * rng.standard_normal(2048)
    )
    assert qc.signal_to_noise(of(1e8 * fid)) == pytest.approx(qc.signal_to_noise(of(fid)))


def test_without_noise_there_is_no_snr():
    assert np.isnan(qc.signal_to_noise(of(np.r_[1, np.zeros(2047)])))


def test_half_width():
    assert half_width(np.array([0, 1, 2, 1, 0.0]), 2) == pytest.approx(2.0)
    assert np.isnan(half_width(np.array([2, 2, 2, 1, 0.0]), 1))
