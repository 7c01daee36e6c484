r"""Combination of receive coils.

With sensitivities :math:`s` and noise covariance :math:`\Psi` over coils, the combination of
least variance that keeps the signal is :math:`y = s^H \Psi^{-1} d / (s^H \Psi^{-1} s)` (Roemer
1990, 10.1002/mrm.1910160203; generalised least squares: An 2013, 10.1002/jmri.23941). The
covariance is measured where the spectra hold no signal; the sensitivities are the leading singular
vector of the whitened FIDs of a water reference, or of the data.
"""

from dataclasses import dataclass

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData, Record, Step
from mrsproc.errors import InvalidInputError
from mrsproc.qc.noise import noise_samples


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
        combined = np.tensordot(self.weights, data.fid, axes=(0, axis)).astype(data.fid.dtype)
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
    alive = (np.abs(fids) ** 2).sum(axis=1) > 0.0
    if not alive.any():
        raise InvalidInputError("no coil holds a signal: the reference is zero.")
    if not np.diag(covariance).any():  # simulated without noise: all coils count alike
        covariance = np.eye(alive.size, dtype=complex)
    alive &= np.diag(covariance).real > 0.0
    lower = np.linalg.cholesky(covariance[np.ix_(alive, alive)])
    white = np.linalg.solve(lower, fids[alive])
    leading = np.linalg.eigh(white @ white.conj().T)[1][:, -1]
    sensitivity = lower @ leading
    strongest = int(np.argmax(np.abs(sensitivity)))
    sensitivity *= np.exp(-1j * np.angle(sensitivity[strongest])) / np.linalg.norm(sensitivity)
    weighted = np.linalg.solve(lower.conj().T, np.linalg.solve(lower, sensitivity))
    full, full_sensitivity = np.zeros(alive.size, complex), np.zeros(alive.size, complex)
    full[alive] = weighted.conj() / (weighted.conj() @ sensitivity)
    full_sensitivity[alive] = sensitivity
    return CoilWeights(weights=full, sensitivity=full_sensitivity, noise_covariance=covariance)


def _noise_covariance(data: MRSData) -> Array:
    """Return the covariance of the noise over coils, shape (n_coils, n_coils).

    Few samples make a poor matrix: it is drawn towards its diagonal by n_coils / n_samples.
    """
    samples = np.moveaxis(noise_samples(data), data.axis("coil"), 0)
    repeated = samples.reshape(samples.shape[0], -1, samples.shape[-1])
    rows = repeated[:, data.mask.ravel()].reshape(samples.shape[0], -1)
    covariance = rows @ rows.conj().T / rows.shape[1]
    diagonal = np.diag(np.diag(covariance))
    part = min(1.0, rows.shape[0] / rows.shape[1]) + 1e-9
    return np.asarray((1.0 - part) * covariance + part * diagonal)


def _by_coil(data: MRSData) -> Array:
    """Return the mean FID of each coil over what is valid, shape (n_coils, n_points)."""
    axis = data.axis("coil")
    fids = np.moveaxis(np.asarray(data.fid), axis, 0)
    flat = fids.reshape(fids.shape[0], -1, data.n_points)
    valid = data.mask.ravel() if data.mask_dims else np.ones(1, bool)
    if not valid.any():
        raise InvalidInputError(
            "every FID of the reference is masked: there is nothing to take coil weights from."
        )
    mean: Array = flat[:, valid].mean(axis=1, dtype=complex)
    return mean
