"""LCModel files: the header values that scale and shift, the dialects, and what is damaged."""

import numpy as np
import pytest

import mrsproc as mp
from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition
from mrsproc.errors import DataWarning, FormatError

N, DWELL, MEGAHERTZ = 256, 5e-4, 123.2


@pytest.fixture
def basis(make_line):
    time = np.arange(N) * DWELL
    fid = np.array([3 * make_line(2.008, time, 20.0), 3 * make_line(3.027, time, 20.0)])
    return BasisSet(
        names=("NAA", "Cr"),
        fid=fid,
        dwell_time=DWELL,
        spectrometer_frequency=MEGAHERTZ,
        source="made 'here'",
    )


def basis_text(
    fid, *, block="ISHIFT = 0", echo=" ECHOT = 30.,\n",
    badelt=f"{DWELL}", fmt="(2E15.6)", name="NAA",
    points=N, keep=None, number="{:15.6E}", per_line=2,
):  # fmt: skip
    """A .BASIS file by the rules of the LCModel manual, first point halved."""
    halved = np.array(fid)
    halved[0] /= 2
    spectrum = np.fft.fft(halved) / np.sqrt(len(fid))
    values = np.column_stack([spectrum.real, spectrum.imag]).ravel()[
        : None if keep is None else 2 * keep
    ]
    lines = [
        "".join(number.format(v) for v in values[i : i + per_line])
        for i in range(0, len(values), per_line)
    ]
    return (
        f" $SEQPAR\n FWHMBA = 0.013,\n HZPPPM = {MEGAHERTZ},\n{echo} SEQ = 'PRESS'\n $END\n"
        f" $BASIS1\n IDBASI = 'test',\n FMTBAS = '{fmt}',\n BADELT = {badelt},\n"
        f" NDATAB = {points}\n $END\n"
        " $NMUSED\n XTRASH = 0.\n $END\n"
        f" $BASIS\n ID = '{name}',\n METABO = '{name}',\n {block}\n $END\n"
        + "\n".join(lines) + "\n"
    )  # fmt: skip


def read_text(tmp_path, text):
    path = tmp_path / "x.basis"
    path.write_text(text)
    return mp.read_basis(path)


# .BASIS


def test_write_then_read(tmp_path, basis):
    mp.write_basis(basis, tmp_path / "x.basis")
    again = mp.read_basis(tmp_path / "x.basis")
    assert again.names == basis.names
    assert again.dwell_time == pytest.approx(DWELL, rel=1e-8)
    assert again.spectrometer_frequency == MEGAHERTZ
    assert np.abs(again.fid - basis.fid).max() < 1e-5
    assert "made whole" in again.source


def test_first_point_is_made_whole_once(tmp_path, basis):
    again = read_text(tmp_path, basis_text(basis.fid[0]))
    assert again.fid[0, 0] == pytest.approx(3.0, rel=1e-4)
    assert np.abs(again.fid[0] - basis.fid[0]).max() < 1e-5


@pytest.mark.parametrize(
    ("block", "factor"),
    [
        ("TRAMP = 2.", 2.0),
        ("VOLUME = 4.", 0.25),
        ("CONC = 100.", 0.01),
        ("CONC = 1.D1,\n TRAMP = 3E0,\n VOLUME = .5", 0.6),
    ],
)
def test_scale_of_a_block(tmp_path, basis, block, factor):
    assert np.allclose(
        read_text(tmp_path, basis_text(basis.fid[0], block=block)).fid[0],
        factor * basis.fid[0],
        atol=1e-5,
    )


def test_ishift_moves_by_whole_points(tmp_path, basis):
    """roll(spectrum, -ISHIFT): a positive shift lowers the frequency, so raises the ppm."""
    moved = read_text(tmp_path, basis_text(basis.fid[0], block="ISHIFT = 8"))
    hz = 8 / (N * DWELL)
    halved = np.array(basis.fid[0])
    halved[0] /= 2
    wanted = halved * np.exp(-2j * np.pi * hz * np.arange(N) * DWELL)
    wanted[0] *= 2
    assert np.allclose(moved.fid[0], wanted, atol=1e-5)


def test_echo_time_may_be_missing_or_empty(tmp_path, basis):
    for echo in ("", " ECHOT =  ,\n"):
        assert read_text(tmp_path, basis_text(basis.fid[0], echo=echo)).names == ("NAA",)


def test_no_blank_between_numbers(tmp_path, basis):
    text = basis_text(
        -np.abs(basis.fid[0].real) - 0j, fmt="(6E13.5)", number="{:13.5E}", per_line=6
    )
    assert "E" in text.split("$END")[-1].split()[0]
    glued = basis_text(basis.fid[0], fmt="(6E12.5)", number="{:12.5E}", per_line=6)
    assert any(len(word) > 12 for word in glued.split("$END")[-1].split())
    assert np.allclose(read_text(tmp_path, glued).fid[0], basis.fid[0], atol=1e-3)


def test_lower_case_and_windows_lines(tmp_path, basis):
    text = basis_text(basis.fid[0])
    head, numbers = text.rsplit("$END", 1)
    lower = head.lower().replace("'naa'", "'NAA'") + "$end" + numbers
    path = tmp_path / "x.basis"
    path.write_bytes(lower.replace("\n", "\r\n").encode())
    assert np.allclose(mp.read_basis(path).fid[0], basis.fid[0], atol=1e-5)


def test_exponent_in_the_dwell_time(tmp_path, basis):
    for text in ("5e-4", "5.D-4", "0.5E-03", "-5e-4"):
        assert read_text(
            tmp_path, basis_text(basis.fid[0], badelt=text)
        ).dwell_time == pytest.approx(5e-4)


def test_short_block_is_read_with_a_warning(tmp_path, basis):
    with pytest.warns(DataWarning, match=r"x.basis: signals of 255 points where NDATAB = 256"):
        read = read_text(tmp_path, basis_text(basis.fid[0], keep=N - 1))
    assert np.abs(read.fid[0] - basis.fid[0]).max() < 0.03


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda t: t[: len(t) // 2],
            r"x.basis, signal NAA: \d+ complex points where NDATAB = 256; the file is cut off",
        ),
        (
            lambda t: t.replace("NDATAB = 256", "NDATAB = 100"),
            "256 complex points where NDATAB = 100",
        ),
        (lambda t: t.replace(" NDATAB = 256\n", ""), "x.basis: NDATAB is missing"),
        (lambda t: t.replace(f" BADELT = {DWELL},\n", ""), "x.basis: BADELT is missing"),
        (lambda t: t.replace(f" HZPPPM = {MEGAHERTZ},\n", ""), "x.basis: HZPPPM is missing"),
        (
            lambda t: t.replace(f"BADELT = {DWELL}", "BADELT = fast"),
            "BADELT = fast is not a number",
        ),
        (
            lambda t: t[:-200] + " what ****** is this\n" + t[-200:],
            "signal NAA: the data hold something that is not a number",
        ),
        (lambda t: t[: t.index("$BASIS\n")].rsplit("\n", 1)[0] + "\n", r"no \$BASIS block"),
        (lambda t: t.replace("'NAA'", "''"), "x.basis: signal 1 has neither METABO nor ID"),
        (lambda t: t.replace("ISHIFT = 0", "CONC = 0."), "signal NAA: CONC is zero"),
    ],
)
def test_damaged_basis(tmp_path, basis, change, text):
    with pytest.raises(FormatError, match=text):
        read_text(tmp_path, change(basis_text(basis.fid[0])))


@pytest.mark.parametrize("badelt", ["0.", "5."])
def test_bad_dwell_time_of_a_basis(tmp_path, basis, badelt):
    with pytest.raises(FormatError, match="x.basis: dwell_time"):
        read_text(tmp_path, basis_text(basis.fid[0], badelt=badelt))


def test_name_twice(tmp_path, basis):
    text = basis_text(basis.fid[0])
    with pytest.raises(FormatError, match="x.basis: the names NAA stand more than once"):
        read_text(tmp_path, text + text[text.index(" $NMUSED") :])


def test_another_reference_is_not_written(tmp_path, basis):
    import dataclasses

    with pytest.raises(FormatError, match="LCModel wants 4.65"):
        mp.write_basis(dataclasses.replace(basis, ppm_reference=4.7), tmp_path / "x.basis")
    assert list(tmp_path.iterdir()) == []


def test_failed_write_leaves_nothing(tmp_path, basis, monkeypatch):
    from pathlib import Path

    def full_disk(self, *args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="No space left"):
        mp.write_basis(basis, tmp_path / "x.basis")
    assert list(tmp_path.iterdir()) == []


def test_not_a_basis(tmp_path):
    (tmp_path / "a.basis").write_bytes(b"\xff\xd8\xff\xe0 JFIF")
    with pytest.raises(FormatError, match="not a basis set that is known. Tried: LCModel .BASIS"):
        mp.read_basis(tmp_path / "a.basis")
    (tmp_path / "b.basis").touch()
    with pytest.raises(FormatError, match="the file is empty"):
        mp.read_basis(tmp_path / "b.basis")
    with pytest.raises(FormatError, match="Known: |is not there either"):
        mp.write_basis(
            BasisSet(
                names=("A",),
                fid=np.ones((1, 4)),
                dwell_time=DWELL,
                spectrometer_frequency=MEGAHERTZ,
            ),
            tmp_path / "c",
            file_format="nope",
        )


# .RAW


def raw_text(
    fid, head=f" $SEQPAR\n HZPPPM = {MEGAHERTZ}\n DELTAT = {DWELL}\n ECHOT = 30.\n $END\n", more=""
):
    rows = "".join(f"{v.real:15.6E}{v.imag:15.6E}\n" for v in fid)
    return f"{head} $NMID\n ID = 'NAA', FMTDAT = '(2E15.6)'{more}\n $END\n{rows}"


def test_raw_data(tmp_path, basis):
    path = tmp_path / "x.RAW"
    path.write_text(raw_text(basis.fid[0], more=", VOLUME = 2., TRAMP = 4."))
    data = mp.read(path)
    assert data.dims == ("time",)
    assert np.allclose(data.fid, 2 * basis.fid[0], atol=1e-5)
    assert data.acquisition.echo_time == pytest.approx(0.03)
    assert data.acquisition.dwell_time == DWELL
    assert data.acquisition.spectrometer_frequency == MEGAHERTZ


def test_raw_without_header(tmp_path, basis):
    path = tmp_path / "x.raw"
    path.write_text(raw_text(basis.fid[0], head=""))
    with pytest.raises(FormatError, match=r"without HZPPPM and DELTAT.*Add a \$SEQPAR"):
        mp.read(path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t: t[: t.rindex("$END") + 5], "0 numbers are no complex FID"),
        (lambda t: t.rstrip()[:-15] + "\n", "511 numbers are no complex FID"),
        (lambda t: t.rstrip() + " oops\n", "not a number"),
        (lambda t: t.replace(f"DELTAT = {DWELL}", "DELTAT = 0."), "dwell"),
        (lambda t: t.replace("ID = ", "VOLUME = 0, ID = "), "VOLUME is zero"),
        (lambda t: t.rstrip()[:-15] + "            NaN\n", "NaN"),
    ],
)
def test_damaged_raw(tmp_path, basis, change, text):
    path = tmp_path / "x.raw"
    path.write_text(change(raw_text(basis.fid[0])))
    with pytest.raises(FormatError, match=text):
        mp.read(path)


def test_folder_of_raw(tmp_path, basis):
    for name, fid in zip(basis.names, basis.fid, strict=True):
        (tmp_path / f"{name}.RAW").write_text(raw_text(fid, head="").replace("'NAA'", f"'{name}'"))
    with pytest.raises(FormatError, match="hold no HZPPPM and DELTAT: give acquisition="):
        mp.read_basis(tmp_path)
    acquisition = Acquisition(spectrometer_frequency=MEGAHERTZ, dwell_time=DWELL)
    again = mp.read_basis(tmp_path, acquisition=acquisition)
    assert again.names == ("Cr", "NAA")
    assert np.allclose(again.fid[1], basis.fid[0], atol=1e-5)
