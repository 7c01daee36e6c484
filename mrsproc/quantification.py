r"""From amplitudes to quantities: ratios, and concentrations by the water reference.

.. math:: c = \frac{a \, u}{A_w / 2} \; W \; \frac{R_w}{R_m}

with amplitude :math:`a`, the signal of one proton in the basis set :math:`u`, the amplitude of
water :math:`A_w` (two protons) at time 0, the concentration of water in the voxel :math:`W` and the
parts of the magnetisation of water and metabolite that relaxation leaves, :math:`R_w` and
:math:`R_m` (Gasparovic 2006, 10.1002/mrm.20901; Near 2021, 10.1002/nbm.4257).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.constants import WATER_PROTONS
from mrsproc.data import MRSData, Record
from mrsproc.errors import InvalidInputError
from mrsproc.fitting.result import FitResult
from mrsproc.numerics import covariance as propagation

if TYPE_CHECKING:
    import pandas as pd

REFERENCE_PPM: Final = (4.1, 5.2)
"""Where the water of a reference recording is looked for [ppm]."""
_FIRST_POINT: Final = 3  # digital filters bend the points before
_DECAY_S: Final = 0.02


@dataclass(frozen=True, eq=False, kw_only=True)
class WaterScaling(Record):
    """Constants of water scaling.

    Parameters
    ----------
    water_concentration : float, default 35880.0
        Concentration of water in the voxel [mM]. The default is LCModel's for white matter,
        WCONC (Provencher 1993, 10.1002/mrm.1910300604; Ernst 1993, 10.1006/jmrb.1993.1055).
    water_relaxation : float, default 0.7
        Part of the water signal that relaxation leaves, LCModel's ATTH2O: exp(-TE/T2) for TE 30
        ms, T2 80 ms.
    metabolite_relaxation : float, default 1.0
        Part of the metabolite signal that relaxation leaves.

    Raises
    ------
    InvalidInputError
        A constant that is not positive.
    """

    water_concentration: float = 35880.0
    water_relaxation: float = 0.7
    metabolite_relaxation: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0.0:
                raise InvalidInputError(f"{name} = {value!r}: give a positive number.")
        super().__post_init__()


@dataclass(frozen=True, eq=False, kw_only=True)
class Quantities(Record):
    """Ratios and concentrations of a fit.

    Parameters
    ----------
    fit : FitResult
        The fit they are from.
    names : tuple of str
        Signals and combined quantities.
    amplitude, sd : ndarray, shape (..., n)
        As in the fit.
    ratio_tCr, ratio_tCr_sd, ratio_tNAA, ratio_tNAA_sd : ndarray, shape (..., n)
        Ratios to total creatine and total NAA; NaN where there is none.
    concentration, concentration_sd : ndarray, shape (..., n)
        Water-scaled concentrations [mM]; NaN without a water reference.
    water_amplitude : float
        Amplitude of water at time 0; NaN without a reference.
    constants : WaterScaling or None
        Constants used; None without a reference.
    """

    fit: FitResult
    names: tuple[str, ...]
    amplitude: Array
    sd: Array
    ratio_tCr: Array  # noqa: N815
    ratio_tCr_sd: Array  # noqa: N815
    ratio_tNAA: Array  # noqa: N815
    ratio_tNAA_sd: Array  # noqa: N815
    concentration: Array
    concentration_sd: Array
    water_amplitude: float
    constants: WaterScaling | None

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of the fit with ratios and concentrations.

        Returns
        -------
        pandas.DataFrame
            The columns of `FitResult.to_frame`, then ratio_tCr, ratio_tCr_sd, ratio_tNAA,
            ratio_tNAA_sd, concentration, concentration_sd and unit.
        """
        frame = self.fit.to_frame()
        for key in (
            "ratio_tCr",
            "ratio_tCr_sd",
            "ratio_tNAA",
            "ratio_tNAA_sd",
            "concentration",
            "concentration_sd",
        ):
            frame[key] = getattr(self, key).ravel()
        frame["unit"] = None if self.constants is None else "mM"
        return frame


def quantify(
    fit: FitResult, *, water: MRSData | None = None, scaling: WaterScaling | None = None
) -> Quantities:
    """Turn a fit into ratios and, with a water reference, into concentrations.

    Parameters
    ----------
    fit : FitResult
        Amplitudes.
    water : MRSData, optional
        Water reference of the same voxel, receiver gain and sequence, coils combined as the data.
    scaling : WaterScaling, optional
        Constants; the defaults of `WaterScaling` when not given.

    Returns
    -------
    Quantities
        With SDs from the covariance of the fit.

    Raises
    ------
    InvalidInputError
        The reference holds no water line, or the basis set no singlet to tell its scale.
    """
    names, amplitude, covariance = fit.with_sums()
    ratios = {}
    for reference in ("tCr", "tNAA"):
        if reference in names:
            ratios[reference] = propagation.ratio(amplitude, covariance, names.index(reference))
        else:
            ratios[reference] = (np.full_like(amplitude, np.nan),) * 2
    sd = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    level, factor, constants = float("nan"), float("nan"), None
    if water is not None:
        constants = WaterScaling() if scaling is None else scaling
        level = water_amplitude(water)
        factor = concentration_factor(fit.signal_per_proton, level, constants)
    return Quantities(
        fit=fit,
        names=names,
        amplitude=amplitude,
        sd=sd,
        ratio_tCr=ratios["tCr"][0],
        ratio_tCr_sd=ratios["tCr"][1],
        ratio_tNAA=ratios["tNAA"][0],
        ratio_tNAA_sd=ratios["tNAA"][1],
        concentration=amplitude * factor,
        concentration_sd=sd * factor,
        water_amplitude=level,
        constants=constants,
    )


def concentration_factor(signal_per_proton: float, water: float, constants: WaterScaling) -> float:
    """Return the concentration [mM] that an amplitude of 1 stands for.

    Parameters
    ----------
    signal_per_proton : float
        First point of the FID of one proton in the basis set.
    water : float
        Amplitude of water at time 0.
    constants : WaterScaling
        Concentration and relaxation.

    Returns
    -------
    float
        Factor [mM per unit of amplitude].

    Raises
    ------
    InvalidInputError
        The scale of the basis set is not known.
    """
    if not np.isfinite(signal_per_proton):
        raise InvalidInputError(
            "the scale of the basis set is not known: it holds neither Cr, PCr nor NAA, whose "
            "methyl singlet tells the signal of a proton. "
            "Leave the water reference out, or add one of them."
        )
    per_proton = water / WATER_PROTONS
    relaxation = constants.water_relaxation / constants.metabolite_relaxation
    return signal_per_proton / per_proton * constants.water_concentration * relaxation


def water_amplitude(water: MRSData) -> float:
    """Return the amplitude of the water line at time 0, of the mean over valid FIDs.

    Parameters
    ----------
    water : MRSData
        Water reference without a coil dimension.

    Returns
    -------
    float
        Magnitude at time 0, in the units of the FID: a parabola through the logarithm of the
        first 20 ms, which is what a Voigt line decays like.

    Raises
    ------
    InvalidInputError
        Coils not combined, or a recording that is not of water.
    """
    if "coil" in water.dims:
        raise InvalidInputError(
            "the water reference has a coil dimension: combine it with the weights of the data "
            "first."
        )
    for dim in water.mask_dims:
        water = water.mean(dim)
    acquisition = water.acquisition
    limits = axes.ppm_to_hz(
        REFERENCE_PPM, acquisition.spectrometer_frequency, acquisition.ppm_reference
    )
    inside = (water.frequency > limits.min()) & (water.frequency < limits.max())
    power = np.abs(water.spectrum) ** 2
    if not power[inside].sum() > 0.8 * power.sum():
        raise InvalidInputError(
            "the water reference is not of water: "
            f"{100 * power[inside].sum() / power.sum():.0f} % of its power lies within "
            f"{REFERENCE_PPM[0]} to {REFERENCE_PPM[1]} ppm, where nearly all is expected. Was "
            "a water-suppressed file given?"
        )
    return _start_of_decay(np.abs(water.fid), water.time)


def _start_of_decay(size: Array, time: Array) -> float:
    """Return a magnitude at time 0 from where it decays, the first points left out."""
    used = slice(_FIRST_POINT, max(_FIRST_POINT + 8, int(np.searchsorted(time, _DECAY_S))))
    weights = size[used]  # of the logarithm, whose SD is that of the noise over the size
    coefficients = np.polyfit(time[used], np.log(size[used]), 2, w=weights)
    return float(np.exp(coefficients[2]))
