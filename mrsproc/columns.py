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
        "Standard deviation of the amplitude or estimate, in its unit: Cramer-Rao bound, Bayesian "
        "where priors act or an amplitude is near zero.",
    ),
    "crlb_percent": Column("sd in percent of the amplitude; n/a where the amplitude is zero.", "%"),
    "bootstrap_bias": Column(
        "Mean of estimate - truth in spectra simulated from the fit.", "units of the basis set"
    ),
    "bootstrap_sd": Column(
        "Standard deviation of estimate - truth there, which sd should equal.",
        "units of the basis set",
    ),
    "bootstrap_coverage": Column("How often the 95 % interval holds the truth there.", "%"),
    "bootstrap_n": Column("Number of simulated spectra whose fit found a minimum."),
    "at_bounds": Column(
        "Whether chi-squared is lowest without the signal: the amplitude is then an upper limit "
        "rather than a value."
    ),
    "ratio_tCr": Column("Amplitude relative to total creatine."),
    "ratio_tCr_sd": Column("Standard deviation of ratio_tCr, from the covariance of both."),
    "ratio_tNAA": Column("Amplitude relative to total NAA."),
    "ratio_tNAA_sd": Column("Standard deviation of ratio_tNAA, from the covariance of both."),
    "concentration": Column(
        "Concentration by the water reference; n/a without one, and with tissue fractions for "
        "macromolecules and lipids. The unit is in the column unit."
    ),
    "concentration_sd": Column(
        "Standard deviation of concentration, from the amplitude and the water amplitude; tissue "
        "fractions and relaxation times are taken as exact."
    ),
    "unit": Column(
        "Unit of the estimate or concentration. Of concentrations: mM as LCModel uses it, or mmol "
        "per kg of tissue water where tissue fractions were given."
    ),
    "concentration_molar": Column(
        "Concentration per litre of grey and white matter, where tissue fractions were given.",
        "mmol/L",
    ),
    "concentration_molar_sd": Column("Standard deviation of concentration_molar.", "mmol/L"),
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
    "epoch": Column("Part of the session: baseline, infusion, after; all without an infusion."),
    "residual_water": Column(
        "Tallest peak near water before its removal, over the tallest metabolite peak."
    ),
    "valid": Column("Whether the transient takes part."),
    "reason": Column("Why a transient takes no part; empty for one that does."),
    "peak": Column("Name of the line."),
    "ppm": Column("Chemical shift of the line.", "ppm"),
    "ppm_sd": Column("Standard deviation of ppm.", "ppm"),
    "lorentz_hz": Column("Lorentzian width, full width at half maximum.", "Hz"),
    "lorentz_hz_sd": Column("Standard deviation of lorentz_hz.", "Hz"),
    "gauss_hz": Column("Gaussian width, full width at half maximum.", "Hz"),
    "gauss_hz_sd": Column("Standard deviation of gauss_hz.", "Hz"),
    "phase_deg": Column("Phase of the line relative to the common one.", "degrees"),
    "phase_deg_sd": Column("Standard deviation of phase_deg.", "degrees"),
    "duration_s": Column("Length of the time bin.", "s"),
    "n_transients": Column("Transients of the time bin that take part."),
    "reference": Column("Denominator of a ratio; empty for an amplitude."),
    "estimate": Column("Estimate. The unit is in the column unit."),
    "parameter": Column(
        "rest = amplitude before the drug, response = amplitude added per unit of the shape of the "
        "response, or a parameter of the shape."
    ),
    "endpoint": Column("Number taken from a time course, such as auc or peak."),
    "linewidth_change_hz": Column("Change of the Lorentzian width around its mean.", "Hz"),
    "gain": Column("Signal scale common to all signals, around 1."),
    "misfit": Column("Sum of squares of the residual over its expectation; 1 for noise."),
    "quantity": Column("Name of the quantity."),
    "value": Column("Its value."),
    "subject": Column("Participant."),
    "outcome": Column("Quality of the recording that was tested."),
    "alarm": Column("Whether quality differs by condition or by condition x time."),
    "term": Column("Effect: a difference of conditions, a fixed effect, or what it names."),
    "se": Column("Standard error of the estimate."),
    "df": Column("Degrees of freedom of the t test, or of the denominator of F."),
    "df1": Column("Degrees of freedom of the numerator of F."),
    "statistic": Column("t of an estimate, or F of a term."),
    "p": Column("Two-sided p value."),
    "p_holm": Column("p corrected for the number of tests of the table (Holm)."),
    "p_permutation": Column("p of the permutation test: no assumption of normal differences."),
    "ci_low": Column("Lower end of the 95 % interval."),
    "ci_high": Column("Upper end of the 95 % interval."),
    "effect_size": Column("Effect in SDs of the within-person difference (Hedges)."),
    "effect_size_low": Column("Lower end of its 95 % interval."),
    "effect_size_high": Column("Upper end of its 95 % interval."),
    "people": Column("People with both conditions."),
    "active": Column("Value of the person under the active condition."),
    "control": Column("Value of the person under the control condition."),
    "difference": Column("Active minus control."),
    "weight": Column("Weight of the person in the analysis, 1 on average."),
    "estimate_without": Column("Estimate of the analysis without this person."),
    "p_without": Column("p of the analysis without this person."),
    "shift": Column("How far the person moves the estimate, in standard errors."),
    "component": Column("Variance component; a covariance has ~ in it."),
    "variance": Column("Estimated variance; below zero where the data say so."),
    "session": Column("Session of the participant."),
    "condition": Column("Treatment, from sessions.tsv."),
    "period": Column("Place of the session in the participant's order, from 1."),
    "sequence": Column("Conditions of the participant in that order."),
    "stage": Column("Where the session failed: find, read, preprocess, fit, write, run."),
    "error": Column("Kind of the error."),
    "message": Column("What is wrong and what to do."),
    "participants": Column("People who start the trial."),
    "power": Column("Share of trials that find the effect."),
}
