"""Angular momentum operators and the independent blocks of a spin system.

Magnetically equivalent protons are added to composite spins: the total spin of such a group is
conserved by every pulse and delay, so that three methyl protons act as one spin 3/2 and twice a
spin 1/2, and the coupling between them has no effect (Slichter, 10.1007/978-3-662-09441-9, section
11). Heteronuclear couplings are weak: each state of the other nucleus gives a block of its own with
shifted proton frequencies.
"""

from dataclasses import dataclass
from functools import cache, reduce
from itertools import combinations, product

import numpy as np

from mrsproc.axes import Array
from mrsproc.spins.systems import NUCLEAR_SPIN, Moiety, SpinGroup


@dataclass(frozen=True, eq=False)
class Block:
    """Spins that evolve together and independently of all others.

    Parameters
    ----------
    spins : tuple of float
        Spin quantum numbers.
    shift : ndarray, shape (n_spins,)
        Chemical shifts [ppm].
    offset : ndarray, shape (n_spins,)
        Frequencies added by other nuclei [Hz].
    coupling : ndarray, shape (n_spins, n_spins)
        Scalar couplings [Hz], symmetric.
    weight : float
        Signal per unit of trace, so that all blocks of a moiety add up to its number of protons.
    """

    spins: tuple[float, ...]
    shift: Array
    offset: Array
    coupling: Array
    weight: float

    def frequencies(self, spectrometer_frequency: float, carrier_ppm: float) -> Array:
        """Return the precession frequencies [Hz] in the frame that rotates at `carrier_ppm`."""
        return (self.shift - carrier_ppm) * spectrometer_frequency + self.offset


@cache
def spin_matrices(spin: float) -> tuple[Array, Array, Array]:
    """Return Ix, Iy and Iz of a single spin, shape (2 I + 1, 2 I + 1), highest m first.

    Parameters
    ----------
    spin : float
        Quantum number: 0, 1/2, 1, 3/2, ...

    Returns
    -------
    tuple of ndarray
        Complex matrices in units of h-bar.
    """
    m = spin - np.arange(round(2 * spin) + 1)
    raising = np.diag(np.sqrt(spin * (spin + 1) - m[1:] * (m[1:] + 1)), 1).astype(complex)
    lowering = raising.T
    return (raising + lowering) / 2, (raising - lowering) / 2j, np.diag(m).astype(complex)


@cache
def product_operators(spins: tuple[float, ...]) -> Array:
    """Return Ix, Iy, Iz of every spin in the product basis, shape (n_spins, 3, dim, dim)."""
    eyes = [np.eye(round(2 * spin) + 1) for spin in spins]
    operators = []
    for number, spin in enumerate(spins):
        rows = [
            reduce(np.kron, [*eyes[:number], one, *eyes[number + 1 :]])
            for one in spin_matrices(spin)
        ]
        operators.append(rows)
    return np.array(operators)


@cache
def magnetic_quantum_number(spins: tuple[float, ...]) -> Array:
    """Return the total magnetic quantum number of the product states, shape (dim,)."""
    single = [spin - np.arange(round(2 * spin) + 1) for spin in spins]
    total: Array = reduce(np.add.outer, single).ravel()
    return total


@cache
def raising_operator(spins: tuple[float, ...]) -> Array:
    """Return F+, the operator whose expectation value is the signal, shape (dim, dim)."""
    operators = product_operators(spins)
    total: Array = (operators[:, 0] + 1j * operators[:, 1]).sum(axis=0).real
    return total


def hamiltonian(block: Block, frequencies: Array) -> Array:
    """Return the Hamiltonian of free precession [Hz], real and symmetric, shape (dim, dim).

    Parameters
    ----------
    block : Block
        Gives the couplings.
    frequencies : ndarray, shape (n_spins,)
        Precession frequencies [Hz].

    Returns
    -------
    ndarray
        Zeeman and full scalar coupling terms.
    """
    operators = product_operators(block.spins)
    total = np.tensordot(frequencies, operators[:, 2].real, axes=1)
    for i, j in combinations(range(len(block.spins)), 2):
        if block.coupling[i, j]:
            dot = np.einsum("aij,ajk->ik", operators[i], operators[j]).real
            total += block.coupling[i, j] * dot
    return total


def eigensystem(block: Block, frequencies: Array) -> tuple[Array, Array]:
    """Diagonalise free precession, one total magnetic quantum number at a time.

    Parameters
    ----------
    block : Block
        The spins.
    frequencies : ndarray, shape (n_spins,)
        Precession frequencies [Hz].

    Returns
    -------
    energies : ndarray, shape (dim,)
        Eigenvalues [Hz].
    vectors : ndarray, shape (dim, dim)
        Eigenvectors as columns; the column of an eigenvalue has the magnetic quantum number of its
        row.
    """
    total = hamiltonian(block, frequencies)
    m = magnetic_quantum_number(block.spins)
    energies, vectors = np.zeros(len(m)), np.zeros((len(m), len(m)))
    for value in np.unique(m):
        rows = np.flatnonzero(m == value)
        energies[rows], vectors[np.ix_(rows, rows)] = np.linalg.eigh(total[np.ix_(rows, rows)])
    return energies, vectors


def rotation(spins: tuple[float, ...], flip_angle: float, phase: float) -> Array:
    """Return the propagator of a pulse without duration, shape (dim, dim).

    Parameters
    ----------
    spins : tuple of float
        Spin quantum numbers.
    flip_angle, phase : float
        Angle of the rotation and direction of its axis in the transverse plane [degrees].

    Returns
    -------
    ndarray
        Unitary matrix in the product basis.
    """
    single = []
    for spin in spins:
        ix, _, iz = spin_matrices(spin)
        values, vectors = np.linalg.eigh(ix)
        turn = (vectors * np.exp(-1j * np.deg2rad(flip_angle) * values)) @ vectors.conj().T
        twist = np.exp(-1j * np.deg2rad(phase) * np.diag(iz))
        single.append(twist[:, None] * turn * twist.conj())
    total: Array = reduce(np.kron, single)
    return total


def blocks_of(moiety: Moiety) -> tuple[Block, ...]:
    """Split a moiety into blocks that evolve independently.

    Parameters
    ----------
    moiety : Moiety
        Protons that may couple.

    Returns
    -------
    tuple of Block
        One for each connected set of protons, combination of total spins and state of the other
        nuclei.
    """
    blocks: list[Block] = []
    for members in _connected(moiety):
        blocks.extend(_component_blocks(moiety, members))
    return tuple(blocks)


def _connected(moiety: Moiety) -> list[list[SpinGroup]]:
    """Return the sets of groups that couplings between protons connect, in the order given."""
    home = {group.label: {group.label} for group in moiety.spins}
    for first, second, value in moiety.couplings:
        if value and first in home and second in home:
            joined = home[first] | home[second]
            for label in joined:
                home[label] = joined
    seen: list[set[str]] = []
    for group in moiety.spins:
        if home[group.label] not in seen:
            seen.append(home[group.label])
    return [[group for group in moiety.spins if group.label in labels] for labels in seen]


def _composite(protons: int) -> list[tuple[float, int]]:
    """Return the total spins of equivalent protons and how often each occurs."""
    counts = {0.0: 1}
    for _ in range(protons):
        grown: dict[float, int] = {}
        for spin, count in counts.items():
            for total in {spin + 0.5, abs(spin - 0.5)}:
                grown[total] = grown.get(total, 0) + count
        counts = grown
    return sorted(counts.items(), reverse=True)


def _component_blocks(moiety: Moiety, members: list[SpinGroup]) -> list[Block]:
    lone = len(members) == 1  # uncoupled protons act like as many single ones
    choices = [[(0.5, members[0].protons)]] if lone else [_composite(g.protons) for g in members]
    trace = 0.5 if lone else 2.0 ** sum(g.protons for g in members) / 4.0
    coupling, offsets = _couplings(moiety, members), _other_nuclei(moiety, members)
    blocks: list[Block] = []
    for totals in product(*choices):
        keep = [k for k, (spin, _) in enumerate(totals) if spin > 0]
        if not keep:
            continue
        number = np.prod([count for _, count in totals])
        blocks.extend(
            Block(
                spins=tuple(totals[k][0] for k in keep),
                shift=np.array([members[k].shift for k in keep]),
                offset=offset[keep],
                coupling=coupling[np.ix_(keep, keep)],
                weight=float(moiety.weight * number / trace / len(offsets)),
            )
            for offset in offsets
        )
    return blocks


def _couplings(moiety: Moiety, members: list[SpinGroup]) -> Array:
    place = {group.label: k for k, group in enumerate(members)}
    matrix = np.zeros((len(members), len(members)))
    for first, second, value in moiety.couplings:
        if first in place and second in place:
            matrix[place[first], place[second]] += value
            matrix[place[second], place[first]] += value
    return matrix


def _other_nuclei(moiety: Moiety, members: list[SpinGroup]) -> list[Array]:
    """Return the proton frequencies [Hz] that each state of the other nuclei adds."""
    place = {group.label: k for k, group in enumerate(members)}
    shifts = {label: np.zeros(len(members)) for label, _ in moiety.nuclei}
    for first, second, value in moiety.couplings:
        for proton, other in ((first, second), (second, first)):
            if proton in place and other in shifts:
                shifts[other][place[proton]] += value
    states = []
    for label, isotope in moiety.nuclei:
        spin = NUCLEAR_SPIN[isotope]
        if shifts[label].any():
            states.append([m * shifts[label] for m in spin - np.arange(round(2 * spin) + 1)])
    none = np.zeros(len(members))
    return [sum(combination, start=none) for combination in product(*states)]
