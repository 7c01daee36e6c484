"""The table of parameters of a joint fit."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.dynamics.curves import Curve
from mrsproc.dynamics.design import REST
from mrsproc.responses import Constant, FreeBins, Response

if TYPE_CHECKING:
    import pandas as pd

    from mrsproc.dynamics.result import DynamicResult

UNIT: Final = "units of the basis set"
_COLUMNS: Final = ("metabolite", "parameter", "estimate", "sd", "unit")
_SAME: Final = 1e-9  # relative difference of time courses that count as equal

Row = tuple[str, Curve, str]


def unit_of(quantity: str, reference: str | None) -> str:
    """Return the unit of a quantity of a time course."""
    if quantity == "percent_change":
        return "%"
    return "" if reference is not None or quantity in {"ratio", "log_ratio"} else UNIT


def parameter_table(result: "DynamicResult", covariance: Array) -> "pd.DataFrame":
    """Return one row for each parameter of each metabolite and sum.

    Parameters
    ----------
    result : DynamicResult
        The fit.
    covariance : ndarray
        Covariance of its parameters.

    Returns
    -------
    pandas.DataFrame
        Columns metabolite, parameter, estimate, sd, unit.
    """
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for name in result.quantities():
        for label, curve, unit in [(REST, result.rest(name), UNIT), *response_rows(result, name)]:
            rows.append((name, label, curve.value[0], curve.sd(covariance)[0], unit))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def response_rows(result: "DynamicResult", name: str) -> list[Row]:
    """Return coefficients and unknowns, where all members have one shape."""
    design = result.design
    members = np.flatnonzero(result.weights(name))
    groups = [design.responses[i] for i in members]
    if any(isinstance(group, Constant) for group in groups) or not _one_shape(result, groups):
        return []
    group = groups[0]
    if isinstance(group, FreeBins):
        bins = result.curve(name, edges=group.edges)
        return [
            (label, Curve(bins.value[k : k + 1], bins.slope[k : k + 1]), UNIT)
            for k, label in enumerate(group.labels)
        ]
    rows = _coefficients(result, name) if group.named else []
    size = result.design.signal.size
    for index, (owner, one) in enumerate(design.unknowns):
        if owner in groups:
            rows.append((one.name, _single(result, {size + index: 1.0}), one.unit))
    return rows


def _coefficients(result: "DynamicResult", name: str) -> list[Row]:
    design = result.design
    part = design.of_signal(result.weights(name) / result.signal_scale)
    found: dict[str, dict[int, float]] = {}
    for term in np.flatnonzero((part != 0.0) & (design.column > 0)):
        found.setdefault(design.label[term], {})[int(term)] = float(part[term])
    return [(label, _single(result, weights), UNIT) for label, weights in found.items()]


def _single(result: "DynamicResult", weights: dict[int, float]) -> Curve:
    """Return a weighted sum of parameters."""
    slope = np.zeros((1, result.estimate.size))
    slope[0, list(weights)] = list(weights.values())
    return Curve(slope @ result.estimate, slope)


def _one_shape(result: "DynamicResult", groups: list[Response]) -> bool:
    """Tell whether responses give the same time courses."""
    if len(set(groups)) == 1:
        return True
    if len({group.labels for group in groups}) > 1:
        return False
    design = result.design
    values = design.parts(result.estimate[design.signal.size :])
    columns = dict(zip(design.groups, values, strict=True))
    first, *others = (group.columns(result.time_s, columns[group]) for group in groups)
    return all(np.allclose(first, other, rtol=_SAME, atol=_SAME) for other in others)
