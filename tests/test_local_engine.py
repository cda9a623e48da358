"""Studies on this machine, in processes of their own."""

import contextlib
import os
import signal
import subprocess
import sys
from concurrent.futures import Future

import pytest

from hardpairs.errors import InputError

UNGUARDED = """
from hardpairs.data.datasets import load_dataset
from hardpairs.studies.jobs import Job
from hardpairs.studies.local import local_engine
from hardpairs.training.recipes import RECIPES
print("begun", flush=True)
job = Job("nowhere", RECIPES["fast-dense"], 0)
for _, outcome in local_engine(1)([job], {"nowhere": load_dataset("digits")}):
    print(type(outcome).__name__)
"""


def test_a_script_without_a_guard_runs_once(tmp_path):
    """Data that only the script has opened: what a worker says of it comes back as well."""
    (tmp_path / "mine.py").write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", tmp_path / "mine.py"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["begun", "InputError"], done.stderr


def test_a_worker_that_dies_between_two_jobs_ends_no_study(monkeypatch):
    from hardpairs.studies import local
    from toys import DATASETS, JOBS

    monkeypatch.setattr(local, "_run", os.getpid)
    monkeypatch.setattr(local, "describe_job", lambda job, dataset: {})

    class Pool(local.ProcessPoolExecutor):
        """Its worker is gone after every second job, before the next is handed over."""

        handed_over = 0

        def submit(self, function, *arguments):
            if self.handed_over == 2:
                raise local.BrokenProcessPool("a worker died")
            self.handed_over += 1
            return super().submit(function)

    monkeypatch.setattr(local, "ProcessPoolExecutor", Pool)
    came = list(local.local_engine(1)(JOBS[:5], DATASETS))
    assert [job for job, _ in came] == JOBS[:5]
    assert all(isinstance(outcome, int) for _, outcome in came)


def test_without_keras_a_study_names_the_extra(monkeypatch):
    from hardpairs.studies import local

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    with pytest.raises(InputError, match=r"hardpairs\[train\]"):
        local.local_engine(1)


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("glitter", "KERAS_BACKEND is glitter.*set it to"),
        ("numpy", "KERAS_BACKEND is numpy.*set it to"),
        ("jax", "KERAS_BACKEND is jax, which isn't installed; do so or unset"),
    ],
)
def test_a_backend_that_cannot_train_is_refused_before_anything_starts(monkeypatch, backend, said):
    from hardpairs.studies import local

    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "jax" else name)
    with pytest.raises(InputError, match=said):
        local.local_engine(1)


def test_of_two_trainings_lost_together_each_is_tried_alone(monkeypatch):
    """The second is killed whenever it runs; the first must not pass for failed."""
    from hardpairs.studies import local
    from toys import DATASETS, JOBS

    class Pool(contextlib.nullcontext):
        def __init__(self, workers, *_):
            super().__init__()
            self.workers, self.running = workers, []

        def submit(self, function, job, *_):
            self.running.append(future := Future())
            if job == JOBS[1]:
                for each in self.running:
                    each.set_exception(local.BrokenProcessPool("a worker died"))
            elif job != JOBS[0] or self.workers == 1:
                self.running.remove(future)
                future.set_result({"done": b""})
            return future

    monkeypatch.setattr(local, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(local, "describe_job", lambda job, dataset: {})
    came = dict(local.local_engine(2)(JOBS[:4], DATASETS))
    assert [job for job in JOBS[:4] if came[job] == {"done": b""}] == [JOBS[0], *JOBS[2:4]]
    assert "no memory left" in str(came[JOBS[1]])


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal here")
def test_a_closed_terminal_leaves_the_tracker_of_semaphores_alone():
    code = (
        "import os, signal, time\n"
        "from multiprocessing.resource_tracker import _resource_tracker as tracker\n"
        "from hardpairs.studies.local import _start_tracker\n"
        "_start_tracker()\n"
        "os.kill(tracker._pid, signal.SIGHUP)\n"
        "time.sleep(0.5)\n"
        "print(os.waitpid(tracker._pid, os.WNOHANG), signal.pthread_sigmask(0, []))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "(0, 0) set()\n", done.stderr
