"""Preprocessing against truth: alignment, bad transients, coils, CPU time.

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_preproc.py`` prints the figures that
tests/benchmarks/README.md keeps. It reads ../shared/data.
"""

import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import mrsproc as mp
from mrsproc import qc
from mrsproc.qc.noise import noise_sd
from mrsproc.simulation.example import example_basis

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
SEEDS = 12


def cramer_rao(template: np.ndarray, noise: float, dwell: float) -> tuple[float, float]:
    """Bounds of frequency [Hz] and phase [deg] of a known template in white noise, full band."""
    t = np.arange(template.size) * dwell
    power = np.abs(template) ** 2
    e0, e1, e2 = (float((power * t**k).sum()) for k in range(3))
    spread = e2 - e1**2 / e0
    return (
        noise / (2.0 * np.pi * np.sqrt(spread)),
        float(np.rad2deg(noise * np.sqrt(e2 / (e0 * spread)))),
    )


def errors(found, frequency, phase, good) -> tuple[float, float]:
    """SD of the errors of frequency [Hz] and phase [deg], common offsets removed."""
    off = (found.frequency_hz - frequency)[good]
    turn = np.exp(1j * (found.phase_rad - phase)[good])
    return float(off.std()), float(np.rad2deg(np.angle(turn / turn.mean()).std()))


def report(name, data, frequency, phase, ruined, template) -> None:
    good = ~ruined
    noise = float(np.median(noise_sd(data)[good]))
    hz, degrees = cramer_rao(template, noise, data.acquisition.dwell_time)
    start = time.process_time()
    drift = mp.align(data)
    cpu = time.process_time() - start
    error_hz, error_degrees = errors(drift, frequency, phase, good)
    smooth = errors(mp.align(data, drift="smooth"), frequency, phase, good)[0]
    bad = ~mp.find_outliers(drift.apply(data), alignment=drift).valid
    print(
        f"| {name} | {error_hz:.3f} | {hz:.3f} | {error_hz / hz:.2f} | {smooth:.3f} | "
        f"{error_degrees:.2f} | {degrees:.2f} | {error_degrees / degrees:.2f} | "
        f"{int((bad & ruined).sum())} of {int(ruined.sum())} | "
        f"{int((bad & good).sum())} of {int(good.sum())} | {cpu:.2f} s |"
    )


def sessions() -> None:
    for name in ("01", "02", "03", "05_long"):
        data = mp.read(FOLDER / "infusion" / f"session-{name}_svs.nii.gz")
        truth = pd.read_csv(FOLDER / "infusion" / f"session-{name}_truth.tsv", sep="\t")
        frequency, phase = truth.frequency_hz.to_numpy(), truth.phase_rad.to_numpy()
        ruined = truth.ruined.to_numpy(bool)
        turn = np.exp(1j * (2 * np.pi * frequency[:, None] * data.time + phase[:, None]))
        mean = data.with_fid(data.fid * turn, mp.Step("Truth", "turned back by the truth"))
        mean = mean.select(transient=~ruined).mean("transient")
        report(name, data, frequency, phase, ruined, denoised(mp.remove_water(mean)))


def denoised(mean: mp.MRSData) -> np.ndarray:
    """Metabolites of a mean spectrum, without the late noise of its FID."""
    inside = (mean.ppm > 0.0) & (mean.ppm < 4.4)
    spectrum = np.where(inside, mean.spectrum, 0.0)
    fid = np.fft.ifft(np.fft.ifftshift(spectrum))
    return fid * (mean.time < 0.3)


def simulated() -> None:
    """Sessions of our own simulator: means over seeds, and the losses by epoch."""
    basis, found, lost, kept, by_epoch = example_basis(), 0, 0, 0, {}
    ratios, ruined = [], 0
    for seed in range(SEEDS):
        options = mp.SessionOptions(
            n_ruined=12, frequency_drift_hz=8.0, line_narrowing_hz=0.3, gain_jitter=0.01
        )
        session = mp.simulate(basis, options, effects={"Glu": 0.1, "Gln": 0.05}, rng=seed)
        drift = mp.align(session.data)
        good = ~session.ruined
        off = (drift.frequency_hz - session.frequency_hz)[good]
        ratios.append(off.std() / np.median(drift.frequency_sd_hz[good]))
        bad = ~mp.find_outliers(drift.apply(session.data), alignment=drift).valid
        found, ruined = found + int((bad & ~good).sum()), ruined + int((~good).sum())
        lost, kept = lost + int((bad & good).sum()), kept + int(good.sum())
        names = np.where(session.time_s < 300, "baseline", "infusion")
        names = np.where(session.time_s >= 700, "after", names)
        for name in ("baseline", "infusion", "after"):
            part = (names == name) & good
            total = by_epoch.setdefault(name, [0, 0])
            total[0] += int((bad & part).sum())
            total[1] += int(part.sum())
    print(f"\nsimulator, {SEEDS} seeds: {found} of {ruined} ruined found, {lost} of {kept} lost")
    print("lost by epoch:", {k: f"{a} of {b}" for k, (a, b) in by_epoch.items()})
    print(f"scatter of the frequency over its SD: {np.mean(ratios):.2f}")


def coils() -> None:
    folder = FOLDER / "infusion"
    raw = mp.read(folder / "session-04_raw_svs.nii.gz")
    water = mp.read(folder / "session-04_raw_mrsref.nii.gz")
    with np.load(folder / "session-04_raw_coils.npz") as truth:
        s, psi = truth["sensitivity"], truth["noise_covariance"]
    best = np.sqrt((s.conj() @ np.linalg.solve(psi, s)).real)
    plain = water.fid.reshape(len(s), -1)[:, 0].conj()
    for name, w in (
        ("from water", mp.coil_weights(water, raw).weights),
        ("from the data", mp.coil_weights(raw).weights),
        ("phase and amplitude only", plain),
    ):
        print(f"coils, {name}: SNR {abs(w @ s) / np.sqrt((w @ psi @ w.conj()).real) / best:.4f}")


def real() -> None:
    folder = FOLDER / "steam_7t_multicoil"
    raw, water, processed = (
        mp.read(folder / f"{name}_anon.nii.gz") for name in ("metab_raw", "wref_raw", "metab")
    )
    mean, best = (
        mp.preprocess(raw, water).data.mean("transient"),
        mp.remove_water(processed),
    )
    for name, data in (("mrsproc, 16 transients", mean), ("processed file", best)):
        print(f"7 T, {name}: SNR {qc.signal_to_noise(data):.1f}, {qc.linewidth(data):.2f} Hz")
    both = mp.split_edited(
        mp.read(FOLDER / "siemens_mega_3t" / "mega-press-68-anon.nii.gz"), "blocks"
    )
    for aligned in (False, True):
        difference = mp.edited(both, aligned=aligned).difference
        inside = (difference.ppm > 3.15) & (difference.ppm < 3.3)
        size = np.sqrt((np.abs(difference.spectrum[inside]) ** 2).mean())
        print(f"MEGA-PRESS, aligned {aligned}: choline residual {size:.0f}")


def speed() -> None:
    session = mp.simulate(
        example_basis(), mp.SessionOptions(n_coils=4, n_ruined=8, snr=10.0), rng=0
    )
    times = []
    for _ in range(3):
        start = time.process_time()
        mp.preprocess(session.data, session.water)
        times.append(time.process_time() - start)
    print(f"preprocess, 320 transients x 4 coils x 1024 points: {np.median(times):.2f} s CPU")


def main() -> None:
    """Print all figures."""
    print("| session | error Hz | bound | ratio | smooth Hz | error deg | bound | ratio | ruined "
          "found | good lost | CPU |")  # fmt: skip
    print("|" + "---|" * 11)
    sessions()
    simulated()
    coils()
    real()
    speed()


if __name__ == "__main__":
    main()
