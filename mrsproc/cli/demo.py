"""``mrsproc demo``: a ketamine-like session of known truth, from raw FIDs to a report."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from mrsproc.dynamics import DynamicResult
    from mrsproc.preproc import Preprocessed
    from mrsproc.responses import Infusion
    from mrsproc.simulation import SimulatedSession

_EFFECTS: Final = {"Glu": 0.15, "Gln": 0.15}
_ONSET_S: Final = 200.0
_DURATION_S: Final = 400.0


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for what is made.")] = Path(
        "mrsproc-demo"
    ),
    transients: Annotated[int, typer.Option(help="Length of the session, at 2.5 s each.")] = 320,
) -> None:
    """Simulate a raw infusion session with a basis set of its own, and analyse it to the end.

    Eight coils, drift, bad transients, and 15 % more glutamate and glutamine at full response;
    nothing is downloaded.

    Example: mrsproc demo
    """
    for line in demonstrated(output, transients):
        print(line)


def demonstrated(output: Path, transients: int) -> Iterator[str]:
    """Simulate, write, preprocess, fit, fit over time, and report, telling what is done."""
    from mrsproc import io, preproc
    from mrsproc.cli import preprocess
    from mrsproc.responses import Infusion

    infusion = Infusion(onset=_ONSET_S, duration=_DURATION_S, drug="ketamine")
    yield "simulating a basis set (PRESS, TE 35 ms, 3 T) and a raw infusion session, 8 coils ..."
    session = _session(transients, infusion)
    paths = session.write_bids(output / "bids", subject="demo")
    io.write_basis(session.basis, output / "press35.basis")
    yield f"wrote {output / 'bids'} and {output / 'press35.basis'}"
    yield "preprocessing ..."
    clean = preproc.preprocess(session.data, session.water, infusion=infusion)
    yield from preprocess.summary(clean)
    name = paths[0].name.removesuffix("_svs.nii.gz")
    for path in preprocess.write_clean(session.data, clean, output, name, infusion):
        yield f"wrote {path}"
    yield from _analysed(session, clean, infusion, output, name)


def _session(transients: int, infusion: "Infusion") -> "SimulatedSession":
    """Simulate a session whose glutamate follows the concentration of the drug."""
    from mrsproc.simulation import SessionOptions, simulate

    options = SessionOptions(
        n_transients=transients, n_coils=8, snr=20.0, n_ruined=max(1, transients // 50),
        frequency_drift_hz=6.0, line_narrowing_hz=0.2, gain_jitter=0.005, eddy_deg=10.0,
        infusion_onset=_ONSET_S, infusion_duration=_DURATION_S,
    )  # fmt: skip
    return simulate(options=options, effects=_EFFECTS, response=infusion.response(), rng=0)


def _analysed(
    session: "SimulatedSession",
    clean: "Preprocessed",
    infusion: "Infusion",
    output: Path,
    name: str,
) -> Iterator[str]:
    """Fit the mean and the course over time, and write tables, figures and the report."""
    from mrsproc import fitting, quantification, reporting
    from mrsproc.cli.dynamic import Course, written
    from mrsproc.cli.work import report_lines, write_results
    from mrsproc.dynamics import DynamicOptions, fit_dynamic
    from mrsproc.errors import MissingPackageError
    from mrsproc.simulation import WATER_MM

    yield "fitting the mean spectrum ..."
    mean = fitting.fit(clean.data.mean("transient"), session.basis)
    scaling = quantification.WaterScaling(water_concentration=WATER_MM, water_relaxation=1.0)
    quantities = quantification.quantify(mean, water=clean.water, scaling=scaling)
    yield from report_lines(quantities)
    yield from (f"wrote {path}" for path in write_results(quantities, output, name))
    yield "fitting all transients at once ..."
    shape = infusion.response()
    dynamic = fit_dynamic(
        clean.data,
        session.basis,
        {"Glu": shape, "Gln": shape, "*": "constant"},
        DynamicOptions(infusion=infusion),
    )
    yield from written(dynamic, output, Path(name), Course(metabolites=",".join(_EFFECTS)))
    yield _truth(session, dynamic)
    report = output / f"{name}_report.html"
    try:
        reporting.report(
            report, raw=session.data, clean=clean, fit=mean, dynamic=dynamic,
            quantities=quantities, infusion=infusion, title="Demonstration",
        )  # fmt: skip
        yield f"wrote {report}: open it in a browser"
    except MissingPackageError as error:
        yield f"no report: {error}"


def _truth(session: "SimulatedSession", dynamic: "DynamicResult") -> str:
    """Tell the true change of Glx beside its estimate."""
    course = session.timecourse("Glu") + session.timecourse("Gln")
    before = session.time_s < _ONSET_S
    change = 100.0 * (course[~before].mean() / course[before].mean() - 1.0)
    found = dynamic.change("Glx").set_index("quantity").loc["percent_change"]
    return (
        f"Glx after the onset, against before: {found['estimate']:+.2f} +- {found['sd']:.2f} %, "
        f"in truth {change:+.2f} %"
    )
