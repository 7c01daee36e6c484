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

WATER_MOLARITY: Final = 55510.0
"""Concentration of pure water [mmol per kg of water]: 1000 g / 18.0153 g/mol
(Gasparovic 2006, 10.1002/mrm.20901)."""

WATER_PROTONS: Final = 2
"""Protons of a water molecule that give signal."""

WATER_CONTENT: Final[dict[str, float]] = {"gm": 0.78, "wm": 0.65, "csf": 0.97}
"""Relative water density of tissue, as a fraction of pure water
(Near 2021, 10.1002/nbm.4257; Gasparovic 2006, 10.1002/mrm.20901)."""


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
