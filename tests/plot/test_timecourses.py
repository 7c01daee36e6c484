"""The picture of a time course."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import mrsproc as mp
from mrsproc.errors import InvalidInputError


@pytest.fixture(scope="module")
def fit():
    options = mp.SessionOptions(n_transients=24, repetition_time=32.0, snr=60.0)
    session = mp.simulate(None, options, effects={"Glu": 0.2}, rng=0)
    infusion = mp.Infusion(onset=300.0, duration=400.0)
    return mp.fit_dynamic(
        session.data, session.basis, {"Glu": infusion.rise_and_decay(240.0, 900.0)},
        infusion=infusion,
    )  # fmt: skip


def test_timecourse(fit):
    ax = mp.plot.timecourse(fit, "Glu")
    x, y = ax.get_lines()[-1].get_data()
    table = fit.timecourse("Glu").query("quantity == 'amplitude'")
    assert np.asarray(y) == pytest.approx(table.estimate.to_numpy())
    assert x[0] == pytest.approx((table.duration_s.iloc[0] / 2 - 300.0) / 60.0)
    assert "infusion" in ax.get_xlabel()
    assert ax.get_ylabel().startswith("Glu")
    plt.close("all")


def test_change_on_axes_that_are_given(fit):
    _, ax = plt.subplots()
    assert mp.plot.timecourse(fit, "Glx", quantity="percent_change", ax=ax) is ax
    assert "%" in ax.get_ylabel()
    with pytest.raises(InvalidInputError, match="Did you mean 'percent_change'"):
        mp.plot.timecourse(fit, "Glx", quantity="percent")
    plt.close("all")
