"""From a layout of coefficients to the model of a session, and where to start it."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.dynamics.design import REST, TIED, TimeDesign
from mrsproc.dynamics.model import Model, Point, Session
from mrsproc.dynamics.options import DynamicOptions
from mrsproc.dynamics.solve import Linearised, without_local
from mrsproc.fitting.result import sum_weights
from mrsproc.numerics.splines import bspline_design
from mrsproc.responses import Constant, Response
from mrsproc.timeline import bin_index, time_bins

_WIDTH_INTERVAL_S: Final = 400.0
_MOST_INTERVALS: Final = 8
_TRANSIENTS_A_COURSE: Final = 8
_SMALL: Final = 1e-3  # of the largest singular value: time courses that are all but the same
_MOST_STARTS: Final = 64
_DRIFT_TIME_S: Final = 2400.0  # in which the gain changes by `scale_sd`


def rest_rows(design: TimeDesign, time: Array, values: Array, onset: float | None) -> Array:
    """Return the amplitude at rest of each signal as a sum of coefficients.

    Where rest is not a coefficient of its own it is the mean before the onset, or over the whole
    recording when no onset is known.

    Parameters
    ----------
    design : TimeDesign
        Coefficients and time courses.
    time : ndarray, shape (n,)
        Onset times of the transients that take part [s].
    values : ndarray
        Unknowns of the time courses.
    onset : float, optional
        Start of the drug [s].

    Returns
    -------
    ndarray, shape (n_signals, n_terms)
        Weights; NaN for signals that need a baseline where there is none.
    """
    n = len(design.names)
    before = np.ones(time.size, bool) if onset is None else time < onset
    empty = not before.any()
    mean = design.courses(time, values)[before].mean(axis=0) if not empty else None
    parts = np.array([design.of_signal(row) for row in np.eye(n)])
    rows = np.zeros_like(parts)
    for index, response in enumerate(design.responses):
        if response.has_rest:
            rows[index] = parts[index] * np.array([label == REST for label in design.label])
        elif mean is None:
            rows[index] = np.nan
        else:
            rows[index] = parts[index] * mean[design.column]
    return rows


def width_courses(
    design: TimeDesign, time: Array, values: Array, weight: Array, options: DynamicOptions
) -> Array:
    """Return the time courses along which the linewidth may change.

    Parameters
    ----------
    design : TimeDesign
        Coefficients and time courses.
    time : ndarray, shape (n,)
        Onset times of the transients that take part [s].
    values : ndarray
        Unknowns of the time courses.
    weight : ndarray, shape (n,)
        Weights of the transients.
    options : DynamicOptions
        Says what is wanted.

    Returns
    -------
    ndarray, shape (n, k)
        Orthogonal, of zero mean and unit variance.
    """
    if options.linewidth == "constant":
        return np.zeros((time.size, 0))
    parts = zip(design.groups, design.parts(values), strict=True)
    columns = [group.columns(time, part) for group, part in parts if group.has_rest]
    if options.linewidth == "smooth":
        span = float(np.ptp(time))
        intervals = int(np.clip(round(span / _WIDTH_INTERVAL_S), 2, _MOST_INTERVALS))
        columns.append(bspline_design(time, time[0], time[-1] + 1e-9 * span, intervals))
    if not columns:
        return np.zeros((time.size, 0))
    return _orthogonal(np.hstack(columns), weight, max(1, time.size // _TRANSIENTS_A_COURSE))


def gain_courses(
    design: TimeDesign, time: Array, values: Array, weight: Array, options: DynamicOptions
) -> tuple[Array, Array]:
    """Return the time courses of the signal scale, and the precision of their coefficients.

    Parameters
    ----------
    design : TimeDesign
        Coefficients and time courses.
    time : ndarray, shape (n,)
        Onset times of the transients that take part [s].
    values : ndarray
        Unknowns of the time courses.
    weight : ndarray, shape (n,)
        Weights of the transients.
    options : DynamicOptions
        Says what is wanted.

    Returns
    -------
    courses : ndarray, shape (n, k)
        Orthogonal, of zero mean and unit variance.
    precision : ndarray, shape (k,)
        Zero where nothing is expected of them.
    """
    if options.scale == "none":
        return np.zeros((time.size, 0)), np.zeros(0)
    span = float(np.ptp(time))
    columns = [time[:, None]]
    if options.scale == "bins":
        edges = time_bins(time, options.bin_width, design.onset or 0.0)
        columns = [(bin_index(time, edges)[:, None] == np.arange(len(edges) - 1)).astype(float)]
    followed = _reference_groups(design) if options.scale == "auto" else set()
    for group, part in zip(design.groups, design.parts(values), strict=True):
        if group in followed:
            columns.append(group.columns(time, part))
    courses = _orthogonal(np.hstack(columns), weight, time.size)
    precision = np.zeros(courses.shape[1])
    if options.scale == "auto" and not followed:
        drift = options.scale_sd * span / _DRIFT_TIME_S
        precision += 12.0 / drift**2  # a line of unit variance spans the root of 12
    return courses, precision


def _reference_groups(design: TimeDesign) -> set[Response]:
    """Return the responses of tNAA, tCr and tCho, where some of these three are constant."""
    sums = sum_weights(design.names)
    members = [np.flatnonzero(sums[name]) for name in TIED if name in sums]
    found = [{design.responses[i] for i in indices} for indices in members]
    still = [all(isinstance(one, Constant) for one in group) for group in found]
    if all(still) or not any(still):
        return set()
    return {one for group in found for one in group if not isinstance(one, Constant)}


def _orthogonal(columns: Array, weight: Array, most: int) -> Array:
    """Return what spans columns without their means: orthogonal, of unit variance."""
    centred = columns - weight @ columns / weight.sum()
    sizes = np.linalg.norm(centred, axis=0)
    left, strength, _ = np.linalg.svd(centred / np.where(sizes > 0.0, sizes, 1.0), False)
    kept = min(most, int((strength > _SMALL * strength[0]).sum())) if strength[0] > 0.0 else 0
    return np.asarray(left[:, :kept] * np.sqrt(len(columns)))


def model_for(
    design: TimeDesign,
    time: Array,
    at_rest: Array,
    width: Array,
    gain: tuple[Array, Array],
) -> Model:
    """Return the model of a session.

    Parameters
    ----------
    design : TimeDesign
        Coefficients and time courses.
    time : ndarray, shape (n,)
        Onset times of the transients that take part [s].
    at_rest : ndarray, shape (n_signals, n_terms)
        As from `rest_rows`.
    width : ndarray, shape (n, k)
        Time courses of the linewidth.
    gain : tuple of ndarray
        Time courses of the scale and the precision of their coefficients.

    Returns
    -------
    Model
        Without penalties.
    """
    constant = [isinstance(response, Constant) for response in design.responses]
    nonnegative = np.array(
        [signal < len(constant) and constant[signal] for signal in design.signal]
    )
    bounds = np.array([(one.low, one.high) for _, one in design.unknowns]).reshape(-1, 2)

    def courses(values: Array) -> tuple[Array, Array]:
        return design.courses(time, values), design.slopes(time, values)

    return Model(
        signal=design.signal,
        column=design.column,
        mixtures=design.mixtures,
        nonnegative=nonnegative,
        at_rest=np.nan_to_num(at_rest),
        courses=courses,
        bounds=bounds,
        width=width,
        gain=gain[0],
        gain_precision=gain[1],
        penalty=np.zeros((design.signal.size,) * 2),
    )


def best_start(
    design: TimeDesign, time: Array, session: Session, point: Point, tangent: Linearised
) -> Array:
    """Return start values of the unknowns: the best of a grid, all else to first order.

    Parameters
    ----------
    design : TimeDesign
        Coefficients and time courses.
    time : ndarray, shape (n,)
        Onset times of the transients that take part [s].
    session : Session
        Data and weights.
    point : Point
        Fit of constant amplitudes.
    tangent : Linearised
        The session to first order there.

    Returns
    -------
    ndarray, shape (n_unknowns,)
        Values.
    """
    unknowns = [one for _, one in design.unknowns]
    if not unknowns:
        return np.zeros(0)
    sources = np.vstack([point.spectra[0], design.mixtures @ point.spectra[0]])
    heavy = without_local(session, tangent.local, sources)
    over_spectrum = heavy @ sources.T
    products = session.weighted(point.residual) @ heavy.T
    moving = design.column > 0

    def fall(values: Array) -> float:
        courses = design.courses(time, values)
        courses = courses - session.weight @ courses / session.weight.sum()
        over_time = courses.T @ session.weighted(courses)
        column, signal = design.column[moving], design.signal[moving]
        gram = over_time[np.ix_(column, column)] * over_spectrum[np.ix_(signal, signal)]
        moment = (courses.T @ products)[column, signal]
        return float(moment @ np.linalg.lstsq(gram, moment, rcond=1e-10)[0])

    grid = list(itertools.product(*(one.start for one in unknowns)))
    if len(grid) > _MOST_STARTS:
        middle = np.array([one.start[len(one.start) // 2] for one in unknowns])
        return _one_by_one(fall, [one.start for one in unknowns], middle)
    return np.array(max((np.array(values) for values in grid), key=fall))


def _one_by_one(
    fall: Callable[[Array], float], starts: list[tuple[float, ...]], values: Array
) -> Array:
    """Return the best values, one unknown after the other."""
    for index, candidates in enumerate(starts):
        trials = [np.where(np.arange(values.size) == index, c, values) for c in candidates]
        values = max(trials, key=fall)
    return values


def point_for(model: Model, point: Point, design: TimeDesign, unknowns: Array) -> Point:
    """Return a point of the model at the shape of another one."""
    passive = np.ones(model.n_terms, bool)
    rest = np.array([label == REST for label in design.label])
    passive[rest] = point.passive[design.signal[rest]]
    return dataclasses.replace(
        point,
        width=np.zeros(model.width.shape[1]),
        gain=np.zeros(model.gain.shape[1]),
        unknowns=unknowns,
        passive=passive,
    )
