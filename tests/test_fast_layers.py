import numpy as np
import pytest

from hardpairs.training import nets
from hardpairs.training.nets import build_net, cosine_filters, hidden_part, trained_part
from hardpairs.training.recipes import RECIPES

pytestmark = pytest.mark.train
SHAPE = (28, 28, 1)


def outcome(net, images: np.ndarray) -> list[np.ndarray]:
    """What a training step's forward and backward pass give, and the averages it leaves."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        probabilities = net(images, training=True)
        loss = tf.reduce_sum(probabilities**2)
    gradients = tape.gradient(loss, net.trainable_variables)
    averages = [variable for variable in net.non_trainable_variables if "moving" in variable.path]
    return [np.asarray(array) for array in (probabilities, *gradients, *averages)]


@pytest.mark.parametrize(
    ("net", "options", "shape"),
    [
        *(("cosine", RECIPES["sprint"].net_options, shape) for shape in (SHAPE, (12, 12, 3))),
        ("full_size", RECIPES["strong"].net_options, (12, 12, 3)),
        ("full_size", RECIPES["best"].net_options, SHAPE),
        ("cnn", {"batch_norm": True}, SHAPE),
        ("cnn", {"batch_norm": True, "third_block": True}, (12, 12, 3)),
        ("cnn", {"third_block": True}, SHAPE),
    ],
)
def test_fast_operations_give_what_keras_gives(net, options, shape):
    # A wrong operation shows with every seed; with some, rounding turns one rectifier the other
    # way, which moves single elements by more than the bounds.
    assert any(_agree(net, options, shape, seed) for seed in range(3))


def _agree(name: str, options: dict, shape: tuple, seed: int) -> bool:
    from hardpairs.training.backend import keras
    from hardpairs.training.fast_layers import with_fast_operations

    keras.utils.set_random_seed(seed)
    net = trained_part(build_net(name, shape, 5, options=options))
    for layer in net.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    fast = keras.models.clone_model(net)
    fast.set_weights(net.get_weights())
    assert with_fast_operations(fast) is fast
    images = np.random.default_rng(seed).random((24, *shape), dtype=np.float32)
    pairs = list(zip(outcome(net, images), outcome(fast, images), strict=True))
    assert len(pairs) > 4
    # Keras divides the variance by n, the other operation by n - 1 of some hundreds.
    return all(
        np.allclose(got, expected, rtol=2e-3, atol=2e-3 * np.abs(expected).max())
        for expected, got in pairs
    )


def test_the_cosine_filters_are_an_orthonormal_basis_and_its_negative():
    for channels in (1, 3):
        filters = cosine_filters(channels)
        count = 9 * channels
        basis = filters[..., :count].reshape(count, count)
        np.testing.assert_allclose(basis.T @ basis, np.eye(count), atol=1e-6)
        np.testing.assert_allclose(basis[:, 0], count**-0.5, atol=1e-6)
        np.testing.assert_array_equal(filters[..., count:], -filters[..., :count])
        few = cosine_filters(channels, all_patterns=False)
        left_out = [count - 1, count]  # The finest, and minus the constant one.
        np.testing.assert_array_equal(few, np.delete(filters, left_out, axis=-1))


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras' own, on NumPy 2.
def test_nothing_of_them_is_saved_with_a_net(tmp_path):
    from hardpairs.training.backend import keras
    from hardpairs.training.fast_layers import with_fast_operations

    net = build_net("cosine", SHAPE, 5, options=RECIPES["quick"].net_options)
    with_fast_operations(trained_part(net))
    assert any("convolution_op" in vars(layer) for layer in hidden_part(net).layers)
    assert any("call" in vars(layer) for layer in hidden_part(net).layers)
    net.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not any(
        {"convolution_op", "call"} & set(vars(layer)) for layer in hidden_part(loaded).layers
    )
    images = np.random.default_rng(0).random((24, 28, 28, 1), dtype=np.float32)
    np.testing.assert_array_equal(loaded(images), net(images))
    assert len(loaded.trainable_variables) == len(net.trainable_variables) == 11


@pytest.mark.parametrize(("channels", "options"), [(1, {}), (3, {}), (1, {"all_patterns": False})])
def test_the_mirrored_net_cannot_tell_an_image_from_its_mirror_image(channels, options):
    from hardpairs.training.backend import keras

    keras.utils.set_random_seed(0)
    net = build_net("mirrored", (28, 28, channels), 5, options=options)
    images = np.random.default_rng(0).random((24, 28, 28, channels), dtype=np.float32)
    for training in (True, False):  # The first moves the averages of batch norm.
        probabilities = np.asarray(net(images, training=training))
        mirrored = np.asarray(net(images[:, :, ::-1], training=training))
        np.testing.assert_allclose(mirrored, probabilities, atol=1e-5)
        upside_down = np.asarray(net(images[:, ::-1], training=training))
        assert np.abs(upside_down - probabilities).max() > 0.01


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras' own, on NumPy 2.
def test_the_mirrored_net_is_saved_and_loaded(tmp_path):
    from hardpairs.training.backend import keras

    net = build_net("mirrored", SHAPE, 5)
    net.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = np.random.default_rng(0).random((24, 28, 28, 1), dtype=np.float32)
    np.testing.assert_array_equal(loaded(images), net(images))
    assert len(loaded.trainable_variables) == len(net.trainable_variables)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras' own, on NumPy 2.
@pytest.mark.parametrize("name", ["quick", "best"])
def test_a_net_averages_over_mirror_images_and_one_side_is_trained(tmp_path, name):
    from hardpairs.training.backend import keras
    from hardpairs.training.predict import hidden_layer

    keras.utils.set_random_seed(0)
    options = dict(RECIPES[name].net_options)
    assert options.pop("mirror_average")
    averaged = build_net(RECIPES[name].net, SHAPE, 5, options=RECIPES[name].net_options)
    part = trained_part(averaged)
    assert [id(own) for own in part.variables] == [id(own) for own in averaged.variables]
    keras.utils.set_random_seed(0)
    plain = build_net(RECIPES[name].net, SHAPE, 5, options=options)
    images = np.random.default_rng(0).random((24, *SHAPE), dtype=np.float32)
    part(images, training=True)  # Moves the averages of batch norm.
    plain.set_weights(averaged.get_weights())
    assert trained_part(plain) is plain

    sides = [np.log(plain(side)) for side in (images, images[:, :, ::-1])]
    np.testing.assert_allclose(part(images), plain(images), atol=1e-6)
    mean = np.exp(np.mean(sides, axis=0))
    expected = mean / mean.sum(axis=1, keepdims=True)
    assert np.abs(expected - plain(images)).max() > 0.001
    np.testing.assert_allclose(averaged(images), expected, atol=1e-5)
    np.testing.assert_array_equal(averaged(images[:, :, ::-1]), averaged(images))

    pixels = (images * 255).astype(np.uint8)
    np.testing.assert_array_equal(hidden_layer(averaged)(pixels), hidden_layer(plain)(pixels))
    averaged.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(images), averaged(images))


def test_the_small_net_stays_under_its_number_of_parameters():
    small = RECIPES["small"]
    net = build_net(small.net, SHAPE, 10, options=small.net_options)
    trained = sum(int(np.prod(weights.shape)) for weights in net.trainable_variables)
    assert 80_000 < trained < net.count_params() < 100_000


@pytest.mark.parametrize("shape", [(18, 6), (6, 18), (8, 8)], ids=str)
def test_muon_orthogonalises_as_keras_does(shape):
    from hardpairs.training.backend import keras
    from hardpairs.training.optimizers import convolution_muon

    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    optimizer = convolution_muon(0.01)
    ours = optimizer.zeropower_via_newtonschulz5(keras.ops.convert_to_tensor(matrix), 3)
    theirs = keras.optimizers.Muon().zeropower_via_newtonschulz5(matrix, 3)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_gpu_is_given_whole_batches(monkeypatch):
    net = build_net("full_size", SHAPE, 5, options={"channels": (4, 4, 4), "pairs": (1, 0, 1)})
    images = np.random.default_rng(0).integers(0, 256, (7, *SHAPE), np.uint8)
    in_halves = nets.SideBySide(net)(images, training=True)
    monkeypatch.setattr(nets, "has_gpu", lambda: True)
    whole = nets.SideBySide(net)(images, training=True)
    expected = net(images.astype(np.float32) / 255, training=True)
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    assert not np.allclose(in_halves, expected, atol=1e-3)  # Batch norm over each half.
