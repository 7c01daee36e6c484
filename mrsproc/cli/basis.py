"""The commands ``mrsproc basis ...``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    name="basis", help="Simulate, show, convert and compare basis sets.", no_args_is_help=True
)

Basis = Annotated[Path, typer.Argument(help="Basis set: a .BASIS file or a folder.")]
Format = Annotated[
    str | None, typer.Option("--format", help="lcmodel, fsl-mrs or nifti-mrs; by the name.")
]


@app.command()
def simulate(
    sequence: Annotated[str, typer.Argument(help="press, steam, slaser, special, mega_press, ...")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .basis file, or a folder.")],
    te: Annotated[float | None, typer.Option(help="Echo time in ms; that of --like.")] = None,
    like: Annotated[
        Path | None, typer.Option(help="Recording whose frequency and sampling are wanted.")
    ] = None,
    frequency: Annotated[
        float | None, typer.Option(help="Larmor frequency in MHz; without --like.")
    ] = None,
    dwell: Annotated[float, typer.Option(help="Dwell time in ms.")] = 0.25,
    points: Annotated[int, typer.Option(help="Number of points.")] = 4096,
    metabolites: Annotated[
        str | None, typer.Option(help="Names with commas; the usual ones when not given.")
    ] = None,
    pulses: Annotated[str, typer.Option(help="ideal or shaped.")] = "ideal",
    te1: Annotated[float | None, typer.Option(help="First echo time of PRESS in ms.")] = None,
    tm: Annotated[float | None, typer.Option(help="Mixing time of STEAM in ms.")] = None,
    macromolecules: Annotated[
        str | None, typer.Option(help="lcmodel or parametrised; none when not given.")
    ] = None,
    edit: Annotated[
        Literal["difference", "on", "off"] | None,
        typer.Option(help="Scan of mega_press or mega_slaser; the difference when not given."),
    ] = None,
    file_format: Format = None,
) -> None:
    """Simulate a basis set from spin systems, and draw it.

    Example: mrsproc basis simulate press --te 35 --like sub-01_svs.nii.gz -o press35.basis
    """
    from mrsproc.cli.basis_work import Wanted, simulated

    wanted = Wanted(
        sequence=sequence,
        te=te,
        like=like,
        frequency=frequency,
        dwell=dwell,
        points=points,
        metabolites=metabolites,
        pulses=pulses,
        te1=te1,
        tm=tm,
        macromolecules=macromolecules,
        edit=edit,
    )
    for line in simulated(wanted, output, file_format):
        print(line)


@app.command()
def show(
    basis: Basis,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Picture: .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Tell what a basis set holds, and draw its spectra.

    Example: mrsproc basis show press35.basis -o press35.png
    """
    from mrsproc.cli.basis_work import shown

    for line in shown(basis, output):
        print(line)


@app.command()
def convert(
    basis: Basis,
    output: Annotated[Path, typer.Option("-o", "--output", help="A .basis file, or a folder.")],
    referenced: Annotated[
        bool, typer.Option("--referenced", help="Correct the ppm axis by the singlet of NAA or Cr.")
    ] = False,
    file_format: Format = None,
) -> None:
    """Write a basis set in another format.

    Example: mrsproc basis convert old.basis --referenced -o new.basis
    """
    from mrsproc.cli.basis_work import converted

    for line in converted(basis, output, referenced=referenced, file_format=file_format):
        print(line)


@app.command()
def compare(
    first: Basis,
    second: Annotated[Path, typer.Argument(help="Another basis set.")],
    ppm: Annotated[tuple[float, float], typer.Option(help="Range in ppm.")] = (0.2, 4.2),
) -> None:
    """Correlate the spectra of two basis sets, after one common shift and phase.

    Example: mrsproc basis compare mine.basis theirs.basis
    """
    from mrsproc.cli.basis_work import compared

    for line in compared(first, second, ppm):
        print(line)
