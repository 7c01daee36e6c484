"""Does the fit find the minimum from anywhere? Random phase, shift, width and SNR.

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_fit_robust.py [n] [seed]`` fits n (default
5000) spectra with a phase of +-180 degrees, a shift of +-25 Hz, a Gaussian width of 2 to 15 Hz and
an SNR of 3 to 100 (even in its logarithm). Each is fitted a second time from the true shape, and
both minima are compared at the same baseline stiffness, noise and priors. It prints how many fits
raised, failed with a reason, ended more than 10 of chi-squared above the fit from the truth, or
ended at a wrong shift or with estimates of tNAA, tCr or Glx more than 6 SD off without saying so.
"""

import os
import sys
import warnings
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from synthetic_spectra import OPTIONS, as_objects, spectra, true_amounts

import mrsproc as mp
from mrsproc.errors import FitWarning
from mrsproc.fitting import single
from mrsproc.fitting.batch import batch_for
from mrsproc.fitting.driver import _noise
from mrsproc.fitting.solve import evaluate, minimise, reweighted
from mrsproc.lineshape import voigt_decay

MUCH = 10.0  # of chi-squared
BLOCK = 250
WRONG_SHIFT_HZ = 3.0
FAR = 6.0  # SDs


class Case(NamedTuple):
    """The true shape of one spectrum."""

    phase: float
    shift_hz: float
    gauss_hz: float
    snr: float


def random_spectra(seed: int, count: int) -> tuple[dict, list[Case]]:
    """Return spectra with their truth: amounts varied as in vivo, a background, white noise."""
    made = spectra("invivo", 1e6, seed, count)
    basis, dwell = np.asarray(made["basis_fids"]), made["dwell"]
    n = basis.shape[1]
    time = np.arange(n) * dwell
    frequency = np.fft.fftfreq(n, dwell)
    region = (frequency > 0.65 * made["hzpppm"]) & (frequency < 4.15 * made["hzpppm"])
    rng = np.random.default_rng([seed, 1])
    cases = []
    for i in range(count):
        case = Case(
            rng.uniform(-np.pi, np.pi),
            rng.uniform(-25.0, 25.0),
            rng.uniform(2.0, 15.0),
            float(np.exp(rng.uniform(np.log(3.0), np.log(100.0)))),
        )
        width = rng.normal(0.78, 0.156, (len(basis), 1))
        clean = made["truth"][i] @ (basis * voigt_decay(time, width, case.gauss_hz))
        peak = np.fft.fft(clean).real[region].max()
        for _ in range(6):
            line = voigt_decay(time, 0.0, rng.uniform(0.5, 1.5) * made["hzpppm"])
            line = line * np.exp(2j * np.pi * rng.uniform(0.25, 4.65) * made["hzpppm"] * time)
            line[0] /= 2
            clean = clean + rng.normal(0.0, 0.06) * peak / np.abs(line).sum() * line
        noise = (rng.normal(size=n) + 1j * rng.normal(size=n)) * peak / case.snr / np.sqrt(n)
        turn = np.exp(1j * (case.phase + 2 * np.pi * case.shift_hz * time))
        made["fids"][i] = clean * turn + noise
        cases.append(case)
    return made, cases


class Outcome(NamedTuple):
    """What became of one fit."""

    failed: bool
    above: float
    """Chi-squared above that of the fit from the truth."""
    lost: bool
    """Wrong shift, or estimates far off, in a fit that calls itself good."""


def outcome(batch: single.Batch, fid: np.ndarray, noise: float, case: Case) -> Outcome:
    """Fit one spectrum from the usual start and from the truth."""
    problem, n = batch.problem, batch.problem.n_basis
    found = single.fit_one(batch, fid, noise)
    if found is None:
        return Outcome(failed=True, above=0.0, lost=False)
    theta = problem.prior.mean.copy()
    theta[0], theta[2] = -case.phase, np.log(case.gauss_hz)
    theta[3 : 3 + n] = case.shift_hz
    fresh = single.fresh_spectrum(batch, fid, noise)
    start = evaluate(problem, fresh, theta, np.ones(n, bool))
    best = single._from_start(batch, fresh, start)
    point, _ = minimise(problem, best.spectrum, reweighted(problem, best.spectrum, found.point))
    level, _ = minimise(problem, best.spectrum, reweighted(problem, best.spectrum, best.point))
    shift = float(np.median(found.point.theta[3 : 3 + n]))
    return Outcome(
        failed=not found.converged,
        above=point.cost - level.cost,
        lost=found.converged and abs(shift - case.shift_hz) > WRONG_SHIFT_HZ,
    )


def main() -> None:
    """Print how many fits went wrong in which way."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 40_000
    outcomes, cases, raised, far = [], [], 0, 0
    for block in range(-(-count // BLOCK)):
        made, shapes = random_spectra(seed + block, min(BLOCK, count - BLOCK * block))
        data, basis = as_objects(made)
        batch = batch_for(data, basis, OPTIONS)
        noise = _noise(data, OPTIONS, np.ones(len(shapes), bool))
        for fid, sd, case in zip(made["fids"], noise, shapes, strict=True):
            try:
                outcomes.append(outcome(batch, fid, sd, case))
            except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
                raised += 1
                print(f"raised: {error!r} at {case}", flush=True)
            else:
                cases.append(case)
        far += far_off(made, data, basis)
        print(f"{BLOCK * (block + 1)} done", file=sys.stderr)
    above = np.array([o.above for o in outcomes])
    lost = np.array([o.lost for o in outcomes])
    print(
        f"{count} spectra: {raised} raised, {sum(o.failed for o in outcomes)} failed with a reason"
    )
    print(f"more than {MUCH:g} above the fit from the truth: {(above > MUCH).sum()}")
    print(f"shift more than {WRONG_SHIFT_HZ:g} Hz off, unsaid: {lost.sum()}")
    print(f"tNAA, tCr or Glx more than {FAR:g} SD off, unsaid: {far}")
    for i in np.flatnonzero((above > MUCH) | lost)[:20]:
        print(f"  {cases[i]}: {above[i]:.1f} above")


def far_off(made: dict, data: mp.MRSData, basis: mp.BasisSet) -> int:
    """Return the number of fits without a warning whose estimates are far from the truth."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        fit = mp.fit(data, basis, OPTIONS)
    truth = true_amounts(made, fit)
    off = np.zeros(fit.success.shape, bool)
    for name in ("tNAA", "tCr", "Glx"):
        value, sd = fit.estimate(name)
        off |= np.abs(value - truth[name]) > FAR * sd
    said = ~fit.success | (fit.linewidth_hz > 0.1 * made["hzpppm"]) | (fit.snr < 3.0)
    return int((off & ~said).sum())


if __name__ == "__main__":
    main()
