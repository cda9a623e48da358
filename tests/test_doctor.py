import importlib.metadata
import os
import tomllib
from pathlib import Path

import pytest

from conftest import run_here
from hardpairs.cli import doctor
from hardpairs.training import environment, threads


def told(**environment: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        done = run_here("doctor")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_names_versions_and_what_trains():
    lines = dict(line.split(maxsplit=1) for line in told().splitlines()[:4])
    assert lines["hardpairs"].startswith(importlib.metadata.version("hardpairs"))
    for name in ("python", "cores", "numpy"):
        assert name in lines
    assert f"keras       {importlib.metadata.version('keras')}" in told()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores can't be taken away here")
def test_threads_are_for_the_cores_that_it_may_use(monkeypatch):
    for name in threads.VARIABLES:
        monkeypatch.setenv(name, "")  # So that what the command sets is undone.
        monkeypatch.delenv(name)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        output = told()
    finally:
        os.sched_setaffinity(0, before)
    assert "TF_NUM_INTEROP_THREADS=1, TF_NUM_INTRAOP_THREADS=1" in output
    assert f"cores       1 of {os.cpu_count()}" in output
    assert "slow: one core" in output


def test_names_what_is_missing(monkeypatch):
    there = doctor.importlib.util.find_spec
    monkeypatch.setattr(
        doctor.importlib.util, "find_spec", lambda name: None if name == "ray" else there(name)
    )
    assert "missing: `--ray`: pip install 'hardpairs[ray]'" in told()
    assert "backend     nonsense (missing)" in told(KERAS_BACKEND="nonsense")
    assert "missing: nonsense, the backend" in told(KERAS_BACKEND="nonsense")


def test_a_gpu_without_what_uses_it_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "NVIDIA", tmp_path / "nothing")
    assert "hardpairs[gpu]" not in told()
    monkeypatch.setattr(environment, "NVIDIA", tmp_path)
    assert "training on the NVIDIA GPU of this machine: pip install 'hardpairs[gpu]'" in told()


def test_a_gpu_that_jax_finds_is_used(monkeypatch, tmp_path):
    there = environment.importlib.util.find_spec
    monkeypatch.setattr(environment, "NVIDIA", tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert environment.default_precision() == "float32"
    monkeypatch.setattr(
        environment.importlib.util,
        "find_spec",
        lambda name: "spec" if name == "jax_cuda13_plugin" else there(name),
    )
    assert environment.default_precision() == "mixed_bfloat16"
    output = told(KERAS_BACKEND="jax")
    assert "missing: training on the NVIDIA GPU" not in output
    assert "slow:" not in output
    monkeypatch.setattr(environment, "NVIDIA", tmp_path / "nothing")
    assert environment.default_precision() == "float32"


def test_a_backend_that_is_there_takes_the_place_of_one_that_is_not(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"backend": "tensorflow"}')
    assert environment.backend_name() == "tensorflow"
    for nothing in ("numpy", "no.such", ""):
        (tmp_path / "keras.json").write_text(f'{{"backend": "{nothing}"}}')
        assert environment.backend_name() == "tensorflow"
    monkeypatch.setattr(
        environment.importlib.util, "find_spec", lambda name: "spec" if name == "jax" else None
    )
    assert environment.backend_name() == "jax"
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    assert environment.backend_name() == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "torch")  # Asked for by name: then it is said, not changed.
    assert environment.backend_name() == "torch"


@pytest.mark.parametrize(
    ("flags", "slow"), [(set(), True), ({"avx512_bf16"}, False), ({"amx_bf16"}, False)]
)
def test_says_what_is_slow(monkeypatch, flags, slow):
    monkeypatch.setattr("hardpairs.training.environment._processor_flags", lambda: flags)
    assert ("doesn't multiply bf16" in told(KERAS_BACKEND="tensorflow")) == slow
    assert "not of jax" in told(KERAS_BACKEND="jax")


@pytest.mark.parametrize(
    ("flags", "before", "after"),
    [({"avx2"}, None, "1"), ({"avx2"}, "0", "0"), ({"neon"}, None, None)],
)
def test_onednn_computes_where_it_is_faster(monkeypatch, flags, before, after):
    monkeypatch.setattr(environment, "_processor_flags", lambda: flags)
    monkeypatch.setenv(environment.ONEDNN_VARIABLE, before or "")  # What is set is undone.
    if before is None:
        monkeypatch.delenv(environment.ONEDNN_VARIABLE)
    environment.use_onednn()
    assert os.environ.get(environment.ONEDNN_VARIABLE) == after
    shown = f"{environment.ONEDNN_VARIABLE}={after}" in told(KERAS_BACKEND="tensorflow")
    assert shown == (after is not None)


def test_knows_every_extra_that_users_may_want():
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = {"backends", "bench", "dev", "docs"}
    assert set(project["optional-dependencies"]) - ours == {"gpu", *doctor.EXTRAS}
