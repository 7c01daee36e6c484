"""Figures of a group: what they draw is what the tables say."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

import mrsproc as mp
from mrsproc.errors import InvalidInputError

INFUSION = SimpleNamespace(onset=600.0, duration=2400.0)


@pytest.fixture(scope="module")
def timecourses():
    trial = mp.stats.simulate_trial(mp.stats.TrialDesign(participants=6), rng=1)
    percent = trial.timecourses.assign(
        estimate=100.0 * (trial.timecourses["estimate"] / 1.2 - 1.0), quantity="percent_change",
        unit="%",
    )  # fmt: skip
    return pd.concat([trial.timecourses, percent], ignore_index=True)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_means_by_condition(timecourses):
    ax = mp.plot.group_timecourse(timecourses, infusion=INFUSION)
    placebo, naltrexone = ax.get_lines()[:2]
    assert [line.get_label() for line in (placebo, naltrexone)] == [
        "placebo (n = 6)", "naltrexone (n = 6)",
    ]  # fmt: skip
    rows = timecourses.query("quantity == 'percent_change' and condition == 'placebo'")
    wanted = rows.groupby("time_s")["estimate"].mean()
    assert placebo.get_ydata() == pytest.approx(wanted.to_numpy())
    assert placebo.get_xdata()[0] == pytest.approx((150.0 - 600.0) / 60.0)
    first = rows[rows["time_s"] == 0.0]["estimate"]
    half = scipy_stats.t.ppf(0.975, 5) * first.std() / np.sqrt(6)
    band = ax.collections[0].get_paths()[0].vertices
    at_start = band[np.isclose(band[:, 0], -7.5), 1]
    assert at_start.min() == pytest.approx(first.mean() - half)
    assert at_start.max() == pytest.approx(first.mean() + half)
    assert ax.get_ylabel() == "Glx/tNAA, change from baseline (%)"
    assert "infusion" in ax.get_xlabel()
    assert placebo.get_linestyle() != naltrexone.get_linestyle()  # not by colour alone


def test_conditions_do_not_depend_on_their_order(timecourses):
    ax = mp.plot.group_timecourse(timecourses.iloc[::-1], quantity="ratio")
    assert ax.get_lines()[0].get_label().startswith("placebo")
    assert ax.get_ylabel() == "Glx/tNAA" and "first transient" in ax.get_xlabel()


def test_every_person_on_the_same_axes(timecourses):
    drawn = mp.plot.participants(timecourses, infusion=INFUSION, columns=4)
    assert [ax.get_title() for ax in drawn] == [f"sub-0{i}" for i in range(1, 7)]
    assert len({ax.get_ylim() for ax in drawn}) == len({ax.get_xlim() for ax in drawn}) == 1
    rows = timecourses.query(
        "quantity == 'percent_change' and subject == '03' and condition == 'placebo'"
    )
    lines = {line.get_label(): line for line in drawn[2].get_lines()}
    assert lines["placebo"].get_ydata() == pytest.approx(rows["estimate"].to_numpy())
    assert lines["placebo"].get_xdata()[0] == pytest.approx(-7.5)
    with pytest.raises(InvalidInputError, match="1 axes for 6 people"):
        mp.plot.participants(timecourses, axs=drawn[:1])


def test_vector_output_keeps_text_as_text(timecourses, tmp_path):
    figure = mp.plot.participants(timecourses)[0].get_figure(root=True)
    with mp.plot.style():
        figure.savefig(tmp_path / "people.svg")
    assert ">sub-05</text>" in (tmp_path / "people.svg").read_text()


def test_quality_by_condition():
    rng = np.random.default_rng(0)
    rows = [
        pd.DataFrame(
            {
                "subject": str(person), "condition": label, "time_s": 30.0 * np.arange(60),
                "linewidth_hz": 6.0 + rng.normal(0, 0.1, 60), "snr": 20.0, "valid": True,
            }
        )
        for person in range(4) for label in ("drug", "placebo")
    ]  # fmt: skip
    qc = pd.concat(rows, ignore_index=True)
    late = (qc["condition"] == "drug") & (qc["time_s"] >= 600.0)
    qc.loc[late, "linewidth_hz"] -= 1.0
    qc.loc[(qc["condition"] == "drug") & (qc["time_s"] == 900.0), "valid"] = False
    infusion = SimpleNamespace(onset=600.0, duration=900.0)
    width, snr, lost = mp.plot.group_quality(qc, infusion=infusion)
    placebo, drug = width.get_lines()
    before = drug.get_xdata() < 0.0
    assert drug.get_ydata()[before].mean() == pytest.approx(6.0, abs=0.05)
    assert drug.get_ydata()[~before].mean() == pytest.approx(5.0, abs=0.05)
    assert placebo.get_ydata() == pytest.approx(np.full(placebo.get_ydata().size, 6.0), abs=0.2)
    assert lost.get_lines()[0].get_ydata().max() == 0.0 < lost.get_lines()[1].get_ydata().max()
    assert snr.get_ylabel() == "SNR"


def test_region_of_two_amplitudes(synthetic):
    fit = mp.fit(synthetic.data(noise=2.0), synthetic.basis)
    ax = mp.plot.correlation(fit)
    i, j = (fit.names.index(name) for name in ("Glu", "Gln"))
    outline = np.array(ax.get_lines()[0].get_data()) - fit.amplitude[[i, j], None]
    inverse = np.linalg.inv(fit.covariance[np.ix_([i, j], [i, j])])
    assert np.allclose(np.einsum("ik,ij,jk->k", outline, inverse, outline), 5.991, rtol=1e-3)
    with pytest.raises(InvalidInputError, match="no signal 'Glx'. Did you mean"):
        mp.plot.correlation(fit, ("Glx", "Gln"))


def test_what_is_not_there(timecourses):
    with pytest.raises(InvalidInputError, match="no metabolite 'Glu'"):
        mp.plot.group_timecourse(timecourses, "Glu")
    with pytest.raises(InvalidInputError, match="no column 'time_s'"):
        mp.plot.participants(timecourses.drop(columns="time_s"))
