"""`PeakFit`: lines as fitted, with their uncertainty."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData, Record
from mrsproc.errors import InvalidInputError, suggest
from mrsproc.lineshape import voigt_fwhm
from mrsproc.peaks.model import OF_A_PEAK, Lines

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class PeakFit(Record):
    """Lines of one spectrum or many.

    Arrays have the leading dimensions of the data, written ``...`` below. A fit that failed, or a
    masked FID, has ``success`` False, a reason, and NaN in every number.

    Parameters
    ----------
    data : MRSData
        What was fitted.
    names : tuple of str
        Peaks.
    parameters : tuple of str
        Parameters, those that expressions hang on included.
    value : ndarray, shape (..., n)
        Their values.
    covariance : ndarray, shape (..., n, n)
        Their covariance by the Cramer-Rao bound for complex noise; 0 for what is fixed, NaN for
        what a bound holds.
    at_bounds : ndarray of bool, shape (..., n)
        Parameters that a bound holds.
    noise_sd : ndarray, shape (...)
        SD of the noise in the real part of a point: given, or that of the residual.
    residual : ndarray of complex, shape (..., n_points)
        Data less model, the points left out included.
    success : ndarray of bool, shape (...)
        Whether the fit found a minimum at which the data determine every parameter.
    reason : ndarray of str, shape (...)
        Why not; empty where it did.
    warning : ndarray of str, shape (...)
        What wants a second look; empty where nothing does.
    first_point : int
        Points left out at the start.
    """

    data: MRSData
    names: tuple[str, ...]
    parameters: tuple[str, ...]
    value: Array
    covariance: Array
    at_bounds: Array
    noise_sd: Array
    residual: Array
    success: Array
    reason: Array
    warning: Array
    first_point: int

    @property
    def sd(self) -> Array:
        """Standard deviation of the parameters, shape (..., n)."""
        return np.asarray(np.sqrt(np.diagonal(self.covariance, axis1=-2, axis2=-1)))

    def estimate(self, parameter: str) -> tuple[Array, Array]:
        """Return a parameter with its SD.

        Parameters
        ----------
        parameter : str
            For example "PCr_amplitude".

        Returns
        -------
        value, sd : ndarray, shape (...)
            Both in the unit that the name tells.

        Raises
        ------
        InvalidInputError
            There is no such parameter.
        """
        if parameter not in self.parameters:
            raise InvalidInputError(
                f"no parameter {parameter!r}. {suggest(parameter, self.parameters)}"
            )
        i = self.parameters.index(parameter)
        return self.value[..., i], self.sd[..., i]

    def signals(self, index: tuple[int, ...] = ()) -> Array:
        """Return the FID of every peak as fitted.

        Parameters
        ----------
        index : tuple of int, default ()
            Which spectrum, along the leading dimensions.

        Returns
        -------
        ndarray of complex, shape (n_peaks, n_points)
            Their sum is the model.
        """
        value = dict(zip(self.parameters, self.value[index].tolist(), strict=True))
        return Lines(self.names, self.data.acquisition, self.data.time).signals(value)

    def to_frame(self, what: Literal["peaks", "parameters"] = "peaks") -> "pd.DataFrame":
        """Return one row for each spectrum and peak, or each spectrum and parameter.

        Parameters
        ----------
        what : {"peaks", "parameters"}, default "peaks"
            Peaks: the leading dimensions (indices), peak, amplitude, sd, crlb_percent, ppm, ppm_sd,
            linewidth_hz, lorentz_hz, lorentz_hz_sd, gauss_hz, gauss_hz_sd, phase_deg,
            phase_deg_sd, at_bounds. Parameters: parameter, estimate, sd, at_bounds.

        Returns
        -------
        pandas.DataFrame
            Numbers of a failed fit are NaN.

        Raises
        ------
        InvalidInputError
            Another word.
        """
        import pandas as pd

        if what not in {"peaks", "parameters"}:
            raise InvalidInputError(f"what = {what!r}. {suggest(what, ('peaks', 'parameters'))}")
        labels = self.names if what == "peaks" else self.parameters
        grid = np.indices((*self.success.shape, len(labels)))
        columns = {dim: grid[i].ravel() for i, dim in enumerate(self.data.dims[:-1])}
        label = np.array(labels, object)[grid[-1].ravel()]
        if what == "parameters":
            values = {"estimate": self.value, "sd": self.sd, "at_bounds": self.at_bounds}
            rows = {key: value.ravel() for key, value in values.items()}
            return pd.DataFrame({**columns, "parameter": label, **rows})
        return pd.DataFrame({**columns, "peak": label, **self._of_peaks()})

    def _of_peaks(self) -> dict[str, Array]:
        """Return the columns of the table of peaks."""
        where = {
            key: [self.parameters.index(f"{name}_{key}") for name in self.names]
            for key in OF_A_PEAK
        }
        sd, columns = self.sd, {}
        for key, places in where.items():
            columns[key] = self.value[..., places].ravel()
            columns["sd" if key == "amplitude" else f"{key}_sd"] = sd[..., places].ravel()
        positive = np.where(columns["amplitude"] > 0.0, columns["amplitude"], np.nan)
        bounds = np.any([self.at_bounds[..., places] for places in where.values()], axis=0)
        return {
            "amplitude": columns.pop("amplitude"),
            "sd": columns["sd"],
            "crlb_percent": 100.0 * columns.pop("sd") / positive,
            "ppm": columns.pop("ppm"),
            "ppm_sd": columns.pop("ppm_sd"),
            "linewidth_hz": voigt_fwhm(columns["lorentz_hz"], columns["gauss_hz"]),
            **columns,
            "at_bounds": bounds.ravel(),
        }

    def __repr__(self) -> str:
        done = int(np.sum(self.success))
        head = f"PeakFit({done} of {np.size(self.success)} spectra fitted"
        if self.success.ndim or not done:
            return f"{head}, {len(self.names)} peaks)"
        parts = []
        for name in self.names:
            value, sd = self.estimate(f"{name}_amplitude")
            parts.append(f"{name} {float(value):.4g} +- {float(sd):.2g}")
        return f"{head}; {', '.join(parts)})"
