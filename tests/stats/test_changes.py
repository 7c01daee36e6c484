"""Change from baseline against Monte Carlo."""

import numpy as np
import pandas as pd
import pytest

from mrsproc import stats
from mrsproc.errors import InvalidInputError


def course(values, sds, **more):
    times = 60.0 * np.arange(len(values))
    columns = {"subject": "01", "session": "1", "metabolite": "Glx", "quantity": "ratio"}
    frame = pd.DataFrame({"time_s": times, "duration_s": 60.0, "estimate": values, "sd": sds})
    return frame.assign(**columns, reference=None, unit="1", **more)


@pytest.mark.parametrize(
    ("scale", "turn"),
    [
        ("difference", lambda y, b: y - b),
        ("percent", lambda y, b: 100 * (y / b - 1)),
        ("log ratio", lambda y, b: np.log(y / b)),
    ],
)
def test_sds_are_the_scatter(scale, turn):
    truth, sds = np.array([10.0, 10.0, 10.0, 12.0]), np.array([0.3, 0.6, 0.3, 0.4])
    found = stats.change_from_baseline(course(truth, sds), (0, 180), scale=scale)
    rng = np.random.default_rng(0)
    drawn = truth + sds * rng.standard_normal((20000, 4))
    baseline = np.average(drawn[:, :3], axis=1, weights=1 / sds[:3] ** 2)
    wanted = turn(drawn[:, 3], baseline)
    assert found["estimate"].tolist() == pytest.approx([turn(12.0, 10.0)])
    assert found["sd"].iloc[0] == pytest.approx(wanted.std(), rel=0.03)
    assert found["quantity"].tolist() == ["change"]
    assert found["unit"].iloc[0] == {"difference": "1", "percent": "%", "log ratio": "1"}[scale]


def test_sessions_have_their_own_baseline():
    one = course([10.0, 20.0], [1.0, 1.0])
    two = course([5.0, 20.0], [1.0, 1.0]).assign(session="2")
    found = stats.change_from_baseline(pd.concat([one, two]), (0, 60))
    assert found["estimate"].tolist() == pytest.approx([100.0, 300.0])


def test_no_information_is_nan():
    one = course([0.0, 20.0], [1.0, 1.0])
    late = course([5.0, 20.0], [1.0, 1.0]).iloc[1:].assign(session="2")
    table = pd.concat([one, late], ignore_index=True)
    found = stats.change_from_baseline(table, (0, 60))
    assert found["estimate"].isna().all()
    assert found["sd"].isna().all()


def test_input_is_untouched_and_bad_input_refused():
    table = course([10.0, 20.0], [1.0, 1.0])
    before = table.copy()
    stats.change_from_baseline(table, (0, 60))
    pd.testing.assert_frame_equal(table, before)
    with pytest.raises(InvalidInputError, match="Did you mean 'percent'"):
        stats.change_from_baseline(table, (0, 60), scale="per cent")
    with pytest.raises(InvalidInputError, match="the first ends at 60 s"):
        stats.change_from_baseline(table, (0, 30))
    with pytest.raises(InvalidInputError, match="no column 'sd'"):
        stats.change_from_baseline(table.drop(columns="sd"), (0, 60))
