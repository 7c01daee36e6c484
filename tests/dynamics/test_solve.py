"""Derivatives of the joint fit against differences, and its algebra against the plain way."""

import dataclasses

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.dynamics.build import gain_courses, model_for, point_for, rest_rows, width_courses
from mrsproc.dynamics.design import design_for, responses_for
from mrsproc.dynamics.kronecker import Columns
from mrsproc.dynamics.model import amplitudes, evaluate
from mrsproc.dynamics.prepare import prepare
from mrsproc.dynamics.solve import linearised, minimise
from mrsproc.responses import FreeBins, RiseDecay


@pytest.fixture(scope="module")
def problem(simulated):
    """Session, model and point with linewidth, gain and unknown time constants."""
    session = simulated(1, n_transients=24, n_points=512, snr=40.0, repetition_time=32.0)
    options = mp.DynamicOptions(scale="linear")
    prepared = prepare(session.data, session.basis, options)
    names, time = prepared.mean.names, session.time_s
    asked = {"Glu": RiseDecay(start=200.0), "Gln": FreeBins((0.0, 200.0, 500.0, 800.0))}
    bins = FreeBins((0.0, 800.0))
    amplitude = np.asarray(prepared.mean.amplitude) * prepared.session.band.scale
    design = design_for(names, responses_for(names, asked, bins), amplitude)
    start = np.array([200.0])
    weight = prepared.session.weight
    model = model_for(
        design, time, rest_rows(design, time, start, 200.0),
        width_courses(design, time, start, weight, options),
        gain_courses(design, time, start, weight, options),
    )  # fmt: skip
    ours = dataclasses.replace(prepared.session, misfit=0.7)
    point = evaluate(ours, model, point_for(model, prepared.start, design, start))
    point, converged = minimise(ours, model, point)
    assert converged
    rng = np.random.default_rng(0)
    point = dataclasses.replace(
        point,
        width=point.width + 0.2 * rng.normal(size=point.width.size),
        gain=point.gain + 0.02,
        unknowns=point.unknowns + 30.0,
    )
    return ours, model, evaluate(ours, model, point)


def moved(point, index, step, sizes):
    """Return the point with one non-linear parameter changed."""
    theta, width, gain, unknowns = (
        np.array(x) for x in (point.theta, point.width, point.gain, point.unknowns)
    )
    for values in (theta[1:], width, gain, unknowns):
        if index < values.size:
            values[index] += step
            break
        index -= values.size
    return dataclasses.replace(point, theta=theta, width=width, gain=gain, unknowns=unknowns)


def test_gradient_is_exact(problem):
    """With the transients' own parameters fixed at zero slope, by central differences."""
    session, model, point = problem
    tangent = linearised(session, model, point)
    first = model.n_terms + point.smooth.size
    own = np.linalg.solve(
        session.without_water(tangent.local) @ tangent.local.T,
        (point.residual @ session.without_water(tangent.local).T).T,
    ).T
    pull = session.weighted(own)  # what the elimination of the local parameters takes away
    across = tangent.spectra @ session.without_water(tangent.local).T
    correction = tangent.columns.moments((tangent.times.T @ pull) @ across.T)
    sizes = {"phase1": 0, "gauss": 1, "shift": 5, "width": 2 + session.n_basis + 4}
    sizes["linewidth"] = 2 + 2 * session.n_basis
    sizes["gain"] = sizes["linewidth"] + model.width.shape[1]
    sizes["unknown"] = sizes["gain"] + model.gain.shape[1]
    for name, index in sizes.items():
        if name == "phase1":
            continue  # the data are turned by it: equal up to the noise that a window holds
        step = {"unknown": 0.5, "shift": 1e-3, "width": 1e-3}.get(name, 1e-4)
        up, down = (
            evaluate(session, model, moved(point, index, sign * step, sizes)).cost
            for sign in (1, -1)
        )
        ours = -2.0 * tangent.downhill[first + index]
        if name not in {"linewidth", "gain"}:  # mean amplitudes in the elimination of these
            ours -= 2.0 * correction[first + index]
            assert ours == pytest.approx((up - down) / (2 * step), rel=2e-3, abs=0.5), name
        else:
            assert ours == pytest.approx((up - down) / (2 * step), rel=0.05, abs=30.0), name


def test_columns_are_sums_of_products(rng):
    times, spectra = rng.normal(size=(7, 3)), rng.normal(size=(4, 11))
    columns = Columns(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 3]), np.array([0, 0, 1, 2]))
    plain = np.zeros((77, 3))
    for t, s, p in zip(columns.time, columns.spectrum, columns.parameter, strict=True):
        plain[:, p] += np.outer(times[:, t], spectra[s]).ravel()
    data = rng.normal(size=(7, 11))
    assert columns.gram(times.T @ times, spectra @ spectra.T) == pytest.approx(plain.T @ plain)
    moments = columns.moments(times.T @ data @ spectra.T)
    assert moments == pytest.approx(plain.T @ data.ravel())
    scores = columns.scores(times, data @ spectra.T)
    assert scores.sum(axis=0) == pytest.approx(moments)
    step = rng.normal(size=3)
    changed = times @ columns.along(step, 3, spectra @ spectra.T)
    assert changed == pytest.approx((plain @ step).reshape(7, 11) @ spectra.T)


def test_coefficients_are_the_least_squares_solution(problem):
    """Normal equations in the small space against least squares on the stacked data."""
    session, model, point = problem
    session = dataclasses.replace(
        session, misfit=0.0, curves=session.curves[:0], shrinkage=session.shrinkage[:0],
        ratio_precision=0.0 * session.ratio_precision,
    )  # fmt: skip
    free = dataclasses.replace(model, nonnegative=np.zeros(model.n_terms, bool))
    point = evaluate(session, free, dataclasses.replace(point))
    gain = 1.0 + model.gain @ point.gain
    rows = []
    for signal, column in zip(model.signal, model.column, strict=True):
        course = point.courses[:, column] * gain
        rows.append(
            sum(
                np.outer(course * power, spectra[signal])
                for power, spectra in zip(point.powers, point.spectra, strict=True)
            ).ravel()
        )
    rows += [np.outer(gain, curve).ravel() for curve in session.baseline.q]
    matrix = np.array(rows).T
    model_part = matrix[:, : model.n_terms] @ point.coefficient
    smooth = np.outer(gain, point.smooth @ session.baseline.q)
    data = (point.residual + smooth).ravel() + model_part
    root = np.sqrt(np.repeat(session.weight, point.residual.shape[1]))
    prior = np.diag(np.sqrt(np.r_[np.zeros(model.n_terms), session.baseline_precision]))
    solved = np.linalg.lstsq(
        np.vstack([matrix * root[:, None], prior]),
        np.r_[data * root, np.zeros(len(prior))],
        rcond=None,
    )[0]
    assert point.coefficient == pytest.approx(solved[: model.n_terms], rel=1e-5, abs=1e-3)


def test_amplitudes_are_those_of_the_courses(problem):
    session, model, point = problem
    ours = amplitudes(model, point)
    glu = [k for k, s in enumerate(model.signal) if s == 0]
    plain = point.courses[:, model.column[glu]] @ point.coefficient[glu]
    assert ours[:, 0] == pytest.approx(plain)
