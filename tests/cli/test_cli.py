"""The command line as a user types it."""

import dataclasses
import gzip
import json
import re
from pathlib import Path

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
    code, out, err = run("demo", "--transients", "160")
    assert code == 0, err
    folder = tmp_path / "mrsproc-demo"
    base = folder / "sub-demo_ses-01"
    told = {line.removeprefix("wrote ").split(":")[0] for line in out.splitlines()
            if line.startswith("wrote ")}  # fmt: skip
    files = {str(path.relative_to(tmp_path)) for path in folder.iterdir() if path.is_file()}
    assert files - {str(Path("mrsproc-demo/press35.basis"))} <= told
    for kind in ("concentrations", "qc", "parameters", "timecourse"):
        assert len(pd.read_csv(f"{base}_desc-{kind}_mrs.tsv", sep="\t")) > 3
    assert out.splitlines()[-1].startswith("wrote ") and "report.html" in out.splitlines()[-1]
    line = next(line for line in out.splitlines() if "in truth" in line)
    estimate, sd, truth = (float(text) for text in re.findall(r"[+-]?\d+\.\d+", line))
    assert abs(estimate - truth) < 3.5 * sd
    assert sd < 3.0


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


@pytest.fixture
def with_water(synthetic, tmp_path):
    """Write a recording, its water reference and its basis set, all with TE and TR."""
    timed = synthetic.acquisition.replace(echo_time=0.035, repetition_time=2.0)
    time = np.arange(1024) * synthetic.acquisition.dwell_time
    fids = {"svs": synthetic.data(noise=3.0).fid, "mrsref": 8e4 * np.exp(-30.0 * time)}
    affine = np.diag([20.0, 20.0, 20.0, 1.0])
    for name, fid in fids.items():
        data = mp.MRSData(fid=fid, dims=("time",), acquisition=timed, affine=affine)
        mp.write(data, tmp_path / f"in/sub-01_{name}.nii.gz")
    mp.write_basis(synthetic.basis, tmp_path / "in/set.basis")
    return [
        "fit", tmp_path / "in/sub-01_svs.nii.gz", "--basis", tmp_path / "in/set.basis",
        "--reference", tmp_path / "in/sub-01_mrsref.nii.gz", "-o", tmp_path / "out",
    ]  # fmt: skip


def test_fit_with_tissue_fractions(run, with_water, tmp_path):
    code, out, err = run(*with_water, "--tissue", "0.6,0.3,0.1")
    assert code == 0, err
    assert "0.6 grey matter, 0.3 white matter, 0.1 CSF; TE 35 ms, TR 2000 ms" in out
    assert "mmol/kg" in out
    name = tmp_path / "out/sub-01_svs_desc-concentrations_mrs.tsv"
    table = pd.read_csv(name, sep="\t", na_values="n/a")
    assert (table.unit == "mmol/kg").all()
    assert {"concentration", "concentration_molar"} <= set(table.columns)
    sidecar = json.loads(name.with_suffix(".json").read_text())
    assert sidecar["concentration_molar"]["Units"] == "mmol/L"
    used = {row["quantity"]: row["value"] for row in sidecar["mrsproc"]["TissueCorrection"][
        "Constants"]}  # fmt: skip
    assert used["volume of gm"] == 0.6


def test_fit_with_a_segmentation(run, with_water, tmp_path):
    import nibabel as nib

    x = np.indices((30, 30, 30))[0]
    affine = np.eye(4)
    affine[:3, 3] = -14.5
    parts = {"gm": x < 15, "wm": (x >= 15) & (x < 20), "csf": x >= 20}
    paths = [tmp_path / f"in/{name}.nii.gz" for name in parts]
    for path, part in zip(paths, parts.values(), strict=True):
        nib.save(nib.Nifti1Image(part.astype(np.uint8), affine), path)
    code, out, err = run(*with_water, "--segmentation", *paths)
    assert code == 0, err
    assert "0.5 grey matter, 0.25 white matter, 0.25 CSF" in out


def test_tissue_options_that_cannot_be(run, with_water):
    code, _, err = run(*with_water, "--tissue", "60,30")
    assert (code, "GM,WM,CSF" in err) == (2, True)
    code, _, err = run(*with_water, "--tissue", "60,30,10")
    assert (code, "not percent" in err) == (2, True)
    without = [*with_water[:4], *with_water[6:]]
    code, _, err = run(*without, "--tissue", "0.6,0.3,0.1")
    assert (code, "give --reference too" in err) == (2, True)


def test_times_that_a_header_lacks(run, with_water, tmp_path):
    for name in ("svs", "mrsref"):
        data = mp.read(tmp_path / f"in/sub-01_{name}.nii.gz")
        plain = data.acquisition.replace(repetition_time=None)
        bare = mp.MRSData(fid=data.fid, dims=data.dims, acquisition=plain)
        mp.write(bare, tmp_path / f"in/sub-01_{name}.nii.gz")
    code, _, err = run(*with_water, "--tissue", "0.6,0.3,0.1")
    assert (code, "repetition_time of the metabolites" in err) == (2, True)
    assert not (tmp_path / "out").exists()
    code, out, err = run(*with_water, "--tissue", "0.6,0.3,0.1", "--tr", "1500")
    assert code == 0, err
    assert "TE 35 ms, TR 1500 ms" in out


def test_report(run, with_water, tmp_path):
    words = ["report", *with_water[1:6]]
    code, out, err = run(*words)
    assert code == 0, err
    assert out.splitlines()[-1] == "wrote sub-01_svs_report.html: open it in a browser"
    text = (tmp_path / "sub-01_svs_report.html").read_text(encoding="utf-8")
    assert "concentration (mM)" in text
    assert "Not part of this report, because it was not given: a fit over time." in text
    code, out, err = run(*words, "-o", "report.pdf")
    assert (code, "ends in .html" in err) == (2, True)
    code, _, err = run(*words[:2])
    assert (code, "a recording needs --basis" in err) == (2, True)
    code, _, err = run(*words, "--contrast", "drug", "placebo")
    assert (code, "--contrast is for a study" in err) == (2, True)


def test_report_over_time(run, synthetic, tmp_path):
    data = synthetic.data(noise=10.0, shape=(16,), dims=("transient",))
    data = dataclasses.replace(data, coords={"transient": 15.0 * np.arange(16)})
    mp.write(data, tmp_path / "scan_of_somebody.nii.gz")
    mp.write_basis(synthetic.basis, tmp_path / "set.basis")
    events = "onset\tduration\ttrial_type\n75\t120\tinfusion\n"
    (tmp_path / "events.tsv").write_text(events)
    words = ["report", "scan_of_somebody.nii.gz", "-b", "set.basis"]
    code, _, err = run(*words, "--events", "events.tsv")
    assert code == 0, err
    text = (tmp_path / "scan_of_somebody_report.html").read_text(encoding="utf-8")
    assert "<h1>MR spectroscopy session</h1>" in text and "somebody" not in text
    assert ">Endpoints</h3>" in text and "from 75 to 195 s after the first transient" in text
    assert "Not part of this report" not in text
