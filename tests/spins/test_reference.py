"""Simulated basis sets against published ones."""

import warnings
from pathlib import Path

import pytest

from mrsproc.basis import BasisSet, compare
from mrsproc.data import Acquisition
from mrsproc.errors import MRSWarning
from mrsproc.io.lcmodel import load_basis
from mrsproc.spins import Moiety, SpinGroup, SpinSystem, simulate_basis

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "basis"

pytestmark = pytest.mark.real


def _reference(name: str) -> BasisSet:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MRSWarning)  # one file lacks its last point
        basis = load_basis(FOLDER / name)
    return basis.without([name for name in basis.names if name.startswith(("MM", "Lip"))])


def _correlations(simulated: BasisSet, reference: BasisSet) -> dict[str, float]:
    """Return correlations after the one shift and phase that suits all metabolites best."""
    found = compare(simulated, reference)
    return dict(zip(found.names, found.correlation.tolist(), strict=True))


def _simulated(sequence: str, reference: BasisSet, **options: object) -> BasisSet:
    acquisition = Acquisition(
        spectrometer_frequency=reference.spectrometer_frequency, dwell_time=reference.dwell_time
    )
    options = {"metabolites": list(reference.names), **options}
    return simulate_basis(sequence, acquisition=acquisition, n_points=reference.n_points, **options)  # type: ignore[arg-type]


def test_ideal_semi_laser() -> None:
    reference = _reference("slaser28_3t_ideal.basis")
    found = _correlations(_simulated("slaser", reference, echo_time=0.028), reference)
    assert len(found) == 20
    assert min(found.values()) > 0.99, found


@pytest.fixture(scope="module")
def press35() -> BasisSet:
    return _reference("press35_philips_3t.basis")


def test_shaped_press_is_like_that_of_a_scanner_and_better_than_ideal(press35: BasisSet) -> None:
    names = ["Glu", "Gln", "Ins", "NAA", "Tau", "GSH", "Lac", "Asp", "GABA"]
    reference = press35.select(names)
    shaped, ideal = (
        _correlations(_simulated("press", reference, echo_time=0.035, pulses=pulses), reference)
        for pulses in ("shaped", None)
    )
    assert min(shaped[name] for name in names) > 0.99, shaped
    for name in ("GSH", "Lac", "GABA"):
        assert shaped[name] > ideal[name]


def test_ascorbate_differs_in_its_couplings_only(press35: BasisSet) -> None:
    spins = [("4", 4.492), ("5", 4.002), ("6a", 3.743), ("6b", 3.716)]
    couplings = (("4", "5", 2.07), ("5", "6a", 6.0), ("5", "6b", 4.6), ("6a", "6b", -11.5))
    theirs = SpinSystem(
        "Asc", (Moiety(tuple(SpinGroup(a, 1, ppm) for a, ppm in spins), couplings),)
    )
    reference = press35.select(["Asc", "Cr", "NAA"])
    ours, like_theirs = (
        _correlations(
            _simulated(
                "press", reference, echo_time=0.035, metabolites=[asc, "Cr", "NAA"], pulses="shaped"
            ),
            reference,
        )
        for asc in ("Asc", theirs)
    )
    assert like_theirs["Asc"] > 0.99 > ours["Asc"] > 0.95
