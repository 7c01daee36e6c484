"""Spin systems: the protons of a metabolite, their chemical shifts and scalar couplings."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from mrsproc.basis import SYNONYMS
from mrsproc.errors import InvalidInputError, suggest

NUCLEAR_SPIN: Final[dict[str, float]] = {"14N": 1.0, "31P": 0.5, "13C": 0.5, "15N": 0.5, "19F": 0.5}
"""Spin quantum number of the nuclei that may couple to protons
(Harris 2001, 10.1351/pac200173111795)."""

DEFAULT_METABOLITES: Final[tuple[str, ...]] = (
    "Ala", "Asc", "Asp", "Cr", "GABA", "GPC", "GSH", "Glc", "Gln", "Glu",
    "Gly", "Ins", "Lac", "NAA", "NAAG", "PCh", "PCr", "PE", "Scyllo", "Tau",
)  # fmt: skip
"""What a spectrum of healthy brain is fitted with (Near 2021, 10.1002/nbm.4257)."""


@dataclass(frozen=True)
class SpinGroup:
    """Protons that are magnetically equivalent.

    Parameters
    ----------
    label : str
        Name within the moiety, for example ``"3CH3"``.
    protons : int
        How many there are.
    shift : float
        Chemical shift [ppm].
    """

    label: str
    protons: int
    shift: float


@dataclass(frozen=True)
class Moiety:
    """A part of a molecule whose protons do not couple to those of other parts.

    Parameters
    ----------
    spins : tuple of SpinGroup
        The protons.
    couplings : tuple of (str, str, float), default ()
        Two labels and J [Hz]. Couplings to other nuclei are taken as weak.
    nuclei : tuple of (str, str), default ()
        Label and isotope of other nuclei that couple to the protons, for example ``("P", "31P")``.
    weight : float, default 1.0
        Fraction of the molecules that hold this moiety; below 1 for an anomer.

    Raises
    ------
    InvalidInputError
        A label that stands twice or is unknown, an isotope that is unknown, a value that is not
        finite.
    """

    spins: tuple[SpinGroup, ...]
    couplings: tuple[tuple[str, str, float], ...] = ()
    nuclei: tuple[tuple[str, str], ...] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        labels = [group.label for group in self.spins] + [label for label, _ in self.nuclei]
        if not self.spins or len(set(labels)) != len(labels):
            raise InvalidInputError(
                f"labels {labels}: give each spin of a moiety a name of its own."
            )
        for _, isotope in self.nuclei:
            if isotope not in NUCLEAR_SPIN:
                raise InvalidInputError(
                    f"unknown isotope {isotope!r}. {suggest(isotope, NUCLEAR_SPIN)}"
                )
        for first, second, _ in self.couplings:
            for label in (first, second):
                if label not in labels:
                    raise InvalidInputError(f"a coupling names {label!r}. {suggest(label, labels)}")
        numbers = [group.shift for group in self.spins] + [value for *_, value in self.couplings]
        counts = [group.protons for group in self.spins]
        if not np.isfinite([*numbers, self.weight]).all() or min(counts) < 1 or self.weight <= 0:
            raise InvalidInputError(
                "shifts and couplings must be finite, protons and weight positive."
            )


@dataclass(frozen=True)
class SpinSystem:
    """Protons of a metabolite.

    Parameters
    ----------
    name : str
        Short name, for example ``"Glu"``.
    moieties : tuple of Moiety
        Parts that are simulated apart.
    title : str, default ""
        Name of the substance.
    doi : tuple of str, default ()
        Where shifts and couplings were published; the later ones correct the first.
    note : str, default ""
        What was decided where published values differ.
    """

    name: str
    moieties: tuple[Moiety, ...]
    title: str = ""
    doi: tuple[str, ...] = ()
    note: str = ""

    @property
    def protons(self) -> float:
        """Protons of one molecule that are observed, which is the first point of its FID."""
        return float(
            sum(part.weight * sum(g.protons for g in part.spins) for part in self.moieties)
        )

    def shifted(self, ppm: float) -> "SpinSystem":
        """Return the system with all chemical shifts moved, for another temperature or reference.

        Parameters
        ----------
        ppm : float
            What to add to every chemical shift [ppm].

        Returns
        -------
        SpinSystem
            The moved one.
        """
        moieties = tuple(
            Moiety(
                tuple(SpinGroup(g.label, g.protons, g.shift + ppm) for g in part.spins),
                part.couplings,
                part.nuclei,
                part.weight,
            )
            for part in self.moieties
        )
        return SpinSystem(self.name, moieties, self.title, self.doi, self.note)


def _moiety(entry: Mapping[str, Any]) -> Moiety:
    return Moiety(
        spins=tuple(SpinGroup(str(a), int(n), float(ppm)) for a, n, ppm in entry["spins"]),
        couplings=tuple((str(a), str(b), float(j)) for a, b, j in entry.get("couplings", ())),
        nuclei=tuple((str(a), str(isotope)) for a, isotope in entry.get("nuclei", ())),
        weight=float(entry.get("weight", 1.0)),
    )


@cache
def _library() -> dict[str, SpinSystem]:
    text = files("mrsproc.spins").joinpath("spin_systems.toml").read_text(encoding="utf-8")
    return {
        name: SpinSystem(
            name=name,
            moieties=tuple(_moiety(part) for part in entry["moieties"]),
            title=entry["title"],
            doi=tuple(entry["doi"]),
            note=entry.get("note", ""),
        )
        for name, entry in tomllib.loads(text).items()
    }


def names() -> tuple[str, ...]:
    """Return the names of the metabolites whose spin systems are built in.

    Returns
    -------
    tuple of str
        In alphabetical order.

    Examples
    --------
    >>> "Glu" in names()
    True
    """
    return tuple(sorted(_library(), key=str.lower))


def spin_system(name: str) -> SpinSystem:
    """Return a built-in spin system.

    Parameters
    ----------
    name : str
        Name or synonym, for example ``"Ins"`` or ``"mI"``.

    Returns
    -------
    SpinSystem
        With its sources; the name is kept as given.

    Raises
    ------
    InvalidInputError
        Unknown name.

    References
    ----------
    Govindaraju 2000, 10.1002/1099-1492(200005)13:3<129::AID-NBM619>3.0.CO;2-V; Govind 2015,
    10.1002/nbm.3336; Near 2013, 10.1002/mrm.24572; each entry has its own.

    Examples
    --------
    >>> spin_system("NAA").protons
    7.0
    """
    library = _library()
    if name not in library:
        synonyms = next((group for group in SYNONYMS if name in group), frozenset[str]())
        known = next((synonym for synonym in sorted(synonyms) if synonym in library), None)
        if known is None:
            raise InvalidInputError(f"no spin system for {name!r}. {suggest(name, names())}")
        found = library[known]
        return SpinSystem(name, found.moieties, found.title, found.doi, found.note)
    return library[name]


def spin_systems(metabolites: Iterable[str | SpinSystem] | None) -> tuple[SpinSystem, ...]:
    """Return the spin systems for names and for systems given as they are.

    Parameters
    ----------
    metabolites : iterable of str or SpinSystem, optional
        What to simulate; `DEFAULT_METABOLITES` when not given.

    Returns
    -------
    tuple of SpinSystem
        In the order given.

    Raises
    ------
    InvalidInputError
        Unknown name, a name that stands twice, or nothing.
    """
    if isinstance(metabolites, str):
        metabolites = [metabolites]
    chosen = DEFAULT_METABOLITES if metabolites is None else tuple(metabolites)
    systems = tuple(m if isinstance(m, SpinSystem) else spin_system(m) for m in chosen)
    found = [system.name for system in systems]
    if not found or len(set(found)) != len(found):
        raise InvalidInputError(f"metabolites = {found}: give at least one, and each once.")
    return systems
