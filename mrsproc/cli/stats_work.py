"""What the commands of statistics do, as generators of the lines that they print."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrsproc import stats
from mrsproc.errors import FormatError, InvalidInputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Options of ``mrsproc stats``."""

    metabolites: tuple[str, ...]
    endpoint: str
    reference: str | None
    treatment: str
    contrast: tuple[str, str] | None
    participants: Path | None
    moderator: str | None
    weights: str
    formula: str | None
    window: tuple[float, float] | None
    baseline: tuple[float, float] | None
    onset: float | None
    seed: int


def analysed(study: Path, output: Path | None, wanted: Wanted) -> Iterator[str]:
    """Analyse the tables of a study, write what was found, and tell it."""
    folder = study if study.is_dir() else study.parent
    tables: dict[str, pd.DataFrame] = {}
    endpoints = _with_moderator(_read(study / "endpoints.tsv" if study.is_dir() else study), wanted)
    first = _crossover(endpoints, wanted, wanted.metabolites[0])
    yield from _crossovers(endpoints, first, wanted, tables)
    if wanted.formula is not None:
        yield from _mixed(_read(folder / "timecourses.tsv"), wanted, tables)
    if wanted.onset is not None:
        tables["quality"] = stats.quality_alarm(
            _read(folder / "qc.tsv"),
            wanted.onset,
            treatment=wanted.treatment,
            contrast=wanted.contrast,
        )
        yield "quality by condition and time:"
        yield tables["quality"].to_string(index=False, float_format=_short)
    target = folder if output is None else output
    yield from _written(tables, first, target)


def _crossover(endpoints: "pd.DataFrame", wanted: Wanted, metabolite: str) -> stats.Crossover:
    return stats.crossover(
        endpoints, metabolite=metabolite, moderator=wanted.moderator, **_options(wanted)
    )


def _options(wanted: Wanted) -> dict[str, Any]:
    return {
        "endpoint": wanted.endpoint,
        "reference": wanted.reference,
        "treatment": wanted.treatment,
        "contrast": wanted.contrast,
        "weights": wanted.weights,
        "rng": wanted.seed,
    }


def _crossovers(
    endpoints: "pd.DataFrame",
    first: stats.Crossover,
    wanted: Wanted,
    tables: "dict[str, pd.DataFrame]",
) -> Iterator[str]:
    yield repr(first)
    yield (
        first.to_frame()
        .dropna(axis="columns", how="all")
        .to_string(index=False, float_format=_short, na_rep="")
    )
    tables["crossover"] = first.to_frame()
    tables["people"] = first.to_frame("differences").merge(stats.influence(first), on="subject")
    if len(wanted.metabolites) > 1:
        tables["metabolites"] = stats.crossover_table(
            endpoints, wanted.metabolites, **_options(wanted)
        )
        columns = ["metabolite", "people", "estimate", "ci_low", "ci_high", "p", "p_holm"]
        yield tables["metabolites"][columns].to_string(index=False, float_format=_short)


def _mixed(
    timecourses: "pd.DataFrame", wanted: Wanted, tables: "dict[str, pd.DataFrame]"
) -> Iterator[str]:
    assert wanted.formula is not None
    rows = _with_moderator(timecourses, wanted)
    if wanted.baseline is not None:
        rows = stats.change_from_baseline(rows, wanted.baseline)
    levels = None if wanted.contrast is None else wanted.contrast[::-1]
    model = stats.mixed_model(
        rows,
        wanted.formula,
        metabolite=wanted.metabolites[0],
        reference=wanted.reference,
        window=wanted.window,
        treatment=wanted.treatment,
        levels=levels,
    )
    yield repr(model)
    tables["mixed"] = model.to_frame()
    tables["mixed-tests"] = model.to_frame("tests")
    tables["mixed-variances"] = model.to_frame("variances")


def _with_moderator(table: "pd.DataFrame", wanted: Wanted) -> "pd.DataFrame":
    if wanted.participants is None or wanted.moderator is None:
        return table
    return stats.add_participants(table, _read(wanted.participants), [wanted.moderator])


def _read(path: Path) -> "pd.DataFrame":
    import pandas as pd

    if not path.is_file():
        raise FormatError(f"{path}: no such file. mrsproc run writes the tables of a study.")
    text = {"subject": str, "session": str, "participant_id": str}
    try:
        return pd.read_csv(path, sep="\t", na_values=["n/a"], dtype=text)
    except (ValueError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not a table of tab-separated values: {error}") from error


def _written(
    tables: "dict[str, pd.DataFrame]", first: stats.Crossover, folder: Path
) -> Iterator[str]:
    from mrsproc import plot
    from mrsproc.cli.work import save_figure
    from mrsproc.tables import write_table

    for name, table in tables.items():
        path = folder / f"stats_{name}.tsv"
        write_table(table, path)
        yield f"wrote {path}"
    pictures = [folder / f"stats_people.{suffix}" for suffix in ("png", "svg")]
    save_figure(lambda: plot.crossover(first), pictures)
    yield from (f"wrote {path}" for path in pictures)


def scaled(
    endpoint_sd: float,
    snr: tuple[float, float] | None,
    duration: tuple[float, float] | None,
) -> float:
    """Return the SD of an endpoint at the SNR and duration that are planned."""
    old_snr, new_snr = snr or (1.0, 1.0)
    old_duration, new_duration = duration or (1.0, 1.0)
    if not min(new_snr, new_duration) > 0.0:
        raise InvalidInputError("--snr and --duration: give two positive numbers each.")
    known = stats.Precision(sd_percent=endpoint_sd, snr=old_snr, duration_s=old_duration)
    return known(new_snr, new_duration)


def planned(options: dict[str, Any], picture: Path | None) -> Iterator[str]:
    """Plan a trial, draw its power, and tell it."""
    result = stats.power(**options)
    yield repr(result)
    yield result.to_frame().to_string(index=False, float_format=_short)
    if picture is not None:
        from mrsproc import plot
        from mrsproc.cli.work import save_figure

        save_figure(lambda: plot.power(result), [picture])
        yield f"wrote {picture}"


def _short(value: float) -> str:
    return f"{value:.4g}"
