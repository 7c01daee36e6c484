"""Every column of every table, once: its name, unit and meaning.

A table is written with a JSON sidecar that takes its text from here.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Parameters
    ----------
    meaning : str
        One sentence.
    unit : str, default ""
        Unit; empty for text, counts and dimensionless numbers.
    """

    meaning: str
    unit: str = ""


COLUMNS: Final[dict[str, Column]] = {
    "transient": Column("Index of the transient in the recording, from 0."),
    "edit": Column("Index of the edit condition, from 0."),
    "metabolite": Column(
        "Signal of the basis set, or tNAA = NAA + NAAG, tCr = Cr + PCr, tCho = GPC + PCh, Glx "
        "= Glu + Gln."
    ),
    "amplitude": Column("Amplitude: the basis FID as given, times this.", "units of the basis set"),
    "sd": Column(
        "Standard deviation of the amplitude: Cramer-Rao bound, Bayesian where priors act or the "
        "amplitude is near zero.",
        "units of the basis set",
    ),
    "crlb_percent": Column("sd in percent of the amplitude; n/a where the amplitude is zero.", "%"),
    "at_bounds": Column(
        "Whether chi-squared is lowest without the signal: the amplitude is then an upper limit "
        "rather than a value."
    ),
    "ratio_tCr": Column("Amplitude relative to total creatine."),
    "ratio_tCr_sd": Column("Standard deviation of ratio_tCr, from the covariance of both."),
    "ratio_tNAA": Column("Amplitude relative to total NAA."),
    "ratio_tNAA_sd": Column("Standard deviation of ratio_tNAA, from the covariance of both."),
    "concentration": Column(
        "Concentration by the water reference; n/a without one. The unit is in the column unit."
    ),
    "concentration_sd": Column(
        "Standard deviation of concentration: that of the amplitude; the water amplitude is "
        "taken as exact."
    ),
    "unit": Column("Unit of concentration."),
    "time_s": Column("Start of the transient since the first one.", "s"),
    "snr": Column(
        "Tallest metabolite peak of the real spectrum over the SD of its noise, no "
        "apodisation, no zero-filling."
    ),
    "linewidth_hz": Column("Full width at half maximum of the tallest metabolite peak.", "Hz"),
    "frequency_hz": Column(
        "Frequency shift found before correction, positive towards higher ppm.", "Hz"
    ),
    "phase_rad": Column("Phase found before correction.", "rad"),
    "valid": Column("Whether the transient takes part."),
    "reason": Column("Why a transient takes no part; empty for one that does."),
    "quantity": Column("Name of the quantity."),
    "value": Column("Its value."),
}
