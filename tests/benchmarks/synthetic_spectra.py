"""Spectra of known truth for the studies of the fit, made by the generator in ../shared."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import mrsproc as mp

SHARED = Path(__file__).resolve().parents[3] / "shared"
OPTIONS = mp.FitOptions(ppm=(0.2, 4.0))


def generator() -> ModuleType:
    """Return ../shared/bench/generate.py as a module."""
    path = SHARED / "bench" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def spectra(mode: str, snr: float, seed: int, count: int) -> dict[str, Any]:
    """Return what the generator makes."""
    made: dict[str, Any] = generator().generate(mode, snr, seed, count)
    return made


def as_objects(made: dict[str, Any]) -> tuple[mp.MRSData, mp.BasisSet]:
    """Return data and basis set of what the generator made."""
    acquisition = mp.Acquisition(
        spectrometer_frequency=made["hzpppm"], dwell_time=made["dwell"], nucleus="1H"
    )
    data = mp.MRSData(fid=made["fids"], dims=("transient", "time"), acquisition=acquisition)
    basis = mp.BasisSet(
        names=made["names"],
        fid=made["basis_fids"],
        dwell_time=made["dwell"],
        spectrometer_frequency=made["hzpppm"],
    )
    return data, basis


def true_amounts(made: dict[str, Any], fit: mp.FitResult) -> dict[str, np.ndarray]:
    """Return the truth of every signal and sum of a fit."""
    from mrsproc.fitting.result import sum_weights

    column = {name: made["truth"][:, i] for i, name in enumerate(made["names"])}
    stacked = np.array([column[name] for name in fit.names])
    sums = {name: weights @ stacked for name, weights in sum_weights(fit.names).items()}
    return column | sums


def cpu_seconds() -> float:
    """Return user and system time of this process so far."""
    times = os.times()
    return times.user + times.system
