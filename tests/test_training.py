from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hardpairs.data.split import Dataset, Split
from hardpairs.training.augment import cutout, erase, flip, rotate_and_zoom, shift
from hardpairs.training.backend import default_precision
from hardpairs.training.batches import Batches
from hardpairs.training.fit import easiest, train
from hardpairs.training.nets import build_net
from hardpairs.training.predict import predict
from hardpairs.training.recipes import RECIPES

pytestmark = pytest.mark.train
LESSON = replace(RECIPES["lesson"], epochs=2)


@pytest.fixture(scope="module")
def data(fashion) -> Dataset:
    return replace(fashion, train=fashion.train.take(slice(1000)))


@pytest.fixture(scope="module")
def small(data) -> Split:
    return data.train


def test_images_with_wrong_labels_are_not_found_easy(data, small):
    labels = small.labels.copy()
    labels[::5] = (labels[::5] + 5) % 10
    kept = easiest(replace(data, train=Split(small.images, labels)), RECIPES["best"])
    assert len(set(kept)) == 600
    # Chance would have left 120 of the 200 in.
    assert (kept % 5 == 0).sum() < 80


def test_keras_draws_the_order_of_each_epoch(data):
    seen = []

    class Recorder(Batches):
        def batch(self, epoch, step):
            seen.append((epoch, step))
            return super().batch(epoch, step)

    import hardpairs.training.fit as module

    original, module.Batches = module.Batches, Recorder
    try:
        trained = train(data, LESSON, precision="float32")
    finally:
        module.Batches = original
    steps = 7  # 900 // 128
    assert int(trained.model.optimizer.iterations) == 2 * steps
    assert [pair for pair in seen if pair[0] == 1] == [(1, step) for step in range(steps)]


@pytest.mark.parametrize("count", [1, 200, 201, 501])
def test_a_net_side_by_side_is_the_net(small, count):
    """Both halves, in their order, also of an odd batch and of a single image."""
    net = build_net("cnn", (28, 28, 1), 10, options={"batch_norm": True})
    pixels = small.images[:count].astype(np.float32) / 255
    expected = net.predict(pixels, verbose=0)
    np.testing.assert_allclose(predict(net, small.images[:count]), expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras' own, on NumPy 2.
def test_whoever_loads_a_net_can_go_on_training(data, small, tmp_path, stepwise):
    from hardpairs.training.backend import keras

    stepwise()
    small, recipe = small.take(slice(40)), replace(RECIPES["fast"], batch_size=16)
    trained = train(replace(data, train=small), recipe, precision="float32")
    trained.model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert int(loaded.optimizer.iterations) == 3 * (40 // 16)
    pixels = small.images.astype(np.float32) / 255
    targets = np.eye(10)[small.labels]
    before = loaded.evaluate(pixels, targets, verbose=0)[0]
    loaded.fit(pixels, targets, epochs=1, verbose=0)  # The schedule is at its end: rate 0.
    assert loaded.evaluate(pixels, targets, verbose=0)[0] == pytest.approx(before, rel=1e-5)
    loaded.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    loaded.fit(pixels, targets, epochs=2, verbose=0)
    assert loaded.evaluate(pixels, targets, verbose=0)[0] < before


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_same_seed_same_result(data, small, precision, stepwise):
    if precision == "mixed_bfloat16":  # Of graphs one is enough.
        stepwise()
    data = replace(data, train=data.train.take(slice(18)))
    recipe = replace(LESSON, epochs=1, batch_size=8)  # Two steps.
    first, again, other = (
        predict(train(data, recipe, seed=seed, precision=precision).model, small.images[:40])
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_the_lessons_layers():
    layers = build_net("cnn", (28, 28, 1), 10).layers
    shapes = [tuple(weight.shape) for layer in layers for weight in layer.weights]
    kernels = [shape for shape in shapes if len(shape) > 1]
    assert kernels == [(3, 3, 1, 32), (3, 3, 32, 64), (3136, 128), (128, 10)]
    names = [type(layer).__name__ for layer in layers]
    assert names == ["Conv2D", "MaxPooling2D"] * 2 + ["Flatten", "Dense", "Dropout", "Dense"]


NETS_OF_STUDIES = [
    ("cnn", {"third_block": True}),
    ("cnn", {"batch_norm": True}),
    ("cnn", {"third_block": True, "batch_norm": True}),
]
NETS_OF_RECIPES = {str(r.net_options): (r.net, r.net_options) for r in RECIPES.values()}.values()


@pytest.mark.parametrize(("net", "options"), [*NETS_OF_RECIPES, *NETS_OF_STUDIES])
@pytest.mark.parametrize(
    ("precision", "shape"), [("float32", (16, 16, 1)), ("mixed_bfloat16", (8, 9, 3))]
)
def test_every_net_gives_probabilities_in_every_precision(net, options, precision, shape, stepwise):
    stepwise()
    images = np.random.default_rng(0).integers(0, 256, (20, *shape), dtype=np.uint8)
    built = build_net(net, shape, 7, options=options, precision=precision)
    probabilities = predict(built, images)
    assert probabilities.shape == (20, 7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_early_stopping_restores_the_best_epoch(data, small):
    # At ten times its rate it stops sooner.
    trained = train(data, replace(RECIPES["dense"], learning_rate=0.01), precision="float32")
    losses = trained.history["val_loss"]
    assert trained.kept_epoch == 1 + int(np.argmin(losses))
    assert len(losses) == trained.kept_epoch + 3 < 20
    held_out = predict(trained.model, small.images[900:])
    truth = held_out[np.arange(100), small.labels[900:]]
    assert -np.log(truth).mean() == pytest.approx(min(losses), rel=1e-4)


def test_precision_is_put_back():
    from hardpairs.training.backend import keras

    before = keras.config.dtype_policy().name
    assert default_precision() in ("float32", "mixed_bfloat16")
    build_net("dense", (28, 28, 1), 3, precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == before


def test_the_users_settings_of_keras_change_nothing_and_stay(data):
    from hardpairs.training.backend import set_keras

    few = replace(data, train=data.train.take(slice(300)))
    theirs = {"image_data_format": "channels_first", "floatx": "float64", "epsilon": 1e-2}
    usual = train(few, RECIPES["sprint"]).model.get_weights()
    before = set_keras(theirs)
    try:
        weights = train(few, RECIPES["sprint"]).model.get_weights()
    finally:
        assert set_keras(before) == theirs
    for first, second in zip(usual, weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_augmentation_does_what_it_says():
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (400, 28, 28, 1), dtype=np.uint8)
    mirrored = (flip(images, 0.5, rng) == images[:, :, ::-1]).all(axis=(1, 2, 3))
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
    blanked = (cutout(images, 6, rng) == 0).sum(axis=(1, 2, 3))
    assert blanked.max() == 36
    assert blanked.min() >= 1


def test_random_erasing_fills_rectangles_of_half_of_the_images_with_noise():
    blank = np.zeros((400, 28, 28, 1), np.uint8)
    erased = erase(blank, 0.5, np.random.default_rng(0))[..., 0]
    areas, stretches = [], []
    for image in erased:
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        if rows.size:
            tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
            assert (image > 0).sum() > 0.8 * tall * wide  # One in 256 is drawn as 0.
            areas.append(tall * wide)
            stretches.append(tall / wide)
    assert 160 < len(areas) < 240
    assert min(areas) < 40
    assert 280 < max(areas) <= 0.4 * 28 * 28
    assert min(stretches) < 0.5
    assert max(stretches) > 2
    assert np.unique(erased).size == 256
    np.testing.assert_array_equal(erase(blank, 0.0, np.random.default_rng(0)), blank)


class Fixed:
    """A generator that draws what it is told to."""

    def __init__(self, *draws: float) -> None:
        self.draws = list(draws)

    def uniform(self, low: float, high: float, shape: tuple) -> np.ndarray:
        return np.full(shape, self.draws.pop(0))


def test_rotations_and_zooms_against_scipy():
    rng = np.random.default_rng(0)
    images = ndimage.gaussian_filter(rng.integers(0, 256, (6, 28, 28)), (0, 1, 1)).astype(np.uint8)
    for turn, scale in ((0.0, 1.0), (0.05, 1.0), (-0.03, 1.0), (0.0, 0.9), (0.02, 1.1)):
        angle = 2 * np.pi * turn
        matrix = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        centre = np.full(2, 13.5)
        ours = rotate_and_zoom(images[..., None], (0.1, 0.2), Fixed(turn, scale))[..., 0]
        for image, mine in zip(images, ours, strict=True):
            expected = ndimage.affine_transform(
                image.astype(float), matrix, centre - matrix @ centre, order=1,
                mode="grid-constant",
            )  # fmt: skip
            assert np.abs(mine - expected).max() <= 0.51
    colours = np.stack([images, images[::-1], 255 - images], axis=-1)
    still = rotate_and_zoom(colours, (0.1, 0.2), Fixed(0.0, 1.0))
    np.testing.assert_array_equal(still, colours)


def test_rotations_and_zooms_stay_in_their_ranges():
    stroke = np.zeros((500, 28, 28), np.uint8)
    stroke[:, 4:24, 13:15] = 255  # Upright: its lean is the angle, its length the scale.
    turned = rotate_and_zoom(stroke[..., None], (0.05, 0.0), np.random.default_rng(0))[..., 0]
    lean = [np.polyfit(*np.nonzero(image > 127), 1)[0] for image in turned]
    most = np.tan(2 * np.pi * 0.05)
    assert 0.85 * most < max(lean) < 1.1 * most
    assert -1.1 * most < min(lean) < -0.85 * most
    zoomed = rotate_and_zoom(stroke[..., None], (0.0, 0.1), np.random.default_rng(0))[..., 0]
    lengths = (zoomed[:, :, 13] > 127).sum(axis=1)
    assert lengths.min() == 18
    assert lengths.max() == 22


def test_batch_norms_statistics_follow_a_short_training(data, small):
    """Under Keras' momentum of 0.99 they lag, and the net predicts worse than it trained."""
    recipe = replace(
        LESSON,
        net_options={"batch_norm": True},
        epochs=4,
        batch_size=32,
        validation_share=0.0,
        patience=0,
    )
    trained = train(data, recipe, precision="float32")
    accuracy = (predict(trained.model, small.images).argmax(axis=1) == small.labels).mean()
    assert accuracy > trained.history["accuracy"][-1]


def test_without_images_held_out_the_last_epoch_is_kept(data):
    """Early stopping has nothing to watch then, and stops nothing."""
    few = replace(data, train=data.train.take(slice(4)))
    trained = train(few, replace(RECIPES["lesson"], epochs=3), precision="float32")
    assert (trained.kept_epoch, len(trained.held_out)) == (3, 0)
    assert len(trained.history["loss"]) == 3


def test_data_sorted_by_class_is_held_out_from_every_class(data, small):
    order = np.argsort(small.labels, kind="stable")
    by_class = replace(data, train=small.take(order), shuffled=False)
    recipe = replace(RECIPES["dense"], epochs=1)
    trained = train(by_class, recipe)
    held_out = by_class.train.labels[trained.held_out]
    assert len(held_out) == 100
    shares = np.bincount(held_out, minlength=10) / np.bincount(small.labels)
    assert shares.min() > 0.08
    assert shares.max() < 0.12
    # The bundled sets are shuffled, and keep the lesson's last tenth.
    assert train(data, recipe).held_out.tolist() == list(range(900, 1000))


def test_easy_images_are_found_by_training_the_cheaper_recipe_first(data):
    cheap = replace(RECIPES["dense"], epochs=1, patience=0, validation_share=0.0, batch_size=100)
    recipe = replace(cheap, easy_by=cheap, easy_share=0.6, easy_every=2)
    told = []
    train(data, recipe, on_progress=told.append)
    steps = {progress.phase: progress.steps for progress in told if progress.steps}
    assert steps == {"finding easy images": 10, "training": 7}  # 400 images and half of the others.
