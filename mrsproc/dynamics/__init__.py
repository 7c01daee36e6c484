"""Joint fits over time: a session's transients at once."""

from mrsproc.dynamics.comparison import compare_methods, compare_responses
from mrsproc.dynamics.curves import Curve
from mrsproc.dynamics.driver import fit_dynamic
from mrsproc.dynamics.estimates import Estimates
from mrsproc.dynamics.lmfit_models import fit_model
from mrsproc.dynamics.options import DynamicOptions
from mrsproc.dynamics.result import DynamicResult

__all__ = [
    "Curve",
    "DynamicOptions",
    "DynamicResult",
    "Estimates",
    "compare_methods",
    "compare_responses",
    "fit_dynamic",
    "fit_model",
]
