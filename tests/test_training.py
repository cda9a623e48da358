from dataclasses import replace

import numpy as np
import pytest

from conftest import run_cli
from hardpairs.batches import Batches, cut_out, flip, shift
from hardpairs.datasets import Split
from hardpairs.models import MODELS
from hardpairs.predictions import load_predictions
from hardpairs.recipes import RECIPES
from hardpairs.training import build_model, default_precision, predict, train

pytestmark = pytest.mark.train
LESSON = replace(RECIPES["lesson"], epochs=2)


@pytest.fixture(scope="module")
def small(fashion) -> Split:
    return Split(fashion.train.images[:1000], fashion.train.labels[:1000])


def orders(seed: int, epochs: int = 3) -> list[list[int]]:
    """The order of the images, read off the batches themselves."""
    images = np.zeros((50, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(50)
    batches = Batches(images, np.eye(50, dtype=np.float32), batch_size=8, seed=seed)
    result = []
    for epoch in range(epochs):
        batches.begin_epoch(epoch)
        pixels = np.concatenate([batches[step][0] for step in range(len(batches))])
        targets = np.concatenate([batches[step][1] for step in range(len(batches))])
        order = np.round(pixels[:, 0, 0, 0] * 255).astype(int)
        assert (targets.argmax(axis=1) == order).all()
        result.append(order.tolist())
    return result


def test_every_epoch_and_every_seed_has_its_own_order():
    first = orders(seed=1)
    assert first == orders(seed=1)
    assert all(sorted(order) == list(range(50)) for order in first)
    different = [tuple(order) for order in first + orders(seed=2)]
    assert len(set(different)) == 6


def test_keras_draws_the_order_of_each_epoch(small):
    seen = []

    class Recorder(Batches):
        def __getitem__(self, step):
            seen.append((self.epoch, step))
            return super().__getitem__(step)

    import hardpairs.training as module

    original, module.Batches = module.Batches, Recorder
    try:
        trained = train(small, LESSON, classes=10, precision="float32")
    finally:
        module.Batches = original
    steps = 8  # ceil(900 / 128)
    assert [pair for pair in seen if pair[0] == 1] == [(1, step) for step in range(steps)]
    assert int(trained.model.optimizer.iterations) == 2 * steps


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_same_seed_same_result(small, precision):
    first, again, other = (
        predict(
            train(small, LESSON, classes=10, seed=seed, precision=precision).model,
            small.images[:200],
        )
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("recipe", ["lesson", "fast"])
def test_other_backends_train(tiny_folder, tmp_path, backend, recipe):
    pytest.importorskip(backend)
    arguments = ("train", "--data", tiny_folder, "--recipe", recipe, "--out", tmp_path / "run")
    done = run_cli(*arguments, KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stderr
    assert load_predictions(tmp_path / "run" / "predictions.npz").metadata["seed"] == 0


def test_the_lessons_layers():
    layers = build_model("cnn", 10).layers
    shapes = [tuple(weight.shape) for layer in layers for weight in layer.weights]
    kernels = [shape for shape in shapes if len(shape) > 1]
    assert kernels == [(3, 3, 1, 32), (3, 3, 32, 64), (3136, 128), (128, 10)]
    names = [type(layer).__name__ for layer in layers]
    assert names == ["Conv2D", "MaxPooling2D"] * 2 + ["Flatten", "Dense", "Dropout", "Dense"]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gives_probabilities_in_every_precision(name):
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    for precision in ("float32", "mixed_bfloat16"):
        probabilities = predict(build_model(name, 7, precision), images)
        assert probabilities.shape == (20, 7)
        assert probabilities.dtype == np.float32
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_early_stopping_restores_the_best_epoch(small):
    trained = train(small, RECIPES["lesson"], classes=10, precision="float32")
    losses = trained.history["val_loss"]
    assert trained.kept_epoch == 1 + int(np.argmin(losses))
    assert len(losses) == min(20, trained.kept_epoch + 3)
    held_out = predict(trained.model, small.images[900:])
    truth = held_out[np.arange(100), small.labels[900:]]
    assert -np.log(truth).mean() == pytest.approx(min(losses), rel=1e-4)


def test_precision_is_put_back(small):
    from hardpairs.backend import keras

    before = keras.config.dtype_policy().name
    assert default_precision() in ("float32", "mixed_bfloat16")
    build_model("dense", 3, "mixed_bfloat16")
    assert keras.config.dtype_policy().name == before


def test_augmentation_does_what_it_says():
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (400, 28, 28), dtype=np.uint8)
    mirrored = (flip(images, rng) == images[:, :, ::-1]).all(axis=(1, 2))
    assert 140 < mirrored.sum() < 260
    moved = shift(images, 2, rng)
    corners = {
        (down, right)
        for down in range(-2, 3)
        for right in range(-2, 3)
        for index in range(400)
        if moved[index, 14, 14] == images[index, 14 - down, 14 - right]
    }
    assert len(corners) == 25
    blanked = (cut_out(images, 6, rng) == 0).sum(axis=(1, 2))
    assert blanked.max() == 36
    assert blanked.min() >= 1
