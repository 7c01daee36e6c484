"""The engine against textbook results and conservation laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrsproc.spins.engine import Field, Lines, merge_lines, simulate_lines
from mrsproc.spins.operators import (
    blocks_of,
    eigensystem,
    hamiltonian,
    magnetic_quantum_number,
    product_operators,
    rotation,
    spin_matrices,
)
from mrsproc.spins.sequences import RF, Delay, Scan, Sequence, Timing, build
from mrsproc.spins.systems import Moiety, SpinGroup, SpinSystem, names, spin_system

FIELD = Field(spectrometer_frequency=100.0)


def _system(
    spins: list[tuple[str, int, float]], couplings: list[tuple[str, str, float]]
) -> SpinSystem:
    groups = tuple(SpinGroup(*spin) for spin in spins)
    return SpinSystem("test", (Moiety(groups, tuple(couplings)),))


def _lines(system: SpinSystem, name: str, echo_time: float, **timing: float) -> Lines:
    return simulate_lines(system, build(name, Timing(echo_time, **timing), {}), FIELD)  # type: ignore[arg-type]


def _near(lines: Lines, ppm: float, width: float = 0.5) -> Lines:
    keep = np.abs(lines.shift - ppm) < width
    return Lines(lines.shift[keep], lines.amplitude[keep])


@pytest.mark.parametrize("spin", [0.5, 1.0, 1.5, 2.0])
def test_angular_momentum_algebra(spin: float) -> None:
    x, y, z = spin_matrices(spin)
    np.testing.assert_allclose(x @ y - y @ x, 1j * z, atol=1e-14)
    total = x @ x + y @ y + z @ z
    np.testing.assert_allclose(total, spin * (spin + 1) * np.eye(len(z)), atol=1e-14)


@pytest.mark.parametrize("name", ["press", "spin_echo"])
@pytest.mark.parametrize("echo_time", [0.0357, 1 / 14, 1 / 7, 0.2])
def test_ax_doublet_evolves_with_j(name: str, echo_time: float) -> None:
    # H = 2 pi J Iz Sz: in-phase part cos(pi J TE), antiphase part sin(pi J TE)
    coupling = 7.0
    ax = _system([("A", 1, 1.0), ("X", 1, 9.0)], [("A", "X", coupling)])
    lines = _near(_lines(ax, name, echo_time), 1.0)
    assert len(lines.shift) == 2
    np.testing.assert_allclose(np.ptp(lines.shift) * 100.0, coupling, atol=1e-2)
    in_phase = lines.amplitude.sum()
    antiphase = np.diff(lines.amplitude)[0]
    np.testing.assert_allclose(in_phase.real, np.cos(np.pi * coupling * echo_time), atol=5e-2)
    np.testing.assert_allclose(abs(antiphase), abs(np.sin(np.pi * coupling * echo_time)), atol=5e-2)


@pytest.mark.parametrize("echo_time", [0.0357, 1 / 14, 1 / 7])
def test_a2x_evolves_as_triplet_and_doublet(echo_time: float) -> None:
    coupling = 7.0
    a2x = _system([("A", 2, 1.0), ("X", 1, 9.0)], [("A", "X", coupling)])
    lines = _lines(a2x, "spin_echo", echo_time)
    doublet, triplet = _near(lines, 1.0), _near(lines, 9.0)
    cosine = np.cos(np.pi * coupling * echo_time)
    np.testing.assert_allclose(doublet.amplitude.sum().real, 2 * cosine, atol=5e-2)
    np.testing.assert_allclose(triplet.amplitude.sum().real, cosine**2, atol=5e-2)


def test_weak_coupling_is_the_limit_of_high_field() -> None:
    ax = _system([("A", 1, 1.0), ("X", 1, 9.0)], [("A", "X", 7.0)])
    high = Field(spectrometer_frequency=3000.0)
    sequence = build("spin_echo", Timing(0.05), {})
    lines = _near(simulate_lines(ax, sequence, high), 1.0)
    np.testing.assert_allclose(lines.amplitude.sum(), np.cos(np.pi * 7.0 * 0.05), atol=1e-3)


def test_ab_quartet() -> None:
    # Positions and intensities of the strongly coupled pair (Slichter; any textbook)
    difference, coupling = 12.0, 9.0
    ab = _system([("A", 1, 3.0 - 0.06), ("B", 1, 3.0 + 0.06)], [("A", "B", coupling)])
    lines = _lines(ab, "pulse_acquire", 0.0)
    root = np.hypot(difference, coupling)
    expected = np.array([-root - coupling, -root + coupling, root - coupling, root + coupling]) / 2
    sine = coupling / root
    np.testing.assert_allclose((lines.shift - 3.0) * 100.0, expected, atol=1e-6)
    np.testing.assert_allclose(
        lines.amplitude, np.array([1 - sine, 1 + sine, 1 + sine, 1 - sine]) / 2, atol=1e-9
    )


@pytest.mark.parametrize("name", names())
def test_first_point_of_pulse_acquire_is_the_number_of_protons(name: str) -> None:
    system = spin_system(name)
    lines = _lines(system, "pulse_acquire", 0.0)
    np.testing.assert_allclose(lines.amplitude.sum(), system.protons, atol=1e-4)
    assert (lines.amplitude.real > -1e-9).all()


@pytest.mark.parametrize(
    ("name", "part"),
    [("press", 1.0), ("spin_echo", 1.0), ("slaser", 1.0), ("special", 1.0), ("steam", 0.5)],
)
def test_singlet_amplitude(name: str, part: float) -> None:
    lines = _lines(spin_system("Ace"), name, 0.03)
    np.testing.assert_allclose(lines.shift, [1.904], atol=1e-9)
    np.testing.assert_allclose(lines.amplitude, [3.0 * part], atol=1e-9)


def test_special_with_ideal_pulses_is_a_spin_echo() -> None:
    one, two = (_lines(spin_system("Glu"), name, 0.03) for name in ("special", "spin_echo"))
    np.testing.assert_allclose(one.amplitude, two.amplitude, atol=1e-9)


def test_echo_depends_on_echo_time_alone_when_coupling_is_weak() -> None:
    ax = _system([("A", 1, 1.0), ("X", 1, 9.0)], [("A", "X", 7.0)])
    high = Field(spectrometer_frequency=3000.0)
    fids = []
    for name, extra in (
        ("press", {"first_echo_time": 0.01}),
        ("press", {"first_echo_time": 0.03}),
        ("slaser", {}),
    ):
        lines = simulate_lines(ax, build(name, Timing(0.05, **extra), {}), high)  # type: ignore[arg-type]
        fids.append(lines.amplitude)
    np.testing.assert_allclose(fids[0], fids[1], atol=2e-3)
    np.testing.assert_allclose(fids[0], fids[2], atol=2e-3)


def test_timing_matters_where_coupling_is_strong() -> None:
    fids = []
    for first in (0.01, 0.03):
        lines = _lines(spin_system("Glu"), "press", 0.06, first_echo_time=first)
        fids.append(lines.fid((4.65 - lines.shift) * 100.0, 512, 5e-4))
    assert np.abs(fids[0] - fids[1]).max() > 0.2


def test_stimulated_echo_at_short_times_is_half_of_every_spin() -> None:
    ax = _system([("A", 1, 1.0), ("X", 1, 9.0)], [("A", "X", 7.0)])
    sequence = build("steam", Timing(1e-6, mixing_time=0.0), {})
    lines = _near(simulate_lines(ax, sequence, FIELD), 1.0)
    np.testing.assert_allclose(lines.amplitude.sum(), 0.5, atol=1e-4)


def test_steam_zero_quantum_coherence_moves_with_mixing_time() -> None:
    ax = _system([("A", 1, 1.0), ("X", 1, 1.5)], [("A", "X", 7.0)])
    signals = []
    for mixing_time in (0.0, 0.01):  # zero-quantum frequency 50 Hz: half a turn in 10 ms
        sequence = build("steam", Timing(1 / 14, mixing_time=mixing_time), {})
        signals.append(simulate_lines(ax, sequence, FIELD).amplitude)
    assert np.abs(signals[0] - signals[1]).max() > 0.1


def test_composite_spins_equal_single_protons() -> None:
    whole = spin_system("Lac")
    apart = _system(
        [("2", 1, 4.0974), ("3a", 1, 1.3142), ("3b", 1, 1.3142), ("3c", 1, 1.3142)],
        [
            ("2", "3a", 6.933),
            ("2", "3b", 6.933),
            ("2", "3c", 6.933),
            ("3a", "3b", -12.0),
            ("3a", "3c", -12.0),
        ],
    )
    sequence = build("press", Timing(0.035), {})
    fids = [
        lines.fid((4.65 - lines.shift) * 123.25, 512, 5e-4)
        for lines in (simulate_lines(system, sequence, Field(123.25)) for system in (whole, apart))
    ]
    np.testing.assert_allclose(fids[0], fids[1], atol=1e-5)


def test_phosphorus_splits_but_does_not_evolve_in_an_echo() -> None:
    moiety = Moiety((SpinGroup("H", 2, 4.0),), (("H", "P", 7.0),), (("P", "31P"),))
    lines = _lines(SpinSystem("CH2P", (moiety,)), "spin_echo", 0.05)
    np.testing.assert_allclose((lines.shift - 4.0) * 100.0, [-3.5, 3.5], atol=1e-9)
    np.testing.assert_allclose(lines.amplitude, [1.0, 1.0], atol=1e-9)


def test_nitrogen_gives_three_equal_lines() -> None:
    moiety = Moiety((SpinGroup("H", 9, 3.2),), (("H", "N", 0.6),), (("N", "14N"),))
    lines = _lines(SpinSystem("NMe3", (moiety,)), "pulse_acquire", 0.0)
    np.testing.assert_allclose(lines.amplitude, [3.0, 3.0, 3.0], atol=1e-9)


_shifts = st.lists(st.floats(0.5, 9.0), min_size=2, max_size=4)


@settings(max_examples=25, deadline=None)
@given(_shifts, st.integers(0, 2**31), st.floats(0.0, 0.2))
def test_laws_of_conservation(shifts: list[float], seed: int, delay: float) -> None:
    rng = np.random.default_rng(seed)
    labels = [f"H{k}" for k in range(len(shifts))]
    spins = tuple(SpinGroup(label, 1, ppm) for label, ppm in zip(labels, shifts, strict=True))
    couplings = tuple(
        (a, b, float(rng.normal(0, 10))) for k, a in enumerate(labels) for b in labels[k + 1 :]
    )
    for block in blocks_of(Moiety(spins, couplings)):
        frequencies = block.frequencies(123.25, 3.0)
        matrix = hamiltonian(block, frequencies)
        np.testing.assert_array_equal(matrix, matrix.T)  # Hermitian, and real
        m = magnetic_quantum_number(block.spins)
        assert not matrix[m[:, None] != m].any()  # the total magnetisation is conserved
        energies, vectors = eigensystem(block, frequencies)
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(m)), atol=1e-12)
        np.testing.assert_allclose((vectors * energies) @ vectors.T, matrix, atol=1e-9)
        turn = rotation(block.spins, 137.0, 20.0)
        np.testing.assert_allclose(turn @ turn.conj().T, np.eye(len(m)), atol=1e-12)
        phase = (vectors * np.exp(-2j * np.pi * energies * delay)) @ vectors.T
        density = turn @ np.diag(m) @ turn.conj().T
        density = phase @ density @ phase.conj().T
        np.testing.assert_allclose(density, density.conj().T, atol=1e-10)
        np.testing.assert_allclose(np.trace(density @ density).real, (m**2).sum(), rtol=1e-10)


def test_ideal_rotation_turns_z_to_the_stated_axis() -> None:
    operators = product_operators((0.5, 1.0)).sum(axis=0)
    turn = rotation((0.5, 1.0), 90.0, -90.0)  # about -y: z becomes -x
    np.testing.assert_allclose(turn @ operators[2] @ turn.conj().T, -operators[0], atol=1e-12)


def test_coherence_filter_keeps_one_pathway() -> None:
    # A 120 degree pulse refocuses 3/4 of the transverse magnetisation and leaves the rest behind.
    events = (RF(90.0, 1, "excitation"), Delay(0.01), RF(120.0, -1), Delay(0.01))
    lines = simulate_lines(spin_system("Ace"), Sequence("own", 0.02, (Scan(events),)), Field(100.0))
    np.testing.assert_allclose(lines.amplitude, [2.25], atol=1e-9)


def test_merging_adds_lines_at_one_frequency() -> None:
    parts = [
        Lines(np.array([1.0, 2.0]), np.array([1.0, 1e-12])),
        Lines(np.array([1.0 + 1e-9]), np.array([2.0])),
    ]
    merged = merge_lines(parts, 1e-6)
    np.testing.assert_allclose(merged.amplitude, [3.0])


def test_fid_is_the_sum_of_its_lines() -> None:
    lines = Lines(np.array([1.0, 2.0]), np.array([1.0, 0.5j]))
    frequency = np.array([100.0, -30.0])
    time = np.arange(301) * 1e-3
    direct = np.exp(2j * np.pi * 100.0 * time) + 0.5j * np.exp(-2j * np.pi * 30.0 * time)
    np.testing.assert_allclose(lines.fid(frequency, 301, 1e-3), direct, atol=1e-12)
