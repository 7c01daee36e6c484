r"""What the data say about the amplitudes: posterior mean and covariance.

The Fisher information of amplitudes and shape, baseline eliminated (it is a nuisance with the
prior that its stiffness states), is

.. math::

    F = J^T W J / \sigma^2 + \text{(precision of the priors)}, \qquad
    J = [\Re S_l, \ \partial / \partial\theta],

with :math:`\sigma` the SD of the residual, for the number of parameters that were fitted; where
that is below the SD of the noise as measured, the mean of both variances, weighted by how well each
is known. Its inverse C is the Cramer-Rao bound, Bayesian where priors act (Cavassila 2001,
10.1002/nbm.701; Kreis 2021, 10.1002/nbm.4347).

The stiffness :math:`\kappa` is itself an estimate. It moves the others by

.. math::

    \frac{d x}{d \log\kappa} = C J^T \frac{dW}{d\log\kappa} r_0 / \sigma^2, \qquad
    \frac{dW}{d\log\kappa} = Q^T \operatorname{diag}(d (1 - d)) Q,

:math:`r_0` being data minus signals, so that the SD of :math:`\log\kappa` under its criterion adds
a term of rank one to C (Kass 1989, 10.1080/01621459.1989.10478825).

Amplitudes are not negative. What is reported is the mean and the covariance of the normal
distribution around the unrestricted minimum, cut off at zero (`numerics.truncated`): of all
estimates that has the smallest expected squared error. Where a signal is clear of zero nothing
changes; where two overlap so much that least squares would give all to one, it shares. Without
priors on ratios (``priors="none"``) the mean of signals that the data hardly see would be large for
no reason, and the minimum and C are reported as they are.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import block_diag

from mrsproc.axes import Array
from mrsproc.fitting.asymmetry import WEIGHT_SD
from mrsproc.fitting.solve import Point, Problem, Spectrum, information, jacobian
from mrsproc.numerics.truncated import positive_normal


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
    model, precision = jacobian(problem, point), spectrum.prior.precision
    if kernel is not None:
        model = np.vstack([model, kernel])
        precision = block_diag(precision, np.eye(len(kernel)) / WEIGHT_SD**2)
    p = len(model)
    full = information(problem, spectrum, point, model)
    full[:p, :p] += precision
    scale = 1.0 / np.sqrt(np.maximum(np.diag(full), np.finfo(float).tiny))
    try:
        inverse = np.linalg.inv(full * np.outer(scale, scale)) * np.outer(scale, scale)
    except np.linalg.LinAlgError:
        inverse = np.full_like(full, np.nan)
    if not (np.diag(inverse) > 0.0).all():
        return Uncertainty(point.amplitude * np.nan, inverse[p:, p:] * np.nan)
    moved = inverse[p:] @ _stiffness_slope(problem, spectrum, point, model)
    covariance = inverse[p:, p:] + np.outer(moved, moved) * spectrum.log_stiffness_sd**2
    if not shared:
        return Uncertainty(point.amplitude, covariance)
    return Uncertainty(*positive_normal(_unrestricted(spectrum, point, covariance), covariance))


def _stiffness_slope(problem: Problem, spectrum: Spectrum, point: Point, model: Array) -> Array:
    """Return the slope of the gradient of half of chi-squared after the logarithm of stiffness."""
    shrinkage = problem.baseline.shrinkage(spectrum.stiffness)
    onto = np.concatenate([model @ problem.baseline.q.T, point.onto[1:]])
    left = point.onto[0] - point.amplitude @ point.onto[1:]
    return np.asarray(onto @ (shrinkage * (1.0 - shrinkage) * left)) / spectrum.sigma**2


def _unrestricted(spectrum: Spectrum, point: Point, covariance: Array) -> Array:
    """Return the amplitudes at the minimum that is not held at zero."""
    variance = spectrum.sigma**2
    normal = point.gram[1:, 1:] + variance * spectrum.ratio_precision
    slope = (point.gram[1:, 0] - normal @ point.amplitude) / variance
    return np.asarray(point.amplitude + covariance @ np.where(point.passive, 0.0, slope))
