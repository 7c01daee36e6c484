"""Noise SD: known noise, in the presence of everything that is not noise."""

import numpy as np
import pytest

from mrsproc import qc
from mrsproc.data import Acquisition, MRSData
from mrsproc.qc.noise import noise_samples

SD = 0.7


def noisy(signal, *, count=40, dwell=5e-4, nucleus="1H", megahertz=123.2, seed=0, dtype=complex):
    rng = np.random.default_rng(seed)
    shape = (count, signal.size)
    fid = signal + SD * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
    acquisition = Acquisition(spectrometer_frequency=megahertz, dwell_time=dwell, nucleus=nucleus)
    return MRSData(fid=fid.astype(dtype), dims=("transient", "time"), acquisition=acquisition)


@pytest.mark.parametrize("dwell", [5e-4, 2.5e-4, 8.33e-4])
def test_white_noise(dwell):
    """The SD of the mean over 40 spectra is below 1.5 %; 6 % are four of it."""
    found = qc.noise_sd(noisy(np.zeros(1024), dwell=dwell))
    assert found.shape == (40,)
    assert found.mean() == pytest.approx(SD, rel=0.06)


def test_water_and_metabolites_do_not_count(make_line):
    time = np.arange(2048) * 5e-4
    signal = 3000 * make_line(4.65, time, 8.0) + 20 * make_line(2.0, time, 4.0)
    assert qc.noise_sd(noisy(signal)).mean() == pytest.approx(SD, rel=0.08)


def test_zero_filling_does_not_count():
    data = noisy(np.zeros(1024))
    filled = data.with_fid(
        np.pad(data.fid, ((0, 0), (0, 1024))), data.history[0] if data.history else _step()
    )
    assert qc.noise_sd(filled).mean() == pytest.approx(SD, rel=0.06)


def _step():
    from mrsproc.data import Step

    return Step("Zero-filling", "to twice")


def test_an_unexpected_line_does_not_move_it():
    line = 40.0 * np.exp((2j * np.pi * 750.0 - 20.0) * np.arange(1024) * 5e-4)
    assert qc.noise_sd(noisy(line)).mean() == pytest.approx(SD, rel=0.12)


def test_single_precision_and_other_nucleus():
    data = noisy(np.zeros(512), nucleus="31P", megahertz=49.9, dtype=np.complex64)
    assert qc.noise_sd(data).mean() == pytest.approx(SD, rel=0.08)


def test_samples_have_the_variance_of_a_point():
    samples = noise_samples(noisy(np.zeros(1024)))
    assert samples.real.var() == pytest.approx(SD**2, rel=0.1)
    assert (samples.real * samples.imag).mean() == pytest.approx(0, abs=0.03)


def test_scales_with_the_data():
    data = noisy(np.zeros(256))
    scaled = data.with_fid(data.fid * 1e6, _step())
    assert np.allclose(qc.noise_sd(scaled), 1e6 * qc.noise_sd(data))
    assert (qc.noise_sd(data.with_fid(np.zeros((40, 256)), _step())) == 0).all()


def test_masked_nan_stays_with_its_fid():
    data = noisy(np.zeros(256), count=3)
    fid = np.array(data.fid)
    fid[1] = np.nan
    masked = MRSData(
        fid=fid, dims=data.dims, acquisition=data.acquisition, mask=np.array([True, False, True])
    )
    found = qc.noise_sd(masked)
    assert np.isnan(found[1])
    assert np.allclose(found[[0, 2]], qc.noise_sd(data)[[0, 2]])
