"""`DynamicResult`: what a joint fit found over time, as tables."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mrsproc.axes import Array
from mrsproc.dynamics.endpoints import Endpoints, endpoints_of
from mrsproc.dynamics.estimates import Estimates, Interval, Kind
from mrsproc.dynamics.parameters import parameter_table, unit_of
from mrsproc.errors import FitWarning, InvalidInputError, suggest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class DynamicResult(Estimates):
    """Amplitudes of a session over time; the numbers behind the tables are those of `Estimates`.

    Times are onset times of transients in s since the first one. A fit that failed has ``success``
    False, a reason, and NaN in every number.
    """

    def timecourse(
        self,
        metabolite: str,
        *,
        relative_to: str | None = None,
        baseline: Interval | None = None,
        bin_width: float | None = None,
        covariance: Kind = "thermal",
    ) -> "pd.DataFrame":
        """Return the time course of a metabolite, sum or ratio.

        Parameters
        ----------
        metabolite : str
            For example "Glu" or "Glx".
        relative_to : str, optional
            Denominator, for example "tNAA"; it should have a response of its own.
        baseline : tuple of float, optional
            Start and end of the baseline [s]; up to the onset of the drug when not given.
        bin_width : float, optional
            Width of the time bins [s]; that of the fit when not given.
        covariance : {"thermal", "robust"}, default "thermal"
            Which covariance the SDs come from.

        Returns
        -------
        pandas.DataFrame
            Columns time_s (start of the bin), duration_s, n_transients, metabolite, quantity,
            reference, unit, estimate, sd. Quantities are amplitude or ratio and, where a baseline
            is known, difference, percent_change and log_ratio.
        """
        import pandas as pd

        edges = self.bins(bin_width)
        first = "amplitude" if relative_to is None else "ratio"
        found = {first: self.curve(metabolite, relative_to=relative_to, edges=edges)}
        interval = self.baseline_interval(baseline)
        if interval is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FitWarning)  # said by curve()
                found |= self.changes(
                    metabolite, relative_to=relative_to, baseline=interval, edges=edges
                )
        parameters = self.covariance_of(covariance)
        frames = []
        for quantity, curve in found.items():
            frames.append(
                pd.DataFrame(
                    {
                        "time_s": edges[:-1],
                        "duration_s": np.diff(edges),
                        "n_transients": self.counts(edges),
                        "metabolite": metabolite,
                        "quantity": quantity,
                        "reference": relative_to or "",
                        "unit": unit_of(quantity, relative_to),
                        "estimate": curve.value,
                        "sd": curve.sd(parameters),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def timecourse_covariance(
        self,
        metabolites: str | Sequence[str],
        *,
        relative_to: str | None = None,
        covariance: Kind = "thermal",
    ) -> tuple[tuple[str, ...], Array]:
        """Return the full covariance of time courses over time and metabolites.

        Parameters
        ----------
        metabolites : str or sequence of str
            Metabolites or sums.
        relative_to : str, optional
            Denominator.
        covariance : {"thermal", "robust"}, default "thermal"
            Which covariance of the parameters.

        Returns
        -------
        labels : tuple of str
            Metabolite and start of the bin, such as "Glx 60".
        covariance : ndarray, shape (k, k)
            Covariance.
        """
        names = [metabolites] if isinstance(metabolites, str) else list(metabolites)
        curves = [self.curve(name, relative_to=relative_to) for name in names]
        slopes = np.vstack([curve.slope for curve in curves])
        labels = tuple(f"{name} {start:g}" for name in names for start in self.edges[:-1])
        return labels, np.asarray(slopes @ self.covariance_of(covariance) @ slopes.T)

    def change(
        self,
        metabolite: str,
        *,
        interval: Interval | None = None,
        baseline: Interval | None = None,
        relative_to: str | None = None,
        covariance: Kind = "thermal",
    ) -> "pd.DataFrame":
        """Return the change of the mean over an interval from the baseline.

        Parameters
        ----------
        metabolite : str
            For example "Glx".
        interval : tuple of float, optional
            Start and end [s]; all after the baseline when not given.
        baseline : tuple of float, optional
            Start and end [s]; up to the onset of the drug when not given.
        relative_to : str, optional
            Denominator.
        covariance : {"thermal", "robust"}, default "thermal"
            Which covariance the SDs come from.

        Returns
        -------
        pandas.DataFrame
            Columns metabolite, reference, quantity, unit, estimate, sd; rows difference,
            percent_change and log_ratio.
        """
        import pandas as pd

        low, high = self.needed_baseline(baseline)
        span = (high, float(self.edges[-1])) if interval is None else interval
        found = self.changes(metabolite, relative_to=relative_to, baseline=(low, high), edges=span)
        parameters = self.covariance_of(covariance)
        return pd.DataFrame(
            {
                "metabolite": metabolite,
                "reference": relative_to or "",
                "quantity": list(found),
                "unit": [unit_of(quantity, relative_to) for quantity in found],
                "estimate": [float(curve.value[0]) for curve in found.values()],
                "sd": [float(curve.sd(parameters)[0]) for curve in found.values()],
            }
        )

    def endpoints(
        self,
        metabolite: str,
        *,
        interval: Interval | None = None,
        baseline: Interval | None = None,
        relative_to: str | None = None,
        covariance: Kind = "thermal",
        rng: np.random.Generator | int | None = 0,
    ) -> "pd.DataFrame":
        """Return what statistics over sessions take from a time course.

        Parameters
        ----------
        metabolite : str
            For example "Glx".
        interval : tuple of float, optional
            Start and end [s]; all after the baseline when not given.
        baseline : tuple of float, optional
            Start and end [s]; up to the onset of the drug when not given.
        relative_to : str, optional
            Denominator.
        covariance : {"thermal", "robust"}, default "thermal"
            Which covariance the SDs come from.
        rng : Generator, int or None, default 0
            Source of the draws behind the SDs of peak and time to peak, keyword only.

        Returns
        -------
        pandas.DataFrame
            Columns metabolite, reference, endpoint, unit, estimate, sd. Endpoints are those of
            `mrsproc.dynamics.endpoints`.
        """
        low, high = self.needed_baseline(baseline)
        span = (high, float(self.edges[-1])) if interval is None else interval
        width = (self.edges[-1] - self.edges[0]) / max(len(self.edges) - 1, 1)
        count = max(1, round((span[1] - span[0]) / width))
        edges = tuple(np.linspace(span[0], span[1], count + 1))
        percent = self.changes(
            metabolite, relative_to=relative_to, baseline=(low, high), edges=edges
        )["percent_change"]
        found = endpoints_of(
            Endpoints(percent, np.array(edges), self.infusion_onset_s),
            self.covariance_of(covariance),
            np.random.default_rng(rng),
        )
        found.insert(0, "reference", relative_to or "")
        found.insert(0, "metabolite", metabolite)
        return found

    def to_frame(self, what: str = "parameters", covariance: Kind = "thermal") -> "pd.DataFrame":
        """Return a table.

        Parameters
        ----------
        what : {"parameters", "timecourse", "transients"}, default "parameters"
            Amplitudes at rest, responses and unknowns of shapes; time courses of all metabolites
            that move and of sums; or what was found of each transient.
        covariance : {"thermal", "robust"}, default "thermal"
            Which covariance the SDs come from.

        Returns
        -------
        pandas.DataFrame
            For "parameters" the columns metabolite, parameter, estimate, sd, unit; for
            "timecourse" as `timecourse`; for "transients" transient, time_s, valid, frequency_hz,
            phase_rad, linewidth_change_hz, gain, misfit.

        Raises
        ------
        InvalidInputError
            Another name.
        """
        import pandas as pd

        if what == "parameters":
            return parameter_table(self, self.covariance_of(covariance))
        if what == "timecourse":
            names = [name for name in self.quantities() if self.moves(name)]
            frames = [self.timecourse(name, covariance=covariance) for name in names]
            if not frames:
                raise InvalidInputError("every metabolite is constant: there is no time course.")
            return pd.concat(frames, ignore_index=True)
        if what == "transients":
            return pd.DataFrame(
                {
                    "transient": np.arange(self.time_s.size),
                    "time_s": self.time_s,
                    "valid": self.used,
                    "frequency_hz": self.frequency_hz,
                    "phase_rad": self.phase_rad,
                    "linewidth_change_hz": self.linewidth_change_hz,
                    "gain": self.gain,
                    "misfit": self.misfit,
                }
            )
        allowed = ("parameters", "timecourse", "transients")
        raise InvalidInputError(f"what = {what!r}. {suggest(what, allowed)}")

    def __repr__(self) -> str:
        used = int(self.used.sum())
        head = f"DynamicResult({used} of {self.used.size} transients, {len(self.names)} signals"
        if not self.success:
            return f"{head}; failed: {self.reason})"
        moving = [name for name in self.quantities() if self.moves(name)]
        return f"{head}; time courses of {', '.join(moving) or 'none'})"
