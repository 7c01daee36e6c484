"""Scatter against SD of `mp.fit_peaks` on a 31P-like spectrum with tied multiplets.

Run: python tests/benchmarks/bench_peaks.py [number of spectra]
"""

import sys
import time

import numpy as np

import mrsproc as mp

MEGAHERTZ, DWELL, POINTS, J_HZ = 49.9, 1.0 / 3000.0, 1024, 16.0
STEP = J_HZ / MEGAHERTZ
LINES = [  # name, amplitude, ppm, width; doublets and a triplet spaced by J
    ("PCr", 10.0, 0.05, 6.0),
    ("Pi", 2.0, 4.85, 10.0),
    ("g1", 2.0, -2.5 - STEP / 2, 12.0),
    ("g2", 2.0, -2.5 + STEP / 2, 12.0),
    ("b1", 2.0, -16.1, 15.0),
    ("b2", 1.0, -16.1 - STEP, 15.0),
    ("b3", 1.0, -16.1 + STEP, 15.0),
]


def knowledge():
    gamma = {"amplitude": "g1_amplitude", "lorentz_hz": "g1_lorentz_hz"}
    beta = {"amplitude": "b1_amplitude / 2", "lorentz_hz": "b1_lorentz_hz"}
    return [
        mp.Peak("PCr", 0.0),
        mp.Peak("Pi", 4.8),
        mp.Peak("g1", LINES[2][2], lorentz_hz=10.0),
        mp.Peak("g2", f"g1_ppm + {STEP!r}", **gamma),
        mp.Peak("b1", -16.1, lorentz_hz=10.0),
        mp.Peak("b2", f"b1_ppm - {STEP!r}", **beta),
        mp.Peak("b3", f"b1_ppm + {STEP!r}", **beta),
    ]


def main(count):
    t = np.arange(POINTS) * DWELL
    clean = np.exp(0.7j) * sum(
        a * np.exp(-2j * np.pi * ppm * MEGAHERTZ * t - np.pi * width * t)
        for _, a, ppm, width in LINES
    )
    acquisition = mp.Acquisition(spectrometer_frequency=MEGAHERTZ, dwell_time=DWELL, nucleus="31P")
    for sd in (0.2, 0.5):
        rng = np.random.default_rng(1)
        noise = rng.standard_normal((2, count, POINTS))
        fid = clean + sd * (noise[0] + 1j * noise[1])
        data = mp.MRSData(fid=fid, dims=("transient", "time"), acquisition=acquisition)
        start = time.process_time()
        found = mp.fit_peaks(data, knowledge())
        cpu = (time.process_time() - start) / count
        print(
            f"noise SD {sd}: {int(found.success.sum())} of {count} fitted, {1e3 * cpu:.0f} ms each"
        )
        for name, amplitude, *_ in LINES:
            estimate, own = found.estimate(f"{name}_amplitude")
            z = (estimate - amplitude) / own
            inside = 100.0 * np.mean(np.abs(z) < 1.96)
            spread, mean = z.std(), z.mean()
            print(f"  {name:4s} SD of z {spread:.3f}, mean {mean:+.2f}, covered {inside:.1f} %")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
