"""CPU time of basis sets: 20 metabolites at 3 T, from a cold cache, on one core.

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_spins.py`` prints the figures that
tests/benchmarks/README.md keeps.
"""

import os
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from mrsproc.basis import BasisSet
from mrsproc.data import Acquisition
from mrsproc.spins import simulate_basis

ACQUISITION = Acquisition(spectrometer_frequency=123.25, dwell_time=5e-4)

CASES: dict[str, Callable[[], BasisSet]] = {
    "ideal PRESS, 2048 points": lambda: simulate_basis(
        "press", echo_time=0.035, acquisition=ACQUISITION
    ),
    "ideal PRESS, 2048 points, from the cache": lambda: simulate_basis(
        "press", echo_time=0.035, acquisition=ACQUISITION
    ),
    "shaped PRESS, 41 points an axis": lambda: simulate_basis(
        "press", echo_time=0.035, acquisition=ACQUISITION, pulses="shaped"
    ),
    "shaped semi-LASER, 41 points an axis": lambda: simulate_basis(
        "slaser", echo_time=0.028, acquisition=ACQUISITION, pulses="shaped"
    ),
    "shaped STEAM, 41 points an axis": lambda: simulate_basis(
        "steam", echo_time=0.020, acquisition=ACQUISITION, pulses="shaped"
    ),
    "MEGA-PRESS difference, ideal but for editing": lambda: simulate_basis(
        "mega_press", echo_time=0.068, acquisition=ACQUISITION
    ),
}


def main() -> None:
    """Print the CPU time of every case."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MRSPROC_CACHE"] = folder
        for name, run in CASES.items():
            start = time.process_time()
            basis = run()
            spent = time.process_time() - start
            print(f"{name}: {spent:.2f} s CPU for {len(basis)} metabolites")


if __name__ == "__main__":
    main()
