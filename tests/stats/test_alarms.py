"""Quality as an outcome: an alarm where there is cause, and only there."""

import warnings

import numpy as np
import pandas as pd
import pytest

from mrsproc import stats
from mrsproc.errors import InvalidInputError, StatisticsWarning


def quality(narrowing=0.0, seed=0, people=12):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(people):
        for j in range(2):
            active = (i + j) % 2
            level = 6.0 + 0.3 * rng.standard_normal()
            for t in range(20):
                width = level - narrowing * active * (t >= 10) + 0.2 * rng.standard_normal()
                valid = bool(rng.random() > 0.05)
                rows.append(
                    (f"{i:02d}", j, ("placebo", "drug")[active], 60.0 * t, width, 20.0, valid)
                )
    names = ["subject", "session", "condition", "time_s", "linewidth_hz", "snr", "valid"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(snr=frame["snr"] + rng.standard_normal(len(frame)))


def test_lines_that_a_drug_narrows_raise_the_alarm():
    with pytest.warns(StatisticsWarning, match="linewidth_hz by condition x time"):
        found = stats.quality_alarm(quality(narrowing=0.4), 600.0)
    table = found.set_index(["outcome", "term"])
    row = table.loc[("linewidth_hz", "condition x time")]
    assert row["estimate"] == pytest.approx(-0.4, abs=3 * row["se"])
    assert row["alarm"]
    assert not table.loc[("snr", "condition x time"), "alarm"]
    assert not table["alarm"].xs("time", level="term").any()
    assert len(table) == 9


def test_false_alarms_are_rare():
    alarms = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticsWarning)
        for seed in range(30):
            alarms += stats.quality_alarm(quality(seed=seed, people=8), 600.0)["alarm"].any()
    assert alarms <= 6  # 5 % of 30 are 1.5


def test_rejected_transients_count_as_an_outcome():
    table = quality()
    table.loc[(table["condition"] == "drug") & (table["time_s"] >= 900), "valid"] = False
    with pytest.warns(StatisticsWarning, match="rejected by condition"):
        stats.quality_alarm(table, 600.0)


def test_what_was_not_measured_is_left_out_and_bad_input_refused():
    table = quality().drop(columns="snr").assign(linewidth_hz=np.nan)
    assert set(stats.quality_alarm(table, 600.0)["outcome"]) == {"rejected"}
    with pytest.raises(InvalidInputError, match="they go from 0 to 1140 s"):
        stats.quality_alarm(quality(), 5000.0)
    with pytest.raises(InvalidInputError, match="at least 3 are needed"):
        stats.quality_alarm(quality(people=2), 600.0)
    with pytest.raises(InvalidInputError, match="no column 'valid'"):
        stats.quality_alarm(quality().drop(columns="valid"), 600.0)
