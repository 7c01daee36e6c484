"""The joint fit on the simulated sessions in ../shared/data, and how fast it is.

Usage: OPENBLAS_NUM_THREADS=1 python bench_dynamics.py [sessions|speed]
"""

import sys
import time
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import mrsproc as mp
from mrsproc.dynamics import compare_methods

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "infusion"
BOUNDS = {"01": 2.5, "02": 2.2, "03": 3.8, "05_long": 1.1}


def sessions():
    basis = mp.read_basis(FOLDER / "basis_ge_press35.basis")
    for name, bound in BOUNDS.items():
        data = mp.read(FOLDER / f"session-{name}_svs.nii.gz")
        truth = pd.read_csv(FOLDER / f"session-{name}_truth.tsv", sep="\t")
        shape = mp.responses.Samples(tuple(truth.time_s), tuple(truth.response), start=300.0)
        fit = mp.fit_dynamic(data, basis, {"Glu": shape, "Gln": shape})
        table = fit.to_frame().set_index(["metabolite", "parameter"])
        top = truth.response.idxmax()
        parts = []
        for metabolite in ("Glu", "Gln", "Glx"):
            course = truth[["Glu", "Gln"]].sum(axis=1) if metabolite == "Glx" else truth[metabolite]
            effect = (course[top] - course[0]) / truth.response[top]
            row = table.loc[(metabolite, "response")]
            parts.append(f"{metabolite} {(row.estimate - effect) / row.sd:+.2f} SD")
        sd = 100.0 * row.sd / course[0]
        ratio = mp.fit_dynamic(data, basis, {"Glu": shape, "Gln": shape, "tNAA": shape})
        top_row, low_row = (ratio.to_frame().set_index(["metabolite", "parameter"]).loc[n]
                            for n in ("Glx", "tNAA"))  # fmt: skip
        change = (
            top_row.estimate["response"] / top_row.estimate["rest"]
            - low_row.estimate["response"] / low_row.estimate["rest"]
        )
        found = (ratio.used == (truth.ruined == 0).to_numpy()).all()
        print(
            f"{name}: from the truth {', '.join(parts)}; SD of Glx {sd:.2f} % of rest, "
            f"{sd / bound:.2f} x bound; Glx/tNAA {100 * change:+.1f} %, truth "
            f"{100 * effect / course[0]:+.1f} %; every ruined transient found: {found}"
        )
        print(compare_methods(data, basis, shape).to_string(index=False))


def _session(n):
    options = mp.SessionOptions(n_transients=n, repetition_time=800.0 / n, snr=10.0)
    session = mp.simulate(None, options, effects={"Glu": 0.1, "Gln": 0.05}, rng=1)
    keep = [m for m in session.basis.names if m not in {"Ala", "Gly"}][:17]
    return session, session.basis.select(keep)


def speed():
    infusion = mp.Infusion(onset=300.0, duration=400.0)
    shape = infusion.rise_and_decay(rise=240.0, decay=900.0)
    for n in (64, 64, 320, 1024, 2048):
        session, basis = _session(n)
        responses = {"Glu": shape, "Gln": shape}
        start = time.process_time()
        mp.fit_dynamic(session.data, basis, responses)
        spent = time.process_time() - start
        fids = np.asarray(session.data.fid, complex)
        start = time.process_time()
        for _ in range(5):
            np.fft.fft(fids, 2 * fids.shape[1])
        transform = (time.process_time() - start) / 5
        tracemalloc.start()
        mp.fit_dynamic(session.data, basis, responses)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        print(
            f"{n} transients: CPU {spent:.2f} s, {spent / transform:.0f} x one FFT of all "
            f"({1e3 * transform:.1f} ms), peak {peak:.0f} MB"
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    wanted = sys.argv[1:] or ["sessions", "speed"]
    for name in wanted:
        {"sessions": sessions, "speed": speed}[name]()
