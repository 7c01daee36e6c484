"""`Estimates`: the numbers of a joint fit, and time courses made of them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import SYNONYMS
from mrsproc.data import Record
from mrsproc.dynamics.curves import Curve
from mrsproc.dynamics.design import TimeDesign
from mrsproc.dynamics.options import DynamicOptions
from mrsproc.errors import FitWarning, InvalidInputError, suggest
from mrsproc.fitting.result import FitResult, sum_weights
from mrsproc.responses import Constant
from mrsproc.timeline import bin_index, time_bins

Kind = Literal["thermal", "robust"]
Interval = tuple[float, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimates(Record):
    """What a joint fit found, and curves of it with their covariance.

    Times are onset times of transients in s since the first one. A fit that failed has ``success``
    False, a reason, and NaN in every number.

    Parameters
    ----------
    design : TimeDesign
        Which signal follows which time courses.
    estimate : ndarray, shape (n_parameters,)
        Coefficients in the units of the basis set, then unknowns of the shapes.
    covariance, robust_covariance : ndarray, shape (n_parameters, n_parameters)
        From the noise alone, and from what transients really scatter.
    at_rest : ndarray, shape (n_signals, n_coefficients)
        Amplitude at rest of each signal as a sum of coefficients.
    signal_scale : ndarray, shape (n_signals,)
        Norm of each signal in the fit, to which coefficients of mixtures refer.
    time_s : ndarray, shape (n_transients,)
        Onset times of all transients [s].
    used : ndarray of bool, shape (n_transients,)
        Which take part: valid and described by the model.
    edges : tuple of float
        Time bins [s].
    infusion_onset_s : float
        Start of the drug [s]; NaN where it is not known.
    frequency_hz, phase_rad : ndarray, shape (n_transients,)
        Frequency shift (positive towards higher ppm) and phase of each transient relative to the
        basis set; NaN where it takes no part.
    linewidth_change_hz : ndarray, shape (n_transients,)
        Change of the Lorentzian width around its mean [Hz].
    gain : ndarray, shape (n_transients,)
        Signal scale around 1.
    misfit : ndarray, shape (n_transients,)
        Sum of squares of the residual of each transient over its expectation.
    autocorrelation : ndarray, shape (n_lags,)
        Of what is left of the response of the metabolites over time, from lag 1; within
        ``2 / sqrt(n)`` of 0 where transients scatter independently.
    chi_squared : float
        Weighted sum of squares of the residual, with penalties.
    n_parameters : int
        Number of amplitude parameters and unknowns of shapes, for comparison of models.
    n_data : int
        Number of data points.
    mean : FitResult
        Fit of the mean spectrum that the joint fit started from.
    options : DynamicOptions
        How it was fitted.
    success : bool
        Whether the fit found a minimum.
    reason : str
        Why not; empty where it did.
    """

    design: TimeDesign
    estimate: Array
    covariance: Array
    robust_covariance: Array
    at_rest: Array
    signal_scale: Array
    time_s: Array
    used: Array
    edges: tuple[float, ...]
    infusion_onset_s: float
    frequency_hz: Array
    phase_rad: Array
    linewidth_change_hz: Array
    gain: Array
    misfit: Array
    autocorrelation: Array
    chi_squared: float
    n_parameters: int
    n_data: int
    mean: FitResult
    options: DynamicOptions
    success: bool
    reason: str

    @property
    def names(self) -> tuple[str, ...]:
        """Signals of the fit."""
        return self.design.names

    @property
    def aic(self) -> float:
        """Akaike's information criterion, to compare responses on the same data."""
        return self.chi_squared + 2.0 * self.n_parameters

    @property
    def bic(self) -> float:
        """Bayesian information criterion; the number of transients counts as sample size."""
        return self.chi_squared + float(np.log(self.used.sum())) * self.n_parameters

    def weights(self, metabolite: str) -> Array:
        """Return the weights of the signals in a metabolite or sum.

        Parameters
        ----------
        metabolite : str
            For example "Glu" or "Glx".

        Returns
        -------
        ndarray, shape (n_signals,)
            Weights.

        Raises
        ------
        InvalidInputError
            There is no such quantity.
        """
        sums = sum_weights(self.names)
        known = {a: n for n in self.names for group in SYNONYMS if n in group for a in group}
        name = known.get(metabolite, metabolite)
        if name in self.names:
            return np.array([float(n == name) for n in self.names])
        if name in sums:
            return sums[name]
        raise InvalidInputError(
            f"no {metabolite!r} in this fit. {suggest(metabolite, [*self.names, *sums])}"
        )

    def rest(self, metabolite: str) -> Curve:
        """Return the amplitude of a metabolite or sum before the drug."""
        row = (self.weights(metabolite) / self.signal_scale) @ self.at_rest
        slope = np.zeros((1, self.estimate.size))
        slope[0, : row.size] = row
        return Curve(slope @ self.estimate, slope)

    def amplitude(self, metabolite: str, time: Array) -> Curve:
        """Return the amplitude of a metabolite or sum at given times.

        Parameters
        ----------
        metabolite : str
            For example "Glx".
        time : ndarray, shape (n,)
            Times [s].

        Returns
        -------
        Curve
            Values [units of the basis set] and slopes.
        """
        design, n = self.design, self.design.signal.size
        values = self.estimate[n:]
        part = design.of_signal(self.weights(metabolite) / self.signal_scale)
        columns = design.courses(time, values)[:, design.column] * part
        moved = design.slopes(time, values)[:, :, design.column] @ (part * self.estimate[:n])
        return Curve(columns @ self.estimate[:n], np.hstack([columns, moved.T]))

    def curve(
        self,
        metabolite: str,
        *,
        relative_to: str | None = None,
        edges: Sequence[float] | None = None,
    ) -> Curve:
        """Return the mean amplitude, or ratio, in time bins.

        Parameters
        ----------
        metabolite : str
            For example "Glx".
        relative_to : str, optional
            Denominator, for example "tNAA".
        edges : sequence of float, optional
            Edges of the bins [s]; those of the fit when not given.

        Returns
        -------
        Curve
            Means over the transients of each bin.
        """
        chosen = self.edges if edges is None else tuple(edges)
        rows = self._bin_rows(chosen)
        top = self.amplitude(metabolite, self.time_s).weighted(rows)
        if relative_to is None:
            return top
        self._check_reference(metabolite, relative_to)
        return top.over(self.amplitude(relative_to, self.time_s).weighted(rows))

    def _bin_rows(self, edges: tuple[float, ...]) -> Array:
        """Return rows that average over the transients of each bin; NaN for an empty bin."""
        inside = self._members(edges)
        count = inside.sum(axis=1, keepdims=True).astype(float)
        count[count == 0.0] = np.nan
        return np.asarray(inside / count)

    def _members(self, edges: tuple[float, ...]) -> Array:
        """Return which transients stand for each bin: those used, or all where none is."""
        index = bin_index(self.time_s, edges)
        within = (self.time_s >= edges[0]) & (self.time_s < edges[-1])
        inside = (index == np.arange(len(edges) - 1)[:, None]) & within
        some = (inside & self.used).any(axis=1, keepdims=True)
        return np.asarray(np.where(some, inside & self.used, inside))

    def _check_reference(self, metabolite: str, reference: str) -> None:
        """Say that a constant denominator cannot take out what all signals share."""
        below = np.flatnonzero(self.weights(reference))
        above = np.flatnonzero(self.weights(metabolite))
        fixed = all(isinstance(self.design.responses[i], Constant) for i in below)
        moves = any(not isinstance(self.design.responses[i], Constant) for i in above)
        if fixed and moves:
            warnings.warn(
                f"{reference} is constant in this fit, so that the ratio keeps drifts of gain and "
                f"voxel: give {reference} the response of {metabolite}.",
                FitWarning,
                stacklevel=4,
            )

    def baseline_interval(self, baseline: Interval | None) -> Interval | None:
        """Return the baseline given, or the time before the drug; None where it is not known."""
        if baseline is not None:
            low, high = (float(x) for x in baseline)
            inside = (self.time_s >= low) & (self.time_s < high)
            if not (inside & self.used).any():
                raise InvalidInputError(
                    f"baseline = {baseline}: no transient of the fit starts within it; the "
                    f"recording lasts from 0 to {self.edges[-1]:g} s."
                )
            return low, high
        if np.isfinite(self.infusion_onset_s):
            return float(self.edges[0]), self.infusion_onset_s
        return None

    def needed_baseline(self, baseline: Interval | None) -> Interval:
        """Return the baseline; refuse where it is not known."""
        found = self.baseline_interval(baseline)
        if found is None:
            raise InvalidInputError(
                "what is baseline is not known: give baseline=(start, end) in s, or "
                "DynamicOptions(infusion=...)."
            )
        return found

    def changes(
        self,
        metabolite: str,
        *,
        relative_to: str | None = None,
        baseline: Interval | None = None,
        edges: Sequence[float] | None = None,
    ) -> dict[str, Curve]:
        """Return the difference, percent change and log ratio to the baseline, in time bins.

        Parameters
        ----------
        metabolite : str
            For example "Glx".
        relative_to : str, optional
            Denominator, for example "tNAA".
        baseline : tuple of float, optional
            Start and end [s]; up to the onset of the drug when not given.
        edges : sequence of float, optional
            Edges of the bins [s]; those of the fit when not given.

        Returns
        -------
        dict of str to Curve
            "difference", "percent_change", "log_ratio"; the noise of the baseline is in them.
        """
        low, high = self.needed_baseline(baseline)
        chosen = self.edges if edges is None else tuple(edges)
        values = self.curve(metabolite, relative_to=relative_to, edges=chosen)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)  # said once already
            rest = self.curve(metabolite, relative_to=relative_to, edges=(low, high))
        difference = values.minus(rest)
        return {
            "difference": difference,
            "percent_change": difference.over(rest).times(100.0),
            "log_ratio": values.log().minus(rest.log()),
        }

    def bins(self, bin_width: float | None) -> tuple[float, ...]:
        """Return the edges of bins of a width [s]; those of the fit when it is None."""
        if bin_width is None:
            return self.edges
        onset = self.infusion_onset_s
        return time_bins(self.time_s, bin_width, onset if np.isfinite(onset) else 0.0)

    def counts(self, edges: tuple[float, ...]) -> Array:
        """Return how many transients of each bin take part."""
        index = bin_index(self.time_s[self.used], edges)
        return np.bincount(index, minlength=len(edges) - 1)

    def covariance_of(self, kind: Kind) -> Array:
        """Return the covariance of the parameters, "thermal" or "robust"."""
        if kind not in {"thermal", "robust"}:
            raise InvalidInputError(
                f"covariance = {kind!r}. {suggest(kind, ('thermal', 'robust'))}"
            )
        return self.covariance if kind == "thermal" else self.robust_covariance

    def quantities(self) -> list[str]:
        """Return the names of all signals and sums."""
        return [*self.names, *(n for n in sum_weights(self.names) if n not in self.names)]

    def moves(self, metabolite: str) -> bool:
        """Tell whether a metabolite or sum has a response."""
        members = np.flatnonzero(self.weights(metabolite))
        return any(not isinstance(self.design.responses[i], Constant) for i in members)
