"""Is the posterior of a fit right? Against Markov chains of the same posterior (emcee).

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_fit_mcmc.py [steps] [spectra] [snr ...]``
takes spectra of ../shared/bench/generate.py, fits each with a baseline of given stiffness, and
samples phases, shifts, widths and amplitudes together, amplitudes positive, the baseline integrated
out. Amplitudes of metabolites are flat relative to their references, as `volume.volume_slope` has
it, the square of the Gaussian width is flat. Chains start from draws of the normal distribution
around the minimum: from a point they would need longer than they run to reach its width. It
prints, for each quantity, how far the mean of the fit is from that of the chains, in SDs, and the
ratio of both SDs (median over spectra). The square of the bias that the fit adds to the variance of
signals near zero is no part of a posterior; it is left out here.
"""

import os
import sys
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import emcee
import numpy as np

import mrsproc as mp
from mrsproc.fitting import uncertainty
from mrsproc.fitting.batch import Batch, batch_for
from mrsproc.fitting.driver import _noise
from mrsproc.fitting.result import sum_weights
from mrsproc.fitting.single import Single, fit_one
from mrsproc.fitting.solve import information, jacobian, phased
from mrsproc.numerics.truncated import positive_normal

NAMES = ("tNAA", "tCr", "tCho", "Ins", "Glu", "Gln", "Glx", "GSH", "Tau", "GABA")
OPTIONS = mp.FitOptions(ppm=(0.2, 4.0), baseline=3.0)
WALKERS_PER_UNKNOWN = 3
LOG_GAUSS = (-1.0, 4.0)  # range of the logarithm of the Gaussian width in Hz, 0.4 to 55 Hz


def log_posterior(batch: Batch, found: Single):
    """Return the logarithm of the posterior of (shape, amplitudes)."""
    problem, spectrum = batch.problem, found.spectrum
    n, p = problem.n_basis, spectrum.prior.mean.size
    shrinkage = problem.baseline.shrinkage(spectrum.stiffness)
    deviation, scale = problem.ratio_rows
    follows = ~(scale[:, ~problem.narrow] > 0.0).any(axis=1)
    broad = np.outer(~problem.narrow, ~problem.narrow)
    fixed = np.where(broad, spectrum.ratio_precision, 0.0)
    flat = (problem.narrow & ~(deviation > 0.0).any(axis=0)).sum()

    def value(unknown: np.ndarray) -> float:
        theta, amplitude = unknown[:p], unknown[p:]
        if (amplitude < 0.0).any() or not LOG_GAUSS[0] < theta[2] < LOG_GAUSS[1]:
            return -np.inf
        fid = problem.band.decayed(theta[3 : 3 + n], theta[3 + n :], float(np.exp(theta[2])))
        left = phased(problem, spectrum.values, theta).real
        left = left - problem.band.spectra(amplitude @ fid).real
        smooth = problem.baseline.q @ left
        squares = left @ left - smooth @ (shrinkage * smooth)
        references = scale[follows] @ amplitude
        ratios = amplitude @ fixed @ amplitude
        ratios += (((deviation[follows] @ amplitude) / references) ** 2).sum()
        scales = np.log(references).sum() + flat * np.log(problem.yardstick @ amplitude)
        chi_squared = squares / spectrum.sigma**2 + ratios + spectrum.prior.cost(theta)
        return 2.0 * theta[2] - scales - 0.5 * chi_squared

    return value


def starts(batch: Batch, found: Single, rng: np.random.Generator) -> np.ndarray:
    """Return draws of (shape, amplitudes) from the normal distribution around the minimum."""
    problem, spectrum, point = batch.problem, found.spectrum, found.point
    p = point.theta.size
    inverse = information(problem, spectrum, point, jacobian(problem, point))
    inverse[:p, :p] += spectrum.prior.precision
    centre = np.concatenate([point.theta, found.amplitude.mean])
    size = WALKERS_PER_UNKNOWN * centre.size
    drawn = rng.multivariate_normal(centre, np.linalg.inv(inverse), size, method="cholesky")
    drawn[:, p:] = np.abs(drawn[:, p:])
    drawn[:, 2] = np.clip(drawn[:, 2], LOG_GAUSS[0] + 0.1, LOG_GAUSS[1] - 0.1)
    return drawn


def chains(batch: Batch, found: Single, steps: int, rng: np.random.Generator):
    """Return draws of the amplitudes, and the autocorrelation time of the slowest one."""
    p, start = found.point.theta.size, starts(batch, found, rng)
    moves = [(emcee.moves.DEMove(), 0.9), (emcee.moves.DESnookerMove(), 0.1)]
    sampler = emcee.EnsembleSampler(*start.shape, log_posterior(batch, found), moves=moves)
    sampler.random_state = np.random.RandomState(int(rng.integers(2**31))).get_state()
    sampler.run_mcmc(start, steps)
    draws = sampler.get_chain(discard=steps // 2)[:, :, p:]
    times = emcee.autocorr.integrated_time(draws, quiet=True)
    return draws.reshape(-1, draws.shape[-1]), float(times.max())


def main() -> None:
    """Print one table."""
    from synthetic_spectra import as_objects, spectra

    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 6000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    uncertainty.positive_normal = lambda mean, covariance, *_: positive_normal(mean, covariance)
    print("| SNR | " + " | ".join(NAMES) + " | slowest time, of steps |")
    print("|---|" + "---|" * (len(NAMES) + 1))
    for snr in [float(each) for each in sys.argv[3:]] or [10.0, 30.0, 60.0]:
        data, basis = as_objects(spectra("invivo", snr, 90_000, count))
        batch = batch_for(data, basis, OPTIONS)
        noise = _noise(data, OPTIONS, np.ones(count, bool))
        named = {name: np.eye(len(basis))[i] for i, name in enumerate(basis.names)}
        weights = named | sum_weights(basis.names)
        rows, slowest = [], 0.0
        for fid, sd in zip(np.asarray(data.fid), noise, strict=True):
            found = fit_one(batch, fid, sd)
            draws, time = chains(batch, found, steps, np.random.default_rng(1))
            slowest = max(slowest, time)
            row = []
            for name in NAMES:
                w = weights[name] / batch.problem.band.scale
                sampled = draws @ w
                ours = np.sqrt(w @ found.amplitude.covariance @ w)
                off = (w @ found.amplitude.mean - sampled.mean()) / sampled.std()
                row.append((off, ours / sampled.std()))
            rows.append(row)
        cells = [f"{off:+.2f}, {ratio:.2f}" for off, ratio in np.median(rows, axis=0)]
        print(f"| {snr:g} | " + " | ".join(cells) + f" | {slowest:.0f} of {steps} |", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
