"""Magnetic resonance spectroscopy of drug infusions: from raw FIDs to glutamate time courses.

Use it as ``import mrsproc as mp``. Names are loaded when they are first used, so that importing the
package costs little.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

__version__ = version("mrsproc")

_HOME = {
    "Acquisition": "mrsproc.data",
    "BasisSet": "mrsproc.basis",
    "DynamicOptions": "mrsproc.dynamics",
    "DynamicResult": "mrsproc.dynamics",
    "FitOptions": "mrsproc.fitting.options",
    "FitResult": "mrsproc.fitting.result",
    "Infusion": "mrsproc.responses",
    "MRSData": "mrsproc.data",
    "Peak": "mrsproc.peaks",
    "PeakFit": "mrsproc.peaks",
    "PreprocessOptions": "mrsproc.preproc",
    "Preprocessed": "mrsproc.preproc",
    "Quantities": "mrsproc.quantification",
    "Recipe": "mrsproc.study",
    "Relaxation": "mrsproc.tissue",
    "SessionOptions": "mrsproc.simulation",
    "SimulatedSession": "mrsproc.simulation",
    "Step": "mrsproc.data",
    "Study": "mrsproc.study",
    "StudyResult": "mrsproc.study",
    "Tissue": "mrsproc.tissue",
    "WaterScaling": "mrsproc.quantification",
    "align": "mrsproc.preproc",
    "average": "mrsproc.preproc",
    "bootstrap": "mrsproc.fitting",
    "coil_weights": "mrsproc.preproc",
    "eddy_phase": "mrsproc.preproc",
    "edited": "mrsproc.preproc",
    "find_outliers": "mrsproc.preproc",
    "fit": "mrsproc.fitting",
    "fit_dynamic": "mrsproc.dynamics",
    "fit_peaks": "mrsproc.peaks",
    "linewidths": "mrsproc.preproc",
    "match_linewidth": "mrsproc.preproc",
    "peak_parameters": "mrsproc.peaks",
    "phasing": "mrsproc.preproc",
    "preprocess": "mrsproc.preproc",
    "quality": "mrsproc.preproc",
    "quantify": "mrsproc.quantification",
    "read": "mrsproc.io",
    "read_basis": "mrsproc.io",
    "remove_water": "mrsproc.preproc",
    "report": "mrsproc.reporting",
    "simulate": "mrsproc.simulation",
    "simulate_basis": "mrsproc.spins",
    "split_edited": "mrsproc.preproc",
    "write": "mrsproc.io",
    "write_basis": "mrsproc.io",
}
_PACKAGES = {"dynamics", "plot", "responses", "stats"}

__all__ = ["__version__", *sorted([*_HOME, *_PACKAGES])]  # noqa: PLE0604

if TYPE_CHECKING:
    from mrsproc import dynamics as dynamics
    from mrsproc import plot as plot
    from mrsproc import responses as responses
    from mrsproc import stats as stats
    from mrsproc.basis import BasisSet as BasisSet
    from mrsproc.data import Acquisition as Acquisition
    from mrsproc.data import MRSData as MRSData
    from mrsproc.data import Step as Step
    from mrsproc.dynamics import DynamicOptions as DynamicOptions
    from mrsproc.dynamics import DynamicResult as DynamicResult
    from mrsproc.dynamics import fit_dynamic as fit_dynamic
    from mrsproc.fitting import bootstrap as bootstrap
    from mrsproc.fitting import fit as fit
    from mrsproc.fitting.options import FitOptions as FitOptions
    from mrsproc.fitting.result import FitResult as FitResult
    from mrsproc.io import read as read
    from mrsproc.io import read_basis as read_basis
    from mrsproc.io import write as write
    from mrsproc.io import write_basis as write_basis
    from mrsproc.peaks import Peak as Peak
    from mrsproc.peaks import PeakFit as PeakFit
    from mrsproc.peaks import fit_peaks as fit_peaks
    from mrsproc.peaks import peak_parameters as peak_parameters
    from mrsproc.preproc import Preprocessed as Preprocessed
    from mrsproc.preproc import PreprocessOptions as PreprocessOptions
    from mrsproc.preproc import align as align
    from mrsproc.preproc import average as average
    from mrsproc.preproc import coil_weights as coil_weights
    from mrsproc.preproc import eddy_phase as eddy_phase
    from mrsproc.preproc import edited as edited
    from mrsproc.preproc import find_outliers as find_outliers
    from mrsproc.preproc import linewidths as linewidths
    from mrsproc.preproc import match_linewidth as match_linewidth
    from mrsproc.preproc import phasing as phasing
    from mrsproc.preproc import preprocess as preprocess
    from mrsproc.preproc import quality as quality
    from mrsproc.preproc import remove_water as remove_water
    from mrsproc.preproc import split_edited as split_edited
    from mrsproc.quantification import Quantities as Quantities
    from mrsproc.quantification import WaterScaling as WaterScaling
    from mrsproc.quantification import quantify as quantify
    from mrsproc.reporting import report as report
    from mrsproc.responses import Infusion as Infusion
    from mrsproc.simulation import SessionOptions as SessionOptions
    from mrsproc.simulation import SimulatedSession as SimulatedSession
    from mrsproc.simulation import simulate as simulate
    from mrsproc.spins import simulate_basis as simulate_basis
    from mrsproc.study import Recipe as Recipe
    from mrsproc.study import Study as Study
    from mrsproc.study import StudyResult as StudyResult
    from mrsproc.tissue import Relaxation as Relaxation
    from mrsproc.tissue import Tissue as Tissue


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"mrsproc.{name}")
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'mrsproc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
