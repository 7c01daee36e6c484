r"""Linewidths made the same over time, on purpose.

A drug that narrows lines changes every estimate that does not model it. The default in mrsproc is
to model it in the fit; where a fit cannot, each transient is broadened to the widest one,
:math:`y(t) \to y(t) e^{-\pi \Delta t}`, and gets noise of variance
:math:`\sigma^2 (1 - e^{-2 \pi \Delta t})`, which makes its noise white and of the same size as
before.
"""

import numpy as np
from numpy.typing import ArrayLike

from mrsproc.data import MRSData, Step
from mrsproc.errors import InvalidInputError
from mrsproc.qc.noise import noise_sd


def match_linewidth(
    data: MRSData,
    linewidth_hz: ArrayLike,
    *,
    target_hz: float | None = None,
    rng: np.random.Generator | int | None = None,
) -> MRSData:
    """Broaden each transient to a common linewidth, and renew the noise that this takes.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"), aligned, residual water removed.
    linewidth_hz : array_like, shape (n_transients,)
        Lorentzian width of each transient [Hz], up to a constant; smooth over time, for example
        a running mean of `Rejection.extra_linewidth_hz`: its noise would end in the data.
    target_hz : float, optional
        Width of all afterwards [Hz]; the widest valid one when not given.
    rng : Generator, int or None, optional
        Source of the noise.

    Returns
    -------
    MRSData
        Transients of one linewidth; SNR is lower where lines were narrow.

    Raises
    ------
    InvalidInputError
        Widths that do not fit or are not finite, or a target below the widest.
    """
    if data.dims != ("transient", "time"):
        raise InvalidInputError(f"dims = {data.dims}: matching wants ('transient', 'time').")
    width = np.asarray(linewidth_hz, float)
    if width.shape != data.mask.shape or not np.isfinite(width[data.mask]).all():
        raise InvalidInputError(
            f"linewidth_hz of shape {width.shape}: give one finite width in Hz for each of the "
            f"{data.mask.size} transients."
        )
    if not data.mask.any():
        raise InvalidInputError("every transient is masked: there is no linewidth to match.")
    widest = float(width[data.mask].max())
    target = widest if target_hz is None else float(target_hz)
    if target < widest - 1e-9:
        raise InvalidInputError(
            f"target_hz = {target:g}: lines can be broadened only, to {widest:g} Hz or more."
        )
    generator = np.random.default_rng(rng)
    missing = np.where(data.mask, target - width, 0.0)
    decay = np.exp(-np.pi * missing[:, None] * data.time)
    sd = np.nan_to_num(noise_sd(data))[:, None] * np.sqrt(1.0 - decay**2)
    noise = generator.normal(size=decay.shape) + 1j * generator.normal(size=decay.shape)
    return data.with_fid(
        (data.fid * decay + sd * noise).astype(data.fid.dtype),
        Step("Apodization", f"match_linewidth: up to {missing.max():.4g} Hz, noise renewed"),
    )
