"""Shaped pulses: designs, files, and their propagators for coupled spins."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrsproc.axes import Array
from mrsproc.errors import FormatError, InvalidInputError
from mrsproc.spins import gaussian, hamming_sinc, hyperbolic_secant, read_pulse, shinnar_le_roux
from mrsproc.spins.engine import Field, Lines, simulate_lines
from mrsproc.spins.operators import Block, blocks_of, eigensystem, hamiltonian, product_operators
from mrsproc.spins.propagation import shaped_propagator
from mrsproc.spins.pulses import Pulse, step_rotation
from mrsproc.spins.sequences import RF, Delay, Timing, build
from mrsproc.spins.systems import Moiety, SpinGroup, SpinSystem, spin_system


def _stepwise(block: Block, frequencies: Array, pulse: Pulse, offset: float, phase: float) -> Array:
    """Return the propagator as the product of the exact exponentials of every step."""
    operators = product_operators(block.spins).sum(axis=0)
    turn = np.eye(operators.shape[-1], dtype=complex)
    free = hamiltonian(block, frequencies + offset)
    for b1 in pulse.waveform * np.exp(1j * np.deg2rad(phase)):
        energies, vectors = np.linalg.eigh(free + b1.real * operators[0] + b1.imag * operators[1])
        step = (vectors * np.exp(-2j * np.pi * energies * pulse.time_step)) @ vectors.conj().T
        turn = step @ turn
    return turn


@pytest.mark.parametrize("name", ["Lac", "Asp", "GABA"])
def test_propagator_equals_the_product_of_all_steps(name: str) -> None:
    pulse = shinnar_le_roux(180.0, 6.9e-3, bandwidth=1350.0, n_steps=128)
    block = blocks_of(spin_system(name).moieties[0])[0]
    frequencies = block.frequencies(123.25, 3.0)
    offsets = np.array([-600.0, 0.0, 450.0])
    turns = shaped_propagator(block, frequencies, pulse, offsets, 30.0)
    for turn, offset in zip(turns, offsets, strict=True):
        np.testing.assert_allclose(
            turn, _stepwise(block, frequencies, pulse, offset, 30.0), atol=5e-5
        )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_propagators_of_any_pulse_are_unitary(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pulse = Pulse(rng.normal(0, 500, 40) + 1j * rng.normal(0, 500, 40), 5e-3, 1000.0, 2.5e-3)
    moiety = Moiety(
        (SpinGroup("A", 1, 1.0), SpinGroup("M", 3, 2.0), SpinGroup("X", 2, 4.0)),
        (("A", "M", 7.0), ("M", "X", 8.0), ("A", "X", -12.0)),
    )
    for block in blocks_of(moiety):
        turn = shaped_propagator(
            block, block.frequencies(123.25, 3.0), pulse, np.array([0.0, 300.0]), 0.0
        )
        identity = np.broadcast_to(np.eye(turn.shape[-1]), turn.shape)
        np.testing.assert_allclose(turn @ turn.conj().swapaxes(1, 2), identity, atol=1e-6)


def test_hard_limit_of_a_shaped_pulse_is_the_ideal_one() -> None:
    short = Pulse(np.full(4, 0.5 / 2e-6), 2e-6, 1e6, 1e-6)
    system, field = spin_system("Glu"), Field(123.25, grid_points=1)
    shaped, ideal = (
        simulate_lines(system, build("spin_echo", Timing(0.03), pulses), field)
        for pulses in ({"refocusing": short}, {})
    )
    fids = [lines.fid((4.65 - lines.shift) * 123.25, 400, 5e-4) for lines in (shaped, ideal)]
    np.testing.assert_allclose(fids[0], fids[1], atol=1e-3)


def test_projection_equals_the_full_grid() -> None:
    """Average PRESS over all positions of a 3D grid, one at a time, without the projection."""
    pulses = {
        "excitation": shinnar_le_roux(
            90.0, 3.2e-3, bandwidth=2200.0, kind="excitation", n_steps=64
        ),
        "refocusing": shinnar_le_roux(180.0, 6.9e-3, bandwidth=1350.0, n_steps=64),
    }
    field = Field(123.25, carrier_ppm=3.0, grid_points=3, grid_extent=1.5)
    moiety = Moiety((SpinGroup("A", 1, 1.3), SpinGroup("X", 1, 4.1)), (("A", "X", 7.0),))
    sequence = build("press", Timing(0.035), pulses)
    lines = simulate_lines(SpinSystem("AX", (moiety,)), sequence, field)
    coupled = _grid_average(moiety, sequence.scans[0].events, field)
    single = _grid_average(Moiety((SpinGroup("H", 1, 3.0),)), sequence.scans[0].events, field)
    expected = coupled / single.sum()
    np.testing.assert_allclose(lines.amplitude, expected[np.abs(expected) > 1e-7], atol=1e-3)


def _grid_average(moiety: Moiety, events: tuple[RF | Delay, ...], field: Field) -> Array:
    (block,) = blocks_of(moiety)
    frequencies = block.frequencies(field.spectrometer_frequency, field.carrier_ppm)
    energies, vectors = eigensystem(block, frequencies)
    operators = product_operators(block.spins).sum(axis=0)
    m = operators[2].diagonal().real
    order = np.round(m[:, None] - m)
    raising = vectors.T @ (operators[0] + 1j * operators[1]).real @ vectors
    total = np.zeros_like(raising, dtype=complex)
    mesh = np.array(np.meshgrid(*[field.positions] * 3)).reshape(3, -1).T
    grid = [dict(zip("xyz", place, strict=True)) for place in mesh]
    for place in grid:
        density = operators[2].copy()
        for event in events:
            if isinstance(event, Delay):
                turn = (vectors * np.exp(-2j * np.pi * energies * event.duration)) @ vectors.T
            else:
                assert event.shape is not None
                offset = place[event.axis or "x"] * event.shape.bandwidth
                turn = _stepwise(block, frequencies, event.shape, offset, event.phase)
                if event.role == "excitation":
                    turn = np.exp(2j * np.pi * offset * event.tail * m)[:, None] * turn
            density = turn @ density @ turn.conj().T
            if isinstance(event, RF):
                density = np.where(order == event.order, density, 0)
        total += vectors.T @ density @ vectors / len(grid)
    amplitude = (total * raising.T).conj() * (2.0 if len(m) == 2 else 1.0)
    frequency = energies - energies[:, None]
    rows, columns = np.nonzero(order == -1)
    ascending = np.argsort(frequency[rows, columns])
    return np.asarray(amplitude[rows, columns][ascending])


def test_chemical_shift_displacement_loses_coupled_signal_only() -> None:
    """Methyl protons of lactate far from the carrier see other refocusing than their partner."""
    narrow = {"refocusing": shinnar_le_roux(180.0, 6.9e-3, bandwidth=1350.0)}
    signals = []
    for pulses in ({}, narrow):
        lines = simulate_lines(
            spin_system("Lac"), build("press", Timing(0.144), pulses), Field(123.25)
        )
        methyl = np.abs(lines.shift - 1.31) < 0.3
        signals.append(abs(lines.amplitude[methyl].sum()))
        acetate = simulate_lines(
            spin_system("Ace"), build("press", Timing(0.144), pulses), Field(123.25)
        )
        assert abs(acetate.amplitude.sum()) == pytest.approx(3.0, rel=0.01)
    assert signals[1] < 0.8 * signals[0]


def test_grid_of_41_points_is_fine_enough() -> None:
    pulses = {"refocusing": shinnar_le_roux(180.0, 6.9e-3, bandwidth=1350.0)}
    sequence = build("press", Timing(0.035), pulses)
    fids = []
    for points in (41, 121):
        lines = simulate_lines(spin_system("Lac"), sequence, Field(123.25, grid_points=points))
        fids.append(lines.fid((4.65 - lines.shift) * 123.25, 400, 5e-4))
    np.testing.assert_allclose(fids[0], fids[1], atol=1e-3)


@pytest.mark.parametrize("flip_angle", [30.0, 90.0, 180.0])
def test_flip_angles(flip_angle: float) -> None:
    for pulse in (hamming_sinc(flip_angle, 3e-3), gaussian(flip_angle, 3e-3)):
        assert pulse.flip_angle == pytest.approx(flip_angle, abs=1e-6)


@pytest.mark.parametrize(
    ("flip_angle", "duration", "bandwidth", "kind"),
    [
        (90.0, 3.2e-3, 2200.0, "excitation"),
        (180.0, 6.9e-3, 1350.0, "refocusing"),
        (180.0, 5.2e-3, 1300.0, "inversion"),
    ],
)
def test_slr_profile(flip_angle: float, duration: float, bandwidth: float, kind: str) -> None:
    pulse = shinnar_le_roux(flip_angle, duration, bandwidth=bandwidth, kind=kind)  # type: ignore[arg-type]
    assert pulse.bandwidth == pytest.approx(bandwidth, rel=0.06)
    inside = pulse.profile(np.linspace(-0.3, 0.3, 31) * bandwidth)
    outside = pulse.profile(np.linspace(0.85, 3.0, 31) * bandwidth)
    assert inside.min() > 0.97
    assert outside.max() < 0.03


def test_symmetric_pulse_excites_at_its_middle() -> None:
    pulse = shinnar_le_roux(90.0, 3.2e-3, bandwidth=2200.0, kind="excitation")
    assert pulse.centre == pytest.approx(1.6e-3, rel=0.05)
    reversed_ = Pulse(pulse.waveform[::-1], pulse.duration)
    assert reversed_.centre == pytest.approx(pulse.centre, abs=2e-5)


def test_adiabatic_passage_does_not_depend_on_amplitude() -> None:
    effects = [
        hyperbolic_secant(8e-3, bandwidth=2000.0, peak=peak).profile([0.0, 500.0])
        for peak in (1000.0, 1400.0)
    ]
    assert np.min(effects) > 0.99


def test_single_spin_rotation_is_the_exponential() -> None:
    alpha, beta = step_rotation(np.array([130.0]), 200.0 + 50.0j, 1e-3)
    turn = np.array([[alpha[0], -beta[0].conj()], [beta[0], alpha[0].conj()]])
    matrix = np.array([[130.0, 200.0 - 50.0j], [200.0 + 50.0j, -130.0]]) / 2
    values, vectors = np.linalg.eigh(matrix)
    expected = (vectors * np.exp(-2j * np.pi * values * 1e-3)) @ vectors.conj().T
    np.testing.assert_allclose(turn, expected, atol=1e-12)


def test_bandwidth_of_the_slice_can_be_set() -> None:
    pulse = gaussian(90.0, 3e-3)
    assert pulse.with_bandwidth(500.0).bandwidth == 500.0
    assert pulse.with_bandwidth(500.0).waveform.tolist() == pulse.waveform.tolist()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.pta",
            "PULSENAME: a\n\n0.5 0.0 ; (0)\n1.0\t3.14159265358979\t; (1)\n0.5 0.0 ; (2)\n",
        ),
        ("a.RF", "# made up\n0.0 511.5 1.0 1\n180.0 1023.0 1.0 1\n0.0 511.5 1.0 1\n"),
        ("a.txt", "# amplitude phase\n0.5 0\n1.0 180\n0.5 0\n"),
        ("a.csv", "0.5,0\n1.0,180\n0.5,0\n"),
        ("b.txt", "0.5\n-1.0\n0.5\n"),
    ],
)
def test_pulse_files(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    pulse = read_pulse(path, duration=3e-3, peak=100.0, bandwidth=1000.0)
    np.testing.assert_allclose(pulse.waveform, [50.0, -100.0, 50.0], atol=1e-9)
    assert pulse.name == name


def test_flip_angle_of_a_pulse_file(tmp_path: Path) -> None:
    path = tmp_path / "rect.txt"
    path.write_text("1\n1\n1\n1\n")
    assert read_pulse(path, duration=1e-3, flip_angle=90.0).flip_angle == pytest.approx(90.0)


def test_bad_pulse_files(tmp_path: Path) -> None:
    path = tmp_path / "a.xyz"
    with pytest.raises(FormatError, match=r"unknown format '.xyz'.*Known: .pta"):
        read_pulse(path, duration=1e-3, peak=1.0)
    path = tmp_path / "a.txt"
    with pytest.raises(FormatError, match="no such file"):
        read_pulse(path, duration=1e-3, peak=1.0)
    path.write_text("1 2 3\n")
    with pytest.raises(FormatError, match="one or two columns"):
        read_pulse(path, duration=1e-3, peak=1.0)
    path.write_text("# empty\n")
    with pytest.raises(FormatError, match="no waveform"):
        read_pulse(path, duration=1e-3, peak=1.0)
    path.write_text("1\n-1\n1\n-1\n")
    with pytest.raises(InvalidInputError, match="swept in frequency"):
        read_pulse(path, duration=1e-3, flip_angle=180.0)
    with pytest.raises(InvalidInputError, match="either flip_angle"):
        read_pulse(path, duration=1e-3)


def test_bad_pulses_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="2 or more finite"):
        Pulse(np.array([1.0, np.nan]), 1e-3)
    with pytest.raises(InvalidInputError, match="length in s"):
        Pulse(np.ones(4), 5.0)
    with pytest.raises(InvalidInputError, match="must be positive"):
        Pulse(np.ones(4), 1e-3, -5.0)
    with pytest.raises(InvalidInputError, match="cannot have a bandwidth"):
        shinnar_le_roux(180.0, 1e-3, bandwidth=300.0)
    with pytest.raises(InvalidInputError, match="kind = 'saturation'"):
        shinnar_le_roux(90.0, 3e-3, bandwidth=2000.0, kind="saturation")  # type: ignore[arg-type]


def test_waveform_is_a_copy_and_read_only() -> None:
    given_ = np.ones(8)
    pulse = Pulse(given_, 1e-3)
    given_[0] = 5.0
    assert pulse.waveform[0] == 1.0
    for kept in (pulse, pickle.loads(pickle.dumps(pulse))):
        with pytest.raises(ValueError, match="read-only"):
            kept.waveform[0] = 2.0


def test_lines_scale() -> None:
    lines = Lines(np.array([1.0]), np.array([2.0 + 0j])).scaled(0.5j)
    np.testing.assert_allclose(lines.amplitude, [1.0j])
