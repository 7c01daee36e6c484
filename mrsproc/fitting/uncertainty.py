r"""What the data say about the amplitudes: posterior mean and covariance.

The Fisher information of amplitudes and shape, baseline eliminated (it is a nuisance with the
prior that its stiffness states), is

.. math::

    F = J^T W J / \sigma^2 + \text{(precision of the priors)}, \qquad
    J = [\Re S_l, \ \partial / \partial\theta],

with :math:`\sigma` the mean of the SD of the noise as measured and of that of the residual, for
the effective number of parameters, weighted by how well each is known; where the residual has more
than chance explains, its SD (`single`). Its inverse C is the Cramer-Rao bound, Bayesian where
priors act (Cavassila 2001, 10.1002/nbm.701; Kreis 2021, 10.1002/nbm.4347).

The stiffness :math:`\kappa` is itself an estimate. Three values :math:`\kappa_k` stand for all
that are likely (`mrsproc.fitting.stiffness`). With each the information is :math:`F_k`, its inverse
:math:`C_k`, and parameters move by

.. math::

    x_k - x = C_k J^T (W_k - W) r_0 / \sigma^2, \qquad W_k - W = Q^T \operatorname{diag}(d - d_k) Q,

:math:`r_0` being data minus signals. What is known of the amplitudes is the mean over the three,
of covariance :math:`\overline{C_k} + \overline{(x_k - \bar x)(x_k - \bar x)^T}` (Kass 1989,
10.1080/01621459.1989.10478825).

Amplitudes are not negative. What is reported are mean and covariance of the normal distribution
around the unrestricted minimum, cut off at zero (`numerics.truncated`): of all estimates the mean
has the smallest expected squared error. Where a signal is clear of zero nothing changes; where two
overlap so much that least squares would give all to one, it shares. For metabolites that have no
ratio prior the square of the bias of that mean is in the covariance.

Two kinds of signals are lifted less from zero than to that mean (`LIFT`), for bias is what remains
of many spectra, and what a treatment may be taken for. Metabolites that have no ratio prior, such
as Glu, Gln and Ins, are; those named in tNAA, tCr and tCho are not, for they share a sum that is
known far better than they are (Glu and Gln overlap less than that). So are macromolecules and
lipids, which take from metabolites what they are lifted by.

Without priors on ratios (``priors="none"``) the mean of signals that the data hardly see would be
large for no reason, and the minimum and C are reported as they are.
"""

from typing import Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.fitting.asymmetry import WEIGHT_SD
from mrsproc.fitting.solve import Point, Problem, Spectrum, jacobian
from mrsproc.numerics.definite import inverted, solve_definite
from mrsproc.numerics.truncated import positive_normal

LIFT: Final = 0.5
"""Part of its SD by which a signal is lifted from zero where bias matters more than error. At an
SNR of 10 Gln is 0.8 SD above zero; with 1 its estimate is 0.6 SD too large and tNAA, of which
macromolecules take, 0.3 SD too small; with 1/2 it is 0.3 and 0.1, and the squared error of all
metabolites 2 % larger."""


class Uncertainty(NamedTuple):
    """Posterior of the amplitudes, in the scale of `band`."""

    mean: Array
    """Mean, shape (n_basis,)."""
    covariance: Array
    """Covariance, shape (n_basis, n_basis)."""


def uncertainty(
    problem: Problem,
    spectrum: Spectrum,
    point: Point,
    *,
    shared: bool = True,
    kernel: Array | None = None,
) -> Uncertainty:
    """Return mean and covariance of the amplitudes at the minimum.

    Parameters
    ----------
    problem, spectrum, point
        What was fitted, and the minimum.
    shared : bool, default True
        Whether overlapping amplitudes share as described above; else the minimum itself and C.
    kernel : ndarray, shape (3, n), optional
        Derivatives after the weights of an asymmetric lineshape, where it was fitted.

    Returns
    -------
    Uncertainty
        NaN throughout where the information matrix is singular.
    """
    model = jacobian(problem, point)
    if kernel is not None:
        model = np.vstack([model, kernel])
    p, q, variance = len(model), spectrum.prior.mean.size, spectrum.sigma**2
    rows = np.concatenate([model, point.signals.real])
    onto = rows @ problem.baseline.q.T
    plain = rows @ rows.T / variance
    plain[:q, :q] += spectrum.prior.precision
    plain[range(q, p), range(q, p)] += 1.0 / WEIGHT_SD**2
    plain[p:, p:] += spectrum.ratio_precision
    left = (point.onto[0] - point.amplitude @ point.onto[1:]) / variance
    before = problem.baseline.shrinkage(spectrum.stiffness)
    wanted = np.concatenate([np.zeros(p), _held_back(spectrum, point)])
    moves = np.empty((spectrum.nodes.size, problem.n_basis))
    covariance = np.zeros((problem.n_basis, problem.n_basis))
    for move, stiffness in zip(moves, spectrum.nodes, strict=True):
        shrinkage = problem.baseline.shrinkage(stiffness)
        full = plain - (onto * (shrinkage / variance)) @ onto.T
        gain = solve_definite(full[:p, :p], full[:p, p:])  # the shape follows the amplitudes
        inverse = inverted(full[p:, p:] - full[p:, :p] @ gain)
        slope = wanted - onto @ ((shrinkage - before) * left)
        move[:] = inverse @ (slope[p:] - slope[:p] @ gain)
        covariance += inverse / len(moves)
    middle = moves.sum(axis=0) / len(moves)
    covariance += (moves - middle).T @ (moves - middle) / len(moves)
    if not np.isfinite(covariance).all():
        return Uncertainty(point.amplitude * np.nan, covariance)
    if not shared:
        return Uncertainty(point.amplitude, covariance)
    unknown = problem.narrow & ~(problem.ratio_rows[0] > 0.0).any(axis=0)
    in_sum = problem.yardstick > 0.0
    lift = np.where(~problem.narrow | (unknown & ~in_sum), LIFT, 1.0)
    return Uncertainty(*positive_normal(point.amplitude + middle, covariance, unknown, lift))


def _held_back(spectrum: Spectrum, point: Point) -> Array:
    """Return the slope of half of chi-squared downhill after amplitudes that are held at zero."""
    variance = spectrum.sigma**2
    normal = point.gram[1:, 1:] + variance * spectrum.ratio_precision
    slope = (point.gram[1:, 0] - normal @ point.amplitude) / variance
    return np.where(point.passive, 0.0, slope)
