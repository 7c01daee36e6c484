"""Each kind of bad input gives one clear error or a stated warning, and never a number."""

import dataclasses

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import Acquisition, MRSData, Step
from mrsproc.errors import BasisError, DataWarning, FitWarning, InvalidInputError


def test_zeros(synthetic):
    data = synthetic.data()
    zero = data.with_fid(np.zeros(1024, complex), Step("Zero", ""))
    with pytest.raises(InvalidInputError, match="zero throughout"):
        mp.fit(zero, synthetic.basis)


def test_coils_have_to_be_combined(synthetic):
    data = synthetic.data(noise=1.0, shape=(2,), dims=("coil",))
    with pytest.raises(InvalidInputError, match="combine the coils"):
        mp.fit(data, synthetic.basis)


@pytest.mark.parametrize("megahertz", [297.2, 49.9])
def test_basis_of_another_field_or_nucleus(synthetic, megahertz):
    basis = dataclasses.replace(synthetic.basis, spectrometer_frequency=megahertz)
    with pytest.raises(BasisError, match="field strength or nucleus differ"):
        mp.fit(synthetic.data(noise=1.0), basis)


def test_basis_of_too_narrow_a_band(synthetic):
    narrow = dataclasses.replace(
        synthetic.basis, fid=synthetic.basis.fid[:, ::4], dwell_time=synthetic.basis.dwell_time * 4
    )
    with pytest.raises(BasisError, match="does not hold"):
        mp.fit(synthetic.data(noise=1.0), narrow)


def test_inverted_sign_convention(synthetic):
    data = synthetic.data(noise=1.0)
    mirrored = data.with_fid(np.conj(data.fid), Step("Conjugation", ""))
    with pytest.raises(InvalidInputError, match="complex conjugate"):
        mp.fit(mirrored, synthetic.basis)


def test_no_naa_in_the_spectrum(synthetic):
    names = synthetic.basis.names
    rest = [i for i, name in enumerate(names) if name != "NAA"]
    time = np.arange(1024) * 5e-4
    fid = synthetic.truth[rest] @ synthetic.basis.fid[rest, :1024] * np.exp(-((8 * time) ** 2))
    rng = np.random.default_rng(0)
    noisy = fid + rng.normal(size=1024) + 1j * rng.normal(size=1024)
    data = MRSData(fid=noisy, dims=("time",), acquisition=synthetic.acquisition)
    with pytest.warns(FitWarning, match="tNAA is not there"):
        mp.fit(data, synthetic.basis)


def test_broad_lines_are_said(synthetic):
    with pytest.warns(FitWarning, match="linewidth is above 0.1 ppm"):
        mp.fit(synthetic.data(noise=0.3, gauss=16.0), synthetic.basis)


def test_basis_axis_that_is_off_is_said(synthetic):
    time = synthetic.basis.time
    moved = synthetic.basis.fid * np.exp(2j * np.pi * 0.03 * 123.2 * time)
    basis = dataclasses.replace(synthetic.basis, fid=moved)
    with pytest.warns(DataWarning, match="referenced"):
        mp.fit(synthetic.data(noise=1.0), basis)


def test_window_outside_the_band(synthetic):
    with pytest.raises(BasisError, match="does not hold 20.0 to 22.0 ppm"):
        mp.fit(synthetic.data(noise=1.0), synthetic.basis, mp.FitOptions(ppm=(20.0, 22.0)))


def test_signal_out_of_sight_is_left_out_and_said(synthetic):
    far = np.exp((2j * np.pi * (4.65 - 7.5) * 123.2 - 1) * synthetic.basis.time)
    basis = dataclasses.replace(
        synthetic.basis,
        names=(*synthetic.basis.names, "Phe"),
        fid=np.vstack([synthetic.basis.fid, far]),
    )
    with pytest.warns(DataWarning, match="Phe have no signal"):
        fit = mp.fit(synthetic.data(noise=1.0), basis)
    assert "Phe" not in fit.names


def test_dwell_time_of_zero():
    with pytest.raises(InvalidInputError, match="dwell_time = 0"):
        Acquisition(spectrometer_frequency=123.2, dwell_time=0.0)
