r"""Are the SDs of a fit right? Spectra like the one that was fitted, of known truth, fitted again.

A parametric bootstrap (Efron 1993, 10.1201/9780429246593, chapter 6) from what a fit knows. Each
simulated spectrum has amplitudes drawn from the posterior, shifts and widths drawn around the
common ones that were found, with the SDs of `FitOptions`, the baseline that was found, and noise of
the SD that the fit left over. Everything is then estimated anew: start, phases, lineshape,
stiffness of the baseline, noise, amplitudes. The scatter of (estimate - truth) is what the SD
claims to be, without linearisation and without the approximations of the posterior.

The FID whose spectrum has a given real part R in the window, and none outside, is twice the
positive half of its Fourier transform,

.. math:: s(0) = 2\, r(0), \quad s(t > 0) = 2\, r(t), \qquad r = \mathcal F^{-1}[R],

since the halves of r are conjugate to each other (but for the one sample between them); its first
point is whole, and halved again by the fit.
"""

import dataclasses
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.data import MRSData
from mrsproc.errors import InvalidInputError, MRSWarning
from mrsproc.fitting.driver import fit as fit_spectra
from mrsproc.fitting.options import FitOptions
from mrsproc.fitting.result import FitResult
from mrsproc.preproc.ends import without_rising_end

if TYPE_CHECKING:
    import pandas as pd

_LEAST: Final = 20
_BLOCK: Final = 25  # refits between two reports of progress
_INSIDE: Final = 1.96  # SDs


def bootstrap(
    data: MRSData,
    basis: BasisSet,
    options: FitOptions | None = None,
    *,
    n: int = 200,
    rng: np.random.Generator | int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> "pd.DataFrame":
    r"""Check the SDs of a fit on simulated spectra like the one that was fitted.

    What is simulated, and how, is written down in `mrsproc.fitting.refits`.

    Parameters
    ----------
    data : MRSData
        One spectrum.
    basis : BasisSet
        As for `mrsproc.fit`.
    options : FitOptions, optional
        As for `mrsproc.fit`.
    n : int, default 200
        Number of simulated spectra, at least 20; an SD is known to one in :math:`\sqrt{2 n}`.
    rng : numpy.random.Generator, int or None, default None
        Random numbers, or their seed.
    progress : callable, optional
        Called with the number of spectra that were fitted, and of all.

    Returns
    -------
    pandas.DataFrame
        A row for each signal and sum: metabolite, amplitude, sd (as the fit states them),
        bootstrap_bias, bootstrap_sd (mean and SD of estimate - truth in the units of the basis
        set), bootstrap_coverage (how often the 95 % interval holds the truth [%]), bootstrap_n (how
        many fits found a minimum; fewer than 20 give NaN).

    Raises
    ------
    InvalidInputError
        More than one spectrum, a fit that failed, or too small an n.

    See Also
    --------
    mrsproc.fit : The fit that is checked.

    Notes
    -----
    What the model lacks, such as another lineshape or a missing signal, the simulated spectra lack
    as well; misfit is in them as noise.
    """
    if data.dims != ("time",):
        raise InvalidInputError(
            f"the data have dimensions {data.dims}: give one spectrum, with "
            "data.select(transient=0) or data.mean('transient')."
        )
    if n < _LEAST:
        raise InvalidInputError(f"n = {n}: give at least {_LEAST} spectra to simulate.")
    data = without_rising_end(data)
    found = fit_spectra(data, basis, options)
    if not found.success:
        raise InvalidInputError(f"the fit itself failed: {found.reason}.")
    random = np.random.default_rng(rng)
    megahertz = data.acquisition.spectrometer_frequency
    off, sd = [], []
    for done in range(0, n, _BLOCK):
        draws = [_draw(found, megahertz, random) for _ in range(min(_BLOCK, n - done))]
        fids = np.array([_fid(draw, data.n_points, random) for draw in draws])
        made = MRSData(fid=fids, dims=("transient", "time"), acquisition=data.acquisition)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MRSWarning)  # the first fit has told
            again = fit_spectra(made, basis, options)
        truth = np.array([draw.amplitude for draw in draws])
        _, amplitude, covariance = again.with_sums()
        off.append(amplitude - dataclasses.replace(again, amplitude=truth).with_sums()[1])
        sd.append(np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)))
        if progress is not None:
            progress(done + len(draws), n)
    return _table(found, np.concatenate(off), np.concatenate(sd))


def _draw(found: FitResult, megahertz: float, random: np.random.Generator) -> FitResult:
    """Draw amplitudes, shifts and widths that the fit could have had."""
    n, theta = len(found.names), found.shape.copy()
    weight = (found.amplitude * found.model.scale) ** 2
    for part, sd in (
        (theta[3 : 3 + n], found.options.shift_sd * megahertz),
        (theta[3 + n :], found.options.width_sd),
    ):
        part[:] = np.average(part, weights=weight) + sd * random.standard_normal(n)
    amplitude = np.maximum(random.multivariate_normal(found.amplitude, found.covariance), 0.0)
    return dataclasses.replace(found, amplitude=amplitude, shape=theta)


def _fid(found: FitResult, n_points: int, random: np.random.Generator) -> Array:
    """Return the FID, first point whole, of signals and baseline in the window, with noise."""
    real = found.components().sum(axis=0) + found.baseline
    spectrum = np.zeros(found.model.size)
    window = found.model.window
    spectrum[np.arange(window.start, window.stop) - found.model.size // 2] = real
    sd = float(found.noise_sd) * np.sqrt(max(float(found.fit_quality), 1.0) / n_points)
    noise = random.normal(0.0, sd, (n_points, 2)).view(complex)[:, 0]
    return np.asarray(2.0 * np.fft.ifft(spectrum)[:n_points] + noise)


def _table(found: FitResult, off: Array, sd: Array) -> "pd.DataFrame":
    table = found.to_frame()[["metabolite", "amplitude", "sd"]]
    kept = np.isfinite(off).all(axis=1)
    off, sd = off[kept], sd[kept]
    values = np.full((3, len(table)), np.nan)
    if len(off) >= _LEAST:
        inside = 100.0 * np.mean(np.abs(off) < _INSIDE * sd, axis=0)
        values = np.array([off.mean(axis=0), off.std(axis=0, ddof=1), inside])
    bias, scatter, inside = values
    return table.assign(
        bootstrap_bias=bias,
        bootstrap_sd=scatter,
        bootstrap_coverage=inside,
        bootstrap_n=len(off),
    )
