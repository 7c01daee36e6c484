"""A small session with everything a report shows, and strings that mean harm."""

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
