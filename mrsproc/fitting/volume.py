"""What integrating the amplitudes out says of the widths, beside chi-squared."""

from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.fitting.solve import Point, Problem, Spectrum, baseline_and_residual, gauss_slope
from mrsproc.numerics.definite import solve_definite

_CLEAR: Final = 5.0  # SDs from zero at which the logarithm of a reference means something


def volume_slope(problem: Problem, spectrum: Spectrum, point: Point) -> Array:
    r"""Return the slope of what integrating the amplitudes out adds to chi-squared.

    With :math:`N = S^T W S / \sigma^2 + P`, P the precision of the ratio priors, that is
    :math:`\log |N|`, were every amplitude equally probable beforehand. Wider lines have larger
    amplitudes, and with them larger volumes: n amplitudes that are flat together prefer a scale
    :math:`\rho` as :math:`\rho^{n - 1}`, and lines come out too wide. The scale of a recording is
    arbitrary, so every metabolite is flat relative to a reference here, that of its ratio prior or
    else tNAA + tCr + 3 tCho, and the logarithm of the reference is flat
    (Jeffreys 1946, 10.1098/rspa.1946.0056). Ratio priors are as wide as their reference is large.
    At the amplitudes that are fitted a reference :math:`\rho_j` therefore adds

    .. math:: 2 \sum_j (1 - p_j^T N^{-1} p_j - z_j^2) \, \mathrm{d} \log \rho_j,

    :math:`p_j` being the row of the ratio prior and :math:`z_j` what it is off, in SDs; without a
    prior just the 1. The three terms are that of the normalisation, of P within N and of the cost.
    Broad signals do not follow the width of the metabolites and are left out, as are references
    that are not clear of zero. Where tNAA + tCr + 3 tCho is not, or where no priors are wanted,
    nothing is added at all.

    Parameters
    ----------
    problem, spectrum, point
        What is fitted, and where.

    Returns
    -------
    ndarray, shape (p,)
        Slope; zero for the phases, which turn the data, and where there is no yardstick.
    """
    n, time, free = problem.n_basis, problem.band.time, np.flatnonzero(point.passive)
    real, onto = point.signals.real[free], point.onto[1 + free]
    shrinkage = problem.baseline.shrinkage(spectrum.stiffness)
    weighted = real - (onto * shrinkage) @ problem.baseline.q
    normal = point.gram[np.ix_(1 + free, 1 + free)] / spectrum.sigma**2
    normal += spectrum.ratio_precision[np.ix_(free, free)]
    result = np.zeros(3 + 2 * n)
    references = _reference_pull(problem, point, normal, free)
    if references is None:
        return result
    follow = solve_definite(normal, 2.0 * references)
    _, residual = baseline_and_residual(problem, spectrum, point)
    pull = 2.0 * solve_definite(normal, weighted) + np.outer(follow, residual)
    pull -= np.outer(point.amplitude[free], follow @ weighted)
    seen = problem.band.adjoint(pull / spectrum.sigma**2) * point.fid[free]
    sums = seen @ time
    result[2] = (seen.sum(axis=0) @ gauss_slope(point.theta[2], time)).real
    result[3 + free] = -2.0 * np.pi * sums.imag
    result[3 + n + free] = -np.pi * sums.real
    return result


def _reference_pull(problem: Problem, point: Point, normal: Array, free: Array) -> Array | None:
    """Return the slope of the references' part of the volume after the amplitudes that are free.

    None where the yardstick is not clear of zero.
    """
    deviation, scale = problem.ratio_rows
    without = problem.narrow & ~(deviation > 0.0).any(axis=0)
    sums = np.vstack([scale, problem.yardstick])
    value = sums @ point.amplitude
    variance = (sums[:, free] * solve_definite(normal, sums[:, free].T).T).sum(axis=1)
    clear = (value > _CLEAR * np.sqrt(variance)) & ~(sums[:, ~problem.narrow] > 0.0).any(axis=1)
    if not clear[-1]:
        return None
    part = np.zeros(len(sums))
    part[-1] = without[free].sum()
    used = np.flatnonzero(clear[:-1])
    rows = deviation[used] / value[used, None]
    lever = (rows[:, free] * solve_definite(normal, rows[:, free].T).T).sum(axis=1)
    part[used] = 1.0 - lever - (rows @ point.amplitude) ** 2
    return np.asarray((part[clear] / value[clear]) @ sums[clear][:, free])
