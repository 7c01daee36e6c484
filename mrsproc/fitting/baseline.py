r"""The baseline of a spectral fit: a penalised spline.

With :math:`Q` orthonormal rows in which the roughness penalty is diagonal (`numerics.splines`), the
baseline is a smooth random process of variance :math:`\sigma^2 / (\kappa s_k)` along row k, and
free along the rows of zero roughness. Eliminating it turns the sum of squares into :math:`r^T W r`
with

.. math:: W = I - Q^T \operatorname{diag}(d) Q, \qquad d_k = 1 / (1 + \kappa s_k),

whose effective number of parameters is :math:`\sum_k d_k` (Eilers 1996, 10.1214/ss/1038425655;
for spectra Wilson 2021, 10.1002/mrm.28385).
"""

from dataclasses import dataclass

import numpy as np

from mrsproc.axes import Array
from mrsproc.numerics.splines import bspline_design, demmler_reinsch


@dataclass(frozen=True, eq=False)
class Baseline:
    """A spline space over the window of a fit.

    Parameters
    ----------
    q : ndarray, shape (m, n)
        Orthonormal functions, smoothest first.
    roughness : ndarray, shape (m,)
        Their penalties.
    width_ppm : float
        Width of the window [ppm].
    """

    q: Array
    roughness: Array
    width_ppm: float

    def shrinkage(self, stiffness: float) -> Array:
        """Return d, the part of each function that the baseline takes, shape (m,)."""
        return np.asarray(1.0 / (1.0 + stiffness * self.roughness))

    def stiffness_for(self, per_ppm: float) -> float:
        """Return the stiffness at which the effective number of parameters per ppm is as given.

        Parameters
        ----------
        per_ppm : float
            Effective number of parameters per ppm.

        Returns
        -------
        float
            Stiffness; that of the stiffest or softest spline where the number is out of reach.
        """
        wanted = per_ppm * self.width_ppm
        low, high = -12.0, 24.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            if self.shrinkage(10.0**middle).sum() > wanted:
                low = middle
            else:
                high = middle
        return float(10.0**low)


def baseline_for(ppm: Array, spacing: float) -> Baseline:
    """Build the spline space of a window.

    Parameters
    ----------
    ppm : ndarray, shape (n,)
        Chemical shifts of the window [ppm].
    spacing : float
        Distance of the knots [ppm].

    Returns
    -------
    Baseline
        The space.
    """
    low, high = float(ppm.min()), float(ppm.max())
    intervals = max(4, round((high - low) / spacing))
    q, roughness = demmler_reinsch(bspline_design(ppm, low, high, intervals))
    return Baseline(q=q, roughness=roughness, width_ppm=high - low)
