"""Sphinx configuration."""

import re
import shutil
from collections.abc import Callable
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

project = "mrsproc"
author = "The mrsproc developers"
release = version = installed_version("mrsproc")
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
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
html_math_renderer = "mathml"  # drawn by the browser itself, without a script or a network
myst_update_mathjax = False

# The notebooks stand in examples/; the documentation runs copies of them: that is their test.
_here = Path(__file__).parent
shutil.copytree(_here.parent / "examples", _here / "examples", dirs_exist_ok=True)


def _renderer(display: str) -> Callable[[Any, nodes.math | nodes.math_block], None]:
    def render(translator: Any, node: nodes.math | nodes.math_block) -> None:
        translator.body.append(convert(node.astext(), display=display))
        raise nodes.SkipNode

    return render


def _back(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Link sources to the pages of objects, without anchors: Sphinx takes one name for a file."""
    if page.startswith("_modules/"):
        back = r'(class="viewcode-back" href="[^"#]+)#[^"]*'
        context["body"] = re.sub(back, r"\1", context["body"])


def setup(app: Any) -> None:
    """Write equations as MathML, and links from sources that lead somewhere."""
    app.add_html_math_renderer("mathml", (_renderer("inline"), None), (_renderer("block"), None))
    app.connect("html-page-context", _back)
