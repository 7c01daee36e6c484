r"""The baseline of a spectral fit: a penalised spline, and the tail of residual water.

With :math:`Q` orthonormal rows in which the roughness penalty is diagonal (`numerics.splines`), the
baseline is a smooth random process of variance :math:`\sigma^2 / (\kappa s_k)` along row k, and
free along the rows of zero roughness. Eliminating it turns the sum of squares into :math:`r^T W r`
with

.. math:: W = I - Q^T \operatorname{diag}(d) Q, \qquad d_k = 1 / (1 + \kappa s_k),

whose effective number of parameters is :math:`\sum_k d_k` (Eilers 1996, 10.1214/ss/1038425655;
for spectra Wilson 2021, 10.1002/mrm.28385).

A line far away, at :math:`p_w`, has the tail :math:`1 / (p_w - p)` when it is out of phase and
:math:`1 / (p_w - p)^2` when it is in phase. The first falls off so slowly that water which is left
at 4.65 ppm tilts the spectrum near 4 ppm. Its roughness is all at one end, and so that it does not
soften the baseline everywhere it is a function of its own, of zero roughness.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.numerics.splines import bspline_design, demmler_reinsch

_PENALTY_ORDER: Final = 2


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

    def shrinkage(self, stiffness: float | Array) -> Array:
        """Return d, the part of each function that the baseline takes, shape (..., m)."""
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
        free = int((self.roughness == 0.0).sum())
        wanted = per_ppm * self.width_ppm + free - _PENALTY_ORDER  # the tail of water comes on top
        low, high = -12.0, 24.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            if self.shrinkage(10.0**middle).sum() > wanted:
                low = middle
            else:
                high = middle
        return float(10.0**low)


def baseline_for(ppm: Array, spacing: float, tail_ppm: float | None = None) -> Baseline:
    """Build the spline space of a window.

    Parameters
    ----------
    ppm : ndarray, shape (n,)
        Chemical shifts of the window [ppm].
    spacing : float
        Distance of the knots [ppm].
    tail_ppm : float, optional
        Chemical shift outside the window of a line whose tail reaches into it [ppm].

    Returns
    -------
    Baseline
        The space.
    """
    low, high = float(ppm.min()), float(ppm.max())
    intervals = max(4, round((high - low) / spacing))
    tail = None if tail_ppm is None else 1.0 / (tail_ppm - ppm[:, None])
    design = bspline_design(ppm, low, high, intervals)
    q, roughness = demmler_reinsch(design, _PENALTY_ORDER, tail)
    return Baseline(q=q, roughness=roughness, width_ppm=high - low)
