r"""Combination of receive coils.

With sensitivities :math:`s` and noise covariance :math:`\Psi` over coils, the combination of
least variance that keeps the signal is :math:`y = s^H \Psi^{-1} d / (s^H \Psi^{-1} s)` (Roemer
1990, 10.1002/mrm.1910160203; generalised least squares: An 2013, 10.1002/jmri.23941). The
covariance is measured where the spectra hold no signal; the sensitivities are the leading
eigenvector of the products between the whitened coils, summed over the FIDs of a water reference,
or of the data. The combined reference starts with phase zero.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import InvalidInputError
from mrsproc.qc.noise import noise_samples

_FIRST_POINTS: Final = 8  # of the combined reference, which the weights turn to phase zero
_SIGNAL_PART: Final = 4  # one in so many points at the start of a FID holds the signal
_NOISE_FIDS: Final = 64  # FIDs that the noise covariance is measured on, spread over the recording
_ALL_MASKED: Final = (
    "every FID of the reference is masked: there is nothing to take coil weights from."
)


@dataclass(frozen=True, eq=False, kw_only=True)
class CoilWeights(Record):
    """Complex weights that combine coils.

    Parameters
    ----------
    weights : ndarray of complex, shape (n_coils,)
        Weights; zero for a dead coil.
    sensitivity : ndarray of complex, shape (n_coils,)
        Relative sensitivities, the weighted sum of which is 1.
    noise_covariance : ndarray of complex, shape (n_coils, n_coils)
        Covariance of the noise of a FID point over coils.
    """

    weights: Array
    sensitivity: Array
    noise_covariance: Array

    def apply(self, data: MRSData) -> MRSData:
        """Combine the coils.

        Parameters
        ----------
        data : MRSData
            With a "coil" dimension of as many coils.

        Returns
        -------
        MRSData
            Without it.

        Raises
        ------
        InvalidInputError
            No coil dimension, or another number of coils.
        """
        axis = data.axis("coil")
        if data.sizes["coil"] != self.weights.size:
            raise InvalidInputError(
                f"the weights are for {self.weights.size} coils, the data have "
                f"{data.sizes['coil']}."
            )
        coils = np.moveaxis(np.asarray(data.fid), axis, 0)
        total = np.zeros(coils.shape[1:], complex)
        for weight, fid in zip(self.weights, coils, strict=True):  # no copy of all coils
            total += weight * fid if weight else 0.0
        combined = total.astype(data.fid.dtype)
        dims = tuple(dim for dim in data.dims if dim != "coil")
        return data.with_fid(
            combined,
            Step("RF coil combination", "generalised least squares"),
            dims=dims,
            coords=_without_coil(data),
        )


def _without_coil(data: MRSData) -> dict[str, Array]:
    return {dim: values for dim, values in data.coords.items() if dim != "coil"}


def coil_weights(reference: MRSData, noise: MRSData | None = None) -> CoilWeights:
    """Estimate coil weights.

    Parameters
    ----------
    reference : MRSData
        Water reference, or the data themselves when there is none.
    noise : MRSData, optional
        Recording from which the noise covariance is taken; `reference` when not given.

    Returns
    -------
    CoilWeights
        To apply to any recording with these coils.

    Raises
    ------
    InvalidInputError
        No coil dimension, no valid FID, or no coil with signal.
    """
    fids = _by_coil(reference)
    covariance = _noise_covariance(reference if noise is None else noise)
    mean, product = _mean(fids), _product(fids)
    alive = np.diag(product).real > 0.0
    if not alive.any():
        raise InvalidInputError("no coil holds a signal: the reference is zero.")
    if not np.diag(covariance).any():  # simulated without noise: all coils count alike
        covariance = np.eye(alive.size, dtype=complex)
    alive &= np.diag(covariance).real > 0.0
    lower = np.linalg.cholesky(covariance[np.ix_(alive, alive)])
    half = np.linalg.solve(lower, product[np.ix_(alive, alive)])
    white = np.linalg.solve(lower, half.conj().T)
    sensitivity = lower @ np.linalg.eigh(white)[1][:, -1]
    sensitivity /= np.linalg.norm(sensitivity)
    weighted = np.linalg.solve(lower.conj().T, np.linalg.solve(lower, sensitivity))
    weights = weighted.conj() / (weighted.conj() @ sensitivity)
    upright = np.exp(1j * np.angle((weights @ mean[alive])[:_FIRST_POINTS].sum()))
    full, full_sensitivity = np.zeros(alive.size, complex), np.zeros(alive.size, complex)
    full[alive] = weights / upright
    full_sensitivity[alive] = sensitivity * upright
    return CoilWeights(weights=full, sensitivity=full_sensitivity, noise_covariance=covariance)


def _noise_covariance(data: MRSData) -> Array:
    """Return the covariance of the noise over coils, shape (n_coils, n_coils).

    Few samples make a poor matrix: it is drawn towards its diagonal by n_coils / n_samples.
    """
    repeats = np.argwhere(data.mask) if data.mask_dims else np.zeros((1, 0), int)
    if not len(repeats):
        raise InvalidInputError(_ALL_MASKED)
    some = repeats[np.unique(np.linspace(0, len(repeats) - 1, _NOISE_FIDS).astype(int))]
    total, count = np.zeros((data.sizes["coil"],) * 2, complex), 0
    for where in some:
        index = {dim: int(i) for dim, i in zip(data.mask_dims, where, strict=True)}
        rows = noise_samples(data.select(**index) if index else data)
        total, count = total + rows @ rows.conj().T, count + rows.shape[1]
    covariance = total / count
    part = min(1.0, len(total) / count) + 1e-9
    return np.asarray((1.0 - part) * covariance + part * np.diag(np.diag(covariance)))


def _by_coil(data: MRSData) -> list[Array]:
    """Return the valid FIDs, each of shape (n_coils, n_points), without a copy."""
    fids = np.moveaxis(np.asarray(data.fid), data.axis("coil"), 0)
    valid = [fids[(slice(None), *where)] for where in np.argwhere(data.mask)]
    if not data.mask_dims:
        return [fids]
    if not valid:
        raise InvalidInputError(_ALL_MASKED)
    return valid


def _mean(fids: list[Array]) -> Array:
    """Return the mean FID of each coil, shape (n_coils, n_points)."""
    total = np.zeros(fids[0].shape, complex)
    for fid in fids:
        total += fid
    return total / len(fids)


def _product(fids: list[Array]) -> Array:
    """Return the sum of the products of coils over all FIDs, whatever the phase of each FID."""
    total = np.zeros((len(fids[0]),) * 2, complex)
    for fid in fids:
        first = fid[:, : max(fid.shape[1] // _SIGNAL_PART, 1)].astype(complex)
        total += first @ first.conj().T
    return total
