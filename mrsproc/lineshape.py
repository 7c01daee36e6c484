r"""Decay of a FID under Lorentzian, Gaussian and Voigt broadening.

A full width at half maximum of :math:`\gamma` Hz is, in time,

.. math:: e^{-\pi \gamma t} \ \text{(Lorentz)}, \qquad
          e^{-(\pi \gamma t)^2 / (4 \ln 2)} \ \text{(Gauss)}, \qquad
          \text{their product (Voigt)}.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from mrsproc.axes import Array

GAUSS_RATE: Final = np.pi**2 / (4.0 * np.log(2.0))
"""A Gaussian line of FWHM w [Hz] decays as exp(-GAUSS_RATE * (w t)**2), t in s."""


def voigt_decay(time: ArrayLike, lorentz_fwhm: ArrayLike, gauss_fwhm: ArrayLike = 0.0) -> Array:
    """Return the decay of a Voigt line.

    Parameters
    ----------
    time : array_like
        Time [s].
    lorentz_fwhm, gauss_fwhm : array_like
        Full widths at half maximum [Hz], broadcast against `time`.

    Returns
    -------
    ndarray
        Real factor, 1 at time 0.

    Examples
    --------
    >>> float(voigt_decay(0.0, 3.0, 5.0))
    1.0
    """
    t = np.asarray(time)
    lorentz, gauss = np.asarray(lorentz_fwhm), np.asarray(gauss_fwhm)
    return np.asarray(np.exp(-np.pi * lorentz * t - GAUSS_RATE * (gauss * t) ** 2))


def voigt_fwhm(lorentz_fwhm: ArrayLike, gauss_fwhm: ArrayLike) -> Array:
    """Return the FWHM of a Voigt line in Hz, to 0.02 %.

    Parameters
    ----------
    lorentz_fwhm, gauss_fwhm : array_like
        Full widths at half maximum of the two factors [Hz].

    Returns
    -------
    ndarray
        Full width at half maximum [Hz].

    References
    ----------
    Olivero 1977, 10.1016/0022-4073(77)90161-3.

    Examples
    --------
    >>> round(float(voigt_fwhm(0.0, 4.0)), 3), round(float(voigt_fwhm(3.0, 0.0)), 3)
    (4.0, 3.0)
    """
    lorentz, gauss = np.asarray(lorentz_fwhm), np.asarray(gauss_fwhm)
    return np.asarray(0.5346 * lorentz + np.sqrt(0.2166 * lorentz**2 + gauss**2))
