"""Effect sizes, the noncentral t, and Holm's correction."""

import numpy as np
import pytest
from scipy import stats as distributions

from mrsproc import stats
from mrsproc.errors import InvalidInputError
from mrsproc.stats.effect_sizes import noncentral_t_cdf, noncentrality_interval, standardised


@pytest.mark.parametrize("case", [(2.0, 24.0, 2.0), (-1.0, 5.0, 1.0), (3.0, 60.0, 5.0)])
def test_noncentral_t(case):
    assert noncentral_t_cdf(*case) == pytest.approx(distributions.nct.cdf(*case), abs=1e-6)


def test_noncentral_t_far_out():
    assert noncentral_t_cdf(0.5, 24.0, -40.0) == pytest.approx(1.0)
    assert noncentral_t_cdf(0.5, 24.0, 40.0) == pytest.approx(0.0)


def test_interval_of_the_effect_size_covers():
    rng = np.random.default_rng(0)
    covered, mean, n, truth = 0, 0.0, 12, 0.6
    for _ in range(800):
        sample = truth + rng.standard_normal(n)
        effect = standardised(
            float(distributions.ttest_1samp(sample, 0.0).statistic), n - 1, 1 / np.sqrt(n)
        )
        covered += effect.low <= truth <= effect.high
        mean += effect.value / 800
    assert covered / 800 == pytest.approx(0.95, abs=0.03)
    assert mean == pytest.approx(truth, abs=4 * 0.36 / np.sqrt(800))  # Hedges: no bias


def test_interval_has_the_observed_t_at_its_points():
    low, high = noncentrality_interval(-1.3, 9.0)
    assert distributions.nct.cdf(-1.3, 9.0, low) == pytest.approx(0.975, abs=1e-4)
    assert distributions.nct.cdf(-1.3, 9.0, high) == pytest.approx(0.025, abs=1e-4)


def test_no_statistic_no_effect():
    assert np.isnan(standardised(np.nan, 10, 0.3)).all()


def test_holm_agrees_with_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(1).random(9) ** 2
    assert stats.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    with_gap = stats.holm([*p, np.nan])
    assert with_gap[:-1] == pytest.approx(stats.holm(p))
    assert np.isnan(with_gap[-1])
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        stats.holm([0.5, 1.5])
