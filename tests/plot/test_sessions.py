"""Figures of sessions: what is drawn is what was found."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import mrsproc as mp
from mrsproc.errors import InvalidInputError
from mrsproc.simulation.example import example_basis


class Infusion:
    onset, duration = 40.0, 60.0


@pytest.fixture(scope="module")
def pair():
    session = mp.simulate(
        example_basis(), mp.SessionOptions(n_transients=60, n_ruined=3, n_coils=2), rng=1
    )
    return session.data, mp.preprocess(session.data, session.water, infusion=Infusion())


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_before_after(pair):
    raw, clean = pair
    ax = mp.plot.before_after(raw, clean)
    before, after = (line.get_ydata() for line in ax.lines)
    assert after.max() == pytest.approx(
        clean.data.mean("transient").spectrum.real[_inside(clean.data)].max()
    )
    assert np.argmax(before) == pytest.approx(np.argmax(after), abs=6)
    left, right = ax.get_xlim()
    assert left > right
    single = mp.preprocess(raw.select(coil=0))
    with pytest.raises(InvalidInputError, match="raw has coils"):
        mp.plot.before_after(raw, single)


def _inside(data):
    return (data.ppm >= 0.2) & (data.ppm <= 4.2)


def test_waterfall_colours_the_infusion(pair):
    ax = mp.plot.waterfall(pair[1].data, infusion=Infusion())
    colours = [line.get_color() for line in ax.lines]
    assert len(set(colours)) == 2
    assert colours.count("#d55e00") == pytest.approx(12, abs=1)  # 24 of 60 transients, by twos
    assert ax.get_ylabel() == "time (min)"


def test_quality_marks_what_is_rejected(pair):
    qc = pair[1].qc
    axs = mp.plot.quality(qc, infusion=Infusion())
    crosses = axs[0].lines[1].get_xdata()
    assert np.allclose(crosses, qc.loc[~qc["valid"], "time_s"] / 60.0)
    assert axs[-1].get_xlabel() == "time (min)"
    untimed = mp.plot.quality(qc.assign(time_s=np.nan))
    assert untimed[-1].get_xlabel() == "transient"


def test_the_style_leaves_other_settings_alone():
    """A notebook's backend makes itself interactive when the first figure is made."""
    before = plt.rcParams["font.size"]
    with mp.plot.style():
        plt.rcParams["interactive"] = True
        assert plt.rcParams["font.size"] == 9.0
    assert plt.rcParams["interactive"] and plt.rcParams["font.size"] == before
    plt.rcParams["interactive"] = False
