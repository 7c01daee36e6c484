"""NIfTI-MRS: lossless where nothing changed, private where something did, clear if broken."""

import dataclasses
import gzip
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

import mrsproc as mp
from mrsproc.data import Acquisition, MRSData, Step
from mrsproc.errors import DataWarning, FormatError
from mrsproc.io import nifti_mrs

EXTENSION = {
    "SpectrometerFrequency": [123.2],
    "ResonantNucleus": ["1H"],
    "EchoTime": 0.03,
    "RepetitionTime": 2.0,
    "PatientName": "Jane Roe",
    "PatientDoB": "19800101",
    "OriginalFile": ["meas_ROE.dat"],
    "dim_5": "DIM_COIL",
    "dim_6": "DIM_DYN",
    "dim_6_header": {"Temperature": [36.0, 36.5, 37.0]},
    "VendorThing": {"Value": 3, "SubjectID": "R1"},
}


def fids(*shape, dtype=np.complex64, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


def file_bytes(
    array=None, extension=EXTENSION, *, kind=nibabel.Nifti2Image, dwell=5e-4, units="sec", code=44
):
    image = kind(fids(1, 1, 1, 16, 2, 3) if array is None else array, np.diag([20.0, 20, 20, 1]))
    image.header["pixdim"][4] = dwell
    image.header.set_xyzt_units("mm", units)
    if extension is not None:
        text = extension if isinstance(extension, bytes) else json.dumps(extension).encode()
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension(code, text))
    return image.to_bytes()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


def without(*keys):
    return {key: value for key, value in EXTENSION.items() if key not in keys}


# lossless


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize(
    "shape",
    [
        (1, 1, 1, 16),
        (1, 1, 1, 16, 2, 3),
        (2, 3, 1, 16),
        (1, 1, 1, 16, 2, 1, 2),
        (1, 1, 1, 16, 1, 3),
    ],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_unchanged_data_are_written_bit_for_bit(tmp_path, kind, shape, name):
    content = file_bytes(fids(*shape), kind=kind)
    data = mp.read(written(tmp_path / name, content))
    mp.write(data, tmp_path / ("copy_" + name))
    copy = (tmp_path / ("copy_" + name)).read_bytes()
    assert (gzip.decompress(copy) if name.endswith("gz") else copy) == content


def test_one_dimensional_files_round_trip(tmp_path):
    image = nibabel.Nifti2Image(fids(16), np.eye(4))
    image.header["pixdim"][4] = 5e-4
    image.header.extensions.append(
        nibabel.nifti1.Nifti1Extension(
            44, json.dumps({"SpectrometerFrequency": [123.2], "ResonantNucleus": ["1H"]}).encode()
        )
    )
    data = mp.read(written(tmp_path / "one.nii", image.to_bytes()))
    assert data.dims == ("time",)
    mp.write(data, tmp_path / "two.nii")
    assert (tmp_path / "two.nii").read_bytes() == image.to_bytes()


def test_dims_and_header_are_read(tmp_path):
    array = fids(1, 1, 1, 16, 2, 3)
    data = mp.read(written(tmp_path / "a.nii.gz", file_bytes(array)))
    assert data.dims == ("coil", "transient", "time")
    assert (data.fid == array[0, 0, 0].transpose(1, 2, 0)).all()
    assert data.fid.dtype == np.complex64
    assert data.acquisition.echo_time == 0.03
    assert data.acquisition.repetition_time == 2.0
    assert data.acquisition.spectrometer_frequency == 123.2
    assert data.affine[0, 0] == 20.0


def test_space_comes_before_time(tmp_path):
    array = fids(2, 3, 1, 16, 4)
    extension = {**without("dim_6", "dim_6_header"), "dim_5": "DIM_DYN"}
    data = mp.read(written(tmp_path / "a.nii", file_bytes(array, extension)))
    assert data.dims == ("transient", "x", "y", "time")
    assert (data.fid[3, 1, 2] == array[1, 2, 0, :, 3]).all()


def test_tag_without_axis(tmp_path):
    data = mp.read(written(tmp_path / "a.nii", file_bytes(fids(1, 1, 1, 16, 2))))
    assert data.sizes == {"coil": 2, "transient": 1, "time": 16}


def test_tag_twice(tmp_path):
    extension = {**EXTENSION, "dim_5": "DIM_DYN", "dim_6": "DIM_DYN"}
    data = mp.read(written(tmp_path / "a.nii", file_bytes(None, extension)))
    assert data.dims == ("transient", "transient_2", "time")


@pytest.mark.parametrize(("units", "dwell"), [("sec", 5e-4), ("msec", 0.5), ("usec", 500.0)])
def test_units_of_time(tmp_path, units, dwell):
    data = mp.read(written(tmp_path / "a.nii", file_bytes(dwell=dwell, units=units)))
    assert data.acquisition.dwell_time == pytest.approx(5e-4, rel=1e-6)


def test_written_as_nibabel_and_the_sign_stays(tmp_path, make_line):
    """What nibabel reads from the file is what `fid` holds: no conjugation anywhere."""
    fid = make_line(2.008, np.arange(64) * 5e-4)
    acquisition = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
    mp.write(MRSData(fid=fid, dims=("time",), acquisition=acquisition), tmp_path / "a.nii.gz")
    image = nibabel.load(tmp_path / "a.nii.gz")
    assert image.shape == (1, 1, 1, 64)
    assert (np.asarray(image.dataobj)[0, 0, 0] == fid).all()
    assert image.header["pixdim"][4] == pytest.approx(5e-4)


# everything of a changed recording survives


def test_new_file_keeps_what_mrsdata_holds(tmp_path):
    acquisition = Acquisition(
        spectrometer_frequency=123.2, dwell_time=4.17e-4, echo_time=0.068, repetition_time=2.0,
        ppm_reference=4.7, sequence="megapress", manufacturer="Siemens", water_suppressed=True,
        extra={"SoftwareVersions": "VE11C"},
    )  # fmt: skip
    data = MRSData(
        fid=fids(2, 3, 2, 16, dtype=complex),
        dims=("coil", "transient", "edit", "time"),
        acquisition=acquisition,
        coords={"transient": np.array([0.0, 2.5, 5.0]), "edit": np.array(["on", "off"])},
        mask=np.array([[True, True], [False, True], [True, True]]),
        affine=np.diag([20.0, 25, 30, 1]),
        history=(Step("Averaging", "by hand", "other", "1.2"),),
    )
    mp.write(data, tmp_path / "a.nii.gz")
    again = mp.read(tmp_path / "a.nii.gz")
    assert (again.fid == data.fid).all()
    assert again.dims == data.dims
    for name in (
        "spectrometer_frequency",
        "echo_time",
        "repetition_time",
        "ppm_reference",
        "sequence",
        "manufacturer",
        "water_suppressed",
        "nucleus",
    ):
        assert getattr(again.acquisition, name) == getattr(acquisition, name)
    assert again.acquisition.dwell_time == pytest.approx(4.17e-4, rel=1e-12)
    assert again.acquisition.extra["SoftwareVersions"] == "VE11C"
    assert (again.mask == data.mask).all()
    assert again.coords["transient"].tolist() == [0.0, 2.5, 5.0]
    assert again.coords["edit"].tolist() == ["on", "off"]
    assert np.allclose(again.affine, data.affine)
    step = again.history[0]
    assert (step.program, step.version, step.method, step.details) == (
        "other",
        "1.2",
        "Averaging",
        "by hand",
    )


def test_other_dims_survive(tmp_path):
    acquisition = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
    data = MRSData(
        fid=fids(3, 4, 2, 16), dims=("dim_indirect_0", "y", "x", "time"), acquisition=acquisition
    )
    mp.write(data, tmp_path / "a.nii")
    again = mp.read(tmp_path / "a.nii")
    assert again.sizes == {"dim_indirect_0": 3, "x": 2, "y": 4, "time": 16}
    assert (again.fid[1, 0, 2] == data.fid[1, 2, 0]).all()


def test_mask_follows_its_voxels(tmp_path):
    acquisition = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
    mask = np.array([[True, True], [False, True]])
    data = MRSData(fid=fids(2, 2, 16), dims=("y", "x", "time"), acquisition=acquisition, mask=mask)
    mp.write(data, tmp_path / "a.nii")
    again = mp.read(tmp_path / "a.nii")
    assert again.dims == ("x", "y", "time")
    assert (again.fid == data.fid.transpose(1, 0, 2)).all()
    assert (again.mask == mask.T).all()


def test_too_many_dims(tmp_path):
    acquisition = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
    data = MRSData(
        fid=fids(1, 1, 1, 1, 16), dims=("a", "b", "c", "d", "time"), acquisition=acquisition
    )
    with pytest.raises(FormatError, match="three dimensions besides"):
        mp.write(data, tmp_path / "a.nii")
    assert list(tmp_path.iterdir()) == []


def test_coordinates_of_coils_are_not_onset_times(tmp_path):
    acquisition = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
    data = MRSData(
        fid=fids(2, 16),
        dims=("coil", "time"),
        acquisition=acquisition,
        coords={"coil": np.array([7, 9])},
    )
    assert b"TransientOnset" not in nifti_mrs.encode(data)


# privacy


def test_derived_data_drop_private_fields(tmp_path):
    data = mp.read(written(tmp_path / "a.nii", file_bytes()))
    assert b"Jane Roe" in nifti_mrs.encode(data)
    mp.write(data.with_fid(data.fid * 2, Step("Scaling", "2")), tmp_path / "b.nii")
    content = (tmp_path / "b.nii").read_bytes()
    for secret in (b"Jane", b"19800101", b"meas_ROE", b"R1", b"PatientName", b"OriginalFile"):
        assert secret not in content
    assert b"VendorThing" in content


def test_anonymise_also_when_unchanged(tmp_path):
    data = mp.read(written(tmp_path / "a.nii", file_bytes()))
    mp.write(data, tmp_path / "b.nii", anonymise=True)
    content = (tmp_path / "b.nii").read_bytes()
    assert b"Jane" not in content
    assert (mp.read(tmp_path / "b.nii").fid == data.fid).all()


@pytest.mark.parametrize("anonymise", [False, True])
def test_private_fields_given_in_memory_are_not_written(tmp_path, anonymise):
    acquisition = Acquisition(
        spectrometer_frequency=123.2, dwell_time=5e-4,
        extra={"PatientName": "Jane Roe", "Vendor": {"PatientID": "4711"}, "Coil": "head"},
    )  # fmt: skip
    data = MRSData(fid=fids(16), dims=("time",), acquisition=acquisition)
    mp.write(data, tmp_path / "a.nii", anonymise=anonymise)
    content = (tmp_path / "a.nii").read_bytes()
    assert b"Jane" not in content
    assert b"4711" not in content
    assert b"Coil" in content


def test_private_fields_are_those_of_the_standard():
    from nifti_mrs.definitions import standard_defined

    for key, definition in standard_defined.items():
        if definition.anon:
            assert nifti_mrs.is_private(key), key
    for key in (
        "EchoTime",
        "SequenceName",
        "PatientPosition",
        "PatientSex",
        "ProtocolName",
        "TxOffset",
        "EditCondition",
    ):
        assert not nifti_mrs.is_private(key), key


# damaged


@pytest.mark.parametrize(
    ("extension", "text"),
    [
        (None, "without the NIfTI-MRS header extension"),
        (b"{not json", "not valid JSON"),
        (b"[1, 2]", "not a JSON object"),
        (
            without("SpectrometerFrequency"),
            "required header key 'SpectrometerFrequency' is missing",
        ),
        (without("ResonantNucleus"), "required header key 'ResonantNucleus' is missing"),
        ({**EXTENSION, "SpectrometerFrequency": [123.2e6]}, "SpectrometerFrequency.*in MHz"),
        ({**EXTENSION, "SpectrometerFrequency": []}, "SpectrometerFrequency"),
        ({**EXTENSION, "EchoTime": 30}, r"EchoTime.*in s"),
        ({**EXTENSION, "ResonantNucleus": ["H"]}, "ResonantNucleus"),
    ],
)
def test_bad_header(tmp_path, extension, text):
    path = written(tmp_path / "bad.nii.gz", file_bytes(None, extension))
    with pytest.raises(FormatError, match=f"bad.nii.gz.*{text}"):
        mp.read(path)


def test_extension_of_another_kind(tmp_path):
    path = written(tmp_path / "bad.nii", file_bytes(code=6))
    with pytest.raises(FormatError, match="without the NIfTI-MRS header extension"):
        mp.read(path)


@pytest.mark.parametrize("dwell", [0.0, 500.0])
def test_bad_dwell_time(tmp_path, dwell):
    path = written(tmp_path / "bad.nii", file_bytes(dwell=dwell))
    with pytest.raises(FormatError, match=r"bad.nii: dwell_time = .*pixdim\[4\]"):
        mp.read(path)


@pytest.mark.parametrize("name", ["cut.nii", "cut.nii.gz"])
@pytest.mark.parametrize("kept", [0.001, 0.1, 0.5, 0.97])
def test_truncated(tmp_path, name, kept):
    path = written(tmp_path / name, file_bytes())
    raw = path.read_bytes()
    path.write_bytes(raw[: int(kept * len(raw))] or b"\x1f")
    with pytest.raises(
        FormatError,
        match=r"cut.nii.*"
        r"(cut off|too few|cannot be read|end early|not a NIfTI|no such|empty|extension)",
    ):
        mp.read(path)


def test_empty(tmp_path):
    (tmp_path / "a.nii.gz").touch()
    with pytest.raises(FormatError, match="the file is empty"):
        mp.read(tmp_path / "a.nii.gz")


def test_not_there(tmp_path):
    (tmp_path / "sub-01_svs.nii.gz").touch()
    with pytest.raises(
        FormatError, match="no such file or folder. Did you mean 'sub-01_svs.nii.gz'"
    ):
        mp.read(tmp_path / "sub-01_svss.nii.gz")
    with pytest.raises(FormatError, match="is not there either"):
        mp.read(tmp_path / "nowhere" / "a.nii")


def test_real_values_are_no_fids(tmp_path):
    path = written(tmp_path / "a.nii", file_bytes(np.ones((1, 1, 1, 16), np.float32)))
    with pytest.raises(FormatError, match="holds float32 values; FIDs are complex"):
        mp.read(path)


def test_an_image_is_refused(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    nibabel.save(image, tmp_path / "t1.nii.gz")
    with pytest.raises(FormatError, match="it is an image"):
        mp.read(tmp_path / "t1.nii.gz")


def test_nan_is_masked_with_a_warning(tmp_path):
    array = fids(1, 1, 1, 16, 2, 3)
    array[..., 4, 1, 2] = np.nan
    path = written(tmp_path / "a.nii", file_bytes(array))
    with pytest.warns(DataWarning, match="1 of 3 FIDs hold NaN.*masked"):
        data = mp.read(path)
    assert data.mask.tolist() == [True, True, False]


def test_nothing_but_nan(tmp_path):
    path = written(tmp_path / "a.nii", file_bytes(np.full((1, 1, 1, 16), np.nan, np.complex64)))
    with pytest.raises(FormatError, match="every FID holds NaN"):
        mp.read(path)


def test_jpeg_in_disguise(tmp_path):
    path = tmp_path / "meas.dat"
    path.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 40)
    with pytest.raises(
        FormatError, match="not a recording in a format that is known. Tried: NIfTI-MRS, .*LCModel"
    ):
        mp.read(path)


def test_basis_set_given_to_read(tmp_path):
    path = tmp_path / "a.basis"
    path.write_text(" $SEQPAR\n HZPPPM = 123.\n $END\n $BASIS1\n NDATAB = 2\n $END\n")
    with pytest.raises(FormatError, match="It is a basis set: use mp.read_basis"):
        mp.read(path)


def test_only_nifti_is_written(tmp_path):
    data = MRSData(
        fid=fids(16),
        dims=("time",),
        acquisition=Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4),
    )
    with pytest.raises(FormatError, match="ends in .nii.gz or .nii"):
        mp.write(data, tmp_path / "a.dat")


def test_no_parts(tmp_path):
    path = written(tmp_path / "a.nii", file_bytes())
    with pytest.raises(FormatError, match="holds one recording; leave part= out"):
        mp.read(path, part="water")


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    data = mp.read(written(tmp_path / "a.nii", file_bytes()))
    old = (tmp_path / "a.nii").read_bytes()
    real = Path.write_bytes

    def full_disk(self, content):
        real(self, content[: len(content) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        mp.write(data.with_fid(data.fid * 2, Step("Scaling", "2")), tmp_path / "a.nii")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.nii"]
    assert (tmp_path / "a.nii").read_bytes() == old


@pytest.mark.parametrize(
    "make", [lambda x: x, np.asfortranarray, lambda x: np.repeat(x, 2, axis=-1)[..., ::2]]
)
def test_memory_layout_does_not_matter(tmp_path, make):
    acquisition = Acquisition(spectrometer_frequency=123.2, dwell_time=5e-4)
    fid = make(fids(3, 4, 16))
    fid.flags.writeable = False
    data = MRSData(fid=fid, dims=("transient", "coil", "time"), acquisition=acquisition)
    mp.write(data, tmp_path / "a.nii")
    assert (mp.read(tmp_path / "a.nii").fid == fids(3, 4, 16)).all()


def test_a_stored_mask_that_does_not_fit_is_not_dropped_without_a_word():
    extension = {**EXTENSION, "ValidFIDs": {"Value": [True, False], "Description": "for others"}}
    with pytest.warns(DataWarning, match=r"ValidFIDs has shape \(2,\), the FIDs have \(3,\)"):
        data = nifti_mrs.decode(file_bytes(None, extension), "a.nii")
    assert data.mask.all()


def test_what_is_said_anew_of_an_acquisition_is_written(tmp_path):
    """The header of the file that was read must not win over a change."""
    made = mp.simulate(None, mp.SessionOptions(n_transients=4, n_points=256), rng=0).data
    mp.write(made, tmp_path / "a.nii.gz")
    read = mp.read(tmp_path / "a.nii.gz")
    named = read.acquisition.replace(sequence="svs_edit")
    mp.write(dataclasses.replace(read, acquisition=named), tmp_path / "b.nii.gz")
    assert mp.read(tmp_path / "b.nii.gz").acquisition.sequence == "svs_edit"
