"""``mrsproc preprocess``: clean NIfTI-MRS, quality over time, figures."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mrsproc.data import MRSData
    from mrsproc.preproc import Preprocessed, PreprocessOptions
    from mrsproc.preproc.over_time import Interval


def preprocess(
    file: Annotated[Path, typer.Argument(help="Recording, any format that `convert` reads.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for what is made.")],
    reference: Annotated[
        Path | None, typer.Option("-r", "--reference", help="Water reference.")
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(help="BIDS events.tsv; its first event is the infusion."),
    ] = None,
    infusion: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Onset and duration of the infusion in s, in place of --events."),
    ] = None,
    max_rejected: Annotated[
        float, typer.Option(help="Part of an epoch that may be bad; above it the command stops.")
    ] = 0.2,
    tr_ms: Annotated[
        float | None, typer.Option("--tr", help="Repetition time in ms, where the file has none.")
    ] = None,
) -> None:
    """Preprocess a recording: coils, eddy currents, alignment, bad transients, residual water.

    Writes the clean transients and the water reference (NIfTI-MRS), the quality of each transient
    (TSV and JSON), and figures (PNG and SVG). Bad transients stay in the file, masked.

    Example: mrsproc preprocess sub-01_svs.nii.gz -r sub-01_mrsref.nii.gz --infusion 300 2400 -o
    clean
    """
    from mrsproc.cli.work import infusion_event
    from mrsproc.preproc import PreprocessOptions

    repetition_time = None if tr_ms is None else tr_ms * 1e-3
    options = PreprocessOptions(max_rejected=max_rejected, repetition_time=repetition_time)
    when = infusion_event(events, infusion)
    for line in _preprocessed(file, output, reference, when, options=options):
        print(line)


def _preprocessed(
    file: Path,
    output: Path,
    reference: Path | None,
    infusion: "Interval | None",
    *,
    options: "PreprocessOptions",
) -> Iterator[str]:
    from mrsproc import io, preproc
    from mrsproc.cli.work import stage, stem

    raw = io.read(file)
    water = None if reference is None else io.read(reference)
    with stage("preprocessing"):
        clean = preproc.preprocess(raw, water, options, infusion=infusion)
    yield from summary(clean)
    for path in write_clean(raw, clean, output, stem(file), infusion):
        yield f"wrote {path}"


def summary(clean: "Preprocessed") -> Iterator[str]:
    """Tell losses by epoch and reason, and the usual quality."""
    qc = clean.qc
    good = qc[qc["valid"]]
    yield f"{len(qc)} transients, {len(qc) - len(good)} rejected"
    for name, lost in (~qc["valid"]).groupby(qc["epoch"], sort=False).mean().items():
        yield f"  {name}: {100.0 * lost:.1f} % rejected"
    for reason, count in qc.loc[qc["reason"] != "", "reason"].value_counts().items():
        yield f"  {count} x {reason}"
    yield (
        f"SNR {good['snr'].median():.1f}, linewidth {good['linewidth_hz'].median():.1f} Hz, "
        f"frequency over {good['frequency_hz'].max() - good['frequency_hz'].min():.1f} Hz"
    )


def write_clean(
    raw: "MRSData", clean: "Preprocessed", output: Path, name: str, infusion: "Interval | None"
) -> Iterator[Path]:
    """Write clean data, water reference, quality and figures, and give their names."""
    from mrsproc import io, plot
    from mrsproc.cli.work import save_figure
    from mrsproc.tables import write_table

    base = name.removesuffix("_svs")
    path = output / f"{base}_desc-preproc_svs.nii.gz"
    io.write(clean.data, path)
    yield path
    if clean.water is not None:
        path = output / f"{base}_desc-preproc_mrsref.nii.gz"
        io.write(clean.water, path)
        yield path
    table = output / f"{base}_desc-qc_mrs.tsv"
    write_table(clean.qc, table)
    yield from (table, table.with_suffix(".json"))
    drawings = {"beforeafter": lambda: plot.before_after(raw, clean)}
    if clean.rejection is not None:
        drawings["quality"] = lambda: plot.quality(clean.qc, infusion=infusion)[0]
    if clean.data.dims == ("transient", "time") and clean.data.sizes["transient"] > 1:
        drawings["waterfall"] = lambda: plot.waterfall(clean.data, infusion=infusion)
    for what, draw in drawings.items():
        paths = [output / f"{base}_desc-{what}_mrs.{suffix}" for suffix in ("png", "svg")]
        save_figure(draw, paths)
        yield from paths
