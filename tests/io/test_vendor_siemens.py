"""Siemens files that the tests write themselves, and DICOM."""

import struct

import numpy as np
import pytest

from mrsproc.errors import DataWarning, FormatError
from mrsproc.io import nifti_mrs, vendor
from mrsproc.io.vendor import siemens

POINTS, WIDTH, MEGAHERTZ = 256, 2000.0, 127.75


def naa_lines(count=1):
    """Lines at 2.0 ppm in the sign of mrsproc, each row twice as large as the one before."""
    time = np.arange(POINTS) / WIDTH
    line = np.exp((2j * np.pi * (4.65 - 2.0) * MEGAHERTZ - 12) * time)
    return 2.0 ** np.arange(count)[:, None] * line


def names_of(path):
    return [form.name for form in vendor.FORMATS if form.sniff(path)]


def peak_ppm(data):
    spectrum = np.abs(data.spectrum.reshape(-1, data.n_points)[0])
    return data.ppm[np.argmax(spectrum)]


RDA = {
    "PatientName": "445",
    "PatientID": "ROE",
    "PatientSex": "F",
    "PatientBirthDate": "19800101",
    "TR": "2000.0",
    "TE": "30.0",
    "TM": "0.0",
    "TI": "0.0",
    "DwellTime": "500",
    "MRFrequency": f"{MEGAHERTZ}",
    "Nucleus": "1H",
    "FlipAngle": "90.0",
    "VectorSize": POINTS,
    "CSIMatrixSize[0]": 1,
    "CSIMatrixSize[1]": 1,
    "CSIMatrixSize[2]": 1,
    "ModelName": "Skyra",
    "DeviceSerialNumber": "4711",
    "SoftwareVersion[0]": "syngo MR D13",
    "InstitutionName": "",
    "TransmitCoil": "Body",
    "SequenceName": "*svs_se",
    "SliceThickness": "20.0",
    "PositionVector[0]": 0,
    "PositionVector[1]": 0,
    "PositionVector[2]": 0,
    "RowVector[0]": 1,
    "RowVector[1]": 0,
    "RowVector[2]": 0,
    "ColumnVector[0]": 0,
    "ColumnVector[1]": 1,
    "ColumnVector[2]": 0,
    "PixelSpacingRow": "20.0",
    "PixelSpacingCol": "20.0",
}


def write_rda(path, fid, **changes):
    fields = RDA | changes
    lines = [f"{key}: {value}" for key, value in fields.items() if value is not None]
    header = "\r\n".join([">>> Begin of header <<<", *lines, ">>> End of header <<<", ""])
    body = np.stack([fid.real, fid.imag], axis=-1).astype("<f8").tobytes()
    path.write_bytes(header.encode("latin-1") + body)
    return path


def test_rda(tmp_path):
    path = write_rda(tmp_path / "any.name", naa_lines())
    assert names_of(path) == ["Siemens RDA"]
    data = siemens.load_rda(path)
    np.testing.assert_allclose(data.fid, naa_lines()[0], atol=1e-6)
    assert (data.acquisition.echo_time, data.acquisition.repetition_time) == (0.03, 2.0)
    assert peak_ppm(data) == pytest.approx(2.0, abs=0.05)


def test_rda_with_decimal_commas(tmp_path):
    path = write_rda(tmp_path / "x.rda", naa_lines(), TE="30,0", MRFrequency="127,75")
    acquisition = siemens.load_rda(path).acquisition
    assert (acquisition.echo_time, acquisition.spectrometer_frequency) == (0.03, 127.75)


def test_rda_private_fields(tmp_path):
    data = siemens.load_rda(write_rda(tmp_path / "x.rda", naa_lines()))
    derived = nifti_mrs.encode(data.with_fid(data.fid, data.history[0]))
    assert b"19800101" in nifti_mrs.encode(data)
    for private in (b"445", b"ROE", b"19800101", b"4711", b"x.rda"):
        assert private not in derived


@pytest.mark.parametrize("key", ["DwellTime", "MRFrequency", "VectorSize", "TM"])
def test_rda_key_missing(tmp_path, key):
    with pytest.raises(FormatError, match=f"key '{key}' is missing"):
        siemens.load_rda(write_rda(tmp_path / "x.rda", naa_lines(), **{key: None}))


@pytest.mark.parametrize("value", ["0", "-500", "fast", "nan"])
def test_rda_wrong_dwell(tmp_path, value):
    with pytest.raises(FormatError, match=f"DwellTime = '{value}'; it must be a number above 0"):
        siemens.load_rda(write_rda(tmp_path / "x.rda", naa_lines(), DwellTime=value))


def test_rda_cut_off(tmp_path):
    path = write_rda(tmp_path / "x.rda", naa_lines())
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(FormatError, match="cut off: VectorSize and CSIMatrixSize make 4096 bytes"):
        siemens.load_rda(path)
    path.write_bytes(content[:200])
    with pytest.raises(FormatError, match="the RDA header has no end"):
        siemens.load_rda(path)


def vd_file(path, length=5000):
    """The outer layout of a twix VD file with one measurement, and nothing inside."""
    entry = struct.pack("<IIQQ", 1, 1, 10240, length).ljust(152, b"\0")
    start = (struct.pack("<II", 0, 1) + entry).ljust(10240, b"\0")
    path.write_bytes(start + struct.pack("<II", 4000, 1) + b"Config\0" + bytes(4000))
    return path


def test_twix_cut_off(tmp_path):
    path = vd_file(tmp_path / "meas.dat")
    assert names_of(path) == ["Siemens twix"]
    with pytest.raises(
        FormatError, match="the last measurement ends at byte 15240, the file at 14255"
    ):
        siemens.load_twix(path)


def test_twix_damaged_inside(tmp_path):
    with pytest.raises(FormatError, match="spec2nii cannot read this Siemens twix file"):
        siemens.load_twix(vd_file(tmp_path / "meas.dat", length=4000))


TWIX = {
    "Config": {"SequenceFileName": "svs_se"},
    "Dicom": {
        "SoftwareVersions": "syngo MR E11",
        "Manufacturer": "SIEMENS",
        "ManufacturersModelName": "Prisma",
        "DeviceSerialNumber": "4711",
        "InstitutionName": "X",
        "InstitutionAddress": "X",
        "tProtocolName": "press",
    },
    "Meas": {
        "Frequency": f"{MEGAHERTZ * 1e6:.0f}",
        "ResonantNucleus": "1H",
        "TR": "2000000",
        "FlipAngle": "90",
        "tSequenceString": "svs_se",
        "tSequenceFileName": "svs_se",
        "PatientPosition": "HFS",
        "PatientName": "ROE JANE",
        "PatientBirthDay": "19800101",
        "PatientSex": "2",
        "flUsedPatientWeight": "70",
        "tICEProgramName": "Ice",
        "lFinalMatrixSizeSlice": "1",
        "lFinalMatrixSizePhase": "",
        "TI_Time": "900000",
        "lFinalMatrixSizeRead": "",
        "InversionTime": "900000",
    },
}
TWIX_YAPS = (
    "### ASCCONV BEGIN ###\nsRXSPEC.alDwellTime[0] = 500000\nalTE[0] = 35000\n\n### ASCCONV END ###"
)
LOOPS = ("lin", "ave", "sli", "par", "eco", "phs", "rep", "set", "seg")


def write_twix(path, fid, loops):
    """Write a VD file with a noise scan and FIDs of shape (coil, *loops, time)."""
    buffers = {
        name: "".join(f'<ParamString."{key}"> {{ "{value}" }}\n' for key, value in fields.items())
        for name, fields in TWIX.items()
    } | {"MeasYaps": TWIX_YAPS, "Phoenix": TWIX_YAPS}
    packed = b"".join(
        name.encode() + b"\0" + struct.pack("<I", len(text)) + text.encode()
        for name, text in buffers.items()
    )
    header = struct.pack("<II", (8 + len(packed) + 31) // 32 * 32, len(buffers)) + packed
    header = header.ljust((len(header) + 31) // 32 * 32, b"\0")

    def scan(coils, counters, mask=0):
        n_coils, points = coils.shape
        head = struct.pack("<I36xQHH", 192 + n_coils * (32 + 8 * points), mask, points, n_coils)
        head += struct.pack("<14H", *(counters.get(loop, 0) for loop in LOOPS), *[0] * 5)
        body = b"".join(bytes(32) + coil.astype("<c8").tobytes() for coil in coils)
        return head.ljust(192, b"\0") + body

    scans = [
        scan(fid[(slice(None), *index)].conj(), dict(zip(loops, index, strict=True)))
        for index in np.ndindex(fid.shape[1:-1])
    ]
    noise = header + scan(np.ones((1, 8)), {}, 1 << 25) + scan(np.zeros((1, 8)), {}, 1)
    noise = noise.ljust((len(noise) + 511) // 512 * 512, b"\0")
    image = header + b"".join(scans) + scan(np.zeros((1, 8)), {}, 1)
    offsets = (10240, 10240 + len(noise))
    entries = [
        struct.pack("<IIQQ", 1, 1, offset, len(block)).ljust(152, b"\0")
        for offset, block in zip(offsets, (noise, image), strict=True)
    ]
    start = struct.pack("<II", 0, 2) + b"".join(entries)
    path.write_bytes(start.ljust(10240, b"\0") + noise + image)
    return path


def test_twix(tmp_path):
    fid = naa_lines(6).reshape(2, 3, POINTS)
    path = write_twix(tmp_path / "meas.dat", fid, ["ave"])
    assert names_of(path) == ["Siemens twix"]
    data = siemens.load_twix(path)
    assert data.dims == ("coil", "transient", "time")
    np.testing.assert_allclose(data.fid, fid, rtol=1e-5, atol=1e-5)
    acquisition = data.acquisition
    assert (acquisition.echo_time, acquisition.repetition_time) == pytest.approx((0.035, 2.0))
    assert acquisition.dwell_time == pytest.approx(5e-4)
    assert acquisition.extra["InversionTime"] == pytest.approx(0.9)
    derived = nifti_mrs.encode(data.with_fid(data.fid, data.history[0]))
    assert b"ROE JANE" in nifti_mrs.encode(data)
    assert not any(private in derived for private in (b"ROE JANE", b"19800101", b"4711"))


def test_twix_with_two_loops_of_transients(tmp_path):
    fid = naa_lines(12).reshape(2, 3, 2, POINTS)
    data = siemens.load_twix(write_twix(tmp_path / "meas.dat", fid, ["ave", "set"]))
    assert data.sizes == {"coil": 2, "transient": 3, "transient_2": 2, "time": POINTS}
    np.testing.assert_allclose(data.fid, fid, rtol=1e-5, atol=1e-5)


def test_twix_unfinished_is_masked(tmp_path):
    fid = naa_lines(6).reshape(2, 3, POINTS)
    fid[:, 2] = 0
    with pytest.warns(DataWarning, match="1 of 3 FIDs hold only zeros"):
        data = siemens.load_twix(write_twix(tmp_path / "meas.dat", fid, ["ave"]))
    assert data.mask.tolist() == [True, True, False]


def test_twix_vb_by_layout(tmp_path):
    path = tmp_path / "meas.dat"
    path.write_bytes(struct.pack("<II", 20000, 5) + b"Config\0" + bytes(50))
    assert names_of(path) == ["Siemens twix"]


def test_twix_reference_is_not_water_suppressed():
    header = {"WaterSuppressed": True}
    assert list(siemens._mend_twix("ref", header)) and header == {"WaterSuppressed": False}
    header = {"WaterSuppressed": True}
    assert not list(siemens._mend_twix("main", header)) and header == {"WaterSuppressed": True}


def write_dicom(path, maker, sop="1.2.840.10008.5.1.4.1.1.4.2"):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = sop
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    dataset.SOPClassUID = sop
    dataset.Manufacturer = maker
    dataset.save_as(path, enforce_file_format=True)
    return path


def sequence(**values):
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    item = Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return Sequence([item])


def write_xa_dicom(path, fid, instance=1):
    """A single FID as Numaris X stores it."""
    import pydicom

    dataset = pydicom.dcmread(write_dicom(path, "Siemens Healthineers"))
    dataset.PatientName, dataset.PatientID = "ROE^JANE", "4712"
    dataset.SeriesNumber, dataset.InstanceNumber, dataset.SeriesDescription = 3, instance, "a b/c"
    dataset.TransmitterFrequency, dataset.ResonantNucleus = MEGAHERTZ, "1H"
    dataset.SpectralWidth, dataset.ProtocolName = WIDTH, "press"
    dataset.SpectroscopyData = np.stack([fid.real, -fid.imag], axis=-1).astype("<f4").tobytes()
    dataset.SharedFunctionalGroupsSequence = sequence(
        MRSpectroscopyFOVGeometrySequence=sequence(
            SpectroscopyAcquisitionPhaseRows=1,
            SpectroscopyAcquisitionPhaseColumns=1,
            SpectroscopyAcquisitionOutOfPlanePhaseSteps=1,
        ),
        PlaneOrientationSequence=sequence(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
        PixelMeasuresSequence=sequence(PixelSpacing=[20, 20], SliceThickness=20),
        MREchoSequence=sequence(EffectiveEchoTime=35.0),
        MRTimingAndRelatedParametersSequence=sequence(RepetitionTime=2000, FlipAngle=90),
        MRTransmitCoilSequence=sequence(TransmitCoilName="Body"),
        MRReceiveCoilSequence=sequence(ReceiveCoilName="Head"),
    )
    dataset.PerFrameFunctionalGroupsSequence = sequence(
        PlanePositionSequence=sequence(ImagePositionPatient=[0, 0, 0])
    )
    dataset.save_as(path)
    return path


def test_dicom_folder_is_one_recording(tmp_path):
    fid = naa_lines(3)
    for instance, signal in enumerate(fid, 1):
        write_xa_dicom(tmp_path / f"roe_{4 - instance}.IMA", signal, instance)
    data = siemens.load_dicom(tmp_path)
    assert data.sizes == {"transient": 3, "time": POINTS}
    np.testing.assert_allclose(data.fid, fid, rtol=1e-5, atol=1e-5)
    acquisition = data.acquisition
    assert (acquisition.echo_time, acquisition.repetition_time) == pytest.approx((0.035, 2.0))
    single = siemens.load_dicom(tmp_path / "roe_3.IMA")
    assert single.dims == ("time",)  # the tag DIM_DYN that spec2nii sets has no axis
    np.testing.assert_allclose(single.fid, fid[0], rtol=1e-5, atol=1e-5)
    derived = nifti_mrs.encode(data.with_fid(data.fid, data.history[0]))
    assert b"ROE" in nifti_mrs.encode(data)
    assert not any(private in derived for private in (b"ROE", b"roe_", b"4712"))


def test_dicom_by_content_in_file_and_folder(tmp_path):
    path = write_dicom(tmp_path / "IM_0001", "SIEMENS")
    assert names_of(path) == names_of(tmp_path) == ["DICOM"]


def test_dicom_that_holds_an_image(tmp_path):
    path = write_dicom(tmp_path / "x.dcm", "SIEMENS", "1.2.840.10008.5.1.4.1.1.4")
    with pytest.raises(FormatError, match="DICOM of an image, not of spectra"):
        siemens.load_dicom(path)


def test_dicom_of_unknown_maker(tmp_path):
    with pytest.raises(FormatError, match="DICOM of GE MEDICAL SYSTEMS; spectra can be read from"):
        siemens.load_dicom(write_dicom(tmp_path / "x.dcm", "GE MEDICAL SYSTEMS"))


@pytest.mark.parametrize("maker", ["Siemens Healthineers", "Philips Medical Systems", "UIH"])
def test_dicom_without_spectra(tmp_path, maker):
    with pytest.raises(FormatError, match=f"spec2nii cannot read this {maker} DICOM file"):
        siemens.load_dicom(write_dicom(tmp_path / "x.dcm", maker))


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    siemens.load_rda(write_rda(tmp_path / "x.rda", naa_lines()))
    assert not list((tmp_path / "tmp").iterdir())
