"""Means over people: against means and t intervals written down here."""

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp


def table(values):
    """One row for each person and transient, from (people, transients)."""
    people, count = values.shape
    return pd.DataFrame(
        {
            "subject": np.repeat([f"sub-{i}" for i in range(people)], count),
            "time_s": np.tile(10.0 * np.arange(count), people),
            "condition": "x",
            "valid": True,
            "snr": values.ravel(),
        }
    )


def test_mean_and_interval_are_those_of_people():
    """Eight people, 60 transients each: a person counts once in a bin."""
    values = np.random.default_rng(0).normal(20.0, 1.0, (8, 60)) + np.arange(8)[:, None]
    found = mp.stats.group_course(table(values), value="snr", bin_s=300.0)
    means = values.reshape(8, 2, 30).mean(axis=2)
    half = 2.3646 * means.std(axis=0, ddof=1) / np.sqrt(8)
    assert found.people.tolist() == [8, 8]
    assert found.estimate.to_numpy() == pytest.approx(means.mean(axis=0))
    assert (found.ci_high - found.ci_low).to_numpy() == pytest.approx(2.0 * half, rel=1e-4)


def test_part_that_is_left_out_stays_a_part():
    """One person of six loses transients: the interval does not go below nothing."""
    whole = table(np.full((6, 40), 20.0))
    whole.loc[:9, "valid"] = False
    found = mp.stats.quality_course(whole, onset_s=100.0)
    lost = found[found.outcome == "rejected"]
    assert lost.estimate.max() > 10.0
    assert lost.ci_low.min() == 0.0
    assert lost.ci_high.max() <= 100.0
