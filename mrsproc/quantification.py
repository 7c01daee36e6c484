r"""From amplitudes to quantities: ratios, and concentrations by the water reference.

.. math:: c = s \, W, \qquad s = \frac{a \, u}{A_w / 2}

with amplitude :math:`a`, the signal of one proton in the basis set :math:`u` and the amplitude of
water :math:`A_w` (two protons) at time 0, so that :math:`s` is the signal of a proton of the
metabolite relative to that of a proton of water. What a ratio of 1 stands for, :math:`W`, is

- without tissue fractions, in LCModel's manner, :math:`W = c_w R_w / R_m`: one concentration of
  water and one attenuation for the whole voxel (`WaterScaling`);
- with them, the water of grey matter, white matter and CSF with its own relaxation, and metabolites
  in tissue only (`mrsproc.tissue.TissueCorrection`: Gasparovic 2006, 10.1002/mrm.20901; Near 2021,
  10.1002/nbm.4257).

The covariance of concentrations is that of the amplitudes, scaled, and the variance of the water
amplitude, which all of them share; sums are formed after scaling, each member with its own
relaxation. The uncertainty of fractions and relaxation times is not in it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.constants import WATER_PROTONS
from mrsproc.data import Acquisition, MRSData, Record
from mrsproc.errors import InvalidInputError
from mrsproc.fitting.result import FitResult, sum_weights
from mrsproc.numerics import covariance as propagation
from mrsproc.tissue import Relaxation, Tissue, TissueCorrection

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
        Ratios of amplitudes to total creatine and total NAA; NaN where there is none.
    concentration : ndarray, shape (..., n)
        Water-scaled concentrations, in `unit`; NaN without a water reference, and with tissue
        fractions for macromolecules and lipids.
    concentration_covariance : ndarray, shape (..., n, n)
        Their covariance, with the share of the water amplitude.
    unit : str
        "mM" as LCModel uses it, "mmol/kg" (per kg of tissue water) with tissue fractions, empty
        without a water reference.
    water_amplitude, water_amplitude_sd : float
        Amplitude of water at time 0 and its SD; NaN without a reference.
    constants : WaterScaling or TissueCorrection or None
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
    concentration_covariance: Array
    unit: str
    water_amplitude: float
    water_amplitude_sd: float
    constants: "WaterScaling | TissueCorrection | None"

    @property
    def concentration_sd(self) -> Array:
        """Standard deviation of `concentration`, shape (..., n)."""
        variance = np.diagonal(self.concentration_covariance, axis1=-2, axis2=-1)
        return np.asarray(np.sqrt(variance))

    @property
    def molar_factor(self) -> float:
        """What turns `concentration` into mmol per litre of tissue; NaN without fractions."""
        if isinstance(self.constants, TissueCorrection):
            return self.constants.water_of_tissue
        return float("nan")

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of the fit with ratios and concentrations.

        Returns
        -------
        pandas.DataFrame
            The columns of `FitResult.to_frame`, then ratio_tCr, ratio_tCr_sd, ratio_tNAA,
            ratio_tNAA_sd, concentration, concentration_sd and unit; with tissue fractions also
            concentration_molar and concentration_molar_sd.
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
        frame["unit"] = self.unit or None
        if isinstance(self.constants, TissueCorrection):
            frame["concentration_molar"] = frame["concentration"] * self.molar_factor
            frame["concentration_molar_sd"] = frame["concentration_sd"] * self.molar_factor
        return frame


def quantify(
    fit: FitResult,
    *,
    water: MRSData | None = None,
    tissue: Tissue | None = None,
    relaxation: Relaxation | None = None,
    acquisition: Acquisition | None = None,
    scaling: WaterScaling | None = None,
) -> Quantities:
    """Turn a fit into ratios and, with a water reference, into concentrations.

    Parameters
    ----------
    fit : FitResult
        Amplitudes.
    water : MRSData, optional
        Water reference of the same voxel and receiver gain, coils combined as the data. Its
        acquisition holds its echo and repetition time.
    tissue : Tissue, optional
        Volume fractions of the voxel: concentrations are corrected for them and for relaxation, and
        come in mmol per kg of tissue water, and per litre of tissue.
    relaxation : Relaxation, optional
        Relaxation times; those of the literature at the field of the reference when not given. Only
        with `tissue`.
    acquisition : Acquisition, optional
        How the metabolites were recorded; as the reference, same echo and repetition time, when not
        given. Only with `tissue`.
    scaling : WaterScaling, optional
        Constants of scaling without tissue fractions; the defaults of `WaterScaling` when not
        given.

    Returns
    -------
    Quantities
        With SDs from the covariance of the fit.

    Raises
    ------
    InvalidInputError
        The reference holds no water line, or the basis set no singlet to tell its scale; tissue
        fractions without a reference, without echo or repetition time, or of a voxel that is all
        CSF.
    """
    names, amplitude, covariance = fit.with_sums()
    ratios = {}
    for reference in ("tCr", "tNAA"):
        if reference in names:
            ratios[reference] = propagation.ratio(amplitude, covariance, names.index(reference))
        else:
            ratios[reference] = (np.full_like(amplitude, np.nan),) * 2
    constants = _constants(water, tissue, relaxation, acquisition, scaling)
    signal, unit = WaterSignal(float("nan"), float("nan")), ""
    factors = np.full(len(fit.names), np.nan)
    if water is not None and constants is not None:
        signal = water_signal(water)
        factors = np.array(
            [
                concentration_factor(fit.signal_per_proton, signal.amplitude, constants, name)
                for name in fit.names
            ]
        )
        unit = "mmol/kg" if isinstance(constants, TissueCorrection) else "mM"
    concentration, of_concentration = _scaled(fit, names, factors, signal)
    return Quantities(
        fit=fit,
        names=names,
        amplitude=amplitude,
        sd=np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1)),
        ratio_tCr=ratios["tCr"][0],
        ratio_tCr_sd=ratios["tCr"][1],
        ratio_tNAA=ratios["tNAA"][0],
        ratio_tNAA_sd=ratios["tNAA"][1],
        concentration=concentration,
        concentration_covariance=of_concentration,
        unit=unit,
        water_amplitude=signal.amplitude,
        water_amplitude_sd=signal.sd,
        constants=constants,
    )


def _constants(
    water: MRSData | None,
    tissue: Tissue | None,
    relaxation: Relaxation | None,
    acquisition: Acquisition | None,
    scaling: WaterScaling | None,
) -> WaterScaling | TissueCorrection | None:
    """Return the constants that the arguments ask for, None without a reference."""
    if tissue is None:
        if relaxation is not None or acquisition is not None:
            raise InvalidInputError(
                "relaxation and acquisition correct for tissue and relaxation: give tissue= too, "
                "or put the constants into scaling=."
            )
        return None if water is None else scaling or WaterScaling()
    if water is None:
        raise InvalidInputError("tissue fractions need a water reference: give water= too.")
    if scaling is not None:
        raise InvalidInputError("give either tissue= or scaling=, which hold the same things.")
    ours = water.acquisition if acquisition is None else acquisition
    field = ours.field_strength
    if relaxation is None:
        if field is None or ours.nucleus != "1H":
            raise InvalidInputError(
                f"no relaxation times are kept for {ours.nucleus}: give relaxation=."
            )
        relaxation = Relaxation.at(field)
    return TissueCorrection(
        tissue=tissue,
        relaxation=relaxation,
        echo_time=_known(ours, "echo_time", "metabolites"),
        repetition_time=_known(ours, "repetition_time", "metabolites"),
        water_echo_time=_known(water.acquisition, "echo_time", "water reference"),
        water_repetition_time=_known(water.acquisition, "repetition_time", "water reference"),
    )


def _known(acquisition: Acquisition, name: str, whose: str) -> float:
    """Return an echo or repetition time [s]; there is no default for one that is not known."""
    value: float | None = getattr(acquisition, name)
    if value is None:
        raise InvalidInputError(
            f"the {name} of the {whose} is not in its header, and relaxation cannot be corrected "
            f"without it: set it with acquisition.replace({name}=...) [s], or with --te and --tr "
            "[ms] on the command line."
        )
    return value


def _scaled(
    fit: FitResult, names: tuple[str, ...], factors: Array, signal: "WaterSignal"
) -> tuple[Array, Array]:
    """Return concentrations of signals and sums, and their covariance."""
    sums = sum_weights(fit.names)
    rows = [sums[name] for name in names[len(fit.names) :]]
    weights = np.vstack([np.eye(len(fit.names)), *rows])
    # A sum must not become NaN for a signal that is not in it.
    scaled = np.where(weights != 0.0, weights * factors, 0.0)
    concentration = fit.amplitude @ scaled.T
    relative = signal.sd / signal.amplitude
    shared = concentration[..., :, None] * concentration[..., None, :] * relative**2
    return concentration, propagation.of_sums(scaled, fit.covariance) + shared


def concentration_factor(
    signal_per_proton: float,
    water: float,
    constants: WaterScaling | TissueCorrection,
    name: str = "",
) -> float:
    """Return the concentration that an amplitude of 1 stands for.

    Parameters
    ----------
    signal_per_proton : float
        First point of the FID of one proton in the basis set.
    water : float
        Amplitude of water at time 0.
    constants : WaterScaling or TissueCorrection
        Concentration of water and relaxation.
    name : str, default ""
        Metabolite, which tells its relaxation where tissue fractions are given.

    Returns
    -------
    float
        Factor [mM, or mmol/kg, per unit of amplitude].

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
    relative = signal_per_proton / (water / WATER_PROTONS)
    if isinstance(constants, TissueCorrection):
        return relative * constants.molal(name)
    relaxation = constants.water_relaxation / constants.metabolite_relaxation
    return relative * constants.water_concentration * relaxation


class WaterSignal(NamedTuple):
    """Amplitude of water at time 0."""

    amplitude: float
    """Magnitude, in the units of the FID."""
    sd: float
    """Standard deviation, from how far the decay strays from its model."""


def water_signal(water: MRSData) -> WaterSignal:
    """Return the amplitude of the water line at time 0, of the mean over valid FIDs.

    Parameters
    ----------
    water : MRSData
        Water reference without a coil dimension.

    Returns
    -------
    WaterSignal
        Magnitude at time 0, in the units of the FID, and its SD: a parabola through the logarithm
        of the first 20 ms, which is what a Voigt line decays like.

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


def _start_of_decay(size: Array, time: Array) -> WaterSignal:
    """Return a magnitude at time 0 from where it decays, the first points left out."""
    used = slice(_FIRST_POINT, max(_FIRST_POINT + 8, int(np.searchsorted(time, _DECAY_S))))
    weights = size[used]  # of the logarithm, whose SD is that of the noise over the size
    coefficients, covariance = np.polyfit(time[used], np.log(size[used]), 2, w=weights, cov=True)
    amplitude = float(np.exp(coefficients[2]))
    return WaterSignal(amplitude, amplitude * float(np.sqrt(covariance[2, 2])))
