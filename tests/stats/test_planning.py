"""Power against the noncentral t distribution, statsmodels and whole simulated trials."""

import numpy as np
import pytest

from mrsproc import stats
from mrsproc.errors import InvalidInputError
from mrsproc.stats.repeating import crossover_power


def test_crossover_power_is_that_of_the_noncentral_t():
    plan = stats.power(effect_percent=5.0, participants=26, endpoint_sd=2.9, between_session_sd=5.0)
    size = 5.0 / np.sqrt(2 * (2.9**2 + 5.0**2))
    assert plan.effect_size == pytest.approx(size)
    assert plan.power_low - 0.005 < crossover_power(size, 26) < plan.power_high + 0.005


def test_parallel_power_is_that_of_statsmodels():
    from statsmodels.stats.power import TTestIndPower

    plan = stats.power(
        effect_percent=5.0,
        participants=64,
        endpoint_sd=2.9,
        between_session_sd=5.0,
        between_person_sd=4.0,
        design="parallel",
    )
    wanted = TTestIndPower().power(5.0 / np.sqrt(2.9**2 + 25.0 + 16.0), 32, 0.05)
    assert plan.power_low - 0.005 < wanted < plan.power_high + 0.005


def test_participants_effect_and_power_agree():
    known = {"endpoint_sd": 2.9, "between_session_sd": 5.0}
    needed = stats.power(effect_percent=5.0, **known)
    assert needed.power >= 0.8
    fewer = stats.power(effect_percent=5.0, participants=needed.participants - 1, **known)
    assert fewer.power < 0.8
    found = stats.power(participants=needed.participants, **known)
    assert found.effect_percent == pytest.approx(5.0, rel=0.02)
    assert found.power == pytest.approx(0.8, abs=0.005)
    assert crossover_power(5.0 / np.sqrt(2 * (2.9**2 + 25.0)), needed.participants) > 0.79
    curve = needed.to_frame()
    assert curve["power"].is_monotonic_increasing
    assert needed.participants in set(curve["participants"])


def test_dropout_costs_people():
    known = {"effect_percent": 5.0, "endpoint_sd": 2.9, "between_session_sd": 5.0}
    whole = stats.power(**known).participants
    lost = stats.power(**known, dropout=0.25).participants
    assert lost == pytest.approx(whole / 0.75, abs=2.5)


def test_effects_that_vary_between_people_cost_power():
    known = {"effect_percent": 5.0, "participants": 26, "endpoint_sd": 4.0}
    for design in ("crossover", "parallel"):
        same = stats.power(**known, design=design).power
        assert stats.power(**known, design=design, effect_sd=5.0).power < same


def test_snr_and_duration_scale_the_endpoint():
    precision = stats.Precision(sd_percent=3.0, snr=20.0, duration_s=1200.0)
    plan = stats.power(
        effect_percent=5.0, participants=20, endpoint_sd=precision, snr=40.0, duration_s=2400.0
    )
    assert plan.endpoint_sd == pytest.approx(3.0 / 2 / np.sqrt(2))
    own = stats.power(
        effect_percent=5.0,
        participants=20,
        endpoint_sd=lambda snr, duration_s: 60.0 / snr,
        snr=40.0,
        duration_s=1.0,
    )
    assert own.endpoint_sd == 1.5


def test_plan_agrees_with_whole_trials():
    """Brute force: tables drawn, analysed as a study is, and counted."""
    design = stats.TrialDesign(
        participants=16, effect_size=0.7, quality_spread=0.0, sex_difference=0.0
    )
    plan = stats.power(
        effect_percent=design.effect_percent,
        participants=16,
        endpoint_sd=design.endpoint_sd,
        between_session_sd=design.session_sd,
    )
    rng = np.random.default_rng(0)
    found = [
        stats.crossover(stats.simulate_trial(design, rng=rng).endpoints, resamples=99).p < 0.05
        for _ in range(150)
    ]
    assert plan.power == pytest.approx(np.mean(found), abs=4 * np.sqrt(0.25 / 150))
    assert 0.6 < plan.power < 0.9


def test_published_effect():
    """F(1, 253) = 4.83 with 26 people."""
    found = stats.replication(4.83, published=26)
    assert found.effect_size.value == pytest.approx(
        np.sqrt(4.83 / 26) * (1 - 3 / (4 * 24 - 1)), rel=1e-3
    )
    assert found.effect_size.low < found.effect_size.value < found.effect_size.high
    assert found.power == pytest.approx(crossover_power(found.effect_size.value, 26))
    assert found.power_low < 0.1
    assert found.power_high > 0.9
    assert crossover_power(found.effect_size.value, found.participants_80) >= 0.8
    assert crossover_power(found.effect_size.value, found.participants_80 - 1) < 0.8
    assert "48 people for a power of 0.8" in repr(found)


KNOWN = {"endpoint_sd": 3.0, "effect_percent": 5.0}
BAD = [
    ({"endpoint_sd": 3.0}, "give effect_percent, participants or both"),
    (KNOWN | {"endpoint_sd": 0.0}, "positive SD"),
    (KNOWN | {"design": "cross-over"}, "Did you mean 'crossover'"),
    (KNOWN | {"dropout": 1.0}, "from 0 to below 1"),
    (KNOWN | {"alpha": 0.9}, "alpha below target"),
    (KNOWN | {"between_session_sd": -1.0}, "0 or more"),
    (KNOWN | {"snr": 20.0}, "need an endpoint_sd that knows them"),
    (KNOWN | {"effect_percent": 0.0}, "a number but zero"),
    (KNOWN | {"effect_percent": 0.01}, "more than 2000 participants"),
    (KNOWN | {"participants": 3}, "at least 4"),
    (KNOWN | {"simulations": 10}, "at least 100"),
    ({"endpoint_sd": 3.0, "participants": 4, "dropout": 0.9}, "with any effect"),
    (
        KNOWN | {"endpoint_sd": stats.Precision(sd_percent=3, snr=20, duration_s=60)},
        "give snr and duration_s",
    ),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_bad_plans(options, words):
    with pytest.raises(InvalidInputError, match=words):
        stats.power(**options)


def test_bad_published():
    with pytest.raises(InvalidInputError, match="F is zero or more"):
        stats.replication(-1.0, published=26)
    with pytest.raises(InvalidInputError, match="at least 4"):
        stats.replication(4.0, published=3)
    with pytest.raises(InvalidInputError, match="snr = 0"):
        stats.Precision(sd_percent=1.0, snr=0.0, duration_s=1.0)
