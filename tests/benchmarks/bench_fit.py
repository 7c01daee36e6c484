"""Every comparison table of docs/fit.md and of tests/benchmarks/README.md about the fit.

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_fit.py [part ...]`` with the parts lcmodel,
settings, seeds, real and cost; all when none is named. It reads ../shared. The calibration of the
SDs and the search for wrong minima take longer and stand in bench_fit_calibration.py and
bench_fit_robust.py.
"""

import json
import os
import resource
import sys
import warnings
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from synthetic_spectra import OPTIONS, SHARED, as_objects, cpu_seconds, spectra

import mrsproc as mp
from mrsproc.errors import MRSWarning

SETS = [f"{mode}_snr{snr}" for mode in ("wilson", "invivo") for snr in (10, 30, 60)]
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    '`baseline="maic"`': {"baseline": "maic"},
    "`baseline=1.5`": {"baseline": 1.5},
    "`baseline=4.0`": {"baseline": 4.0},
    '`priors="none"`': {"priors": "none"},
    "`width_sd=0.4`": {"width_sd": 0.4},
    "like LCModel": {"baseline_spacing": 0.15, "baseline": 3.0, "width_sd": 0.4},
}
REAL = {
    "Philips 3T PRESS 35 ms": (
        "philips_press_3t/sub-01_PRESS_35_act.sdat", "press35_philips_3t", "philips_press_3t/sub-01"
    ),
    "Siemens 3T PRESS 30 ms": (
        "vendor/siemens_press30.rda", "press30_3t", "vendor/siemens_press30.rda"
    ),
}  # fmt: skip
RATIOS = {"tNAA": "NAA+NAAG", "tCho": "GPC+PCh", "Glx": "Glu+Gln", "Ins": "Ins"}


def stored(name: str) -> dict[str, Any]:
    """Return one of the stored sets in the form of the generator."""
    held = dict(np.load(SHARED / "data" / "synthetic" / f"{name}.npz"))
    for key in ("names", "metabs"):
        held[key] = [str(text) for text in held[key]]
    return held | {key: float(held[key]) for key in ("dwell", "hzpppm")}


def squared_error(made: dict[str, Any], names: tuple[str, ...], amplitude: np.ndarray) -> float:
    """Return the mean over spectra of the summed squared error of the scored metabolites."""
    truth = made["truth"][:, [made["names"].index(name) for name in made["metabs"]]]
    found = amplitude[:, [names.index(name) for name in made["metabs"]]]
    return float(np.nanmean(((found - truth) ** 2).sum(axis=1)))


def glx_error(made: dict[str, Any], names: tuple[str, ...], amplitude: np.ndarray) -> float:
    """Return the RMS error of Glu + Gln."""
    pair = ("Glu", "Gln")
    truth = made["truth"][:, [made["names"].index(name) for name in pair]].sum(axis=1)
    found = amplitude[:, [names.index(name) for name in pair]].sum(axis=1)
    return float(np.sqrt(np.nanmean((found - truth) ** 2)))


def fitted(made: dict[str, Any], **options: Any) -> mp.FitResult:
    """Fit all spectra of a set."""
    data, basis = as_objects(made)
    return mp.fit(data, basis, mp.FitOptions(ppm=OPTIONS.ppm, **options))


def lcmodel() -> None:
    """Print the error beside LCModel's."""
    print("\n| set | error | LCModel | ratio | Glx RMSE [mM] | LCModel | CPU a spectrum |")
    print("|---|---|---|---|---|---|---|")
    for name in SETS:
        made = stored(name)
        theirs = np.load(SHARED / "data" / "synthetic" / f"{name}_lcm_default.npz")
        their_names = tuple(str(text) for text in theirs["names"])
        before = cpu_seconds()
        fit = fitted(made)
        milliseconds = 1e3 * (cpu_seconds() - before) / len(made["fids"])
        ours = squared_error(made, fit.names, fit.amplitude)
        other = squared_error(made, their_names, theirs["conc"])
        print(
            f"| {name} | {ours:.3g} | {other:.3g} | {ours / other:.2f} | "
            f"{glx_error(made, fit.names, fit.amplitude):.2f} | "
            f"{glx_error(made, their_names, theirs['conc']):.2f} | {milliseconds:.0f} ms |"
        )


def settings() -> None:
    """Print the error with other options."""
    print("\n| options | " + " | ".join(SETS) + " |")
    print("|---|" + "---|" * len(SETS))
    for label, options in SETTINGS.items():
        errors = []
        for name in SETS:
            made = stored(name)
            fit = fitted(made, **options)
            errors.append(f"{squared_error(made, fit.names, fit.amplitude):.3g}")
        print(f"| {label} | " + " | ".join(errors) + " |", flush=True)


def seeds() -> None:
    """Print the error on spectra that no choice in the code has seen."""
    print("\n| mode | SNR | error | Glx RMSE [mM] | slope of Glu |")
    print("|---|---|---|---|---|")
    for mode in ("wilson", "invivo", "wrong"):
        for snr in (10, 30, 60):
            made = spectra(mode, snr, 70_000, 300)
            fit = fitted(made)
            truth = made["truth"][:, made["names"].index("Glu")]
            slope = "-"
            if np.ptp(truth) > 0.0:
                found = fit.amplitude[:, fit.names.index("Glu")]
                (value, _), spread = np.polyfit(truth, found, 1, cov=True)
                slope = f"{value:.3f} +- {np.sqrt(spread[0, 0]):.3f}"
            print(
                f"| {mode} | {snr} | {squared_error(made, fit.names, fit.amplitude):.3g} | "
                f"{glx_error(made, fit.names, fit.amplitude):.2f} | {slope} |",
                flush=True,
            )


def real() -> None:
    """Print ratios to tCr against LCModel's."""
    reference = json.loads((SHARED / "data" / "reference" / "lcmodel.json").read_text())
    print("\n| recording | " + " | ".join(RATIOS) + " | fit quality | whiteness |")
    print("|---|" + "---|" * (len(RATIOS) + 2))
    for label, (recording, basis, key) in REAL.items():
        fit = mp.fit(
            mp.read(SHARED / "data" / recording),
            mp.read_basis(SHARED / "data" / "basis" / f"{basis}.basis"),
        )
        theirs = reference[key]["ratio_tCr"]
        cells = []
        for name, their_name in RATIOS.items():
            ratio = float(fit.estimate(name)[0] / fit.estimate("tCr")[0])
            cells.append(f"{100.0 * (ratio / theirs[their_name] - 1.0):+.1f} %")
        print(
            f"| {label} | "
            + " | ".join(cells)
            + f" | {fit.fit_quality:.2f} | {fit.whiteness:.1g} |"
        )


def cost() -> None:
    """Print time and memory against the number of spectra."""
    made = stored("invivo_snr30")
    fids = made["fids"]
    print("\n| spectra | CPU a spectrum | largest memory |")
    print("|---|---|---|")
    for count in (1, 8, 64, 512, 4096):
        made["fids"] = np.resize(fids, (count, fids.shape[1]))
        before = cpu_seconds()
        fitted(made)
        milliseconds = 1e3 * (cpu_seconds() - before) / count
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {count} | {milliseconds:.1f} ms | {megabytes:.0f} MB |", flush=True)


PARTS = {
    "lcmodel": lcmodel, "settings": settings, "seeds": seeds, "real": real, "cost": cost
}  # fmt: skip


if __name__ == "__main__":
    warnings.simplefilter("ignore", MRSWarning)
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
