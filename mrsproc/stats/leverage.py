"""What every participant does to a result: analyses without one person each."""

from typing import TYPE_CHECKING

import numpy as np

from mrsproc.errors import InvalidInputError, suggest
from mrsproc.stats import reml
from mrsproc.stats.mixed import MixedModel
from mrsproc.stats.paired import Crossover, reanalyse

if TYPE_CHECKING:
    import pandas as pd


def influence(result: Crossover | MixedModel, term: str | None = None) -> "pd.DataFrame":
    """Repeat an analysis without each person.

    Parameters
    ----------
    result : Crossover or MixedModel
        The analysis.
    term : str, optional
        Fixed effect of a mixed model; needed there. A crossover has the treatment effect.

    Returns
    -------
    pandas.DataFrame
        subject, estimate_without, p_without, and shift: how far the person moves the estimate,
        in standard errors. Sorted, the largest shift first.

    Raises
    ------
    InvalidInputError
        An unknown term.
    """
    import pandas as pd

    if isinstance(result, Crossover):
        subjects = result.pairs.subjects
        whole, se = result.estimate, result.se
        found = [reanalyse(result, person) for person in range(len(subjects))]
    else:
        if term not in result.terms:
            raise InvalidInputError(
                f"term = {term!r}: name a fixed effect. {suggest(str(term), result.terms)}"
            )
        subjects = result.subjects
        index = result.terms.index(term)
        whole = float(result.estimate.beta[index])
        se = float(np.sqrt(result.estimate.adjusted[index, index]))
        found = [_without(result, person, index) for person in range(len(subjects))]
    frame = pd.DataFrame(found, columns=["estimate_without", "p_without"])
    frame.insert(0, "subject", list(subjects))
    frame["shift"] = (whole - frame["estimate_without"]) / se
    order = frame["shift"].abs().sort_values(ascending=False).index
    return frame.loc[order].reset_index(drop=True)


def _without(model: MixedModel, person: int, index: int) -> tuple[float, float]:
    kept = np.arange(len(model.blocks)) != person
    blocks, observations = model.blocks.without(person), model.observations[kept]
    estimate = reml.fit(blocks, observations, bounded=model.held)
    combination = np.eye(len(model.terms))[[index]]
    return float(estimate.beta[index]), reml.kenward_roger(estimate, combination).p
