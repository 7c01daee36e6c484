"""Many sessions at once: processes on this machine, or workers of Dask."""

import multiprocessing
import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from mrsproc.errors import MissingPackageError
from mrsproc.study.work import Outcome, Task, process

_THREADS: Final = (
    "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip
_ROUNDS: Final = 2
_RETRIES: Final = 2


def run_here(tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """Process sessions on this machine.

    A worker that is killed takes its pool with it: what is left goes to a new one. What is left
    after two goes one by one, so that the session that kills its worker fails alone.

    Parameters
    ----------
    tasks : sequence of Task
        Sessions.
    jobs : int
        Processes; 1 works in this one.

    Yields
    ------
    Outcome
        As they finish.
    """
    if jobs == 1:
        yield from map(process, tasks)
        return
    left = list(tasks)
    for _ in range(_ROUNDS):
        left = yield from _pool(left, jobs)
    for task in left:
        if (yield from _pool([task], 1)):
            yield _killed(task)


def _pool(tasks: Sequence[Task], jobs: int) -> Generator[Outcome, None, list[Task]]:
    """Yield the outcomes of a pool, and return the tasks that it left when it broke."""
    left = dict(enumerate(tasks))
    if not left:
        return []
    context = multiprocessing.get_context("spawn")
    with _one_thread(), ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context) as pool:
        futures = {pool.submit(process, task): place for place, task in left.items()}
        for future in as_completed(futures):
            try:
                outcome = future.result()
            except BrokenProcessPool:
                continue
            del left[futures[future]]
            yield outcome
    return list(left.values())


@contextmanager
def _one_thread() -> Iterator[None]:
    """Give processes that start meanwhile one thread each for linear algebra."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def connected(client: Any) -> Iterator[Any]:
    """Connect to a scheduler of Dask, before anything is written.

    Parameters
    ----------
    client : str or distributed.Client
        Address of a scheduler, such as ``"tcp://node1:8786"``, or a client, which stays open.

    Yields
    ------
    distributed.Client
        What sessions are sent to.

    Raises
    ------
    MissingPackageError
        Dask is not installed.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise MissingPackageError(
            'a scheduler needs Dask: pip install "mrsproc[cluster]". Or leave it out to work on '
            "this machine."
        ) from error
    if isinstance(client, str):
        with distributed.Client(client) as own:
            yield own
    else:
        yield client


def run_on_dask(tasks: Sequence[Task], client: Any) -> Iterator[Outcome]:
    """Process sessions on the workers of Dask; they need the same folders.

    Parameters
    ----------
    tasks : sequence of Task
        Sessions.
    client : distributed.Client
        From `connected`.

    Yields
    ------
    Outcome
        As they finish. What a worker that died was doing goes to another.
    """
    distributed: Any = import_module("distributed")
    futures = {client.submit(process, task, pure=False, retries=_RETRIES): task for task in tasks}
    for future in distributed.as_completed(list(futures)):
        try:
            yield future.result()
        except distributed.KilledWorker:
            yield _killed(futures[future])


def _killed(task: Task) -> Outcome:
    return Outcome(
        subject=task.session.subject,
        session=task.session.session,
        status="failed",
        stage="run",
        error="KilledWorker",
        message="the process that worked on it was killed each time: is there enough memory? In a "
        "script, start the run under if __name__ == '__main__'.",
    )
