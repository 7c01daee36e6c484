"""Names of signals: synonyms, combined quantities, macromolecules."""

from typing import Final

SYNONYMS: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(group.split())
    for group in (
        "Ins mI Ins1 myo-Ins",
        "Scyllo sIns sI scyllo-Ins",
        "PE PEth",
        "PCh PCho",
        "GPC GPCho",
        "Glc Glu_cose Gluc",
        "GSH Glth",
        "bHB BHB",
        "2HG twoHG",
        "Ace Act",
        "H2O water Water",
    )
)
"""Names of one substance in different programs, for look-up only; a basis set keeps its own."""

SUMS: Final[dict[str, tuple[str, ...]]] = {
    "tNAA": ("NAA", "NAAG"),
    "tCr": ("Cr", "PCr"),
    "tCho": ("GPC", "PCh", "Cho"),
    "Glx": ("Glu", "Gln"),
}
"""Combined quantities and their members (Kreis 2021, 10.1002/nbm.4347)."""

BROAD_PREFIXES: Final = ("MM", "Lip", "Mac")
"""How the names of macromolecule and lipid signals begin."""
