"""What the commands do, as generators of the lines that they print."""

import dataclasses
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from mrsproc import io, qc
from mrsproc.data import MRSData
from mrsproc.errors import DataWarning, FormatError, InvalidInputError
from mrsproc.files import atomic_path
from mrsproc.io import lcmodel
from mrsproc.preproc import remove_water

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from mrsproc.basis import BasisSet
    from mrsproc.fitting import FitOptions
    from mrsproc.preproc import Preprocessed
    from mrsproc.quantification import Quantities
    from mrsproc.responses import Infusion
    from mrsproc.timeline import Event
    from mrsproc.tissue import Tissue

_WATER_OVER_METABOLITES: Final = (
    300.0  # unsuppressed water is some thousand times NAA, what suppression leaves far less
)


def converted(file: Path, output: Path, *, anonymise: bool, part: str | None) -> Iterator[Path]:
    """Convert a recording, and give the name of each file written."""
    named = output.name.endswith((".nii", ".nii.gz"))
    parts = {"": io.read(file, part=part)} if part or named else io.read_all(file)
    for name, data in parts.items():
        tail = f"_{name}" if name else ""
        target = output if named else output / f"{stem(file)}{tail}.nii.gz"
        if target.exists() and target.samefile(file):
            raise FormatError(f"{target}: would overwrite the file that is read; give another -o.")
        io.write(data, target, anonymise=anonymise)
        yield target


@contextmanager
def stage(what: str) -> Iterator[None]:
    """Tell on a terminal what is being done, until it is done."""
    on_terminal = sys.stderr.isatty()
    if on_terminal:
        print(f"{what} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if on_terminal:
            print("\r" + " " * (len(what) + 4), end="\r", file=sys.stderr, flush=True)


def infusion_event(events: Path | None, given: tuple[float, float] | None) -> "Event | None":
    """Return when the drug ran in: as given, else the first event of a file; None without either.

    Parameters
    ----------
    events : pathlib.Path or None
        BIDS events.tsv.
    given : tuple of float or None
        Onset and duration [s].

    Raises
    ------
    InvalidInputError
        A file without events.
    """
    from mrsproc.timeline import Event, read_events

    if given is not None:
        return Event(onset=given[0], duration=given[1], name="infusion")
    if events is None:
        return None
    found = read_events(events)
    if not found:
        raise InvalidInputError(f"{events} holds no event: give --infusion ONSET DURATION in s.")
    return found[0]


def stem(path: Path) -> str:
    """Return a file's name without its suffixes, ``.nii.gz`` being one."""
    name = path.name
    for suffix in (".nii.gz", ".nii"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return path.stem


def described(file: Path) -> Iterator[str]:
    """Describe a recording or a basis set, a line at a time."""
    if (file.is_file() and lcmodel.sniff_basis(file)) or io.is_basis_folder(file):
        yield from basis_lines(io.read_basis(file))
        return
    data = io.read(file)
    acquisition = data.acquisition
    rows = {
        "dimensions": ", ".join(f"{size} {dim}" for dim, size in data.sizes.items()),
        "masked": f"{int((~data.mask).sum())} of {data.mask.size}",
        "nucleus": acquisition.nucleus,
        "frequency": f"{acquisition.spectrometer_frequency:.6f} MHz",
        "dwell time": f"{acquisition.dwell_time * 1e6:.6g} us (spectral width "
        f"{acquisition.spectral_width:.6g} Hz)",
        "TE": _milliseconds(acquisition.echo_time),
        "TR": _milliseconds(acquisition.repetition_time),
        "sequence": acquisition.sequence or "unknown",
        "manufacturer": acquisition.manufacturer or "unknown",
        **_editing(data),
        **_quality(data),
        "processing": "; ".join(step.method for step in data.history) or "none",
    }
    yield from (f"{name:<13} {value}" for name, value in rows.items())


def _editing(data: MRSData) -> dict[str, str]:
    from mrsproc.preproc.editing import looks_edited

    if not looks_edited(data):
        return {}
    return {"editing": "on and off to be told apart: mrsproc fit --edit, --order"}


def basis_lines(basis: "BasisSet") -> Iterator[str]:
    """Describe a basis set, a line at a time."""
    yield f"{'signals':<13} {len(basis)}: {', '.join(basis.names)}"
    yield f"{'points':<13} {basis.n_points}"
    yield f"{'frequency':<13} {basis.spectrometer_frequency:.6f} MHz"
    width = 1 / basis.dwell_time
    yield f"{'dwell time':<13} {basis.dwell_time * 1e6:.6g} us (spectral width {width:.6g} Hz)"
    if any(name in basis for name in ("NAA", "Cr", "PCr")):
        yield f"{'axis offset':<13} {basis.axis_offset():+.4f} ppm"
    yield f"{'source':<13} {basis.source}"


def _milliseconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value * 1e3:.6g} ms"


def _quality(data: MRSData) -> dict[str, str]:
    """Return SNR and linewidth of the first valid FID, of water where that is what was recorded."""
    first = data.select(coil=0) if "coil" in data.dims else data
    if first.mask_dims:
        where = np.argwhere(first.mask)[0]
        first = first.select(**{dim: int(i) for dim, i in zip(first.mask_dims, where, strict=True)})
    dry = remove_water(first)
    water = qc.tallest_peak(first, qc.WATER_PPM)
    metabolites = qc.tallest_peak(dry, qc.METABOLITE_PPM)
    far_above = water.height > _WATER_OVER_METABOLITES * metabolites.height
    is_water = far_above or not np.isfinite(metabolites.fwhm_hz)
    name = "water" if is_water else "metabolites"
    what = name if data.fid.size == data.n_points else f"{name}, first FID"
    peak = water if is_water else metabolites
    if is_water:
        snr = qc.signal_to_noise(first, qc.WATER_PPM)
    else:
        snr = qc.signal_to_noise(dry, qc.METABOLITE_PPM)
    return {
        "SNR": f"{snr:.4g} ({what})",
        "linewidth": f"{peak.fwhm_hz:.3g} Hz at {peak.ppm:.2f} ppm ({what})",
    }


class Request(NamedTuple):
    """What ``fit`` and ``report`` are asked to analyse."""

    file: Path
    basis: Path
    reference: Path | None
    ppm: tuple[float, float]
    each: bool = False
    tissue: str | None = None
    segmentation: tuple[Path, Path, Path] | None = None
    te_ms: float | None = None
    tr_ms: float | None = None
    edit: Literal["difference", "on", "off", "none"] | None = None
    order: Literal["blocks", "alternating"] | None = None

    def timed(self, data: MRSData) -> MRSData:
        """Return a recording with the TE and TR that were given where its header has none."""
        given = {"echo_time": self.te_ms, "repetition_time": self.tr_ms}
        times = {
            name: value * 1e-3
            for name, value in given.items()
            if value is not None and getattr(data.acquisition, name) is None
        }
        if not times:
            return data
        return dataclasses.replace(data, acquisition=data.acquisition.replace(**times))


def analysed(
    request: Request, infusion: "Infusion | None" = None
) -> tuple[MRSData, "Preprocessed", "Quantities"]:
    """Read, preprocess, fit and quantify."""
    from mrsproc import fitting, preproc, quantification
    from mrsproc.cli import editing

    if (request.tissue or request.segmentation) and request.reference is None:
        raise InvalidInputError("tissue fractions need a water reference: give --reference too.")
    if request.each and request.edit not in {None, "none"}:
        raise InvalidInputError("a scan of --edit is a mean: leave out --each or --edit.")
    raw = editing.split(request.timed(io.read(request.file)), request.edit, request.order)
    fractions = _tissue(raw, request.tissue, request.segmentation)
    water = None if request.reference is None else request.timed(io.read(request.reference))
    signals = io.read_basis(request.basis)
    with stage("preprocessing"), warnings.catch_warnings():
        # A fit needs no times of transients.
        warnings.filterwarnings("ignore", "neither onset times", DataWarning)
        clean = preproc.preprocess(raw, water, infusion=infusion)
    spectra = clean.data if request.each else editing.averaged(clean.data, request.edit)
    with stage("fitting"):
        result = fitting.fit(spectra, signals, _fit_options(request))
    acquisition = None if fractions is None else raw.acquisition
    quantities = quantification.quantify(
        result, water=clean.water, tissue=fractions, acquisition=acquisition
    )
    return raw, clean, quantities


def _fit_options(request: Request) -> "FitOptions":
    from mrsproc.fitting import FitOptions

    # The built-in macromolecules are those of an unedited spectrum.
    if request.edit == "difference":
        return FitOptions(ppm=request.ppm, macromolecules="none")
    return FitOptions(ppm=request.ppm)


def fitted(request: Request, output: Path) -> Iterator[str]:
    """Fit a recording, write tables and figures, and tell what was found."""
    *_, quantities = analysed(request)
    yield from report_lines(quantities)
    yield from (f"wrote {path}" for path in write_results(quantities, output, stem(request.file)))


def _tissue(
    raw: MRSData, fractions: str | None, maps: tuple[Path, Path, Path] | None
) -> "Tissue | None":
    """Return the tissue fractions that the options give."""
    from mrsproc.tissue import Tissue

    if fractions and maps:
        raise InvalidInputError("give either --tissue or --segmentation.")
    if maps:
        return Tissue.from_segmentation(raw, gm=maps[0], wm=maps[1], csf=maps[2])
    if not fractions:
        return None
    try:
        gm, wm, csf = (float(part) for part in fractions.split(","))
    except ValueError:
        raise InvalidInputError(
            f"--tissue {fractions}: give three fractions, GM,WM,CSF, for example 0.6,0.3,0.1."
        ) from None
    return Tissue(gm=gm, wm=wm, csf=csf)


def _scaling_lines(quantities: "Quantities") -> Iterator[str]:
    """Tell the constants behind the concentrations."""
    from mrsproc.quantification import WaterScaling

    constants = quantities.constants
    if constants is None:
        return
    if isinstance(constants, WaterScaling):
        yield (
            f"water: {constants.water_concentration:g} mM, relaxation "
            f"{constants.water_relaxation:g}, "
            f"of metabolites {constants.metabolite_relaxation:g}; no tissue correction"
        )
        return
    tissue = constants.tissue
    yield (
        f"voxel: {tissue.gm:.3g} grey matter, {tissue.wm:.3g} white matter, {tissue.csf:.3g} CSF; "
        f"TE {constants.echo_time * 1e3:g} ms, TR {constants.repetition_time * 1e3:g} ms"
    )
    yield f"relaxation: {constants.relaxation.source}"
    yield "concentrations are per kg of tissue water; every constant is in the JSON file"


def report_lines(quantities: "Quantities") -> Iterator[str]:
    """Tell the ratios and concentrations of the main metabolites."""
    fit = quantities.fit
    if fit.dims:
        yield repr(fit)
        return
    yield fit.quality_text()
    yield from _scaling_lines(quantities)
    yield f"{'':<8} {'/tCr':>8} {'SD':>7} {quantities.unit or 'mM':>9} {'SD':>7}"
    for name in ("tNAA", "tCr", "tCho", "Ins", "Glu", "Gln", "Glx"):
        if name in quantities.names:
            i = quantities.names.index(name)
            values = (
                quantities.ratio_tCr,
                quantities.ratio_tCr_sd,
                quantities.concentration,
                quantities.concentration_sd,
            )
            ratio, ratio_sd, concentration, sd = (float(value[i]) for value in values)
            scaled = f"{_number(concentration):>9} {_number(sd):>7}"
            yield f"{name:<8} {_number(ratio):>8} {_number(ratio_sd):>7} {scaled}"


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "n/a"


def write_results(quantities: "Quantities", output: Path, name: str) -> list[Path]:
    """Write the table and the figure of a fit.

    Parameters
    ----------
    quantities : Quantities
        What was found.
    output : pathlib.Path
        Folder.
    name : str
        How the file names begin.

    Returns
    -------
    list of pathlib.Path
        What was written.
    """
    from mrsproc.tables import fit_summary, write_table

    table = output / f"{name}_desc-concentrations_mrs.tsv"
    write_table(quantities.to_frame(), table, fit_summary(quantities))
    written = [table, table.with_suffix(".json")]
    drawable = np.argwhere(np.atleast_1d(quantities.fit.success))
    if drawable.size:
        index = tuple(int(i) for i in drawable[0]) if quantities.fit.dims else ()
        written += _draw(quantities, output / f"{name}_desc-fit_mrs", index)
    return written


def _draw(quantities: "Quantities", base: Path, index: tuple[int, ...]) -> list[Path]:
    from mrsproc import plot

    paths = [base.with_name(f"{base.name}.{suffix}") for suffix in ("png", "svg")]
    save_figure(lambda: plot.fit(quantities.fit, index=index), paths)
    return paths


def save_figure(draw: "Callable[[], Axes]", paths: list[Path]) -> None:
    """Draw a figure without a screen and write it.

    Parameters
    ----------
    draw : callable
        Draws, and returns the axes.
    paths : list of pathlib.Path
        Names; the suffix is the format. The same content gives the same bytes.

    Raises
    ------
    FormatError
        A suffix that is no format of figures.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    from mrsproc.plot import style

    figure = draw().get_figure(root=True)
    assert figure is not None
    for path in paths:
        if path.suffix[1:] not in figure.canvas.get_supported_filetypes():
            raise FormatError(f"{path}: give a picture a name that ends in .png, .svg or .pdf.")
        metadata = {"Date": None} if path.suffix == ".svg" else None
        with atomic_path(path) as temporary, style():
            figure.savefig(temporary, format=path.suffix[1:], dpi=150, metadata=metadata)
    plt.close(figure)
