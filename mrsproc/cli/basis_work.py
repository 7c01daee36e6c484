"""What ``mrsproc basis ...`` does, as generators of the lines that are printed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrsproc import io
from mrsproc.basis import BasisSet, compare
from mrsproc.cli.work import basis_lines, save_figure
from mrsproc.data import Acquisition
from mrsproc.errors import InvalidInputError, suggest

_PULSES = {"ideal": None, "shaped": "shaped"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be simulated, times in ms, as typed."""

    sequence: str
    te: float | None
    like: Path | None
    frequency: float | None
    dwell: float
    points: int
    metabolites: str | None
    pulses: str
    te1: float | None
    tm: float | None
    macromolecules: str | None
    edit: str | None


def simulated(wanted: Wanted, output: Path, file_format: str | None) -> Iterator[str]:
    """Simulate a basis set, write and draw it."""
    from tqdm import tqdm

    from mrsproc.spins import simulate_basis

    acquisition, points = _acquisition(wanted)
    with tqdm(desc="simulating", unit="metabolite", leave=False, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        basis = simulate_basis(
            wanted.sequence,
            echo_time=None if wanted.te is None else wanted.te * 1e-3,
            acquisition=acquisition,
            n_points=points,
            progress=progress,
            **_options(wanted),
        )
    echo_time = acquisition.echo_time if wanted.te is None else wanted.te * 1e-3
    io.write_basis(
        basis, output, file_format=file_format, echo_time=echo_time, sequence=wanted.sequence
    )
    yield from basis_lines(basis)
    yield f"wrote {output}"
    yield from (f"wrote {path}" for path in _draw(basis, output.with_suffix("")))


def _acquisition(wanted: Wanted) -> tuple[Acquisition, int]:
    if wanted.like is not None:
        data = io.read(wanted.like)
        return data.acquisition, data.n_points
    if wanted.frequency is None:
        raise InvalidInputError(
            "for which scanner? Give --like RECORDING, or --frequency with --dwell and --points."
        )
    return (
        Acquisition(spectrometer_frequency=wanted.frequency, dwell_time=wanted.dwell * 1e-3),
        wanted.points,
    )


def _options(wanted: Wanted) -> dict[str, Any]:
    """Return the options that were given, in the units of the library."""
    if wanted.pulses not in _PULSES:
        raise InvalidInputError(f"pulses = {wanted.pulses!r}. {suggest(wanted.pulses, _PULSES)}")
    options: dict[str, Any] = {"pulses": _PULSES[wanted.pulses]}
    if wanted.metabolites is not None:
        options["metabolites"] = [name.strip() for name in wanted.metabolites.split(",")]
    if wanted.te1 is not None:
        options["first_echo_time"] = wanted.te1 * 1e-3
    if wanted.tm is not None:
        if wanted.sequence != "steam":
            raise InvalidInputError(f"--tm is for steam; {wanted.sequence} has no mixing time.")
        options["mixing_time"] = wanted.tm * 1e-3
    if wanted.edit is not None:
        if not wanted.sequence.startswith("mega"):
            raise InvalidInputError(
                f"--edit is for mega_press or mega_slaser, not {wanted.sequence}."
            )
        options["edit"] = wanted.edit
    if wanted.macromolecules is not None:
        options["macromolecules"] = wanted.macromolecules
    return options


def _draw(basis: BasisSet, base: Path) -> list[Path]:
    from mrsproc import plot

    paths = [base.with_name(f"{base.name}.{suffix}") for suffix in ("png", "svg")]
    save_figure(lambda: plot.basis(basis), paths)
    return paths


def shown(path: Path, output: Path | None) -> Iterator[str]:
    """Tell what a basis set holds, and draw it where a picture is wanted."""
    basis = io.read_basis(path)
    yield from basis_lines(basis)
    if output is not None:
        from mrsproc import plot

        save_figure(lambda: plot.basis(basis), [output])
        yield f"wrote {output}"


def converted(
    path: Path, output: Path, *, referenced: bool, file_format: str | None
) -> Iterator[str]:
    """Write a basis set in another format."""
    basis = io.read_basis(path)
    if referenced:
        basis = basis.referenced()
    io.write_basis(basis, output, file_format=file_format)
    yield from basis_lines(basis)
    yield f"wrote {output}"


def compared(first: Path, second: Path, ppm: tuple[float, float]) -> Iterator[str]:
    """Correlate two basis sets, a line for each signal in both."""
    found = compare(io.read_basis(first), io.read_basis(second), ppm=ppm)
    yield (
        f"correlation of real spectra, {min(ppm):g} to {max(ppm):g} ppm, 6 Hz broadened; the "
        f"second set shifted by {found.shift_ppm:+.4f} ppm and turned by {found.phase_deg:+.1f} deg"
    )
    for name, value in zip(found.names, found.correlation, strict=True):
        yield f"{name:<8} {value:.4f}"
    for which, names in (("first", found.only_first), ("second", found.only_second)):
        if names:
            yield f"only in the {which}: {', '.join(names)}"
