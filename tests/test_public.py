"""The public names, and what importing the package costs."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import mrsproc as mp

PUBLIC = [
    "Acquisition",
    "BasisSet",
    "DynamicOptions",
    "DynamicResult",
    "FitOptions",
    "FitResult",
    "Infusion",
    "MRSData",
    "Peak",
    "PeakFit",
    "PreprocessOptions",
    "Preprocessed",
    "Quantities",
    "Recipe",
    "Relaxation",
    "SessionOptions",
    "SimulatedSession",
    "Step",
    "Study",
    "StudyResult",
    "Tissue",
    "WaterScaling",
    "__version__",
    "align",
    "average",
    "bootstrap",
    "coil_weights",
    "dynamics",
    "eddy_phase",
    "edited",
    "find_outliers",
    "fit",
    "fit_dynamic",
    "fit_peaks",
    "linewidths",
    "match_linewidth",
    "peak_parameters",
    "phasing",
    "plot",
    "preprocess",
    "quality",
    "quantify",
    "read",
    "read_basis",
    "remove_water",
    "report",
    "responses",
    "simulate",
    "simulate_basis",
    "split_edited",
    "stats",
    "write",
    "write_basis",
]


def test_public_names_are_pinned():
    assert sorted(mp.__all__) == sorted(PUBLIC)


def test_public_names_work_after_importing_every_module():
    """A module with the name of a public function would hide it once it is imported."""
    for module in pkgutil.walk_packages(mp.__path__, "mrsproc."):
        if module.name != "mrsproc.__main__":
            import_module(module.name)
    for name in PUBLIC:
        value = getattr(mp, name)
        packages = {"plot", "responses", "stats"}
        packages = {"dynamics", "plot", "responses", "stats"}
        assert isinstance(value, ModuleType) == (name in packages), name


def test_unknown_name_is_an_attribute_error():
    assert not hasattr(mp, "fits")


def test_import_loads_nothing_heavy():
    heavy = ["matplotlib", "pandas", "scipy.optimize", "nibabel", "nmrglue", "lmfit"]
    code = f"import sys, mrsproc; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
