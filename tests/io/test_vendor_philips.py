"""Philips files that the tests write themselves."""

import numpy as np
import pytest

from mrsproc.errors import DataWarning, FormatError
from mrsproc.io import nifti_mrs, vendor
from mrsproc.io.vendor import convert, philips

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


def to_vax(values):
    """Return numbers as VAX F floats, the inverse of what a reader does."""
    mantissa, exponent = np.frexp(np.asarray(values, np.float64))
    fraction = np.round((np.abs(mantissa) - 0.5) * 2**24).astype(np.uint32)
    word = (
        (mantissa < 0).astype(np.uint32) << 31 | (exponent + 128).astype(np.uint32) << 23 | fraction
    )
    word = np.where(np.asarray(values) == 0, 0, word).astype(np.uint32)
    return ((word >> 16) | (word << 16)).astype("<u4").tobytes()


SPAR = {
    "scan_id": "PRESS 35",
    "patient_name": "0123",
    "samples": POINTS,
    "rows": 1,
    "synthesizer_frequency": MEGAHERTZ * 1e6,
    "offset_frequency": 0,
    "sample_frequency": WIDTH,
    "nucleus": "1H",
    "echo_time": 35,
    "repetition_time": 2000,
    "spectrum_inversion_time": 0,
}


def write_sdat(folder, fid, sdat="x.SDAT", spar="x.SPAR", **changes):
    fields = SPAR | {"rows": len(fid)} | changes
    lines = ["!-----", ""] + [
        f"{key} : {value}" for key, value in fields.items() if value is not None
    ]
    if spar:
        (folder / spar).write_text("\r\n".join(lines) + "\r\n")
    parts = np.stack([fid.real, -fid.imag], axis=-1)
    (folder / sdat).write_bytes(to_vax(parts))
    return folder / sdat


@pytest.mark.parametrize(
    ("sdat", "spar"), [("x.SDAT", "x.SPAR"), ("x.sdat", "x.spar"), ("x.SDAT", "x.spar")]
)
@pytest.mark.parametrize("which", [0, 1])
def test_sdat_pair_in_any_case_named_by_either_file(tmp_path, sdat, spar, which):
    fid = naa_lines()
    write_sdat(tmp_path, fid, sdat, spar)
    path = tmp_path / (sdat, spar)[which]
    assert names_of(path) == ["Philips SDAT/SPAR"]
    data = philips.load_sdat(path)
    np.testing.assert_allclose(data.fid, fid[0], atol=1e-6)
    assert peak_ppm(data) == pytest.approx(2.0, abs=0.05)
    acquisition = data.acquisition
    assert (acquisition.echo_time, acquisition.repetition_time) == (0.035, 2.0)
    assert acquisition.spectrometer_frequency == pytest.approx(MEGAHERTZ)


def test_sdat_rows_are_transients_and_that_is_said(tmp_path):
    data = philips.load_sdat(write_sdat(tmp_path, naa_lines(4)))
    assert data.sizes == {"transient": 4, "time": POINTS}
    np.testing.assert_allclose(data.fid, naa_lines(4), rtol=1e-5, atol=1e-6)
    assert "rows of the .SDAT file taken as transients" in data.history[0].details


def test_sdat_empty_transient_is_masked_not_dropped(tmp_path):
    fid = naa_lines(4)
    fid[2] = 0
    with pytest.warns(DataWarning, match="1 of 4 FIDs hold only zeros"):
        data = philips.load_sdat(write_sdat(tmp_path, fid))
    assert data.mask.tolist() == [True, True, False, True]


def test_anonymised_spar_without_optional_keys(tmp_path):
    path = write_sdat(
        tmp_path,
        naa_lines(),
        scan_id="",
        patient_name="",
        offset_frequency=None,
        spectrum_inversion_time=None,
    )
    extra = philips.load_sdat(path).acquisition.extra
    assert "TxOffset" not in extra and "InversionTime" not in extra


def test_inversion_time_in_seconds(tmp_path):
    path = write_sdat(tmp_path, naa_lines(), spectrum_inversion_time=900)
    assert philips.load_sdat(path).acquisition.extra["InversionTime"] == pytest.approx(0.9)


def test_sdat_patient_stays_in_header_bytes(tmp_path):
    data = philips.load_sdat(write_sdat(tmp_path, naa_lines(), patient_name="ROE JANE"))
    derived = nifti_mrs.encode(data.with_fid(data.fid, data.history[0]))
    assert b"ROE JANE" in nifti_mrs.encode(data)
    assert b"ROE" not in derived and b"x.SDAT" not in derived


def test_sdat_without_spar(tmp_path):
    path = write_sdat(tmp_path, naa_lines(), spar=None)
    assert names_of(path) == ["Philips SDAT/SPAR"]
    with pytest.raises(
        FormatError, match=r"the \.SPAR file that belongs to it is missing. Put x\.SPAR"
    ):
        philips.load_sdat(path)


def test_sdat_cut_off(tmp_path):
    path = write_sdat(tmp_path, naa_lines())
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(FormatError, match=r"cut off: samples and rows of x\.SPAR make 2048 bytes"):
        philips.load_sdat(path)


@pytest.mark.parametrize(
    "key", ["samples", "synthesizer_frequency", "sample_frequency", "nucleus", "echo_time"]
)
def test_spar_key_missing(tmp_path, key):
    with pytest.raises(FormatError, match=key):
        philips.load_sdat(write_sdat(tmp_path, naa_lines(), **{key: None}))


def test_spar_zero_dwell(tmp_path):
    with pytest.raises(FormatError, match="sample_frequency = '0'; it must be a number above 0"):
        philips.load_sdat(write_sdat(tmp_path, naa_lines(), sample_frequency=0))


def test_spar_echo_time_of_35_s(tmp_path):
    with pytest.raises(FormatError, match="EchoTime"):
        philips.load_sdat(write_sdat(tmp_path, naa_lines(), echo_time=35000))


def test_all_zero(tmp_path):
    with pytest.raises(FormatError, match="every point is zero"):
        philips.load_sdat(write_sdat(tmp_path, np.zeros((1, POINTS), complex)))


def write_data_list(folder, fid, noise=False):
    """Write FIDs of shape (transient, coil, time)."""
    directions = ("lr", "ap", "cc")
    kinds = {"angulation": 0, "size": 20, "off_center": 0}
    place = {f"{way}_{kind}": value for way in directions for kind, value in kinds.items()}
    write_sdat(folder, naa_lines(), **place)
    (folder / "x.SDAT").unlink()
    rows, blocks, offset = [], [], 0
    size = POINTS * 8
    if noise:
        rows.append("  NOI 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 " + f"{size} 0")
        blocks.append(np.full(POINTS, 1 + 1j))
        offset += size
    for transient, coils in enumerate(fid):
        for coil, signal in enumerate(coils):
            rows.append(f"  STD 0 0 0 0 0 {coil} 0 0 0 0 0 {transient} 1 0 0 0 0 0 {size} {offset}")
            blocks.append(signal.conj())
            offset += size
    (folder / "x.list").write_text("# === DATA DESCRIPTION FILE ===\n" + "\n".join(rows) + "\n")
    interleaved = np.stack([np.real(blocks), np.imag(blocks)], axis=-1)
    (folder / "x.data").write_bytes(interleaved.astype("<f4").tobytes())
    return folder / "x.data"


def test_data_list(tmp_path):
    fid = naa_lines(6).reshape(3, 2, POINTS)
    path = write_data_list(tmp_path, fid)
    assert names_of(path) == names_of(tmp_path / "x.list") == ["Philips data/list"]
    data = philips.load_data_list(path)
    assert data.sizes == {"coil": 2, "transient": 3, "time": POINTS}
    np.testing.assert_allclose(data.fid, fid.transpose(1, 0, 2), rtol=1e-5, atol=1e-5)


def test_data_list_with_noise_names_the_parts(tmp_path):
    path = write_data_list(tmp_path, naa_lines(2)[:, None], noise=True)
    with pytest.warns(DataWarning, match="'NOI' .* 'STD_0' is read"):
        data = philips.load_data_list(path)
    assert data.sizes == {"transient": 2, "time": POINTS}
    assert set(philips.data_list_parts(path)) == {"NOI", "STD_0"}


def test_data_list_incomplete(tmp_path):
    path = write_data_list(tmp_path, naa_lines(2)[:, None])
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(FormatError, match=r"cut off: x\.list lists 4096 bytes"):
        philips.load_data_list(path)
    (tmp_path / "x.SPAR").unlink()
    path.write_bytes(path.read_bytes() + bytes(8))
    with pytest.raises(FormatError, match=r"\.SPAR file of the same scan"):
        philips.load_data_list(path)
    (tmp_path / "x.list").unlink()
    with pytest.raises(FormatError, match=r"the \.LIST file that belongs to it is missing"):
        philips.load_data_list(path)


def test_choose_asks_when_no_part_is_the_main_one(tmp_path):
    data = philips.load_sdat(write_sdat(tmp_path, naa_lines()))
    with pytest.raises(
        FormatError, match=r"'edited' \(256 time\), 'short_te' .* Name one with part="
    ):
        convert.choose({"edited": data, "short_te": data}, tmp_path / "x.SDAT")
