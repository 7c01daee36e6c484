"""jMRUI text and binary files that the tests write themselves."""

import struct

import numpy as np
import pytest

from mrsproc.errors import DataWarning, FormatError
from mrsproc.io import jmrui, nifti_mrs

POINTS, DWELL, MEGAHERTZ = 256, 5e-4, 123.25


def naa_line(n_signals=1):
    """A line at 2.0 ppm, in the sign of mrsproc."""
    frequency = (4.65 - 2.0) * MEGAHERTZ
    time = np.arange(POINTS) * DWELL
    scale = np.arange(1, n_signals + 1)[:, None]
    return scale * np.exp((2j * np.pi * frequency - 12) * time)


def write_text(path, fid, **changes):
    fields = {
        "PointsInDataset": fid.shape[1],
        "DatasetsInFile": len(fid),
        "SamplingInterval": DWELL * 1e3,
        "ZeroOrderPhase": "0E0",
        "BeginTime": "0E0",
        "TransmitterFrequency": MEGAHERTZ * 1e6,
        "MagneticField": "2.8948E0",
        "TypeOfNucleus": "1E0",
        "NameOfPatient": "Jane Roe",
        "SignalNames": "jane_roe;",
    } | changes
    lines = ["jMRUI Data Textfile", "", f"Filename: {path.name}", ""]
    lines += [f"{key}: {value}" for key, value in fields.items() if value is not None]
    lines += ["", "Signal and FFT", "sig(real)\tsig(imag)"]
    for number, signal in enumerate(fid, 1):
        lines.append(f"Signal {number} out of {len(fid)} in file")
        lines += [f"{value.real:.8E}\t{-value.imag:.8E}" for value in signal]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_binary(path, fid, *, points=None, interval=DWELL * 1e3, frequency=MEGAHERTZ * 1e6):
    header = np.zeros(64)
    header[[1, 2, 5, 6, 7]] = points or fid.shape[1], interval, frequency, 2.8948, 1
    body = np.stack([fid.real, -fid.imag], axis=-1).astype(">f8").tobytes()
    path.write_bytes(header.astype(">f8").tobytes() + body + b"Jane Roe")
    return path


WRITERS = [(write_text, "x.txt", 0), (write_text, "x.TXT", 0), (write_binary, "x.MRUI", 1)]


@pytest.mark.parametrize(("write", "name", "which"), WRITERS)
@pytest.mark.parametrize("n_signals", [1, 3])
def test_round_trip(tmp_path, write, name, which, n_signals):
    fid = naa_line(n_signals)
    path = write(tmp_path / name, fid)
    form = jmrui.FORMATS[which]
    assert form.sniff(path) and not jmrui.FORMATS[1 - which].sniff(path)
    data = form.load(path)
    np.testing.assert_allclose(np.asarray(data.fid).reshape(fid.shape), fid, atol=1e-5)
    assert data.dims == (("transient", "time") if n_signals > 1 else ("time",))
    assert data.acquisition.spectrometer_frequency == pytest.approx(MEGAHERTZ)
    assert data.acquisition.dwell_time == pytest.approx(DWELL)
    assert data.acquisition.echo_time is None
    peak = data.ppm[np.argmax(np.abs(data.spectrum.reshape(-1, POINTS)[0]))]
    assert peak == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(("write", "name", "which"), WRITERS)
def test_names_stay_in_the_header_bytes(tmp_path, write, name, which):
    data = jmrui.FORMATS[which].load(write(tmp_path / name, naa_line()))
    derived = data.with_fid(data.fid, data.history[0])
    assert b"Jane Roe" in nifti_mrs.encode(data)
    assert b"jane" not in nifti_mrs.encode(derived).lower()


def test_sodium_is_written_as_chemists_do(tmp_path):
    path = write_text(tmp_path / "na.txt", naa_line(), TypeOfNucleus="5")
    assert jmrui.load_text(path).acquisition.nucleus == "23Na"


def test_unknown_nucleus_is_a_stated_assumption(tmp_path):
    path = write_text(tmp_path / "x.txt", naa_line(), TypeOfNucleus="0", MagneticField="0")
    with pytest.warns(DataWarning, match="does not tell the nucleus"):
        assert jmrui.load_text(path).acquisition.nucleus == "1H"


def test_megahertz_where_hertz_belong(tmp_path):
    path = write_text(tmp_path / "x.txt", naa_line(), TransmitterFrequency=MEGAHERTZ)
    with pytest.warns(DataWarning, match="taken as MHz"):
        data = jmrui.load_text(path)
    assert data.acquisition.spectrometer_frequency == pytest.approx(MEGAHERTZ)


@pytest.mark.parametrize("key", ["SamplingInterval", "TransmitterFrequency", "PointsInDataset"])
def test_header_key_missing_or_zero(tmp_path, key):
    with pytest.raises(FormatError, match=f"{key!r} is missing"):
        jmrui.load_text(write_text(tmp_path / "a.txt", naa_line(), **{key: None}))
    with pytest.raises(FormatError, match=f"{key} = '0'; it must be a number above 0"):
        jmrui.load_text(write_text(tmp_path / "b.txt", naa_line(), **{key: "0"}))


def test_cut_off(tmp_path):
    text = write_text(tmp_path / "a.txt", naa_line())
    text.write_text("\n".join(text.read_text().splitlines()[:-20]))
    with pytest.raises(FormatError, match="236 points in 1 signals"):
        jmrui.load_text(text)
    binary = write_binary(tmp_path / "a.mrui", naa_line())
    binary.write_bytes(binary.read_bytes()[:3000])
    with pytest.raises(FormatError, match="cut off: PointsInDataset"):
        jmrui.load_binary(binary)


def test_binary_with_zero_interval(tmp_path):
    path = write_binary(tmp_path / "a.mrui", naa_line(), interval=0.0)
    assert jmrui.sniff_binary(path)
    with pytest.raises(FormatError, match="SamplingInterval"):
        jmrui.load_binary(path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff\xe0" + b"\1" * 900, struct.pack(">13d", *[np.nan] * 13)]
)
def test_other_content_is_not_jmrui(tmp_path, content):
    path = tmp_path / "x.mrui"
    path.write_bytes(content)
    assert not any(form.sniff(path) for form in jmrui.FORMATS)
