"""Tables as files: TSV with a JSON sidecar, in the manner of BIDS."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mrsproc.columns import COLUMNS
from mrsproc.data import MRSData
from mrsproc.dynamics import DynamicResult
from mrsproc.files import atomic_path
from mrsproc.quantification import Quantities, WaterScaling

if TYPE_CHECKING:
    import pandas as pd

MISSING = "n/a"
TO_FILL_IN = "not in the data: please fill in"
"""What stands in the MRSinMRS table for what a recording cannot tell."""


def write_table(
    frame: "pd.DataFrame", path: str | os.PathLike[str], about: Mapping[str, Any] | None = None
) -> None:
    """Write a table as TSV, and beside it a JSON file that explains its columns.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an observation.
    path : path
        Name that ends in .tsv.
    about : mapping, optional
        More for the sidecar, such as options and constants.
    """
    target = Path(path)
    sidecar: dict[str, Any] = {}
    for name in frame.columns:
        column = COLUMNS.get(str(name))
        text: dict[str, Any] = {
            "Description": column.meaning
            if column
            else f"Index along the dimension {name}, from 0."
        }
        if column and column.unit:
            text["Units"] = column.unit
        sidecar[str(name)] = text
    if about:
        sidecar["mrsproc"] = dict(about)
    with atomic_path(target.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(sidecar, indent=1) + "\n", encoding="utf-8")
    with atomic_path(target) as temporary:
        frame.to_csv(
            temporary,
            sep="\t",
            index=False,
            na_rep=MISSING,
            float_format="%.8g",
            lineterminator="\n",
        )


def fit_summary(quantities: Quantities) -> dict[str, Any]:
    """Return what a reader of the concentrations has to know: options, constants, quality.

    Parameters
    ----------
    quantities : Quantities
        Ratios and concentrations of a fit.

    Returns
    -------
    dict
        JSON's own types; NaN as None.
    """
    fit = quantities.fit
    summary: dict[str, Any] = {
        "Options": {key: _plain(value) for key, value in vars(fit.options).items()},
        "BasisSet": fit.basis_source,
        "RatioPriors": [
            {
                "Signal": prior.name,
                "Relative": list(prior.reference),
                "Ratio": prior.ratio,
                "SD": prior.sd,
                "Source": prior.source,
            }
            for prior in fit.priors
        ],
    }
    for key in (
        "gauss_hz",
        "phase0_deg",
        "phase1_deg_per_ppm",
        "snr",
        "linewidth_hz",
        "baseline_dimension",
        "fit_quality",
    ):
        summary[key] = _plain(getattr(fit, key))
    summary["success"], summary["reason"] = _plain(fit.success), _plain(fit.reason)
    return summary | _scaling_summary(quantities)


def _scaling_summary(quantities: Quantities) -> dict[str, Any]:
    """Return the constants behind the concentrations, nothing without a water reference."""
    constants = quantities.constants
    if constants is None:
        return {}
    water = {
        "water_amplitude": _plain(quantities.water_amplitude),
        "water_amplitude_sd": _plain(quantities.water_amplitude_sd),
    }
    if isinstance(constants, WaterScaling):
        return {"WaterScaling": {**vars(constants), **water}}
    used = constants.to_frame(quantities.fit.names)
    return {
        "TissueCorrection": {
            "Method": "Gasparovic 2006, 10.1002/mrm.20901; Near 2021, 10.1002/nbm.4257",
            "Source": constants.relaxation.source,
            "Constants": used.to_dict(orient="records"),
            **water,
        }
    }


def write_dynamic(result: DynamicResult, folder: str | os.PathLike[str], name: str) -> list[Path]:
    """Write the tables of a joint fit: parameters, time courses and their covariance.

    Parameters
    ----------
    result : DynamicResult
        The fit.
    folder : path
        Where.
    name : str
        How the file names begin.

    Returns
    -------
    list of pathlib.Path
        What was written. The time courses, and the covariance over time and metabolites, are those
        of what moves.
    """
    about = dynamic_summary(result)
    moving = [metabolite for metabolite in result.quantities() if result.moves(metabolite)]
    kinds = ["parameters", *(["timecourse"] if moving else [])]
    written: list[Path] = []
    for kind in kinds:
        table = Path(folder) / f"{name}_desc-{kind}_mrs.tsv"
        frame = result.to_frame(kind)
        if "reference" in frame:
            frame["reference"] = frame["reference"].replace("", MISSING)
        write_table(frame, table, about)
        written += [table, table.with_suffix(".json")]
    if moving:
        labels, covariance = result.timecourse_covariance(moving)
        target = Path(folder) / f"{name}_desc-timecourse_cov.npz"
        with atomic_path(target) as temporary, temporary.open("wb") as file:
            np.savez(file, labels=np.array(labels), covariance=covariance)
        written.append(target)
    return written


def dynamic_summary(result: DynamicResult) -> dict[str, Any]:
    """Return what a reader of time courses has to know.

    Parameters
    ----------
    result : DynamicResult
        The fit.

    Returns
    -------
    dict
        JSON's own types; NaN as None.
    """
    responses = {
        name: repr(response)
        for name, response in zip(result.names, result.design.responses, strict=True)
        if response.labels
    }
    options = {key: value for key, value in vars(result.options).items() if key != "fit"}
    return {
        "infusion_onset_s": _plain(result.infusion_onset_s),
        "Responses": responses,
        "Options": {key: repr(value) for key, value in options.items()},
        "FitOptions": {key: _plain(value) for key, value in vars(result.options.fit).items()},
        "n_transients": int(result.used.size),
        "n_transients_used": int(result.used.sum()),
        "chi_squared": _plain(result.chi_squared),
        "aic": _plain(result.aic),
        "bic": _plain(result.bic),
        "autocorrelation": _plain(result.autocorrelation),
        "success": result.success,
        "reason": result.reason,
        "WaterScaling": "none: a water reference from before the drug cannot scale a later time "
        "point when gain or linewidth changed",
    }


def _plain(value: Any) -> Any:
    """Return JSON's own types, NaN as None."""
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def mrsinmrs(
    data: MRSData,
    *,
    processing: Sequence[str] = (),
    quantities: Quantities | None = None,
    quality: "pd.DataFrame | None" = None,
    time_series: Mapping[str, str] | None = None,
) -> "pd.DataFrame":
    """Return the minimum reporting table of MR spectroscopy, as far as the data can tell it.

    Parameters
    ----------
    data : MRSData
        The recording.
    processing : sequence of str, default ()
        Steps of preprocessing, one sentence each.
    quantities : Quantities, optional
        Ratios and concentrations of the fit.
    quality : pandas.DataFrame, optional
        One row a transient: snr, linewidth_hz, valid, reason, and time_s.
    time_series : mapping of str to str, optional
        Further items of a time series: temporal resolution, infusion, model over time.

    Returns
    -------
    pandas.DataFrame
        Columns section, item and value. What only the experimenter knows says so.

    References
    ----------
    Lin 2021, 10.1002/nbm.4484.
    """
    import pandas as pd

    parts = {
        "1. Hardware": _hardware(data),
        "2. Acquisition": _acquisition(data, quality),
        "3. Data analysis": _analysis(processing, quantities),
        "4. Data quality": _quality(quantities, quality),
        "5. Time series": dict(time_series or {}),
    }
    rows = [
        (section, item, value or TO_FILL_IN)
        for section, part in parts.items()
        for item, value in part.items()
    ]
    return pd.DataFrame(rows, columns=["section", "item", "value"])


def _hardware(data: MRSData) -> dict[str, str]:
    acquisition = data.acquisition
    field = acquisition.field_strength
    model = [acquisition.extra.get(key) for key in ("ManufacturersModelName", "SoftwareVersions")]
    coils = data.sizes.get("coil")
    return {
        "Field strength": f"{field:.3g} T" if field else "",
        "Manufacturer": acquisition.manufacturer or "",
        "Model and software version": ", ".join(str(text) for text in model if text),
        "RF coils": f"{acquisition.nucleus}, {coils} channels" if coils else "",
        "Additional hardware": "",
    }


def _acquisition(data: MRSData, quality: "pd.DataFrame | None") -> dict[str, str]:
    acquisition = data.acquisition
    edges = None if data.affine is None else np.linalg.norm(data.affine[:3, :3], axis=0)
    size = edges is not None and bool((edges < 500.0).all())
    times = {"TR": acquisition.repetition_time, "TE": acquisition.echo_time}
    known = [f"{name} {value * 1e3:g} ms" for name, value in times.items() if value is not None]
    suppressed = {True: "yes; please name the method", False: "none"}
    length = ""
    if quality is not None and np.isfinite(quality["time_s"]).sum() > 1:
        seconds = float(np.nanmax(quality["time_s"]) - np.nanmin(quality["time_s"]))
        length = f"{len(quality)} transients over {seconds / 60.0:.1f} min"
    return {
        "Pulse sequence": acquisition.sequence or "",
        "Volume of interest": "",
        "Nominal size of the volume": (
            f"{' x '.join(f'{edge:.3g}' for edge in edges)} mm"
            if edges is not None and size
            else ""
        ),
        "Repetition and echo time": ", ".join(known) if len(known) == 2 else "",
        "Number of acquisitions": ", ".join(
            f"{count} {dim}{'s' if count > 1 else ''}"
            for dim, count in data.sizes.items()
            if dim not in {"time", "coil"}
        )
        or "1 (averaged)",
        "Time series": length or "none",
        "Spectral width and points": (
            f"{acquisition.spectral_width:.6g} Hz, {data.n_points} points"
        ),
        "Water suppression": (
            "" if acquisition.water_suppressed is None else suppressed[acquisition.water_suppressed]
        ),
        "Shimming": "",
        "Triggering or motion correction": "",
    }


def _analysis(processing: Sequence[str], quantities: Quantities | None) -> dict[str, str]:
    found = {
        "Software": f"mrsproc {version('mrsproc')}",
        "Processing steps": "; ".join(processing) or "none",
    }
    if quantities is None:
        return found
    fit, constants = quantities.fit, quantities.constants
    unit = f"and concentrations ({quantities.unit})" if quantities.unit else ""
    reference = "total creatine and total NAA, without correction"
    if isinstance(constants, WaterScaling):
        reference += (
            f"; water of {constants.water_concentration:g} mM, attenuated to "
            f"{constants.water_relaxation:g}"
        )
    elif constants is not None:
        reference += f"; tissue water (Gasparovic 2006), {constants.relaxation.source}"
    return found | {
        "Output measure": f"amplitude ratios {unit}".strip(),
        "Quantification references": reference,
        "Fitting model": (
            f"linear combination of {len(fit.names)} signals ({fit.basis_source}), "
            f"{fit.options.ppm[0]:g} to {fit.options.ppm[1]:g} ppm, baseline by "
            f"{fit.options.baseline}, {fit.options.priors} priors"
        ),
    }


def _quality(quantities: Quantities | None, quality: "pd.DataFrame | None") -> dict[str, str]:
    found = {"SNR": "", "Linewidth": "", "Exclusion of data": "", "Quality of the fit": ""}
    if quantities is not None and np.any(quantities.fit.success):
        fit = quantities.fit
        middle = [float(np.nanmedian(x)) for x in (fit.snr, fit.linewidth_hz, fit.fit_quality)]
        found["SNR"] = f"{middle[0]:.3g} (tallest metabolite peak over SD of the noise)"
        found["Linewidth"] = f"{middle[1]:.3g} Hz (FWHM of that peak)"
        found["Quality of the fit"] = (
            f"residual variance {middle[2]:.3g} times that of the noise; Cramer-Rao bounds of all "
            "amplitudes in the table"
        )
    if quality is not None:
        lost = int((~quality["valid"].astype(bool)).sum())
        found["Exclusion of data"] = f"{lost} of {len(quality)} transients left out, with reasons"
    return found
