"""Shapes against closed forms, differential equations and differences."""

import pickle

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp
from mrsproc.errors import InvalidInputError
from mrsproc.responses import (
    KETAMINE,
    Boxcar,
    Custom,
    Design,
    FreeBins,
    Gamma,
    Infusion,
    Kinetics,
    Polynomial,
    RiseDecay,
    Samples,
    Sigmoid,
    Smooth,
)
from mrsproc.responses.base import slopes

TIME = np.linspace(0.0, 3600.0, 721)
NONE = np.zeros(0)
INFUSION = Infusion(onset=300.0, duration=2400.0, drug="ketamine", dose_mg_per_kg=0.5)
SHAPES = [
    RiseDecay(300.0, 1200.0),
    RiseDecay(300.0),
    Sigmoid(),
    Gamma(300.0),
    INFUSION.response(ke0="fit"),
    INFUSION.response(ec50="fit"),
    INFUSION.response(ke0="fit", ec50="fit", hill=2.0),
]


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_slopes_match_differences(shape):
    values = np.array([one.start[1] for one in shape.unknowns()])
    exact = slopes(shape, TIME, values)
    for index, value in enumerate(values):
        step = np.where(np.arange(values.size) == index, 1e-5 * value, 0.0)
        up, down = shape.columns(TIME, values + step), shape.columns(TIME, values - step)
        difference = (up - down) / (2e-5 * value)
        scale = np.abs(difference).max()
        # The peak of a curve is found on a grid: its position has no slope.
        assert exact[index] == pytest.approx(difference, abs=2e-3 * scale)


@pytest.mark.parametrize("shape", [*SHAPES, Boxcar(300.0, 60.0), INFUSION.response()], ids=repr)
def test_nothing_before_the_onset(shape):
    values = np.array([one.start[1] for one in shape.unknowns()])
    if shape.onset is not None:
        assert not shape.columns(TIME[TIME < 300.0], values).any()


def test_rise_and_decay_is_what_its_formula_says():
    shape = RiseDecay(300.0, 400.0, rise=240.0, decay=900.0).columns(TIME, NONE)[:, 0]
    at = dict(zip(TIME.tolist(), shape.tolist(), strict=True))
    assert at[540.0] == pytest.approx(1.0 - np.exp(-1.0))
    assert at[1600.0] == pytest.approx((1.0 - np.exp(-400 / 240)) * np.exp(-1.0))


def test_gamma_peaks_where_it_says():
    shape = Gamma(300.0, peak=600.0, power=2.0).columns(TIME, NONE)[:, 0]
    assert TIME[np.argmax(shape)] == 900.0
    assert shape.max() == pytest.approx(1.0)


def test_one_compartment_is_the_textbook_formula():
    kinetics = Kinetics(volume_l_per_kg=2.0, k10=0.03)
    level = kinetics.concentration(TIME, ((300.0, 1200.0, 0.5),))
    k = 0.03 / 60.0
    rate = 0.5 / 1200.0
    since = np.clip(TIME - 300.0, 0.0, 1200.0)
    after = np.clip(TIME - 1500.0, 0.0, None)
    expected = rate / (2.0 * k) * (1.0 - np.exp(-k * since)) * np.exp(-k * after)
    assert level == pytest.approx(expected)


def test_three_compartments_solve_their_differential_equation():
    """Ketamine with an effect site against small Euler steps."""
    ke0, dt, k = 0.2, 0.05, KETAMINE
    x, effect = np.zeros(3), 0.0
    levels = []
    for step in range(int(1200 / dt)):
        if step % int(100 / dt) == 0:
            levels.append((step * dt, x[0] / k.volume_l_per_kg, effect))
        rate = 0.5 / 600.0 if 100.0 <= step * dt < 700.0 else 0.0
        flow = np.array(
            [
                -(k.k10 + k.k12 + k.k13) * x[0] + k.k21 * x[1] + k.k31 * x[2],
                k.k12 * x[0] - k.k21 * x[1],
                k.k13 * x[0] - k.k31 * x[2],
            ]
        )
        effect += dt * ke0 / 60.0 * (x[0] / k.volume_l_per_kg - effect)
        x = x + dt * (flow / 60.0 + np.array([rate, 0.0, 0.0]))
    time, plasma, site = np.array(levels).T
    doses = ((100.0, 600.0, 0.5),)
    assert k.concentration(time, doses) == pytest.approx(plasma, rel=5e-3, abs=1e-5)
    assert k.concentration(time, doses, ke0) == pytest.approx(site, rel=5e-3, abs=1e-5)


def test_ketamine_concentration_is_what_is_measured():
    """0.5 mg/kg in 40 minutes gives some 0.1 to 0.3 microgram/ml at the end of the infusion."""
    level = KETAMINE.concentration(np.array([2700.0]), ((300.0, 2400.0, 0.5),))[0]
    assert 0.1 < level < 0.3


def test_ketamine_constants_give_published_clearance_and_volume():
    """Per 70 kg against the meta-analysis of 18 studies: 79 l/h and 252 l, within a factor 1.6."""
    clearance = KETAMINE.k10 * KETAMINE.volume_l_per_kg * 70.0 * 60.0
    ratios = 1.0 + KETAMINE.k12 / KETAMINE.k21 + KETAMINE.k13 / KETAMINE.k31
    volume = KETAMINE.volume_l_per_kg * ratios * 70.0
    assert clearance == pytest.approx(115.9, abs=0.1)
    assert volume == pytest.approx(193.2, abs=0.5)
    assert 79.0 / 1.6 < clearance < 79.0 * 1.6
    assert 252.0 / 1.6 < volume < 252.0 * 1.6


def test_plasma_response_has_height_one():
    assert INFUSION.response().columns(TIME, NONE).max() == pytest.approx(1.0, abs=1e-3)
    by_weight = Infusion(
        onset=300.0, duration=2400.0, drug="Ketamine", dose_mg=35.0, weight_kg=70.0
    )
    assert by_weight.response() == INFUSION.response()


def test_emax_is_half_at_ec50():
    level = INFUSION.response().concentration(TIME)
    shape = INFUSION.response(ec50=float(level[200]), hill=3.0).columns(TIME, NONE)[:, 0]
    assert shape[200] == pytest.approx(0.5)


def test_infusions_that_cannot_be():
    with pytest.raises(InvalidInputError, match="no kinetics are known for drug = 'ketamin'"):
        Infusion(onset=0.0, duration=10.0, drug="ketamin").response()
    with pytest.raises(InvalidInputError, match="dose_mg needs weight_kg"):
        Infusion(onset=0.0, duration=10.0, dose_mg=30.0)
    with pytest.raises(InvalidInputError, match="not both"):
        Infusion(onset=0.0, duration=10.0, dose_mg=30.0, weight_kg=60.0, dose_mg_per_kg=0.5)
    with pytest.raises(InvalidInputError, match="500 mg/kg"):
        Infusion(onset=0.0, duration=10.0, dose_mg_per_kg=500.0)
    with pytest.raises(InvalidInputError, match="the dose is not known"):
        Infusion(onset=0.0, duration=10.0, drug="ketamine").response(ec50=0.1)
    with pytest.raises(InvalidInputError, match="or 'fit' to estimate it"):
        INFUSION.response(ke0="free")
    with pytest.raises(InvalidInputError, match="two positive rate constants"):
        Kinetics(volume_l_per_kg=1.0, k10=0.1, k12=0.1)


def test_design_keeps_names_and_drops_constants():
    frame = pd.DataFrame(
        {"drug": np.linspace(0.0, 1.0, 5), "drift": [0.0, 1.0, 4.0, 9.0, 16.0], "constant": 1.0},
        index=pd.Index(np.arange(5) * 10.0, name="frame_times"),
    )
    design = Design.from_frame(frame)
    assert design.labels == ("drug", "drift")
    columns = design.columns(np.array([0.0, 15.0, 40.0]), NONE)
    assert columns == pytest.approx(np.array([[0.0, 0.0], [0.375, 2.5], [1.0, 16.0]]))
    with pytest.raises(InvalidInputError, match="is constant"):
        Design.from_frame(frame[["constant"]])


def test_linear_shapes():
    assert FreeBins((0.0, 10.0, 20.0)).columns(np.array([0.0, 10.0, 19.0]), NONE).tolist() == [
        [1.0, 0.0], [0.0, 1.0], [0.0, 1.0],
    ]  # fmt: skip
    assert Polynomial(2, 100.0).columns(np.array([100.0]), NONE).tolist() == [[1.0, 1.0]]
    samples = Samples((0.0, 10.0), (0.0, 2.0))
    assert samples.columns(np.array([5.0, 30.0]), NONE)[:, 0].tolist() == [1.0, 2.0]
    assert Custom(np.sqrt).columns(np.array([4.0]), NONE).tolist() == [[2.0]]


def test_smooth_holds_straight_lines_free_of_penalty():
    smooth = Smooth(duration=3600.0, spacing=300.0)
    columns, rough = smooth.columns(TIME, NONE), smooth.roughness()
    assert rough[0] == 0.0
    assert (rough[1:] > 0.0).all()
    line = columns[:, 0]
    assert np.corrcoef(line, TIME)[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert columns.std(axis=0) == pytest.approx(np.ones(rough.size), rel=0.2)


@pytest.mark.parametrize("shape", [*SHAPES, INFUSION.response(), Smooth(900.0)], ids=repr)
def test_responses_are_values(shape):
    again = pickle.loads(pickle.dumps(shape))
    assert again == shape
    assert hash(again) == hash(shape)


def test_public_names():
    assert mp.Infusion is Infusion
