"""The commands ``mrsproc stats`` and ``mrsproc power``."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands to the command line.

    Parameters
    ----------
    app : typer.Typer
        The command line.
    """
    app.command()(stats)
    app.command()(power)


def stats(
    study: Annotated[
        Path, typer.Argument(help="Folder of the study tables, or its endpoints.tsv.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for tables; the study's own.")
    ] = None,
    metabolite: Annotated[
        list[str] | None,
        typer.Option(help="Metabolite; several times for a family of tests. Glx when not given."),
    ] = None,
    endpoint: Annotated[str, typer.Option(help="Endpoint: auc, mean, ...")] = "auc",
    reference: Annotated[
        str | None, typer.Option(help="Denominator: tNAA, tCr, ..., or none.")
    ] = None,
    treatment: Annotated[str, typer.Option(help="Column of the conditions.")] = "condition",
    contrast: Annotated[
        tuple[str, str] | None, typer.Option(help="Active and control label.")
    ] = None,
    participants: Annotated[
        Path | None, typer.Option(help="participants.tsv; for --moderator.")
    ] = None,
    moderator: Annotated[
        str | None, typer.Option(help="Column that may change the effect, such as sex.")
    ] = None,
    weights: Annotated[str, typer.Option(help="equal or precision.")] = "equal",
    formula: Annotated[
        str | None,
        typer.Option(
            help="Mixed model of timecourses.tsv: 'estimate ~ condition * time + period'."
        ),
    ] = None,
    window: Annotated[
        tuple[float, float] | None, typer.Option(help="Time points of the mixed model, in s.")
    ] = None,
    baseline: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Baseline in s: the mixed model then is of the percent change."),
    ] = None,
    onset: Annotated[
        float | None,
        typer.Option(help="Start of the infusion in s: tests whether quality differs (qc.tsv)."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the permutation test.")] = 0,
) -> None:
    """Analyse a crossover trial from its tables: treatment effect, period, carry-over, influence.

    Example: mrsproc stats results --metabolite Glx --reference tNAA --weights precision
    """
    from mrsproc.cli.stats_work import Wanted, analysed

    wanted = Wanted(
        metabolites=tuple(metabolite or ["Glx"]),
        endpoint=endpoint,
        reference=reference,
        treatment=treatment,
        contrast=contrast,
        participants=participants,
        moderator=moderator,
        weights=weights,
        formula=formula,
        window=window,
        baseline=baseline,
        onset=onset,
        seed=seed,
    )
    for line in analysed(study, output, wanted):
        print(line)


def power(
    endpoint_sd: Annotated[
        float,
        typer.Option(help="SD of an endpoint from the spectra, in % of rest."),
    ],
    effect: Annotated[
        float | None, typer.Option(help="Effect in % of rest; else the least that is found.")
    ] = None,
    participants: Annotated[
        int | None, typer.Option(help="People who start; else as many as are needed.")
    ] = None,
    design: Annotated[str, typer.Option(help="crossover or parallel.")] = "crossover",
    between_session_sd: Annotated[
        float, typer.Option(help="SD between sessions of a person, in % of rest.")
    ] = 0.0,
    between_person_sd: Annotated[
        float, typer.Option(help="SD between people, in % of rest.")
    ] = 0.0,
    effect_sd: Annotated[
        float, typer.Option(help="SD of the effect between people, in % of rest.")
    ] = 0.0,
    snr: Annotated[
        tuple[float, float] | None,
        typer.Option(help="SNR that --endpoint-sd is for, and the SNR expected."),
    ] = None,
    duration: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Duration in s that --endpoint-sd is for, and the one planned."),
    ] = None,
    dropout: Annotated[float, typer.Option(help="Part of the people that is lost.")] = 0.0,
    alpha: Annotated[float, typer.Option(help="Level of the test.")] = 0.05,
    target: Annotated[float, typer.Option(help="Power that is wanted.")] = 0.8,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Picture: .png, .svg or .pdf.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
) -> None:
    """Plan a trial: participants needed, effect that is found, or power.

    Example: mrsproc power --effect 5 --endpoint-sd 2.9 --between-session-sd 5 -o power.png
    """
    from mrsproc.cli.stats_work import planned, scaled

    options = {
        "effect_percent": effect,
        "participants": participants,
        "endpoint_sd": scaled(endpoint_sd, snr, duration),
        "design": design,
        "between_session_sd": between_session_sd,
        "between_person_sd": between_person_sd,
        "effect_sd": effect_sd,
        "dropout": dropout,
        "alpha": alpha,
        "target": target,
        "rng": seed,
    }
    for line in planned(options, output):
        print(line)
