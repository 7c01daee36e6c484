"""What all vendor formats share: nobody takes a foreign file for its own."""

import numpy as np
import pytest

from mrsproc.errors import FormatError
from mrsproc.io import jmrui, varian, vendor
from mrsproc.io.vendor import bruker

FORMATS = (*vendor.FORMATS, varian.FORMAT, *jmrui.FORMATS)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 50


def names_of(path):
    return [form.name for form in FORMATS if form.sniff(path)]


POINTS, WIDTH, MEGAHERTZ = 256, 2000.0, 300.3
ACQP = {
    "ACQ_sw_version": "( 65 )\n<PV 6.0.1>",
    "GO_raw_data_format": "GO_32BIT_SGN_INT",
    "BYTORDA": "little",
    "ACQ_dim": 1,
    "ACQ_dim_desc": "( 1 )\nSpectroscopic",
    "ACQ_size": f"( 1 )\n{2 * POINTS}",
    "GO_block_size": "continuous",
    "NR": 3,
    "NI": 1,
    "PULPROG": "( 64 )\n<STEAM.ppg>",
    "SW_h": WIDTH,
    "BF1": MEGAHERTZ,
    "NUCLEUS": "( 8 )\n<1H>",
}
METHOD = {
    "Method": "( 40 )\n<Bruker:STEAM>",
    "PVM_DigNp": POINTS,
    "PVM_DigShift": 0,
    "PVM_EchoTime": 20,
    "PVM_RepetitionTime": 4000,
    "PVM_SpecSWH": f"( 1 )\n{WIDTH}",
    "PVM_FrqWorkOffsetPpm": "( 2 )\n0 0",
    "PVM_FrqRef": f"( 2 )\n{MEGAHERTZ} 0",
    "PVM_VoxArrGradOrient": "( 1, 3, 3 )\n1 0 0 0 1 0 0 0 1",
    "PVM_VoxArrPosition": "( 1, 3 )\n0 0 0",
    "PVM_VoxArrSize": "( 1, 3 )\n3 3 3",
    "PVM_SpecMatrix": f"( 1 )\n{POINTS}",
}


def write_bruker(folder, fid):
    """Write FIDs of shape (transient, time) as ParaVision 6 does."""
    for name, fields in (("acqp", ACQP), ("method", METHOD)):
        lines = ["##TITLE=Parameter List, ParaVision 6.0.1", "##JCAMPDX=4.24"]
        lines += ["##DATATYPE=Parameter Values", "##ORIGIN=Bruker", "##OWNER=nmr"]
        lines += [f"##${key}={value}" for key, value in fields.items()]
        (folder / name).write_text("\n".join([*lines, "##END=", ""]))
    words = np.stack([fid.real, -fid.imag], axis=-1).round().astype("<i4")
    (folder / "fid").write_bytes(words.tobytes())


def test_bruker(tmp_path):
    time = np.arange(POINTS) / WIDTH
    line = 1e6 * np.exp((2j * np.pi * (4.65 - 2.0) * MEGAHERTZ - 12) * time)
    fid = 2.0 ** np.arange(3)[:, None] * line
    write_bruker(tmp_path, fid)
    for path in (tmp_path, tmp_path / "fid"):
        assert names_of(path) == ["Bruker"]
        data = bruker.load(path)
        assert data.sizes == {"transient": 3, "time": POINTS}
        np.testing.assert_allclose(data.fid, fid, atol=2)
    acquisition = data.acquisition
    assert (acquisition.echo_time, acquisition.repetition_time) == pytest.approx((0.02, 4.0))
    assert acquisition.sequence == "Bruker:STEAM"


def test_bruker_by_parameters(tmp_path):
    (tmp_path / "acqp").write_text("##TITLE=Parameter List, ParaVision 6.0.1\n")
    assert names_of(tmp_path) == ["Bruker"]
    with pytest.raises(FormatError, match="a Bruker scan folder without data"):
        bruker.load(tmp_path)
    (tmp_path / "fid").write_bytes(bytes(100))
    assert names_of(tmp_path) == names_of(tmp_path / "fid") == ["Bruker"]
    with pytest.raises(FormatError, match="spec2nii"):
        bruker.load(tmp_path)


@pytest.mark.parametrize(
    "suffix", ["dat", "rda", "IMA", "dcm", "7", "SPAR", "data", "list", "fid", "2dseq"]
)
@pytest.mark.parametrize(
    "content", [b"", JPEG, b"hello\n" * 200, b"\0" * 5000], ids=["empty", "jpeg", "text", "zeros"]
)
def test_foreign_content_is_nobodys(tmp_path, suffix, content):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    tolerated = ["Philips data/list"] if suffix in {"data", "list"} else []
    assert names_of(path) in ([], tolerated)


def test_missing_path_and_empty_folder_are_nobodys(tmp_path):
    assert names_of(tmp_path / "nothing.dat") == names_of(tmp_path) == []
