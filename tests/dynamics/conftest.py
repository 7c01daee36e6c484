"""A simulated session, and fits of it, made once."""

import numpy as np
import pytest

import mrsproc as mp

ONSET, DURATION = 200.0, 400.0
EFFECTS = {"Glu": 0.2, "Gln": 0.1}


def make_session(seed=0, *, effects=None, **changes):
    chosen = {
        "n_transients": 48, "repetition_time": 16.0, "snr": 60.0, "infusion_onset": ONSET,
        "infusion_duration": DURATION, "line_narrowing_hz": 0.3, "frequency_drift_hz": 5.0,
    }  # fmt: skip
    options = mp.SessionOptions(**(chosen | changes))
    return mp.simulate(None, options, effects=EFFECTS if effects is None else effects, rng=seed)


@pytest.fixture(scope="session")
def simulated():
    """Return a function that simulates sessions: seed, effects, options by name."""
    return make_session


@pytest.fixture(scope="session")
def shape():
    """The response that the simulation has."""
    infusion = mp.Infusion(onset=ONSET, duration=DURATION)
    return infusion.rise_and_decay(rise=240.0, decay=900.0)


@pytest.fixture(scope="session")
def session():
    return make_session()


@pytest.fixture(scope="session")
def fitted(session, shape):
    """Glu and Gln follow the known response."""
    return mp.fit_dynamic(session.data, session.basis, {"Glu": shape, "Gln": shape})


@pytest.fixture(scope="session")
def ratio_fit(session, shape):
    """TNAA has a response of its own."""
    responses = {"Glu": shape, "Gln": shape, "tNAA": shape}
    return mp.fit_dynamic(session.data, session.basis, responses)


def z_score(fit, session, metabolite, parameter="response"):
    """Return (estimate - truth) / SD of a response."""
    table = fit.to_frame().set_index(["metabolite", "parameter"])
    members = {"Glx": ("Glu", "Gln")}.get(metabolite, (metabolite,))
    truth = sum(session.timecourse(m)[0] * session.effects.get(m, 0.0) for m in members)
    row = table.loc[(metabolite, parameter)]
    return (row.estimate - truth) / row.sd


@pytest.fixture(scope="session")
def z_of():
    return z_score


@pytest.fixture
def rng():
    return np.random.default_rng(3)
