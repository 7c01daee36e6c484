"""What the fits of all spectra of a call share: signals, band, baseline, priors, starts."""

import warnings
from typing import Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.constants import MACROMOLECULES, PPM_REFERENCE
from mrsproc.data import MRSData
from mrsproc.errors import BasisError, DataWarning
from mrsproc.fitting.band import band_model, check_coverage
from mrsproc.fitting.baseline import baseline_for
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.priors import RatioPrior, is_broad, ratio_rows, shape_prior, yardstick
from mrsproc.fitting.solve import Problem
from mrsproc.fitting.start import Templates, templates_for
from mrsproc.fitting.stiffness import START_PER_PPM, stiffness_grid

_TAIL_DISTANCE_PPM: Final = 0.2  # nearer to water the fit sees more than a tail
_NOISE_WEIGHT: Final = 0.37  # noise is measured to 4 to 5 %, what a fit leaves to 3 to 4 %
_LARGE_BYTES: Final = 2**22
_SEEN: Final = 0.05  # part of the norm of a signal that has to lie in the range of the fit


class Batch(NamedTuple):
    """What all spectra of a call share."""

    basis: BasisSet
    """Signals that are fitted: those in sight, and the built-in ones that were added."""
    problem: Problem
    templates: Templates
    priors: tuple[RatioPrior, ...]
    options: FitOptions
    stiffness: Array
    """Stiffnesses of the baseline that are compared."""
    start_stiffness: float
    noise_weight: float
    """What the noise as measured counts where the residual has less: 1 where it is known."""


def batch_for(data: MRSData, basis: BasisSet, options: FitOptions) -> Batch:
    """Set up the fit of spectra of one kind.

    Parameters
    ----------
    data : MRSData
        Spectra; how they were recorded and their length are read.
    basis : BasisSet
        Signals. Macromolecules and lipids are added when it has none.
    options : FitOptions
        How to fit.

    Returns
    -------
    Batch
        What all their fits share.

    Raises
    ------
    BasisError
        A basis set of another field, nucleus or a band that is too narrow, or with one signal
        under two names.

    Warns
    -----
    DataWarning
        Signals that lie outside the range of the fit.
    """
    _keep_small_arrays()
    signals = _signals(data, basis, options)
    built_in = np.array([name not in basis.names for name in signals.names])
    band = band_model(signals, data.acquisition, data.n_points, options.ppm)
    priors, rows = ratio_rows(signals, options)
    problem = Problem(
        band=band,
        baseline=baseline_for(band.ppm, options.baseline_spacing, _tail_ppm(data, options)),
        prior=shape_prior(signals, built_in, options, data.acquisition.spectrometer_frequency),
        ratio_rows=rows / band.scale,
        phase_ramp=band.ppm - band.ppm.mean(),
        narrow=~is_broad(signals),
        yardstick=yardstick(signals, options) / band.scale,
    )
    per_ppm = START_PER_PPM if isinstance(options.baseline, str) else float(options.baseline)
    return Batch(
        basis=signals,
        problem=problem,
        templates=templates_for(problem, signals),
        priors=priors,
        options=options,
        stiffness=stiffness_grid(problem),
        noise_weight=_NOISE_WEIGHT if options.noise_sd is None else 1.0,
        start_stiffness=problem.baseline.stiffness_for(per_ppm),
    )


def _keep_small_arrays() -> None:
    """Free one large array, after which the allocator of glibc keeps what smaller ones occupied.

    Else a fit gives its arrays back to the system and gets them again page by page, 900 times a
    spectrum (M_TRIM_THRESHOLD in mallopt(3)).
    """
    np.empty(_LARGE_BYTES, np.uint8)


def _signals(data: MRSData, basis: BasisSet, options: FitOptions) -> BasisSet:
    """Return the signals to fit: those in sight, and macromolecules where there are none."""
    proton = data.acquisition.nucleus == "1H"
    adds = options.macromolecules == "auto" and proton and not basis.has_broad_signals
    built_in = MACROMOLECULES if adds else {}
    given = [name for name in options.omit if name in basis or name not in built_in]
    if given:
        basis = basis.without(given)
    check_coverage(basis, data.acquisition, options.ppm)
    if proton:
        basis.warn_if_offset()
    basis = _in_sight(basis, options.ppm)
    _check_distinct(basis)
    low, high = options.ppm
    chosen = [
        name
        for name, lines in built_in.items()
        if low <= lines[0].ppm <= high and name not in options.omit
    ]
    return basis.with_macromolecules(chosen) if chosen else basis


def _in_sight(basis: BasisSet, ppm: tuple[float, float]) -> BasisSet:
    """Return the signals that have a part in the range of the fit, and say which have not."""
    low, high = ppm
    unseen = [
        name
        for name, part in zip(basis.names, basis.visible_part(low, high), strict=True)
        if part < _SEEN
    ]
    if unseen:
        if len(unseen) == len(basis):
            raise BasisError(
                f"no signal of the basis set lies within {low} to {high} ppm: choose another "
                "FitOptions(ppm=...)."
            )
        warnings.warn(
            f"{', '.join(unseen)} have no signal within {low} to {high} ppm and are left out.",
            DataWarning,
            stacklevel=5,
        )
        basis = basis.without(unseen)
    return basis


def _check_distinct(basis: BasisSet) -> None:
    """Refuse two names for one signal, between which no data can decide."""
    unit = basis.fid / np.linalg.norm(basis.fid, axis=1, keepdims=True)
    alike = np.triu(np.abs(unit @ unit.conj().T) > 1.0 - 1e-9, 1)
    for i, j in np.argwhere(alike):
        raise BasisError(
            f"{basis.names[i]} and {basis.names[j]} are the same signal: omit one of them with "
            "FitOptions(omit=...)."
        )


def _tail_ppm(data: MRSData, options: FitOptions) -> float | None:
    """Return where residual water stands, if that is outside the range of the fit."""
    if data.acquisition.nucleus != "1H":
        return None
    low, high = options.ppm
    outside = (
        high < PPM_REFERENCE["1H"] - _TAIL_DISTANCE_PPM
        or low > PPM_REFERENCE["1H"] + _TAIL_DISTANCE_PPM
    )
    return PPM_REFERENCE["1H"] if outside else None
