"""``mrsproc run``: a whole study, as a BIDS App."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from mrsproc.study import StudyResult


def register(app: typer.Typer) -> None:
    """Add the command to the command line.

    Parameters
    ----------
    app : typer.Typer
        The command line.
    """
    # A BIDS App takes labels one after the other: --participant-label 01 02.
    app.command(context_settings={"allow_extra_args": True})(run)


def run(
    context: typer.Context,
    bids_dir: Annotated[Path, typer.Argument(help="Root of the BIDS data set.")],
    out_dir: Annotated[Path, typer.Argument(help="Folder of the results.")],
    level: Annotated[
        Literal["participant", "group"],
        typer.Argument(help="participant: sessions and tables; group: the tables alone."),
    ],
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe (TOML); the defaults when not given.")
    ] = None,
    basis: Annotated[
        Path | None, typer.Option("-b", "--basis", help="Basis set: a .BASIS file or a folder.")
    ] = None,
    participant_label: Annotated[
        list[str] | None,
        typer.Option(
            "--participant-label", "--participant_label", help="Only these people: 01 02 ..."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done, and write nothing.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(help="Processes; one for each core when not given.", min=1)
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="tcp://...", help="Scheduler of Dask, in place of --jobs."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of another recipe.")
    ] = False,
) -> None:
    """Analyse a study: raw BIDS sessions to tables, a report of each session, and one of all.

    Finished sessions are not analysed again. Exit codes: 0 good, 1 some sessions failed, 2 usage
    or input.

    Example: mrsproc run bids results participant --recipe recipe.toml --basis press35.basis
    """
    from mrsproc.errors import InvalidInputError
    from mrsproc.study import Recipe, Study

    labels = [*(participant_label or []), *context.args]
    if context.args and not participant_label:
        raise InvalidInputError(
            f"{' '.join(context.args)}: not an argument. People are named by --participant-label."
        )
    study = Study.from_bids(bids_dir)
    print(study)
    if level == "group":
        _finish(study.gather(out_dir), labels)
        return
    chosen = Recipe() if recipe is None else Recipe.read(recipe)
    if dry_run:
        for planned in study.plan(
            chosen, out_dir, basis=basis, participants=labels, overwrite=overwrite
        ):
            print(f"{planned.session.stem}: {planned.state}")
        return
    result = study.run(
        chosen,
        out_dir,
        basis=basis,
        participants=labels,
        jobs=jobs,
        client=scheduler,
        overwrite=overwrite,
        progress=_bar(),
    )
    _finish(result, labels)


def _bar() -> Callable[[int, int], object]:
    """Return what shows a progress bar on standard error, once there is progress."""
    from tqdm import tqdm

    bars: list[tqdm[NoReturn]] = []

    def show(done: int, count: int) -> None:
        if not bars:
            bars.append(tqdm(total=count, unit="session", leave=False))
        bars[0].update(done - bars[0].n)
        if done == count:
            bars[0].close()

    return show


def _finish(result: "StudyResult", labels: list[str]) -> None:
    """Tell what was made and what failed; people who were not asked for do not count."""
    from mrsproc.cli.reports import end_of_run

    failures = result.failures
    if labels:
        failures = failures[failures["subject"].isin(one.removeprefix("sub-") for one in labels)]
    for row in failures.to_dict("records"):
        visit = "" if row["session"] is None else f" ses-{row['session']}"
        print(f"failed: sub-{row['subject']}{visit}: {row['message']}")
    print(result)
    for name in ("endpoints", "timecourses", "qc", "failures"):
        print(f"wrote {result.output / f'{name}.tsv'}")
    print(end_of_run(result))
    if len(failures):
        raise typer.Exit(1)
