r"""Which response describes a session best, and what the joint fit gains over single fits.

Responses are compared with the same noise, weights and transients: those of the fit of constant
amplitudes. :math:`\chi^2` is then minus twice the logarithm of the likelihood, so that differences
of :math:`\chi^2 + 2k` (Akaike 1974, 10.1109/TAC.1974.1100705) or :math:`\chi^2 + k \log n`
(Schwarz 1978, 10.1214/aos/1176344136) rank responses, and the fall of :math:`\chi^2` against no
effect is a likelihood ratio with as many degrees of freedom as there are more parameters.
"""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.data import MRSData, Step
from mrsproc.dynamics.design import Asked
from mrsproc.dynamics.driver import fit_dynamic, fit_many, options_for
from mrsproc.dynamics.options import DynamicOptions
from mrsproc.dynamics.result import DynamicResult
from mrsproc.errors import InvalidInputError
from mrsproc.fitting import fit
from mrsproc.preproc.water import remove_water
from mrsproc.responses import Response
from mrsproc.timeline import bin_index

if TYPE_CHECKING:
    import pandas as pd

NO_EFFECT: Final = "no effect"


def compare_responses(
    data: MRSData,
    basis: BasisSet,
    candidates: Mapping[str, Mapping[str, Asked]],
    options: DynamicOptions | None = None,
    **keywords: Any,
) -> "pd.DataFrame":
    """Fit several sets of responses to a session, and no effect.

    Parameters
    ----------
    data, basis, options, **keywords
        As for `fit_dynamic`.
    candidates : mapping
        Responses, as for `fit_dynamic`, by a name of your own.

    Returns
    -------
    pandas.DataFrame
        A row for "no effect" and each candidate: model, chi_squared, n_parameters, aic, bic,
        delta_aic, likelihood_ratio, p_value (against no effect). Time courses with estimated
        smoothness count their coefficients as parameters.

    Raises
    ------
    InvalidInputError
        No candidates, or as `fit_dynamic`.
    """
    import pandas as pd
    from scipy.special import gammaincc

    if not candidates or NO_EFFECT in candidates:
        raise InvalidInputError(
            f"candidates = {list(candidates)}: give at least one, none of them {NO_EFFECT!r}."
        )
    chosen = options_for(options, keywords)
    results = fit_many(data, basis, {NO_EFFECT: {}, **candidates}, chosen)
    null = results[NO_EFFECT]
    rows = []
    for name, result in results.items():
        fall = null.chi_squared - result.chi_squared
        more = result.n_parameters - null.n_parameters
        known = more > 0 and result.success
        rows.append(
            {
                "model": name,
                "chi_squared": result.chi_squared,
                "n_parameters": result.n_parameters,
                "aic": result.aic,
                "bic": result.bic,
                "likelihood_ratio": fall,
                "p_value": float(gammaincc(0.5 * more, 0.5 * max(fall, 0.0))) if known else np.nan,
            }
        )
    frame = pd.DataFrame(rows)
    frame.insert(5, "delta_aic", frame["aic"] - frame["aic"].min())
    return frame


def compare_methods(
    data: MRSData,
    basis: BasisSet,
    response: Response,
    metabolites: Sequence[str] = ("Glu", "Gln"),
    options: DynamicOptions | None = None,
    **keywords: Any,
) -> "pd.DataFrame":
    """Estimate a response block by block, jointly, and jointly without a change of linewidth.

    Parameters
    ----------
    data, basis, options, **keywords
        As for `fit_dynamic`.
    response : Response
        What the metabolites follow; its shape must be known.
    metabolites : sequence of str, default ("Glu", "Gln")
        What moves.

    Returns
    -------
    pandas.DataFrame
        Columns method ("blocks", "joint, linewidth fixed", "joint"), metabolite, estimate, sd
        [units of the basis set per unit of response]. Glx is there when Glu and Gln move. Blocks
        are means of the transients of a time bin, aligned as in the joint fit, each fitted on its
        own, and a straight line through their amplitudes.

    Raises
    ------
    InvalidInputError
        A response with unknowns, or as `fit_dynamic`.
    """
    import pandas as pd

    if response.unknowns() or len(response.labels) != 1:
        raise InvalidInputError("give a response of one column whose shape is known.")
    chosen = options_for(options, keywords)
    asked: dict[str, Asked] = dict.fromkeys(metabolites, response)
    joint = fit_dynamic(data, basis, asked, chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the joint fit they are given; this one is known wrong
        fixed = fit_dynamic(data, basis, asked, dataclasses.replace(chosen, linewidth="constant"))
    names = [*metabolites, *(["Glx"] if {"Glu", "Gln"} <= set(metabolites) else [])]
    rows = _by_blocks(data, basis, joint, response, names)
    for method, result in (("joint, linewidth fixed", fixed), ("joint", joint)):
        table = result.to_frame().set_index(["metabolite", "parameter"])
        label = response.labels[0]
        rows += [(method, name, *table.loc[(name, label), ["estimate", "sd"]]) for name in names]
    return pd.DataFrame(rows, columns=["method", "metabolite", "estimate", "sd"])


def _by_blocks(
    data: MRSData, basis: BasisSet, joint: DynamicResult, response: Response, names: Sequence[str]
) -> list[tuple[str, str, float, float]]:
    """Return the response by a fit of each block and a weighted straight line."""
    used = joint.used
    turn = np.exp(
        1j
        * (2.0 * np.pi * joint.frequency_hz[used, None] * data.time + joint.phase_rad[used, None])
    )
    fids = np.asarray(data.fid[used]) * turn
    index = bin_index(joint.time_s[used], joint.edges)
    blocks = np.unique(index)
    means = np.array([fids[index == k].mean(axis=0) for k in blocks])
    stacked = data.select(transient=slice(0, len(blocks)))
    step = Step("Signal averaging", "mean of time bins")
    mask = np.ones(len(blocks), bool)
    single = fit(
        remove_water(stacked.with_fid(means, step, mask=mask, coords={})), basis, joint.options.fit
    )
    shape = response.columns(joint.time_s[used], np.zeros(0))[:, 0]
    courses = np.array([shape[index == k].mean() for k in blocks])
    rows = []
    for name in names:
        value, sd = single.estimate(name)
        estimate, error = _line(courses, value, sd)
        rows.append(("blocks", name, estimate, error))
    return rows


def _line(x: Array, y: Array, sd: Array) -> tuple[float, float]:
    """Return slope and SD of a weighted straight line."""
    design = np.column_stack([np.ones_like(x), x]) / sd[:, None]
    covariance = np.linalg.inv(design.T @ design)
    slope = covariance @ design.T @ (y / sd)
    return float(slope[1]), float(np.sqrt(covariance[1, 1]))
