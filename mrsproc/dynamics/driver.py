"""`fit_dynamic`: from the transients of a session to a `DynamicResult`."""

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.data import MRSData
from mrsproc.dynamics.build import (
    best_start,
    gain_courses,
    model_for,
    point_for,
    rest_rows,
    width_courses,
)
from mrsproc.dynamics.covariance import added_column, covariances
from mrsproc.dynamics.design import (
    Asked,
    TimeDesign,
    check_columns,
    design_for,
    responses_for,
)
from mrsproc.dynamics.model import Model, Point, Session, evaluate
from mrsproc.dynamics.options import DynamicOptions
from mrsproc.dynamics.prepare import Prepared, constant_model, prepare
from mrsproc.dynamics.result import DynamicResult
from mrsproc.dynamics.solve import Linearised, linearised, minimise, without_local
from mrsproc.errors import DataWarning, FitWarning, InvalidInputError
from mrsproc.fitting.result import sum_weights
from mrsproc.numerics.definite import inverted
from mrsproc.responses import FreeBins, Response
from mrsproc.timeline import bin_index, repetition, time_bins, transient_onsets

_SMOOTHING_ROUNDS: Final = 12
_SMOOTHING_LIMITS: Final = (1e-8, 1e8)
_SUSPECT: Final = 2.58  # SDs at which a reference is said to change
_REFERENCES: Final = ("tNAA", "tCr")
_LAGS: Final = 10


class _Joint(NamedTuple):
    """A finished joint fit."""

    session: Session
    model: Model
    point: Point
    tangent: Linearised
    design: TimeDesign
    time: Array
    """Onset times of the transients that take part [s]."""
    converged: bool


class _Clock(NamedTuple):
    """Times of a session."""

    onsets: Array
    """Onset times of all transients [s]."""
    drug: float | None
    """Start of the drug [s]."""
    edges: tuple[float, ...]
    """Time bins [s]."""


def fit_dynamic(
    data: MRSData,
    basis: BasisSet,
    responses: Mapping[str, Asked],
    options: DynamicOptions | None = None,
    **keywords: Any,
) -> DynamicResult:
    """Fit all transients of a session at once, amplitudes following responses in time.

    The model and its minimisation are written down in `mrsproc.dynamics.model`, residual water and
    outliers in `mrsproc.dynamics.nuisance`, covariances in `mrsproc.dynamics.covariance`.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time"), coils combined; alignment and removal of residual water are not
        needed. Masked transients take no part. Onset times are ``coords["transient"]``, else
        multiples of the repetition time.
    basis : BasisSet
        Signals. Macromolecules and lipids are added when it has none.
    responses : mapping of str to response
        What metabolites do: "constant", "free" (an amplitude in each time bin), a response of
        `mrsproc.responses`, or a function of onset times in s that returns as many numbers. Keys
        are signals, the sums Glx, tNAA, tCr and tCho, or "*" for all other metabolites (constant
        when not given; macromolecules and lipids are constant unless named). Members of tNAA, tCr
        and tCho with the same response move in proportion.
    options : DynamicOptions, optional
        How to fit.
    **keywords
        Instead of `options`, its values by name, such as ``bin_width=60``.

    Returns
    -------
    DynamicResult
        Parameters, time courses and endpoints with their covariance.

    Raises
    ------
    InvalidInputError
        Data that are not transients, too few of them, no baseline before the drug, an infusion
        outside the recording, responses that are constant or cannot be told apart, unknown names.
    BasisError
        A basis set that does not suit the data.

    Warns
    -----
    DataWarning
        Transients that are left out, time bins that are joined because all of theirs are masked.
    FitWarning
        A fit that did not converge, an unknown at its limit, tNAA or tCr that change.

    References
    ----------
    Clarke 2024, 10.1002/mrm.30001; Tal 2023, Magn Reson Med 89, 499-507.

    Examples
    --------
    >>> import mrsproc as mp
    >>> infusion = mp.Infusion(onset=300, duration=2400)
    >>> responses = {"Glu": infusion.rise_and_decay(rise=240, decay=900), "*": "constant"}
    """
    chosen = options_for(options, keywords)
    clock = _clock(data, responses, chosen)
    prepared = prepare(data, basis, chosen)
    return _fitted(prepared, responses, chosen, clock)


def fit_many(
    data: MRSData,
    basis: BasisSet,
    candidates: Mapping[str, Mapping[str, Asked]],
    options: DynamicOptions,
) -> dict[str, DynamicResult]:
    """Fit several sets of responses with the same transients, noise, weights and linewidths.

    Parameters
    ----------
    data, basis, options
        As for `fit_dynamic`.
    candidates : mapping
        Responses by name.

    Returns
    -------
    dict of str to DynamicResult
        By the same names.
    """
    everything = {
        f"{name} {key}": r for name, asked in candidates.items() for key, r in asked.items()
    }
    clock = _clock(data, everything, options)
    prepared = prepare(data, basis, options)
    return {name: _fitted(prepared, asked, options, clock) for name, asked in candidates.items()}


def options_for(options: DynamicOptions | None, keywords: dict[str, Any]) -> DynamicOptions:
    """Return the options given, or those made of keywords."""
    if options is not None and keywords:
        raise InvalidInputError(
            f"options and also {', '.join(keywords)}: give one or the other; "
            "dataclasses.replace(options, ...) changes options."
        )
    known = [field.name for field in dataclasses.fields(DynamicOptions)]
    unknown = [name for name in keywords if name not in known]
    if unknown:
        raise InvalidInputError(
            f"fit_dynamic has no option {', '.join(unknown)}. Known: {', '.join(known)}."
        )
    return DynamicOptions(**keywords) if options is None else options


def _clock(data: MRSData, responses: Mapping[str, Asked], options: DynamicOptions) -> _Clock:
    """Return onset times, the start of the drug and the time bins."""
    onsets = transient_onsets(data)
    starts = [getattr(asked, "onset", None) for asked in responses.values()]
    if options.infusion is not None:
        starts.append(options.infusion.onset)
    known = [float(start) for start in starts if start is not None]
    drug = min(known) if known else None
    end = float(onsets[-1]) + repetition(onsets)
    if drug is not None and not 0.0 <= drug < end:
        raise InvalidInputError(
            f"the drug starts at {drug:g} s, the recording lasts from 0 to {end:g} s: onsets are "
            "in s since the first transient."
        )
    edges = time_bins(onsets, options.bin_width, drug or 0.0)
    _check_epochs(onsets, np.asarray(data.mask), drug)
    return _Clock(onsets, drug, edges)


def _check_epochs(onsets: Array, mask: Array, drug: float | None) -> None:
    """Refuse a session whose every transient before, or after, the drug is missing."""
    if drug is None or not mask.any():
        return
    before = onsets < drug
    for epoch, name in ((before, "before"), (~before, "after")):
        if not (epoch & mask).any():
            what = f"all {int(epoch.sum())} are masked" if epoch.any() else "there is none"
            raise InvalidInputError(
                f"no valid transient {name} the drug starts at {drug:g} s ({what}): a change from "
                "baseline needs both."
            )


def _valid_bins(clock: _Clock, used: Array) -> tuple[float, ...]:
    """Return the edges of bins, those without a valid transient joined to the one before."""
    index = bin_index(clock.onsets, clock.edges)
    count = np.bincount(index[used], minlength=len(clock.edges) - 1)
    empty = np.flatnonzero(count == 0)
    if not empty.size:
        return clock.edges
    some = ", ".join(f"{clock.edges[k]:g} to {clock.edges[k + 1]:g} s" for k in empty[:5])
    warnings.warn(
        f"no valid transient within {some}{' ...' if empty.size > 5 else ''}: joined to the time "
        "bin beside it.",
        DataWarning,
        stacklevel=4,
    )
    dropped = {k if k > 0 else 1 for k in empty.tolist()}
    return tuple(edge for k, edge in enumerate(clock.edges) if k not in dropped)


def _fitted(
    prepared: Prepared,
    asked: Mapping[str, Asked],
    options: DynamicOptions,
    clock: _Clock,
    *,
    more: tuple[Response, ...] = (),
) -> DynamicResult:
    session, names = prepared.session, prepared.mean.names
    time = clock.onsets[prepared.used]
    bins = FreeBins(_valid_bins(clock, prepared.used))
    amplitude = np.asarray(prepared.mean.amplitude) * session.band.scale
    design = design_for(names, responses_for(names, asked, bins), amplitude)
    constant = constant_model(time.size, session.n_basis)
    tangent = linearised(session, constant, prepared.start)
    start = best_start(design, time, session, prepared.start, tangent)
    check_columns(design, time, start)
    rest = rest_rows(design, time, start, clock.drug)
    model = model_for(
        design,
        time,
        rest,
        width_courses(design, time, start, session.weight, options, more=more),
        gain_courses(design, time, start, session.weight, options),
    )
    point = evaluate(session, model, point_for(model, prepared.start, design, start))
    model, point, converged = _minimised(session, model, point, design)
    tangent = linearised(session, model, point)
    joint = _Joint(session, model, point, tangent, design, time, converged)
    result = _collected(prepared, joint, options, clock, bins.edges)
    _warn(joint, result)
    return result


def _collected(
    prepared: Prepared,
    joint: _Joint,
    options: DynamicOptions,
    clock: _Clock,
    edges: tuple[float, ...],
) -> DynamicResult:
    session, point, used = joint.session, joint.point, prepared.used
    shared = options.fit.priors != "none"
    found = covariances(session, joint.model, point, joint.tangent, shared=shared)
    reason = "" if joint.converged else "no minimum found"
    if joint.converged and not np.isfinite(found.thermal).all():
        reason = "the information matrix is singular"
    valid = 1.0 if not reason else np.nan
    rest = rest_rows(joint.design, joint.time, point.unknowns, clock.drug)
    shift = point.local[:, 0]

    def spread(values: Array) -> Array:
        full = np.full(used.size, np.nan)
        full[used] = values
        return full

    return DynamicResult(
        design=joint.design,
        estimate=found.mean * valid,
        covariance=found.thermal * valid,
        robust_covariance=found.robust * valid,
        at_rest=rest,
        signal_scale=session.band.scale,
        time_s=clock.onsets,
        used=used,
        edges=edges,
        infusion_onset_s=np.nan if clock.drug is None else clock.drug,
        frequency_hz=spread(shift),
        phase_rad=spread(np.angle(np.exp(1j * point.local[:, 1]))),
        linewidth_change_hz=spread(joint.model.width @ point.width),
        gain=spread(1.0 + joint.model.gain @ point.gain),
        misfit=prepared.misfit,
        autocorrelation=_autocorrelation(joint),
        chi_squared=point.cost,
        n_parameters=joint.model.n_terms + point.unknowns.size,
        n_data=point.residual.size,
        mean=prepared.mean,
        options=options,
        success=not reason,
        reason=reason,
    )


def _autocorrelation(joint: _Joint) -> Array:
    """Return the autocorrelation of what is left along the spectrum of what moves."""
    point, design = joint.point, joint.design
    moving = np.array([bool(response.labels) for response in design.responses])
    if not moving.any():
        moving[:] = True
    whole = (point.amplitude.mean(axis=0) * moving) @ point.spectra[0]
    heavy = without_local(joint.session, joint.tangent.local, whole[None])[0]
    left = (point.residual @ heavy) * np.sqrt(joint.session.weight)
    left -= left.mean()
    lags = range(1, min(_LAGS, left.size // 4) + 1)
    products = [float(left[lag:] @ left[:-lag]) for lag in lags]
    return np.array(products) / float(left @ left)


def _minimised(
    session: Session, model: Model, point: Point, design: TimeDesign
) -> tuple[Model, Point, bool]:
    """Minimise; where time courses are smooth, estimate how much by restricted likelihood."""
    smooth = design.penalties
    factors = np.ones(len(smooth))
    for _ in range(_SMOOTHING_ROUNDS if smooth else 1):
        penalty = np.zeros_like(model.penalty)
        for factor, (terms, rough) in zip(factors, smooth, strict=True):
            penalty[terms, terms] = factor * rough
        model = dataclasses.replace(model, penalty=penalty)
        point, converged = minimise(session, model, evaluate(session, model, point))
        if not smooth:
            break
        before = factors
        factors = _smoothing(session, model, point, smooth, factors)
        if np.abs(np.log(factors / before)).max() < 0.02:
            break
    return model, point, converged


def _smoothing(
    session: Session,
    model: Model,
    point: Point,
    smooth: list[tuple[Array, Array]],
    factors: Array,
) -> Array:
    """Return better factors of the penalties (Wood 2017, 10.1111/biom.12621)."""
    tangent = linearised(session, model, point)
    variance = np.diag(inverted(tangent.information))
    better = []
    for factor, (terms, rough) in zip(factors, smooth, strict=True):
        used = float(factor * (variance[terms] * rough).sum())
        squares = float(rough @ point.coefficient[terms] ** 2)
        rank = float((rough > 0.0).sum())
        better.append(np.clip((rank - used) / max(squares, 1e-300), *_SMOOTHING_LIMITS))
    return np.array(better)


def _warn(joint: _Joint, result: DynamicResult) -> None:
    """Say what wants a second look."""
    if not result.success:
        warnings.warn(f"the joint fit failed: {result.reason}.", FitWarning, stacklevel=4)
        return
    for (_, one), value in zip(joint.design.unknowns, joint.point.unknowns, strict=True):
        if value in {one.low, one.high}:
            warnings.warn(
                f"{one.name} = {value:g} {one.unit} is at its limit: the data do not determine it.",
                FitWarning,
                stacklevel=4,
            )
    _warn_of_references(joint)


def _warn_of_references(joint: _Joint) -> None:
    """Say where a reference that was held constant changes with the response."""
    point, design = joint.point, joint.design
    shape = _first_shape(design, joint.time, point)
    if shape is None:
        return
    sums = sum_weights(design.names)
    for name in _REFERENCES:
        members = np.flatnonzero(sums.get(name, np.zeros(len(design.names))))
        if not members.size or any(design.responses[i].labels for i in members):
            continue
        whole = point.amplitude.mean(axis=0)[members] @ point.spectra[0][members]
        test = added_column(joint.session, point, joint.tangent, shape, whole)
        if abs(test.estimate) > _SUSPECT * test.sd:
            warnings.warn(
                f"{name} changes with the response by {100 * test.estimate:+.1f} +- "
                f"{100 * test.sd:.1f} % though it was held constant: gain, movement or the drug. "
                f"Give {name} the same response and read ratios to it.",
                FitWarning,
                stacklevel=5,
            )


def _first_shape(design: TimeDesign, time: Array, point: Point) -> Array | None:
    """Return the first time course of a declared shape; None where all are free."""
    parts = zip(design.groups, design.parts(point.unknowns), strict=True)
    shapes = [group.columns(time, part)[:, 0] for group, part in parts if group.has_rest]
    return shapes[0] if shapes else None
