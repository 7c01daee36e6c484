"""Physical and reference values, each with its unit and source."""

from typing import Final, NamedTuple

GYROMAGNETIC_RATIO: Final[dict[str, float]] = {
    "1H": 42.577478518,
    "2H": 6.536,
    "13C": 10.7084,
    "19F": 40.078,
    "23Na": 11.262,
    "31P": 17.235,
}
"""Gyromagnetic ratio over 2 pi [MHz/T]; 1H shielded values differ by 26 ppm (CODATA 2018,
10.1103/RevModPhys.93.025010); the others to the digits of Harris 2001 (10.1351/pac200173111795)."""

PPM_REFERENCE: Final[dict[str, float]] = {"1H": 4.65, "2H": 4.65}
"""Chemical shift [ppm] at the centre of the spectrum; water at 37 degrees C for protons
(Kreis 2021, 10.1002/nbm.4347). Other nuclei have 0 at the transmitter."""

NAA_SINGLET_PPM: Final = 2.008
"""Chemical shift of the N-acetyl singlet of NAA [ppm]
(Govindaraju 2000, 10.1002/1099-1492(200005)13:3<129::AID-NBM619>3.0.CO;2-V)."""

CR_SINGLET_PPM: Final = 3.027
"""Chemical shift of the N-methyl singlet of creatine [ppm] (Govindaraju 2000, same source)."""

CHO_SINGLET_PPM: Final = 3.208
"""Chemical shift of the N-trimethyl singlet of phosphocholine [ppm] (Govindaraju 2000, same
source)."""

WATER_MOLALITY: Final = 55510.0
"""Concentration of pure water [mmol per kg of water]: 1000 g / 18.0153 g/mol
(Gasparovic 2006, 10.1002/mrm.20901)."""

WATER_DENSITY: Final = 0.9933
"""Density of water at 37 degrees C [kg/L] (Tanaka 2001, 10.1088/0026-1394/38/4/3)."""

WATER_PROTONS: Final = 2
"""Protons of a water molecule that give signal."""

WATER_CONTENT: Final[dict[str, float]] = {"gm": 0.78, "wm": 0.65, "csf": 0.97}
"""Relative density of MR-visible water in tissue, as a fraction of pure water
(Ernst 1993, 10.1006/jmrb.1993.1055, as used by Gasparovic 2006, 10.1002/mrm.20901)."""

WATER_T1: Final[dict[float, dict[str, float]]] = {
    3.0: {"gm": 1.331, "wm": 0.832, "csf": 3.817},
    7.0: {"gm": 2.132, "wm": 1.220, "csf": 4.425},
}
"""T1 of water by field [T] and tissue [s]. 3 T: Wansapura 1999
(10.1002/(SICI)1522-2586(199904)9:4<531::AID-JMRI4>3.0.CO;2-L), CSF Lu 2005 (10.1002/jmri.20356);
7 T: Rooney 2007 (10.1002/mrm.21122)."""

WATER_T2: Final[dict[float, dict[str, float]]] = {
    3.0: {"gm": 0.110, "wm": 0.0792, "csf": 0.503},
    7.0: {"gm": 0.050, "wm": 0.055, "csf": 1.050},
}
"""T2 of water by field [T] and tissue [s]. 3 T: Wansapura 1999 (see `WATER_T1`), CSF Piechnik 2009
(10.1002/mrm.21897); 7 T: Bartha 2002 (10.1002/mrm.10112), CSF Spijkerman 2018
(10.1007/s10334-017-0659-3)."""

METABOLITE_T1: Final[dict[float, dict[str, float]]] = {
    3.0: {
        "NAA": 1.41, "Cr": 1.35, "PCr": 1.35, "GPC": 1.19, "PCh": 1.19, "Cho": 1.19,
        "Glu": 1.22, "Ins": 1.12, "*": 1.26,
    },
    7.0: {"*": 1.58},
}  # fmt: skip
"""T1 of metabolites by field [T] [s]; "*" stands for those not listed, the mean of those measured.
3 T: Mlynarik 2001 (10.1002/nbm.713), mean of grey and white matter; 7 T: mean of the singlets of
Li 2012 (10.4172/2155-9937.S1-002)."""

METABOLITE_T2: Final[dict[float, dict[str, float]]] = {
    3.0: {
        "NAA": 0.270, "NAAG": 0.210, "Cr": 0.160, "PCr": 0.160, "GPC": 0.232, "PCh": 0.232,
        "Cho": 0.232, "Glu": 0.179, "Gln": 0.131, "Ins": 0.208, "Scyllo": 0.125, "Tau": 0.112,
        "GSH": 0.100, "GABA": 0.088, "Lac": 0.140, "Asp": 0.138, "Asc": 0.125, "PE": 0.119,
        "Gly": 0.174, "*": 0.139,
    },
    7.0: {
        "NAA": 0.170, "Cr": 0.120, "PCr": 0.120, "GPC": 0.151, "PCh": 0.151, "Cho": 0.151,
        "Glu": 0.136, "Gln": 0.107, "Ins": 0.102, "Scyllo": 0.104, "Tau": 0.092, "GSH": 0.080,
        "GABA": 0.087, "Lac": 0.138, "*": 0.107,
    },
}  # fmt: skip
"""T2 of metabolites in human brain by field [T] [s]: median over studies of each study's median,
patients left out, of the singlet where there is one, in the database of Gudmundson 2023
(10.1016/j.ab.2023.115227); "*" stands for those not listed, the median of those listed."""


class BroadLine(NamedTuple):
    """One Gaussian line of a macromolecule or lipid signal."""

    ppm: float
    """Chemical shift [ppm]."""
    fwhm_ppm: float
    """Full width at half maximum [ppm] at 3 T and below."""
    protons: float
    """Relative area."""


MACROMOLECULES: Final[dict[str, tuple[BroadLine, ...]]] = {
    "Lip09": (BroadLine(0.89, 0.14, 3.0),),
    "Lip13a": (BroadLine(1.28, 0.15, 2.0),),
    "Lip13b": (BroadLine(1.28, 0.089, 2.0),),
    "Lip20": (BroadLine(2.04, 0.15, 1.33), BroadLine(2.25, 0.15, 0.67), BroadLine(2.8, 0.2, 0.87)),
    "MM09": (BroadLine(0.91, 0.14, 3.0),),
    "MM12": (BroadLine(1.21, 0.15, 2.0),),
    "MM14": (BroadLine(1.43, 0.17, 2.0),),
    "MM17": (BroadLine(1.67, 0.15, 2.0),),
    "MM20": (
        BroadLine(2.08, 0.15, 1.33),
        BroadLine(2.25, 0.2, 0.33),
        BroadLine(1.95, 0.15, 0.33),
        BroadLine(3.0, 0.2, 0.4),
    ),
}
"""Macromolecule and lipid signals as the LCModel manual (version 6.3, section 11.7) simulates them
up to 4 T
(Provencher 1993, 10.1002/mrm.1910300604)."""
