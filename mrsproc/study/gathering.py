"""From the derivatives of the sessions to the tables of a study."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mrsproc.errors import FormatError
from mrsproc.study.discovery import Session
from mrsproc.study.work import RECORD, REPORT, Outcome, read_record
from mrsproc.tables import write_table

if TYPE_CHECKING:
    import pandas as pd

KEYS: Final = ("subject", "session", "condition", "period", "sequence")
COLUMNS_OF: Final = {
    "endpoints": (*KEYS, "metabolite", "reference", "endpoint", "unit", "estimate", "sd"),
    "timecourses": (
        *KEYS, "time_s", "duration_s", "n_transients", "metabolite", "quantity", "reference",
        "unit", "estimate", "sd",
    ),
    "qc": (
        *KEYS, "transient", "time_s", "epoch", "snr", "linewidth_hz", "frequency_hz", "phase_rad",
        "residual_water", "valid", "reason",
    ),
    "failures": (*KEYS, "stage", "error", "message"),
}  # fmt: skip
"""Columns of the tables of a study."""
_SOURCES: Final = {"endpoints": "endpoints", "timecourses": "timecourse", "qc": "qc"}
_TEXT: Final = dict.fromkeys(
    ("subject", "session", "condition", "sequence", "metabolite", "quantity", "reference", "unit",
     "endpoint", "epoch", "reason", "stage", "error", "message"),
    str,
)  # fmt: skip


def gather(
    sessions: Iterable[Session],
    output: Path,
    analysis: str,
    lost: Mapping[tuple[str, str], Outcome],
) -> "dict[str, pd.DataFrame]":
    """Return the tables of a study from what its sessions left.

    Parameters
    ----------
    sessions : iterable of Session
        All sessions of the data set.
    output : pathlib.Path
        Folder of the results.
    analysis : str
        Hash of version, recipe and basis set: what was made otherwise does not count.
    lost : mapping of (str, str) to Outcome
        What failed just now, by person and session: a killed process leaves no record.

    Returns
    -------
    dict of str to pandas.DataFrame
        endpoints, timecourses, qc, failures, with `COLUMNS_OF`.
    """
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in _SOURCES}
    failures: list[dict[str, Any]] = []
    for session in sessions:
        failure = _failure(session, output, analysis, lost.get((session.subject, session.session)))
        if failure:
            failures.append(session.keys | failure)
            continue
        for name, source in _SOURCES.items():
            parts[name].append(_with_keys(_session_table(session, output, source), session))
    tables = {name: _joined(frames, COLUMNS_OF[name]) for name, frames in parts.items()}
    return tables | {"failures": _failure_table(failures)}


def _failure(
    session: Session, output: Path, analysis: str, outcome: Outcome | None
) -> dict[str, str]:
    """Return why a session is not in the tables; empty where it is."""
    if outcome is not None:
        return _row(outcome.stage, outcome.error, outcome.message)
    if session.problem:
        return _row("find", "InvalidInputError", session.problem)
    record = read_record(session, output)
    if record.get("Status") == "failed" and record.get("Analysis") == analysis:
        return _row(record["Stage"], record["Error"], record["Message"])
    if record.get("Status") == "done" and record.get("Analysis") == analysis:
        return {}
    why = "made with another version, recipe or basis set" if record else "not processed yet"
    return _row("run", "NotProcessed", f"{why}: run `mrsproc run BIDS_DIR OUT_DIR participant`.")


def _row(stage: str, error: str, message: str) -> dict[str, str]:
    return {"stage": stage, "error": error, "message": message}


def _session_table(session: Session, output: Path, name: str) -> "pd.DataFrame":
    return read_table(output / session.folder / f"{session.stem}_desc-{name}_mrs.tsv")


def read_table(path: Path) -> "pd.DataFrame":
    """Read a table of a session or study.

    Parameters
    ----------
    path : pathlib.Path
        TSV file that mrsproc wrote.

    Returns
    -------
    pandas.DataFrame
        The table; labels are text, even where they look like numbers.

    Raises
    ------
    FormatError
        Not a table.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, sep="\t", dtype=_TEXT, keep_default_na=False, na_values=["n/a"])
    except ValueError as error:
        raise FormatError(f"{path}: not a table of tab-separated values: {error}") from error


def session_notes(tables: "Mapping[str, pd.DataFrame]", output: Path) -> "pd.DataFrame":
    """Return what lies beside the tables of the sessions: infusion, warnings, report.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Tables of the study; a session that is in none of them has no row.
    output : pathlib.Path
        Folder of the results.

    Returns
    -------
    pandas.DataFrame
        subject, session, condition, period, sequence, infusion_onset_s, infusion_duration_s,
        warnings (one a line), report (path relative to `output`); missing where not known.
    """
    import pandas as pd

    keys = pd.concat([tables[name][list(KEYS)] for name in _SOURCES]).drop_duplicates()
    rows = [
        row | _notes(output, str(row["subject"]), row["session"]) for row in keys.to_dict("records")
    ]
    columns = [*KEYS, "infusion_onset_s", "infusion_duration_s", "warnings", "report"]
    return pd.DataFrame(rows, columns=columns)


def _notes(output: Path, subject: str, visit: object) -> dict[str, Any]:
    levels = [f"sub-{subject}", *([f"ses-{visit}"] if isinstance(visit, str) else [])]
    folder = output.joinpath(*levels, "mrs")
    side: dict[str, Any] = {}
    for path in sorted(folder.glob("*_desc-timecourse_mrs.json")):
        side = _json(path).get("mrsproc", {})
    told = [text for path in folder.glob(f"*_{RECORD}") for text in _json(path).get("Warnings", [])]
    reports = [path.relative_to(output).as_posix() for path in sorted(folder.glob(f"*_{REPORT}"))]
    return {
        "infusion_onset_s": side.get("infusion_onset_s"),
        "infusion_duration_s": side.get("infusion_duration_s"),
        "warnings": "\n".join(told),
        "report": reports[0] if reports else "",
    }


def _json(path: Path) -> dict[str, Any]:
    """Return the content of a file of a session, empty where it cannot be read."""
    with suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def _with_keys(frame: "pd.DataFrame", session: Session) -> "pd.DataFrame":
    for place, (name, value) in enumerate(session.keys.items()):
        frame.insert(place, name, value or None)
    return frame


def _joined(frames: "Sequence[pd.DataFrame]", columns: tuple[str, ...]) -> "pd.DataFrame":
    import pandas as pd

    if not frames:
        return pd.DataFrame(columns=list(columns))
    return pd.concat([frame.astype(object) for frame in frames], ignore_index=True).infer_objects()


def _failure_table(rows: list[dict[str, Any]]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(rows, columns=list(COLUMNS_OF["failures"])).replace({"": None})


def write_tables(tables: "dict[str, pd.DataFrame]", output: Path, about: dict[str, Any]) -> None:
    """Write the tables of a study with their side files.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Tables by name.
    output : pathlib.Path
        Folder.
    about : dict
        For the side files.
    """
    for name, table in tables.items():
        write_table(table, output / f"{name}.tsv", about)
