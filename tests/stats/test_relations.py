"""Associations within people against an analysis of covariance."""

import numpy as np
import pandas as pd
import pytest

from mrsproc import stats
from mrsproc.errors import InvalidInputError


def tables(seed=0, slope=2.0, people=15, noise=1.0):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(people):
        level, score = 5 * rng.standard_normal(), 20 * rng.standard_normal()
        for j in range(2):
            x = level + rng.standard_normal()
            y = score + slope * x - 5 * level + noise * rng.standard_normal()
            rows.append((f"{i:02d}", str(j), "AB"[(i + j) % 2], x, 0.3, y))
    frame = pd.DataFrame(
        rows, columns=["subject", "session", "condition", "estimate", "sd", "score"]
    ).assign(metabolite="Glx", endpoint="auc")
    scores = frame[["subject", "session", "score"]].assign(subject="sub-" + frame["subject"])
    return frame.drop(columns="score"), scores, frame


@pytest.mark.parametrize("adjust", [(), ("condition",)])
def test_within_people_is_the_analysis_of_covariance(adjust):
    import statsmodels.formula.api as smf

    endpoints, scores, frame = tables()
    found = stats.association(endpoints, scores, "score", adjust=adjust).within
    formula = " + ".join(["score ~ C(subject) + estimate", *adjust])
    wanted = smf.ols(formula, frame).fit()
    assert found.slope == pytest.approx(wanted.params["estimate"])
    assert found.se == pytest.approx(wanted.bse["estimate"])
    assert found.p == pytest.approx(wanted.pvalues["estimate"])
    assert found.df == wanted.df_resid
    f = wanted.tvalues["estimate"] ** 2
    assert found.r == pytest.approx(np.sqrt(f / (f + wanted.df_resid)))
    assert found.ci_low < found.r < found.ci_high


def test_within_and_between_can_differ_in_sign():
    endpoints, scores, _ = tables()
    found = stats.association(endpoints, scores, "score")
    assert found.within.slope == pytest.approx(2.0, abs=4 * found.within.se)
    assert found.between.slope < 0.0
    assert found.to_frame()["term"].tolist() == ["within people", "between people"]


def test_reliability_is_the_attenuation():
    endpoints, scores, _ = tables(people=400, noise=0.1)
    rng = np.random.default_rng(5)
    noisy = endpoints.assign(
        estimate=endpoints["estimate"] + 0.8 * rng.standard_normal(len(endpoints)), sd=0.8
    )
    clean = stats.association(endpoints, scores, "score").within.slope
    found = stats.association(noisy, scores, "score")
    assert found.within.slope / clean == pytest.approx(found.reliability, abs=0.08)
    assert found.reliability == pytest.approx(1 / 1.64, abs=0.08)


def test_single_sessions_are_named_and_bad_input_refused():
    endpoints, scores, _ = tables()
    found = stats.association(endpoints.drop(index=0), scores, "score")
    assert found.excluded == ("00",)
    with pytest.raises(InvalidInputError, match="0 people have two sessions"):
        stats.association(endpoints, scores.assign(subject="x" + scores["subject"]), "score")
    with pytest.raises(InvalidInputError, match="no column 'madrs'"):
        stats.association(endpoints, scores, "madrs")
    with pytest.raises(InvalidInputError, match="does not vary"):
        stats.association(endpoints, scores.assign(score=3.0), "score")
