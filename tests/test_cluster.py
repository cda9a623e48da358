import importlib.util
import json
import os
import time

import pytest

from conftest import run_cli
from hardpairs.data.datasets import load_dataset
from hardpairs.errors import InputError
from hardpairs.studies.cluster import ray_engine
from hardpairs.studies.jobs import run_jobs
from hardpairs.studies.plans import compare_arms
from hardpairs.training.recipes import RECIPES

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs the extra hardpairs[ray]"
)


@needs_ray
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "no cluster answers there"),
        ("203.0.113.1:6379", "no cluster answers there"),
        ("nonsense", "no cluster answers there"),
        ("auto", "can't connect"),
    ],
)
def test_an_unreachable_address_is_said_within_10_seconds(tmp_path, address, said):
    started = time.monotonic()
    done = run_cli("compare", "--quick", "--ray", address, cwd=tmp_path)
    assert time.monotonic() - started < 10
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_ray_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(InputError, match=r"hardpairs\[ray\]"):
        ray_engine("auto")


@needs_ray
@pytest.mark.train
@pytest.mark.filterwarnings("ignore")
def test_a_node_killed_in_mid_study_loses_nothing(tmp_path, tiny_folder, monkeypatch):
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(__import__("sys").path))
    source = str(tiny_folder)
    datasets = {source: load_dataset(source)}
    arms = compare_arms([source], [RECIPES["fast-dense"], RECIPES["fast"]], quick=True)[source]
    jobs = [job for arm in arms for job in arm.jobs(3)]
    # Its head has no cores: both workers are raylets of their own, and one of them dies.
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        cluster.add_node(num_cpus=1)
        doomed = cluster.add_node(num_cpus=1)
        engine = ray_engine(cluster.address)

        def on_progress(done: int, total: int) -> None:
            if done == 1 and doomed in cluster.list_all_nodes():
                cluster.remove_node(doomed, allow_graceful=False)

        results, failures = run_jobs(jobs, datasets, tmp_path / "ray", engine, on_progress)
        assert doomed not in cluster.list_all_nodes()
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert not failures
    assert set(results) == set(jobs)
    # The same folder as this machine alone fills: the local engine finds nothing left to do.
    done = run_cli(
        *("compare", "fast-dense", "fast", "--data", source, "--quick", "--quiet"),
        *("--out", tmp_path / "ray"),
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "ray" / "jobs").iterdir())) == len(jobs)
    # Trained anew on this machine, a core for each job as on the cluster: the same report.
    again = run_cli(
        *("compare", "fast-dense", "fast", "--data", source, "--quick", "--quiet"),
        *("--jobs", str(os.cpu_count()), "--out", tmp_path / "here"),
    )
    assert again.returncode == 0, again.stderr
    theirs, ours = (
        without_seconds(json.loads((tmp_path / place / "study.json").read_text()))
        for place in ("ray", "here")
    )
    assert theirs["seeds"] == [0, 1]
    assert theirs == ours


def without_seconds(value):
    """The same JSON without what a clock decides."""
    if isinstance(value, dict):
        return {
            key: without_seconds(of)
            for key, of in value.items()
            if not ("seconds" in key or "hours" in key)
        }
    return [without_seconds(of) for of in value] if isinstance(value, list) else value
