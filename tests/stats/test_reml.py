"""Restricted maximum likelihood against closed forms, statsmodels, and the likelihood itself."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as distributions

from mrsproc.stats import mixed_model, reml

FORMULA = "estimate ~ condition * time + sex + period"


def balanced(seed, session_sd=0.7, people=10, times=4):
    """Return a balanced crossover: blocks and observations."""
    rng = np.random.default_rng(seed)
    n = 2 * times
    active = np.repeat((np.arange(people)[:, None] + [0, 1]) % 2, times, axis=1).astype(float)
    period = np.broadcast_to(np.repeat([0.0, 1.0], times), (people, n))
    session = np.kron(np.eye(2), np.ones((times, times)))
    parts = [np.eye(n), np.ones((n, n)), session]
    blocks = reml.Blocks(
        fixed=np.stack([np.ones((people, n)), active, period], axis=-1),
        components=np.array([np.broadcast_to(part, (people, n, n)) for part in parts]),
        known=np.zeros((people, n, n)),
        used=np.ones((people, n), dtype=bool),
    )
    y = rng.standard_normal((people, n)) + rng.standard_normal((people, 1))
    y += session_sd * np.repeat(rng.standard_normal((people, 2)), times, axis=1)
    return blocks, y


@pytest.mark.parametrize("session_sd", [0.0, 0.7])
@pytest.mark.parametrize("seed", range(3))
def test_balanced_trials_give_the_exact_t_test(seed, session_sd):
    """Also where the session variance is below zero: then most of all."""
    blocks, y = balanced(seed, session_sd)
    means = y.reshape(len(y), 2, -1).mean(axis=2)
    between = means[:, 1] - means[:, 0]
    second = np.arange(len(y)) % 2 == 0  # the active condition came second
    wanted = distributions.ttest_ind(between[second], between[~second])
    found = reml.fit(blocks, y)
    test = reml.kenward_roger(found, np.eye(3)[[1]])
    assert test.statistic == pytest.approx(wanted.statistic**2, rel=1e-6)
    assert test.df2 == pytest.approx(8.0, rel=1e-6)
    assert test.p == pytest.approx(wanted.pvalue, rel=1e-6)
    assert reml.satterthwaite(found, np.eye(3)[1]) == pytest.approx(8.0, rel=1e-5)


def test_a_maximum_and_its_derivatives():
    blocks, y = balanced(1)
    found = reml.fit(blocks, y)
    for k in range(3):
        step = np.eye(3)[k] * 1e-3
        for sign in (-1.0, 1.0):
            moved = reml._at(blocks, y, found.theta + sign * step)
            assert moved.log_likelihood < found.log_likelihood
        there, back = (reml._at(blocks, y, found.theta + s * step).covariance for s in (1, -1))
        assert found.slopes[k] == pytest.approx((there - back) / 2e-3, rel=1e-3, abs=1e-8)


def test_padding_changes_nothing():
    blocks, y = balanced(2)
    found = reml.fit(blocks, y)
    wider = np.pad(y, ((0, 0), (0, 3)))
    components = np.pad(blocks.components, ((0, 0), (0, 0), (0, 3), (0, 3)))
    used = np.pad(blocks.used, ((0, 0), (0, 3)))
    padded = replace(
        blocks,
        fixed=np.pad(blocks.fixed, ((0, 0), (0, 3), (0, 0))),
        components=components,
        known=np.einsum("mi,ij->mij", (~used).astype(float), np.eye(wider.shape[1])),
        used=used,
    )
    other = reml.fit(padded, wider)
    assert other.theta == pytest.approx(found.theta)
    assert other.adjusted == pytest.approx(found.adjusted)


def test_statsmodels_agrees(gappy):
    import statsmodels.formula.api as smf

    model = mixed_model(gappy, FORMULA, levels=("placebo", "drug"))
    frame = gappy.assign(time=(gappy["time_s"] + 200) / 60)
    frame["time"] -= frame["time"].mean()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = smf.mixedlm(
            FORMULA.replace("condition", "C(condition, Treatment('placebo'))"),
            frame,
            groups="subject",
            re_formula="1",
            vc_formula={"session": "0 + C(session)"},
        ).fit(reml=True)
    assert model.estimate.beta == pytest.approx(wanted.fe_params.to_numpy(), rel=1e-3)
    # statsmodels takes its SDs from the observed information, which differs a little.
    assert np.sqrt(np.diag(model.estimate.covariance)) == pytest.approx(
        wanted.bse_fe.to_numpy(), rel=5e-3
    )
    variances = dict(zip(model.components, model.estimate.theta, strict=True))
    assert variances["residual"] == pytest.approx(wanted.scale, rel=2e-3)
    assert variances["subject"] == pytest.approx(float(wanted.cov_re.iloc[0, 0]), rel=5e-3)
    assert variances["subject x session"] == pytest.approx(float(wanted.vcomp[0]), rel=5e-3)


def test_a_variance_can_be_held_at_zero():
    blocks, y = next(
        (blocks, y)
        for blocks, y in (balanced(seed, 0.0) for seed in range(20))
        if reml.fit(blocks, y).theta[2] < 0.0
    )
    held = reml.fit(blocks, y, bounded=np.array([False, False, True]))
    assert held.theta[2] == 0.0
    without = reml.fit(blocks.with_components(np.array([True, True, False])), y)
    assert held.theta[:2] == pytest.approx(without.theta, rel=1e-5)
    assert held.log_likelihood < reml.fit(blocks, y).log_likelihood


def test_components_that_are_the_same_are_refused():
    blocks, y = balanced(0)
    twice = blocks.with_components(np.array([True, True, True]))
    twice = replace(twice, components=twice.components[[0, 1, 1]])
    with pytest.raises(reml.NotConvergedError, match="cannot be told apart"):
        reml.fit(twice, y)


def test_no_scatter_is_refused():
    blocks, y = balanced(0)
    with pytest.raises(reml.NotConvergedError, match="no scatter"):
        reml.fit(blocks, np.zeros_like(y))
