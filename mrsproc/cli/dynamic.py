"""``mrsproc dynamic``: time courses of metabolites during an infusion."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from mrsproc.errors import InvalidInputError

if TYPE_CHECKING:
    from mrsproc.basis import BasisSet
    from mrsproc.data import MRSData
    from mrsproc.dynamics import DynamicResult
    from mrsproc.responses import Infusion, Response

_SHAPES: Final = ("free", "rise", "plasma", "boxcar")
_WHEN: Final = "when was the infusion? Give --events FILE, or --infusion ONSET DURATION in s."


Events = Annotated[
    Path | None, typer.Option(help="BIDS events.tsv; its first event is the infusion.")
]
InfusionTimes = Annotated[
    tuple[float, float] | None,
    typer.Option(help="Onset and duration of the infusion in s, in place of --events."),
]
Metabolites = Annotated[str, typer.Option(help="What moves, with commas; all else is constant.")]
Shape = Annotated[str, typer.Option(help="free (time bins), rise (exponential), plasma or boxcar.")]
Ratio = Annotated[
    str | None, typer.Option(help="Denominator of ratios, such as tNAA; it moves, too.")
]
Drug = Annotated[str, typer.Option(help="Drug, for --response plasma.")]
BinWidth = Annotated[float, typer.Option(help="Width of time bins in s.")]


class Course(NamedTuple):
    """When the drug ran in, and what moves with it, as typed."""

    events: Path | None = None
    times: tuple[float, float] | None = None
    metabolites: str = "Glu,Gln"
    response: str = "free"
    ratio: str | None = None
    drug: str = "ketamine"
    bin_width: float = 60.0

    @property
    def names(self) -> list[str]:
        """The metabolites that move."""
        return [name.strip() for name in self.metabolites.split(",") if name.strip()]

    def drip(self) -> "Infusion | None":
        """Return the infusion; None where nothing over time was asked for.

        Raises
        ------
        InvalidInputError
            A response without an infusion.
        """
        from mrsproc.cli.work import infusion_event
        from mrsproc.responses import Infusion

        event = infusion_event(self.events, self.times)
        if event is not None:
            return Infusion.from_event(event, drug=self.drug)
        if self != Course():
            raise InvalidInputError(_WHEN)
        return None

    def followed(
        self,
        data: "MRSData",
        basis: "BasisSet",
        infusion: "Infusion",
        ppm: tuple[float, float],
    ) -> "DynamicResult":
        """Fit all transients at once."""
        from mrsproc.cli.work import stage
        from mrsproc.dynamics import DynamicOptions, fit_dynamic
        from mrsproc.fitting.options import FitOptions

        shape = _shape(self.response, infusion)
        responses = dict.fromkeys([*self.names, *([self.ratio] if self.ratio else [])], shape)
        options = DynamicOptions(
            fit=FitOptions(ppm=ppm), bin_width=self.bin_width, infusion=infusion
        )
        with stage("fitting all transients at once"):
            return fit_dynamic(data, basis, responses, options)

    def shown(self) -> list[str]:
        """Return what is told and drawn: Glx where both members move, and each metabolite."""
        names = ["Glx", *self.names] if {"Glu", "Gln"} <= set(self.names) else self.names
        return [name for name in names if name != self.ratio]

    def told(self, result: "DynamicResult") -> Iterator[str]:
        """Tell the change of each metabolite."""
        yield repr(result)
        for name in self.shown():
            change = result.change(name, relative_to=self.ratio).set_index("quantity")
            estimate, sd = change.loc["percent_change", ["estimate", "sd"]]
            what = name if self.ratio is None else f"{name}/{self.ratio}"
            yield f"{what:<10} {estimate:+6.2f} +- {sd:.2f} % after the onset, against before"


def dynamic(
    file: Annotated[Path, typer.Argument(help="Recording, any format that `convert` reads.")],
    basis: Annotated[
        Path, typer.Option("-b", "--basis", help="Basis set: a .BASIS file or a folder.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    reference: Annotated[
        Path | None, typer.Option("-r", "--reference", help="Water reference, for the coils.")
    ] = None,
    events: Events = None,
    infusion: InfusionTimes = None,
    metabolites: Metabolites = "Glu,Gln",
    response: Shape = "free",
    ratio: Ratio = None,
    drug: Drug = "ketamine",
    bin_width: BinWidth = 60.0,
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

    course = Course(events, infusion, metabolites, response, ratio, drug, bin_width)
    drip = course.drip()
    if drip is None:
        raise InvalidInputError(_WHEN)
    result = course.followed(_transients(file, reference), io.read_basis(basis), drip, ppm)
    for line in written(result, output, file, course):
        print(line)


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
    from mrsproc.preproc.editing import looks_edited

    raw = io.read(file)
    if looks_edited(raw):
        raise InvalidInputError(
            f"{file}: transients of an edited recording are of two kinds, and one basis set fits "
            "one of them. In Python: mp.split_edited, then mp.fit_dynamic of the off scans; "
            "mp.fit_dynamic of all where they are alike."
        )
    if "coil" not in raw.dims:
        return raw
    water = raw if reference is None else io.read(reference)
    return preproc.coil_weights(water).apply(raw)


def written(result: "DynamicResult", output: Path, file: Path, course: Course) -> Iterator[str]:
    """Write everything, and tell what was found."""
    from mrsproc import plot
    from mrsproc.cli.work import save_figure, stem
    from mrsproc.tables import write_dynamic

    base = stem(file).removesuffix("_svs")
    yield from course.told(result)
    for path in write_dynamic(result, output, base):
        yield f"wrote {path}"
    for name in course.shown():
        paths = [output / f"{base}_desc-{name}_mrs.{suffix}" for suffix in ("png", "svg")]
        save_figure(
            partial(
                plot.timecourse,
                result,
                name,
                relative_to=course.ratio,
                quantity="percent_change",
            ),
            paths,
        )
        yield from (f"wrote {path}" for path in paths)
