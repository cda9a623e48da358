import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conftest import run_here
from hardpairs.data.datasets import load_dataset

pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")
pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning"),  # Keras' own, on NumPy 2.
]


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny_folder) -> Path:
    """A run of one epoch on a few images."""
    from hardpairs.training.recipes import find_recipe
    from hardpairs.training.runs import create_run

    folder = tmp_path_factory.mktemp("runs") / "run"
    folder.mkdir()
    dataset = load_dataset(tiny_folder)
    create_run(folder, dataset, find_recipe("sprint"), precision="float32")
    return folder


@pytest.fixture(scope="module")
def made(run, tmp_path_factory) -> tuple[Path, str]:
    """A folder that the run was exported to, and what the command said."""
    folder = tmp_path_factory.mktemp("exported") / "new"
    done = run_here("export", run, "--out", folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder, done.stdout


def test_export_is_what_keras_says(run, made, tiny_folder):
    from hardpairs.predictions.load import load_predictions
    from hardpairs.serving.model import load_exported

    folder, told = made
    assert {path.name for path in folder.iterdir()} == {"model.onnx", "model.json", "nearest.npz"}
    assert "on 300 images: 300 with the same class, probabilities at most" in told
    model, predictions = load_exported(folder), load_predictions(run / "predictions.npz")
    probabilities, _ = model.session.predict(load_dataset(tiny_folder).test.pixels)
    assert np.abs(probabilities - predictions.probabilities).max() < 1e-4
    said = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert tuple(said["classes"]) == model.description.classes == predictions.class_names
    assert model.description.preparation.longest == 28
    assert model.likeness is not None
    assert len(model.likeness.vectors) == 500
    assert model.session.predict(np.zeros((0, 28, 28, 1), np.uint8))[0].shape == (0, 10)
    assert model.session.predict(np.zeros((130, 28, 28, 1), np.uint8))[0].shape == (130, 10)


def test_pairs_are_counted_from_the_runs_own_predictions(run, made):
    from hardpairs.predictions.load import load_predictions
    from hardpairs.serving.model import load_exported

    predictions = load_predictions(run / "predictions.npz")
    labels, predicted = predictions.labels, predictions.predicted
    pairs = load_exported(made[0]).description.pairs
    assert pairs
    for (a, b), pair in pairs.items():
        mixed = ((labels == a) & (predicted == b)) | ((labels == b) & (predicted == a))
        assert pair.model == pytest.approx(mixed.sum() / np.isin(labels, [a, b]).sum())


def test_data_that_is_gone_leaves_out_neighbours_and_says_so(run, tmp_path, tiny_folder):
    from hardpairs.serving.export import export_run
    from hardpairs.serving.model import load_exported

    (tmp_path / "nearest.npz").write_bytes(b"of another net")
    moved = tiny_folder.rename(tiny_folder.with_name("elsewhere"))
    try:
        (note,) = export_run(run, tmp_path).notes
    finally:
        moved.rename(tiny_folder)
    assert "left out" in note
    assert load_exported(tmp_path).likeness is None


def test_a_run_on_images_that_were_scaled(tmp_path):
    from hardpairs.serving.export import export_run
    from hardpairs.serving.model import load_exported
    from hardpairs.training.recipes import RECIPES
    from hardpairs.training.runs import create_run

    labels = np.arange(60) % 3
    images = np.random.default_rng(0).integers(0, 200, (60, 130, 100), np.uint8)
    images[:, :50] += (25 * labels).astype(np.uint8)[:, None, None]
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    dataset = load_dataset(tmp_path / "data.npz")
    run = tmp_path / "run"
    run.mkdir()
    few = replace(RECIPES["sprint"], net_options={"filters": (8, 16, 16)}, batch_size=60)
    create_run(run, dataset, few, precision="float32")
    assert export_run(run, run).notes == ()
    model = load_exported(run)
    kept = model.description.preparation
    assert (kept.height, kept.width, kept.channels) == dataset.test.pixels.shape[1:] == (64, 64, 1)
    assert model.likeness.typical.shape[0] == 3


# Every function of nets and every option that changes a graph once; `record` has no other kinds of
# layers than `best`.
EXPORTED = [
    ("lesson", (16, 16, 3)),
    ("dense", (28, 28, 1)),
    ("sprint", (28, 28, 1)),
    ("quick", (16, 16, 3)),
    ("strong", (28, 28, 1)),
    ("best", (16, 16, 3)),
]


@pytest.mark.parametrize(("name", "shape"), EXPORTED, ids=str)
def test_nets_of_every_recipe_export(tmp_path, name, shape):
    from hardpairs.serving.export import write_onnx
    from hardpairs.serving.model import open_session
    from hardpairs.training.nets import build_net
    from hardpairs.training.recipes import RECIPES

    described = {
        "classes": ["a", "b", "c"],
        "preparation": {
            "height": shape[0],
            "width": shape[1],
            "channels": shape[2],
            "thing": False,
            "longest": shape[0],
            "centre": "box",
        },
    }
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, *shape), dtype=np.uint8)
    recipe = RECIPES[name]
    net = build_net(recipe.net, shape, 3, options=recipe.net_options)
    # As after a training: no bias is 0, no mean 0 and no variance 1 any more.
    net.set_weights(
        [
            weights * rng.uniform(0.8, 1.2, weights.shape)
            + (weights == 0) * rng.normal(0, 0.1, weights.shape)
            for weights in net.get_weights()
        ]
    )
    write_onnx(net, described, tmp_path / "model.onnx")
    probabilities, hidden = open_session(tmp_path / "model.onnx").predict(images)
    own = np.asarray(net(images.astype(np.float32) / 255, training=False))
    assert np.abs(probabilities - own).max() < 1e-5
    assert len(hidden) == 20


def test_every_net_of_a_recipe_is_among_them():
    from hardpairs.training.recipes import RECIPES

    assert {RECIPES[name].net for name, _ in EXPORTED} == {each.net for each in RECIPES.values()}


def test_what_is_no_run_is_refused_and_nothing_made(tmp_path):
    for run, said in (("nowhere", "isn't a folder"), (".", "predictions.npz: is missing")):
        done = run_here("export", tmp_path / run, "--out", tmp_path / "new")
        assert done.returncode == 2
        assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_export_needs_is_named_at_once_and_so_are_the_runs_of_a_folder(tmp_path, monkeypatch):
    from hardpairs.cli import export as command

    run = tmp_path / "runs" / "mine"
    run.mkdir(parents=True)
    (run / "model.keras").touch()
    assert f"runs: holds runs; name one, as {run}" in run_here("export", run.parent).stderr
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "keras" else name)
    assert "hardpairs[export]" in run_here("export", run).stderr
