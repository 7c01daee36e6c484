"""A small session with everything a report shows, and strings that mean harm."""

import dataclasses
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import mrsproc as mp
from mrsproc.data import Step
from mrsproc.errors import InvalidInputError

N = 12
ATTACK = "<script>document.title='owned'</script>\"'><img src=x onerror=alert(1)>"


class Dynamic:
    """A joint fit over time, as a report reads it."""

    success, reason = True, ""

    def __init__(self, names, **changes):
        self.names = names
        self.options = SimpleNamespace(bin_width=60.0, note=ATTACK)
        vars(self).update(changes)

    def moves(self, metabolite):
        if metabolite not in {*self.names, "Glx", "tNAA"}:
            raise InvalidInputError(f"no {metabolite!r}")
        return metabolite in {"Glx", "Glu", "Gln"}

    def amplitude(self, metabolite, time):
        return SimpleNamespace(value=12.0 + np.asarray(time) / 720.0)

    def endpoints(self, metabolite, *, relative_to=None, baseline=None):
        return pd.DataFrame(
            {"endpoint": ["mean", "auc", "time_to_peak"], "unit": ["%", "% min", "s"],
             "estimate": [4.123, 49.2, 290.0], "sd": [0.62, 7.4, 31.0]}
        )  # fmt: skip

    def timecourse(self, metabolite, *, relative_to=None, baseline=None):
        times = np.arange(0.0, 720.0, 60.0)
        value = 12.0 + times / 720.0
        frames = [
            pd.DataFrame(
                {
                    "time_s": times, "duration_s": 60.0, "n_transients": 1,
                    "metabolite": metabolite, "quantity": quantity, "reference": "",
                    "unit": unit, "estimate": estimate,
                    "sd": sd,
                }
            )
            for quantity, unit, estimate, sd in (
                ("amplitude", "mM", value, 0.5),
                ("log_ratio", "", np.log(value / 12.0), 0.01),
                ("percent_change", "%", 100.0 * (value / 12.0 - 1.0), 1.5),
            )
        ]  # fmt: skip
        return pd.concat(frames, ignore_index=True)

    def to_frame(self, what):
        assert what == "parameters"
        return pd.DataFrame(
            {"metabolite": ["Glu"], "parameter": ["response"], "estimate": [1.25], "sd": [0.3],
             "unit": ["mM"]}
        )  # fmt: skip


@pytest.fixture(scope="session")
def session(synthetic):
    """Raw, clean, fit, dynamic and infusion."""
    acquisition = synthetic.acquisition.replace(
        echo_time=0.035, repetition_time=60.0, sequence=ATTACK, manufacturer="Maker & Sons",
        extra={"PatientName": "Erika Mustermann", "PatientDoB": "19590312",
               "OriginalFile": ["/home/erika/scan.dat"], "PatientID": "ID-4711"},
    )  # fmt: skip
    raw = synthetic.data(noise=2.0, shape=(N,), dims=("transient",))
    mask = np.ones(N, bool)
    mask[3] = False
    steps = (Step("Conversion", "from /home/erika/scan.dat", program="spec2nii", version="1"),)
    raw = mp.MRSData(
        fid=raw.fid, dims=raw.dims, acquisition=acquisition, history=steps,
        coords={"transient": 60.0 * np.arange(N)},
    )  # fmt: skip
    data = raw.with_mask(mask, Step("Rejection of transients", "1 of 12 left out"))
    qc = pd.DataFrame(
        {
            "transient": range(N), "time_s": 60.0 * np.arange(N), "epoch": "rest", "snr": 20.0,
            "linewidth_hz": 5.0, "frequency_hz": np.linspace(0, 3, N), "phase_rad": 0.1,
            "residual_water": np.nan, "valid": mask,
            "reason": ["" if good else f"moved {ATTACK}" for good in mask],
        }
    )  # fmt: skip
    clean = SimpleNamespace(data=data, coils=None, qc=qc, options={"reject": True})
    fit = mp.fit(data.mean("transient"), synthetic.basis)
    return SimpleNamespace(
        raw=raw, clean=clean, fit=fit, dynamic=Dynamic(fit.names),
        infusion=SimpleNamespace(onset=300.0, duration=240.0),
    )  # fmt: skip


@pytest.fixture(scope="session")
def page(session, tmp_path_factory):
    """Path of the whole report."""
    path = tmp_path_factory.mktemp("report") / "session.html"
    mp.report(path, **vars(session))
    return path


CONTROL, ACTIVE = "placebo", "naltrexone"


def quality_of(key, rng, narrowing):
    """Return quality of a session whose lines narrow after the onset under the active drug."""
    n, time = 40, np.arange(40) * 75.0
    valid = rng.random(n) > 0.05
    shift = narrowing * (key["condition"] == ACTIVE) * (time >= 600.0)
    table = pd.DataFrame(
        {
            "transient": range(n), "time_s": time, "epoch": "rest",
            "snr": rng.normal(20.0, 1.0, n), "linewidth_hz": rng.normal(6.0, 0.1, n) - shift,
            "frequency_hz": 0.0, "phase_rad": 0.0, "residual_water": 1.0, "valid": valid,
            "reason": [None if good else "broad lines" for good in valid],
        }
    )  # fmt: skip
    return table.assign(**key)


@pytest.fixture(scope="session")
def study():
    """A trial of eight people, one of whom lacks a session, as a run gives it."""
    design = mp.stats.TrialDesign(participants=8, bin_s=300.0, effect_size=3.0, sex_difference=0.0)
    trial = mp.stats.simulate_trial(design, rng=2)
    rng = np.random.default_rng(0)
    keys = ["subject", "session", "condition", "period", "sequence"]
    kept = (trial.endpoints["subject"] != "08") | (trial.endpoints["condition"] == CONTROL)
    sessions = trial.endpoints[kept][keys].drop_duplicates()
    glx = trial.endpoints[kept]
    other = glx.assign(metabolite="Glu", estimate=0.7 * glx["estimate"])
    courses = trial.timecourses.merge(sessions, on=keys)
    records = sessions.to_dict("records")
    warnings = ["" for _ in records]
    warnings[2] = f"the gain drifts {ATTACK}"
    return mp.StudyResult(
        endpoints=pd.concat([glx, other], ignore_index=True),
        timecourses=pd.concat([courses, courses.assign(metabolite="Glu")], ignore_index=True),
        qc=pd.concat([quality_of(key, rng, 0.5) for key in records], ignore_index=True),
        failures=pd.DataFrame(
            {
                "subject": ["08"], "session": ["02"], "condition": [ACTIVE], "period": [2],
                "sequence": ["n/a"], "stage": ["read"], "error": ["FormatError"],
                "message": [f"cannot be read {ATTACK}"],
            }
        ),
        sessions=sessions.assign(
            infusion_onset_s=600.0, infusion_duration_s=2400.0, warnings=warnings, report=""
        ),
        about={
            "Version": "0.1.0", "RecipeHash": "ab" * 32, "BasisSet": "press 35", "Analysis": "cd",
            "Recipe": {"responses": {"Glx": "free"}, "reference": "tNAA", "bin_width": 300.0,
                       "endpoints": ["mean", "auc"]},
        },
        output=Path("nowhere"),
    )  # fmt: skip


@pytest.fixture(scope="session")
def study_page(study, page, tmp_path_factory):
    """Path of the report of the study, with a link to that of a session."""
    folder = tmp_path_factory.mktemp("study report")
    name = "sub-01/ses-01/mrs/sub-01 ses-01_report.html"
    (folder / name).parent.mkdir(parents=True)
    shutil.copy(page, folder / name)
    report = [name, "sub-01/gone.html"] + [""] * (len(study.sessions) - 2)
    linked = dataclasses.replace(
        study, output=folder, sessions=study.sessions.assign(report=report)
    )
    mp.report(folder / "report.html", study=linked)
    return folder / "report.html"
