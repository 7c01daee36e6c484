r"""Covariance of what a fit estimates.

The Fisher information of amplitudes and shape, baseline eliminated (it is a nuisance with the
prior that its stiffness states), is

.. math::

    F = J^T W J / \sigma^2 + \text{(precision of the priors)}, \qquad
    J = [\Re S_l, \ \partial / \partial\theta],

with :math:`\sigma` the measured SD of the noise, or that of the residual where the model leaves
more than noise. Its inverse is the Cramer-Rao bound, Bayesian where priors act (Cavassila 2001,
10.1002/nbm.701; Kreis 2021, 10.1002/nbm.4347). All signals take part, also those that the fit
holds at zero: what data cannot tell apart stays uncertain.
"""

from typing import NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.fitting.solve import Point, Problem, Spectrum, information, jacobian


class Uncertainty(NamedTuple):
    """Covariances of a fit, amplitudes in the scale of `band`."""

    amplitude: Array
    """Covariance of the amplitudes, shape (n_basis, n_basis)."""
    shape_sd: Array
    """SD of the shape parameters, in the order of `Point.theta`."""


def uncertainty(problem: Problem, spectrum: Spectrum, point: Point) -> Uncertainty:
    """Return the covariance at the minimum.

    Parameters
    ----------
    problem, spectrum, point
        What was fitted, and the minimum.

    Returns
    -------
    Uncertainty
        NaN throughout where the information matrix is singular.
    """
    p = point.theta.size
    full = information(problem, spectrum, point, jacobian(problem, point))
    full[:p, :p] += spectrum.prior.precision
    scale = 1.0 / np.sqrt(np.maximum(np.diag(full), np.finfo(float).tiny))
    try:
        inverse = np.linalg.inv(full * np.outer(scale, scale)) * np.outer(scale, scale)
    except np.linalg.LinAlgError:
        inverse = np.full_like(full, np.nan)
    if not (np.diag(inverse) > 0.0).all():
        inverse = np.full_like(full, np.nan)
    return Uncertainty(amplitude=inverse[p:, p:], shape_sd=np.sqrt(np.diag(inverse)[:p]))
