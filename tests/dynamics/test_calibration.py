"""A quick version of `benchmarks/bench_dynamics_calibration.py`: reported SDs are true."""

import numpy as np

import mrsproc as mp


def test_sd_matches_the_scatter_over_sessions(simulated, shape):
    """Twelve sessions, three quantities: scatter/SD of 36 values, known to some 15 %."""
    scores = []
    for seed in range(100, 112):
        session = simulated(
            seed, n_transients=32, n_points=512, repetition_time=24.0, snr=30.0,
            effects={"Glu": 0.1, "Gln": 0.1},
        )  # fmt: skip
        fit = mp.fit_dynamic(session.data, session.basis, {"Glu": shape, "Gln": shape})
        table = fit.to_frame().set_index(["metabolite", "parameter"])
        for name in ("Glu", "Gln", "Glx"):
            rest = session.timecourse("Glu")[0] * (name != "Gln")
            rest += session.timecourse("Gln")[0] * (name != "Glu")
            row = table.loc[(name, "response")]
            scores.append((row.estimate - 0.1 * rest) / row.sd)
    assert abs(np.mean(scores)) < 0.5
    assert 0.65 < np.std(scores) < 1.4


def test_memory_is_that_of_the_transients(simulated, shape):
    """Twice the transients take no more than some twice the memory."""
    import tracemalloc

    peaks = []
    for n in (64, 128):
        session = simulated(1, n_transients=n, repetition_time=768.0 / n, snr=20.0)
        tracemalloc.start()
        mp.fit_dynamic(session.data, session.basis, {"Glu": shape, "Gln": shape})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2.3 * peaks[0]
