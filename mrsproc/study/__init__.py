"""A whole trial: one recipe over the sessions of a BIDS data set, from raw files to tables."""

from mrsproc.study.recipe import Recipe
from mrsproc.study.whole import Study, StudyResult

__all__ = ["Recipe", "Study", "StudyResult"]
