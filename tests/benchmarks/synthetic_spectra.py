"""Spectra of known truth for the studies of the fit, made by the generator in ../shared."""

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import mrsproc as mp

SHARED = Path(__file__).resolve().parents[3] / "shared"
OPTIONS = mp.FitOptions(ppm=(0.2, 4.0))


USUAL_HZ = 0.780
"""Common Lorentzian width of the generator, which has no parameter for it."""


def generator(common_hz: float = USUAL_HZ) -> ModuleType:
    """Return ../shared/bench/generate.py as a module, with another common Lorentzian width."""
    path = SHARED / "bench" / "generate.py"
    before, usual, after = path.read_text().partition(f"{USUAL_HZ:.3f}")
    assert usual, "the generator has another common width"
    module = ModuleType("generate")
    module.__file__ = str(path)
    exec(compile(f"{before}{common_hz!r}{after}", path, "exec"), module.__dict__)
    return module


def spectra(
    mode: str, snr: float, seed: int, count: int, common_hz: float = USUAL_HZ
) -> dict[str, Any]:
    """Return what the generator makes."""
    made: dict[str, Any] = generator(common_hz).generate(mode, snr, seed, count)
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
