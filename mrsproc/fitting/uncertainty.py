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
from mrsproc.fitting.solve import Point, Problem, Spectrum, jacobian, weighted_products


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
    n = problem.n_basis
    model, _ = jacobian(problem, point)
    information = weighted_products(
        problem, np.vstack([point.signals.real, model]), spectrum.stiffness
    )
    information /= spectrum.sigma**2
    information[:n, :n] += spectrum.ratio_precision
    information[n:, n:] += spectrum.prior.precision
    scale = 1.0 / np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    try:
        inverse = np.linalg.inv(information * np.outer(scale, scale)) * np.outer(scale, scale)
    except np.linalg.LinAlgError:
        inverse = np.full_like(information, np.nan)
    variance = np.diag(inverse)
    if not (variance > 0.0).all():
        inverse = np.full_like(information, np.nan)
    return Uncertainty(amplitude=inverse[:n, :n], shape_sd=np.sqrt(np.diag(inverse)[n:]))
