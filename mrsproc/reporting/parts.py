"""What a report is made from: the results it takes, by what it reads of them."""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from mrsproc.axes import Array
    from mrsproc.data import MRSData
    from mrsproc.fitting.result import FitResult
    from mrsproc.quantification import Quantities


class Preprocessing(Protocol):
    """What a report reads of the outcome of preprocessing."""

    @property
    def data(self) -> "MRSData":
        """Preprocessed recording."""

    @property
    def coils(self) -> Any:
        """Coil weights with an ``apply`` method, or None."""

    @property
    def qc(self) -> "pd.DataFrame":
        """Quality, a row a transient: transient, time_s, snr, ..., valid, reason."""

    @property
    def options(self) -> Any:
        """What was asked for."""


class Dynamics(Protocol):
    """What a report reads of a joint fit over time."""

    @property
    def names(self) -> tuple[str, ...]:
        """Signals."""

    @property
    def success(self) -> bool:
        """Whether there is a minimum."""

    @property
    def reason(self) -> str:
        """Why not."""

    @property
    def options(self) -> Any:
        """How it was fitted."""

    def timecourse(
        self,
        metabolite: str,
        *,
        relative_to: str | None = None,
        baseline: tuple[float, float] | None = None,
    ) -> "pd.DataFrame":
        """Return time_s, duration_s, n_transients, quantity, unit, estimate, sd, ..."""

    def endpoints(
        self,
        metabolite: str,
        *,
        relative_to: str | None = None,
        baseline: tuple[float, float] | None = None,
    ) -> "pd.DataFrame":
        """Return metabolite, endpoint, unit, estimate, sd, ..."""

    def amplitude(self, metabolite: str, time: "Array") -> Any:
        """Return the model at given times [s], an object with a ``value``."""

    def moves(self, metabolite: str) -> bool:
        """Tell whether a metabolite has a response."""

    def to_frame(self, what: str) -> "pd.DataFrame":
        """Return the table "parameters"."""


class Drug(Protocol):
    """When the drug was given."""

    @property
    def onset(self) -> float:
        """Start [s since the first transient]."""

    @property
    def duration(self) -> float:
        """Duration [s]."""


class Study(Protocol):
    """What a report reads of the outcome of a study."""

    @property
    def endpoints(self) -> "pd.DataFrame":
        """One row a session, metabolite and endpoint."""

    @property
    def timecourses(self) -> "pd.DataFrame":
        """One row a time bin and quantity."""

    @property
    def qc(self) -> "pd.DataFrame":
        """One row a raw transient."""

    @property
    def failures(self) -> "pd.DataFrame":
        """One row a session that is not in the others."""

    @property
    def sessions(self) -> "pd.DataFrame":
        """One row a session: infusion_onset_s, infusion_duration_s, warnings, report."""

    @property
    def about(self) -> "Mapping[str, Any]":
        """Version, Recipe, RecipeHash, BasisSet, Analysis."""

    @property
    def output(self) -> "Path":
        """Folder of the files."""


class Session(NamedTuple):
    """The parts of a report; None for what is absent."""

    raw: "MRSData | None"
    clean: Preprocessing | None
    fit: "FitResult | None"
    dynamic: Dynamics | None
    quantities: "Quantities | None"
    infusion: Drug | None
    relative_to: str | None = None
    baseline: tuple[float, float] | None = None

    @property
    def data(self) -> "MRSData | None":
        """The preprocessed recording, or the raw one."""
        return self.raw if self.clean is None else self.clean.data

    @property
    def zero_s(self) -> float:
        """Where minutes count from: the start of the infusion, or of the recording [s]."""
        return 0.0 if self.infusion is None else float(self.infusion.onset)

    def minutes(self, seconds: "Array") -> "Array":
        """Return times for an axis [min]."""
        return (np.asarray(seconds, float) - self.zero_s) / 60.0

    @property
    def shown(self) -> tuple[int, ...]:
        """Index of the spectrum whose fit is shown: the first that was fitted."""
        if self.fit is None or not self.fit.dims or not self.fit.success.any():
            return (0,) * len(self.fit.dims) if self.fit is not None else ()
        return tuple(int(i) for i in np.argwhere(self.fit.success)[0])
