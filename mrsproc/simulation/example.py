"""A small recording of known concentrations: what the demo and the first notebook fit."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition, MRSData
from mrsproc.lineshape import voigt_decay
from mrsproc.spins import simulate_basis

CONCENTRATIONS_MM: Final[Mapping[str, float]] = {
    "Asc": 0.8, "Asp": 2.0, "Cr": 4.5, "GABA": 1.2, "GPC": 1.0, "GSH": 1.2, "Gln": 2.5,
    "Glu": 9.0, "Ins": 6.0, "Lac": 0.6, "NAA": 10.0, "NAAG": 1.2, "PCh": 0.5, "PCr": 4.0,
    "PE": 1.0, "Scyllo": 0.3, "Tau": 1.5,
    "MM09": 4.0, "MM12": 1.2, "MM14": 3.0, "MM17": 1.5, "MM20": 6.0,
}  # fmt: skip
"""Usual concentrations in grey matter (Govindaraju 2000,
10.1002/1099-1492(200005)13:3<129::AID-NBM619>3.0.CO;2-V) with macromolecules in the ratios of
LCModel's manual."""
WATER_SIGNAL_MM: Final = 35880.0 * 0.7
"""Concentration of water times what relaxation leaves, as in `mrsproc.WaterScaling` [mM]."""


EXAMPLE_ACQUISITION: Final = Acquisition(
    spectrometer_frequency=127.731,
    dwell_time=5e-4,
    echo_time=0.035,
    repetition_time=2.0,
    sequence="PRESS",
)
"""PRESS, TE 35 ms, at 3 T."""


class Example(NamedTuple):
    """A recording whose truth is known."""

    data: MRSData
    """One spectrum."""
    water: MRSData
    """Its water reference."""
    basis: BasisSet
    """The basis set that it was made from, without macromolecules."""
    truth: dict[str, float]
    """Concentrations [mM]."""


def example_basis() -> BasisSet:
    """Simulate the metabolites of `CONCENTRATIONS_MM` with PRESS, TE 35 ms, at 3 T."""
    names = [name for name in CONCENTRATIONS_MM if not name.startswith("MM")]
    return simulate_basis(
        "press",
        echo_time=0.035,
        acquisition=EXAMPLE_ACQUISITION,
        n_points=1024,
        metabolites=names,
    )


def small_example(*, snr: float = 60.0, rng: np.random.Generator | int | None = 0) -> Example:
    """Simulate a PRESS spectrum (TE 35 ms, 3 T) with residual water, and its reference.

    Parameters
    ----------
    snr : float, default 60.0
        Height of the tallest peak over the SD of the noise of the real spectrum.
    rng : Generator, int or None, default 0
        Source of the noise.

    Returns
    -------
    Example
        Recording, reference, basis set and truth.
    """
    rng = np.random.default_rng(rng)
    basis = example_basis()
    acquisition = EXAMPLE_ACQUISITION
    full = basis.with_macromolecules([name for name in CONCENTRATIONS_MM if name.startswith("MM")])
    time = full.time
    clean = (
        np.array([CONCENTRATIONS_MM[name] for name in full.names])
        @ full.fid
        * voigt_decay(time, 1.5, 4.0)
    )
    clean = clean * np.exp(2j * np.pi * -1.5 * time) * np.exp(0.4j)
    residual = 30.0 * np.exp(1j * rng.uniform(-np.pi, np.pi)) * voigt_decay(time, 8.0)
    height = float(np.abs(np.fft.fft(clean)).max())
    noise = (
        height
        / snr
        / np.sqrt(time.size)
        * (rng.normal(size=time.size) + 1j * rng.normal(size=time.size))
    )
    water = (
        2.0 * WATER_SIGNAL_MM * full.signal_per_proton * voigt_decay(time, 3.0, 4.0).astype(complex)
    )
    truth = {
        "tNAA": CONCENTRATIONS_MM["NAA"] + CONCENTRATIONS_MM["NAAG"],
        "tCr": CONCENTRATIONS_MM["Cr"] + CONCENTRATIONS_MM["PCr"],
        "tCho": CONCENTRATIONS_MM["GPC"] + CONCENTRATIONS_MM["PCh"],
        "Glx": CONCENTRATIONS_MM["Glu"] + CONCENTRATIONS_MM["Gln"],
    }
    return Example(
        data=MRSData(
            fid=clean + residual + noise,
            dims=("time",),
            acquisition=acquisition.replace(water_suppressed=True),
        ),
        water=MRSData(
            fid=water, dims=("time",), acquisition=acquisition.replace(water_suppressed=False)
        ),
        basis=basis,
        truth=truth,
    )
