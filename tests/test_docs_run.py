"""What the documentation shows is run: every command and every piece of Python, page by page.

Each page has a folder of its own with the files that its examples name (`INPUTS`), and is run from
top to bottom: what one block leaves, the next one finds.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
import pytest

import mrsproc as mp
from mrsproc.__main__ import main
from mrsproc.errors import MRSWarning
from mrsproc.simulation.example import example_basis
from mrsproc.spins import hamming_sinc

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]

NOT_RUN = {
    'pip install ".[report]" && mrsproc demo': "the first thing that .ci/run does",
    'pip install -e ".[test]" && python -m pytest': "the last thing that .ci/run does",
    "export OPENBLAS_NUM_THREADS=1": "means nothing to what is run inside the test",
    "python tests/benchmarks/bench_fit.py": "takes minutes; each study has a short test",
    "Rscript examples/r/crossover.R results Glx auc": "needs R: tests/stats/test_r.py",
    "dask scheduler": "runs until it is stopped; tests/study/test_whole.py has a scheduler",
    "dask worker tcp://node1:8786 --nthreads 1": "likewise",
    "mrsproc run bids results participant --basis press35.basis --scheduler tcp://node1:8786": (
        "likewise"
    ),
    "sbatch --array=1-26 participant.sh": "needs SLURM",
    "mrsproc --install-completion": "changes the shell of who runs the tests: tests/cli",
    "mrsproc demo -o mrsproc-demo": "takes 10 s: tests/cli/test_cli.py",
}
"""Lines that are shown and not run, and why."""


def linked(name):
    return lambda folder, target, data: target.symlink_to(data / name)


def session(folder, target, data):
    """A recording of 50 minutes, its water reference and its events."""
    options = mp.SessionOptions(
        n_transients=96, repetition_time=31.25, n_points=512, snr=40.0, n_coils=2, echo_time=0.035,
        infusion_onset=300.0, infusion_duration=2400.0,
    )  # fmt: skip
    made = mp.simulate(example_basis(), options, effects={"Glu": 0.1}, rng=0)
    for path in made.write_bids(folder / "made"):
        path.rename(folder / path.name.replace("_ses-01", ""))


def trial(folder, target, data):
    """Study tables of a trial."""
    target.mkdir()
    made = mp.stats.simulate_trial(rng=3)
    for name in ("endpoints", "timecourses"):
        getattr(made, name).to_csv(target / f"{name}.tsv", sep="\t", index=False)


def study(folder, target, data):
    """Eight short sessions of four people."""
    options = mp.SessionOptions(
        n_transients=30, n_points=512, repetition_time=8, infusion_onset=75, infusion_duration=120
    )
    for person in ("01", "02", "03", "04"):
        for visit, condition in enumerate(("placebo", "ketamine"), start=1):
            made = mp.simulate(example_basis(), options, rng=10 * int(person) + visit)
            made.write_bids(target, subject=person, session=f"0{visit}", condition=condition)


def tissue(fraction):
    def write(folder, target, data):
        affine = np.diag([8.0, 8.0, 8.0, 1.0])
        affine[:3, 3] = -80.0
        nib.save(nib.Nifti1Image(np.full((20, 20, 20), fraction, np.float32), affine), target)

    return write


def pulse(folder, target, data):
    shape = np.abs(hamming_sinc(180.0, 6.9e-3).waveform)
    np.savetxt(target, shape / shape.max())


MAKERS = {
    "sub-01_act.sdat": linked("philips_press_3t/sub-01_PRESS_35_act.sdat"),
    "sub-01_act.spar": linked("philips_press_3t/sub-01_PRESS_35_act.spar"),
    "sub-01_ref.sdat": linked("philips_press_3t/sub-01_PRESS_35_ref.sdat"),
    "sub-01_ref.spar": linked("philips_press_3t/sub-01_PRESS_35_ref.spar"),
    "sub-01.rda": linked("vendor/siemens_press30.rda"),
    "press35.basis": linked("basis/press35_philips_3t.basis"),
    "theirs.basis": linked("basis/press30_3t.basis"),
    "siemens_mega_3t": linked("siemens_mega_3t"),
    "infusion": linked("infusion"),
    "sub-01_svs.nii.gz": session,
    "results": trial,
    "bids": study,
    "c1T1.nii.gz": tissue(0.6),
    "c2T1.nii.gz": tissue(0.3),
    "c3T1.nii.gz": tissue(0.1),
    "refocusing.txt": pulse,
}
SPECTRUM = ["sub-01_act.sdat", "sub-01_act.spar", "sub-01_ref.sdat", "sub-01_ref.spar"]
SESSION = ["sub-01_svs.nii.gz", "press35.basis"]
INPUTS = {
    "README": [*SPECTRUM, *SESSION],
    "basis_sets": [*SPECTRUM, "theirs.basis", "refocusing.txt"],
    "cluster": ["bids", "press35.basis"],
    "coming_from": [*SPECTRUM, "press35.basis"],
    "commands": [*SPECTRUM, *SESSION, "theirs.basis", "bids"],
    "fit": [*SPECTRUM, "press35.basis"],
    "from_raw_to_report": ["siemens_mega_3t", "infusion"],
    "peaks": SPECTRUM,
    "preprocessing": SESSION,
    "quantities": [*SESSION, "c1T1.nii.gz", "c2T1.nii.gz", "c3T1.nii.gz"],
    "quick_start": [*SPECTRUM, *SESSION],
    "r": ["results"],
    "reading": ["sub-01.rda"],
    "report": [*SESSION, "bids"],
    "response_models": SESSION,
    "statistics": ["results"],
    "timecourses": SESSION,
    "uncertainty": [*SPECTRUM, "press35.basis"],
}
"""What a page finds in its folder; the other pages make what they need."""


def blocks(page):
    """Return language and code of the blocks of a page that are run, and files to be saved."""
    pattern = r"(?:[Ss]ave this as `([^`]+)`[^\n]*\n\n)?^```(\S+)[^\n]*\n(.*?)^```"
    return re.findall(pattern, page.read_text(), flags=re.DOTALL | re.MULTILINE)


def lines(code):
    """Return the logical lines of a block for the shell, without comments."""
    whole = code.replace("\\\n", " ").splitlines()
    words = [" ".join(line.partition(" #")[0].split()) for line in whole]
    return [line for line in words if line and line[0] != "#"]


def call(line, monkeypatch):
    """Run a line of the shell: calls of mrsproc in this process, all else in one of its own."""
    for part in line.split(" && "):
        words = shlex.split(part)
        if words[0] != "mrsproc":
            subprocess.run(part, shell=True, check=True)
            continue
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code, f"exit code {stop.value.code}: {line}"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


WITH_CODE = [
    page for page in PAGES if any(kind in {"python", "bash"} for _, kind, _ in blocks(page))
]


@pytest.mark.real
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_page_runs(page, tmp_path, monkeypatch, data_folder, cache):
    monkeypatch.setenv("MRSPROC_CACHE", str(cache))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for name in INPUTS.get(page.stem, ()):
        MAKERS[name](tmp_path, tmp_path / name, data_folder)
    names = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MRSWarning)  # real recordings have their faults
        for saved_as, kind, code in blocks(page):
            if saved_as:
                Path(saved_as).write_text(code)
            elif kind == "python":
                exec(compile(code, str(page), "exec"), names)
            elif kind == "bash":
                for line in lines(code):
                    if line not in NOT_RUN:
                        call(line, monkeypatch)
            elif kind == "r" and shutil.which("Rscript"):
                subprocess.run(["Rscript", "-e", code], check=True)
    plt.close("all")


def test_what_is_not_run_is_shown_and_run_elsewhere():
    shown = {
        line for page in PAGES for _, kind, code in blocks(page) if kind == "bash"
        for line in lines(code)
    }  # fmt: skip
    assert set(NOT_RUN) <= shown
    ci = (ROOT / ".ci" / "run").read_text()
    for line, why in NOT_RUN.items():
        assert ".ci/run" not in why or line in ci, line
        for path in re.findall(r"tests/[\w/]+(?:\.py)?", why):
            assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_has_a_language_that_is_run(page):
    """No command hides in a block that is only shown."""
    for saved_as, kind, code in blocks(page):
        assert kind in {"python", "bash", "r", "text"} or kind[0] == "{" or saved_as, (kind, code)
        if kind == "text":
            assert not re.search(r"^(mrsproc|python|pip|\$) ", code, flags=re.MULTILINE), code


MEGA = "siemens_mega_3t/mega-press-68-anon.nii.gz"
SESSION_04 = "infusion/session-04_raw_svs.nii.gz -b infusion/basis_ge_press35.basis"


@pytest.mark.real
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (f"{MEGA} -b infusion/basis_ge_press35.basis", "an edited sequence"),
        (f"{SESSION_04} -r infusion/session-04_raw_svs.nii.gz", "the reference is not water"),
        (f"{MEGA} -b {MEGA} --edit none", "not a basis set that is known"),
        (f"{SESSION_04} --response plasma", "when was the infusion"),
        (
            "infusion/session-04_raw_coils.npz -b infusion/basis_ge_press35.basis",
            "not a recording in a format that is known",
        ),
    ],
)
def test_messages_of_the_page_on_reports(
    words, message, tmp_path, monkeypatch, data_folder, capsys
):
    """Bad input to a report gives the words that the page lists, and no file."""
    assert f"`{message}`" in (DOCS / "from_raw_to_report.md").read_text()
    monkeypatch.chdir(tmp_path)
    for name in INPUTS["from_raw_to_report"]:
        MAKERS[name](tmp_path, tmp_path / name, data_folder)
    with pytest.raises(AssertionError, match="exit code 2"):
        call(f"mrsproc report {words} -o report.html", monkeypatch)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_three_commands_are_enough_for_a_report():
    parts = (DOCS / "from_raw_to_report.md").read_text().split("\n## ")
    for part in parts:
        for code in re.findall(r"```bash\n(.*?)```", part, flags=re.DOTALL):
            made = lines(code)
            assert len(made) <= 3
            assert made[-1].startswith("mrsproc report ")
