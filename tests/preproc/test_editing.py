"""Edited recordings: conditions found, aligned, subtracted; drift told."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import Step
from mrsproc.errors import DataWarning, InvalidInputError


@pytest.fixture(scope="module")
def two(basis):
    """Two conditions whose only difference is Glu, with a shift and a phase between them."""

    def one(glu, seed):
        options = mp.SessionOptions(
            n_transients=48, snr=20.0, frequency_drift_hz=2.0, shift_sd_ppm=0.0, background=0.0
        )
        return mp.simulate(basis, options, concentrations={"Glu": glu}, rng=seed).data

    on, off = one(9.0, 0), one(3.0, 1)
    turn = np.exp(-1j * (2.0 * np.pi * 1.5 * off.time + 0.4))
    fid = np.stack([on.fid, off.fid * turn])
    return mp.MRSData(fid=fid, dims=("edit", "transient", "time"), acquisition=on.acquisition)


def choline(spectrum):
    inside = (spectrum.ppm > 3.15) & (spectrum.ppm < 3.3)
    return np.sqrt((np.abs(spectrum.spectrum[inside]) ** 2).mean())


def test_conditions_are_brought_together(two):
    found, loose = mp.edited(two), mp.edited(two, aligned=False)
    assert choline(found.difference) < 0.5 * choline(loose.difference)
    assert found.shift_hz == pytest.approx(1.5, abs=0.3)
    assert repr(found).startswith("Edited(MRSData(1024 time") and "drift" in repr(found)
    assert np.allclose(found.difference.fid, found.on.fid - found.off.fid)
    assert np.allclose(found.total.fid, 0.5 * (found.on.fid + found.off.fid))


def test_drift_is_told(basis):
    options = mp.SessionOptions(n_transients=64, frequency_drift_hz=14.0)
    data = mp.simulate(basis, options, rng=3).data
    with pytest.warns(DataWarning, match="editing efficiency fell"):
        found = mp.edited(mp.split_edited(data, "blocks"))
    assert 8.0 < found.drift_hz < 18.0


def test_splitting():
    acquisition = mp.Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
    fid = np.repeat(np.arange(6)[:, None], 4, axis=1) + 0j
    mask = np.array([True] * 5 + [False])
    data = mp.MRSData(fid=fid, dims=("transient", "time"), acquisition=acquisition, mask=mask)
    blocks, turns = mp.split_edited(data, "blocks"), mp.split_edited(data, "alternating")
    assert blocks.fid[:, :, 0].real.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert turns.fid[:, :, 0].real.tolist() == [[0, 2, 4], [1, 3, 5]]
    assert turns.mask.tolist() == [[True] * 3, [True, True, False]]
    assert blocks.dims == ("edit", "transient", "time")
    with pytest.raises(InvalidInputError, match="6 transients do not make 4 conditions"):
        mp.split_edited(data, "blocks", n_conditions=4)
    with pytest.raises(InvalidInputError, match="give 'blocks' or 'alternating'"):
        mp.split_edited(data, "pairs")
    with pytest.raises(InvalidInputError, match="split_edited where the conditions stand"):
        mp.edited(data)
    three = mp.split_edited(data, "blocks", n_conditions=3)
    with pytest.raises(InvalidInputError, match="a difference takes two"):
        mp.edited(three)
    again = data.with_fid(data.fid, Step("Nothing", ""))
    assert again.sizes == data.sizes


@pytest.mark.real
def test_choline_residual_of_a_real_recording(data_folder):
    raw = mp.read(data_folder / "siemens_mega_3t" / "mega-press-68-anon.nii.gz")
    both = mp.split_edited(raw, "blocks")
    aligned, loose = mp.edited(both), mp.edited(both, aligned=False)
    assert choline(aligned.difference) < 0.9 * choline(loose.difference)


@pytest.mark.real
def test_seven_tesla_coils_reach_the_snr_of_the_scanner(data_folder):
    """The processed spectrum holds more transients: its noise is nearly independent of these 16."""
    from mrsproc import qc

    folder = data_folder / "steam_7t_multicoil"
    raw, water, processed = (
        mp.read(folder / f"{name}_anon.nii.gz") for name in ("metab_raw", "wref_raw", "metab")
    )
    mean = mp.preprocess(raw, water).data.mean("transient")
    best = mp.remove_water(processed)
    assert qc.linewidth(mean) < 1.03 * qc.linewidth(best)
    per_root = qc.signal_to_noise(mean) / np.sqrt(16)
    assert per_root > 0.95 * qc.signal_to_noise(best) / np.sqrt(64)
