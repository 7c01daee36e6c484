"""Before a joint fit: alignment, the fit of the mean, noise, water, transients to leave out."""

import dataclasses
import warnings
from typing import Final, NamedTuple

import numpy as np

from mrsproc.axes import Array
from mrsproc.basis import BasisSet
from mrsproc.data import MRSData
from mrsproc.dynamics.model import Model, Point, Session, evaluate
from mrsproc.dynamics.nuisance import (
    REACH_PPM,
    WATER_PPM,
    Water,
    common_noise,
    misfits,
    random_part,
    water_for,
)
from mrsproc.dynamics.options import DynamicOptions
from mrsproc.dynamics.solve import linearised, local_directions, local_step, without_local
from mrsproc.dynamics.start import rough_alignment
from mrsproc.errors import DataWarning, InvalidInputError
from mrsproc.fitting.band import BandModel, band_model
from mrsproc.fitting.batch import Batch, batch_for
from mrsproc.fitting.collect import Collection
from mrsproc.fitting.driver import check_sign, warn_of
from mrsproc.fitting.result import FitResult
from mrsproc.fitting.single import Single, fit_one
from mrsproc.numerics.exponentials import exponentials
from mrsproc.preproc.ends import without_rising_end
from mrsproc.preproc.water import remove_water
from mrsproc.qc.noise import noise_samples, noise_sd

_LEAST_TRANSIENTS: Final = 4
_BLOCK: Final = 128
_LIMIT: Final = 5.5  # robust SDs at which a transient is not described by the model
_GAUGE_HZ: Final = 1e-3  # SD of the common shift: the shifts of the transients take it over


class Prepared(NamedTuple):
    """A session ready for the joint fit."""

    session: Session
    start: Point
    """All amplitudes constant."""
    mean: FitResult
    """Fit of the mean of the aligned transients."""
    used: Array
    """Which transients take part."""
    misfit: Array
    """Sum of squares of the residual of each transient over its expectation; NaN where masked."""


class _Grid(NamedTuple):
    """Where a session is looked at."""

    band: BandModel
    """Range of the fit and that of water."""
    inside: slice
    """Points of the band that are fitted."""
    water: Water


def constant_model(n: int, n_basis: int) -> Model:
    """Return the model of n transients in which nothing changes."""
    ones, none = np.ones((n, 1)), np.zeros((0, n, 1))
    return Model(
        signal=np.arange(n_basis),
        column=np.zeros(n_basis, int),
        mixtures=np.zeros((0, n_basis)),
        nonnegative=np.ones(n_basis, bool),
        at_rest=np.eye(n_basis),
        courses=lambda _: (ones, none),
        bounds=np.zeros((0, 2)),
        width=np.zeros((n, 0)),
        gain=np.zeros((n, 0)),
        gain_precision=np.zeros(0),
        penalty=np.zeros((n_basis, n_basis)),
    )


def prepare(data: MRSData, basis: BasisSet, options: DynamicOptions) -> Prepared:
    """Align, fit the mean, and measure what differs from transient to transient.

    Parameters
    ----------
    data : MRSData
        Dims ("transient", "time").
    basis : BasisSet
        Signals.
    options : DynamicOptions
        How to fit.

    Returns
    -------
    Prepared
        Session with weights, and a point to start from.

    Raises
    ------
    InvalidInputError
        Other dimensions, or too few valid transients.
    """
    _check(data)
    data = without_rising_end(data)
    batch = batch_for(data, basis, options.fit)._replace(noise_weight=1.0)  # known from many
    noise = _noise(data, options)
    grid, local = _start_of_all(data, batch)
    used, misfit = np.array(data.mask), np.full(data.mask.size, np.nan)
    for last in (False, True):
        kept = data.select(transient=used)
        sd = noise[used[data.mask]]
        single, mean = _mean_fit(kept, local, batch, sd)
        session = _session(kept, batch, single, sd, grid)
        point, left, size = _settled(session, _start(session, local, mean))
        local = point.local  # the next mean stands where the basis set has it
        misfit[used] = left
        if options.outliers == "reject" and not last:
            bad = misfits(left, point.residual.shape[1], size, _LIMIT)
            if bad.any():
                _warn_rejected(np.flatnonzero(used)[bad])
                used[used] = ~bad
                local = local[~bad]
    warn_of(mean, data.acquisition.spectrometer_frequency)
    directions = local_directions(session, point)
    curves, shrinkage = random_part(session.water, directions, point.residual, session.weight)
    session = dataclasses.replace(session, curves=curves, shrinkage=shrinkage)
    session = dataclasses.replace(session, volume_slope=_inherited_slope(session, point))
    return Prepared(session, point, mean, used, misfit)


def _check(data: MRSData) -> None:
    if data.dims != ("transient", "time"):
        way_out = (
            "combine the coils first (mp.coil_weights)"
            if "coil" in data.dims
            else "select one of every other dimension"
        )
        raise InvalidInputError(
            f"dims = {data.dims}: a joint fit wants ('transient', 'time'); {way_out}."
        )
    valid = int(data.mask.sum())
    if valid < _LEAST_TRANSIENTS:
        raise InvalidInputError(
            f"{valid} valid of {data.mask.size} transients: a joint fit over time needs at least "
            f"{_LEAST_TRANSIENTS}."
        )
    if not np.abs(data.fid[data.mask]).max(axis=1).all():
        raise InvalidInputError("some valid transients are zero throughout: mask them.")


def _noise(data: MRSData, options: DynamicOptions) -> Array:
    """Return the SD of the noise of the real spectrum of each valid transient."""
    valid = int(data.mask.sum())
    if options.fit.noise_sd is not None:
        sd = np.full(valid, options.fit.noise_sd)
    else:
        kept = data.select(transient=data.mask)
        sd = noise_sd(kept)
        if not np.isfinite(sd).all():
            raise InvalidInputError(
                "the noise cannot be measured in FIDs as short as these: give its SD with "
                "FitOptions(noise_sd=...)."
            )
        largest = np.abs(kept.fid).max(axis=1)
        sd = np.maximum(sd, 1e-6 * largest)  # simulated data may hold no noise
        sd = common_noise(sd, 2 * noise_samples(kept).shape[-1])
    return np.asarray(sd * np.sqrt(data.n_points))


def _start_of_all(data: MRSData, batch: Batch) -> tuple[_Grid, Array]:
    """Return the grid, and frequency and phase of the valid transients to start from."""
    band, inside = _band(data, batch)
    fids = np.asarray(data.fid[data.mask])
    blocks = np.array_split(fids, -(-len(fids) // _BLOCK))  # for the sake of memory
    spectra = np.vstack([band.of_data(block) for block in blocks])
    grid = _Grid(band, inside, water_for(data.acquisition, data.n_points, band, inside))
    return grid, rough_alignment(spectra, batch.basis, *grid)


def _band(data: MRSData, batch: Batch) -> tuple[BandModel, slice]:
    """Return the band that holds the range of the fit and that of water, and the former in it."""
    signals, (low, high) = batch.basis, batch.options.ppm
    wide = (low, max(high, float(min(WATER_PPM + REACH_PPM, data.ppm.max()))))
    if data.acquisition.nucleus != "1H" or not signals.covers(data.acquisition, wide):
        wide = (low, high)
    band = band_model(signals, data.acquisition, data.n_points, wide)
    return band, slice(int((band.ppm > high).sum()), band.ppm.size)


def _mean_fit(data: MRSData, local: Array, batch: Batch, noise: Array) -> tuple[Single, FitResult]:
    """Fit the weighted mean of the aligned transients, residual water removed."""
    turn = exponentials(2j * np.pi * local[:, 0], data.acquisition.dwell_time, data.n_points)
    weight = noise**-2.0 / np.sum(noise**-2.0)
    fid = weight @ (np.asarray(data.fid) * (turn * np.exp(1j * local[:, 1:])))
    mean = remove_water(MRSData(fid=fid, dims=("time",), acquisition=data.acquisition))
    fid = np.asarray(mean.fid)
    check_sign(batch, fid[None])
    single = fit_one(batch, fid, float(np.sum(noise**-2.0) ** -0.5))
    collection = Collection(batch, 1)
    collection.put(0, single)
    found = collection.result(mean)
    if single is None or not found.success:
        raise InvalidInputError(
            f"the mean of the transients cannot be fitted ({found.reason}): look at it with "
            "mp.fit(data.mean('transient'), basis) first."
        )
    return single, found


def _session(data: MRSData, batch: Batch, mean: Single, noise: Array, grid: _Grid) -> Session:
    """Set up the session with the priors and the baseline of the fit of the mean."""
    problem, (band, inside, water) = batch.problem, grid
    n, learnt = problem.n_basis, mean.spectrum
    gauge = learnt.prior.precision.copy()
    gauge[3 : 3 + n, 3 : 3 + n] += 1.0 / (n * _GAUGE_HZ) ** 2
    scale = problem.band.scale / band.scale
    return Session(
        fid=np.asarray(data.fid, complex),
        dwell_time=data.acquisition.dwell_time,
        band=band,
        inside=inside,
        baseline=problem.baseline,
        stiffness=learnt.stiffness,
        nodes=learnt.nodes,
        prior=dataclasses.replace(learnt.prior, precision=gauge),
        ratio_precision=learnt.ratio_precision * np.outer(scale, scale),
        volume_slope=np.zeros(3 + 2 * n),
        weight=1.0 / noise**2,
        misfit=max(learnt.sigma**2 * float(np.sum(noise**-2.0)) - 1.0, 0.0),
        curves=water.curves,
        shrinkage=np.ones(len(water.curves)),
        water=water,
    )


def _start(session: Session, local: Array, mean: FitResult) -> Point:
    """Return the shape of the mean; common shift and phase go to the transients."""
    theta = np.array(mean.shape)
    n = session.n_basis
    common = np.array([-theta[3 : 3 + n].mean(), theta[0]])
    theta[3 : 3 + n] += common[0]
    theta[0] = 0.0
    none = np.zeros(0)
    return Point(
        theta=theta,
        width=none,
        gain=none,
        unknowns=none,
        local=local + common,
        passive=~np.asarray(mean.at_bounds),
    )


def _settled(session: Session, point: Point) -> tuple[Point, Array, Array]:
    """Fit constant amplitudes and the transients' own parameters.

    What each leaves over, and the size of its signal relative to the mean, are returned, too.
    """
    model = constant_model(len(session.fid), session.n_basis)
    point = evaluate(session, model, point)
    tangent = linearised(session, model, point)
    turn, _ = local_step(session, point, tangent, np.zeros_like(tangent.downhill))
    point = evaluate(session, model, dataclasses.replace(point, local=point.local + turn))
    clean = session.without_water(point.residual)
    free = point.residual.shape[1] - len(session.curves) - 2.0
    left = session.weight * np.einsum("nm,nm->n", point.residual, clean) / free
    whole = point.amplitude.mean(axis=0) @ point.spectra[0]
    heavy = without_local(session, tangent.local, whole[None])[0]
    return point, np.asarray(left), 1.0 + (point.residual @ heavy) / float(whole @ heavy)


def _inherited_slope(session: Session, point: Point) -> Array:
    """Return the linear term of the penalties with which the shape of the mean is a minimum.

    The fit of the mean integrates its amplitudes out and weighs its priors by what it finds on its
    way. What pulled at its shape beyond data and priors pulls here, too, so that a session in which
    nothing changes has the shape of its mean.
    """
    model = constant_model(len(session.fid), session.n_basis)
    tangent = linearised(session, model, point)
    k, p = model.n_terms + point.smooth.size, session.prior.mean.size - 1
    linear = np.flatnonzero(np.r_[point.passive, np.ones(point.smooth.size, bool)])
    shape = k + np.arange(p)
    information, downhill = tangent.information, tangent.downhill
    inner = np.linalg.solve(information[np.ix_(linear, linear)], downhill[linear])
    slope = np.zeros(p + 1)
    slope[1:] = 2.0 * (downhill[shape] - information[np.ix_(shape, linear)] @ inner)
    return slope


def _warn_rejected(bad: Array) -> None:
    some = ", ".join(str(index) for index in bad[:8]) + (" ..." if bad.size > 8 else "")
    warnings.warn(
        f"{bad.size} transients do not look like the others and take no part (index {some}): "
        "DynamicOptions(outliers='keep') keeps them.",
        DataWarning,
        stacklevel=4,
    )
