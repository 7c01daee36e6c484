r"""The FID of a few lines, and its derivatives.

.. math:: x(t) = e^{i \phi_0} \sum_k a_k \,
          e^{i \phi_k + 2 \pi i f_k \tau - \pi L_k \tau - (\pi G_k \tau)^2 / (4 \ln 2)},
          \qquad \tau = t + t_0

with amplitudes :math:`a_k`, frequencies :math:`f_k = (\delta_0 - \delta_k) \nu` of chemical shifts
:math:`\delta_k` at the Larmor frequency :math:`\nu`, Lorentzian and Gaussian widths :math:`L_k` and
:math:`G_k` (FWHM), relative phases :math:`\phi_k`, a common phase :math:`\phi_0` and the time from
the middle of the excitation to the first point, :math:`t_0` (Vanhamme 1997,
10.1006/jmre.1997.1244).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.data import Acquisition
from mrsproc.lineshape import GAUSS_RATE

OF_A_PEAK: Final = ("amplitude", "ppm", "lorentz_hz", "gauss_hz", "phase_deg")
"""Parameters of each peak; their names are those of the peak, an underscore and one of these."""
COMMON: Final = ("phase0_deg", "begin_time_s")
"""Parameters of all peaks together."""
_RADIANS: Final = np.pi / 180.0


class Lines(NamedTuple):
    """Where and when lines are sampled."""

    names: tuple[str, ...]
    """Names of the peaks."""
    acquisition: Acquisition
    """Larmor frequency and ppm reference."""
    time: Array
    """Times of the points [s]."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters of the model, in the order of the Jacobian."""
        own = (f"{name}_{quantity}" for name in self.names for quantity in OF_A_PEAK)
        return (*own, *COMMON)

    def signals(self, value: Mapping[str, float]) -> Array:
        """Return the FID of every line, shape (n_peaks, n_points).

        Parameters
        ----------
        value : mapping of str to float
            Every parameter of the model.

        Returns
        -------
        ndarray of complex
            Their sum is the model.
        """
        amplitude, ppm, lorentz, gauss, phase = self._table(value)
        tau = self.time + value["begin_time_s"]
        hertz = axes.ppm_to_hz(
            ppm, self.acquisition.spectrometer_frequency, self.acquisition.ppm_reference
        )
        turned = (phase + value["phase0_deg"]) * _RADIANS
        exponent = np.multiply.outer(2j * np.pi * hertz - np.pi * lorentz, tau)
        exponent -= np.multiply.outer(GAUSS_RATE * gauss**2, tau**2)
        return np.asarray((amplitude * np.exp(1j * turned))[:, None] * np.exp(exponent))

    def jacobian(self, value: Mapping[str, float]) -> Array:
        """Return the derivatives of the model with respect to `parameters`.

        Parameters
        ----------
        value : mapping of str to float
            Every parameter of the model.

        Returns
        -------
        ndarray of complex, shape (n_points, n_parameters)
            One column a parameter.
        """
        _, ppm, lorentz, gauss, _ = self._table(value)
        units = {f"{name}_amplitude": 1.0 for name in self.names}
        unit = self.signals({**value, **units})
        signal = self.signals(value)
        tau = self.time + value["begin_time_s"]
        hertz = axes.ppm_to_hz(
            ppm, self.acquisition.spectrometer_frequency, self.acquisition.ppm_reference
        )
        rate = (2j * np.pi * hertz - np.pi * lorentz)[:, None]
        own = np.stack(
            [
                unit,
                -2j * np.pi * self.acquisition.spectrometer_frequency * tau * signal,
                -np.pi * tau * signal,
                -2.0 * GAUSS_RATE * gauss[:, None] * tau**2 * signal,
                1j * _RADIANS * signal,
            ],
            axis=1,
        ).reshape(-1, self.time.size)
        slope = rate - 2.0 * GAUSS_RATE * gauss[:, None] ** 2 * tau
        common = np.stack([1j * _RADIANS * signal.sum(axis=0), (slope * signal).sum(axis=0)])
        return np.asarray(np.concatenate([own, common]).T)

    def _table(self, value: Mapping[str, float]) -> Array:
        """Return the parameters of the peaks, shape (5, n_peaks)."""
        return np.array(
            [[value[f"{name}_{quantity}"] for name in self.names] for quantity in OF_A_PEAK]
        )
