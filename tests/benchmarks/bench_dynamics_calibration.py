"""Are the SDs of the joint fit true? Many simulated sessions, each fitted as a user would.

Usage: python bench_dynamics_calibration.py [n_sessions] [n_long] [first_seed] [out.npz]

Each session has its own concentrations, shifts, widths, drift, unstable residual water and line
narrowing of 0 to 0.5 Hz. Half of them have effects in Glu and Gln, half have none. Every session is
simulated twice: without and with a common gain drift of 3 %, for Glx and for Glx/tNAA.
"""

import sys
import time
import warnings

import numpy as np

import mrsproc as mp
from mrsproc.dynamics.curves import Curve

ONSET, DURATION = 200.0, 400.0
NAMES = ("Glu", "Gln", "Glx", "Glx percent", "Glx auc", "Glx/tNAA", "Glx/tNAA percent")


def responses():
    return mp.Infusion(onset=ONSET, duration=DURATION).rise_and_decay(rise=240.0, decay=900.0)


def simulated(seed, gain_drift, *, long=False):
    rng = np.random.default_rng([seed, 7])
    drug = rng.uniform() < 0.5
    effects = {"Glu": rng.uniform(0.03, 0.15), "Gln": rng.uniform(0.0, 0.15)} if drug else {}
    options = mp.SessionOptions(
        n_transients=320 if long else 64,
        repetition_time=2.5 if long else 12.5,
        snr=10.0 if long else 22.0,
        infusion_onset=ONSET,
        infusion_duration=DURATION,
        concentration_sd=0.1,
        gauss_hz=rng.uniform(3.5, 6.5),
        frequency_drift_hz=rng.uniform(-8.0, 8.0),
        line_narrowing_hz=rng.uniform(0.0, 0.5),
        gain_drift=gain_drift,
    )
    return mp.simulate(None, options, effects=effects, rng=rng)


def pairs(session, fit):
    """Return (estimate, SD, truth) of everything that is known, by name."""
    table = fit.to_frame().set_index(["metabolite", "parameter"])
    rest = {m: session.timecourse(m)[0] for m in ("Glu", "Gln")}
    rest["Glx"] = rest["Glu"] + rest["Gln"]
    effect = {m: rest[m] * session.effects.get(m, 0.0) for m in ("Glu", "Gln")}
    effect["Glx"] = effect["Glu"] + effect["Gln"]
    found = {}
    for name in ("Glu", "Gln", "Glx"):
        row = table.loc[(name, "response")]
        found[name] = (row.estimate, row.sd, effect[name])
    shape = responses().columns(session.time_s, np.zeros(0))[:, 0]
    after = session.time_s >= ONSET
    percent = 100.0 * effect["Glx"] * shape[after].mean() / rest["Glx"]
    change = fit.change("Glx").set_index("quantity").loc["percent_change"]
    found["Glx percent"] = (change.estimate, change.sd, percent)
    end = fit.endpoints("Glx").set_index("endpoint").loc["auc"]
    index = np.digitize(session.time_s[after], np.linspace(ONSET, fit.edges[-1], _count(fit) + 1))
    bins = [shape[after][index == k].mean() for k in np.unique(index)]
    width = (fit.edges[-1] - ONSET) / 60.0 / _count(fit)
    found["Glx auc"] = (end.estimate, end.sd, 100 * effect["Glx"] / rest["Glx"] * sum(bins) * width)
    return found


def _count(fit):
    width = (fit.edges[-1] - fit.edges[0]) / (len(fit.edges) - 1)
    return max(1, round((fit.edges[-1] - ONSET) / width))


def ratio_pairs(session, fit):
    def effect(name):
        part = fit.design.of_signal(fit.weights(name) / fit.signal_scale) * (fit.design.column > 0)
        return Curve(np.array([part @ fit.estimate]), part[None])

    rest = {m: session.timecourse(m)[0] for m in ("Glu", "Gln")}
    truth = sum(rest[m] * session.effects.get(m, 0.0) for m in rest) / sum(rest.values())
    ratio = effect("Glx").over(fit.rest("Glx")).minus(effect("tNAA").over(fit.rest("tNAA")))
    shape = responses().columns(session.time_s, np.zeros(0))[:, 0]
    change = fit.change("Glx", relative_to="tNAA").set_index("quantity").loc["percent_change"]
    return {
        "Glx/tNAA": (ratio.value[0], ratio.sd(fit.covariance)[0], truth),
        "Glx/tNAA percent": (
            change.estimate,
            change.sd,
            100.0 * truth * shape[session.time_s >= ONSET].mean(),
        ),
    }


def one(seed, *, long=False):
    shape = responses()
    still = simulated(seed, 0.0, long=long)
    found = pairs(still, mp.fit_dynamic(still.data, still.basis, {"Glu": shape, "Gln": shape}))
    drift = 0.03 if seed % 2 else -0.03
    drifting = simulated(seed, drift, long=long)
    moving = {"Glu": shape, "Gln": shape, "tNAA": shape}
    found |= ratio_pairs(drifting, mp.fit_dynamic(drifting.data, drifting.basis, moving))
    return np.array([found[name] for name in NAMES])


def summary(values):
    """Print bias / SD, scatter / SD, coverage of 95 % intervals and false positives."""
    estimate, sd, truth = np.moveaxis(values, -1, 0)
    z = (estimate - truth) / sd
    rows = []
    for k, name in enumerate(NAMES):
        null = truth[:, k] == 0.0
        false = (
            np.mean(np.abs(estimate[null, k] / sd[null, k]) > 1.959964) if null.any() else np.nan
        )
        inside = np.mean(np.abs(z[:, k]) < 1.959964)
        rows.append((name, z[:, k].mean(), z[:, k].std(ddof=1), inside, false))
        print(
            f"{name:18s} bias/SD {z[:, k].mean():+.3f}  scatter/SD {z[:, k].std(ddof=1):.3f}  "
            f"coverage {100 * inside:.1f} %  false positives {100 * false:.1f} %"
        )
    return rows


def main():
    n, n_long, first = (int(a) for a in sys.argv[1:4]) if len(sys.argv) > 3 else (1000, 50, 0)
    warnings.simplefilter("ignore")
    start = time.process_time()
    values = [one(seed, long=seed - first < n_long) for seed in range(first, first + n)]
    if len(sys.argv) > 4:
        np.savez(sys.argv[4], values=np.array(values))
    print(
        f"{n} sessions of which {n_long} with 320 transients, "
        f"CPU {time.process_time() - start:.0f} s"
    )
    summary(np.array(values))


if __name__ == "__main__":
    main()
