"""Joint fits over time: a session's transients at once."""

from mrsproc.dynamics.comparison import compare_methods, compare_responses
from mrsproc.dynamics.driver import fit_dynamic
from mrsproc.dynamics.lmfit_models import fit_model
from mrsproc.dynamics.options import DynamicOptions
from mrsproc.dynamics.result import DynamicResult

__all__ = [
    "DynamicOptions",
    "DynamicResult",
    "compare_methods",
    "compare_responses",
    "fit_dynamic",
    "fit_model",
]
