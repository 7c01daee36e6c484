"""A whole trial from raw files to tables: CPU per session, kill -9 in the middle, Dask.

``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_study.py`` prints the figures that
tests/benchmarks/README.md keeps: 12 people x 2 sessions of 4 coils, 320 transients and 1024 points.
``--people 2 --transients 64`` is a quick look; ``--dask`` adds a LocalCluster of two workers of
which one is killed midway.
"""

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import mrsproc as mp
from mrsproc.simulation.example import example_basis

TABLES = ("endpoints", "timecourses", "qc", "failures")
RECIPE = """
endpoints = ["mean", "auc", "plateau", "peak", "response"]
[responses]
Glx = "ketamine"
tNAA = "ketamine"
"""


def make(folder: Path, people: int, transients: int) -> None:
    """Simulate a trial: naltrexone halves the response to ketamine."""
    basis = example_basis()
    mp.write_basis(basis, folder / "press35.basis")
    (folder / "recipe.toml").write_text(RECIPE)
    options = mp.SessionOptions(
        n_coils=4,
        n_transients=transients,
        infusion_onset=0.375 * 2.5 * transients,
        infusion_duration=0.5 * 2.5 * transients,
    )
    for person in range(people):
        order = ("placebo", "naltrexone") if person % 2 else ("naltrexone", "placebo")
        for visit, condition in enumerate(order):
            effect = 0.10 if condition == "placebo" else 0.05
            session = mp.simulate(
                basis, options, effects={"Glu": effect, "Gln": effect}, rng=2 * person + visit
            )
            session.write_bids(
                folder / "bids",
                subject=f"{person + 1:02d}",
                session=f"{visit + 1:02d}",
                condition=condition,
            )


def command(folder: Path, output: str, *words: str) -> list[str]:
    """Return the command of a user."""
    return [
        sys.executable, "-m", "mrsproc", "run", str(folder / "bids"), str(folder / output),
        "participant", "--basis", str(folder / "press35.basis"),
        "--recipe", str(folder / "recipe.toml"), *words,
    ]  # fmt: skip


def same(folder: Path, one: str, two: str) -> bool:
    """Tell whether two runs left the same tables, byte for byte."""
    return all(
        (folder / one / f"{name}.tsv").read_bytes() == (folder / two / f"{name}.tsv").read_bytes()
        for name in TABLES
    )


def finished(output: Path) -> int:
    """Count the sessions that are finished."""
    return sum('"done"' in path.read_text() for path in output.glob("sub-*/*/mrs/*record*.json"))


def killed(folder: Path, sessions: int) -> int:
    """Kill a run and all its processes when a third is done; return how many were done."""
    output = folder / "killed"
    run = subprocess.Popen(
        command(folder, "killed", "--jobs", "2"),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    while run.poll() is None and finished(output) < max(1, sessions // 3):
        time.sleep(0.05)
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    return finished(output)


def on_dask(folder: Path, sessions: int) -> None:
    """Run on a LocalCluster of two workers, and kill one of them when a third is done."""
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        client = Client(cluster)
        victim = next(iter(cluster.workers.values())).pid

        def progress(done: int, _count: int) -> None:
            if done == max(1, sessions // 3):
                os.kill(victim, signal.SIGKILL)

        mp.Study.from_bids(folder / "bids").run(
            mp.Recipe.read(folder / "recipe.toml"),
            folder / "dask",
            basis=folder / "press35.basis",
            client=client,
            progress=progress,
        )
        client.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--transients", type=int, default=320)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--dask", action="store_true")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    sessions = 2 * asked.people
    try:
        make(folder, asked.people, asked.transients)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        done = subprocess.run(command(folder, "whole", "--jobs", asked.jobs), check=False)
        spent = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{sessions} sessions, exit code {done.returncode}, {spent:.0f} s")
        print(f"CPU per session: {cpu / sessions:.2f} s, processes and imports included")
        print(f"killed after {killed(folder, sessions)} sessions")
        subprocess.run(command(folder, "killed", "--jobs", "1"), check=False)
        print(f"same tables after kill -9 and a rerun: {same(folder, 'whole', 'killed')}")
        if asked.dask:
            on_dask(folder, sessions)
            print(f"same tables with Dask, a worker killed: {same(folder, 'whole', 'dask')}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
