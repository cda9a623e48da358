import importlib.util
import socket
import time

import pytest

from conftest import run_cli
from hardpairs.cli import studies
from hardpairs.errors import InputError
from hardpairs.studies import cluster
from hardpairs.studies.cluster import ray_engine
from hardpairs.studies.jobs import EngineLost, Job
from hardpairs.training.recipes import RECIPES

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs the extra hardpairs[ray]"
)


@needs_ray
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "no cluster answers there"),
        ("203.0.113.1:6379", "no cluster answers there"),
        ("nonsense", "no cluster answers there"),
        ("auto", "can't connect"),
    ],
)
def test_an_unreachable_address_is_said_within_10_seconds(address, said):
    started = time.monotonic()
    with pytest.raises(InputError, match=said):
        ray_engine(address, print)
    assert time.monotonic() - started < 10


@needs_ray
def test_an_unreachable_address_ends_the_command(tmp_path):
    done = run_cli("compare", "--quick", "--ray", "127.0.0.1:1", cwd=tmp_path)
    assert done.returncode == 2
    assert "no cluster answers there" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_ray_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(InputError, match=r"hardpairs\[ray\]"):
        ray_engine("auto", print)


class LosingCluster:
    """As much of Ray as a study waits with: its trainings never end, its clock is ours."""

    class exceptions:
        RayError = RuntimeError

    def __init__(self, monkeypatch, lost: str):
        self.lost, self.now = lost, 0.0
        monkeypatch.setattr(cluster.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(cluster.socket, "create_connection", self.connect)

    def connect(self, address, timeout):
        if self.lost == "head":
            raise ConnectionRefusedError
        return socket.socket()

    def wait(self, references, timeout):
        self.now += timeout
        return (references[:1] if self.now < 4 else []), references

    def get(self, reference):
        return {"predictions.npz": b""}

    def nodes(self):
        return [{"Alive": True, "Resources": {}}, {"Alive": False, "Resources": {"CPU": 8}}]


@pytest.mark.parametrize(
    ("lost", "awaited", "seconds"), [("head", "head to answer", 60), ("workers", "a node", 300)]
)
def test_what_a_study_waits_for_is_said_and_has_an_end(monkeypatch, lost, awaited, seconds):
    ray = LosingCluster(monkeypatch, lost)
    running = {number: Job("toy", RECIPES["fast"], number) for number in range(5)}
    said: list[tuple[float, str]] = []
    collected = cluster._collect(
        ray, running, "127.0.0.1:1", lambda text: said.append((ray.now, text))
    )
    done = [next(collected)[0].seed for _ in range(3)]
    assert done == [0, 1, 2]
    with pytest.raises(EngineLost, match=awaited):
        next(collected)
    assert len(said) == 1
    assert 10 <= said[0][0] - 4 <= 11
    assert awaited in said[0][1]
    assert seconds <= ray.now - 4 <= seconds + 1
    assert set(running) == {3, 4}


def test_a_lost_cluster_says_what_is_done_and_the_command_to_go_on(monkeypatch, tmp_path, capsys):
    def lost(workers, scratch, states):
        def engine(jobs, datasets):
            raise EngineLost("waited 60 s for the head, in vain")
            yield

        return engine

    monkeypatch.setattr(studies, "local_engine", lost)
    monkeypatch.setattr("sys.argv", ["hardpairs", "compare", "--out", "my study"])
    options = {"seeds": 5, "jobs": 1, "address": None, "quick": False, "quiet": True}
    with pytest.raises(SystemExit) as ended:
        studies.compare.callback("dense", "fast", ("digits",), out=tmp_path / "s", **options)
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert f"0 of 10 trainings are done and kept in {tmp_path / 's'}" in said
    assert "go on with: hardpairs compare --out 'my study'" in said


def test_states_lie_beside_the_jobs(tmp_path):
    from hardpairs.studies.cluster import _Keeper

    keeper = _Keeper(str(tmp_path))
    assert keeper.kept("abc") is None
    keeper.keep("abc", b"an epoch")
    keeper.keep("abc", b"two epochs")
    assert [path.name for path in tmp_path.iterdir()] == [".abc.training.npz"]
    assert keeper.kept("abc") == b"two epochs"
