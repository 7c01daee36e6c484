"""Minimisation of a joint fit: derivatives, Schur complement of the local parameters, steps."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.dynamics.kronecker import Columns
from mrsproc.dynamics.model import (
    Model,
    Point,
    Session,
    broadened,
    evaluate,
    linear_columns,
    linear_precision,
    modelled,
)
from mrsproc.lineshape import GAUSS_RATE

MAX_STEPS: Final = 30
_LOG_GAUSS: Final = (np.log(0.3), np.log(60.0))
_ENOUGH: Final = 1e-3  # of chi-squared: promised by a step of what is shared
_SLACK: Final = 0.1  # of chi-squared: by as much it differs how much noise a window holds
_ENOUGH_LOCAL: Final = 1e-3  # of chi-squared, for each transient: promised by its own step


@dataclass(frozen=True, eq=False)
class Linearised:
    """A session to first order around a point.

    Parameters
    ----------
    columns : Columns
        Derivatives after coefficients, baseline, and what is not linear, in this order.
    times : ndarray, shape (n, n_times)
        Time courses.
    spectra : ndarray, shape (n_spectra, m)
        Spectra.
    local : ndarray, shape (2, m)
        Derivatives after frequency and phase of a transient.
    information : ndarray
        Of the parameters, local ones eliminated, priors included.
    downhill : ndarray
        Minus half the gradient of chi-squared.
    precision : ndarray
        Part of the priors in `information`.
    """

    columns: Columns
    times: Array
    spectra: Array
    local: Array
    information: Array
    downhill: Array
    precision: Array


def linearised(session: Session, model: Model, point: Point) -> Linearised:
    """Return information and gradient of the parameters of a session.

    Parameters
    ----------
    session, model, point
        What is fitted, and where.

    Returns
    -------
    Linearised
        Parameters: coefficients, baseline, phase 1, log Gaussian width, shifts, widths, linewidth
        over time, gain, unknowns of the time courses.
    """
    build, first = _derivatives(session, model, point)
    columns, times, spectra = build.columns(), np.hstack(build.times), np.vstack(build.spectra)
    local = local_directions(session, point)
    heavy_spectra = without_local(session, local, spectra)
    heavy_times = session.weighted(times)
    precision = _precision(session, model, columns.n_parameters)
    information = columns.gram(heavy_times.T @ times, heavy_spectra @ spectra.T) + precision
    downhill = columns.moments((heavy_times.T @ point.residual) @ heavy_spectra.T)
    exact = _exact_slopes(session, model, point, local)
    downhill[first : first + exact.size] = exact
    downhill -= _pull(session, model, point, precision)
    return Linearised(columns, times, spectra, local, information, downhill, precision)


def without_local(session: Session, local: Array, spectra: Array) -> Array:
    """Return spectra with the weights of a transient applied, its own parameters eliminated."""
    heavy = session.without_water(spectra)
    heavy_local = session.without_water(local)
    return np.asarray(
        heavy - np.linalg.solve(heavy_local @ local.T, heavy_local @ spectra.T).T @ heavy_local
    )


def local_directions(session: Session, point: Point) -> Array:
    """Return the derivatives of the model after frequency and phase of a transient, shape (2, m).

    They are taken at the mean amplitudes, and from the model, free of noise. The data are turned
    by these parameters, so that the model turns the other way.
    """
    whole = point.amplitude.mean(axis=0) @ point.fid
    pair = session.band.spectra(np.array([2j * np.pi * session.band.time * whole, 1j * whole]))
    return -session.seen(pair.real)


class _Builder:
    """Collects derivatives, one kind after the other."""

    def __init__(self) -> None:
        self.times: list[Array] = []
        self.spectra: list[Array] = []
        self.n_parameters = 0
        self._elements: list[tuple[Array, Array, Array]] = []
        self._n_times = self._n_spectra = 0

    def start(self, columns: Columns, times: list[Array], spectra: list[Array]) -> None:
        """Take columns as they are."""
        self._keep(times, spectra)
        self._elements.append((columns.time, columns.spectrum, columns.parameter))
        self.n_parameters = columns.n_parameters

    def add(self, courses: list[Array], curves: list[Array], *, summed: bool = False) -> None:
        """Append the products of courses and curves, both over the same index.

        A list holds the same derivatives for each power of the change of linewidth. Each index is
        a parameter of its own, or all belong to one (`summed`). A single curve serves all courses.
        """
        count = courses[0].shape[1]
        index = np.arange(count)
        parameter = self.n_parameters + (0 * index if summed else index)
        for course, curve in zip(courses, curves, strict=True):
            spectrum = self._n_spectra + index % len(curve)
            self._elements.append((self._n_times + index, spectrum, parameter))
            self._keep([course], [curve])
        self.n_parameters += 1 if summed else count

    def _keep(self, times: list[Array], spectra: list[Array]) -> None:
        self.times += times
        self.spectra += spectra
        self._n_times += sum(course.shape[1] for course in times)
        self._n_spectra += sum(len(curve) for curve in spectra)

    def columns(self) -> Columns:
        """Return all of them."""
        return Columns(*(np.concatenate(part) for part in zip(*self._elements, strict=True)))


def _derivatives(session: Session, model: Model, point: Point) -> tuple[_Builder, int]:
    """Return all derivatives, and the index of the first after the linewidth over time."""
    band, q = session.band, session.baseline.q
    gain = 1.0 + model.gain @ point.gain
    mean = point.amplitude.mean(axis=0)
    ones = np.ones((len(gain), 1))
    build = _Builder()
    build.start(
        linear_columns(model, len(point.powers), len(q)),
        [*(point.courses * (gain * power)[:, None] for power in point.powers), gain[:, None]],
        [*(model.sources(curves) for curves in point.spectra), q],
    )
    moving = [point.amplitude * power[:, None] for power in point.powers]
    slope = -2.0 * GAUSS_RATE * np.exp(2.0 * point.theta[2]) * band.time**2
    grown = [broadened(session, point.fid, k) for k in range(len(point.powers))]
    turned = [band.spectra(2j * np.pi * band.time * fid) for fid in grown]
    first_order = (mean @ band.spectra(point.fid).imag) * session.ramp
    build.add([ones], [session.seen(first_order)[None]])
    gauss = [session.seen(band.spectra(slope * fid).real) for fid in grown]
    build.add(moving, gauss, summed=True)
    build.add(moving, [session.seen(curve.real) for curve in turned])
    build.add(moving, [-0.5 * session.seen(curve.imag) for curve in turned])
    first = build.n_parameters
    if model.width.shape[1]:
        narrowing = band.spectra(broadened(session, mean @ point.fid, 1)).real
        build.add([model.width], [session.seen(narrowing)[None]])
    if model.gain.shape[1]:
        whole = mean @ point.spectra[0] + point.smooth @ q
        build.add([model.gain], [whole[None]])
    for course in _moving_courses(model, point):
        courses = [course * (gain * power)[:, None] for power in point.powers]
        build.add(courses, list(point.spectra), summed=True)
    return build, first


def _moving_courses(model: Model, point: Point) -> list[Array]:
    """Return the slopes of all amplitudes after each unknown of the time courses, (n, n_basis)."""
    return [model.shared_out(slope[:, model.column] * point.coefficient) for slope in point.slopes]


def _exact_slopes(session: Session, model: Model, point: Point, local: Array) -> Array:
    """Return the slopes after linewidth and gain, at the amplitudes of each transient."""
    widths, gains, _ = model.sizes
    if widths + gains == 0:
        return np.zeros(0)
    heavy = without_local(session, local, session.weighted(point.residual))
    curves = [
        session.seen(session.band.spectra(broadened(session, point.fid, k)).real) for k in (1, 2)
    ]
    change = (model.width @ point.width)[:, None]
    slope = np.hstack([point.amplitude, point.amplitude * change]) @ np.vstack(curves)
    whole = modelled(point, point.amplitude / (1.0 + model.gain @ point.gain)[:, None])
    whole += point.smooth @ session.baseline.q
    return np.concatenate(
        [
            np.einsum("nm,nm->n", slope, heavy) @ model.width,
            np.einsum("nm,nm->n", whole, heavy) @ model.gain,
        ]
    )


def _precision(session: Session, model: Model, size: int) -> Array:
    """Return the precision of all parameters from priors."""
    result = np.zeros((size, size))
    linear = linear_precision(session, model)
    k, p = len(linear), session.prior.mean.size - 1
    result[:k, :k] = linear
    result[k : k + p, k : k + p] = session.prior.precision[1:, 1:]
    gains = k + p + model.width.shape[1] + np.arange(model.gain.shape[1])
    result[gains, gains] = model.gain_precision
    return result


def _pull(session: Session, model: Model, point: Point, precision: Array) -> Array:
    """Return half the slope of the penalties."""
    shape = (point.theta - session.prior.mean)[1:]
    parts = (point.coefficient, point.smooth, shape, point.width, point.gain, point.unknowns)
    pull = precision @ np.concatenate(parts)
    first = model.n_terms + point.smooth.size
    pull[first : first + shape.size] += 0.5 * session.volume_slope[1:]
    return np.asarray(pull)


def minimise(
    session: Session, model: Model, point: Point, max_steps: int = MAX_STEPS
) -> tuple[Point, bool]:
    """Step to the minimum of chi-squared.

    Parameters
    ----------
    session, model
        What is fitted.
    point : Point
        Start, evaluated.
    max_steps : int, optional
        Limit of the number of steps.

    Returns
    -------
    point : Point
        The minimum.
    converged : bool
        Whether a step promised less than 0.001 of chi-squared for what is shared, and on average
        for what is each transient's own; or the last step promised and brought next to nothing.
    """
    damping = 1e-4
    for _ in range(max_steps):
        tangent = linearised(session, model, point)
        while True:
            step, promised = _step(model, point, tangent, damping)
            turn, local_promised = local_step(session, point, tangent, step)
            if promised < _ENOUGH and local_promised < _ENOUGH_LOCAL:
                return point, True
            trial = evaluate(session, model, _moved(session, model, point, step, turn))
            gain = point.cost - trial.cost
            if gain > -_SLACK:
                if abs(gain) < _SLACK and promised < _SLACK:
                    return trial, True
                damping, point = max(0.2 * damping, 1e-6), trial
                break
            damping *= 10.0
            if damping > 1e4:
                return point, promised < 1.0
    return point, False


def _step(model: Model, point: Point, tangent: Linearised, damping: float) -> tuple[Array, float]:
    """Return a damped step of all shared parameters, and the fall of chi-squared it promises."""
    information = tangent.information
    free = np.ones(len(information), bool)
    free[: model.n_terms] = point.passive
    size = 1.0 / np.sqrt(np.maximum(np.diag(information)[free], 1e-300))
    scaled = information[np.ix_(free, free)] * np.outer(size, size)
    inner = np.linalg.solve(scaled + damping * np.eye(len(scaled)), tangent.downhill[free] * size)
    step = np.zeros(len(information))
    step[free] = inner * size
    return step, float(2.0 * step @ tangent.downhill - step @ information @ step)


def local_step(
    session: Session, point: Point, tangent: Linearised, step: Array
) -> tuple[Array, float]:
    """Return the step of frequency and phase of each transient, given that of what is shared.

    Parameters
    ----------
    session, point
        What is fitted, and where.
    tangent : Linearised
        The model to first order there.
    step : ndarray
        Step of the shared parameters.

    Returns
    -------
    turn : ndarray, shape (n, 2)
        Steps [Hz, rad].
    promised : float
        Mean fall of chi-squared of a transient that they promise.
    """
    heavy = session.without_water(tangent.local)
    square = heavy @ tangent.local.T
    changed = tangent.columns.along(step, tangent.times.shape[1], tangent.spectra @ heavy.T)
    wanted = point.residual @ heavy.T - tangent.times @ changed
    turn = np.linalg.solve(square, wanted.T).T
    return turn, float(np.mean(session.weight * np.einsum("nk,nk->n", turn, wanted)))


def _moved(session: Session, model: Model, point: Point, step: Array, turn: Array) -> Point:
    n, (widths, gains, _) = session.n_basis, model.sizes
    parts = np.split(
        step[model.n_terms + point.smooth.size :], np.cumsum([2 + 2 * n, widths, gains])
    )
    theta = point.theta.copy()
    theta[1:] += parts[0]
    theta[2] = np.clip(theta[2], *_LOG_GAUSS)
    low, high = model.bounds.reshape(-1, 2).T
    return Point(
        theta=theta,
        width=point.width + parts[1],
        gain=point.gain + parts[2],
        unknowns=np.clip(point.unknowns + parts[3], low, high),
        local=point.local + turn,
        passive=point.passive,
    )
