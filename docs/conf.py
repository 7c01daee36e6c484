"""Sphinx configuration."""

import shutil
from importlib.metadata import version as installed_version
from pathlib import Path

project = "mrsproc"
author = "The mrsproc developers"
release = version = installed_version("mrsproc")
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_nb",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
html_theme = "furo"
html_title = f"mrsproc {release}"
html_static_path: list[str] = []
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_execution_show_tb = True
suppress_warnings = ["mystnb.unknown_mime_type"]

# The notebooks stand in examples/; the documentation runs copies of them: that is their test.
_here = Path(__file__).parent
shutil.copytree(_here.parent / "examples", _here / "examples", dirs_exist_ok=True)
