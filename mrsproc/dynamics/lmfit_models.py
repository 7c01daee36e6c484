r"""Any model of lmfit, fitted to a time course with its full covariance.

The residual is whitened: with :math:`C = V \operatorname{diag}(\lambda) V^T` the covariance of the
time course, :math:`r = \operatorname{diag}(\lambda^{-1/2}) V^T (y - m)`, directions without
information left out.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc.dynamics.result import DynamicResult
from mrsproc.errors import InvalidInputError

if TYPE_CHECKING:
    import lmfit

_NONE: Final = 1e-9  # of the largest eigenvalue of the covariance


def fit_model(
    result: DynamicResult,
    metabolite: str,
    model: "lmfit.Model",
    params: "lmfit.Parameters",
    *,
    relative_to: str | None = None,
) -> Any:
    """Fit a model of lmfit to a time course.

    Parameters
    ----------
    result : DynamicResult
        A joint fit in which the metabolite is "free": otherwise its time course has the shape of
        its response already.
    metabolite : str
        For example "Glx".
    model : lmfit.Model
        Of the time in the middle of a bin [s].
    params : lmfit.Parameters
        Start values, bounds and expressions.
    relative_to : str, optional
        Denominator.

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        With SDs on the scale of the covariance (``scale_covar=False``).

    Raises
    ------
    InvalidInputError
        A model of more than one independent variable, or fewer independent points than parameters.
    """
    import lmfit

    if len(model.independent_vars) != 1:
        raise InvalidInputError(
            f"the model has the independent variables {model.independent_vars}: give one of time."
        )
    curve = result.curve(metabolite, relative_to=relative_to)
    covariance = curve.covariance(result.covariance)
    strength, vectors = np.linalg.eigh(covariance)
    kept = strength > _NONE * strength.max()
    varied = sum(parameter.vary for parameter in params.values())
    if kept.sum() < varied:
        raise InvalidInputError(
            f"the time course of {metabolite} has {int(kept.sum())} independent points, the model "
            f"{varied} parameters: fit {metabolite} as 'free' with narrower bins."
        )
    white = (vectors[:, kept] / np.sqrt(strength[kept])).T
    edges = np.array(result.edges)
    middle = 0.5 * (edges[1:] + edges[:-1])

    def residual(values: "lmfit.Parameters") -> Any:
        return white @ (curve.value - model.eval(values, **{model.independent_vars[0]: middle}))

    return lmfit.minimize(residual, params, scale_covar=False)
