r"""What the tissue of a voxel does to the signals of water and metabolites.

A voxel holds the volume fractions :math:`V_i` of grey matter, white matter and CSF. Its water
molecules spread over them by the relative water densities :math:`d_i`,

.. math:: f_i = \frac{V_i d_i}{\sum_j V_j d_j}

and relaxation leaves of the signal of each, after an echo time and with a repetition time,

.. math:: R = e^{-T_E / T_2} \, \left(1 - e^{-T_R / T_1}\right)

for a 90 degree excitation. Metabolites are in grey and white matter only. With the signal of one
proton of a metabolite relative to that of one proton of water, :math:`s`, and the concentration of
pure water, 55.51 mol/kg, the concentration in mol per kg of tissue water is

.. math:: c_{molal} = s \cdot 55.51 \,
          \frac{\sum_i f_i R_i}{(1 - f_{CSF}) \, R_m}

(Gasparovic 2006, 10.1002/mrm.20901; Near 2021, 10.1002/nbm.4257), and in mol per litre of tissue,
with the density of water :math:`\rho`,

.. math:: c_{molar} = s \cdot 55.51 \, \rho \,
          \frac{\sum_i V_i d_i R_i}{(1 - V_{CSF}) \, R_m},

which is the molal concentration times the water that a litre of this tissue holds. STEAM loses, by
T1, a little more during its mixing time, of water and metabolites alike; this is not corrected.
"""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from mrsproc import constants
from mrsproc.axes import Array
from mrsproc.basis import BROAD_PREFIXES, SYNONYMS
from mrsproc.data import MRSData, Record
from mrsproc.errors import DataWarning, InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

TISSUES: Final = ("gm", "wm", "csf")
_SUM_TOLERANCE: Final = 0.02  # fractions given to two digits
_FIELD_TOLERANCE: Final = 0.1  # 2.89 T is 3 T
_WELL_COVERED: Final = 0.9
_LARGEST_EDGE_MM: Final = 500.0  # converters write 10 m where the header knows no voxel
_OVERLAP: Final = 1.05
_SAMPLES_A_VOXEL: Final = 3  # along an edge of a voxel of the segmentation


@dataclass(frozen=True, eq=False, kw_only=True)
class Tissue(Record):
    """Volume fractions of a voxel.

    Parameters
    ----------
    gm, wm, csf : float
        Fractions of grey matter, white matter and CSF, 0 to 1, which sum to 1 within 0.02.
    coverage : float, default 1.0
        Part of the voxel that the segmentation calls one of the three.

    Raises
    ------
    InvalidInputError
        Values that are not fractions of one voxel.

    Examples
    --------
    >>> Tissue(gm=0.6, wm=0.3, csf=0.1).csf
    0.1
    """

    gm: float
    wm: float
    csf: float
    coverage: float = 1.0

    def __post_init__(self) -> None:
        for name in (*TISSUES, "coverage"):
            value = getattr(self, name)
            if not 0.0 <= float(value) <= 1.0:
                raise InvalidInputError(
                    f"{name} = {value!r}: give a volume fraction between 0 and 1 (not percent)."
                )
            object.__setattr__(self, name, float(value))
        total = self.gm + self.wm + self.csf
        if abs(total - 1.0) > _SUM_TOLERANCE:
            raise InvalidInputError(
                f"gm = {self.gm:g}, wm = {self.wm:g} and csf = {self.csf:g} sum to {total:.4g}: "
                "give fractions of the whole voxel, which sum to 1."
            )
        super().__post_init__()

    @classmethod
    def from_segmentation(
        cls, voxel: MRSData | ArrayLike, *, gm: object, wm: object, csf: object
    ) -> Self:
        """Return the fractions of a voxel from maps of the three tissues.

        The maps are those of FAST, SPM or any other segmentation of an image of the same session:
        each of their voxels holds the fraction of it that is the tissue (or 0 and 1). They are
        sampled on a grid that fills the spectroscopic voxel, whatever its angle, and need not have
        the same grid as one another.

        Parameters
        ----------
        voxel : MRSData or array_like, shape (4, 4)
            A recording with its affine, or the affine itself as NIfTI-MRS stores it: from the index
            of the voxel, whose centre is 0, to scanner coordinates [mm]; its columns are the edges.
        gm, wm, csf : path or nibabel image
            Maps of grey matter, white matter and CSF, three-dimensional, values 0 to 1, in the same
            scanner coordinates.

        Returns
        -------
        Tissue
            Fractions of what the maps call one of the three, and the coverage; a warning is given
            where that is less than 90 % of the voxel.

        Raises
        ------
        InvalidInputError
            A voxel without a position, maps that are not fractions or overlap, or that do not reach
            the voxel.

        References
        ----------
        Clarke 2022, 10.1002/mrm.29418 (NIfTI-MRS).
        """
        affine = _voxel_affine(voxel)
        given = {"gm": gm, "wm": wm, "csf": csf}
        maps = {name: _tissue_map(image, name) for name, image in given.items()}
        points = _points_inside(affine, min(tissue.finest_edge for tissue in maps.values()))
        values = {name: tissue.at(points) for name, tissue in maps.items()}
        if np.quantile(sum(values.values()), 0.99) > _OVERLAP:
            raise InvalidInputError(
                "the maps of gm, wm and csf sum to more than 1 inside the voxel: give three maps "
                "of fractions that do not overlap."
            )
        volume = {name: float(value.mean()) for name, value in values.items()}
        coverage = sum(volume.values())
        if coverage <= 0.0:
            raise InvalidInputError(
                "the segmentation holds none of the three tissues inside the voxel: are both from "
                "the same session, and in the same scanner coordinates?"
            )
        if coverage < _WELL_COVERED:
            warnings.warn(
                f"only {100.0 * coverage:.0f} % of the voxel is grey matter, white matter or CSF "
                "in the segmentation; the fractions are those of that part.",
                DataWarning,
                stacklevel=2,
            )
        parts = {name: value / coverage for name, value in volume.items()}
        return cls(**parts, coverage=min(coverage, 1.0))


def _voxel_affine(voxel: MRSData | ArrayLike) -> Array:
    """Return the affine of a voxel, checked."""
    given = voxel.affine if isinstance(voxel, MRSData) else voxel
    if given is None:
        raise InvalidInputError("the recording has no affine: the place of its voxel is not known.")
    affine = np.asarray(given, float)
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise InvalidInputError(
            f"affine of shape {affine.shape}: give 4 x 4 finite numbers, from the index of the "
            "voxel to scanner coordinates in mm."
        )
    edges = np.linalg.norm(affine[:3, :3], axis=0)
    if not ((edges > 0.0) & (edges < _LARGEST_EDGE_MM)).all() or np.linalg.det(affine) == 0.0:
        raise InvalidInputError(
            f"the voxel measures {' x '.join(f'{edge:.4g}' for edge in edges)} mm: its header does "
            "not hold the size and place of a voxel."
        )
    return affine


class _Map(NamedTuple):
    """A tissue map: values, and the affine from their indices to scanner coordinates [mm]."""

    values: Array
    affine: Array

    @property
    def finest_edge(self) -> float:
        """Shortest edge of its voxels [mm]."""
        return float(np.linalg.norm(self.affine[:3, :3], axis=0).min())

    def at(self, points: Array) -> Array:
        """Return the values at points [mm]: each voxel is a block; 0 outside."""
        inverse = np.linalg.inv(self.affine)
        index = np.rint(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
        inside = ((index >= 0) & (index < np.array(self.values.shape))).all(axis=1)
        found = np.zeros(len(points))
        found[inside] = self.values[tuple(index[inside].T)]
        return found


def _tissue_map(given: object, name: str) -> _Map:
    """Return a map in three dimensions, its values fractions."""
    import nibabel as nib

    image: Any = nib.load(given) if isinstance(given, (str, os.PathLike)) else given
    if not (hasattr(image, "affine") and hasattr(image, "dataobj")):
        raise InvalidInputError(f"{name} = {type(given).__name__}: give a path or a nibabel image.")
    values = np.asanyarray(image.dataobj)
    if values.ndim < 3 or values.size != np.prod(values.shape[:3]):
        raise InvalidInputError(f"{name} has shape {values.shape}: give a three-dimensional map.")
    if not (np.isfinite(values).all() and values.min() >= -1e-3 and values.max() <= 1.0 + 1e-3):
        raise InvalidInputError(
            f"{name} holds values from {values.min():.4g} to {values.max():.4g}: give a map of "
            "fractions, 0 to 1 (a label image has to be split into one map a tissue)."
        )
    return _Map(values.reshape(values.shape[:3]), np.asarray(image.affine, float))


def _points_inside(affine: Array, edge_mm: float) -> Array:
    """Return points that fill a voxel evenly [mm], shape (n, 3)."""
    edges = np.linalg.norm(affine[:3, :3], axis=0)
    counts = np.maximum(np.ceil(edges / edge_mm * _SAMPLES_A_VOXEL).astype(int), 1)
    axes = [(np.arange(count) + 0.5) / count - 0.5 for count in counts]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(index @ affine[:3, :3].T + affine[:3, 3])


@dataclass(frozen=True, eq=False, kw_only=True)
class Relaxation(Record):
    """Relaxation times and water densities at one field strength.

    Take those of the literature from `at`, and swap what you know better with
    ``dataclasses.replace``.

    Parameters
    ----------
    water_t1, water_t2 : mapping of str to float
        Relaxation times of water in "gm", "wm" and "csf" [s].
    metabolite_t1, metabolite_t2 : mapping of str to float
        Relaxation times of metabolites by name [s]; "*" for all others.
    water_content : mapping of str to float, optional
        Relative water density of "gm", "wm" and "csf"; those of Ernst 1993 when not given.
    source : str, default "given by the user"
        Where the values are from.

    Raises
    ------
    InvalidInputError
        A tissue or "*" that is missing, or a value that is not positive.

    Examples
    --------
    >>> import dataclasses
    >>> literature = Relaxation.at(3.0)
    >>> mine = dataclasses.replace(literature, metabolite_t2={"Glu": 0.16, "*": 0.2})
    >>> mine.t2("Glu"), mine.t2("Gln")
    (0.16, 0.2)
    """

    water_t1: Mapping[str, float]
    water_t2: Mapping[str, float]
    metabolite_t1: Mapping[str, float]
    metabolite_t2: Mapping[str, float]
    water_content: Mapping[str, float] = field(default_factory=constants.WATER_CONTENT.copy)
    source: str = "given by the user"

    def __post_init__(self) -> None:
        for name in ("water_t1", "water_t2", "water_content", "metabolite_t1", "metabolite_t2"):
            values = getattr(self, name)
            missing = {*(TISSUES if name.startswith("water") else ("*",))} - set(values)
            wrong = [key for key, value in values.items() if not 0.0 < value < 100.0]
            if missing or wrong:
                raise InvalidInputError(
                    f"{name} = {dict(values)}: give positive numbers (times in s), also for "
                    f"{', '.join(sorted(missing | set(wrong)))}."
                )
        super().__post_init__()

    @classmethod
    def at(cls, field_strength: float) -> Self:
        """Return the values of the literature at a field strength.

        Parameters
        ----------
        field_strength : float
            Static field [T], within 10 % of 3 or 7.

        Returns
        -------
        Relaxation
            See `mrsproc.constants` for every source with its DOI.

        Raises
        ------
        InvalidInputError
            A field for which no values are kept.
        """
        known = list(constants.WATER_T1)
        near = [value for value in known if abs(field_strength / value - 1.0) < _FIELD_TOLERANCE]
        if not near:
            raise InvalidInputError(
                f"no relaxation times are kept for {field_strength:.3g} T, only for "
                f"{' and '.join(f'{value:g}' for value in known)} T: give your own, "
                "relaxation=mp.Relaxation(water_t1=..., ...)."
            )
        return cls(
            water_t1=constants.WATER_T1[near[0]],
            water_t2=constants.WATER_T2[near[0]],
            metabolite_t1=constants.METABOLITE_T1[near[0]],
            metabolite_t2=constants.METABOLITE_T2[near[0]],
            source=f"literature at {near[0]:g} T: {_SOURCES[near[0]]}",
        )

    def t1(self, metabolite: str) -> float:
        """Return the T1 of a metabolite [s], that of "*" where it is not listed."""
        return _listed(self.metabolite_t1, metabolite)

    def t2(self, metabolite: str) -> float:
        """Return the T2 of a metabolite [s], that of "*" where it is not listed."""
        return _listed(self.metabolite_t2, metabolite)


_SOURCES: Final = {
    3.0: "water 10.1002/(SICI)1522-2586(199904)9:4<531::AID-JMRI4>3.0.CO;2-L, CSF "
    "10.1002/jmri.20356 and 10.1002/mrm.21897; metabolites T1 10.1002/nbm.713, T2 "
    "10.1016/j.ab.2023.115227; water density 10.1006/jmrb.1993.1055",
    7.0: "water 10.1002/mrm.21122 and 10.1002/mrm.10112, CSF 10.1007/s10334-017-0659-3; "
    "metabolites T1 10.4172/2155-9937.S1-002, T2 10.1016/j.ab.2023.115227; water density "
    "10.1006/jmrb.1993.1055",
}


def _listed(values: Mapping[str, float], name: str) -> float:
    """Return the value of a metabolite under any of its names, or that of "*"."""
    names = next((group for group in SYNONYMS if name in group), frozenset({name}))
    return next((value for key, value in values.items() if key in names), values["*"])


def attenuation(echo_time: float, repetition_time: float, t1: float, t2: float) -> float:
    """Return the part of the signal that relaxation leaves.

    Parameters
    ----------
    echo_time, repetition_time : float
        Echo and repetition time [s].
    t1, t2 : float
        Relaxation times [s].

    Returns
    -------
    float
        ``exp(-TE / T2) (1 - exp(-TR / T1))``.

    Examples
    --------
    >>> round(attenuation(0.03, 2.0, 1.331, 0.110), 4)
    0.5919
    """
    return float(np.exp(-echo_time / t2) * -np.expm1(-repetition_time / t1))


@dataclass(frozen=True, eq=False, kw_only=True)
class TissueCorrection(Record):
    """Everything that turns a signal relative to water into a concentration in tissue.

    Parameters
    ----------
    tissue : Tissue
        Volume fractions of the voxel.
    relaxation : Relaxation
        Relaxation times and water densities.
    echo_time, repetition_time : float
        Of the metabolites [s].
    water_echo_time, water_repetition_time : float
        Of the water reference [s].

    Raises
    ------
    InvalidInputError
        A voxel without grey or white matter, in which there are no metabolites.
    """

    tissue: Tissue
    relaxation: Relaxation
    echo_time: float
    repetition_time: float
    water_echo_time: float
    water_repetition_time: float

    def __post_init__(self) -> None:
        if not self.tissue.gm + self.tissue.wm > 0.0:
            raise InvalidInputError(
                "the voxel is all CSF (gm = wm = 0): there is no tissue whose concentrations could "
                "be told. Leave tissue out for ratios, and check the place of the voxel."
            )
        super().__post_init__()

    @property
    def water_fraction(self) -> dict[str, float]:
        """Part of the water molecules that is in each tissue."""
        weights = {name: self._volume(name) for name in TISSUES}
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    def _volume(self, name: str) -> float:
        """Return the volume fraction of a tissue times its relative water density."""
        return float(getattr(self.tissue, name)) * self.relaxation.water_content[name]

    @property
    def water_attenuation(self) -> dict[str, float]:
        """Part of the water signal that relaxation leaves in each tissue."""
        times, relaxation = (self.water_echo_time, self.water_repetition_time), self.relaxation
        return {
            name: attenuation(*times, relaxation.water_t1[name], relaxation.water_t2[name])
            for name in TISSUES
        }

    def metabolite_attenuation(self, name: str) -> float:
        """Return the part of the signal of a metabolite that relaxation leaves.

        NaN for macromolecules and lipids, whose relaxation is another and not kept.
        """
        if name.startswith(BROAD_PREFIXES):
            return float("nan")
        t1, t2 = self.relaxation.t1(name), self.relaxation.t2(name)
        return attenuation(self.echo_time, self.repetition_time, t1, t2)

    def molal(self, name: str) -> float:
        """Return what a proton as strong as one of water stands for [mmol/kg tissue water].

        Parameters
        ----------
        name : str
            Metabolite.

        Returns
        -------
        float
            NaN for macromolecules and lipids.
        """
        fraction, left = self.water_fraction, self.water_attenuation
        water = sum(fraction[tissue] * left[tissue] for tissue in TISSUES)
        in_tissue = fraction["gm"] + fraction["wm"]
        return constants.WATER_MOLALITY * water / in_tissue / self.metabolite_attenuation(name)

    @property
    def water_of_tissue(self) -> float:
        """Water in a litre of the grey and white matter of the voxel [kg/L]."""
        tissue = self.tissue.gm + self.tissue.wm
        return constants.WATER_DENSITY * (self._volume("gm") + self._volume("wm")) / tissue

    def to_frame(self, names: tuple[str, ...] = ()) -> "pd.DataFrame":
        """Return every constant that was used.

        Parameters
        ----------
        names : tuple of str, default ()
            Metabolites to list.

        Returns
        -------
        pandas.DataFrame
            Columns quantity, value and unit.
        """
        import pandas as pd

        relaxation, fraction, left = self.relaxation, self.water_fraction, self.water_attenuation
        rows: list[tuple[str, float, str]] = [
            ("TE", self.echo_time, "s"),
            ("TR", self.repetition_time, "s"),
            ("TE of water", self.water_echo_time, "s"),
            ("TR of water", self.water_repetition_time, "s"),
            ("coverage of the voxel", self.tissue.coverage, ""),
            ("pure water", constants.WATER_MOLALITY, "mmol/kg"),
            ("water of the tissue", self.water_of_tissue, "kg/L"),
        ]
        for name in TISSUES:
            rows += [
                (f"volume of {name}", getattr(self.tissue, name), ""),
                (f"relative water density of {name}", relaxation.water_content[name], ""),
                (f"part of the water in {name}", fraction[name], ""),
                (f"T1 of water in {name}", relaxation.water_t1[name], "s"),
                (f"T2 of water in {name}", relaxation.water_t2[name], "s"),
                (f"signal of water left in {name}", left[name], ""),
            ]
        for name in names:
            if not name.startswith(BROAD_PREFIXES):
                rows += [
                    (f"T1 of {name}", relaxation.t1(name), "s"),
                    (f"T2 of {name}", relaxation.t2(name), "s"),
                    (f"signal of {name} left", self.metabolite_attenuation(name), ""),
                ]
        return pd.DataFrame(rows, columns=["quantity", "value", "unit"])
