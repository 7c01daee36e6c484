"""What headers, tables and paths tell of people reaches nothing that a command writes or says."""

import gzip
import json
import shutil
import zipfile

import nibabel as nib
import numpy as np
import pytest

import mrsproc as mp
from mrsproc.simulation.example import example_basis

PERSON = "Erika Mustermann"
FOLDER = "Mustermann_Erika_1959"
SECRETS = ("Erika", "Mustermann", "19590312", "1959-03-12", "KV-4711", "secret note")
ATTACK = "<script>document.title='owned'</script>"
HEADER = {
    "PatientName": PERSON,
    "PatientDoB": "19590312",
    "PatientID": "KV-4711",
    "PatientSex": "F",
    "PatientWeight": 71.0,
    "OriginalFile": [f"/home/{FOLDER}/scan.dat"],
    "Instructions": f"secret note {ATTACK}",
    "ProtocolName": f"{PERSON} {ATTACK}",
}


@pytest.fixture(scope="module")
def basis():
    return example_basis()


@pytest.fixture(scope="module")
def bids(basis, tmp_path_factory):
    """A data set in a folder with the person's name, which also stands wherever it can."""
    root = tmp_path_factory.mktemp("in") / FOLDER / "bids"
    options = mp.SessionOptions(
        n_transients=16, n_points=512, n_coils=2, repetition_time=15.0, infusion_onset=75.0,
        infusion_duration=120.0, snr=40.0,
    )  # fmt: skip
    for visit, condition in enumerate(("placebo", "drug"), start=1):
        session = mp.simulate(basis, options, effects={"Glu": 0.1}, rng=visit)
        for path in session.write_bids(
            root, subject="01", session=f"0{visit}", condition=condition
        ):
            if path.suffix == ".gz":
                mark(path)
    people = f"participant_id\tname\tbirth\nsub-01\t{PERSON} {ATTACK}\t1959-03-12\n"
    (root / "participants.tsv").write_text(people)
    mrs = root / "sub-02" / "ses-01" / "mrs"
    mrs.mkdir(parents=True)
    for suffix in ("svs", "mrsref"):
        (mrs / f"sub-02_ses-01_{suffix}.nii.gz").write_bytes(b"no recording")
    with (root / "sessions.tsv").open("a") as table:
        table.write("sub-02\tses-01\tdrug\n")
    return root


def mark(path):
    """Write everything of a person into the header of a NIfTI-MRS file, as other programs do."""
    image = nib.load(path)
    image.get_fdata(dtype=np.complex64)
    (extension,) = image.header.extensions
    meta = json.loads(extension.get_content().decode().strip("\0"))
    meta |= HEADER | {"SequenceName": f"PRESS {ATTACK}"}
    meta["ProcessingApplied"] = [
        {
            "Method": f"Conversion {ATTACK}",
            "Program": "spec2nii",
            "Details": f"of {PERSON}, 19590312",
        }
    ]
    text = json.dumps(meta).encode()
    image.header.extensions[:] = [nib.nifti1.Nifti1Extension(44, text)]
    copy = path.with_name("copy.nii.gz")
    nib.save(image, copy)
    copy.replace(path)


def contents(folder):
    """Yield every file below a folder as text, archives unpacked."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                data = b"".join(archive.read(name) for name in archive.namelist())
        else:
            data = path.read_bytes()
        yield path, (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("latin-1")


def test_the_header_really_tells_it(bids):
    """Else nothing would be tested."""
    text = "".join(text for _, text in contents(bids))
    assert all(secret in text for secret in SECRETS)
    data = mp.read(bids / "sub-01" / "ses-01" / "mrs" / "sub-01_ses-01_svs.nii.gz")
    assert ATTACK in data.acquisition.sequence and ATTACK in data.history[0].method


def test_nothing_of_a_person_is_written_or_said(run, bids, basis, tmp_path):
    mp.write_basis(basis, tmp_path / "in.basis")
    mrs = bids / "sub-01" / "ses-01" / "mrs"
    shutil.copy(mrs / "sub-01_ses-01_svs.nii.gz", mrs / f"{FOLDER}.nii.gz")
    recording, named = mrs / "sub-01_ses-01_svs.nii.gz", mrs / f"{FOLDER}.nii.gz"
    water = ["-r", mrs / "sub-01_ses-01_mrsref.nii.gz"]
    fitted, drug = ["-b", "in.basis"], ["--infusion", 75, 120]
    said = ""
    for words in (
        ["info", recording],
        ["preprocess", recording, *water, *drug, "-o", "out/clean"],
        ["fit", recording, *fitted, *water, "-o", "out/fit"],
        ["dynamic", recording, *fitted, *water, *drug, "--ratio", "tNAA", "-o", "out/dynamic"],
        ["report", recording, *fitted, *water, *drug, "-o", "out/report.html"],
        ["report", named, *fitted, *water, "-o", "out/named.html"],
        ["run", bids, "out/study", "participant", *fitted, "--jobs", 1],
        ["report", "out/study", "-o", "out/again.html"],
    ):
        code, out, err = run(*words)
        assert code == int("run" in words), err  # sub-02 cannot be read
        said += out + err
    written = dict(contents(tmp_path / "out"))
    suffixes = {path.suffix for path in written}
    assert {".html", ".tsv", ".json", ".svg", ".png", ".npz", ".gz"} <= suffixes
    # A recording keeps what is not private in its header; what it keeps of a person is private.
    recordings = [written.pop(path) for path in list(written) if path.suffix == ".gz"]
    for field in ("PatientName", "PatientDoB", "PatientID", "OriginalFile", "KV-4711"):
        assert [text for text in recordings if field in text] == [], field
    failures = (tmp_path / "out" / "study" / "failures.tsv").read_text()
    assert "\tread\t" in failures and "sub-02_ses-01_svs.nii.gz" in failures
    for secret in SECRETS:
        assert [path.name for path, text in written.items() if secret in text] == [], secret
        assert secret not in said, secret
    for path, text in written.items():
        if path.suffix in {".html", ".svg"}:
            assert ATTACK not in text, path
            assert "<script>document.title" not in text, path
