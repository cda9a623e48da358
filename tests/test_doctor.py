import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from hardpairs.cli import doctor


def told(**environment: str) -> str:
    done = CliRunner().invoke(doctor.doctor, env=environment)
    assert done.exit_code == 0, done.output
    return done.output


def test_names_versions_and_what_trains():
    lines = dict(line.split(maxsplit=1) for line in told().splitlines()[:4])
    assert lines["hardpairs"].startswith(importlib.metadata.version("hardpairs"))
    for name in ("python", "cores", "numpy"):
        assert name in lines
    assert f"keras       {importlib.metadata.version('keras')}" in told()


def test_names_what_is_missing(monkeypatch):
    there = doctor.importlib.util.find_spec
    monkeypatch.setattr(
        doctor.importlib.util, "find_spec", lambda name: None if name == "ray" else there(name)
    )
    assert "missing: `--ray`: pip install 'hardpairs[ray]'" in told()
    assert "backend     nonsense (missing)" in told(KERAS_BACKEND="nonsense")
    assert "missing: nonsense, the backend" in told(KERAS_BACKEND="nonsense")


@pytest.mark.parametrize(
    ("flags", "slow"), [(set(), True), ({"avx512_bf16"}, False), ({"amx_bf16"}, False)]
)
def test_says_what_is_slow(monkeypatch, flags, slow):
    monkeypatch.setattr("hardpairs.training.environment._processor_flags", lambda: flags)
    assert ("doesn't multiply bf16" in told(KERAS_BACKEND="tensorflow")) == slow
    assert "not of jax" in told(KERAS_BACKEND="jax")


def test_knows_every_extra_that_users_may_want():
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = {"backends", "bench", "dev", "docs"}
    assert set(project["optional-dependencies"]) - ours == set(doctor.EXTRAS)
