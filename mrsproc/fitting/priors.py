r"""Prior knowledge: how far shifts, widths and amplitude ratios may stray.

Shifts :math:`\nu_l` and Lorentzian widths :math:`\gamma_l` scatter around values common to all
signals, :math:`\nu_l \sim N(\nu_0, s_l^2)`. The common shift is free, the common width all but free
(`COMMON_LORENTZ_HZ`, `LORENTZ_RANGE_HZ`). Eliminating the common value, of SD :math:`s_0`, leaves a
quadratic form with precision :math:`D - D 1 1^T D / (1^T D 1 + s_0^{-2})`,
:math:`D = \operatorname{diag}(s_l^{-2})`.

Ratios of amplitudes have published means and SDs. They are not negative, and where the SD is as
large as the mean a normal distribution with these moments would, once it is cut off at zero, expect
more than was published. That normal distribution is chosen that has them after the cut; its SD is
at most 0.76 of the mean then, that of a half normal one.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BROAD_PREFIXES, BasisSet
from mrsproc.fitting.options import FitOptions
from mrsproc.numerics.truncated import normal_before_cut

BROAD_SHIFT_PPM: Final = 0.01
"""SD of the shift of built-in macromolecules and lipids [ppm] (LCModel manual 6.3, 11.7: 0.005 to
0.03). Those of a basis set are taken as it has them, with the prior of any other signal."""
BROAD_WIDTH_PPM: Final = 0.02
"""SD of their width [ppm] (LCModel manual 6.3, 11.7: 0.01 to 0.035)."""
COMMON_LORENTZ_HZ: Final = (1.0, 18.0)
"""Mean and SD of the common Lorentzian width beyond that of the basis set [Hz]. It is left to the
data: T2 of metabolites at 3 T (`constants.METABOLITE_T2`) make 1.2 to 3.6 Hz, of which basis sets
hold an unknown part, and inhomogeneity that is not Gaussian adds or takes some; Wilson 2025
(10.1002/mrm.30462) finds 0.78 Hz. The SD is far beyond the range below; were it left free, noise at
an SNR of 3 might pass for a spike. What is not known of it is in the SDs of the amplitudes."""
LORENTZ_RANGE_HZ: Final = (-2.0, 8.0)
"""Range beyond which more is expected of it [Hz]: basis sets hold 1 to 3 Hz, and more cannot be
taken from them; 8 Hz are a T2 of 40 ms, half of the shortest that metabolites have at 3 T. At an
SNR of 3 to 6 noise would else pass for -10 Hz, or for lines of no Gaussian part."""
BEYOND_HZ: Final = 2.0
"""SD of a further factor there [Hz], its mean the end of the range. Noise makes such widths: with 3
in place of 2 Hz one of 5000 spectra, at an SNR of 3, had tCr 6 SD off."""
_SOUGHT_HZ: Final = 3.0  # SD while the shape is sought: starts are far from the minimum
_SPREAD_FREEDOM: Final = 4.0  # number of signals that the SDs of the prior count as
_FREE_HZ: Final = 1e3  # SD of what is not known beforehand
PHASE1_SD: Final = np.deg2rad(10.0)
"""SD of the first-order phase [rad/ppm] (LCModel's SDDEGP is 20 degrees/ppm)."""


@dataclass(frozen=True)
class RatioPrior:
    """A soft prior on the amplitude of a weak signal relative to a sum that is better known.

    Parameters
    ----------
    name : str
        The weak signal.
    reference : mapping of str to float
        Signals, and the weights with which they are summed; the weak one may be among them.
    ratio, sd : float
        Expected ratio and its SD, over what is not negative; SDs above 0.76 of the ratio act as
        that.
    source : str
        Where they are from.
    """

    name: str
    reference: Mapping[str, float]
    ratio: float
    sd: float
    source: str

    @property
    def normal(self) -> tuple[float, float]:
        """Location and scale of the normal distribution that has both once it is cut off at 0."""
        return normal_before_cut(self.ratio, self.sd)


_LCMODEL: Final = "LCModel manual 6.3, 11.8 (10.1002/mrm.1910300604)"
_BROAD: Final = (
    "median of LCModel manual 6.3, 11.8, Birch 2017 (10.1002/mrm.26103) and Bell 2024 "
    "(HarrisBrainLab/MMSim, from 10.5281/zenodo.3906754), SD as large"
)
"""Parts of MM09 + MM12 + MM14 + MM17 + MM20, where one unit has the protons of
`constants.MACROMOLECULES`. LCModel has 0.076, 0.19, 0.096, 0.38 for the last four, Birch's areas at
3 T make 0.12, 0.16, 0.02, 0.49, those that Bell finds in the spectra of six people at 7 T 0.07,
0.16, 0.13, 0.53. The reference is their sum, for MM09 and Lip09 are all but one line, and a
spectrum may give all of it to either."""
_META: Final = "median and SD of studies in the meta-analysis 10.1016/j.ab.2023.115227"
"""Of healthy people; a study's median over tCr, which is 8 mM where it is not given, over 3.25;
studies whose modified z-score is above 3.5 (other units) are left out. Some of GABA are edited and
hold macromolecules."""
_FEW: Final = "healthy people in the meta-analysis 10.1016/j.ab.2023.115227, three studies or fewer"
BIG3: Final = {"NAA": 1.0, "NAAG": 1.0, "Cr": 1.0, "PCr": 1.0, "GPC": 3.0, "PCh": 3.0, "Cho": 3.0}
"""tNAA + tCr + 3 tCho, LCModel's yardstick for weak metabolites; 3.25 x tCr in healthy brain."""
_LIPID: Final = {"Lip13a": 1.0, "Lip13b": 1.0}
_MM: Final = dict.fromkeys(("MM09", "MM12", "MM14", "MM17", "MM20"), 1.0)
RATIO_PRIORS: Final = (
    RatioPrior("Asp", BIG3, 0.090, 0.033, _META),
    RatioPrior("GABA", BIG3, 0.051, 0.029, _META),
    RatioPrior("Glc", BIG3, 0.03, 0.03, _LCMODEL),
    RatioPrior("Scyllo", BIG3, 0.014, 0.006, _META),
    RatioPrior("Tau", BIG3, 0.061, 0.017, _META),
    RatioPrior("Asc", BIG3, 0.060, 0.046, _META),
    RatioPrior("PE", BIG3, 0.045, 0.016, _META),
    RatioPrior("Lac", BIG3, 0.042, 0.021, _META),
    RatioPrior("GSH", BIG3, 0.059, 0.026, _META),
    RatioPrior("Ala", BIG3, 0.03, 0.03, _FEW),
    RatioPrior("Gly", BIG3, 0.04, 0.04, _FEW),
    RatioPrior("-CrCH2", {"Cr": 1.0, "PCr": 1.0}, 0.1, 0.25, _LCMODEL),
    RatioPrior("Lip09", _LIPID, 0.267, 0.1, _LCMODEL),
    RatioPrior("Lip20", _LIPID, 0.15, 0.07, _LCMODEL),
    RatioPrior("MM20", _MM, 0.49, 0.49, _BROAD),
    RatioPrior("MM12", _MM, 0.076, 0.076, _BROAD),
    RatioPrior("MM14", _MM, 0.163, 0.163, _BROAD),
    RatioPrior("MM17", _MM, 0.096, 0.096, _BROAD),
)
"""Ratios in human brain in vivo. None concerns Glu, Gln, NAA, NAAG, Cr, Ins or choline."""


@dataclass(frozen=True, eq=False)
class ShapePrior:
    """Quadratic prior on the parameters of shape, in the order of `solve.Shape`.

    Parameters
    ----------
    precision : ndarray, shape (p, p)
        Inverse covariance.
    mean : ndarray, shape (p,)
        Expected values.
    shift_sd, width_sd : ndarray, shape (n_basis,)
        SDs of the shift and of the Lorentzian width of each signal around the common ones [Hz].
    """

    precision: Array
    mean: Array
    shift_sd: Array
    width_sd: Array

    def with_spread_of(self, theta: Array, variance: Array) -> "ShapePrior":
        r"""Return the prior whose SDs of shifts have been scaled to the scatter of a fit.

        With deviations :math:`z_l` from the common shift and posterior variances :math:`v_l`, in
        SDs of the prior, the factor is the fixed point of the evidence (MacKay 1992,
        10.1162/neco.1992.4.3.415), the given SDs counting as much as four signals:

        .. math:: f^2 = \frac{4 + \sum_l z_l^2}{4 + \sum_l (1 - v_l)}.

        Widths keep theirs: a baseline can stand in for the feet of lines, so that their scatter
        says little.

        Parameters
        ----------
        theta : ndarray, shape (p,)
            Shape parameters.
        variance : ndarray, shape (p,)
            Their posterior variances.

        Returns
        -------
        ShapePrior
            With new SDs of the shifts.
        """
        n = self.shift_sd.size
        weight, shift = self.shift_sd**-2, theta[3 : 3 + n]
        deviation = shift - weight @ shift / weight.sum()
        known = np.clip(1.0 - variance[3 : 3 + n] * weight, 0.0, 1.0).sum()
        factor = (_SPREAD_FREEDOM + weight @ deviation**2) / (_SPREAD_FREEDOM + known)
        shift_sd = self.shift_sd * np.sqrt(factor)
        precision = self.precision.copy()
        precision[3 : 3 + n, 3 : 3 + n] = _around_common(shift_sd, _FREE_HZ)
        return dataclasses.replace(self, precision=precision, shift_sd=shift_sd)

    def common_width(self, theta: Array) -> float:
        """Return the Lorentzian width that signals have in common [Hz]."""
        weight = self.width_sd**-2
        return float(weight @ theta[-weight.size :] / weight.sum())

    def with_common_width(self, *factors: tuple[float, float]) -> "ShapePrior":
        """Return the prior with a common Lorentzian width from normal factors (mean, SD) [Hz]."""
        n, means, precision = self.width_sd.size, self.mean.copy(), self.precision.copy()
        firm = sum(sd**-2 for _, sd in factors)
        means[-n:] = sum(mean * sd**-2 for mean, sd in factors) / firm
        precision[-n:, -n:] = _around_common(self.width_sd, firm**-0.5)
        return dataclasses.replace(self, mean=means, precision=precision)

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


def shape_prior(
    basis: BasisSet, built_in: Array, options: FitOptions, megahertz: float
) -> ShapePrior:
    """Build the prior of phases, widths and shifts.

    Parameters
    ----------
    basis : BasisSet
        Signals of the fit.
    built_in : ndarray of bool, shape (n,)
        Which of them are built-in macromolecules and lipids.
    options : FitOptions
        SDs.
    megahertz : float
        Larmor frequency [MHz].

    Returns
    -------
    ShapePrior
        For (phase 0, phase 1, log Gaussian width, shifts, Lorentzian widths), as a fit begins.
    """
    n, broad = len(basis), built_in
    shift_sd = np.where(broad, max(BROAD_SHIFT_PPM, options.shift_sd), options.shift_sd) * megahertz
    width_sd = np.where(
        broad, np.maximum(BROAD_WIDTH_PPM * megahertz, options.width_sd), options.width_sd
    )
    precision = np.zeros((3 + 2 * n, 3 + 2 * n))
    precision[1, 1] = PHASE1_SD**-2
    precision[3 : 3 + n, 3 : 3 + n] = _around_common(shift_sd, _FREE_HZ)
    precision[3 + n :, 3 + n :] = _around_common(width_sd, _SOUGHT_HZ)
    mean = np.zeros(3 + 2 * n)
    mean[3 + n :] = COMMON_LORENTZ_HZ[0]
    return ShapePrior(precision=precision, mean=mean, shift_sd=shift_sd, width_sd=width_sd)


def yardstick(basis: BasisSet, options: FitOptions) -> Array:
    """Return the weights of `BIG3`, zero where no priors are wanted, shape (n_basis,)."""
    wanted = options.priors != "none"
    return np.array([wanted * BIG3.get(name, 0.0) for name in basis.names])


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
        Those whose signals are in the basis set, one of the reference besides the weak one.
    rows : ndarray, shape (2, n_priors, n_basis)
        ``(rows[0] @ a) / (rows[1] @ a)`` is N(0, 1) before it is cut off where the signal would be
        negative: deviation from the location, and scale times the reference.
    """
    if options.priors == "none":
        return (), np.zeros((2, 0, len(basis)))
    used, rows = [], []
    for prior in RATIO_PRIORS:
        scale = np.zeros(len(basis))
        for name, weight in prior.reference.items():
            if name in basis:
                scale[basis.index(name)] = weight
        if prior.name not in basis or not set(prior.reference) & set(basis.names) - {prior.name}:
            continue
        location, spread = prior.normal
        deviation = -location * scale
        deviation[basis.index(prior.name)] += 1.0
        scale *= spread
        used.append(prior)
        rows.append((deviation, scale))
    stacked = np.array(rows).transpose(1, 0, 2) if rows else np.zeros((2, 0, len(basis)))
    return tuple(used), stacked
