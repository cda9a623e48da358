"""The Ray engine: a study's jobs as tasks on a cluster.

Data goes out and files come back through Ray's object store: nodes share no file system. Each
needs this version of ``hardpairs[train]``.
"""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.studies.jobs import Engine, Files, Job
from hardpairs.training.threads import use_cores

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

RETRIES = 5  # Of a task whose node or process died; an error of its own isn't retried.
CONNECT_SECONDS = 5


def ray_engine(address: str) -> Engine:
    """Connect to a cluster; return an engine that gives each training one of its cores.

    Args:
        address: HOST:PORT of a cluster's head, or "auto" for the cluster of this machine.

    Raises:
        InputError: Ray isn't installed, or there is no cluster at the address.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError("--ray: Ray isn't installed; pip install 'hardpairs[ray]'.") from error
    _check_reachable(address)
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"--ray {address}: can't connect to a cluster ({reason}); start one with `ray start`."
        ) from error

    def engine(
        jobs: Sequence[Job], datasets: Mapping[str, Dataset]
    ) -> Iterator[tuple[Job, Files | Exception]]:
        remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_run)
        shipped = {source: ray.put(datasets[source]) for source in {job.source for job in jobs}}
        version = importlib.metadata.version("hardpairs")
        running = {remote.remote(job, shipped[job.source], version): job for job in jobs}
        try:
            while running:
                finished, _ = ray.wait(list(running))
                for reference in finished:
                    yield running.pop(reference), _fetch(ray, reference)
        finally:
            for reference in running:
                ray.cancel(reference, force=True)

    return engine


def _check_reachable(address: str) -> None:
    """Ask Ray's own health check: `ray.init` waits for minutes where nothing or no Ray answers."""
    if address == "auto":
        return
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=CONNECT_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        raise InputError(
            f"--ray {address}: no cluster answers there; give HOST:PORT of a running one, or auto."
        ) from error


def _fetch(ray, reference) -> Files | Exception:  # type: ignore[no-untyped-def]
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        return error


def _run(job: Job, dataset: Dataset, version: str) -> Files:
    installed = importlib.metadata.version("hardpairs")
    if installed != version:
        raise RuntimeError(f"this node has hardpairs {installed}, the study needs {version}")
    use_cores(1)  # As Ray was told.
    from hardpairs.studies.worker import run_job

    return run_job(job, dataset)
