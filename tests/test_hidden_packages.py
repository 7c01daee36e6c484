"""Each optional package hidden in turn: all else works, and what needs it names the extra.

A package counts as optional when an extra of pyproject.toml brings it. Each is hidden in a process
of its own, as if it had never been installed.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
USED_BY = {
    "statsmodels": ("stats", "mp.stats.mixed_model(mp.stats.simulate_trial(rng=0).timecourses)"),
    "jinja2": ("report", "mp.report('x.html', raw=data)"),
    "plotly": ("report", "mp.report('x.html', raw=data)"),
    "dask": ("cluster", "study('tcp://127.0.0.1:1')"),
    "distributed": ("cluster", "study('tcp://127.0.0.1:1')"),
}
"""The extra that brings a package, and what needs it."""

HIDING = """
import sys
from pathlib import Path


class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hidden())

import mrsproc as mp
from mrsproc.simulation.example import example_basis

options = mp.SessionOptions(
    n_transients=16, n_points=512, repetition_time=15, infusion_onset=75, infusion_duration=120
)
session = mp.simulate(example_basis(), options, rng=21)
session.write_bids("bids")
mp.write_basis(session.basis, "press35.basis")
data = session.data


def study(client):
    mp.Study.from_bids("bids").run(output="results", basis="press35.basis", client=client)
"""
CORE = """
for name in mp.__all__:
    getattr(mp, name)

from mrsproc.cli import app

svs = "bids/sub-01/ses-01/mrs/sub-01_ses-01_svs.nii.gz"
for words in (
    ("--help",),
    ("info", svs),
    ("convert", svs, "-o", "nifti"),
    ("fit", svs, "--basis", "press35.basis", "-o", "fitted"),
    ("dynamic", svs, "--basis", "press35.basis", "--infusion", "75", "120", "-o", "moved"),
    ("power", "--effect", "5", "--endpoint-sd", "3", "-o", "power.png"),
):
    try:
        app(words, standalone_mode=False)
    except SystemExit as stop:
        assert not stop.code, words
mp.stats.crossover(mp.stats.simulate_trial(rng=0).endpoints)
"""
NEEDS = """
try:
    {needs}
except mp.errors.MissingPackageError as error:
    assert "mrsproc[{extra}]" in str(error), error
else:
    raise SystemExit("worked without {package}")
assert not Path("x.html").exists() and not Path("results").exists()
"""


def python(code, folder):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_works_without_any(tmp_path):
    python(f"HIDDEN = {set(USED_BY)}\n{HIDING}{CORE}", tmp_path)


@pytest.mark.parametrize("package", USED_BY)
def test_says_which_extra_is_needed(package, tmp_path):
    extra, needs = USED_BY[package]
    asked = NEEDS.format(needs=needs, extra=extra, package=package)
    python(f"HIDDEN = {{{package!r}}}\n{HIDING}{asked}", tmp_path)


def test_every_optional_package_is_here():
    extras = {
        name: PROJECT["optional-dependencies"][name] for name in ("stats", "report", "cluster")
    }
    brought = {
        requirement.partition(">")[0]: name
        for name, requirements in extras.items()
        for requirement in requirements
    }
    assert brought == {package: extra for package, (extra, _) in USED_BY.items()}
