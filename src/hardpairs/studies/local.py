"""The local engine: a study's jobs in processes of their own on this machine."""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.studies.jobs import Engine, Files, Job, describe_job, job_state
from hardpairs.training.environment import check_training
from hardpairs.training.start import start_keras
from hardpairs.training.state import key_of
from hardpairs.training.threads import available_cores, use_cores

_load_once = cache(load_dataset)


class WorkerLost(Exception):
    """A process is gone that nothing of ours ended; ``beside`` others, one of which may be it."""

    def __init__(self, *, beside: bool) -> None:
        super().__init__(
            "its process was killed, as by a system that has no memory left; the same command "
            "goes on from the last finished epoch"
        )
        self.beside = beside


def local_engine(workers: int, scratch: Path | None = None, states: Path | None = None) -> Engine:
    """Return an engine with so many trainings at a time, which share the processor's cores.

    Args:
        workers: How many.
        scratch: Where their temporary files go; by default where the system has them, and where
            nobody clears away what a killed worker left.
        states: Where the states of trainings are kept, to go on from; by default nowhere.

    Raises:
        InputError, MissingExtra: As `hardpairs.training.environment.check_training` does.
    """
    check_training()
    threads = max(available_cores() // workers, 1)

    def engine(
        jobs: Sequence[Job], datasets: Mapping[str, Dataset]
    ) -> Iterator[tuple[Job, Files | Exception]]:
        _start_tracker()
        waiting = list(jobs)[::-1]
        while waiting:
            together: list[Job] = []
            for job, outcome in _run_until_broken(
                waiting, datasets, workers, (threads, scratch), states
            ):
                if isinstance(outcome, WorkerLost) and outcome.beside:
                    together.append(job)
                else:
                    yield job, outcome
            while together:  # One of them was killed, maybe for the memory of all.
                alone = [together.pop()]
                while alone:
                    yield from _run_until_broken(alone, datasets, 1, (threads, scratch), states)

    return engine


def _run_until_broken(
    waiting: list[Job],
    datasets: Mapping[str, Dataset],
    workers: int,
    set_up: tuple[int, Path | None],
    states: Path | None,
) -> Iterator[tuple[Job, Files | Exception]]:
    """Work ``waiting`` off from its end; stop early where a worker died, with what all ran lost."""
    context = multiprocessing.get_context("spawn")
    running: dict[Future, Job] = {}
    pool = ProcessPoolExecutor(workers, context, _set_up_worker, set_up)
    with _main_unseen(), pool:
        try:
            broken = False
            while running or (waiting and not broken):
                while waiting and not broken and len(running) < workers:
                    job = waiting.pop()
                    wanted = describe_job(job, datasets[job.source])
                    state = job_state(states, key_of(wanted)) if states else None
                    try:
                        running[pool.submit(_run, job, wanted, state)] = job
                    except BrokenProcessPool:  # A worker died between two jobs.
                        waiting.append(job)
                        broken = True
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    outcome = _outcome(future, beside=broken or len(running) > 1)
                    broken = broken or isinstance(outcome, WorkerLost)
                    yield running.pop(future), outcome
        finally:
            if running:  # Left early: Ctrl-C, or a folder that can't be written.
                for process in multiprocessing.active_children():
                    process.kill()


def _start_tracker() -> None:
    """Start what multiprocessing counts semaphores with so that a closed terminal doesn't end it.

    It leaves Ctrl-C and SIGTERM to the study by itself, and ended it would be missed in tracebacks.
    """
    if not hasattr(signal, "SIGHUP"):
        return
    from multiprocessing import resource_tracker

    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])  # Which a child inherits.
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_unseen() -> Iterator[None]:
    """Keep workers from running the user's script again, which a script without a guard would do.

    A spawned process imports the main module; nothing that a worker does is in there.
    """
    main = sys.modules["__main__"]
    saved = {name: getattr(main, name, None) for name in ("__file__", "__spec__")}
    vars(main).update(dict.fromkeys(saved))
    try:
        yield
    finally:
        vars(main).update(saved)


def _outcome(future: Future, *, beside: bool) -> Files | Exception:
    try:
        return future.result()
    except BrokenProcessPool:
        return WorkerLost(beside=beside)
    except Exception as error:  # Whatever stops one training, the others go on.
        return error


def _set_up_worker(threads: int, scratch: Path | None) -> None:
    """End with the parent, however that ends; leave the terminal to it; take some cores."""
    if scratch is not None:
        tempfile.tempdir = str(scratch)
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    use_cores(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(job: Job, wanted: dict[str, Any], state: Path | None) -> Files:
    dataset = _load_once(job.source)
    start_keras()
    from hardpairs.studies.worker import run_job

    return run_job(job, dataset, wanted, state)
