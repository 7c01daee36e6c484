"""Propagators of shaped pulses for coupled spins, at many slice positions at once.

The pulse, the slice gradient and the chemical shifts turn each spin on its own, which is integrated
exactly, step by step, for single spins. In the frame that turns with every spin only the scalar
couplings are left. They are small, so that a few steps of the Magnus expansion to fourth order
(Blanes 2009, 10.1016/j.physrep.2008.11.001) replace hundreds of products of large matrices.
"""

from functools import cache, reduce
from itertools import combinations, pairwise
from typing import Any, Final

import numpy as np

from mrsproc.axes import Array
from mrsproc.spins.operators import Block, product_operators
from mrsproc.spins.pulses import Pulse, step_rotation

_LONGEST_STEP: Final = 1.0e-3
"""Longest step of the Magnus expansion [s]."""

_LARGEST_TURN: Final = 0.25
"""Turns that coupled spins may make relative to each other in a step; errors stay below 1e-4."""


def shaped_propagator(
    block: Block, frequencies: Array, pulse: Pulse, offsets: Array, phase: float
) -> Array:
    """Return the propagators of a shaped pulse.

    Parameters
    ----------
    block : Block
        The spins.
    frequencies : ndarray, shape (n_spins,)
        Precession frequencies relative to the pulse [Hz].
    pulse : Pulse
        The pulse.
    offsets : ndarray, shape (n_positions,)
        Frequencies that the slice gradient adds [Hz].
    phase : float
        Phase of the pulse [degrees].

    Returns
    -------
    ndarray, shape (n_positions, dim, dim)
        Unitary matrices in the product basis.
    """
    waveform = pulse.waveform * np.exp(1j * np.deg2rad(phase))
    total = offsets[:, None] + frequencies
    step_length = min(_LONGEST_STEP, _LARGEST_TURN / max(np.ptp(frequencies), 1.0))
    n_slices = max(2, int(np.ceil(pulse.duration / step_length)))
    edges = np.linspace(0, len(waveform), min(n_slices, len(waveform)) + 1).round().astype(int)
    alpha, beta = np.ones(total.shape, complex), np.zeros(total.shape, complex)
    coupled = None
    pairs = [(i, j) for i, j in combinations(range(len(block.spins)), 2) if block.coupling[i, j]]
    for start, stop in pairwise(edges):
        frames = []
        for b1 in waveform[start:stop]:
            frames.append(_advance(alpha, beta, total, b1, pulse.time_step / 2))
            alpha, beta = _advance(*frames[-1], total, b1, pulse.time_step / 2)
        if pairs:
            step = _coupling_step(block, pairs, frames, (stop - start) * pulse.time_step)
            coupled = step if coupled is None else step @ coupled
    turn = _turned(block.spins, alpha, beta)
    return turn if coupled is None else turn @ coupled


def _advance(
    alpha: Array, beta: Array, offset: Array, b1: complex, duration: float
) -> tuple[Array, Array]:
    a, b = step_rotation(offset, b1, duration)
    return a * alpha - b.conj() * beta, b * alpha + a.conj() * beta


def _rotation_matrix(alpha: Array, beta: Array) -> Array:
    """Return O with R(t)^dagger I_a R(t) = sum_b O_ab I_b, shape (..., 3, 3)."""
    sigma = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    turn = np.stack([np.stack([alpha, -beta.conj()], -1), np.stack([beta, alpha.conj()], -1)], -2)
    turned = np.einsum("...ji,ajk,...kl->...ail", turn.conj(), sigma, turn, optimize=True)
    matrix: Array = np.einsum("...ail,bli->...ab", turned, sigma).real / 2
    return matrix


def _coupling_step(
    block: Block, pairs: list[tuple[int, int]], frames: list[tuple[Array, Array]], duration: float
) -> Array:
    """Return the propagator of the couplings over some steps of a pulse, in the turning frame."""
    alpha = np.array([frame[0] for frame in frames])
    beta = np.array([frame[1] for frame in frames])
    turn = _rotation_matrix(alpha, beta)  # (steps, positions, spins, 3, 3)
    middle = (np.arange(len(frames)) + 0.5) / len(frames) - 0.5
    mean, moment = (
        _coupling_generator(block, pairs, turn, weights / len(frames), duration)
        for weights in (np.ones(len(frames)), middle)
    )
    return _exponential(mean + moment @ mean - mean @ moment)


def _coupling_generator(
    block: Block, pairs: list[tuple[int, int]], turn: Array, weights: Array, duration: float
) -> Array:
    """Return a weighted sum over time of the generators, shape (positions, dim, dim)."""
    coefficients = []
    for i, j in pairs:
        total = np.einsum("t,txab,txac->xbc", weights, turn[:, :, i], turn[:, :, j], optimize=True)
        coefficients.append(block.coupling[i, j] * total.reshape(len(total), 9))
    flat = np.concatenate(coefficients, axis=1)  # (positions, 9 pairs)
    generator = (_pair_operators(block.spins, tuple(pairs)) @ flat.T).T
    dim = round(np.sqrt(generator.shape[1]))
    scaled: Array = -2j * np.pi * duration * generator.reshape(-1, dim, dim)
    return scaled


@cache
def _pair_operators(spins: tuple[float, ...], pairs: tuple[tuple[int, int], ...]) -> Any:
    """Return I_a I_b of pairs of spins as columns of a sparse matrix, shape (dim**2, 9 n_pairs)."""
    from scipy import sparse

    operators = product_operators(spins)
    columns = [
        sparse.csc_matrix((operators[i, a] @ operators[j, b]).reshape(-1, 1))
        for i, j in pairs
        for a in range(3)
        for b in range(3)
    ]
    return sparse.hstack(columns).tocsr()


def _exponential(matrix: Array) -> Array:
    """Return exp of matrices of norm below about 0.5, by 8 terms of the series in 4 products."""
    square = matrix @ matrix
    cube = square @ matrix
    eye = np.eye(matrix.shape[-1])
    high = eye / 6 + matrix / 24 + square / 120 + cube / 720
    return eye + matrix + square / 2 + cube @ high


@cache
def _symmetric_subspace(twice_spin: int) -> Array:
    """Return the isometry from spin I to 2 I spins 1/2, shape (2**(2 I), 2 I + 1)."""
    ups = np.array([state.bit_count() for state in range(2**twice_spin)])
    columns = np.array([(ups == down).astype(float) for down in range(twice_spin + 1)]).T
    normalised: Array = columns / np.linalg.norm(columns, axis=0)
    return normalised


def _turned(spins: tuple[float, ...], alpha: Array, beta: Array) -> Array:
    """Return the rotation of all spins, shape (positions, dim, dim), from those of single ones."""
    single = []
    for number, spin in enumerate(spins):
        a, b = alpha[:, number], beta[:, number]
        half = np.stack([np.stack([a, -b.conj()], -1), np.stack([b, a.conj()], -1)], -2)
        twice = round(2 * spin)
        power = reduce(_kron, [half] * twice)
        isometry = _symmetric_subspace(twice)
        single.append(isometry.T @ power @ isometry)
    return reduce(_kron, single)


def _kron(left: Array, right: Array) -> Array:
    """Return the Kronecker products of stacks of square matrices."""
    n, dim = len(left), left.shape[-1] * right.shape[-1]
    product: Array = np.einsum("xij,xkl->xikjl", left, right).reshape(n, dim, dim)
    return product
