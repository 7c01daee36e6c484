"""Simulated sessions for the tests of preprocessing."""

from typing import NamedTuple

import pytest

import mrsproc as mp
from mrsproc.simulation.example import example_basis


class Infusion(NamedTuple):
    onset: float
    duration: float


@pytest.fixture(scope="session")
def basis():
    return example_basis()


@pytest.fixture(scope="session")
def infusion():
    return Infusion(100.0, 100.0)


@pytest.fixture(scope="session")
def session(basis):
    """Four coils, 96 transients, drift, water, eddy currents, four ruined."""
    options = mp.SessionOptions(
        n_transients=96, n_coils=4, n_ruined=4, eddy_deg=25.0, frequency_drift_hz=6.0,
        infusion_onset=100.0, infusion_duration=100.0,
    )  # fmt: skip
    return mp.simulate(basis, options, effects={"Glu": 0.1}, rng=11)
