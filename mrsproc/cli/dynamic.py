"""``mrsproc dynamic``: time courses of metabolites during an infusion."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrsproc.errors import InvalidInputError

if TYPE_CHECKING:
    from mrsproc.data import MRSData
    from mrsproc.dynamics import DynamicResult
    from mrsproc.responses import Infusion, Response

_SHAPES = ("free", "rise", "plasma", "boxcar")


def dynamic(
    file: Annotated[Path, typer.Argument(help="Recording, any format that `convert` reads.")],
    basis: Annotated[
        Path, typer.Option("-b", "--basis", help="Basis set: a .BASIS file or a folder.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    reference: Annotated[
        Path | None, typer.Option("-r", "--reference", help="Water reference, for the coils.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="BIDS events.tsv; its first event is the infusion.")
    ] = None,
    infusion: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Onset and duration of the infusion in s, in place of --events."),
    ] = None,
    metabolites: Annotated[
        str, typer.Option(help="What moves, with commas; all else is constant.")
    ] = "Glu,Gln",
    response: Annotated[
        str, typer.Option(help="free (time bins), rise (exponential), plasma or boxcar.")
    ] = "free",
    ratio: Annotated[
        str | None, typer.Option(help="Denominator of ratios, such as tNAA; it moves, too.")
    ] = None,
    drug: Annotated[str, typer.Option(help="Drug, for --response plasma.")] = "ketamine",
    bin_width: Annotated[float, typer.Option(help="Width of time bins in s.")] = 60.0,
    ppm: Annotated[tuple[float, float], typer.Option(help="Range that is fitted, in ppm.")] = (
        0.2,
        4.0,
    ),
) -> None:
    """Fit all transients of a session at once, and write time courses.

    Writes the tables of parameters and time courses (TSV and JSON), their covariance (NPZ), and
    figures of Glx and of each metabolite (PNG and SVG).

    Example: mrsproc dynamic sub-01_svs.nii.gz -b press35.basis --events sub-01_events.tsv -o out
    """
    from mrsproc import io
    from mrsproc.dynamics import DynamicOptions, fit_dynamic
    from mrsproc.fitting.options import FitOptions

    drip = _infusion(events, infusion, drug)
    shape = _shape(response, drip)
    names = [name.strip() for name in metabolites.split(",") if name.strip()]
    responses = dict.fromkeys([*names, *([ratio] if ratio else [])], shape)
    options = DynamicOptions(fit=FitOptions(ppm=ppm), bin_width=bin_width, infusion=drip)
    data = _transients(file, reference)
    result = fit_dynamic(data, io.read_basis(basis), responses, options)
    for line in written(result, output, file, names, ratio):
        print(line)


def _infusion(events: Path | None, given: tuple[float, float] | None, drug: str) -> "Infusion":
    """Return the infusion of the session."""
    from mrsproc.cli.work import infusion_event
    from mrsproc.responses import Infusion

    event = infusion_event(events, given)
    if event is None:
        raise InvalidInputError(
            "when was the infusion? Give --events FILE, or --infusion ONSET DURATION in s."
        )
    return Infusion.from_event(event, drug=drug)


def _shape(name: str, infusion: "Infusion") -> "Response | str":
    """Return the response that a word stands for."""
    from mrsproc.errors import suggest
    from mrsproc.responses import Boxcar

    if name == "free":
        return name
    if name == "rise":
        return infusion.rise_and_decay()
    if name == "plasma":
        return infusion.response()
    if name == "boxcar":
        return Boxcar(infusion.onset, infusion.duration)
    raise InvalidInputError(f"--response {name!r}. {suggest(name, _SHAPES)}")


def _transients(file: Path, reference: Path | None) -> "MRSData":
    """Return the transients of a recording, coils combined."""
    from mrsproc import io, preproc

    raw = io.read(file)
    if "coil" not in raw.dims:
        return raw
    water = raw if reference is None else io.read(reference)
    return preproc.coil_weights(water).apply(raw)


def written(
    result: "DynamicResult", output: Path, file: Path, names: list[str], ratio: str | None
) -> Iterator[str]:
    """Write everything, and tell what was found."""
    from mrsproc import plot
    from mrsproc.cli.work import save_figure, stem
    from mrsproc.tables import write_dynamic

    base = stem(file).removesuffix("_svs")
    shown = ["Glx", *names] if {"Glu", "Gln"} <= set(names) else names
    shown = [name for name in shown if name != ratio]
    yield repr(result)
    for name in shown:
        change = result.change(name, relative_to=ratio).set_index("quantity")
        estimate, sd = change.loc["percent_change", ["estimate", "sd"]]
        what = name if ratio is None else f"{name}/{ratio}"
        yield f"{what:<10} {estimate:+6.2f} +- {sd:.2f} % after the onset, against before"
    for path in write_dynamic(result, output, base):
        yield f"wrote {path}"
    for name in shown:
        paths = [output / f"{base}_desc-{name}_mrs.{suffix}" for suffix in ("png", "svg")]
        save_figure(
            partial(plot.timecourse, result, name, relative_to=ratio, quantity="percent_change"),
            paths,
        )
        yield from (f"wrote {path}" for path in paths)
