r"""Prior knowledge: how far shifts, widths and amplitude ratios may stray.

Shifts :math:`\nu_l` and Lorentzian widths :math:`\gamma_l` scatter around values common to all
signals, :math:`\nu_l \sim N(\nu_0, s_l^2)` with :math:`\nu_0` free. Eliminating the common
value leaves a quadratic form with precision :math:`D - D 1 1^T D / (1^T D 1 + s_0^{-2})`,
:math:`D = \operatorname{diag}(s_l^{-2})`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BROAD_PREFIXES, BasisSet
from mrsproc.fitting.options import FitOptions

BROAD_SHIFT_PPM: Final = 0.01
"""SD of the shift of macromolecules and lipids [ppm] (LCModel manual 6.3, 11.7: 0.005 to 0.03)."""
BROAD_WIDTH_PPM: Final = 0.02
"""SD of their width [ppm] (LCModel manual 6.3, 11.7: 0.01 to 0.035)."""
COMMON_LORENTZ_HZ: Final = (1.0, 1.5)
"""Mean and SD of the common Lorentzian width beyond that of the basis set [Hz]: T2 of 150 to
300 ms at 3 T."""
PHASE1_SD: Final = np.deg2rad(10.0)
"""SD of the first-order phase [rad/ppm] (LCModel's SDDEGP is 20 degrees/ppm)."""


@dataclass(frozen=True)
class RatioPrior:
    """A soft prior on the amplitude of a weak signal relative to the sum of stronger ones.

    Parameters
    ----------
    name : str
        The weak signal.
    reference : tuple of str
        Signals whose weighted sum it is compared with.
    ratio, sd : float
        Expected ratio and its SD.
    source : str
        Where they are from.
    """

    name: str
    reference: tuple[str, ...]
    ratio: float
    sd: float
    source: str


_LCMODEL: Final = "LCModel manual 6.3, 11.8 (10.1002/mrm.1910300604)"
RATIO_PRIORS: Final = (
    RatioPrior("Lip09", ("Lip13a", "Lip13b"), 0.267, 0.1, _LCMODEL),
    RatioPrior("Lip20", ("Lip13a", "Lip13b"), 0.15, 0.07, _LCMODEL),
    RatioPrior("MM20", ("MM09",), 1.5, 0.375, _LCMODEL),
    RatioPrior("MM12", ("MM09",), 0.3, 0.1, _LCMODEL),
    RatioPrior("MM14", ("MM09",), 0.75, 0.45, _LCMODEL),
    RatioPrior("MM17", ("MM09",), 0.375, 0.3, _LCMODEL),
    RatioPrior("-CrCH2", ("Cr", "PCr"), 0.1, 0.25, _LCMODEL),
)
"""Ratios that hold for human brain in vivo. None concerns Glu, Gln, NAA, Cr, Ins or choline."""


@dataclass(frozen=True, eq=False)
class ShapePrior:
    """Quadratic prior on the parameters of shape, in the order of `solve.Shape`.

    Parameters
    ----------
    precision : ndarray, shape (p, p)
        Inverse covariance.
    mean : ndarray, shape (p,)
        Expected values.
    """

    precision: Array
    mean: Array

    def cost(self, theta: Array) -> float:
        """Return the quadratic form at `theta`."""
        off = theta - self.mean
        return float(off @ self.precision @ off)


def is_broad(basis: BasisSet) -> Array:
    """Tell for each signal whether it is named like a macromolecule or lipid."""
    return np.array([name.startswith(BROAD_PREFIXES) for name in basis.names])


def _around_common(sd: Array, common_sd: float) -> Array:
    weight = 1.0 / sd**2
    shared = np.outer(weight, weight) / (weight.sum() + 1.0 / common_sd**2)
    return np.asarray(np.diag(weight) - shared)


def shape_prior(basis: BasisSet, options: FitOptions, megahertz: float) -> ShapePrior:
    """Build the prior of phases, widths and shifts.

    Parameters
    ----------
    basis : BasisSet
        Signals of the fit.
    options : FitOptions
        SDs.
    megahertz : float
        Larmor frequency [MHz].

    Returns
    -------
    ShapePrior
        For (phase 0, phase 1, log Gaussian width, shifts, Lorentzian widths).
    """
    n, broad = len(basis), is_broad(basis)
    shift_sd = np.where(broad, max(BROAD_SHIFT_PPM, options.shift_sd), options.shift_sd) * megahertz
    width_sd = np.where(
        broad, np.maximum(BROAD_WIDTH_PPM * megahertz, options.width_sd), options.width_sd
    )
    precision = np.zeros((3 + 2 * n, 3 + 2 * n))
    precision[1, 1] = PHASE1_SD**-2
    precision[3 : 3 + n, 3 : 3 + n] = _around_common(shift_sd, 1e3)
    precision[3 + n :, 3 + n :] = _around_common(width_sd, COMMON_LORENTZ_HZ[1])
    mean = np.zeros(3 + 2 * n)
    mean[3 + n :] = COMMON_LORENTZ_HZ[0]
    return ShapePrior(precision=precision, mean=mean)


def ratio_rows(basis: BasisSet, options: FitOptions) -> tuple[tuple[RatioPrior, ...], Array]:
    """Return the ratio priors that apply, and their rows.

    Parameters
    ----------
    basis : BasisSet
        Signals of the fit.
    options : FitOptions
        Says whether priors are wanted.

    Returns
    -------
    priors : tuple of RatioPrior
        Those whose signals are in the basis set.
    rows : ndarray, shape (2, n_priors, n_basis)
        ``(rows[0] @ a) / (rows[1] @ a)`` is N(0, 1): deviation from the ratio, and SD times the
        reference.
    """
    if options.priors == "none":
        return (), np.zeros((2, 0, len(basis)))
    used, rows = [], []
    for prior in RATIO_PRIORS:
        members = [basis.index(name) for name in prior.reference if name in basis]
        if prior.name not in basis or not members:
            continue
        deviation, scale = np.zeros(len(basis)), np.zeros(len(basis))
        deviation[members] = -prior.ratio
        deviation[basis.index(prior.name)] = 1.0
        scale[members] = prior.sd
        used.append(prior)
        rows.append((deviation, scale))
    stacked = np.array(rows).transpose(1, 0, 2) if rows else np.zeros((2, 0, len(basis)))
    return tuple(used), stacked
