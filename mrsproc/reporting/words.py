"""What a report says in sentences: what wants attention, methods, references."""

from importlib.metadata import version
from typing import Final, NamedTuple

import numpy as np

from mrsproc.data import MRSData, Step
from mrsproc.fitting.result import FitResult, sum_weights
from mrsproc.quantification import WaterScaling
from mrsproc.reporting.parts import Dynamics, Session

_WIDE_PPM: Final = 0.1  # linewidth above which spectra are not to be used
_LOW_SNR: Final = 5.0
_MANY_LOST: Final = 0.1
_POOR_FIT: Final = 4.0
_STRONG_PULL: Final = 3.0
_DRIFT_HZ: Final = 10.0
_LINEWIDTHS: Final = {
    "smooth": "free to change smoothly",
    "response": "free to follow the responses",
    "constant": "constant",
}
MAIN: Final = ("tNAA", "tCr", "tCho", "Ins", "Glu", "Gln", "Glx")
"""Quantities that come first, and whose failings are told."""

REFERENCES: Final = {
    "nifti": "Clarke et al. NIfTI-MRS: a standard data format for magnetic resonance spectroscopy. "
    "Magn Reson Med 2022. doi:10.1002/mrm.29418",
    "consensus": "Near et al. Preprocessing, analysis and quantification in single-voxel magnetic "
    "resonance spectroscopy. NMR Biomed 2021. doi:10.1002/nbm.4257",
    "terms": "Kreis et al. Terminology and concepts for the characterization of in vivo MR "
    "spectroscopy methods and MR spectra. NMR Biomed 2021. doi:10.1002/nbm.4347",
    "regular": "Wilson. Chemical shift and relaxation regularization improve the accuracy of 1H MR "
    "spectroscopy analysis. Magn Reson Med 2025. doi:10.1002/mrm.30462",
    "lcmodel": "Provencher. Estimation of metabolite concentrations from localized in vivo proton "
    "NMR spectra. Magn Reson Med 1993. doi:10.1002/mrm.1910300604",
    "gasparovic": "Gasparovic et al. Use of tissue water as a concentration reference for proton "
    "spectroscopic imaging. Magn Reson Med 2006. doi:10.1002/mrm.20901",
    "mrsinmrs": "Lin et al. Minimum reporting standards for in vivo magnetic resonance "
    "spectroscopy (MRSinMRS). NMR Biomed 2021. doi:10.1002/nbm.4484",
    "dynamic": "Clarke et al. Universal dynamic fitting of magnetic resonance spectroscopy. Magn "
    "Reson Med 2024. doi:10.1002/mrm.30001",
    "usable": "Wilson et al. Methodological consensus on clinical proton MRS of the brain. Magn "
    "Reson Med 2019. doi:10.1002/mrm.27742",
}
"""References by what they stand for."""


class Paragraph(NamedTuple):
    """A paragraph for a paper, and what it refers to."""

    text: str
    references: tuple[str, ...]


def warnings_of(session: Session) -> list[str]:
    """Return what wants attention, most grave first.

    Parameters
    ----------
    session : Session
        Parts of the report.

    Returns
    -------
    list of str
        Sentences; none where nothing does.
    """
    return [*_of_dynamic(session), *_of_fit(session), *_of_quality(session)]


def _of_dynamic(session: Session) -> list[str]:
    if session.dynamic is None or session.dynamic.success:
        return []
    return [f"The joint fit over time failed: {session.dynamic.reason}. It gives no numbers."]


def _of_fit(session: Session) -> list[str]:
    result = session.fit
    if result is None:
        return []
    found = []
    failed = np.atleast_1d(~result.success)
    if failed.any():
        reasons = sorted({str(text) for text in np.atleast_1d(result.reason)[failed]})
        found.append(
            f"{int(failed.sum())} of {failed.size} fits failed ({'; '.join(reasons)}). "
            "They give no numbers."
        )
    if failed.all():
        return found
    index = session.shown
    quality = float(result.fit_quality[index])
    if quality > _POOR_FIT:
        found.append(
            f"The residual of the fit has {quality:.2g} times the variance of the noise: the model "
            "misses something. Look at the residual before you believe a number."
        )
    return [*found, *_of_amplitudes(result, index)]


def _of_amplitudes(result: FitResult, index: tuple[int, ...]) -> list[str]:
    found = []
    held = [
        name for name, at in zip(result.names, result.at_bounds[index], strict=True)
        if at and name in MAIN
    ]  # fmt: skip
    if held:
        found.append(f"The fit holds {', '.join(held)} at zero: not seen in this spectrum.")
    missing = [name for name in ("tNAA", "tCr") if name not in sum_weights(result.names)]
    if missing:
        found.append(f"The basis set has no {' and no '.join(missing)}: there are no such ratios.")
    pulls = result.prior_pull[index]
    strong = [
        prior.name for prior, pull in zip(result.priors, pulls, strict=True)
        if abs(pull) > _STRONG_PULL
    ]  # fmt: skip
    if strong:
        found.append(
            f"The data disagree with the expected ratios of {', '.join(strong)} by more than "
            f"{_STRONG_PULL:g} SDs: these estimates are a compromise."
        )
    return found


def _of_quality(session: Session) -> list[str]:
    found = []
    data = session.data
    if session.fit is not None and np.any(session.fit.success) and data is not None:
        index = session.shown
        width = float(session.fit.linewidth_hz[index]) / data.acquisition.spectrometer_frequency
        snr = float(session.fit.snr[index])
        if width > _WIDE_PPM:
            found.append(
                f"The lines are {width:.2f} ppm wide; spectra above {_WIDE_PPM} ppm are not to be "
                "used (10.1002/mrm.27742)."
            )
        if snr < _LOW_SNR:
            found.append(f"The SNR is {snr:.2g}: single metabolites are hardly determined.")
    if session.clean is None:
        return found
    table = session.clean.qc
    lost = (~table["valid"].astype(bool)).mean() if len(table) else 0.0
    if lost > _MANY_LOST:
        found.append(f"{100 * lost:.0f} % of the transients were left out.")
    used = table[table["valid"].astype(bool)]
    if "frequency_hz" in used and np.isfinite(used["frequency_hz"]).any():
        span = float(np.nanmax(used["frequency_hz"]) - np.nanmin(used["frequency_hz"]))
        if span > _DRIFT_HZ:
            found.append(
                f"The frequency moved over {span:.0f} Hz before correction: water suppression and "
                "the place of the voxel may have moved with it."
            )
    return found


def steps_since(raw: MRSData | None, data: MRSData) -> tuple[Step, ...]:
    """Return the steps of processing that were done after a recording was read."""
    known = 0 if raw is None else len(raw.history)
    return data.history[known:] if raw is not None else data.history


def sentence(step: Step) -> str:
    """Return a step of processing as a sentence without a full stop.

    What other programs wrote into a header stays there: of their steps only the method is told.
    """
    own = step.program == "mrsproc"
    return f"{step.method} ({step.details})" if own and step.details else step.method


def methods(session: Session) -> Paragraph:
    """Return a methods paragraph, ready for a paper.

    Parameters
    ----------
    session : Session
        Parts of the report.

    Returns
    -------
    Paragraph
        Its text, and what it refers to.
    """
    parts, used = [f"Data were analysed with mrsproc {version('mrsproc')}."], ["mrsinmrs"]
    data = session.data
    if data is not None:
        parts.insert(0, _recording(session.raw or data))
        steps = [sentence(step) for step in steps_since(session.raw, data)]
        if steps:
            parts.append(f"Preprocessing: {'; '.join(steps)}.")
        used.append("consensus")
    if session.clean is not None:
        lost = int((~session.clean.qc["valid"].astype(bool)).sum())
        parts.append(f"{lost} of {len(session.clean.qc)} transients were left out as outliers.")
    if session.fit is not None:
        parts.append(_fitting(session.fit))
        used += ["regular", "terms"]
        if session.fit.priors:
            used.append("lcmodel")
    if session.quantities is not None and session.quantities.constants is not None:
        parts.append(_scaling(session))
        plain = isinstance(session.quantities.constants, WaterScaling)
        used.append("lcmodel" if plain else "gasparovic")
    if session.dynamic is not None:
        parts.append(_over_time(session, session.dynamic))
        used.append("dynamic")
    references = tuple(REFERENCES[key] for key in dict.fromkeys(used))
    return Paragraph(" ".join(parts), references)


def _recording(data: MRSData) -> str:
    acquisition = data.acquisition
    field = acquisition.field_strength
    times = {"TE": acquisition.echo_time, "TR": acquisition.repetition_time}
    what = [
        f"{acquisition.nucleus} spectra",
        f"at {field:.2g} T" if field else "",
        f"({acquisition.sequence})" if acquisition.sequence else "",
    ]
    how = [
        *(f"{name} {value * 1e3:g} ms" for name, value in times.items() if value is not None),
        *(f"{n} {dim}s" for dim, n in data.sizes.items() if dim in {"coil", "transient"}),
        f"{data.n_points} points",
        f"spectral width {acquisition.spectral_width:.6g} Hz",
    ]
    return f"{' '.join(text for text in what if text)} were recorded with {', '.join(how)}."


def _fitting(result: FitResult) -> str:
    options = result.options
    baseline = options.baseline
    lines = "asymmetric" if options.lineshape == "asymmetric" else "Voigt"
    how = {
        "reml": "was averaged over what restricted maximum likelihood finds likely",
        "maic": "was chosen by a modified Akaike criterion",
    }.get(str(baseline), f"left {baseline} parameters per ppm")
    return (
        f"Spectra were fitted between {options.ppm[0]:g} and {options.ppm[1]:g} ppm with "
        f"{len(result.names)} basis signals ({result.basis_source}), {lines} lines, shifts and "
        f"widths regularised (SD {options.shift_sd:g} ppm and {options.width_sd:g} Hz), and a "
        f"penalised spline as baseline whose stiffness {how}; "
        f"{len(result.priors) or 'no'} soft ratio priors acted."
    )


def _over_time(session: Session, dynamic: Dynamics) -> str:
    items = time_series(session)
    told = "; ".join(f"{name[0].lower()}{name[1:]}: {text}" for name, text in items.items())
    ratio = "" if session.relative_to is None else f", relative to {session.relative_to}"
    kind = _LINEWIDTHS.get(getattr(dynamic.options, "linewidth", ""))
    width = f" The linewidth was {kind} over time." if kind else ""
    return (
        "All transients were fitted together, each metabolite following its response over time"
        f"{ratio} ({told}); intervals are from the full covariance over time and metabolites, "
        f"that of the baseline included.{width}"
    )


def time_series(session: Session) -> dict[str, str]:
    """Return what a reader has to know of a time series, by item.

    Parameters
    ----------
    session : Session
        Parts of the report.

    Returns
    -------
    dict of str to str
        Temporal resolution, infusion, baseline and model over time, as far as they are known.
    """
    items = {}
    dynamic, drug = session.dynamic, session.infusion
    width = getattr(getattr(dynamic, "options", None), "bin_width", None)
    if width is not None:
        items["Temporal resolution"] = f"time bins of {width:g} s"
    if drug is not None:
        name = f"{getattr(drug, 'drug', None) or 'drug'}"
        dose = getattr(drug, "dose_mg_per_kg", None)
        items["Infusion"] = (
            f"{name}{f', {dose:g} mg/kg' if dose else ''}, from {drug.onset:g} to "
            f"{drug.onset + drug.duration:g} s after the first transient"
        )
    if session.baseline is not None:
        items["Baseline"] = f"{session.baseline[0]:g} to {session.baseline[1]:g} s"
    elif drug is not None and dynamic is not None:
        items["Baseline"] = f"0 to {drug.onset:g} s"
    responses = getattr(getattr(dynamic, "design", None), "responses", ())
    shapes: dict[str, list[str]] = {}
    for name, response in zip(getattr(dynamic, "names", ()), responses, strict=False):
        shapes.setdefault(type(response).__name__, []).append(name)
    shapes.pop("Constant", None)
    if responses:
        told = [f"{shape} ({', '.join(names)})" for shape, names in shapes.items()]
        items["Responses over time"] = "; ".join(told) or "none: all constant"
    return items


def _scaling(session: Session) -> str:
    assert session.quantities is not None
    constants = session.quantities.constants
    if isinstance(constants, WaterScaling):
        return (
            f"Concentrations were scaled to water of {constants.water_concentration:g} mM with an "
            f"attenuation of {constants.water_relaxation:g}, without correction for tissue."
        )
    assert constants is not None
    tissue = constants.tissue
    return (
        f"Concentrations in mmol per kg of tissue water were corrected for tissue (grey matter "
        f"{tissue.gm:.2f}, white matter {tissue.wm:.2f}, CSF {tissue.csf:.2f}) and relaxation "
        f"({constants.relaxation.source})."
    )
