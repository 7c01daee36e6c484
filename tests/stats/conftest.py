"""Study tables of known content."""

import numpy as np
import pandas as pd
import pytest

from mrsproc import stats


@pytest.fixture(scope="session")
def trial():
    """Return a simulated trial of 26 people."""
    return stats.simulate_trial(rng=3)


@pytest.fixture
def endpoints():
    """Return a function that makes a table of endpoints, written down without mrsproc."""

    def make(n=12, effect=1.0, period=0.5, seed=0, spread=0.0, people=3.0):
        rng = np.random.default_rng(seed)
        rows = []
        for i in range(n):
            level = people * rng.standard_normal()
            for j in range(2):
                active = (i + j) % 2
                sd = float(np.exp(spread * rng.standard_normal()))
                value = level + effect * active + period * j + sd * rng.standard_normal()
                label = ("placebo", "drug")[active]
                rows.append((f"{i:02d}", f"{j + 1}", label, j + 1, value, sd, "FM"[i % 3 > 0]))
        names = ["subject", "session", "condition", "period", "estimate", "sd", "sex"]
        frame = pd.DataFrame(rows, columns=names)
        return frame.assign(metabolite="Glx", reference="tNAA", endpoint="auc", unit="% min")

    return make


@pytest.fixture(scope="session")
def gappy():
    """Return time courses with missing sessions and time points, clear variances of all kinds."""
    rng = np.random.default_rng(3)
    rows = []
    for i in range(20):
        person, slope = 0.8 * rng.standard_normal(), 0.03 * rng.standard_normal()
        for j in range(2):
            session = 0.7 * rng.standard_normal()
            for t in range(6):
                missing = (i == 4 and j == 1) or rng.random() < 0.06
                value = 10 + person + session + 0.3 * ((i + j) % 2) + slope * 6 * t
                value += rng.standard_normal()
                if not missing:
                    label = ("placebo", "drug")[(i + j) % 2]
                    rows.append(
                        (
                            f"{i:02d}",
                            f"{j + 1}",
                            label,
                            j + 1,
                            "MF"[i % 3 > 0],
                            300.0 + 400 * t,
                            value,
                        )
                    )
    names = ["subject", "session", "condition", "period", "sex", "time_s", "estimate"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(duration_s=400.0, metabolite="Glx", quantity="ratio", unit="1", sd=0.6)
