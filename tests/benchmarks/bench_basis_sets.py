"""Correlation of simulated basis sets with published ones, 0.2 to 4.2 ppm, 6 Hz broadened.

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_basis_sets.py`` prints the figures that
tests/benchmarks/README.md keeps. It reads ../shared/data/basis.
"""

import os
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from mrsproc.basis import BROAD_PREFIXES, BasisSet, compare
from mrsproc.data import Acquisition
from mrsproc.errors import MRSWarning
from mrsproc.io import read_basis
from mrsproc.spins import simulate_basis

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "basis"


def published(name: str) -> BasisSet:
    """Return the metabolites of a published basis set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MRSWarning)  # one file lacks its last point
        basis = read_basis(FOLDER / name)
    return basis.without([name for name in basis.names if name.startswith(BROAD_PREFIXES)])


def report(title: str, sequence: str, reference: BasisSet, **options: object) -> None:
    """Simulate what a published set holds, and print the correlations."""
    acquisition = Acquisition(
        spectrometer_frequency=reference.spectrometer_frequency, dwell_time=reference.dwell_time
    )
    simulated = simulate_basis(
        sequence,
        acquisition=acquisition,
        n_points=reference.n_points,
        metabolites=reference.names,
        **options,  # type: ignore[arg-type]
    )
    found = compare(simulated, reference)
    values = ", ".join(f"{name} {found[name]:.4f}" for name in found.names)
    print(f"{title} (shift {found.shift_ppm:+.4f} ppm, phase {found.phase_deg:+.1f} deg): {values}")


def main() -> None:
    """Print the correlations with two published sets."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MRSPROC_CACHE"] = folder
        slaser = published("slaser28_3t_ideal.basis")
        report("semi-LASER 28 ms, ideal", "slaser", slaser, echo_time=0.028)
        press = published("press35_philips_3t.basis")
        report("PRESS 35 ms, ideal", "press", press, echo_time=0.035)
        report("PRESS 35 ms, shaped", "press", press, echo_time=0.035, pulses="shaped")


if __name__ == "__main__":
    main()
