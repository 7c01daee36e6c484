"""Are the error bars of the fit honest? Scatter of (estimate - truth) / SD, and 95 % coverage.

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_fit_calibration.py [n] [seed] [mode ...]``
fits n (default 6000) spectra at each of three SNRs, of mode "invivo", where the model of the fit is
right, and of mode "wrong" (asymmetric lines, twice the spread of shifts and widths, narrower
background), made by ../shared/bench/generate.py. A number in place of a mode is "invivo" with that
common Lorentzian width [Hz], 0.78 otherwise. It prints the tables that tests/benchmarks/README.md
keeps.

A quantity is clear of zero where most of its estimates are above three times their SD; others are
in brackets. All estimates count: to choose the large ones would favour those that are too large.
"""

import os
import sys
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from synthetic_spectra import OPTIONS, USUAL_HZ, as_objects, spectra, true_amounts

import mrsproc as mp
from mrsproc.errors import FitWarning

NAMES = ("tNAA", "tCr", "tCho", "Ins", "Glu", "Gln", "Glx")
MODES = ("invivo", "wrong")
CLEAR = 3.0
BLOCK = 250


def scores(mode: str, snr: float, seed: int, count: int) -> dict[str, tuple[np.ndarray, bool]]:
    """Return (estimate - truth) / SD of each quantity, and whether it is clear of zero."""
    common_hz = USUAL_HZ
    if mode not in MODES:
        mode, common_hz = MODES[0], float(mode)
    found: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    height: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    for block in range(-(-count // BLOCK)):
        made = spectra(mode, snr, seed + block, min(BLOCK, count - BLOCK * block), common_hz)
        data, basis = as_objects(made)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            fit = mp.fit(data, basis, OPTIONS)
        truth = true_amounts(made, fit)
        for name in NAMES:
            value, sd = fit.estimate(name)
            found[name].append((value - truth[name]) / sd)
            height[name].append(value / sd)
    return {
        name: (np.concatenate(found[name]), np.median(np.concatenate(height[name])) > CLEAR)
        for name in NAMES
    }


def main() -> None:
    """Print one table for each mode."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    for mode in sys.argv[3:] or MODES:
        print(f"\n{mode}: SD of (estimate - truth) / SD, mean, coverage in %")
        print("| SNR | " + " | ".join(NAMES) + " |")
        print("|---|" + "---|" * len(NAMES))
        for snr in (10, 30, 60):
            cells = []
            for z, clear in scores(mode, snr, seed, count).values():
                covered = 100.0 * float(np.mean(np.abs(z) < 1.96))
                cell = f"{z.std():.2f}, {z.mean():+.2f}, {covered:.1f}"
                cells.append(cell if clear else f"({cell})")
            print(f"| {snr} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
