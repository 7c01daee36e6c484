"""Fixtures for all tests: real recordings, and small synthetic spectra of known content."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import hypothesis
import numpy as np
import pytest

from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition, MRSData

os.environ["MPLBACKEND"] = "Agg"
DATA_FOLDER = Path(__file__).parents[2] / "shared" / "data"

hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")


def pytest_runtest_setup(item):
    if item.get_closest_marker("r") is not None and not _has_r():
        pytest.skip("R with lme4 and lmerTest is missing: apt-get install r-cran-lmertest")
    missing = {
        "real": None if DATA_FOLDER.is_dir() else f"the recordings in {DATA_FOLDER} are missing",
        "browser": None
        if CHROMIUM and CHROMEDRIVER
        else "Chromium or its driver is missing: apt-get install chromium chromium-driver",
    }
    for marker, text in missing.items():
        if text is None or item.get_closest_marker(marker) is None:
            continue
        if os.environ.get("CI") == "true":
            pytest.fail(text, pytrace=False)
        pytest.skip(text)


@pytest.fixture(scope="session")
def chromium():
    """Names of Chromium and of its driver; for tests marked `browser`."""
    return CHROMIUM, CHROMEDRIVER


@cache
def _has_r():
    if shutil.which("Rscript") is None:
        return False
    words = ["Rscript", "-e", "library(lme4); library(lmerTest); library(pbkrtest)"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def data_folder():
    """Folder of the real recordings; for tests marked `real`."""
    return DATA_FOLDER


MEGAHERTZ = 123.2
DWELL = 5e-4
LINES = {
    "NAA": ((2.008, 3.0), (2.43, 0.3), (2.49, 0.7), (2.64, 0.7), (2.70, 0.3), (4.38, 1.0)),
    "Cr": ((3.027, 3.0), (3.913, 2.0)),
    "PCr": ((3.029, 3.0), (3.930, 2.0)),
    "GPC": ((3.212, 9.0), (3.66, 2.0), (3.60, 2.0), (3.90, 1.0), (4.31, 2.0)),
    "Glu": ((2.04, 1.0), (2.12, 1.0), (2.31, 0.5), (2.35, 1.0), (2.39, 0.5), (3.75, 1.0)),
    "Gln": ((2.10, 1.0), (2.14, 1.0), (2.41, 0.6), (2.45, 1.0), (2.48, 0.4), (3.765, 1.0)),
    "Ins": ((3.50, 1.0), (3.55, 1.0), (3.59, 0.6), (3.64, 1.4), (3.27, 1.0), (4.06, 1.0)),
    "Tau": ((3.21, 0.4), (3.25, 1.2), (3.29, 0.4), (3.38, 0.4), (3.42, 1.2), (3.46, 0.4)),
}
AMPLITUDES = {
    "NAA": 12.0, "Cr": 4.5, "PCr": 4.0, "GPC": 1.4, "Glu": 9.5, "Gln": 3.0, "Ins": 6.5, "Tau": 1.6,
}  # fmt: skip
MM_LINES = (("MM09", 0.91, 3.0, 18.0), ("MM20", 2.07, 3.0, 22.0))


def line_fid(ppm, time, width_hz=2.5, megahertz=MEGAHERTZ, reference=4.65):
    """Return the FID of one Lorentzian line, written down without any code of mrsproc."""
    return np.exp((2j * np.pi * (reference - ppm) * megahertz - np.pi * width_hz) * time)


class Synthetic(NamedTuple):
    """Spectra of a few lines: what every test of a fit starts from."""

    basis: BasisSet
    acquisition: Acquisition
    names: tuple[str, ...]
    truth: np.ndarray

    def data(
        self, *, n=1024, phase=0.0, shift_ppm=0.0, gauss=4.0, noise=0.0, seed=0, shape=(), dims=()
    ):
        """Return spectra of the true amplitudes; `noise` is the SD of a real point."""
        time = np.arange(n) * DWELL
        clean = self.truth @ self.basis.fid[:, :n]
        clean = clean * np.exp(-(np.pi**2) / (4 * np.log(2)) * (gauss * time) ** 2)
        clean = clean * np.exp(1j * phase - 2j * np.pi * shift_ppm * MEGAHERTZ * time)
        rng = np.random.default_rng(seed)
        fids = np.broadcast_to(clean, (*shape, n)).copy()
        if noise:
            fids += noise * (rng.standard_normal(fids.shape) + 1j * rng.standard_normal(fids.shape))
        return MRSData(fid=fids, dims=(*dims, "time"), acquisition=self.acquisition)


@pytest.fixture(scope="session")
def synthetic():
    time = np.arange(2048) * DWELL
    fids = [sum(weight * line_fid(ppm, time) for ppm, weight in lines) for lines in LINES.values()]
    for _, ppm, weight, width in MM_LINES:
        fids.append(weight * line_fid(ppm, time, 1.0) * np.exp(-3.56 * (width * time) ** 2))
    basis = BasisSet(
        names=(*LINES, *(name for name, *_ in MM_LINES)),
        fid=np.array(fids),
        dwell_time=DWELL,
        spectrometer_frequency=MEGAHERTZ,
    )
    truth = np.array([*AMPLITUDES.values(), 8.0, 9.0])
    acquisition = Acquisition(spectrometer_frequency=MEGAHERTZ, dwell_time=DWELL)
    return Synthetic(basis, acquisition, basis.names, truth)


@pytest.fixture(scope="session")
def make_line():
    """FID of one line: (ppm, time, width_hz, megahertz, reference)."""
    return line_fid
