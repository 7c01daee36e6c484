"""Joint fits over time: a session's transients at once."""

from mrsproc.dynamics.driver import fit_dynamic
from mrsproc.dynamics.options import DynamicOptions
from mrsproc.dynamics.result import DynamicResult

__all__ = ["DynamicOptions", "DynamicResult", "fit_dynamic"]
