"""Joint fits of simulated sessions with truth: near the Cramer-Rao bound, and right."""

import warnings

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp
from mrsproc.errors import DataWarning

pytestmark = pytest.mark.real


# session: Cramer-Rao bound of the Glx effect of the README [% of rest]
BOUNDS = {"01": 2.5, "02": 2.2, "03": 3.8, "05_long": 1.1}


@pytest.fixture(scope="module", params=BOUNDS)
def case(request, data_folder):
    folder = data_folder / "infusion"
    data = mp.read(folder / f"session-{request.param}_svs.nii.gz")
    truth = pd.read_csv(folder / f"session-{request.param}_truth.tsv", sep="\t")
    basis = mp.read_basis(folder / "basis_ge_press35.basis")
    shape = mp.responses.Samples(tuple(truth.time_s), tuple(truth.response), start=300.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        fit = mp.fit_dynamic(data, basis, {"Glu": shape, "Gln": shape})
    return fit, truth, BOUNDS[request.param]


def test_effect_is_right_and_its_sd_near_the_bound(case):
    fit, truth, bound = case
    table = fit.to_frame().set_index(["metabolite", "parameter"])
    top = truth.response.idxmax()
    courses = {"Glu": truth.Glu, "Gln": truth.Gln, "Glx": truth.Glu + truth.Gln}
    for name, course in courses.items():
        row = table.loc[(name, "response")]
        effect = (course[top] - course[0]) / truth.response[top]
        assert abs(row.estimate - effect) < 2.5 * row.sd, name
    sd = 100.0 * table.sd[("Glx", "response")] / courses["Glx"][0]
    assert 0.95 * bound < sd < 1.2 * bound


def test_ruined_transients_are_found(case):
    fit, truth, _ = case
    assert (fit.used == (truth.ruined == 0).to_numpy()).all()


def test_frequencies_and_phases_are_those_of_the_truth(case):
    """Signs included; SD within 1.3 of the bounds of the README for the worst session."""
    fit, truth, _ = case
    off = (fit.frequency_hz - truth.frequency_hz)[fit.used]
    turn = np.exp(1j * (fit.phase_rad - truth.phase_rad)[fit.used])
    turn = np.angle(turn / turn.mean())
    assert off.std() < 0.42
    assert np.rad2deg(turn.std()) < 4.5
