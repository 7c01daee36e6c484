"""The figure of a fit of single lines."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.errors import InvalidInputError


@pytest.fixture(scope="module")
def found():
    acquisition = mp.Acquisition(spectrometer_frequency=49.9, dwell_time=1 / 3000, nucleus="31P")
    time = np.arange(512) / 3000
    fid = 3.0 * np.exp(1j - 2j * np.pi * 2.5 * 49.9 * time - 20.0 * time)
    fids = np.stack([fid, np.zeros(512)])
    data = mp.MRSData(fid=fids, dims=("transient", "time"), acquisition=acquisition)
    return mp.fit_peaks(data, [mp.Peak("Pi", 2.5)])


def test_lines_are_drawn_upright(found):
    ax = mp.plot.peaks(found, index=(0,))
    assert ax.get_xlim()[0] > ax.get_xlim()[1]
    data = ax.lines[0]
    top = int(np.argmax(data.get_ydata()))
    assert data.get_xdata()[top] == pytest.approx(2.5, abs=0.1)
    assert abs(data.get_ydata().min()) < 0.1 * data.get_ydata().max()
    assert "Pi" in [text.get_text() for text in ax.texts]


def test_nothing_to_draw(found):
    with pytest.raises(InvalidInputError, match="nothing to draw: the FID is zero"):
        mp.plot.peaks(found, index=(1,))
    with pytest.raises(InvalidInputError, match="does not pick one spectrum"):
        mp.plot.peaks(found)
