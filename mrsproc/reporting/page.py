"""A page: tables and numbers as text, provenance, and the template that holds it all together."""

import json
import math
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mrsproc.errors import MissingPackageError
from mrsproc.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd

_NUMBER: Final = re.compile(r"(n/a$|[<+-]? ?\d)")
_VERSIONS: Final = ("mrsproc", "numpy", "scipy", "pandas", "lmfit")


class Link(NamedTuple):
    """A cell that leads to another file."""

    text: str
    href: str


class Table(NamedTuple):
    """A table as text."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str | Link, ...]]

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether a column holds numbers: these stand to the right."""
        return tuple(
            all(_NUMBER.match(str(row[i])) for row in self.rows) for i in range(len(self.columns))
        )


def write_page(path: str | os.PathLike[str], template: str, content: Mapping[str, Any]) -> None:
    """Write a page; every string in it is escaped.

    Parameters
    ----------
    path : path
        Where.
    template : str
        Name of the template.
    content : mapping
        What the template shows.

    Raises
    ------
    MissingPackageError
        The packages of the extra ``report`` are not installed.
    """
    try:
        import jinja2
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise MissingPackageError(
            f"a report needs the package {error.name}: pip install 'mrsproc[report]'."
        ) from None
    folder = files("mrsproc.reporting") / "templates"
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
    )
    trusted = {
        name: (folder / f"report.{name}").read_text(encoding="utf-8") for name in ("css", "js")
    }
    page = environment.get_template(template).render(
        **content, **trusted, plotly=get_plotlyjs(), version=version("mrsproc")
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def with_sd(value: float, sd: float) -> str:
    """Return an estimate and its SD, both to two digits of the SD.

    Examples
    --------
    >>> with_sd(12.3456, 0.123), with_sd(float("nan"), 1.0)
    ('12.35 ± 0.12', 'n/a')
    """
    if not math.isfinite(value):
        return "n/a"
    if not (math.isfinite(sd) and sd > 0.0):
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(sd)))
    return f"{_rounded(value, digits)} ± {_rounded(sd, digits)}"


def _rounded(value: float, digits: int) -> str:
    """Return a number without a sign where it is rounded to zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def with_interval(value: float, low: float, high: float) -> str:
    """Return an estimate and its interval, to two digits of half its width.

    Examples
    --------
    >>> with_interval(-1.4104, -3.6512, 0.8318), with_interval(float("nan"), 0.0, 1.0)
    ('-1.4 (-3.7 to 0.8)', 'n/a')
    """
    if not math.isfinite(value):
        return "n/a"
    half = 0.5 * (high - low)
    if not (math.isfinite(half) and half > 0.0):
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(half)))
    inside = f"{_rounded(low, digits)} to {_rounded(high, digits)}"
    return f"{_rounded(value, digits)} ({inside})"


def probability(p: float) -> str:
    """Return a p value as papers print it.

    Examples
    --------
    >>> probability(0.2066), probability(0.00001), probability(float("nan"))
    ('0.207', '< 0.001', 'n/a')
    """
    if not math.isfinite(p):
        return "n/a"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def with_p(p: float) -> str:
    """Return a p value for a sentence.

    Examples
    --------
    >>> with_p(0.2066), with_p(0.00001)
    ('p = 0.207', 'p < 0.001')
    """
    text = probability(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def rows_of(frame: "pd.DataFrame") -> Iterator[Any]:
    """Return the rows of a data frame, each with its columns as attributes."""
    return frame.itertuples(index=False)


def plain(caption: str, frame: "pd.DataFrame") -> Table:
    """Return a data frame as text."""
    rows = [tuple(cell(value) for value in row) for row in rows_of(frame)]
    return Table(caption, tuple(str(name) for name in frame.columns), rows)


def cell(value: object) -> str:
    """Return a value as text; numbers to four digits, "n/a" for what is missing."""
    if value is None:
        return "n/a"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}" if math.isfinite(value) else "n/a"
    return str(value)


def versions() -> list[tuple[str, str]]:
    """Return the versions of what computed the numbers."""
    rows = [(name, version(name)) for name in _VERSIONS]
    return [rows[0], ("python", platform.python_version()), *rows[1:]]


def told(options: object) -> Any:
    """Return options as JSON's own types; objects by their representation."""
    if isinstance(options, Mapping):
        return {str(key): told(value) for key, value in options.items()}
    if isinstance(options, (str, int, float, bool, type(None))):
        return options
    if isinstance(options, Iterable):
        return [told(value) for value in options]
    if hasattr(options, "__dict__") and vars(options):
        return {key: told(value) for key, value in vars(options).items()}
    return repr(options)


def options_rows(name: str, options: object) -> list[tuple[str, str]]:
    """Return options as rows of a table of provenance, one an option.

    Parameters
    ----------
    name : str
        What they are options of.
    options : object
        JSON's own types, as `told` gives them; those within others are told by dotted names.

    Returns
    -------
    list of (str, str)
        Name and value.
    """
    if isinstance(options, dict) and options:
        return [
            row for key, value in options.items() for row in options_rows(f"{name}: {key}", value)
        ]
    return [(name, options if isinstance(options, str) else json.dumps(options))]
