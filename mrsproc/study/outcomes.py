"""Tables of a session: time courses and endpoints of what the recipe asks for."""

import warnings
from typing import TYPE_CHECKING

import numpy as np

from mrsproc.dynamics import DynamicResult
from mrsproc.dynamics.curves import Curve
from mrsproc.dynamics.endpoints import UNITS
from mrsproc.dynamics.parameters import response_rows
from mrsproc.errors import FitWarning
from mrsproc.study.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd


def _reference(recipe: Recipe) -> str | None:
    return None if recipe.reference == "none" else recipe.reference


def timecourse_table(result: DynamicResult, recipe: Recipe) -> "pd.DataFrame":
    """Return the time courses of all metabolites.

    Parameters
    ----------
    result : DynamicResult
        The session.
    recipe : Recipe
        Metabolites, reference and baseline.

    Returns
    -------
    pandas.DataFrame
        As `DynamicResult.timecourse`.
    """
    import pandas as pd

    frames = [
        result.timecourse(name, relative_to=_reference(recipe), baseline=recipe.baseline)
        for name in recipe.metabolites
    ]
    return pd.concat(frames, ignore_index=True)


def endpoint_table(
    result: DynamicResult, recipe: Recipe, rng: np.random.Generator
) -> "pd.DataFrame":
    """Return the endpoints of all metabolites.

    Parameters
    ----------
    result : DynamicResult
        The session.
    recipe : Recipe
        Metabolites, reference, baseline and endpoints.
    rng : Generator
        Source of the draws behind the SDs of peak and time_to_peak.

    Returns
    -------
    pandas.DataFrame
        Columns metabolite, reference, endpoint, unit, estimate, sd.
    """
    import pandas as pd

    reference = _reference(recipe)
    frames = []
    for name in recipe.metabolites:
        with warnings.catch_warnings():  # said by the time course
            warnings.simplefilter("ignore", FitWarning)
            found = result.endpoints(name, relative_to=reference, baseline=recipe.baseline, rng=rng)
        frames.append(found[found["endpoint"].isin(recipe.endpoints)])
        if "response" in recipe.endpoints:
            curve = _response(result, name, reference)
            row = {
                "metabolite": name,
                "reference": reference or "",
                "endpoint": "response",
                "unit": UNITS["mean"],
                "estimate": curve.value,
                "sd": curve.sd(result.covariance),
            }
            frames.append(pd.DataFrame(row))
    return pd.concat(frames, ignore_index=True)


def _response(result: DynamicResult, name: str, reference: str | None) -> Curve:
    """Return the change at the height of the response's shape, in percent of rest."""
    rest, high = result.rest(name), _high(result, name)
    if reference is not None:
        rest = rest.over(result.rest(reference))
        high = high.over(_high(result, reference, otherwise=result.rest(reference)))
    return high.minus(rest).over(rest).times(100.0)


def _high(result: DynamicResult, name: str, otherwise: Curve | None = None) -> Curve:
    """Return the amplitude at rest plus the response; NaN, or `otherwise`, without a shape."""
    rest = result.rest(name)
    for label, curve, _ in response_rows(result, name):
        if label == "response":
            return Curve(rest.value + curve.value, rest.slope + curve.slope)
    return Curve(rest.value * np.nan, rest.slope * np.nan) if otherwise is None else otherwise
