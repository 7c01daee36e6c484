"""The start of a fit: phase, frequency shift and linewidth from a cross-correlation.

The recorded spectrum is correlated with the sum of the basis set at usual brain concentrations,
for all shifts at once by an FFT. The first milliseconds are left out, which removes what is broad:
baseline, lipids and macromolecules. The shift is where the magnitude is largest, the phase is the
angle there.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.errors import InvalidInputError
from mrsproc.fitting.solve import Point, Problem, Spectrum, baseline_and_residual, evaluate

USUAL_MM: Final[dict[str, float]] = {
    "NAA": 11.0, "NAAG": 1.5, "Cr": 4.5, "PCr": 4.0, "GPC": 1.2, "PCh": 0.6, "Cho": 1.5,
    "Glu": 9.0, "Gln": 2.5, "Ins": 6.0, "Tau": 1.5, "GSH": 1.2, "Asp": 2.0,
}  # fmt: skip
"""Usual concentrations in grey matter [mM], to weigh the template (Govindaraju 2000,
10.1002/1099-1492(200005)13:3<129::AID-NBM619>3.0.CO;2-V)."""
MAX_SHIFT_PPM: Final = 0.25
_TEMPLATE_PPM: Final = (1.75, 3.95)
_WIDTHS_HZ: Final = (3.0, 6.0, 12.0)
_DEAD_TIME: Final = 0.008
_N_CANDIDATES: Final = 3
_DISTINCT_HZ: Final = 4.0
_WORTH_TRYING: Final = 0.7  # of the best correlation
_OTHER_SHIFTS: Final = np.array([-6.0, -4.5, -3.0, -1.5, 1.5, 3.0, 4.5, 6.0])  # SDs of the prior
_WORTH_A_START: Final = 10.0  # of chi-squared


@dataclass(frozen=True, eq=False)
class Templates:
    """What recorded spectra are correlated with.

    Parameters
    ----------
    taper : ndarray, shape (n,)
        Window over the spectrum.
    late : ndarray, shape (n,)
        Window over its transform: 0 at first, where broad signals are.
    models : ndarray of complex, shape (n_widths, n)
        Conjugate transforms of the sum of the basis set, of unit norm, a row for each width.
    shift : ndarray, shape (k,)
        Shifts that are compared [Hz], as an FFT orders them.
    allowed : ndarray of bool, shape (k,)
        Which of them are small enough.
    """

    taper: Array
    late: Array
    models: Array
    shift: Array
    allowed: Array


def templates_for(problem: Problem, basis: BasisSet) -> Templates:
    """Prepare the correlation with usual concentrations.

    Parameters
    ----------
    problem : Problem
        What is fitted.
    basis : BasisSet
        Its signals.

    Returns
    -------
    Templates
        One for each usual width.
    """
    band = problem.band
    weight = np.array([USUAL_MM.get(name, 0.0) for name in basis.names])
    if not weight.any():
        weight = 1.0 / band.scale
    taper = _taper(band.ppm)
    step = float(band.frequency[1] - band.frequency[0])
    n = band.ppm.size
    time = np.arange(n) / (n * step)
    late = (1.0 - np.exp(-((time / _DEAD_TIME) ** 2))) * (time < 0.5 / step)
    zero = np.zeros(len(weight))
    spectra = [
        (weight * band.scale) @ band.spectra(band.decayed(zero, zero + 1.0, width))
        for width in _WIDTHS_HZ
    ]
    models = np.fft.ifft(np.array(spectra) * taper, axis=1).conj() * late
    models /= np.linalg.norm(models, axis=1, keepdims=True)
    megahertz = float(np.ptp(band.frequency) / np.ptp(band.ppm))
    shift = np.fft.fftfreq(1 << (4 * n - 1).bit_length(), time[1])
    return Templates(taper, late, models, shift, np.abs(shift) <= MAX_SHIFT_PPM * megahertz)


def candidates(templates: Templates, values: Array) -> list[tuple[float, float, float, float]]:
    """Return likely starts, best first.

    Parameters
    ----------
    templates : Templates
        What to compare with.
    values : ndarray of complex, shape (n,)
        Recorded spectrum in the window.

    Returns
    -------
    list of tuple
        (normalised correlation, shift [Hz], phase [rad], Gaussian width [Hz]), one for each of up
        to three shifts.
    """
    recorded = np.fft.ifft(values * templates.taper) * templates.late
    norm = np.sqrt((np.abs(recorded) ** 2).sum())
    if norm == 0.0:
        raise InvalidInputError(
            "the spectrum is zero in the range of the fit: there is nothing to fit."
        )
    shift = templates.shift
    correlations = np.fft.fft(recorded / norm * templates.models, shift.size, axis=1)
    strengths = np.where(templates.allowed, np.abs(correlations), 0.0)
    found: list[tuple[float, float, float, float]] = []
    for _ in range(_N_CANDIDATES):
        row, best = np.unravel_index(int(np.argmax(strengths)), strengths.shape)
        strength = float(strengths[row, best])
        if found and strength < _WORTH_TRYING * found[0][0]:
            break
        phase = float(-np.angle(correlations[row, best]))
        found.append((strength, float(shift[best]), phase, _WIDTHS_HZ[row]))
        strengths[:, np.abs(shift - shift[best]) < _DISTINCT_HZ] = 0.0
    return found


def conjugate_fits_better(problem: Problem, templates: Templates, fids: Array) -> bool:
    """Tell whether FIDs match the template clearly better when their frequency axis is mirrored.

    Parameters
    ----------
    problem : Problem
        What is fitted.
    templates : Templates
        What to compare with.
    fids : ndarray of complex, shape (n_fids, n_points)
        Recorded FIDs.

    Returns
    -------
    bool
        True where most of them do.
    """
    votes = []
    for fid in fids:
        as_is, mirrored = (
            candidates(templates, problem.band.of_data(version))[0][0]
            for version in (fid, fid.conj())
        )
        votes.append(mirrored > 0.6 and mirrored > 1.5 * as_is)
    return bool(np.mean(votes) > 0.5)


def _taper(ppm: Array) -> Array:
    """Return a window over the range of the template with soft edges; all if it is not covered."""
    low, high = _TEMPLATE_PPM
    if ppm.min() > low + 0.5 or ppm.max() < high - 0.5:
        low, high = float(ppm.min()), float(ppm.max())
    inside = np.minimum(ppm - low, high - ppm) / 0.2
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(inside, 0.0, 1.0)))


def starting_points(problem: Problem, templates: Templates, spectrum: Spectrum) -> list[Point]:
    """Return the model at each candidate start, the lowest chi-squared first.

    Parameters
    ----------
    problem : Problem
        What is fitted.
    templates : Templates
        What to compare with.
    spectrum : Spectrum
        Recorded spectrum.

    Returns
    -------
    list of Point
        Amplitudes and baseline fitted at each.
    """
    n = problem.n_basis
    points = []
    for _, shift, phase, width in candidates(templates, spectrum.values):
        theta = problem.prior.mean.copy()
        theta[0], theta[2] = phase, np.log(width)
        theta[3 : 3 + n] = shift
        points.append(evaluate(problem, spectrum, theta, np.ones(n, bool)))
    return sorted(points, key=lambda point: point.cost)


def shape_that_wants_more(problem: Problem, spectrum: Spectrum, point: Point) -> Array | None:
    """Return the shape at which a signal that is held at zero would be wanted after all.

    Where an amplitude is zero nothing moves the shift of its signal, and a signal that started too
    far from its place stays away for good. The residual is compared with it at other shifts.

    Parameters
    ----------
    problem, spectrum, point
        What is fitted, and a minimum.

    Returns
    -------
    ndarray or None
        Shape parameters with that shift; None where no signal would take ten of chi-squared.
    """
    off = np.flatnonzero(~point.passive)
    if off.size == 0:
        return None
    _, residual = baseline_and_residual(problem, spectrum, point)
    sd = float(np.min(spectrum.prior.shift_sd))
    turns = np.exp(2j * np.pi * sd * problem.band.time[:, None] * _OTHER_SHIFTS)
    slope = ((point.fid[off] * problem.band.adjoint(residual)) @ turns).real
    variance = spectrum.sigma**2
    firmness = np.diag(point.gram)[1 + off] + variance * np.diag(spectrum.ratio_precision)[off]
    gain = np.maximum(slope, 0.0) ** 2 / (variance * firmness[:, None]) - _OTHER_SHIFTS**2
    row, best = np.unravel_index(int(np.argmax(gain)), gain.shape)
    if gain[row, best] < _WORTH_A_START:
        return None
    theta = point.theta.copy()
    theta[3 + off[row]] += sd * _OTHER_SHIFTS[best]
    return theta
