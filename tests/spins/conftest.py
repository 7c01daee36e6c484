"""Fixtures for the simulation of basis sets."""

from pathlib import Path

import pytest

from mrsproc.data import Acquisition


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MRSPROC_CACHE", str(folder))
    return folder


@pytest.fixture
def acquisition() -> Acquisition:
    return Acquisition(spectrometer_frequency=123.25, dwell_time=5e-4)
