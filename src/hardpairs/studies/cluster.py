"""The Ray engine: a study's jobs as tasks on a cluster.

Data goes out and files come back through Ray's object store: nodes share no file system. Each
needs this version of ``hardpairs[train]``.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.files import write_bytes
from hardpairs.foreign import reason_of
from hardpairs.studies.jobs import (
    Engine,
    EngineLost,
    Files,
    Job,
    describe_job,
    job_state,
)
from hardpairs.training.state import key_of
from hardpairs.training.threads import use_cores

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
# Without its head Ray ends the process after 60 seconds, with a stack trace: ours comes first.
os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "3600")

RETRIES = 5  # Of a task whose node or process died; an error of its own isn't retried.
CONNECT_SECONDS = 9  # On a busy machine Ray takes 5 to start and ask.
POLL_SECONDS = 1.0
KEPT_SECONDS = 60.0  # For the state of a training to arrive, before it is done without.
SAY_AFTER = 10.0


@dataclass(frozen=True)
class Awaited:
    """What the study can't go on without, and for how many seconds it waits."""

    what: str
    seconds: float


HEAD = Awaited("the cluster's head to answer", 60.0)
WORKERS = Awaited("a node with a processor to join the cluster", 300.0)


def ray_engine(address: str, say: Callable[[str], None], states: Path | None = None) -> Engine:
    """Connect to a cluster; return an engine that gives each training one of its cores.

    Args:
        address: HOST:PORT of a cluster's head, or "auto" for the cluster of this machine.
        say: Called with a sentence when the study has to wait for a part of the cluster.
        states: Where the states of trainings are kept, to go on from; by default nowhere.

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
        raise InputError(
            f"--ray {address}: can't connect to a cluster ({reason_of(error)}); start one with "
            "`ray start`."
        ) from error
    head = ray.get_runtime_context().gcs_address

    def engine(
        jobs: Sequence[Job], datasets: Mapping[str, Dataset]
    ) -> Iterator[tuple[Job, Files | Exception]]:
        remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_run)
        keeper = _start_keeper(ray, states)
        shipped = {source: ray.put(datasets[source]) for source in {job.source for job in jobs}}
        running = {}
        for job in jobs:
            wanted = describe_job(job, datasets[job.source])
            running[remote.remote(job, shipped[job.source], wanted, keeper)] = job
        try:
            yield from _collect(ray, running, head, say)
        finally:
            if not _missing(ray, head):  # Without its head, Ray would wait for it.
                for reference in running:
                    ray.cancel(reference, force=True)

    return engine


def _check_reachable(address: str) -> None:
    """Ask Ray's own health check: `ray.init` waits for minutes where nothing or no Ray answers."""
    if address == "auto":
        return
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        _connect(address)  # Says in no time what the health check needs seconds for.
        subprocess.run(command, check=True, capture_output=True, timeout=CONNECT_SECONDS)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise InputError(
            f"--ray {address}: no cluster answers there; give HOST:PORT of a running one, or auto."
        ) from error


def _connect(address: str) -> None:
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=3).close()


def _collect(  # type: ignore[no-untyped-def]
    ray, running: dict[Any, Job], head: str, say: Callable[[str], None]
) -> Iterator[tuple[Job, Files | Exception]]:
    """Yield what finishes, taking it out of ``running``; raise EngineLost where nothing can."""
    missing, since, said = None, 0.0, False
    while running:
        finished, _ = ray.wait(list(running), timeout=POLL_SECONDS)
        for reference in finished:
            yield running.pop(reference), _fetch(ray, reference)
        # Trainings in progress go on without the head, so what finishes starts the time anew.
        now_missing = None if finished else _missing(ray, head)
        if now_missing is None or now_missing != missing:
            missing, since, said = now_missing, time.monotonic(), False
            continue
        waited = time.monotonic() - since
        if waited >= now_missing.seconds:
            raise EngineLost(f"waited {now_missing.seconds:.0f} s for {now_missing.what}, in vain")
        if waited >= SAY_AFTER and not said:
            say(f"waiting for {now_missing.what}; giving up at {now_missing.seconds:.0f} s.")
            said = True


def _missing(ray, head: str) -> Awaited | None:  # type: ignore[no-untyped-def]
    try:
        _connect(head)
    except OSError:
        return HEAD
    try:
        nodes = [node for node in ray.nodes() if node["Alive"]]
    except (ray.exceptions.RayError, RuntimeError, ValueError):
        return HEAD
    return None if any(node["Resources"].get("CPU", 0) for node in nodes) else WORKERS


def _fetch(ray, reference) -> Files | Exception:  # type: ignore[no-untyped-def]
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        return error


class _Keeper:
    """Writes states where the study is, for nodes that can't; an actor on this machine."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def keep(self, key: str, content: bytes) -> None:
        write_bytes(job_state(self.folder, key), content)

    def kept(self, key: str) -> bytes | None:
        path = job_state(self.folder, key)
        return path.read_bytes() if path.exists() else None


def _start_keeper(ray, folder: Path | None):  # type: ignore[no-untyped-def]
    if folder is None:
        return None
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(num_cpus=0, scheduling_strategy=here)(_Keeper)
    return actor.remote(str(folder.resolve()))


def _run(job: Job, dataset: Dataset, wanted: dict[str, Any], keeper: Any) -> Files:
    use_cores(1)  # As Ray was told.
    from hardpairs.studies.worker import run_elsewhere, run_job

    if keeper is None:
        return run_job(job, dataset, wanted)
    import ray

    key = key_of(wanted)
    try:
        kept = ray.get(keeper.kept.remote(key), timeout=KEPT_SECONDS)
    except ray.exceptions.RayError:  # Then it starts from its beginning.
        kept = None
    sent: list[Any] = []
    files = run_elsewhere(
        *(job, dataset, wanted, kept),
        lambda content: sent.append(keeper.keep.remote(key, content)),
    )
    ray.wait(sent[-1:] or [ray.put(None)], timeout=KEPT_SECONDS)  # None may be kept after its end.
    return files
