"""The table of spin systems against its two witnesses, and its checks."""

import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from mrsproc.errors import InvalidInputError
from mrsproc.spins.systems import (
    DEFAULT_METABOLITES,
    Moiety,
    SpinGroup,
    SpinSystem,
    names,
    spin_system,
    spin_systems,
)

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "data" / "reference"

WANTED = {
    "Ace",
    "Ala",
    "Asc",
    "Asp",
    "bHB",
    "2HG",
    "Cit",
    "Cr",
    "Cys",
    "EtOH",
    "GABA",
    "Glc",
    "Glu",
    "Gln",
    "GSH",
    "GPC",
    "Gly",
    "H2O",
    "Ins",
    "Lac",
    "NAA",
    "NAAG",
    "PCh",
    "PCr",
    "PE",
    "Phe",
    "Scyllo",
    "Ser",
    "Tau",
    "Tyr",
}

Couplings = Counter[tuple[float, float, float]]
Content = tuple[Counter[float], Couplings]

IN_A: dict[str, list[str]] = {
    "2HG": ["2-hydroxyglutarate"],
    "Ace": ["acetate"],
    "Ala": ["alanine"],
    "Asp": ["aspartate"],
    "Cr": ["creatine"],
    "Cho": ["choline-methylene", "choline-trimethyl"],
    "EtOH": ["ethanol"],
    "Glc": ["glucose-alpha", "glucose-beta"],
    "Glu": ["glutamate"],
    "Gln": ["glutamine"],
    "GPC": ["GPC-gp", "GPC-pcholine1", "GPC-pcholine2"],
    "Gly": ["glycine"],
    "Lac": ["lactate"],
    "Ins": ["myo-inositol"],
    "NAA": ["n-acetylaspartate"],
    "Phe": ["phenylalanine"],
    "PCr": ["phosphocreatine"],
    "PE": ["phosphorylethanolamine"],
    "Pyr": ["pyruvate"],
    "PCh": ["phosphorylcholine-notrimethyl", "phosphorylcholine-trimethyl"],
    "Scyllo": ["scyllo-inositol"],
    "Suc": ["succinate"],
    "Tau": ["taurine"],
    "Thr": ["threonine"],
    "Tyr": ["tyrosine"],
    "Val": ["valine"],
}
"""Entries of witness A; GABA, GSH, NAAG and Ser differ for the reason that their note states."""

IN_B: dict[str, str] = {
    **{
        name: name
        for name in [
            "Ace",
            "Ala",
            "Asp",
            "Cit",
            "Cr",
            "GABA",
            "Glc",
            "Glu",
            "Gln",
            "GSH",
            "Gly",
            "Ins",
            "Lac",
        ]
    },
    **{name: name for name in ["NAA", "NAAG", "PCr", "PE", "Scyllo", "Ser", "bHB"]},
    "2HG": "bHG",
    "Phe": "Phenyl",
    "Tyr": "Tyros",
}
"""Entries of witness B; Asc, EtOH, GPC, H2O and PCh differ for the reason their note states."""


def _expanded(system: SpinSystem) -> Content:
    """Return shifts and couplings between single protons of different shift or group."""
    shifts: Counter[float] = Counter()
    couplings: Couplings = Counter()
    for moiety in system.moieties:
        groups = {group.label: group for group in moiety.spins}
        for group in moiety.spins:
            shifts[group.shift] += group.protons
        for first, second, value in moiety.couplings:
            if first in groups and second in groups:
                a, b = sorted((groups[first].shift, groups[second].shift))
                couplings[a, b, value] += groups[first].protons * groups[second].protons
    return shifts, couplings


def _of_a(entries: list[dict[str, Any]]) -> Content:
    shifts: Counter[float] = Counter()
    couplings: Couplings = Counter()
    for entry in entries:
        kept = [isotope == "1H" for isotope in entry["isotopes"]]
        ppm = entry["shift_ppm"]
        shifts.update(p for p, keep in zip(ppm, kept, strict=True) if keep)
        pairs = combinations(range(len(ppm)), 2)
        for (i, j), value in zip(pairs, entry["j_hz_upper_triangle"], strict=True):
            if value and kept[i] and kept[j]:
                couplings[*sorted((ppm[i], ppm[j])), value] += 1
    return shifts, couplings


def _of_b(entries: list[dict[str, Any]]) -> Content:
    shifts: Counter[float] = Counter()
    couplings: Couplings = Counter()
    for entry in entries:
        ppm = entry["shifts"] if isinstance(entry["shifts"], list) else [entry["shifts"]]
        times = round(entry["scaleFactor"]) if len(ppm) == 1 else 1
        for p in ppm:
            shifts[p] += times if p < 20 else 0
        matrix = entry["J"] if isinstance(entry["J"], list) else [[0.0]]
        for i, j in combinations(range(len(ppm)), 2):
            if matrix[i][j] and max(ppm[i], ppm[j]) < 20:
                couplings[*sorted((ppm[i], ppm[j])), matrix[i][j]] += 1
    return +shifts, couplings


def _seen(couplings: Couplings) -> Couplings:
    """Leave out couplings between protons of one shift, which some entries list and some do not."""
    return Counter({key: count for key, count in couplings.items() if key[0] != key[1]})


def test_every_metabolite_of_the_issue_is_there() -> None:
    assert set(names()) >= WANTED
    assert set(DEFAULT_METABOLITES) <= set(names())


@pytest.mark.parametrize("name", names())
def test_every_entry_has_a_source(name: str) -> None:
    system = spin_system(name)
    assert system.title
    assert all(doi.startswith("10.") for doi in system.doi) and system.doi


@pytest.mark.parametrize(
    ("name", "protons"),
    [("NAA", 7), ("Glu", 5), ("Gln", 7), ("GABA", 6), ("Ins", 6), ("Lac", 4), ("Cr", 6), ("PCr", 7),
     ("GPC", 18), ("PCh", 13), ("GSH", 12), ("NAAG", 13), ("Glc", 7), ("Tau", 4), ("Scyllo", 6),
     ("PE", 4), ("Phe", 8), ("Tyr", 7), ("H2O", 2), ("bHB", 6), ("Val", 8)],
)  # fmt: skip
def test_number_of_protons(name: str, protons: int) -> None:
    assert spin_system(name).protons == pytest.approx(protons)


@pytest.mark.real
@pytest.mark.parametrize("name", IN_A)
def test_witness_a_agrees(name: str) -> None:
    entries = json.loads((REFERENCE / "spin_systems_a.json").read_text())
    shifts, couplings = _of_a([entries[key] for key in IN_A[name]])
    found = _expanded(spin_system(name))
    assert found[0] == shifts
    assert _seen(found[1]) == _seen(couplings)


@pytest.mark.real
@pytest.mark.parametrize("name", IN_B)
def test_witness_b_agrees(name: str) -> None:
    entries = json.loads((REFERENCE / "spin_systems_b.json").read_text())
    shifts, couplings = _of_b(entries[IN_B[name]])
    found = _expanded(spin_system(name))
    assert found[0] == shifts
    assert _seen(found[1]) == _seen(couplings)


@pytest.mark.parametrize("name", ["Asc", "Cys", "EtOH", "GABA", "GPC", "GSH", "NAAG", "PCh", "Ser"])
def test_entries_that_differ_from_a_witness_say_why(name: str) -> None:
    assert len(spin_system(name).note) > 40


def test_synonyms_keep_the_name_that_was_given() -> None:
    assert spin_system("mI").name == "mI"
    assert spin_system("mI").moieties == spin_system("Ins").moieties
    assert spin_system("PCho").moieties == spin_system("PCh").moieties


def test_shifted_moves_every_line() -> None:
    moved = spin_system("NAA").shifted(-0.05)
    assert moved.moieties[0].spins[0].shift == pytest.approx(1.958)
    assert moved.protons == spin_system("NAA").protons


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="Did you mean 'Glu'"):
        spin_system("Glutamte")
    with pytest.raises(InvalidInputError, match="each once"):
        spin_systems(["Glu", "Glu"])
    with pytest.raises(InvalidInputError, match="at least one"):
        spin_systems([])
    pair = (SpinGroup("A", 1, 1.0), SpinGroup("B", 1, 2.0))
    with pytest.raises(InvalidInputError, match="a coupling names 'C'"):
        Moiety(pair, (("A", "C", 7.0),))
    with pytest.raises(InvalidInputError, match="a name of its own"):
        Moiety((pair[0], pair[0]))
    with pytest.raises(InvalidInputError, match="unknown isotope '12C'"):
        Moiety(pair, (), (("C", "12C"),))
    with pytest.raises(InvalidInputError, match="finite"):
        Moiety((SpinGroup("A", 1, float("nan")),))
