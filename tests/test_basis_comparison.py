"""Comparison of basis sets: one shift and phase for all, nothing more."""

import dataclasses

import numpy as np
import pytest

from mrsproc.basis import compare
from mrsproc.errors import BasisError


def test_a_set_is_like_itself_moved_turned_and_resampled(synthetic):
    basis = synthetic.basis
    moved = basis.fid * np.exp(2j * np.pi * 1.7 * basis.time + 0.8j)
    other = dataclasses.replace(basis, fid=moved[:, ::2], dwell_time=2 * basis.dwell_time)
    found = compare(basis, other)
    assert found.names == basis.names
    assert found.correlation == pytest.approx(np.ones(len(basis)), abs=1e-3)
    assert found.shift_ppm == pytest.approx(1.7 / 123.2, abs=2e-4)
    assert found.phase_deg == pytest.approx(np.rad2deg(-0.8), abs=0.5)


def test_each_signal_is_judged_with_the_common_shift(synthetic):
    """A signal that alone is moved by a linewidth does not drag the others along."""
    basis = synthetic.basis
    fid = np.array(basis.fid)
    fid[basis.index("Tau")] *= np.exp(2j * np.pi * 8.0 * basis.time)
    found = compare(basis, dataclasses.replace(basis, fid=fid))
    value = dict(zip(found.names, found.correlation, strict=True))
    assert value["Tau"] < 0.8
    assert min(value[name] for name in ("NAA", "Cr", "Glu", "Ins")) > 0.98


def test_what_only_one_has(synthetic):
    basis = synthetic.basis
    found = compare(basis.without(["Tau"]), basis.without(["NAA"]))
    assert found.only_first == ("NAA",)
    assert found.only_second == ("Tau",)


def test_bad_input(synthetic):
    basis = synthetic.basis
    with pytest.raises(BasisError, match="no signal in common"):
        compare(basis.select(["NAA"]), basis.select(["Cr"]))
    with pytest.raises(BasisError, match="one field strength"):
        compare(basis, dataclasses.replace(basis, spectrometer_frequency=297.2))
