"""A small trial as a BIDS data set: two people, two sessions each."""

import shutil

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.simulation.example import example_basis


@pytest.fixture(scope="session")
def basis():
    return example_basis()


@pytest.fixture(scope="session")
def master(basis, tmp_path_factory):
    """Folder of a data set that no test changes."""
    root = tmp_path_factory.mktemp("trial") / "bids"
    options = mp.SessionOptions(
        n_transients=16,
        n_points=512,
        n_coils=2,
        repetition_time=15.0,
        infusion_onset=75.0,
        infusion_duration=120.0,
        snr=40.0,
    )
    drug = mp.Infusion(onset=75.0, duration=120.0, drug="ketamine").response()

    def response(time):
        return drug.columns(time, np.zeros(0))[:, 0]

    for person, order in (("01", ("placebo", "drug")), ("02", ("drug", "placebo"))):
        for visit, condition in enumerate(order, start=1):
            effects = {"Glu": 0.1 if condition == "placebo" else 0.3}
            session = mp.simulate(
                basis, options, effects=effects, response=response, rng=10 * int(person) + visit
            )
            session.write_bids(root, subject=person, session=f"0{visit}", condition=condition)
    return root


@pytest.fixture
def bids(master, tmp_path):
    """Copy of the data set, to be spoilt."""
    return shutil.copytree(master, tmp_path / "bids")


@pytest.fixture(scope="session")
def recipe():
    return mp.Recipe(
        responses={"Glx": "ketamine", "tNAA": "ketamine"},
        endpoints=("auc", "peak", "response"),
        bin_width=45.0,
    )


@pytest.fixture(scope="session")
def finished(master, basis, recipe, tmp_path_factory):
    """Result of the whole data set, worked on in this process."""
    output = tmp_path_factory.mktemp("results") / "out"
    return mp.Study.from_bids(master).run(recipe, output, basis=basis, jobs=1)
