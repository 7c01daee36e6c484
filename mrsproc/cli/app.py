"""The commands and their options."""

from pathlib import Path
from typing import Annotated

import typer

from mrsproc.cli import run as study
from mrsproc.cli import stats as statistics
from mrsproc.cli.basis import app as basis_app
from mrsproc.cli.demo import demo
from mrsproc.cli.dynamic import (
    BinWidth,
    Course,
    Drug,
    Events,
    InfusionTimes,
    Metabolites,
    Ratio,
    Shape,
    dynamic,
)
from mrsproc.cli.editing import Edit, Order
from mrsproc.cli.preprocess import preprocess

app = typer.Typer(
    name="mrsproc",
    help="Magnetic resonance spectroscopy of drug infusions: from raw FIDs to glutamate.\n\n"
    "A first look: mrsproc demo. A recording: mrsproc info FILE, then mrsproc report FILE --basis "
    "BASIS.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    epilog="mrsproc COMMAND --help has an example of each. --debug shows the traceback of an "
    "error. Exit codes: 0 good, 1 some sessions failed, 2 usage or input.",
)


Recording = Annotated[
    Path,
    typer.Argument(
        help="Recording: NIfTI-MRS, .dat, .rda, .IMA, .SDAT, .7, a Bruker or Varian folder, ..."
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        from mrsproc import __version__

        print(f"mrsproc {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of all commands."""


def convert(
    file: Recording,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder, or a name that ends in .nii.gz or .nii.")
    ] = Path(),
    anonymise: Annotated[
        bool, typer.Option("--anonymise", help="Drop names, birth dates, identifiers and dates.")
    ] = False,
    part: Annotated[
        str | None,
        typer.Option(help="One recording of a file that holds several; all when not given."),
    ] = None,
) -> None:
    """Convert a recording to NIfTI-MRS, header and all.

    Example: mrsproc convert sub-01_PRESS_35_act.sdat -o nifti
    """
    from mrsproc.cli.work import converted

    for path in converted(file, output, anonymise=anonymise, part=part):
        print(path)


def info(file: Recording) -> None:
    """Tell what a recording or basis set holds: dims, timing, SNR, linewidth.

    Example: mrsproc info sub-01_svs.nii.gz
    """
    from mrsproc.cli.work import described

    for line in described(file):
        print(line)


Basis = Annotated[Path, typer.Option("-b", "--basis", help="Basis set: a .BASIS file or a folder.")]
Reference = Annotated[Path | None, typer.Option("-r", "--reference", help="Water reference.")]
Range = Annotated[tuple[float, float], typer.Option(help="Range that is fitted, in ppm.")]
Fractions = Annotated[
    str | None,
    typer.Option(
        metavar="GM,WM,CSF",
        help="Volume fractions of the voxel, for example 0.6,0.3,0.1: corrects concentrations for "
        "tissue and relaxation.",
    ),
]
Maps = Annotated[
    tuple[Path, Path, Path] | None,
    typer.Option(
        metavar="GM WM CSF",
        help="Instead of --tissue: NIfTI maps of the three tissues, from which the fractions of "
        "the voxel are taken.",
    ),
]
EchoTime = Annotated[
    float | None, typer.Option(help="Echo time in ms, where the header does not tell it.")
]
RepetitionTime = Annotated[
    float | None, typer.Option(help="Repetition time in ms, where the header does not tell it.")
]


def fit(
    file: Recording,
    basis: Basis,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    reference: Reference = None,
    ppm: Range = (0.2, 4.0),
    each: Annotated[
        bool, typer.Option("--each", help="Fit each transient instead of their mean.")
    ] = False,
    tissue: Fractions = None,
    segmentation: Maps = None,
    te: EchoTime = None,
    tr: RepetitionTime = None,
    edit: Edit = None,
    order: Order = None,
) -> None:
    """Fit a recording: coils combined, transients aligned and averaged, residual water removed.

    Writes the table of concentrations (TSV and JSON) and the figure of the fit (PNG and SVG).

    Example: mrsproc fit sub-01_act.sdat --reference sub-01_ref.sdat --basis press35.basis -o
    results --tissue 0.6,0.3,0.1
    """
    from mrsproc.cli.work import Request, fitted

    request = Request(file, basis, reference, ppm, each, tissue, segmentation, te, tr, edit, order)
    for line in fitted(request, output):
        print(line)


def report(
    file: Annotated[
        Path,
        typer.Argument(help="Recording, of any format; or the folder that mrsproc run wrote."),
    ],
    basis: Annotated[
        Path | None,
        typer.Option("-b", "--basis", help="Basis set: a .BASIS file or a folder."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Name that ends in .html; by default RECORDING_report.html, or report.html in the "
            "folder of the study.",
        ),
    ] = None,
    reference: Reference = None,
    ppm: Range = (0.2, 4.0),
    tissue: Fractions = None,
    segmentation: Maps = None,
    te: EchoTime = None,
    tr: RepetitionTime = None,
    edit: Edit = None,
    order: Order = None,
    events: Events = None,
    infusion: InfusionTimes = None,
    metabolites: Metabolites = "Glu,Gln",
    response: Shape = "free",
    ratio: Ratio = None,
    drug: Drug = "ketamine",
    bin_width: BinWidth = 60.0,
    contrast: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Of a study: active and control condition, where they cannot be told."),
    ] = None,
) -> None:
    """Write a report, one HTML file for a browser: of a recording, or of a study.

    A recording is fitted as the command fit does it; with --events or --infusion all transients
    are fitted over time, too, as the command dynamic does.

    Example: mrsproc report sub-01_act.sdat --reference sub-01_ref.sdat --basis press35.basis

    Example: mrsproc report sub-01_svs.nii.gz --basis press35.basis --infusion 300 2400

    Example: mrsproc report results
    """
    from mrsproc.cli.reports import of_recording, of_study, study_folder
    from mrsproc.cli.work import Request
    from mrsproc.errors import InvalidInputError

    if study_folder(file):
        for line in of_study(file, output, contrast):
            print(line)
        return
    if basis is None:
        raise InvalidInputError(
            f"{file}: a recording needs --basis FILE. The folder of a study, as mrsproc run writes "
            "it, needs none."
        )
    if contrast is not None:
        raise InvalidInputError(
            "--contrast is for a study: give the folder that mrsproc run wrote."
        )
    request = Request(file, basis, reference, ppm, False, tissue, segmentation, te, tr, edit, order)
    course = Course(events, infusion, metabolites, response, ratio, drug, bin_width)
    for line in of_recording(request, output, course):
        print(line)


for command in (convert, info, preprocess, fit, dynamic, report):
    app.command()(command)
study.register(app)
statistics.register(app)
app.command()(demo)
app.add_typer(basis_app)
