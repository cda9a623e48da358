"""A study that loses its process or a node comes to the end of one that was left alone."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import run_cli
from hardpairs.data.datasets import load_dataset
from hardpairs.studies import cluster
from hardpairs.studies.cluster import ray_engine
from hardpairs.studies.jobs import run_jobs
from hardpairs.studies.plans import compare_arms
from hardpairs.training.recipes import RECIPES
from toys import REAL_STUDY, without_times

pytestmark = pytest.mark.train
# Soon enough for a test: by default a dead node is missed after 15 seconds.
FAST_CHECKS = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 2,
}


@pytest.fixture(scope="module")
def real_study(tmp_path_factory, tiny_folder) -> tuple[Path, str]:
    """A small study that ran to its end undisturbed: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("studies") / "whole"
    done = run_cli(*REAL_STUDY, "--data", tiny_folder, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_killed_at_any_moment_it_goes_on_to_the_same_table(tmp_path, tiny_folder, real_study):
    command = [*REAL_STUDY, "--data", tiny_folder, "--out", tmp_path / "killed"]
    process = subprocess.Popen(
        [sys.executable, "-m", "hardpairs", *map(str, command)],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not (finished := list((tmp_path / "killed" / "jobs").glob("[!.]*"))):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    before = {path: (path / "predictions.npz").stat().st_mtime_ns for path in finished}
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 10
    while workers_of(process.pid):  # They end by themselves.
        assert time.monotonic() < deadline
        time.sleep(0.1)
    done = run_cli(*command)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for path, changed in before.items():
        assert (path / "predictions.npz").stat().st_mtime_ns == changed
    whole, said = real_study
    assert without_times(tmp_path / "killed") == without_times(whole)
    assert done.stdout.splitlines()[:-1] == said.splitlines()[:-1]


def workers_of(session: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    return listed.stdout.split()


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs the extra hardpairs[ray]"
)
@pytest.mark.filterwarnings("ignore")
def test_a_node_killed_in_mid_study_loses_nothing(tmp_path, tiny_folder, real_study, monkeypatch):
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(__import__("sys").path))
    # What else runs on a machine of two cores can hold up Ray's own health check for longer.
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 60)
    source = str(tiny_folder)
    datasets = {source: load_dataset(source)}
    arms = compare_arms([source], [RECIPES["fast-dense"], RECIPES["fast"]], quick=True)["tiny"]
    jobs = [job for arm in arms for job in arm.jobs(2)]
    # Its head has no cores: both workers are raylets of their own, and one of them dies.
    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "_system_config": FAST_CHECKS}
    )
    try:
        nodes.add_node(num_cpus=1)
        doomed = nodes.add_node(num_cpus=1)
        (tmp_path / "ray" / "jobs").mkdir(parents=True)
        engine = ray_engine(nodes.address, print, tmp_path / "ray" / "jobs")

        def on_progress(done: int, total: int) -> None:
            if done == 1 and doomed in nodes.list_all_nodes():
                nodes.remove_node(doomed, allow_graceful=False)

        results, failures = run_jobs(jobs, datasets, tmp_path / "ray", engine, on_progress)
        assert doomed not in nodes.list_all_nodes()
    finally:
        ray.shutdown()
        nodes.shutdown()
    assert not failures
    assert set(results) == set(jobs)
    # The same folder as this machine alone fills: the local engine finds nothing left to do.
    done = run_cli(*REAL_STUDY, "--data", source, "--out", tmp_path / "ray")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "ray" / "jobs").iterdir())) == len(jobs)
    # And the same report as if it had trained them itself.
    assert without_times(tmp_path / "ray") == without_times(real_study[0])
