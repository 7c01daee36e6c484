"""Figures show what they should, the ppm axis as the field draws it."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import Step
from mrsproc.errors import InvalidInputError


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_fit(synthetic):
    result = mp.fit(synthetic.data(noise=1.0), synthetic.basis)
    _, given = plt.subplots()
    ax = mp.plot.fit(result, ax=given)
    assert ax is given
    left, right = ax.get_xlim()
    assert left > right
    curves = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    assert np.array_equal(curves["data"], result.data)
    assert np.array_equal(curves["fit"], result.fitted)
    assert np.array_equal(curves["baseline"], result.baseline)
    assert "NAA" in {text.get_text() for text in ax.texts}
    assert len(mp.plot.fit(result, components=False).texts) == 0


def test_one_of_many(synthetic):
    data = synthetic.data(noise=1.0, shape=(2,), dims=("transient",))
    result = mp.fit(data.with_mask([True, False], Step("Mask", "")), synthetic.basis)
    mp.plot.fit(result, index=(0,))
    with pytest.raises(InvalidInputError, match="does not pick one spectrum"):
        mp.plot.fit(result)
    with pytest.raises(InvalidInputError, match="masked"):
        mp.plot.fit(result, index=(1,))


def test_spectrum(synthetic):
    ax = mp.plot.spectrum(synthetic.data(noise=1.0, shape=(3,), dims=("transient",)))
    assert len(ax.get_lines()) == 3
    assert ax.get_xlim() == (5.2, 0.2)
