"""What is asked of metabolites becomes coefficients and time courses."""

import numpy as np
import pytest

from mrsproc.dynamics.build import rest_rows
from mrsproc.dynamics.design import check_columns, design_for, responses_for
from mrsproc.errors import InvalidInputError
from mrsproc.responses import Boxcar, Constant, FreeBins, RiseDecay, Smooth

NAMES = ("Glu", "Gln", "NAA", "NAAG", "Ins", "MM09")
BINS = FreeBins((0.0, 50.0, 100.0))
STEP = Boxcar(50.0, 100.0)
TIME = np.arange(0.0, 100.0, 5.0)
NONE = np.zeros(0)


def design(asked, amplitude=(9.0, 3.0, 10.0, 2.0, 6.0, 4.0)):
    return design_for(NAMES, responses_for(NAMES, asked, BINS), np.array(amplitude))


def test_names_go_before_sums_and_sums_before_the_star():
    found = responses_for(NAMES, {"*": "free", "Glx": STEP, "Gln": "constant", "mI": STEP}, BINS)
    assert found == (STEP, Constant(), BINS, BINS, STEP, Constant())


def test_macromolecules_move_only_when_named():
    assert responses_for(NAMES, {"*": STEP}, BINS)[-1] == Constant()
    assert responses_for(NAMES, {"MM09": STEP}, BINS)[-1] == STEP


def test_coefficients_of_a_known_shape():
    found = design({"Glu": STEP, "Gln": STEP})
    assert found.label == ("rest",) * 6 + ("response",) * 2
    assert found.signal.tolist() == [0, 1, 2, 3, 4, 5, 0, 1]
    assert found.column.tolist() == [0] * 6 + [1, 1]
    assert found.courses(TIME, NONE)[:, 1].tolist() == STEP.columns(TIME, NONE)[:, 0].tolist()
    assert found.onset == 50.0


def test_naa_and_naag_share_a_coefficient():
    found = design({"tNAA": STEP})
    assert found.mixtures.tolist() == [[0.0, 0.0, 10.0 / 12.0, 2.0 / 12.0, 0.0, 0.0]]
    assert found.signal.tolist() == [0, 1, 2, 3, 4, 5, 6]
    weights = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    assert found.of_signal(weights) == pytest.approx([0, 0, 1, 1, 0, 0, 1])


def test_rest_of_free_bins_is_their_mean_before_the_drug():
    found = design({"Glu": "free", "NAA": "free", "NAAG": "free"})
    rows = rest_rows(found, TIME, NONE, 50.0)
    glu = [k for k, (s, c) in enumerate(zip(found.signal, found.column, strict=True)) if s == 0]
    assert rows[0][glu].tolist() == [1.0, 0.0]
    assert np.isnan(rest_rows(found, TIME, NONE, -1.0)[0]).all()
    whole = rest_rows(found, TIME, NONE, None)
    assert whole[0][glu].tolist() == [0.5, 0.5]


def test_unknowns_are_shared_by_equal_responses():
    found = design({"Glu": RiseDecay(50.0), "Gln": RiseDecay(50.0), "Ins": RiseDecay(60.0)})
    assert [one.name for _, one in found.unknowns] == ["rise", "rise"]
    values = np.array([20.0, 40.0])
    slopes = found.slopes(TIME, values)
    step = np.array([1e-4, 0.0])
    difference = found.courses(TIME, values + step) - found.courses(TIME, values - step)
    assert slopes[0] == pytest.approx(difference / 2e-4, abs=1e-7)
    assert not slopes[0][:, 2].any()


def test_penalties_are_those_of_smooth_courses():
    smooth = Smooth(duration=100.0, spacing=25.0)
    found = design({"Glu": smooth, "Ins": STEP})
    ((terms, rough),) = found.penalties
    assert rough.tolist() == smooth.roughness().tolist()
    assert set(found.signal[terms]) == {0}


def test_columns_that_cannot_be_told_apart():
    with pytest.raises(InvalidInputError, match="no baseline before the drug"):
        check_columns(design({"Glu": Boxcar(0.0, 500.0)}), TIME, NONE)
    with pytest.raises(InvalidInputError, match="outside the valid transients"):
        check_columns(design({"Glu": Boxcar(200.0, 500.0)}), TIME, NONE)
    with pytest.raises(InvalidInputError, match="2 coefficients for 2 valid transients"):
        check_columns(design({"Glu": "free"}), TIME[[0, -1]], NONE)
