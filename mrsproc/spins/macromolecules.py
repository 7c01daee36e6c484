"""Broad signals: Gaussian lines of macromolecules and lipids, or a measured FID."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.constants import MACROMOLECULES, BroadLine
from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.lineshape import voigt_decay

_AREA_0_90: Final = 0.72

PARAMETRISED: Final[dict[str, tuple[BroadLine, ...]]] = {
    f"MM{ppm:.2f}": (BroadLine(ppm, hertz / 128.0, 3.0 * area / _AREA_0_90),)
    for ppm, hertz, area in (
        (0.90, 21.20, 0.72), (1.21, 19.16, 0.28), (1.38, 15.90, 0.38), (1.63, 7.50, 0.05),
        (2.01, 29.03, 0.45), (2.09, 20.53, 0.36), (2.25, 17.89, 0.36), (2.61, 5.30, 0.04),
        (2.96, 14.02, 0.20), (3.11, 17.89, 0.11), (3.67, 33.52, 0.64), (3.80, 11.85, 0.07),
        (3.96, 37.48, 1.00),
    )
}  # fmt: skip
"""Gaussian lines of the metabolite-nulled spectrum of human brain at 3 T (Birch 2017,
10.1002/mrm.26103: FWHM in Hz at 128 MHz, relative areas). They are the resonances from M0.94 on of
Cudalbu 2021 (10.1002/nbm.4393), named by the chemical shift that was found; areas are scaled so
that the methyl line at 0.90 ppm has 3 protons."""

_SETS: Final = {"lcmodel": MACROMOLECULES, "parametrised": PARAMETRISED}


def with_macromolecules(
    basis: BasisSet, macromolecules: str | Iterable[str] | MRSData, acquisition: Acquisition
) -> BasisSet:
    """Return a basis set with broad signals added.

    Parameters
    ----------
    basis : BasisSet
        Simulated signals, in protons.
    macromolecules : str, iterable of str or MRSData
        "lcmodel", "parametrised", names of either set, or a recording without metabolites.
    acquisition : Acquisition
        That of the basis set.

    Returns
    -------
    BasisSet
        With the new signals behind the others.

    Raises
    ------
    InvalidInputError
        Unknown name, or a recording with more than one FID left after averaging.
    """
    if isinstance(macromolecules, MRSData):
        return basis.combined_with(_measured(macromolecules, basis, acquisition))
    known = {**MACROMOLECULES, **PARAMETRISED}
    if isinstance(macromolecules, str):
        chosen = list(_SETS.get(macromolecules, [macromolecules]))
    else:
        chosen = list(macromolecules)
    for name in chosen:
        if name not in known:
            raise InvalidInputError(
                f"no macromolecules {name!r}. {suggest(name, [*_SETS, *known])}"
            )
    if not chosen:
        return basis
    fid = np.array([_gaussian_fid(known[name], basis) for name in chosen])
    source = "macromolecules: Gaussian lines"
    return basis.combined_with(replace(basis, names=tuple(chosen), fid=fid, source=source))


def _gaussian_fid(lines: Iterable[BroadLine], basis: BasisSet) -> Array:
    time = basis.time
    fid = np.zeros(basis.n_points, complex)
    for line in lines:
        frequency = axes.ppm_to_hz(line.ppm, basis.spectrometer_frequency, basis.ppm_reference)
        decay = voigt_decay(time, 0.0, line.fwhm_ppm * basis.spectrometer_frequency)
        fid += line.protons * decay * np.exp(2j * np.pi * float(frequency) * time)
    return fid


def _measured(data: MRSData, basis: BasisSet, acquisition: Acquisition) -> BasisSet:
    """Return the mean of a recording as the signal "MM", its first point of magnitude 1."""
    for dim in data.dims[:-1]:
        if dim != "coil":
            data = data.mean(dim)
    if data.dims != ("time",):
        raise InvalidInputError(
            "the macromolecule recording still has coils: combine them with mp.coil_weights first."
        )
    recorded = data.acquisition
    signal = BasisSet(
        names=("MM",),
        fid=(data.fid / np.abs(data.fid[0]))[None, :],
        dwell_time=recorded.dwell_time,
        spectrometer_frequency=recorded.spectrometer_frequency,
        ppm_reference=recorded.ppm_reference,
        source="macromolecules: measured",
    )
    return signal.resampled_to(acquisition, basis.n_points)
