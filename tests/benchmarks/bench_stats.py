"""Calibration of the statistics: bias, coverage and false positives over simulated trials.

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_stats.py`` prints the figures that
tests/benchmarks/README.md keeps; ``--trials 200`` is a quick look. Trials of 26 people, two
sessions and five time points of SD 1 have a person effect of SD 1 and a person x session effect of
0 to 1.
"""

import argparse
import os
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy import stats as distributions

from mrsproc.stats import (
    TrialDesign,
    crossover,
    mixed_model,
    power,
    reml,
    replication,
    simulate_trial,
)
from mrsproc.stats.paired import analyse
from mrsproc.stats.pairing import Pairs

PEOPLE, TIMES = 26, 5
SESSION_EFFECTS = (0.0, 0.3, 0.5, 1.0)
EFFECT = 0.5
RESAMPLES = 999


class Found(NamedTuple):
    """Estimate, interval and p of one analysis of one trial."""

    estimate: float
    low: float
    high: float
    p: float


def table(rng: np.random.Generator, spread: float = 0.0) -> pd.DataFrame:
    """Return an empty trial: who gets what, when, and the SD of every time point."""
    order = rng.permutation(np.arange(PEOPLE) % 2)
    rows = [
        (f"{i:02d}", f"{j}", ("placebo", "active")[(order[i] + j) % 2], j + 1, 300.0 * t, 300.0)
        for i in range(PEOPLE)
        for j in range(2)
        for t in range(TIMES)
    ]
    names = ["subject", "session", "condition", "period", "time_s", "duration_s"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(
        metabolite="Glx",
        sd=np.repeat(np.exp(spread * rng.standard_normal(PEOPLE * 2)), TIMES),
        estimate=0.0,
    )


def draw(frame: pd.DataFrame, session_sd: float, rng: np.random.Generator) -> np.ndarray:
    """Return observations of a trial without an effect, shape (people, sessions, times)."""
    shape = PEOPLE, 2, TIMES
    noise = frame["sd"].to_numpy().reshape(shape) * rng.standard_normal(shape)
    people = rng.standard_normal((PEOPLE, 1, 1))
    return people + session_sd * rng.standard_normal((PEOPLE, 2, 1)) + noise


def pairs_of(frame: pd.DataFrame, values: np.ndarray) -> Pairs:
    """Return the session means as pairs."""
    active = frame["condition"].eq("active").to_numpy().reshape(values.shape)[..., 0]
    means = values.mean(axis=2)
    variances = (frame["sd"].to_numpy().reshape(values.shape)[..., 0] ** 2 / TIMES).sum(axis=1)
    return Pairs(
        subjects=tuple(f"{i:02d}" for i in range(PEOPLE)),
        active=means[active],
        control=means[~active],
        variances=variances,
        order=np.where(active[:, 1], 1.0, -1.0),
        moderator=np.full(PEOPLE, None),
        excluded={},
    )


def crossover_of(pairs: Pairs, weights: str, rng: np.random.Generator) -> tuple[Found, float]:
    """Return the crossover analysis, and the p of its permutation test."""
    found = analyse(
        pairs,
        what="",
        contrast=("active", "placebo"),
        unit="",
        moderator=None,
        weights=weights,  # type: ignore[arg-type]
        resamples=RESAMPLES,
        rng=rng,
    )
    return Found(found.estimate, found.ci_low, found.ci_high, found.p), found.p_permutation


def mixed_of(blocks: reml.Blocks, y: np.ndarray, *, bounded: bool = False) -> Found:
    """Return the treatment effect of the default mixed model (second fixed effect)."""
    fit = reml.fit(blocks, y, bounded=np.full(len(blocks.components), bounded))
    test = reml.kenward_roger(fit, np.eye(len(fit.beta))[[1]])
    half = distributions.t.ppf(0.975, test.df2) * np.sqrt(fit.adjusted[1, 1])
    return Found(fit.beta[1], fit.beta[1] - half, fit.beta[1] + half, test.p)


def wald_without_session(blocks: reml.Blocks, y: np.ndarray) -> Found:
    """Return what a person intercept alone and a z test say."""
    fit = reml.fit(blocks.with_components(np.array([True, True, False])), y)
    se = np.sqrt(fit.covariance[1, 1])
    p = 2.0 * distributions.norm.sf(abs(fit.beta[1]) / se)
    return Found(fit.beta[1], fit.beta[1] - 1.96 * se, fit.beta[1] + 1.96 * se, p)


ANALYSES = (
    "crossover, t",
    "crossover, precision weights, t",
    "mixed model, Kenward-Roger",
    "the same, variances held at zero",
    "person intercept alone, z",
)
PERMUTATIONS = ("permutation, equal weights", "permutation, precision weights")


def study(
    trials: int, session_sd: float, spread: float, effect: float, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Analyse simulated trials.

    Returns estimate, limits and p of every analysis, shape (trials, 4), and the p of the
    permutation tests, shape (trials,).
    """
    rng = np.random.default_rng(seed)
    frame = table(rng, spread)
    model = mixed_model(frame.assign(estimate=draw(frame, session_sd, rng).ravel()))
    added = effect * frame["condition"].eq("active").to_numpy().reshape(PEOPLE, 2, TIMES)
    rows, p_values = [], []
    for _ in range(trials):
        values = draw(frame, session_sd, rng) + added
        y = values.reshape(PEOPLE, -1)
        pairs = pairs_of(frame, values)
        (equal, p_equal), (precise, p_precise) = (
            crossover_of(pairs, weights, rng) for weights in ("equal", "precision")
        )
        mixed = [mixed_of(model.blocks, y), mixed_of(model.blocks, y, bounded=True)]
        rows.append([equal, precise, *mixed, wald_without_session(model.blocks, y)])
        p_values.append([p_equal, p_precise])
    found = dict(zip(ANALYSES, np.array(rows).transpose(1, 0, 2), strict=True))
    return found, dict(zip(PERMUTATIONS, np.array(p_values).T, strict=True))


def calibration(trials: int, session_sd: float, spread: float) -> None:
    """Print bias, coverage and false positives for one size of the person x session effect."""
    null, permuted = study(trials, session_sd, spread, 0.0, seed=1)
    real, _ = study(trials, session_sd, spread, EFFECT, seed=2)
    print(f"person x session effect {session_sd:g} x time-point SD, spread of SDs {spread:g}:")
    for name in ANALYSES:
        estimate, low, high, _ = real[name].T
        print(
            f"  {name:<34} bias {(estimate.mean() - EFFECT) / estimate.std():+.3f} SD, coverage "
            f"{100 * np.mean((low <= EFFECT) & (high >= EFFECT)):.1f} %, false positives "
            f"{100 * np.mean(null[name][:, 3] < 0.05):.1f} %"
        )
    for name in PERMUTATIONS:
        print(f"  {name:<34} false positives {100 * np.mean(permuted[name] < 0.05):.1f} %")
    variances = [real[name][:, 0].var() for name in ANALYSES[:2]]
    saved = PEOPLE * (1.0 - variances[1] / variances[0])
    print(f"  precision weights save {saved:.1f} of {PEOPLE} participants")


def unbalanced(trials: int) -> None:
    """Print the false positives of the mixed model where sessions and time points are missing."""
    rng = np.random.default_rng(3)
    frame = table(rng)
    kept = (rng.random(len(frame)) > 0.1) & ~(
        frame["subject"].isin(["02", "11", "19"]) & frame["session"].eq("1")
    ).to_numpy()
    rows = frame[kept]
    used = [rows["subject"].eq(f"{i:02d}").to_numpy() for i in range(PEOPLE)]
    for session_sd in SESSION_EFFECTS:
        first = mixed_model(rows.assign(estimate=draw(frame, session_sd, rng).ravel()[kept]))
        found = []
        for _ in range(trials):
            values = draw(frame, session_sd, rng).ravel()[kept]
            y = reml.stack([values[person] for person in used], first.observations.shape[1])
            found.append(mixed_of(first.blocks, y))
        p = np.array(found)[:, 3]
        print(
            f"  3 sessions and 10 % of time points missing, session effect {session_sd:g}: false "
            f"positives {100 * np.mean(p < 0.05):.1f} %"
        )


def planning() -> None:
    """Print what the published effect promises, and what a better endpoint saves."""
    print(replication(4.83, published=PEOPLE))
    for between_session_sd in (2.0, 5.0):
        joint, blocks = (
            power(effect_percent=6.0, endpoint_sd=sd, between_session_sd=between_session_sd)
            for sd in (2.9, 6.7)
        )
        print(
            f"sessions differ by {between_session_sd:g} %: {joint.participants} people with an "
            f"endpoint SD of 2.9 % (joint fit), {blocks.participants} with 6.7 % (block by block)"
        )


def brute_force(trials: int) -> None:
    """Compare the power of a plan with whole simulated tables, analysed as a study is."""
    design = TrialDesign(quality_spread=0.0, sex_difference=0.0)
    plan = power(
        effect_percent=design.effect_percent,
        participants=PEOPLE,
        endpoint_sd=design.endpoint_sd,
        between_session_sd=design.session_sd,
        simulations=20000,
    )
    rng = np.random.default_rng(4)
    tables = (simulate_trial(design, rng=rng).endpoints for _ in range(trials))
    found = np.mean([crossover(frame, resamples=99).p < 0.05 for frame in tables])
    error = np.sqrt(found * (1.0 - found) / trials)
    print(f"plan: {plan!r}\nbrute force, {trials} trials: power {found:.3f} +- {error:.3f}")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=5000)
    trials = parser.parse_args().trials
    planning()
    brute_force(trials)
    for session_sd in SESSION_EFFECTS:
        calibration(trials, session_sd, spread=0.0)
    for spread in (0.2, 0.4, 0.6):
        calibration(trials, 0.2, spread)
    unbalanced(trials)


if __name__ == "__main__":
    main()
