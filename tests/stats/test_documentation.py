"""What the documentation and the benchmark show works."""

import importlib.util
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import mrsproc as mp

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "statistics.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_python_of_the_page(tmp_path, monkeypatch, trial):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text("bin_width = 60\n")
    names = {}
    for block in blocks("python"):
        exec(compile(block, "docs/statistics.md", "exec"), names)
    plt.close("all")
    assert names["plan"].participants > 10
    assert set(names["endpoints"]["condition"]) == {"placebo", "naltrexone"}
    stated = re.search(r"\$d = ([\d.]+)\$ \(95 % CI ([\d.]+) to ([\d.]+)\)", PAGE)
    published = mp.stats.replication(4.83, published=26).effect_size
    assert [float(text) for text in stated.groups()] == pytest.approx(list(published), abs=0.005)


def test_benchmark_of_the_calibration():
    """A few trials: every analysis of a trial is that of the public functions."""
    path = ROOT / "tests" / "benchmarks" / "bench_stats.py"
    spec = importlib.util.spec_from_file_location("bench_stats", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    found, permuted = bench.study(12, 0.5, 0.3, 0.0, seed=1)
    exact, mixed = found["crossover, t"], found["mixed model, Kenward-Roger"]
    assert mixed == pytest.approx(exact, rel=1e-5)
    assert found["person intercept alone, z"][:, 3].mean() < exact[:, 3].mean()
    for p in permuted.values():
        assert np.corrcoef(p, exact[:, 3])[0, 1] > 0.9

    rng = np.random.default_rng(0)
    frame = bench.table(rng, 0.3)
    values = bench.draw(frame, 0.5, rng)
    direct, _ = bench.crossover_of(bench.pairs_of(frame, values), "precision", rng)
    means = (
        frame.assign(estimate=values.ravel())
        .groupby(["subject", "session", "condition", "period"], as_index=False)[["estimate", "sd"]]
        .mean()
    )
    public = mp.stats.crossover(
        means.assign(sd=means["sd"] / np.sqrt(bench.TIMES)),
        metabolite=None,
        endpoint=None,
        contrast=("active", "placebo"),
        weights="precision",
        resamples=99,
    )
    assert public.estimate == pytest.approx(direct.estimate)
    assert public.p == pytest.approx(direct.p)
