r"""Algebra of columns that are products of a time course and a spectrum.

Every derivative of the model of a session is a sum of elementary columns :math:`\tau \otimes E`: a
time course over transients times a spectrum. Their products separate,

.. math::

    (\tau \otimes E)^T (\Omega \otimes W) (\tau' \otimes E')
        = (\tau^T \Omega \tau') \, (E^T W E'),

so that the information matrix of a whole session costs what two small matrices cost, whatever the
number of transients.
"""

from dataclasses import dataclass

import numpy as np

from mrsproc.axes import Array


@dataclass(frozen=True, eq=False)
class Columns:
    """Derivatives of a model, as sums of elementary columns.

    Parameters
    ----------
    time : ndarray of int, shape (n_elements,)
        Index of the time course of each elementary column.
    spectrum : ndarray of int, shape (n_elements,)
        Index of its spectrum.
    parameter : ndarray of int, shape (n_elements,)
        Index of the parameter that it belongs to.
    """

    time: Array
    spectrum: Array
    parameter: Array

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return int(self.parameter.max()) + 1 if self.parameter.size else 0

    def gram(self, over_time: Array, over_spectrum: Array) -> Array:
        """Return the products of all derivatives.

        Parameters
        ----------
        over_time : ndarray, shape (n_times, n_times)
            Weighted products of the time courses.
        over_spectrum : ndarray, shape (n_spectra, n_spectra)
            Weighted products of the spectra.

        Returns
        -------
        ndarray, shape (n_parameters, n_parameters)
            Their products.
        """
        elements = over_time[self.time[:, None], self.time]
        elements = elements * over_spectrum[self.spectrum[:, None], self.spectrum]
        return self._summed(self._summed(elements).T)

    def moments(self, products: Array) -> Array:
        """Return the products of the derivatives with data.

        Parameters
        ----------
        products : ndarray, shape (n_times, n_spectra)
            Products of data with every time course and every spectrum.

        Returns
        -------
        ndarray, shape (n_parameters,)
            A number for each parameter.
        """
        return self._summed(products[self.time, self.spectrum])

    def scores(self, courses: Array, products: Array) -> Array:
        """Return what each transient adds to `moments`.

        Parameters
        ----------
        courses : ndarray, shape (n, n_times)
            Time courses, weighted.
        products : ndarray, shape (n, n_spectra)
            Products of the data of each transient with every spectrum.

        Returns
        -------
        ndarray, shape (n, n_parameters)
            A row for each transient.
        """
        return self._summed((courses[:, self.time] * products[:, self.spectrum]).T).T

    def along(self, step: Array, n_times: int, over_spectrum: Array) -> Array:
        """Return the change of the model along some spectra when the parameters take a step.

        Parameters
        ----------
        step : ndarray, shape (n_parameters,)
            Change of the parameters.
        n_times : int
            Number of time courses.
        over_spectrum : ndarray, shape (n_spectra, q)
            Products of every spectrum with those looked at.

        Returns
        -------
        ndarray, shape (n_times, q)
            Coefficients of the time courses.
        """
        result = np.zeros((n_times, over_spectrum.shape[1]))
        np.add.at(result, self.time, step[self.parameter, None] * over_spectrum[self.spectrum])
        return result

    def _summed(self, elements: Array) -> Array:
        total = np.zeros((self.n_parameters, *elements.shape[1:]))
        np.add.at(total, self.parameter, elements)
        return total
