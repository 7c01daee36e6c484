"""Varian folders that the tests write themselves."""

import struct

import numpy as np
import pytest

from mrsproc.errors import DataWarning, FormatError
from mrsproc.io import nifti_mrs, varian, vendor

POINTS, WIDTH, MEGAHERTZ = 256, 2000.0, 127.75


def naa_lines(count=1):
    """Lines at 2.0 ppm in the sign of mrsproc, each row twice as large as the one before."""
    time = np.arange(POINTS) / WIDTH
    line = np.exp((2j * np.pi * (4.65 - 2.0) * MEGAHERTZ - 12) * time)
    return 2.0 ** np.arange(count)[:, None] * line


def names_of(path):
    return [form.name for form in (*vendor.FORMATS, varian.FORMAT) if form.sniff(path)]


PROCPAR = {
    "sfrq": "399.7", "sw": "2000", "tn": '"H1"', "te": "0.024", "tr": "5", "seqfil": '"press"',
    "ws": '"y"', "comment": '"Jane Roe"', "rcvrs": '"y"',
}  # fmt: skip


def write_varian(folder, fid, **changes):
    """Write FIDs of shape (block, time) with the parameters of procpar; a tuple is an array."""
    folder.mkdir()
    lines = []
    for name, value in (PROCPAR | changes).items():
        if value is None:
            continue
        values = value if isinstance(value, tuple) else (value,)
        kind = 2 if str(values[0]).startswith('"') else 1
        lines.append(f"{name} {kind} {kind} 8 0 0 2 1 0 1 64")
        lines += (
            [f"{len(values)} {' '.join(values)} "] if kind == 1 else [f"{len(values)} {values[0]}"]
        )
        lines.append("0 ")
    (folder / "procpar").write_text("\n".join(lines) + "\n")
    points = fid.shape[1]
    header = struct.pack(
        ">6i2hi", len(fid), 1, 2 * points, 4, 8 * points, 8 * points + 28, 0, 0x19, 1
    )
    blocks = [
        struct.pack(">4hi4f", 0, 0x19, 1, 0, 1, 0, 0, 0, 0)
        + np.stack([row.real, row.imag], axis=-1).astype(">f4").tobytes()
        for row in fid
    ]
    (folder / "fid").write_bytes(header + b"".join(blocks))
    return folder


@pytest.mark.parametrize("name", ["", "fid", "procpar"])
def test_varian_without_orientation_and_receivers(tmp_path, name):
    folder = write_varian(tmp_path / "x.fid", naa_lines(), rcvrs=None)
    path = folder / name
    assert names_of(path) == ["Varian/Agilent"]
    data = varian.load(path)
    np.testing.assert_allclose(data.fid, naa_lines()[0], rtol=1e-6, atol=1e-6)
    acquisition = data.acquisition
    assert (acquisition.echo_time, acquisition.repetition_time) == (0.024, 5.0)
    assert (acquisition.nucleus, acquisition.water_suppressed) == ("1H", True)


def test_varian_receivers_stand_together(tmp_path):
    fid = naa_lines(6)
    data = varian.load(write_varian(tmp_path / "x.fid", fid, rcvrs='"yy"'))
    assert data.sizes == {"coil": 2, "transient": 3, "time": POINTS}
    np.testing.assert_allclose(
        data.fid, fid.reshape(3, 2, POINTS).transpose(1, 0, 2), rtol=1e-5, atol=1e-5
    )


def test_varian_arrayed_over_echo_time(tmp_path):
    folder = write_varian(tmp_path / "x.fid", naa_lines(2), te=("0.02", "0.04"), array='"te"')
    with pytest.warns(DataWarning, match=r"arrayed over te = 0\.02 0\.04"):
        data = varian.load(folder)
    assert data.acquisition.echo_time is None


def test_varian_private_fields(tmp_path):
    data = varian.load(write_varian(tmp_path / "x.fid", naa_lines()))
    assert b"Jane Roe" in nifti_mrs.encode(data)
    assert b"Jane" not in nifti_mrs.encode(data.with_fid(data.fid, data.history[0]))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"sw": "0"}, "sw = '0"),
        ({"sfrq": None}, "'sfrq' is missing"),
        ({"tn": '"?"'}, "must name the nucleus"),
        ({"rcvrs": '"yyyy"'}, "cannot be shared by the 4 receivers"),
        ({"te": "24"}, "EchoTime"),
    ],
)
def test_varian_bad_parameters(tmp_path, changes, match):
    with pytest.raises(FormatError, match=match):
        varian.load(write_varian(tmp_path / "x.fid", naa_lines(2), **changes))


def test_varian_cut_off_or_missing(tmp_path):
    folder = write_varian(tmp_path / "x.fid", naa_lines())
    content = (folder / "fid").read_bytes()
    (folder / "fid").write_bytes(content[:500])
    with pytest.raises(FormatError, match="cut off: 1 blocks make 2076 bytes"):
        varian.load(folder)
    (folder / "fid").write_bytes(b"")
    with pytest.raises(FormatError, match="too few for its header"):
        varian.load(folder)
    (folder / "fid").unlink()
    with pytest.raises(FormatError, match="needs both 'fid' and 'procpar'"):
        varian.load(folder)
