"""Comparison of responses and methods, and models of lmfit."""

import lmfit
import numpy as np
import pytest

import mrsproc as mp
from mrsproc.dynamics import compare_methods, compare_responses, fit_model
from mrsproc.errors import InvalidInputError
from mrsproc.responses import Sigmoid


def test_true_response_is_preferred(session, shape):
    late = Sigmoid(middle=600.0, width=20.0)
    table = compare_responses(
        session.data, session.basis,
        {"true": {"Glu": shape, "Gln": shape}, "late": {"Glu": late, "Gln": late}},
        infusion=mp.Infusion(onset=200.0, duration=400.0),
    ).set_index("model")  # fmt: skip
    assert table.index.tolist() == ["no effect", "true", "late"]
    assert table.delta_aic.idxmin() == "true"
    assert table.p_value["true"] < 1e-6
    assert np.isnan(table.p_value["no effect"])
    assert table.n_parameters["true"] == table.n_parameters["no effect"] + 2


def test_no_effect_is_found_where_there_is_none(simulated, shape):
    still = simulated(11, effects={})
    table = compare_responses(
        still.data, still.basis, {"drug": {"Glu": shape, "Gln": shape}}
    ).set_index("model")
    assert table.p_value["drug"] > 0.01


def test_candidates_are_checked(session):
    with pytest.raises(InvalidInputError, match="give at least one"):
        compare_responses(session.data, session.basis, {})


def test_methods_side_by_side(session, shape):
    table = compare_methods(session.data, session.basis, shape)
    assert table.method.unique().tolist() == ["blocks", "joint, linewidth fixed", "joint"]
    glx = table[table.metabolite == "Glx"].set_index("method")
    assert glx.sd["joint"] < glx.sd["blocks"]
    assert abs(glx.estimate["joint"] - glx.estimate["blocks"]) < 4.0 * glx.sd["blocks"]
    with pytest.raises(InvalidInputError, match="whose shape is known"):
        compare_methods(session.data, session.basis, Sigmoid())


def test_lmfit_model_with_full_covariance(session, shape, fitted):
    """A straight multiple of the shape, fitted to free bins, agrees with the joint fit of it."""
    infusion = mp.Infusion(onset=200.0, duration=400.0)
    responses = {"Glu": "free", "Gln": "free"}
    free = mp.fit_dynamic(session.data, session.basis, responses, infusion=infusion)

    def course(time, rest, response):
        return rest + response * shape.columns(time, np.zeros(0))[:, 0]

    found = fit_model(
        free, "Glx", lmfit.Model(course), lmfit.create_params(rest=10.0, response=0.0)
    )
    row = fitted.to_frame().set_index(["metabolite", "parameter"]).loc[("Glx", "response")]
    assert found.params["response"].value == pytest.approx(row.estimate, abs=1.5 * row.sd)
    assert found.params["response"].stderr == pytest.approx(row.sd, rel=0.25)
    with pytest.raises(InvalidInputError, match="independent points"):
        fit_model(fitted, "Ins", lmfit.Model(course), lmfit.create_params(rest=10.0, response=0.0))
