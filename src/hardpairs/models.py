"""The nets. Each function returns a fresh `keras.Model` for images (28, 28, 1).

Inputs are float32 pixels from 0 to 1, outputs float32 probabilities over the classes. The last
layer computes in float32 under every precision policy: a softmax in 8 bits of mantissa makes
probabilities that don't sum to 1.
"""

from collections.abc import Callable

from hardpairs.backend import keras

layers = keras.layers
INPUT_SHAPE = (28, 28, 1)


def cnn(classes: int) -> keras.Model:
    """The lesson's net: two convolutions with pooling, one hidden layer, dropout."""
    return keras.Sequential(
        [
            layers.Input(INPUT_SHAPE),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name="cnn",
    )


def dense(classes: int) -> keras.Model:
    """The lesson's net without its convolutions: the same hidden layer on bare pixels."""
    return keras.Sequential(
        [
            layers.Input(INPUT_SHAPE),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name="dense",
    )


MODELS: dict[str, Callable[[int], keras.Model]] = {"cnn": cnn, "dense": dense}
