r"""Fit of single lines to FIDs by least squares through lmfit.

The sum of squares is over the real and imaginary parts of the points. With noise of SD
:math:`\sigma` in each of the two, the Cramer-Rao bound of the free parameters is
:math:`\sigma^2 (J^T J)^{-1}`, :math:`J` being the derivatives of real and imaginary parts one below
the other, and that of parameters tied to them by expressions follows by the chain rule
(Cavassila 2001, 10.1002/nbm.701).
"""

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.data import MRSData
from mrsproc.errors import InvalidInputError
from mrsproc.peaks.knowledge import Peak, names_of, peak_parameters
from mrsproc.peaks.model import Lines
from mrsproc.peaks.result import PeakFit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import lmfit

_STEP: Final = 1e-6
_AT_BOUND: Final = 1e-6  # part of the range, or of the value where the range is open
_SINGULAR: Final = 1e-9
_WHITE_SDS: Final = 5.0  # correlation of neighbours in the residual, in SDs of that of white noise


def fit_peaks(
    data: MRSData,
    peaks: "Sequence[Peak] | lmfit.Parameters",
    *,
    first_point: int = 0,
    noise_sd: float | None = None,
) -> PeakFit:
    """Fit single lines to FIDs: water, singlets, 31P, and what has no basis set.

    Parameters
    ----------
    data : MRSData
        One spectrum, or any leading dimensions but "coil"; masked FIDs are left out.
    peaks : sequence of Peak, or lmfit.Parameters
        What is known: peaks, each spectrum with a start of its own, or parameters made by
        `peak_parameters` and changed, from which every spectrum starts.
    first_point : int, default 0
        Points left out at the start, which digital filters bend and broad signals fill; amplitudes
        still are those at time 0.
    noise_sd : float, optional
        SD of the noise in the real part of a point; that of the residual when not given.

    Returns
    -------
    PeakFit
        Values, SDs, success flags and warnings.

    Raises
    ------
    InvalidInputError
        Coils that are not combined, parameters that do not describe peaks, nothing that varies, or
        fewer points than parameters.

    References
    ----------
    Vanhamme 1997, 10.1006/jmre.1997.1244 (AMARES); Cavassila 2001, 10.1002/nbm.701.
    """
    if "coil" in data.dims:
        raise InvalidInputError("the data have a coil dimension: combine it first.")
    if noise_sd is not None and not noise_sd > 0.0:
        raise InvalidInputError(f"noise_sd = {noise_sd!r}: give a positive number.")
    start = _starts(data, peaks)
    first = start(_single(data, (0,) * (len(data.dims) - 1)))
    lines = Lines(names_of(first), data.acquisition, data.time[first_point:])
    free = sum(bool(parameter.vary) for parameter in first.values())
    if not free or not 0 <= first_point <= data.n_points - free:
        raise InvalidInputError(
            f"{free} parameters vary, and first_point = {first_point} leaves "
            f"{data.n_points - first_point} points: something must vary, and there must be more "
            "points than parameters."
        )
    shape = data.fid.shape[:-1]
    found = {
        index: _one(_single(data, index), start, lines, first_point, noise_sd)
        if data.mask[index]
        else _failed(len(first), data.n_points, "masked")
        for index in np.ndindex(*shape)
    }
    columns = {
        field: np.array([getattr(found[index], field) for index in np.ndindex(*shape)])
        for field in _Found._fields
    }
    return PeakFit(
        data=dataclasses.replace(data, header=None),
        names=lines.names,
        parameters=tuple(first),
        first_point=first_point,
        **{key: column.reshape(shape + column.shape[1:]) for key, column in columns.items()},
    )


def _single(data: MRSData, index: tuple[int, ...]) -> MRSData:
    return data.select(**dict(zip(data.dims[:-1], index, strict=True))) if index else data


def _starts(
    data: MRSData, peaks: "Sequence[Peak] | lmfit.Parameters"
) -> "Callable[[MRSData], lmfit.Parameters]":
    """Return what gives the parameters from which a spectrum starts."""
    if hasattr(peaks, "valuesdict"):
        parameters: lmfit.Parameters = peaks
        return lambda _: parameters.copy()
    given = tuple(peaks)
    if not all(isinstance(peak, Peak) for peak in given):
        raise InvalidInputError("peaks: give mp.Peak objects, or lmfit parameters.")
    if np.isfinite(data.fid).all():
        return lambda spectrum: peak_parameters(given, spectrum)
    return lambda spectrum: peak_parameters(
        given, spectrum if np.isfinite(spectrum.fid).all() else None
    )


class _Found(NamedTuple):
    """What the fit of one spectrum gives."""

    value: Array
    covariance: Array
    at_bounds: Array
    noise_sd: float
    residual: Array
    success: bool
    reason: str
    warning: str


def _failed(n: int, points: int, reason: str) -> _Found:
    nothing = np.full(n, np.nan)
    return _Found(
        nothing, np.full((n, n), np.nan), np.zeros(n, bool), float("nan"),
        np.full(points, np.nan + 0j), success=False, reason=reason, warning="",
    )  # fmt: skip


def _one(
    data: MRSData,
    start: "Callable[[MRSData], lmfit.Parameters]",
    lines: Lines,
    first_point: int,
    noise_sd: float | None,
) -> _Found:
    """Fit one spectrum."""
    import lmfit

    fid = np.asarray(data.fid, complex)
    used = fid[first_point:]
    scale = float(np.sqrt(np.mean(np.abs(used) ** 2)))
    parameters = start(data)
    if not scale > 0.0:
        return _failed(len(parameters), fid.size, "the FID is zero")

    def residual(given: "lmfit.Parameters") -> Array:
        return _stacked(lines.signals(given.valuesdict()).sum(axis=0) - used) / scale

    def jacobian(given: "lmfit.Parameters") -> Array:
        return _derivatives(lines, given) / scale

    try:
        result: Any = lmfit.minimize(
            residual, parameters, method="least_squares", jac=jacobian, x_scale="jac",
            ftol=1e-11, xtol=1e-11, gtol=1e-11,
        )  # fmt: skip
    except (ValueError, np.linalg.LinAlgError) as error:
        return _failed(len(parameters), fid.size, f"no fit: {error}")
    if not result.success:
        return _failed(len(parameters), fid.size, f"no minimum found: {result.message}")
    return _judged(result.params, lines, fid, first_point, noise_sd)


def _judged(
    parameters: "lmfit.Parameters",
    lines: Lines,
    fid: Array,
    first_point: int,
    noise_sd: float | None,
) -> _Found:
    """Return values and uncertainty at a minimum."""
    n = len(parameters)
    whole = Lines(lines.names, lines.acquisition, _whole_time(lines, fid.size, first_point))
    rest = fid - whole.signals(parameters.valuesdict()).sum(axis=0)
    used = rest[first_point:]
    jacobian = _derivatives(lines, parameters)
    freedom = 2 * used.size - jacobian.shape[1]
    sd = float(np.sqrt(np.sum(np.abs(used) ** 2) / freedom)) if noise_sd is None else noise_sd
    bounds = np.array([_is_at_bound(parameter) for parameter in parameters.values()])
    names, free = list(parameters), _free(parameters)
    moving = [i for i, name in enumerate(free) if not bounds[names.index(name)]]
    inverse = _inverse(jacobian[:, moving])
    if inverse is None:
        return _failed(n, fid.size, "the data do not determine all parameters: fix or tie some")
    chain = _chain(parameters)[:, moving]
    covariance = sd**2 * chain @ inverse @ chain.T
    covariance[bounds] = np.nan
    covariance[:, bounds] = np.nan
    return _Found(
        value=np.array([_wrapped(name, float(parameters[name].value)) for name in names]),
        covariance=covariance,
        at_bounds=bounds,
        noise_sd=sd,
        residual=rest,
        success=True,
        reason="",
        warning=_warning(used, [name for name, held in zip(names, bounds, strict=True) if held]),
    )


def _whole_time(lines: Lines, n_points: int, first_point: int) -> Array:
    step = float(lines.time[1] - lines.time[0])
    return np.asarray(lines.time[0] + step * (np.arange(n_points) - first_point))


def _stacked(values: Array) -> Array:
    """Return real and imaginary parts one below the other."""
    return np.concatenate([values.real, values.imag])


def _free(parameters: "lmfit.Parameters") -> list[str]:
    return [name for name, parameter in parameters.items() if parameter.vary]


def _derivatives(lines: Lines, parameters: "lmfit.Parameters") -> Array:
    """Return the derivatives of real and imaginary parts with respect to what varies."""
    names = list(parameters)
    places = [names.index(name) for name in lines.parameters]
    own = lines.jacobian(parameters.valuesdict())
    return _stacked(own @ _chain(parameters)[places])


def _chain(parameters: "lmfit.Parameters") -> Array:
    """Return the derivatives of all parameters with respect to those that vary.

    Expressions are scalars, so that central differences of them cost little; for linear ones they
    are exact.
    """
    names, free = list(parameters), _free(parameters)
    chain = np.array([[float(name == other) for other in free] for name in names])
    for name, tied in _hanging_on(parameters).items():
        parameter = parameters[name]
        value = float(parameter.value)
        step = _STEP * max(abs(value), 1.0)
        ends = (max(value - step, parameter.min), min(value + step, parameter.max))
        sides = []
        for end in ends:
            parameter.value = end
            parameters.update_constraints()
            sides.append(np.array([float(parameters[other].value) for other in tied]))
        parameter.value = value
        rows = [names.index(other) for other in tied]
        chain[rows, free.index(name)] = (sides[1] - sides[0]) / (ends[1] - ends[0])
    parameters.update_constraints()
    return chain


def _hanging_on(parameters: "lmfit.Parameters") -> dict[str, list[str]]:
    """Return the parameters that hang on each that varies, through expressions."""
    direct = {
        name: set(re.findall(r"[A-Za-z_]\w*", parameter.expr or ""))
        for name, parameter in parameters.items()
    }
    found = {}
    for name in _free(parameters):
        reached, grown = {name}, True
        while grown:
            more = {tied for tied, on in direct.items() if on & reached} - reached
            reached, grown = reached | more, bool(more)
        if len(reached) > 1:
            found[name] = [tied for tied in parameters if tied in reached - {name}]
    return found


def _is_at_bound(parameter: Any) -> bool:
    """Whether a bound holds a parameter that varies."""
    if not parameter.vary:
        return False
    span = parameter.max - parameter.min
    near = _AT_BOUND * (span if np.isfinite(span) else max(abs(parameter.value), _AT_BOUND))
    return bool(parameter.value - parameter.min <= near or parameter.max - parameter.value <= near)


def _inverse(jacobian: Array) -> Array | None:
    """Return the inverse of the normal matrix; None where the columns are not independent."""
    size = np.linalg.norm(jacobian, axis=0)
    if not (size > 0.0).all() or not np.isfinite(jacobian).all():
        return None
    _, singular, rows = np.linalg.svd(jacobian / size, full_matrices=False)
    if singular.size and singular[-1] < _SINGULAR * singular[0]:
        return None
    half = rows.T / singular / size[:, None]
    return np.asarray(half @ half.T)


def _wrapped(name: str, value: float) -> float:
    """Return a phase between -180 and 180 degrees, other values as they are."""
    return (value + 180.0) % 360.0 - 180.0 if name.endswith("phase0_deg") else value


def _warning(residual: Array, held: list[str]) -> str:
    """Return what wants a second look."""
    texts = []
    if held:
        texts.append(f"at a bound: {', '.join(held)}")
    neighbours = np.vdot(residual[:-1], residual[1:]) / np.vdot(residual, residual).real
    if abs(neighbours) * np.sqrt(residual.size) > _WHITE_SDS:
        texts.append("the residual is not white: there is more in the data than these lines")
    return "; ".join(texts)
