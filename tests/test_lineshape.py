"""Widths of lines, measured in the spectrum."""

import numpy as np
import pytest

from mrsproc.lineshape import voigt_decay, voigt_fwhm


@pytest.mark.parametrize(("lorentz", "gauss"), [(5.0, 0.0), (0.0, 5.0), (3.0, 6.0), (8.0, 2.0)])
def test_fwhm_in_the_spectrum(lorentz, gauss):
    n, dwell = 1 << 17, 5e-4
    fid = voigt_decay(np.arange(n) * dwell, lorentz, gauss)
    fid[0] /= 2
    line = np.fft.fftshift(np.fft.fft(fid).real)
    above = np.flatnonzero(line > line.max() / 2)
    width = (above[-1] - above[0] + 1) / (n * dwell)
    assert width == pytest.approx(float(voigt_fwhm(lorentz, gauss)), rel=2e-3, abs=2 / (n * dwell))


def test_broadcasts():
    assert voigt_decay(np.arange(4.0), np.ones((3, 1))).shape == (3, 4)
    assert voigt_decay(0.0, 3.0, 5.0) == 1.0
