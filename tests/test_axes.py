"""Axes: where zero is, which way ppm runs, and what a transform does to the first point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mrsproc import axes

FLOATS = st.floats(-1e3, 1e3, allow_nan=False)


@pytest.mark.parametrize("n", [2, 3, 64, 65])
def test_frequency_axis(n):
    axis = axes.frequency_axis(n, 1e-3)
    assert axis[n // 2] == 0.0
    assert np.allclose(np.diff(axis), 1000.0 / n)
    assert axis[0] == pytest.approx(-500.0 if n % 2 == 0 else -500.0 * (n - 1) / n)


def test_time_axis():
    assert axes.time_axis(4, 5e-4).tolist() == [0.0, 5e-4, 1e-3, 1.5e-3]


def test_naa_has_a_positive_frequency():
    assert axes.ppm_to_hz(2.01, 123.25, 4.65) == pytest.approx(2.64 * 123.25)
    assert axes.hz_to_ppm(100.0, 100.0, 4.65) == pytest.approx(3.65)


@given(ppm=st.floats(-20, 20), megahertz=st.floats(10, 900), reference=st.floats(-5, 5))
def test_ppm_and_hz_are_inverse(ppm, megahertz, reference):
    hz = axes.ppm_to_hz(ppm, megahertz, reference)
    assert float(axes.hz_to_ppm(hz, megahertz, reference)) == pytest.approx(ppm, abs=1e-9)


def test_first_point_is_halved_once():
    spectrum = axes.fid_to_spectrum(np.ones(8, complex))
    assert spectrum[4] == pytest.approx(7.5)
    assert np.allclose(np.delete(spectrum, 4), -0.5)


def test_halving_keeps_the_input():
    fid = np.ones((2, 3), complex)
    fid.flags.writeable = False
    assert axes.halve_first_point(fid)[:, 0].tolist() == [0.5, 0.5]
    assert (fid == 1).all()


def test_lorentzian_stands_on_zero(make_line):
    """Only with a halved first point is the real part of an absorption line flat far from it."""
    time = np.arange(4096) * 5e-4
    spectrum = axes.fid_to_spectrum(make_line(4.65, time, 5.0)).real
    assert abs(spectrum[0]) < 1e-4 * spectrum.max()
    whole = np.fft.fft(make_line(4.65, time, 5.0)).real
    assert whole[2048] > 30 * abs(spectrum[0])


def test_zero_filling_interpolates(make_line):
    fid = make_line(2.0, np.arange(256) * 5e-4, 8.0)
    assert np.allclose(axes.fid_to_spectrum(fid, 512)[::2], axes.fid_to_spectrum(fid))


@given(
    parts=hnp.arrays(
        float, st.tuples(st.integers(1, 3), st.integers(2, 33), st.just(2)), elements=FLOATS
    )
)
def test_spectrum_and_fid_are_inverse(parts):
    fid = parts[..., 0] + 1j * parts[..., 1]
    back = axes.spectrum_to_fid(axes.fid_to_spectrum(fid))
    assert np.allclose(back, fid, atol=1e-9)
    spectrum = axes.fid_to_spectrum(axes.spectrum_to_fid(fid))
    assert np.allclose(spectrum, fid, atol=1e-9)
