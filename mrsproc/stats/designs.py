"""Design matrices of mixed models, made by statsmodels from formulas."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.errors import InvalidInputError, MissingPackageError
from mrsproc.stats import reml
from mrsproc.stats.observations import require

if TYPE_CHECKING:
    import pandas as pd


class Design(NamedTuple):
    """A model ready to be fitted."""

    blocks: reml.Blocks
    observations: Array
    terms: tuple[str, ...]
    components: tuple[str, ...]
    subjects: tuple[str, ...]


def design(
    rows: "pd.DataFrame",
    formula: str,
    re_formula: str,
    vc_formula: Mapping[str, str],
    measurement: str | None,
) -> Design:
    """Make the design matrices of a mixed model.

    Parameters
    ----------
    rows : pandas.DataFrame
        Observations.
    formula, re_formula : str
        Fixed effects, and random effects of a person, as statsmodels' MixedLM takes them.
    vc_formula : mapping of str to str
        Further variance components within a person.
    measurement : str or None
        Column of known SDs.

    Returns
    -------
    Design
        Blocks, observations and names.

    Raises
    ------
    InvalidInputError
        A formula that cannot be read, or effects that cannot be told apart.
    MissingPackageError
        statsmodels is not installed.
    """
    try:
        from statsmodels.regression.mixed_linear_model import MixedLM
    except ImportError as error:
        raise MissingPackageError(
            'mixed models need statsmodels: pip install "mrsproc[stats]"'
        ) from error

    if measurement is not None:
        _check_measurement(rows, measurement)
    rows = rows.reset_index(drop=True)
    try:
        model = MixedLM.from_formula(
            formula,
            rows,
            groups="subject",
            re_formula=re_formula,
            vc_formula=dict(vc_formula) or None,
            missing="raise",
        )
    except Exception as error:  # whatever the formula language raises
        raise InvalidInputError(
            f"the formula cannot be used: {formula!r}, re_formula={re_formula!r}, "
            f"vc_formula={dict(vc_formula)!r}: {str(error).splitlines()[0]} "
            f"Columns: {', '.join(map(str, rows.columns))}."
        ) from error
    terms = tuple(str(name) for name in model.exog_names)
    _check_rank(np.asarray(model.exog), terms)
    return _blocks(model, rows, terms, measurement)


def _blocks(
    model: Any, rows: "pd.DataFrame", terms: tuple[str, ...], measurement: str | None
) -> Design:
    names, parts = ["residual"], [[np.eye(len(y)) for y in model.endog_li]]
    columns = [str(name) for name in model.data.exog_re_names]
    for a, first in enumerate(columns):
        for b, second in enumerate(columns[: a + 1]):
            names.append(_random_name(first, second))
            parts.append(
                [
                    np.outer(z[:, a], z[:, b]) + (np.outer(z[:, b], z[:, a]) if a != b else 0.0)
                    for z in model.exog_re_li
                ]
            )
    for name, mats in zip(model.exog_vc.names, model.exog_vc.mats, strict=True):
        names.append(f"subject x {name}")
        parts.append([z @ z.T for z in mats])
    length = max(len(y) for y in model.endog_li)
    used = np.array([np.arange(length) < len(y) for y in model.endog_li])
    known = np.einsum("mi,ij->mij", (~used).astype(float), np.eye(length))
    if measurement is not None:
        sds = rows[measurement].to_numpy(float)
        for block, label in zip(known, model.group_labels, strict=True):
            variance = sds[model.row_indices[label]] ** 2
            block[range(len(variance)), range(len(variance))] = variance
    blocks = reml.Blocks(
        fixed=reml.stack(list(model.exog_li), length),
        components=np.array([_padded(part, length) for part in parts]),
        known=known,
        used=used,
    )
    return Design(
        blocks,
        reml.stack(list(model.endog_li), length),
        terms,
        tuple(names),
        tuple(str(label) for label in model.group_labels),
    )


def _padded(parts: list[Array], length: int) -> Array:
    whole = np.zeros((len(parts), length, length))
    for block, part in zip(whole, parts, strict=True):
        block[: len(part), : len(part)] = part
    return whole


def _random_name(first: str, second: str) -> str:
    plain = ["subject" if name in {"Group", "Intercept", "subject"} else f"subject x {name}"
             for name in (first, second)]  # fmt: skip
    return plain[0] if first == second else f"{plain[1]} ~ {plain[0]}"


def _check_measurement(rows: "pd.DataFrame", measurement: str) -> None:
    require(rows, [measurement], what="the table")
    sds = rows[measurement].to_numpy(float)
    if not (np.isfinite(sds) & (sds > 0.0)).all():
        raise InvalidInputError(
            f"measurement = {measurement!r}: every row needs a positive SD; "
            f"{int((~(sds > 0.0)).sum())} have none. Leave these rows or `measurement` out."
        )


def _check_rank(fixed: Array, terms: tuple[str, ...]) -> None:
    for last in range(1, len(terms) + 1):
        if np.linalg.matrix_rank(fixed[:, :last]) < last:
            raise InvalidInputError(
                f"{terms[last - 1]!r} cannot be told apart from the terms before it "
                f"({', '.join(terms[: last - 1])}): leave it out of the formula."
            )
