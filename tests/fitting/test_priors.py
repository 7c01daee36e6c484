"""Priors of the fit: where their numbers come from, and what they keep a fit from."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.constants import MACROMOLECULES
from mrsproc.fitting import single, uncertainty
from mrsproc.fitting.priors import RATIO_PRIORS, ratio_rows
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
LCMODEL = {"MM09": 1.0, "MM12": 0.3, "MM14": 0.75, "MM17": 0.375, "MM20": 1.5}


def parts(amounts):
    """Return what each signal is of the sum."""
    return {name: amounts[name] / sum(amounts.values()) for name in amounts}


@pytest.mark.parametrize("name", ["MM12", "MM14", "MM17", "MM20"])
def test_broad_ratios_are_the_median_of_three_sources(name):
    protons = {mm: sum(line.protons for line in MACROMOLECULES[mm]) for mm in LINES}
    birch = {
        mm: sum(PARAMETRISED[line][0].protons for line in LINES[mm]) / protons[mm] for mm in LINES
    }
    bell = {mm: sum(amount * n for amount, n in BELL[mm]) / protons[mm] for mm in BELL}
    median = np.median([parts(source)[name] for source in (LCMODEL, birch, bell)])
    prior = next(prior for prior in RATIO_PRIORS if prior.name == name)
    assert prior.ratio == pytest.approx(median, rel=0.01)
    assert prior.sd == prior.ratio
    assert set(prior.reference) == set(LINES)


def test_a_signal_is_not_its_own_reference(synthetic):
    """MM20 alone, where a range holds no other of them, has no ratio to anything."""
    both, rows = ratio_rows(synthetic.basis, mp.FitOptions())
    assert "MM20" in {prior.name for prior in both}
    alone, fewer = ratio_rows(synthetic.basis.without(["MM09"]), mp.FitOptions())
    assert "MM20" not in {prior.name for prior in alone}
    assert fewer.shape[1] == len(alone) == rows.shape[1] - 1


@pytest.mark.filterwarnings("ignore::mrsproc.errors.FitWarning")
@pytest.mark.parametrize("noise", [8.0, 30.0])
def test_macromolecules_stay_where_lipids_pass_for_mm09(synthetic, noise):
    """Lip09 and MM09 are all but one line: with MM09 as reference, all would go with it.

    So would they, in much noise, where the first fit gives hardly any of their sum.
    """
    basis = synthetic.basis.without(["MM09", "MM20"]).with_macromolecules(list(MACROMOLECULES))
    amounts = dict(zip(synthetic.names, synthetic.truth, strict=True))
    amounts |= dict.fromkeys(MACROMOLECULES, 0.0) | dict.fromkeys(LINES, 4.0)
    truth = [amounts[name] for name in basis.names]
    spectra = synthetic._replace(basis=basis, truth=np.array(truth))
    fit = mp.fit(spectra.data(noise=noise, gauss=6.0, shape=(60,), dims=("transient",)), basis)
    assert (fit.amplitude[:, fit.names.index("MM09")] < 2.0).sum() >= 5
    for name in ("MM12", "MM14", "MM17"):
        value, sd = fit.estimate(name)
        assert ((value - 4.0) / sd > -6.0).all(), name


@pytest.mark.filterwarnings("ignore::mrsproc.errors.FitWarning")
@pytest.mark.parametrize(
    ("noise", "gauss", "limits", "sign"),
    [(30.0, 8.0, (-np.inf, 8.0), -1), (30.0, 14.0, (-2.0, np.inf), 1)],
)
def test_noise_does_not_pass_for_a_lineshape(synthetic, monkeypatch, noise, gauss, limits, sign):
    """At an SNR of 3 to 4 some widths left entirely to the data are impossible; these change."""
    data = synthetic.data(noise=noise, gauss=gauss, shape=(40,), dims=("transient",))

    def common_width():
        fit = mp.fit(data, synthetic.basis)
        return fit.lorentz_hz[:, : synthetic.basis.index("MM09")].mean(axis=1)

    limited = common_width()
    low, high = single.LORENTZ_RANGE_HZ
    assert (limited < high + single.BEYOND_HZ).all()
    monkeypatch.setattr(single, "LORENTZ_RANGE_HZ", limits)
    free = common_width()
    beyond = (free < low - 0.5) if sign < 0 else (free > high + 0.5)
    assert beyond.sum() >= 3
    assert (sign * (free[beyond] - limited[beyond]) > 0.1).all()
    usual = (free > low + 1.0) & (free < high - 1.0)
    assert np.array_equal(limited[usual], free[usual])


def test_what_is_reported_by_itself_and_background_are_lifted_less(synthetic, monkeypatch):
    """Parts of tNAA, tCr and tCho share their sum, and signals with a prior have one."""
    seen = []
    whole = uncertainty.positive_normal
    monkeypatch.setattr(
        uncertainty, "positive_normal", lambda *known: seen.append(known) or whole(*known)
    )
    mp.fit(synthetic.data(noise=1.0), synthetic.basis)
    _, _, unknown, lift = seen[0]
    by_name = dict(zip(synthetic.basis.names, zip(unknown, lift, strict=True), strict=True))
    assert {by_name[name] for name in ("Glu", "Gln", "Ins")} == {(True, uncertainty.LIFT)}
    assert {by_name[name] for name in ("NAA", "Cr", "PCr", "GPC")} == {(True, 1.0)}
    assert by_name["Tau"] == (False, 1.0)
    assert {by_name[name] for name in ("MM09", "MM20")} == {(False, uncertainty.LIFT)}
