"""LCModel's files: basis sets (.BASIS), time-domain data (.RAW) and water references (.H2O).

A .BASIS file keeps each signal as a spectrum in the order of an FFT. With the header values of its
block,

    FID = sqrt(NDATAB) * ifft(roll(spectrum, -ISHIFT)) * TRAMP / (VOLUME * CONC)

and the first point of this FID is halved already (LCModel manual, section 8; Provencher 1993,
10.1002/mrm.1910300604). In memory the first point is whole, so it is doubled, and
`BasisSet.source` says so.
"""

import re
import warnings
from pathlib import Path
from typing import Final

import numpy as np

from mrsproc.axes import Array, halve_first_point
from mrsproc.basis import BasisSet
from mrsproc.basis.singlets import METHYL_SINGLETS, Axis, singlet_width
from mrsproc.data import Acquisition, MRSData
from mrsproc.errors import BasisError, DataWarning, FormatError, InvalidInputError
from mrsproc.files import atomic_path

_ASSIGNMENT: Final = re.compile(r"([A-Za-z]\w*(?:\(\d+\))?)\s*=\s*('(?:[^']|'')*'|[^,\s$]+)")
_NAMELIST: Final = re.compile(
    r"^\s*[$&](\w+)(.*?)[$&/](?:END)?\s*$", re.IGNORECASE | re.MULTILINE | re.DOTALL
)
_FORTRAN_FORMAT: Final = re.compile(r"\(?\s*\d*\s*\(?\s*(\d*)[EFDG](\d+)\.(\d+)", re.IGNORECASE)

_USUAL_FWHM_PPM: Final = 0.013  # where no methyl singlet tells it
_TITLE_LENGTH: Final = 72  # LCModel reads namelists of 80 columns
_SEQUENCE_LENGTH: Final = 5


def sniff_basis(path: Path) -> bool:
    """Tell from its first namelists whether a file is an LCModel basis set."""
    head = _head(path)
    return bool(re.search(r"^\s*[$&]BASIS1", head, re.IGNORECASE | re.MULTILINE))


def sniff_raw(path: Path) -> bool:
    """Tell from its namelist whether a file is LCModel time-domain data."""
    return bool(re.search(r"^\s*[$&]NMID", _head(path), re.IGNORECASE | re.MULTILINE))


def _head(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return stream.read(8192).decode("latin-1")


def _values(body: str) -> dict[str, str]:
    """Return the assignments of a namelist, names in upper case, quotes removed."""
    return {name.upper(): value.strip("'").strip() for name, value in _ASSIGNMENT.findall(body)}


def _number(values: dict[str, str], name: str, source: str, default: float | None = None) -> float:
    text = values.get(name)
    if text is None:
        if default is None:
            raise FormatError(f"{source}: {name} is missing.")
        return default
    try:
        return float(text.upper().replace("D", "E"))
    except ValueError as error:
        raise FormatError(f"{source}: {name} = {text} is not a number.") from error


def _scale(values: dict[str, str], source: str, *divisors: str) -> float:
    """Return TRAMP over the product of other header values."""
    scale = _number(values, "TRAMP", source, 1.0)
    for name in divisors:
        divisor = _number(values, name, source, 1.0)
        if divisor == 0.0:
            raise FormatError(f"{source}: {name} is zero, but amplitudes are divided by it.")
        scale /= divisor
    return scale


def _numbers(text: str, width: int) -> Array:
    """Parse Fortran output, which may leave no blank between numbers of full width."""
    try:
        return np.array(text.split(), dtype=float)
    except ValueError:
        fields = [
            line[i : i + width]
            for line in text.splitlines()
            for i in range(0, len(line.rstrip()), width)
        ]
        return np.array(
            [field.upper().replace("D", "E") for field in fields if field.strip()], dtype=float
        )


def _field_width(values: dict[str, str], key: str) -> int:
    match = _FORTRAN_FORMAT.search(values.get(key, ""))
    return int(match.group(2)) if match else 15


def load_basis(path: Path) -> BasisSet:
    """Read an LCModel .BASIS file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    BasisSet
        In the units of the file, first points whole.

    Raises
    ------
    FormatError
        A header value or the data of a signal are missing.
    """
    text = path.read_text(encoding="latin-1").replace("\r", "")
    blocks = [
        (match.group(1).upper(), _values(match.group(2)), match.end())
        for match in _NAMELIST.finditer(text)
    ]
    starts = [match.start() for match in _NAMELIST.finditer(text)] + [len(text)]
    header: dict[str, str] = {}
    for kind, values, _ in blocks:
        if kind in {"SEQPAR", "BASIS1"}:
            header |= values
    n_points = int(_number(header, "NDATAB", str(path)))
    width = _field_width(header, "FMTBAS")
    names: list[str] = []
    fids: list[Array] = []
    shortest = n_points
    for number, (kind, values, end) in enumerate(blocks):
        if kind != "BASIS":
            continue
        name = values.get("METABO") or values.get("ID") or ""
        if not name:
            raise FormatError(
                f"{path}: signal {len(names) + 1} has neither METABO nor ID: name it."
            )
        names.append(name)
        fid, found = _basis_fid(
            text[end : starts[number + 1]], values, n_points, width, f"{path}, signal {name}"
        )
        fids.append(fid)
        shortest = min(shortest, found)
    if not names:
        raise FormatError(f"{path}: no $BASIS block; this basis set holds no signals.")
    if shortest < n_points:
        warnings.warn(
            f"{path}: signals of {shortest} points where NDATAB = {n_points}; the missing ones "
            "are taken as zero.",
            DataWarning,
            stacklevel=3,
        )
    sequence = header.get("SEQ", "").strip()
    kind = f", {sequence}" if sequence else ""
    try:
        return BasisSet(
            names=tuple(names),
            fid=np.array(fids),
            dwell_time=abs(_number(header, "BADELT", str(path))),  # some programs write it negative
            spectrometer_frequency=_number(header, "HZPPPM", str(path)),
            source=f"{path.name} (LCModel .BASIS{kind}); halved first point made whole",
        )
    except (BasisError, InvalidInputError) as error:
        raise FormatError(f"{path}: {error}") from error


def _basis_fid(
    text: str, values: dict[str, str], n_points: int, width: int, source: str
) -> tuple[Array, int]:
    """Return a FID, and how many points of its spectrum the file holds."""
    try:
        numbers = _numbers(text, width)
    except ValueError as error:
        raise FormatError(
            f"{source}: the data hold something that is not a number ({error})."
        ) from error
    found = numbers.size // 2
    if found < n_points * 0.9 or found > n_points:
        raise FormatError(
            f"{source}: {found} complex points where NDATAB = {n_points}; the file is cut off "
            "or damaged."
        )
    spectrum = np.zeros(n_points, complex)
    spectrum[:found] = numbers[0 : 2 * found : 2] + 1j * numbers[1 : 2 * found : 2]
    shift = int(_number(values, "ISHIFT", source, 0.0))
    scale = _scale(values, source, "VOLUME", "CONC")
    fid: Array = np.sqrt(n_points) * np.fft.ifft(np.roll(spectrum, -shift)) * scale
    fid[0] *= 2.0
    return fid, found


def save_basis(
    basis: BasisSet, path: Path, *, echo_time: float | None = None, sequence: str = ""
) -> None:
    """Write an LCModel .BASIS file, atomically.

    Parameters
    ----------
    basis : BasisSet
        What to write; its ppm reference must be 4.65, which LCModel assumes.
    path : pathlib.Path
        Name of the file.
    echo_time : float, optional
        Echo time [s], for the header.
    sequence : str, default ""
        Name of the sequence, for the header.

    Raises
    ------
    FormatError
        Another ppm reference.
    """
    if abs(basis.ppm_reference - 4.65) > 1e-6:
        raise FormatError(
            f"the basis set has its centre at {basis.ppm_reference} ppm; LCModel wants 4.65: "
            "use resampled_to() first."
        )
    spectra = np.fft.fft(halve_first_point(basis.fid), axis=1) / np.sqrt(basis.n_points)
    parts = [_basis_header(basis, echo_time, sequence)]
    for name, spectrum in zip(basis.names, spectra, strict=True):
        parts.append(
            f" $NMUSED\n XTRASH = 0.\n $END\n $BASIS\n ID = '{name}',\n METABO = '{name}',\n "
            "CONC = 1.,\n TRAMP = 1.,\n"
            " VOLUME = 1.,\n ISHIFT = 0\n $END\n"
        )
        parts.append("".join(f"{value.real:15.6E}{value.imag:15.6E}\n" for value in spectrum))
    with atomic_path(path) as temporary:
        temporary.write_text("".join(parts), encoding="ascii", errors="replace")


def _basis_header(basis: BasisSet, echo_time: float | None, sequence: str) -> str:
    """Return the first two namelists, in the order and line lengths of LCModel's own MakeBasis."""
    echo = "" if echo_time is None else f" ECHOT = {echo_time * 1e3:.2f},\n"
    title = re.sub(r"[^\x20-\x26\x28-\x7e]", " ", basis.source)[:_TITLE_LENGTH]
    name = re.sub(r"[^A-Za-z0-9_]", "", sequence).upper()[:_SEQUENCE_LENGTH]
    return (
        f" $SEQPAR\n FWHMBA = {_singlet_fwhm_ppm(basis):.6f},\n"
        f" HZPPPM = {basis.spectrometer_frequency:.6f},\n{echo} SEQ = '{name}'\n $END\n"
        f" $BASIS1\n IDBASI =\n '{title}',\n FMTBAS = '(2E15.6)',\n"
        f" BADELT = {basis.dwell_time:.9E},\n NDATAB = {basis.n_points}\n $END\n"
    )


def _singlet_fwhm_ppm(basis: BasisSet) -> float:
    """Return the width of the methyl singlet of NAA or creatine [ppm]."""
    sampling = Axis(basis.dwell_time, basis.spectrometer_frequency, basis.ppm_reference)
    for name, ppm in METHYL_SINGLETS.items():
        if name in basis:
            width = singlet_width(np.asarray(basis.fid[basis.index(name)]), sampling, ppm)
            if np.isfinite(width):
                return width / basis.spectrometer_frequency
    return _USUAL_FWHM_PPM


def load_raw(path: Path) -> MRSData:
    """Read LCModel time-domain data (.RAW or .H2O).

    Parameters
    ----------
    path : pathlib.Path
        The file; a control file or a $SEQPAR namelist must give HZPPPM, and DELTAT must stand
        there too.

    Returns
    -------
    MRSData
        One FID, first point whole.

    Raises
    ------
    FormatError
        The dwell time or the frequency are not in the file.
    """
    values, numbers = _raw_parts(path)
    if "HZPPPM" not in values or not ({"DELTAT", "BADELT"} & set(values)):
        raise FormatError(
            f"{path}: LCModel data without HZPPPM and DELTAT, which LCModel takes from its "
            "control file. "
            "Add a $SEQPAR namelist with both to the file, or build mp.MRSData from the numbers."
        )
    echo = values.get("ECHOT")
    try:
        acquisition = Acquisition(
            spectrometer_frequency=_number(values, "HZPPPM", str(path)),
            dwell_time=_number(
                values, "DELTAT", str(path), _number(values, "BADELT", str(path), 0.0)
            ),
            echo_time=None if not echo else _number(values, "ECHOT", str(path)) * 1e-3,
            sequence=values.get("SEQ") or None,
        )
        return MRSData(
            fid=raw_fid(values, numbers, str(path)), dims=("time",), acquisition=acquisition
        )
    except InvalidInputError as error:
        raise FormatError(f"{path}: {error}") from error


def load_raw_basis(paths: list[Path], acquisition: Acquisition | None) -> BasisSet:
    """Read a folder of LCModel .RAW files as a basis set.

    Parameters
    ----------
    paths : list of pathlib.Path
        One file a signal.
    acquisition : Acquisition, optional
        Gives dwell time and frequency where the files do not.

    Returns
    -------
    BasisSet
        Named by the ID of each file, or its stem.

    Raises
    ------
    FormatError
        Dwell time and frequency are given nowhere, or the files differ in length.
    """
    header: dict[str, str] = {}
    names, fids = [], []
    for path in paths:
        values, numbers = _raw_parts(path)
        header |= {key: values[key] for key in ("HZPPPM", "DELTAT", "BADELT") if key in values}
        names.append(values.get("ID") or path.stem)
        fids.append(raw_fid(values, numbers, str(path)))
    if len({fid.size for fid in fids}) != 1:
        raise FormatError(
            f"{paths[0].parent}: the .RAW files have different lengths: "
            f"{sorted({fid.size for fid in fids})}."
        )
    if acquisition is None and not {"HZPPPM", "DELTAT"} <= set(header):
        raise FormatError(
            f"{paths[0].parent}: the .RAW files hold no HZPPPM and DELTAT: give acquisition= "
            "with the dwell time and frequency "
            "they were made for."
        )
    source = str(paths[0].parent)
    return BasisSet(
        names=tuple(names),
        fid=np.array(fids),
        dwell_time=acquisition.dwell_time if acquisition else _number(header, "DELTAT", source),
        spectrometer_frequency=acquisition.spectrometer_frequency
        if acquisition
        else _number(header, "HZPPPM", source),
        source=f"{paths[0].parent.name} (LCModel .RAW)",
    )


def _raw_parts(path: Path) -> tuple[dict[str, str], Array]:
    text = path.read_text(encoding="latin-1").replace("\r", "")
    values: dict[str, str] = {}
    end = 0
    for match in _NAMELIST.finditer(text):
        values |= _values(match.group(2))
        end = match.end()
    try:
        return values, _numbers(text[end:], _field_width(values, "FMTDAT"))
    except ValueError as error:
        raise FormatError(
            f"{path}: the data hold something that is not a number ({error})."
        ) from error


def raw_fid(values: dict[str, str], numbers: Array, source: str) -> Array:
    """Return the FID of a .RAW file, scaled by its TRAMP and VOLUME.

    Parameters
    ----------
    values : dict
        The namelists.
    numbers : ndarray
        Real and imaginary parts in turn.
    source : str
        Name for error messages.

    Returns
    -------
    ndarray of complex
        The FID. LCModel's convention is that of NIfTI-MRS.

    Raises
    ------
    FormatError
        No data, or an odd number of them.
    """
    if numbers.size < 4 or numbers.size % 2:
        raise FormatError(
            f"{source}: {numbers.size} numbers are no complex FID; the file is empty or cut off."
        )
    fid = numbers[0::2] + 1j * numbers[1::2]
    scale = _scale(values, source, "VOLUME")
    return np.asarray(fid * scale)
