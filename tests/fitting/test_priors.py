"""Priors of the fit: where their numbers come from, and what they keep a fit from."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.constants import MACROMOLECULES
from mrsproc.fitting import single
from mrsproc.fitting.priors import RATIO_PRIORS
from mrsproc.spins.macromolecules import PARAMETRISED

LINES = {
    "MM09": ["MM0.90"],
    "MM12": ["MM1.21"],
    "MM14": ["MM1.38"],
    "MM17": ["MM1.63"],
    "MM20": ["MM2.01", "MM2.09", "MM2.25", "MM2.96"],
}
BELL = {  # concentration relative to M0.95, and protons
    "MM09": [(1.0, 3)],
    "MM12": [(0.41, 3)],
    "MM14": [(0.98, 3)],
    "MM17": [(1.185, 2)],
    "MM20": [(2.53, 2), (2.0, 2), (1.3, 2)],
}
LCMODEL = {"MM12": 0.3, "MM14": 0.75, "MM17": 0.375, "MM20": 1.5}


@pytest.mark.parametrize("name", LCMODEL)
def test_broad_ratios_are_the_median_of_three_sources(name):
    def ratio(areas):
        own, other = (
            areas[each] / sum(line.protons for line in MACROMOLECULES[each])
            for each in (name, "MM09")
        )
        return own / other

    birch = {mm: sum(PARAMETRISED[line][0].protons for line in LINES[mm]) for mm in LINES}
    bell = {mm: sum(amount * protons for amount, protons in BELL[mm]) for mm in BELL}
    median = np.median([LCMODEL[name], ratio(birch), ratio(bell)])
    prior = next(prior for prior in RATIO_PRIORS if prior.name == name)
    assert prior.ratio == pytest.approx(median, rel=0.02)
    assert prior.sd == prior.ratio


@pytest.mark.filterwarnings("ignore::mrsproc.errors.FitWarning")
def test_noise_does_not_pass_for_narrow_lines(synthetic, monkeypatch):
    """At an SNR of 4 some widths left entirely to the data are impossible; only these change."""
    data = synthetic.data(noise=30.0, gauss=8.0, shape=(40,), dims=("transient",))

    def common_width():
        fit = mp.fit(data, synthetic.basis)
        return fit.lorentz_hz[:, : synthetic.basis.index("MM09")].mean(axis=1)

    limited = common_width()
    monkeypatch.setattr(single, "TOO_NARROW_HZ", (-np.inf, 3.0))
    free = common_width()
    low = free < -2.5
    assert low.sum() >= 3
    assert (limited[low] > free[low] + 0.1).all()
    assert np.array_equal(limited[free > -1.0], free[free > -1.0])
