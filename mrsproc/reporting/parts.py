"""What a report is made from: the results it takes, by what it reads of them."""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
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

    def timecourse(self, metabolite: str) -> "pd.DataFrame":
        """Return time_s, duration_s, n_transients, quantity, unit, estimate, sd, ..."""

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


class Session(NamedTuple):
    """The parts of a report; None for what is absent."""

    raw: "MRSData | None"
    clean: Preprocessing | None
    fit: "FitResult | None"
    dynamic: Dynamics | None
    quantities: "Quantities | None"
    infusion: Drug | None

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
