r"""Least squares of single transients against a template, with residual water of their own.

In the window of the comparison the spectrum of transient n, turned back by the frequency and phase
found so far, is

.. math::

   Y_n(\nu) = g_n e^{-i \delta\phi_n} T(\nu + \delta f_n) + \sum_k c_{nk} \Lambda(\nu; r_{nk}) +
   \epsilon_n(\nu)

with the template T, where it is wanted broader or narrower by a Lorentzian width, gain g, and a few
damped exponentials of complex rate r and amplitude c for residual water, whose exact sampled
spectrum is :math:`\Lambda`. Water of random phase reaches far into the metabolites: taken off
beforehand it takes some of them with it, left alone it pulls their phase; fitted together with the
template it costs a tenth of the precision. All unknowns are found together by Gauss-Newton steps
with exact derivatives, for all transients at once. Points whose residual varies more than the noise
from one transient to the next (unstable lipids or water) count less (after Mikkelsen 2020,
10.1002/mrm.28027).
"""

import dataclasses
from typing import Final, NamedTuple, Self

import numpy as np

from mrsproc import axes
from mrsproc.axes import Array
from mrsproc.data import MRSData
from mrsproc.errors import InvalidInputError
from mrsproc.numerics.hsvd import line_spectra, lines_in_band

_STEPS: Final = 3
_LEAST_POINTS: Final = 8  # of the spectrum that can be compared
_RANK: Final = 24  # of a template
_NOISE_EDGE: Final = 0.5  # of what noise can reach: weak lines help sooner than they harm
_LEAST_NOISE: Final = 1e-3  # of the tallest line: templates are not more exact than that
_MAX_STEP_HZ: Final = 1.5
_MAX_STEP_RAD: Final = 0.6
_MAX_RATE_STEP: Final = 2.0 * np.pi * 4.0  # of a water line [1/s]
_RATE_SD: Final = 2.0 * np.pi * 3.0  # how far a step may take the rate of a weak water line [1/s]
_GAINS: Final = (0.05, 20.0)
_MAX_WIDTH_HZ: Final = 15.0  # that a transient may differ from the template
_WIDTHS: Final = (2.0, 40.0)  # of water lines [Hz]
_UNDERDETERMINED: Final = 1e-9  # part of the largest curvature below which a direction is unknown


class Window(NamedTuple):
    """Points of the spectrum that are compared."""

    points: Array
    """Indices into the spectrum."""
    frequency: Array
    """Their frequencies [Hz]."""

    @classmethod
    def of(cls, data: MRSData, ppm: tuple[float, float]) -> Self:
        """Return the points of a range of chemical shifts [ppm]."""
        points = np.flatnonzero((data.ppm >= min(ppm)) & (data.ppm <= max(ppm)))
        if points.size < _LEAST_POINTS:
            raise InvalidInputError(
                f"ppm = {ppm}: the spectra hold {points.size} points there; choose a wider range "
                f"inside {data.ppm.min():.1f} to {data.ppm.max():.1f} ppm."
            )
        return cls(points, data.frequency[points])


@dataclasses.dataclass(eq=False)
class State:
    """What is known of each transient; arrays over transients first."""

    frequency: Array
    """Frequency [Hz], positive towards higher ppm."""
    phase: Array
    """Phase [rad]; the FID is the template times ``exp(-1j * (2 pi frequency t + phase))``."""
    gain: Array
    """Size relative to the template."""
    width: Array
    """Extra Lorentzian width of the template [Hz]."""
    rate: Array
    """Complex rates of water lines [1/s] in the frame of the recording, shape (n, k)."""
    water: Array
    """Their complex amplitudes, zero for a line that is not there, shape (n, k)."""

    @classmethod
    def at_rest(cls, n: int, n_lines: int = 0) -> Self:
        """Return n transients that equal the template, without water."""
        rate = np.full((n, n_lines), -np.pi * 10.0, complex)
        zero = np.zeros(n)
        return cls(zero, zero, np.ones(n), zero, rate, np.zeros((n, n_lines), complex))

    def turn(self, time: Array) -> Array:
        """Return what takes frequency and phase off, shape (n, n_points)."""
        return np.asarray(
            np.exp(1j * (2.0 * np.pi * self.frequency[:, None] * time + self.phase[:, None]))
        )

    def water_fid(self, time: Array) -> Array:
        """Return the residual water of each transient, shape (n, n_points)."""
        fid = np.zeros((self.phase.size, time.size), complex)
        for k in range(self.rate.shape[1]):
            fid += self.water[:, k, None] * np.exp(self.rate[:, k, None] * time)
        return fid


class Registered(NamedTuple):
    """What a registration found beside the state."""

    variance: Array
    """Mean square of the weighted residual, in units of the noise of a complex point, (n,)."""
    sd: Array
    """SDs of gain, phase [rad], frequency [Hz] and width [Hz] for noise of 1, shape (n, 4)."""
    residual: Array
    """Residual spectra in the window, in the frame of the template, shape (n, n_window)."""


class Registration:
    """Transients, the window and the noise, ready to be compared with templates.

    Parameters
    ----------
    fid : ndarray of complex, shape (n, n_points)
        Transients; finite.
    data : MRSData
        For the axes.
    window : Window
        What is compared.
    noise : float
        SD of the real part of a point of the spectra; a thousandth of the tallest line at least.
    widths : bool, default False
        Whether each transient has a width of its own.
    """

    def __init__(
        self, fid: Array, data: MRSData, window: Window, noise: float, *, widths: bool = False
    ) -> None:
        self.widths = widths
        self.fid, self.time, self.window = fid, data.time, window
        self.dwell_time = data.acquisition.dwell_time
        tallest = np.abs(axes.fid_to_spectrum(fid)[:, window.points]).max(axis=1)
        self.noise = max(noise, _LEAST_NOISE * float(np.median(tallest)))
        self.weight = np.ones(window.points.size)
        self.common = np.zeros(window.points.size, complex)

    def spectra(self, state: State) -> Array:
        """Return the spectra in the window, turned back by what was found."""
        turned = axes.fid_to_spectrum(self.fid * state.turn(self.time))
        return np.asarray(turned[:, self.window.points])

    def denoised_mean(self, fid: Array, band: tuple[float, float]) -> Array:
        """Return the mean of FIDs as the few damped exponentials that stand out from its noise.

        Parameters
        ----------
        fid : ndarray of complex, shape (n, n_points)
            Aligned transients.
        band : tuple of float
            Where the exponentials are looked for [Hz].

        Returns
        -------
        ndarray of complex, shape (n_points,)
            A template whose noise does not attract that of the transients.
        """
        noise = _NOISE_EDGE * np.sqrt(2.0 / len(fid)) * self.noise
        lines = lines_in_band(fid.mean(axis=0), self.dwell_time, band, _RANK, noise)
        return lines.fid(self.time)

    def _template(self, state: State, template: Array) -> Array:
        """Return the template and its derivatives over frequency and width, (3, n or 1, window)."""
        broad = template[None]
        if self.widths:
            broad = template * np.exp(-np.pi * state.width[:, None] * self.time)
        three = [broad, -2j * np.pi * self.time * broad]
        three.append(-np.pi * self.time * broad if self.widths else np.zeros_like(broad))
        return axes.fid_to_spectrum(np.stack(three))[..., self.window.points]

    def refine(self, state: State, template: Array) -> Registered:
        """Take a few Gauss-Newton steps, which change the state, and return what they leave."""
        for _ in range(_STEPS):
            self._step(state, template)
        return self._result(state, template)

    def learn(self, residual: Array) -> Array:
        """Take from residuals of good transients what they have in common, and how they vary.

        The common part is what the few exponentials of a template cannot follow; it counts as
        part of the model from now on. Points that vary more than the noise count less.

        Parameters
        ----------
        residual : ndarray, shape (n_good, n_window)
            Residuals of good transients.

        Returns
        -------
        ndarray, shape (n_window,)
            The common part, to be taken off residuals that were found before.
        """
        common = np.asarray(residual.mean(axis=0))
        self.common = self.common + common
        size = np.median(np.abs(residual - common) ** 2, axis=0) / np.log(2.0)
        near = np.convolve(np.pad(size, 2, mode="edge"), np.full(5, 0.2), mode="valid")
        self.weight = 1.0 / np.maximum(near / (2.0 * self.noise**2), 1.0)
        return common

    def centre(self, state: State, template: Array, good: Array) -> None:
        """Make the mean of the good transients the model, and put sizes and widths at rest.

        Where the few exponentials of a template are broader or narrower than the mean, sizes and
        widths of all transients would make up for it.
        """
        state.gain, state.width = np.ones_like(state.gain), np.zeros_like(state.width)
        self.common = np.zeros_like(self.common)
        self.learn(self._result(state, template).residual[good])

    def variance(self, residual: Array) -> Array:
        """Return the weighted mean square of residuals, in units of the noise, shape (n,)."""
        square = (np.abs(residual) ** 2 * self.weight).sum(axis=1) / self.weight.sum()
        return np.asarray(square / (2.0 * self.noise**2))

    def start_line(self, state: State, k: int, residual: Array) -> None:
        """Give a line of known rates the amplitudes that explain most of a residual."""
        lines, _ = self._lines(state)
        line = lines[:, k]
        amplitude = (line.conj() * residual).sum(axis=1) / (np.abs(line) ** 2).sum(axis=1)
        state.water[:, k] = amplitude * np.exp(-1j * state.phase)
        self.weight = np.ones_like(self.weight)

    def _lines(self, state: State) -> tuple[Array, Array]:
        """Return spectra of unit water lines and their slopes over the rate, (n, k, n_window)."""
        moved = state.rate + 2j * np.pi * state.frequency[:, None]
        return line_spectra(moved, self.window.frequency, self.dwell_time, self.time.size)

    def _equations(self, state: State, template: Array) -> tuple[Array, Array, Array]:
        """Return curvature and gradient, whitened by noise and weights, and the residual."""
        shape, over_frequency, over_width = self._template(state, template)
        lines, slopes = self._lines(state)
        gain, water = state.gain[:, None], state.water * np.exp(1j * state.phase[:, None])
        full = (gain.size, shape.shape[1])
        parts = [np.broadcast_to(shape, full), -1j * gain * shape, gain * over_frequency,
                 gain * over_width]  # fmt: skip
        for k in range(state.rate.shape[1]):
            line = lines[:, k] * (state.water[:, k, None] != 0.0)
            slope = slopes[:, k] * water[:, k, None]
            parts += [line, 1j * line, slope, 1j * slope]
        model = gain * shape + np.einsum("nk,nkb->nb", water, lines) + self.common
        residual = self.spectra(state) - model
        root = np.sqrt(self.weight) / self.noise
        jacobian = np.stack(parts, axis=1) * root
        conjugate = jacobian.conj()
        curvature = (conjugate @ jacobian.swapaxes(1, 2)).real
        gradient = (conjugate @ (residual * root)[..., None]).real[..., 0]
        return curvature, gradient, residual

    def _step(self, state: State, template: Array) -> None:
        curvature, gradient, _ = self._equations(state, template)
        step = np.linalg.solve(self._damped(curvature, state), gradient[..., None])[..., 0]
        limits = np.array([np.inf, _MAX_STEP_RAD, _MAX_STEP_HZ, _MAX_STEP_HZ])
        gain, phase, frequency, width = np.clip(step[:, :4], -limits, limits).T
        state.gain = np.clip(state.gain + gain, *_GAINS)
        state.phase, state.frequency = state.phase + phase, state.frequency + frequency
        state.width = np.clip(state.width + width, -_MAX_WIDTH_HZ, _MAX_WIDTH_HZ)
        turned = np.exp(-1j * state.phase)
        for k in range(state.rate.shape[1]):
            change = step[:, 4 + 4 * k : 8 + 4 * k]
            state.water[:, k] += (change[:, 0] + 1j * change[:, 1]) * turned
            rate = change[:, 2] + 1j * change[:, 3]
            rate *= np.minimum(1.0, _MAX_RATE_STEP / np.maximum(np.abs(rate), 1e-9))
            moved = state.rate[:, k] + rate
            damping = np.clip(-moved.real, np.pi * _WIDTHS[0], np.pi * _WIDTHS[1])
            state.rate[:, k] = -damping + 1j * moved.imag

    def _damped(self, curvature: Array, state: State) -> Array:
        """Return the curvature with what keeps rates of weak lines where they are."""
        damped = curvature.copy()
        diagonal = np.einsum("nii->ni", damped)
        for k in range(state.rate.shape[1]):
            diagonal[:, 6 + 4 * k : 8 + 4 * k] += _RATE_SD**-2
        largest = diagonal.max(axis=1, keepdims=True)
        diagonal += np.where(diagonal < _UNDERDETERMINED * largest, largest, 0.0)
        return damped

    def _result(self, state: State, template: Array) -> Registered:
        curvature, _, residual = self._equations(state, template)
        covariance = np.linalg.inv(self._damped(curvature, state))
        sd = np.sqrt(np.maximum(np.einsum("nii->ni", covariance)[:, :4], 0.0)) / self.noise
        return Registered(self.variance(residual), sd, residual)
