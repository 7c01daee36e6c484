"""Tables as files: TSV with a JSON sidecar, in the manner of BIDS."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrsproc.columns import COLUMNS
from mrsproc.files import atomic_path
from mrsproc.quantification import Quantities, WaterScaling

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


def _plain(value: Any) -> Any:
    """Return JSON's own types, NaN as None."""
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
