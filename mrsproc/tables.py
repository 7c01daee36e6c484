"""Tables as files: TSV with a JSON sidecar, in the manner of BIDS."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mrsproc.columns import COLUMNS
from mrsproc.dynamics import DynamicResult
from mrsproc.files import atomic_path
from mrsproc.quantification import Quantities

if TYPE_CHECKING:
    import pandas as pd

MISSING = "n/a"


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
    fit, constants = quantities.fit, quantities.constants
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
    if constants is not None:
        summary["WaterScaling"] = {**vars(constants), "water_amplitude": quantities.water_amplitude}
    return summary


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
