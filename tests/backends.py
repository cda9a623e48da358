"""Training on other backends of Keras: `make test-backends`, in an environment of its own."""

import importlib.util
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import run_cli
from hardpairs.predictions.load import load_predictions


def test_without_tensorflow():
    assert importlib.util.find_spec("tensorflow") is None


@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("recipe", ["lesson", "fast"])
def test_other_backends_train(tmp_path, backend, recipe):
    data, images = tmp_path / "data.npz", np.random.default_rng(0).integers(0, 256, (120, 10, 10))
    np.savez(data, images=images.astype(np.uint8), labels=np.arange(120) % 4)
    arguments = ("train", "--data", data, "--recipe", recipe, "--out", tmp_path / "run")
    done = run_cli(*arguments, KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stderr
    assert load_predictions(tmp_path / "run" / "predictions.npz").metadata["seed"] == 0


def test_the_notebook_on_ones_own_torch_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # It writes photos.
    names = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "own_model.py"))
    assert names["report"].evaluation.images == 600
    assert "iframe" in names["report"]._repr_html_()


def test_the_gpus_command_runs_on_a_processor(tmp_path):
    out = tmp_path / "gpu.json"
    small = ("--recipes", "quick", "--images", "600", "--epochs", "1", "--seeds", "1")
    command = [sys.executable, "benchmarks/gpu.py", *small, "--out", str(out)]
    root = Path(__file__).parents[1]
    environment = {**os.environ, "KERAS_BACKEND": ""}  # The one that is installed.
    subprocess.run(command, cwd=root, env=environment, check=True, timeout=300)
    told = json.loads(out.read_text())
    assert told["device"].startswith("jax: ")
    assert [row["precision"] for row in told["rows"]] == ["mixed_bfloat16", "float32"]
    assert all(row["accuracy"] > 0.2 for row in told["rows"])


def test_pooling_under_jax_is_keras_own():
    script = """
import numpy as np
from hardpairs.training.backend import keras
from hardpairs.training.fast_layers import with_fast_operations
import jax
images = np.random.default_rng(0).normal(size=(3, 7, 8, 5)).astype(np.float32)
net = keras.Sequential([keras.layers.Input((7, 8, 5)), keras.layers.MaxPooling2D()])
ask = lambda images: net(images)
found = [ask(images), jax.grad(lambda images: (ask(images) ** 2).sum())(images)]
net = with_fast_operations(net)
again = [ask(images), jax.grad(lambda images: (ask(images) ** 2).sum())(images)]
assert "call" in vars(net.layers[0])
for one, other in zip(found, again, strict=True):
    np.testing.assert_array_equal(one, other)
"""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=300)
