r"""Joint fit of all transients of a session: model, derivatives, minimisation.

Transient n, turned back by its own frequency and phase, is in the window of the fit

.. math::

    \Re\{e^{i \phi_1 (p - p_0)} \mathcal F[y_n e^{i (2 \pi f_n t + \varphi_n)}]\}
        = s_n \Bigl( \sum_l a_l(t_n) \, \Re S_l(\nu_l, \gamma_l + \delta_n, g)
          + \text{baseline} \Bigr) + \text{noise and water of this transient},

with shifts, widths and baseline shared, a gain :math:`s_n` where one is asked for, and amplitudes
:math:`a_l(t_n) = \sum_k T_{nk} c_{lk}` that are linear in their coefficients. The change of
linewidth :math:`\delta_n = \sum_j h_j(t_n) g_j` acts to second order,
:math:`S(\gamma + \delta) = S + \delta S' + \delta^2 S'' / 2`, which for the tenths of a Hz that
drugs cause is exact to 1e-4. So the model is a sum of products of time courses and spectra
(`kronecker`), and its linear part is solved in the small space.

Coefficients and baseline follow by least squares at every step (variable projection, Golub 2003,
10.1088/0266-5611/19/2/201), non-negative where they must be; frequency and phase of each transient
are eliminated by a Schur complement, which takes two directions out of the weights of every
transient (`nuisance`). A step costs one Fourier transform for each transient. Why spectra and time
belong into one fit: Tal 2023 (Magn Reson Med 89, 499-507), Clarke 2024 (10.1002/mrm.30001).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.dynamics.kronecker import Columns
from mrsproc.dynamics.nuisance import Water
from mrsproc.fitting.band import BandModel
from mrsproc.fitting.baseline import Baseline
from mrsproc.fitting.priors import ShapePrior
from mrsproc.numerics.exponentials import exponentials
from mrsproc.numerics.nonnegative import nonnegative_least_squares

_BLOCK: Final = 128


@dataclass(frozen=True, eq=False)
class Session:
    """Data and weights of a joint fit.

    Parameters
    ----------
    fid : ndarray of complex, shape (n, n_points)
        FIDs of the transients that take part, first point whole.
    dwell_time : float
        Their sampling interval [s].
    band : BandModel
        Grids and signals; the band holds the range of the fit and that of water.
    inside : slice
        Points of the band that are fitted.
    baseline : Baseline
        Spline space.
    stiffness : float
        Stiffness of the baseline.
    nodes : ndarray
        Stiffnesses of equal probability that stand for all likely ones.
    prior : ShapePrior
        Prior of the shape parameters.
    ratio_precision : ndarray, shape (n_basis, n_basis)
        Precision of the ratio priors on the amplitudes at rest.
    volume_slope : ndarray, shape (p,)
        Slope of the logarithm of the volume of the amplitudes (`fitting.solve`).
    weight : ndarray, shape (n,)
        Inverse variance of the noise of the real spectrum of each transient.
    misfit : float
        Variance of what no transient fits, the same in all, as a part of the variance of the mean:
        0 where the mean spectrum leaves nothing but noise.
    curves : ndarray, shape (q, m)
        Directions that are random in each transient.
    shrinkage : ndarray, shape (q,)
        Part of them that is taken out.
    water : Water
        Where water lines stand, and how their tails follow from them.
    """

    fid: Array
    dwell_time: float
    band: BandModel
    inside: slice
    baseline: Baseline
    stiffness: float
    nodes: Array
    prior: ShapePrior
    ratio_precision: Array
    volume_slope: Array
    weight: Array
    misfit: float
    curves: Array
    shrinkage: Array
    water: Water

    @property
    def n_basis(self) -> int:
        """Number of signals."""
        return int(self.band.fid.shape[0])

    def weighted(self, courses: Array) -> Array:
        """Return values over transients times their weights, the common misfit taken out."""
        scaled = courses * self.weight.reshape(-1, *[1] * (courses.ndim - 1))
        if self.misfit == 0.0:
            return np.asarray(scaled)
        part = self.misfit / (1.0 + self.misfit) / self.weight.sum()
        common = part * scaled.sum(axis=0)
        return np.asarray(scaled - self.weight.reshape(-1, *[1] * (courses.ndim - 1)) * common)

    def without_water(self, spectra: Array) -> Array:
        """Return W times real spectra, shape (..., m)."""
        return np.asarray(spectra - ((spectra @ self.curves.T) * self.shrinkage) @ self.curves)

    @property
    def baseline_precision(self) -> Array:
        """Precision of the coefficients of the baseline."""
        whole = self.weight.sum() / (1.0 + self.misfit)
        return np.asarray(self.stiffness * self.baseline.roughness * whole)

    @property
    def ramp(self) -> Array:
        """Chemical shift minus the pivot of the first-order phase [ppm], over the band."""
        return np.asarray(self.band.ppm - self.band.ppm[self.inside].mean())

    def seen(self, spectra: Array) -> Array:
        """Return real spectra in the range of the fit, the tail of water taken off.

        Data and model go the same way, so that signals near water do no harm.

        Parameters
        ----------
        spectra : ndarray, shape (..., n_band)
            Over the band.

        Returns
        -------
        ndarray, shape (..., m)
            Over the range of the fit.
        """
        tail = spectra[..., self.water.line] @ self.water.tail
        return np.asarray(spectra[..., self.inside] - tail)

    def turned(self, local: Array, phase1: float) -> Array:
        """Return the real spectra of all transients, turned back.

        Parameters
        ----------
        local : ndarray, shape (n, 2)
            Frequency [Hz] and phase [rad] that are added to each transient.
        phase1 : float
            First-order phase [rad/ppm].

        Returns
        -------
        ndarray, shape (n, m)
            As `seen`.
        """
        first_order = np.exp(1j * phase1 * self.ramp)
        result = np.empty((len(self.fid), self.inside.stop - self.inside.start))
        for start in range(0, len(self.fid), _BLOCK):
            rows = slice(start, start + _BLOCK)
            turn = exponentials(2j * np.pi * local[rows, 0], self.dwell_time, self.fid.shape[1])
            turn *= np.exp(1j * local[rows, 1:])
            spectra = self.band.of_data(self.fid[rows] * turn)
            result[rows] = self.seen((spectra * first_order).real)
        return result


@dataclass(frozen=True, eq=False)
class Model:
    """What is asked of a session: which amplitude follows which time courses.

    Parameters
    ----------
    signal, column : ndarray of int, shape (n_terms,)
        Signal and time course of each coefficient; signals from `n_basis` on are mixtures.
    mixtures : ndarray, shape (n_mixtures, n_basis)
        Weights of signals that share a coefficient.
    nonnegative : ndarray of bool, shape (n_terms,)
        Which coefficients must not be negative.
    at_rest : ndarray, shape (n_basis, n_terms)
        Amplitude at rest as a weighted sum of coefficients.
    courses : callable
        Time courses, shape (n, n_columns), and their slopes, shape (n_unknowns, n, n_columns), at
        given unknowns.
    bounds : ndarray, shape (n_unknowns, 2)
        Limits of the unknowns of the time courses.
    width : ndarray, shape (n, n_widths)
        Time courses of the linewidth [Hz], of zero mean.
    gain : ndarray, shape (n, n_gains)
        Time courses of the signal scale, of zero mean.
    gain_precision : ndarray, shape (n_gains,)
        Precision of their coefficients.
    penalty : ndarray, shape (n_terms, n_terms)
        Precision of the coefficients.
    """

    signal: Array
    column: Array
    mixtures: Array
    nonnegative: Array
    at_rest: Array
    courses: Callable[[Array], tuple[Array, Array]]
    bounds: Array
    width: Array
    gain: Array
    gain_precision: Array
    penalty: Array

    @property
    def n_terms(self) -> int:
        """Number of coefficients of amplitudes."""
        return int(self.signal.size)

    def shared_out(self, terms: Array) -> Array:
        """Return the amplitudes of signals, shape (..., n_basis), of terms (..., n_terms)."""
        n = self.at_rest.shape[0]
        total = np.zeros((n + len(self.mixtures), *terms.shape[:-1]))
        np.add.at(total, self.signal, np.moveaxis(terms, -1, 0))
        return np.asarray(
            np.moveaxis(total[:n] + np.tensordot(self.mixtures.T, total[n:], 1), 0, -1)
        )

    def sources(self, spectra: Array) -> Array:
        """Return the spectra of signals and mixtures, given those of signals, (n_basis, m)."""
        return np.vstack([spectra, self.mixtures @ spectra])

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of parameters of linewidth, of gain, of time courses."""
        return self.width.shape[1], self.gain.shape[1], len(self.bounds)


@dataclass(eq=False)
class Point:
    """The model at given parameters, coefficients and baseline fitted.

    Attributes
    ----------
    theta : ndarray, shape (3 + 2 n_basis,)
        Shape as in `fitting.solve`; the phase of order zero is local and 0 here.
    width, gain, unknowns : ndarray
        Parameters of linewidth over time, of the signal scale, and of the time courses.
    local : ndarray, shape (n, 2)
        Frequency [Hz] and phase [rad] added to each transient.
    coefficient : ndarray, shape (n_terms,)
        Coefficients of the amplitudes, in the scale of `band`.
    passive : ndarray of bool, shape (n_terms,)
        Which are not held at zero.
    smooth : ndarray
        Coefficients of the baseline.
    cost : float
        Chi-squared with all priors.
    fid : ndarray of complex
        Decayed band-limited FIDs.
    courses, slopes : ndarray
        Time courses, and their slopes after the unknowns.
    amplitude : ndarray, shape (n, n_basis)
        Amplitudes with gain.
    powers : ndarray, shape (order + 1, n)
        1, change of linewidth, half its square.
    spectra : ndarray, shape (order + 1, n_basis, m)
        Signals and their derivatives after the linewidth.
    residual : ndarray, shape (n, m)
        What is left.
    """

    theta: Array
    width: Array
    gain: Array
    unknowns: Array
    local: Array
    coefficient: Array = field(default_factory=lambda: np.zeros(0))
    passive: Array = field(default_factory=lambda: np.zeros(0, bool))
    smooth: Array = field(default_factory=lambda: np.zeros(0))
    cost: float = np.inf
    fid: Array = field(default_factory=lambda: np.zeros(0))
    courses: Array = field(default_factory=lambda: np.zeros(0))
    slopes: Array = field(default_factory=lambda: np.zeros(0))
    amplitude: Array = field(default_factory=lambda: np.zeros(0))
    powers: Array = field(default_factory=lambda: np.zeros(0))
    spectra: Array = field(default_factory=lambda: np.zeros(0))
    residual: Array = field(default_factory=lambda: np.zeros(0))


def evaluate(session: Session, model: Model, point: Point) -> Point:
    """Fit coefficients and baseline at given parameters, and fill in what follows from them.

    Parameters
    ----------
    session, model
        What is fitted.
    point : Point
        Its parameters are read, with `passive` as a start; the rest is filled in.

    Returns
    -------
    Point
        The same object.
    """
    theta, n = point.theta, session.n_basis
    point.fid = session.band.decayed(theta[3 : 3 + n], theta[3 + n :], float(np.exp(theta[2])))
    change = model.width @ point.width
    order = 2 if change.any() else 0
    point.powers = np.array([np.ones_like(change), change, 0.5 * change**2])[: order + 1]
    point.spectra = np.array(
        [
            session.seen(session.band.spectra(broadened(session, point.fid, k)).real)
            for k in range(order + 1)
        ]
    )
    point.courses, point.slopes = model.courses(point.unknowns)
    gain = 1.0 + model.gain @ point.gain
    data = session.turned(point.local, theta[1])
    _fit_linear(session, model, point, data, gain)
    point.amplitude = amplitudes(model, point) * gain[:, None]
    smooth = np.outer(gain, point.smooth @ session.baseline.q)
    point.residual = data - smooth - modelled(point, point.amplitude)
    point.cost = _squares(session, point.residual) + _penalties(session, model, point)
    return point


def amplitudes(model: Model, point: Point) -> Array:
    """Return the amplitude of every signal in every transient, without gain, in `band`'s scale."""
    return model.shared_out(point.courses[:, model.column] * point.coefficient)


def broadened(session: Session, fid: Array, order: int) -> Array:
    """Return the derivative of FIDs after the Lorentzian width."""
    return fid if order == 0 else fid * (-np.pi * session.band.time) ** order


def modelled(point: Point, amplitude: Array) -> Array:
    """Return the signals of given amplitudes, shape (n, m)."""
    stacked = np.hstack([amplitude * power[:, None] for power in point.powers])
    return np.asarray(stacked @ np.vstack(list(point.spectra)))


def _squares(session: Session, residual: Array) -> float:
    return float(np.vdot(session.weighted(residual), session.without_water(residual)))


def _penalties(session: Session, model: Model, point: Point) -> float:
    rest = model.at_rest @ point.coefficient
    return float(
        session.baseline_precision @ point.smooth**2
        + point.coefficient @ model.penalty @ point.coefficient
        + rest @ session.ratio_precision @ rest
        + session.prior.cost(point.theta)
        + model.gain_precision @ point.gain**2
        + session.volume_slope @ point.theta
    )


def linear_precision(session: Session, model: Model) -> Array:
    """Return the precision of coefficients and baseline from priors."""
    k = model.n_terms
    precision = np.diag(np.r_[np.zeros(k), session.baseline_precision])
    precision[:k, :k] = model.penalty + model.at_rest.T @ session.ratio_precision @ model.at_rest
    return precision


def linear_columns(model: Model, n_powers: int, n_smooth: int) -> Columns:
    """Return the columns of coefficients and baseline.

    Time courses are those of the model, one set for each power, then the gain; spectra are the
    signals and mixtures, one set for each power, then the functions of the baseline.
    """
    sources = sum(model.mixtures.shape)
    k, width = model.n_terms, int(model.column.max()) + 1
    powers = np.repeat(np.arange(n_powers), k)
    smooth = np.arange(n_smooth)
    return Columns(
        time=np.r_[np.tile(model.column, n_powers) + powers * width, n_powers * width + 0 * smooth],
        spectrum=np.r_[
            np.tile(model.signal, n_powers) + powers * sources, n_powers * sources + smooth
        ],
        parameter=np.r_[np.tile(np.arange(k), n_powers), k + smooth],
    )


def _fit_linear(session: Session, model: Model, point: Point, data: Array, gain: Array) -> None:
    """Fit the coefficients of amplitudes and baseline."""
    q = session.baseline.q
    columns = linear_columns(model, len(point.powers), len(q))
    scaled = point.courses * gain[:, None]
    times = np.hstack([*(scaled * power[:, None] for power in point.powers), gain[:, None]])
    spectra = np.vstack([*(model.sources(curves) for curves in point.spectra), q])
    weighted = session.without_water(spectra)
    heavy = session.weighted(times)
    normal = columns.gram(heavy.T @ times, weighted @ spectra.T)
    normal += linear_precision(session, model)
    moment = columns.moments((heavy.T @ data) @ weighted.T)
    bounded = np.r_[model.nonnegative, np.zeros(len(q), bool)]
    solution = np.zeros(moment.size)
    solution[bounded], passive = _bounded_part(
        normal, moment, bounded, point.passive[model.nonnegative]
    )
    solution[~bounded] = np.linalg.solve(
        normal[np.ix_(~bounded, ~bounded)],
        moment[~bounded] - normal[np.ix_(~bounded, bounded)] @ solution[bounded],
    )
    point.passive = np.ones(model.n_terms, bool)
    point.passive[model.nonnegative] = passive
    point.coefficient, point.smooth = solution[: model.n_terms], solution[model.n_terms :]


def _bounded_part(
    normal: Array, moment: Array, bounded: Array, passive: Array
) -> tuple[Array, Array]:
    """Return the non-negative ones among the unknowns of least squares, the others eliminated."""
    if not bounded.any():
        return np.zeros(0), passive
    free = ~bounded
    across = np.linalg.solve(
        normal[np.ix_(free, free)], np.column_stack([normal[np.ix_(free, bounded)], moment[free]])
    )
    reduced = normal[np.ix_(bounded, bounded)] - normal[np.ix_(bounded, free)] @ across[:, :-1]
    return nonnegative_least_squares(
        0.5 * (reduced + reduced.T),
        moment[bounded] - normal[np.ix_(bounded, free)] @ across[:, -1],
        passive,
    )
