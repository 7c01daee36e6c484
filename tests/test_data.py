"""`Acquisition`, `MRSData` and `Step`: checks, immutability, selection, averaging."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from mrsproc.data import Acquisition, MRSData, Step
from mrsproc.errors import InvalidInputError


def acquisition(**changes):
    return Acquisition(**({"spectrometer_frequency": 123.2, "dwell_time": 5e-4} | changes))


def recording(shape=(3, 16), dims=("transient", "time"), **fields):
    rng = np.random.default_rng(1)
    fid = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return MRSData(**({"fid": fid, "dims": dims, "acquisition": acquisition()} | fields))


# Acquisition


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("echo_time", 35.0, r"echo_time = 35.0 \(header key EchoTime\).* in s between 0 and 3"),
        ("echo_time", -0.03, "EchoTime"),
        ("echo_time", float("nan"), "EchoTime"),
        ("echo_time", "30 ms", "EchoTime"),
        ("repetition_time", 2000.0, "RepetitionTime"),
        ("dwell_time", 0.0, r"dwell_time = 0.0 \(header key dwell time \(pixdim\[4\]"),
        ("dwell_time", None, "dwell time"),
        ("dwell_time", 500.0, "dwell time"),
        ("spectrometer_frequency", -123.2, "SpectrometerFrequency"),
        ("spectrometer_frequency", 123.2e6, r"SpectrometerFrequency\).*in MHz"),
        ("nucleus", "H1", "ResonantNucleus.*mass number first"),
        ("ppm_reference", float("inf"), "ppm_reference"),
    ],
)
def test_nonsense_is_refused_by_header_key(field, value, key):
    with pytest.raises(InvalidInputError, match=key):
        acquisition(**{field: value})


def test_unknown_is_none():
    made = acquisition()
    unknown = (
        made.echo_time,
        made.repetition_time,
        made.sequence,
        made.manufacturer,
        made.water_suppressed,
    )
    assert unknown == (None,) * 5
    assert (made.nucleus, made.ppm_reference) == ("1H", 4.65)


def test_reference_follows_the_nucleus():
    assert acquisition(nucleus="31P", spectrometer_frequency=49.9).ppm_reference == 0.0
    assert (
        acquisition(nucleus="31P", spectrometer_frequency=49.9, ppm_reference=1.5).ppm_reference
        == 1.5
    )


def test_field_strength():
    assert acquisition().field_strength == pytest.approx(2.8935, abs=1e-3)
    assert acquisition(nucleus="129Xe").field_strength is None
    assert acquisition().spectral_width == pytest.approx(2000.0)


def test_replace_checks_again():
    assert acquisition().replace(echo_time=0.03).echo_time == 0.03
    with pytest.raises(InvalidInputError, match="EchoTime"):
        acquisition().replace(echo_time=30)


# immutability


def test_frozen_and_read_only():
    fid = np.ones((2, 4), complex)
    extra = {"Coil": "head"}
    data = MRSData(fid=fid, dims=("transient", "time"), acquisition=acquisition(extra=extra))
    with pytest.raises(dataclasses.FrozenInstanceError, match="fid"):
        data.fid = fid
    for array in (data.fid, data.mask):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(TypeError, match="does not support item assignment"):
        data.acquisition.extra["Coil"] = "body"
    assert fid.flags.writeable


@pytest.mark.parametrize("copied", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
def test_copies_stay_read_only(copied):
    data = recording(
        coords={"transient": np.arange(3.0)},
        affine=np.eye(4),
        acquisition=acquisition(extra={"a": {"b": 1}}),
        history=(Step("Averaging", "by hand"),),
    )
    again = copied(data)
    assert (again.fid == data.fid).all()
    assert again.history[0].details == "by hand"
    assert again.acquisition.extra["a"]["b"] == 1
    for array in (again.fid, again.mask, again.coords["transient"], again.affine):
        assert not array.flags.writeable
    with pytest.raises(TypeError, match="does not support item assignment"):
        again.coords["transient"] = 1


# construction


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"fid": np.zeros((0, 4))}, r"shape \(0, 4\).*holds no numbers"),
        ({"fid": np.array([["a", "b"]])}, "holds no numbers"),
        ({"fid": np.ones((2, 1))}, "fewer than 2 time points"),
        ({"dims": ("time", "transient")}, "'time' last"),
        ({"dims": ("time",)}, "one different name for each axis"),
        ({"dims": ("time", "time")}, "different name"),
        ({"coords": {"coil": np.arange(3)}}, "coords has 'coil'. .*Known: transient"),
        ({"coords": {"transient": np.arange(4)}}, r"coords\['transient'\] has shape \(4,\)"),
        ({"coords": {"transient": np.array([0, 1, np.nan])}}, "finite onset times in s"),
        ({"mask": np.ones(2, bool)}, r"mask of shape \(2,\).*shape \(3,\)"),
        ({"mask": np.ones(3)}, "give booleans"),
    ],
)
def test_bad_construction(fields, text):
    with pytest.raises(InvalidInputError, match=text):
        recording(**fields)


@pytest.mark.parametrize("bad", [np.nan, np.inf, complex(0, np.nan)])
def test_nan_must_be_masked(bad):
    fid = np.array(recording().fid)
    fid[1, 5] = bad
    with pytest.raises(InvalidInputError, match=r"1 of 3 FIDs hold NaN.*\[\[1\]\].*mask="):
        recording(fid=fid)
    assert recording(fid=fid, mask=np.array([True, False, True])).mask.sum() == 2


def test_nan_in_one_coil_is_seen():
    fid = np.ones((2, 3, 8), complex)
    fid[1, 2, 0] = np.nan
    with pytest.raises(InvalidInputError, match=r"1 of 3 FIDs hold NaN"):
        recording(fid=fid, dims=("coil", "transient", "time"))


def test_dtype():
    assert recording(fid=np.ones((3, 4), np.complex64)).fid.dtype == np.complex64
    assert recording(fid=np.ones((3, 4), int)).fid.dtype == np.complex128
    assert recording(fid=np.ones((3, 4), "<f4")).fid.dtype == np.complex128


def test_derived_axes():
    data = recording((16,), ("time",))
    assert data.ppm[8] == 4.65
    assert data.ppm[0] > data.ppm[-1]
    assert data.time[1] == 5e-4
    assert data.sizes == {"time": 16}
    assert np.allclose(data.spectrum[8], data.fid.sum() - data.fid[0] / 2)


def test_repr():
    mask = np.array([True, False, True])
    text = repr(recording(mask=mask, acquisition=acquisition(echo_time=0.03)))
    assert text == (
        "MRSData(3 transient x 16 time, 1H 123.2 MHz, spectral width 2000 Hz, TE 30 ms, "
        "TR unknown, 1 of 3 masked)"
    )


# select, mean, rename


def cube():
    return recording(
        (2, 4, 3, 8),
        ("coil", "transient", "edit", "time"),
        coords={"transient": np.arange(4) * 2.0, "edit": np.array(["on", "off", "ref"])},
        mask=np.arange(12).reshape(4, 3) % 5 > 0,
    )


def test_select_follows():
    data = cube()
    part = data.select(transient=slice(1, 3), edit=2)
    assert part.dims == ("coil", "transient", "time")
    assert (part.fid == data.fid[:, 1:3, 2]).all()
    assert (part.mask == data.mask[1:3, 2]).all()
    assert part.coords["transient"].tolist() == [2.0, 4.0]
    assert set(part.coords) == {"transient"}
    assert part.history[-1].details == "select(transient=1:3:, edit=2)"


def test_select_coil_keeps_the_mask():
    assert (cube().select(coil=0).mask == cube().mask).all()


@pytest.mark.parametrize("index", [[0, 3], np.array([True, False, False, True]), [0, -1]])
def test_select_by_list_or_mask(index):
    assert (cube().select(transient=index).fid == cube().fid[:, [0, 3]]).all()


@pytest.mark.parametrize(
    ("indexers", "text"),
    [
        ({"transients": 0}, "no dimension 'transients'. Did you mean 'transient'?"),
        ({"transient": 4}, "transient = 4 out of range: the dimension has 4"),
        ({"transient": -5}, "out of range"),
        ({"transient": [1, 9]}, "out of range"),
        ({"transient": slice(4, None)}, "selects nothing"),
        ({"transient": np.zeros(4, bool)}, "selects nothing"),
        ({"transient": np.ones(3, bool)}, r"mask for 'transient' has shape \(3,\)"),
        ({"time": slice(0, 4)}, "time points of a FID cannot be selected"),
    ],
)
def test_bad_selection(indexers, text):
    with pytest.raises(InvalidInputError, match=text):
        cube().select(**indexers)


def test_mean_takes_valid_only():
    data = cube()
    mean = data.mean("transient")
    valid = data.mask[:, 0]
    assert mean.dims == ("coil", "edit", "time")
    assert np.allclose(mean.fid[:, 0], data.fid[:, valid, 0].mean(axis=1))
    assert mean.mask.all()
    assert "transient" not in mean.coords


def test_mean_ignores_masked_nan():
    fid = np.array(recording().fid)
    fid[1] = np.nan
    mean = recording(fid=fid, mask=np.array([True, False, True])).mean("transient")
    assert np.allclose(mean.fid, (fid[0] + fid[2]) / 2)


def test_mean_of_complex64_is_summed_in_double():
    fid = np.full((4096, 2), 0.1, np.complex64)
    mean = recording(fid=fid).mean("transient")
    assert abs(mean.fid[0] - np.complex128(np.complex64(0.1))) < 1e-12


def test_mean_of_nothing():
    with pytest.raises(InvalidInputError, match="no valid FID left"):
        recording(mask=np.zeros(3, bool)).mean("transient")


@pytest.mark.parametrize(
    ("dim", "text"),
    [("coil", "coil_weights"), ("time", "no mean over 'time'"), ("x", "no dimension")],
)
def test_no_mean_over(dim, text):
    with pytest.raises(InvalidInputError, match=text):
        cube().mean(dim)


def test_rename():
    data = recording(coords={"transient": np.arange(3.0)})
    assert data.rename(transient="average").coords["average"].tolist() == [0.0, 1.0, 2.0]
    coils = recording().rename(transient="coil")
    assert coils.dims == ("coil", "time")
    assert coils.mask.shape == ()
    with pytest.raises(InvalidInputError, match="cannot become 'coil'"):
        recording(mask=np.array([True, False, True])).rename(transient="coil")
    with pytest.raises(InvalidInputError, match="no dimension 'shot'"):
        recording().rename(shot="coil")


def test_every_change_drops_the_header_and_says_so():
    data = recording(header={"bytes": b"x"})
    changed = [
        data.with_fid(data.fid * 2, Step("Scaling", "times 2")),
        data.with_mask(np.array([True, True, False]), Step("Rejection", "by eye")),
        data.select(transient=0),
        data.mean("transient"),
        data.rename(transient="average"),
    ]
    for other in changed:
        assert other.header is None
        assert len(other.history) == 1
    assert data.header is not None
    assert changed[0].history[0].program == "mrsproc"
    assert changed[0].history[0].version


def test_selected_transients_keep_their_clock():
    acquisition = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4, repetition_time=2.5)
    data = MRSData(fid=np.ones((10, 16)), dims=("transient", "time"), acquisition=acquisition)
    part = data.select(transient=slice(2, None, 3))
    assert part.coords["transient"].tolist() == [5.0, 12.5, 20.0]
    assert part.select(transient=[0, 2]).coords["transient"].tolist() == [5.0, 20.0]
    assert "transient" not in data.select(transient=0).coords
