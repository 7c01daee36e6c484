"""Bad transients are found and named; the drug, drift and good ones are left alone."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import Step
from mrsproc.errors import DataWarning, InvalidInputError
from mrsproc.preproc.outliers import find_outliers, running_median


def judged(basis, rng, **options):
    session = mp.simulate(basis, mp.SessionOptions(**options), effects={"Glu": 0.2}, rng=rng)
    drift = mp.align(session.data)
    clean = mp.remove_water(drift.apply(session.data))
    return session, find_outliers(clean, alignment=drift), clean


def test_ruined_transients_are_found_and_good_ones_kept(basis):
    session, found, _ = judged(basis, 1, n_transients=160, n_ruined=10, line_narrowing_hz=0.5)
    bad = ~found.valid
    assert (bad & session.ruined).sum() >= 9
    assert (bad & ~session.ruined).sum() <= 2
    named = {"residual", "broad lines", "low amplitude", "frequency off trend"}
    for reason in found.reason[bad]:
        assert set(reason.split("; ")) <= named
    lost = found.reason[session.ruin == "signal loss"]
    assert all("low amplitude" in reason for reason in lost)
    broad = found.reason[session.ruin == "lipid"]
    assert all("residual" in reason for reason in broad)


def test_the_drug_is_not_an_outlier(basis):
    """Lines that narrow by 1 Hz and Glu that rises by 20 % move slowly: nothing is rejected."""
    session, found, _ = judged(
        basis, 2, n_transients=160, snr=30.0, line_narrowing_hz=1.0, infusion_onset=100.0
    )
    assert (~found.valid).sum() <= 1
    low, high = session.extra_linewidth_hz == 0.0, session.extra_linewidth_hz < -0.7
    change = found.extra_linewidth_hz[high].mean() - found.extra_linewidth_hz[low].mean()
    wanted = session.extra_linewidth_hz[high].mean()
    assert change == pytest.approx(wanted, abs=0.1)


def test_extra_linewidth_has_the_sd_that_is_stated(basis):
    session, found, _ = judged(basis, 3, n_transients=160)
    scatter = found.extra_linewidth_hz.std()
    assert found.extra_linewidth_sd_hz.mean() == pytest.approx(scatter, rel=0.2)


def test_mask_and_reasons_survive(basis):
    session, _, clean = judged(basis, 4, n_transients=40, n_ruined=2)
    mask = np.ones(40, bool)
    mask[[0, 5]] = False
    masked = clean.with_mask(mask, Step("Rejection", "by hand"))
    found = find_outliers(masked)
    kept = found.apply(masked)
    assert not kept.mask[[0, 5]].any()
    assert found.reason[0] == "masked before"
    assert kept.sizes == clean.sizes
    assert np.array_equal(kept.fid, clean.fid)
    assert (kept.mask == found.valid).all()
    assert kept.history[-1].method == "Rejection of transients"
    frame = found.to_frame()
    assert frame["valid"].tolist() == found.valid.tolist()


def test_loss_is_told_by_epoch(basis):
    session = mp.simulate(basis, mp.SessionOptions(n_transients=40), rng=5)
    fid = np.array(session.data.fid)
    fid[20:26] *= 0.1
    data = session.data.with_fid(fid, Step("Loss", "by hand"))
    epochs = np.repeat(["baseline", "infusion"], 20)
    with pytest.warns(DataWarning, match=r"infusion 3\d %"):
        found = find_outliers(data, epochs=epochs)
    assert found.rates()["infusion"] >= 0.3
    assert found.rates()["baseline"] <= 0.05


def test_few_transients_are_not_judged(basis):
    session = mp.simulate(basis, mp.SessionOptions(n_transients=5, n_ruined=1), rng=6)
    assert find_outliers(session.data).valid.all()


def test_running_median_skips_what_is_not_valid():
    values = np.arange(100.0)
    values[50] = 1e6
    valid = np.ones(100, bool)
    valid[50] = False
    median = running_median(values, valid, 20)
    assert np.abs(median[30:70] - np.arange(30, 70)).max() <= 1.0
    lonely = np.zeros(100, bool)
    lonely[0] = True
    assert running_median(values, lonely, 20)[99] == 0.0


def test_bad_input(basis):
    session = mp.simulate(basis, mp.SessionOptions(n_transients=4, n_coils=2), rng=0)
    with pytest.raises(InvalidInputError, match="Combine coils"):
        find_outliers(session.data)
    one = session.data.select(coil=0)
    with pytest.raises(InvalidInputError, match="every transient is masked"):
        find_outliers(one.with_mask(np.zeros(4, bool), Step("Rejection", "all")))
    with pytest.raises(InvalidInputError, match="give one for each transient, 4"):
        find_outliers(one, epochs=["a", "b"])
    with pytest.raises(InvalidInputError, match="for 4 transients, the data have 2"):
        find_outliers(one).apply(one.select(transient=slice(0, 2)))


def test_silent_transients_are_masked_even_among_few(basis):
    data = mp.simulate(basis, mp.SessionOptions(n_transients=4), rng=3).data
    fid = np.array(data.fid)
    fid[1] = 0.0
    silent = data.with_fid(fid, mp.Step("Simulation", "one silent"))
    found = mp.find_outliers(silent, max_rejected=1.0)
    assert found.reason.tolist() == ["", "no signal", "", ""]
    with pytest.raises(InvalidInputError, match="every valid transient is zero"):
        mp.find_outliers(data.with_fid(0.0 * fid, mp.Step("Simulation", "silence")))


def test_sizes_and_widths_are_relative_to_the_mean(basis):
    """A template of few exponentials that is too narrow must not broaden every transient."""
    options = mp.SessionOptions(n_transients=24, snr=200.0, frequency_drift_hz=0.0)
    data = mp.simulate(basis, options, rng=4).data
    found = mp.find_outliers(mp.align(data).apply(data), max_rejected=1.0)
    assert abs(np.mean(found.extra_linewidth_hz)) < 0.05
    assert abs(np.mean(found.amplitude) - 1.0) < 0.01
