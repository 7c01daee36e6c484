"""A simulated session as a BIDS data set (MRS: bids-specification.readthedocs.io)."""

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrsproc import io
from mrsproc.errors import InvalidInputError
from mrsproc.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd

    from mrsproc.simulation.session import SimulatedSession

_BIDS_VERSION = "1.10.0"


def write_session(
    simulated: "SimulatedSession",
    folder: str | os.PathLike[str],
    *,
    subject: str,
    session: str,
    condition: str | None,
) -> list[Path]:
    """Write one session; see `SimulatedSession.write_bids`."""
    import pandas as pd

    for name, label in (("subject", subject), ("session", session)):
        if not re.fullmatch(r"[A-Za-z0-9]+", label):
            raise InvalidInputError(
                f"{name} = {label!r}: BIDS allows letters and digits only, for example '01'."
            )
    root = Path(folder)
    person, visit = f"sub-{subject}", f"ses-{session}"
    stem = root / person / visit / "mrs" / f"{person}_{visit}"
    paths = [
        stem.with_name(f"{stem.name}_{suffix}")
        for suffix in ("svs.nii.gz", "mrsref.nii.gz", "events.tsv", "truth.tsv")
    ]
    io.write(simulated.data, paths[0])
    io.write(simulated.water, paths[1])
    for path in paths[:2]:
        _write_json(path.with_name(path.name.replace(".nii.gz", ".json")), _sidecar(simulated))
    options = simulated.options
    events = pd.DataFrame(
        {
            "onset": [options.infusion_onset],
            "duration": [options.infusion_duration],
            "trial_type": ["infusion"],
        }
    )
    _write_table(events, paths[2])
    _write_table(simulated.to_frame(), paths[3])
    _write_root(root, person, visit, condition)
    return paths


def _sidecar(simulated: "SimulatedSession") -> dict[str, Any]:
    acquisition = simulated.data.acquisition
    return {
        "ResonantNucleus": acquisition.nucleus,
        "SpectrometerFrequency": acquisition.spectrometer_frequency,
        "SpectralWidth": acquisition.spectral_width,
        "RepetitionTime": acquisition.repetition_time,
        "Instructions": "simulated by mrsproc; the truth stands in _truth.tsv",
    }


def _write_root(root: Path, person: str, visit: str, condition: str | None) -> None:
    """Write the description of the data set, and add this session to its tables."""
    description = root / "dataset_description.json"
    if not description.exists():
        _write_json(
            description,
            {"Name": "Simulated infusion sessions", "BIDSVersion": _BIDS_VERSION,
             "DatasetType": "raw"},
        )  # fmt: skip
        with atomic_path(root / ".bidsignore") as temporary:
            temporary.write_text("*_truth.tsv\n", encoding="utf-8")
    _add_row(root / "participants.tsv", {"participant_id": person}, key=["participant_id"])
    row = {"participant_id": person, "session_id": visit, "condition": condition or "n/a"}
    _add_row(root / "sessions.tsv", row, key=["participant_id", "session_id"])


def _add_row(path: Path, row: dict[str, str], key: list[str]) -> None:
    """Put a row into a table in place of the one with the same key, and keep the order."""
    import pandas as pd

    frame = pd.DataFrame([row])
    if path.exists():
        old = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        joined = pd.concat([old, frame]).fillna("n/a")
        frame = joined.drop_duplicates(key, keep="last").sort_values(key)
    _write_table(frame, path)


def _write_table(frame: "pd.DataFrame", path: Path) -> None:
    with atomic_path(path) as temporary:
        frame.to_csv(temporary, sep="\t", index=False, na_rep="n/a", lineterminator="\n")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
