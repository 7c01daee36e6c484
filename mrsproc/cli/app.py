"""The commands and their options."""

from pathlib import Path
from typing import Annotated

import typer

from mrsproc.cli.basis import app as basis_app
from mrsproc.cli.dynamic import dynamic
from mrsproc.cli.preprocess import preprocess

app = typer.Typer(
    name="mrsproc",
    help="Magnetic resonance spectroscopy of drug infusions: from raw FIDs to glutamate.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    epilog="--debug shows the traceback of an error. Exit codes: 0 good, 2 usage or input.",
)

app.add_typer(basis_app)
app.command()(preprocess)
app.command()(dynamic)

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


@app.command()
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


@app.command()
def info(file: Recording) -> None:
    """Tell what a recording or basis set holds: dims, timing, SNR, linewidth.

    Example: mrsproc info sub-01_svs.nii.gz
    """
    from mrsproc.cli.work import described

    for line in described(file):
        print(line)


@app.command()
def fit(
    file: Recording,
    basis: Annotated[
        Path, typer.Option("-b", "--basis", help="Basis set: a .BASIS file or a folder.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    reference: Annotated[
        Path | None, typer.Option("-r", "--reference", help="Water reference.")
    ] = None,
    ppm: Annotated[tuple[float, float], typer.Option(help="Range that is fitted, in ppm.")] = (
        0.2,
        4.0,
    ),
    each: Annotated[
        bool, typer.Option("--each", help="Fit each transient instead of their mean.")
    ] = False,
) -> None:
    """Fit a recording: coils combined, transients aligned and averaged, residual water removed.

    Writes the table of concentrations (TSV and JSON) and the figure of the fit (PNG and SVG).

    Example: mrsproc fit sub-01_act.sdat --reference sub-01_ref.sdat --basis press35.basis -o
    results
    """
    from mrsproc.cli.work import fitted

    for line in fitted(file, basis, output, reference=reference, ppm=ppm, each=each):
        print(line)


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for what is made.")] = Path(
        "mrsproc-demo"
    ),
) -> None:
    """Make a small recording with a basis set of its own, and fit it; nothing is downloaded.

    Example: mrsproc demo
    """
    from mrsproc.cli.work import demonstrated

    for line in demonstrated(output):
        print(line)
