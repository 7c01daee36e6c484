"""Onset times, events and time bins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import FormatError, InvalidInputError
from mrsproc.timeline import Event, bin_index, read_events, time_bins, transient_onsets


def recording(n=6, *, repetition_time=2.5, coords=None):
    return MRSData(
        fid=np.ones((n, 8), complex),
        dims=("transient", "time"),
        acquisition=Acquisition(
            spectrometer_frequency=123.2, dwell_time=5e-4, repetition_time=repetition_time
        ),
        coords=coords or {},
    )


def test_onsets_from_the_repetition_time_with_a_pause():
    onsets = transient_onsets(recording(), gaps=[(3, 60.0)])
    assert onsets.tolist() == [0.0, 2.5, 5.0, 67.5, 70.0, 72.5]


def test_onsets_from_coordinates_count_from_the_first():
    data = recording(3, coords={"transient": np.array([10.0, 13.0, 17.0])})
    assert transient_onsets(data).tolist() == [0.0, 3.0, 7.0]


def test_onsets_that_cannot_be():
    with pytest.raises(InvalidInputError, match="neither onset times nor a repetition time"):
        transient_onsets(recording(repetition_time=None))
    with pytest.raises(InvalidInputError, match="do not ascend"):
        transient_onsets(recording(3, coords={"transient": np.array([0.0, 2.0, 1.0])}))
    with pytest.raises(InvalidInputError, match="give the index of a transient, 1 to 5"):
        transient_onsets(recording(), gaps=[(6, 1.0)])


def test_events_file(tmp_path):
    path = tmp_path / "events.tsv"
    path.write_text("onset\tduration\ttrial_type\n300\t2400\tinfusion\n10.5\t0\t\n")
    assert read_events(path) == (Event(300.0, 2400.0, "infusion"), Event(10.5, 0.0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("onset\ttrial_type\n1\ta\n", "no column duration"),
        ("onset\tduration\nn/a\t3\n", "line 2: onset = 'n/a'"),
        ("onset\tduration\n1\t-3\n", "line 2"),
    ],
)
def test_events_files_that_are_wrong(tmp_path, text, words):
    path = tmp_path / "events.tsv"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        read_events(path)


@given(
    n=st.integers(2, 400),
    step=st.floats(0.5, 20.0),
    width=st.floats(1.0, 500.0),
    anchor=st.floats(0.0, 900.0),
)
def test_every_transient_is_in_one_bin(n, step, width, anchor):
    onsets = step * np.arange(n)
    edges = time_bins(onsets, width, min(anchor, onsets[-1]))
    assert (np.diff(edges) > 0.0).all()
    assert edges[0] == 0.0
    assert edges[-1] == pytest.approx(onsets[-1] + step)
    index = bin_index(onsets, edges)
    assert (onsets >= np.array(edges)[index] - 1e-6).all()
    assert (onsets < np.array(edges)[index + 1]).all()


def test_bins_are_anchored_at_the_infusion():
    assert 300.0 in time_bins(2.5 * np.arange(320), 60.0, 300.0)
    with pytest.raises(InvalidInputError, match="positive number of seconds"):
        time_bins(np.arange(4.0), 0.0)
