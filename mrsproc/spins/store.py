"""Simulated lines on disk, under the hash of everything that determines them."""

import json
import logging
import warnings
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from mrsproc.errors import MRSWarning
from mrsproc.files import atomic_path, cache_folder, content_hash
from mrsproc.spins.engine import Field, Lines, simulate_lines
from mrsproc.spins.pulses import Pulse
from mrsproc.spins.sequences import RF, Sequence
from mrsproc.spins.systems import SpinSystem

_log = logging.getLogger(__name__)

_CODE: Final = (
    "engine.py", "operators.py", "propagation.py", "pulses.py", "store.py",
)  # fmt: skip
"""Modules whose text is part of the hash, so that a change of the method empties the cache."""

_warned: set[Path] = set()


def stored_lines(system: SpinSystem, sequence: Sequence, field: Field) -> Lines:
    """Return the lines of a spin system after a sequence, from the cache where they are there.

    Parameters
    ----------
    system : SpinSystem
        The protons.
    sequence : Sequence
        Pulses and delays.
    field : Field
        Larmor frequency, carrier and grid.

    Returns
    -------
    Lines
        As `simulate_lines` gives them. A file that cannot be read is computed again, one that
        cannot be written is left out; each folder is warned about once.

    Warns
    -----
    MRSWarning
        The cache cannot be read or written.
    """
    path = cache_folder() / "spins" / f"{_key(system, sequence, field)}.npz"
    if path.exists():
        try:
            return _load(path)
        except (OSError, ValueError, KeyError) as error:
            _warn_once(path, f"{path} cannot be read ({error}); it is simulated again.")
    lines = simulate_lines(system, sequence, field)
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, shift=lines.shift, amplitude=lines.amplitude)
    except OSError as error:
        _warn_once(
            path,
            f"simulated signals cannot be kept in {path.parent} ({error}); "
            "name another folder in MRSPROC_CACHE.",
        )
    return lines


def _load(path: Path) -> Lines:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            shift, amplitude = archive["shift"], archive["amplitude"]
    except Exception as error:  # damaged archives raise what zipfile, zlib or numpy happen to raise
        raise ValueError(str(error) or type(error).__name__) from error
    if shift.shape != amplitude.shape or not (
        np.isfinite(shift).all() and np.isfinite(amplitude).all()
    ):
        raise ValueError("it holds other arrays than simulated lines")
    return Lines(shift, amplitude)


def _warn_once(path: Path, text: str) -> None:
    if path.parent not in _warned:
        _warned.add(path.parent)
        warnings.warn(text, MRSWarning, stacklevel=4)
    else:
        _log.info(text)


def _key(system: SpinSystem, sequence: Sequence, field: Field) -> str:
    """Return a hash of the method, the moieties, the sequence with its waveforms, and the field."""
    content = {
        "moieties": [asdict(moiety) for moiety in system.moieties],
        "scans": [
            {"weight": scan.weight, "events": [_plain(event) for event in scan.events]}
            for scan in sequence.scans
        ],
        "calibration": sequence.calibration_scans,
        "field": asdict(field),
    }
    return content_hash(_code(), json.dumps(content, sort_keys=True))


def _plain(event: Any) -> dict[str, Any]:
    """Return an event as what json can write."""
    values = {name: getattr(event, name) for name in event.__dataclass_fields__}
    if isinstance(event, RF) and isinstance(event.shape, Pulse):
        shape = event.shape
        values["shape"] = [
            shape.waveform.real.tolist(),
            shape.waveform.imag.tolist(),
            shape.duration,
            shape.bandwidth,
            shape.centre,
        ]
    return values


@cache
def _code() -> str:
    package = files("mrsproc.spins")
    return "".join(package.joinpath(name).read_text(encoding="utf-8") for name in _CODE)
