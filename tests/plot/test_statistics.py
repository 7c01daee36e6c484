"""Pictures of crossover trials and power."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import mrsproc as mp
from mrsproc.errors import InvalidInputError


@pytest.fixture(scope="module")
def result():
    return mp.stats.crossover(mp.stats.simulate_trial(rng=1).endpoints)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_crossover(result):
    ax = mp.plot.crossover(result)
    points = ax.collections[-1].get_offsets()
    assert sorted(points[:, 0]) == pytest.approx(sorted(result.pairs.difference))
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[-1] == "all"
    assert sorted(labels[:-1]) == sorted(result.pairs.subjects)
    assert ax.get_xlabel() == "Glx auc: naltrexone - placebo (% min)"
    diamond = ax.patches[0].get_xy()[:, 0]
    assert (diamond.min(), diamond.max()) == pytest.approx((result.ci_low, result.ci_high))


def test_forest(result):
    table = result.to_frame()
    figure, given = plt.subplots()
    ax = mp.plot.forest(table, ax=given)
    assert ax is given
    assert list(ax.get_lines()[-1].get_xdata()) == pytest.approx(table["estimate"].tolist())
    assert [text.get_text() for text in ax.get_yticklabels()] == table["term"].tolist()
    assert ax.get_xlabel() == "estimate, 95 % CI (% min)"
    two = pd.concat([table, table.assign(unit="1")])
    with pytest.raises(InvalidInputError, match="several units"):
        mp.plot.forest(two)
    with pytest.raises(InvalidInputError, match="no column 'metabolite'"):
        mp.plot.forest(table, label="metabolite")


def test_power():
    plan = mp.stats.power(effect_percent=5.0, endpoint_sd=4.0, simulations=500)
    ax = mp.plot.power(plan)
    assert list(ax.get_lines()[0].get_xdata()) == plan.numbers.tolist()
    assert f"{plan.participants} participants" in ax.texts[0].get_text()
    assert "5 % of rest" in ax.get_ylabel()
