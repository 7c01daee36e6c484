"""The command line as a user types it."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp


@pytest.fixture
def files(synthetic, tmp_path):
    """Write a recording with 6 transients, and its basis set."""
    data = synthetic.data(noise=3.0, shape=(6,), dims=("transient",))
    mp.write(data, tmp_path / "in" / "sub-01_svs.nii.gz")
    mp.write_basis(synthetic.basis, tmp_path / "in" / "set.basis")
    return tmp_path / "in" / "sub-01_svs.nii.gz", tmp_path / "in" / "set.basis"


def test_demo(run, tmp_path):
    code, out, err = run("demo")
    assert code == 0, err
    written = sorted(path.name for path in (tmp_path / "mrsproc-demo").iterdir())
    assert "sub-demo_svs_desc-concentrations_mrs.tsv" in written
    assert "sub-demo_svs_desc-fit_mrs.png" in written
    assert "truth" in out
    assert "wrote" in out


def test_fit_averages(run, files, tmp_path):
    recording, basis = files
    code, out, err = run("fit", recording, "--basis", basis, "-o", tmp_path / "out")
    assert code == 0, err
    table = pd.read_csv(
        tmp_path / "out/sub-01_svs_desc-concentrations_mrs.tsv", sep="\t", na_values="n/a"
    )
    assert table.metabolite.is_unique
    naa = table.set_index("metabolite").loc["tNAA"]
    assert abs(naa.amplitude - 12.0) < 5 * naa.sd
    assert "Glx" in out
    summary = json.loads((tmp_path / "out/sub-01_svs_desc-concentrations_mrs.json").read_text())[
        "mrsproc"
    ]
    assert summary["success"] is True
    for suffix in ("png", "svg"):
        assert (tmp_path / f"out/sub-01_svs_desc-fit_mrs.{suffix}").stat().st_size > 5000


def test_fit_each(run, files, tmp_path):
    recording, basis = files
    code, _, err = run("fit", recording, "--basis", basis, "-o", tmp_path / "out", "--each")
    assert code == 0, err
    table = pd.read_csv(tmp_path / "out/sub-01_svs_desc-concentrations_mrs.tsv", sep="\t")
    assert sorted(table.transient.unique()) == list(range(6))


def test_info(run, files):
    recording, basis = files
    code, out, _ = run("info", recording)
    assert code == 0
    assert "6 transient, 1024 time" in out
    assert "TE            unknown" in out
    code, out, _ = run("info", basis)
    assert code == 0
    assert "axis offset" in out


def test_convert_and_anonymise(run, tmp_path, synthetic):
    data = synthetic.data(noise=1.0)
    path = tmp_path / "named.nii"
    mp.write(data, path)
    path.write_bytes(with_patient_name(path.read_bytes()))
    for flag, kept in (((), True), (("--anonymise",), False)):
        code, out, err = run("convert", path, "-o", tmp_path / "out", *flag)
        assert code == 0, err
        found = gzip.decompress((tmp_path / "out/named.nii.gz").read_bytes())
        assert (b"Jane Doe" in found) == kept
        assert np.allclose(mp.read(out.strip()).fid, data.fid)


def with_patient_name(content):
    """Return the file with a PatientName in its header, written by nibabel."""
    import nibabel
    from nibabel.nifti1 import Nifti1Extension

    image = nibabel.Nifti2Image.from_bytes(content)
    meta = json.loads(image.header.extensions[0].get_content())
    image.header.extensions.clear()
    text = json.dumps(meta | {"PatientName": "Jane Doe"}).encode()
    image.header.extensions.append(Nifti1Extension(44, text))
    return image.to_bytes()


def test_bad_input_is_one_paragraph_and_leaves_nothing(run, files, tmp_path):
    recording, basis = files
    (tmp_path / "photo.dat").write_bytes(b"\xff\xd8\xff\xe0" + bytes(5000))
    (tmp_path / "empty.nii.gz").write_bytes(b"")
    cases = [
        (tmp_path / "nothing.nii.gz", basis, "no such file"),
        (tmp_path / "photo.dat", basis, "Tried: NIfTI-MRS"),
        (tmp_path / "empty.nii.gz", basis, "empty"),
        (recording, recording, "not a basis set"),
        (basis, basis, "use mp.read_basis"),
    ]
    for path, given, words in cases:
        code, _, err = run("fit", path, "--basis", given, "-o", tmp_path / "out")
        assert code == 2, path
        assert words in err
        assert err.startswith("mrsproc: ")
        assert "Traceback" not in err
        assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_usage_error(run):
    code, _, err = run("fit")
    assert code == 2
    assert "Missing" in err


def test_version(run):
    code, out, _ = run("--version")
    assert code == 0
    assert out.strip() == f"mrsproc {mp.__version__}"
