"""Training one recipe on one dataset with one seed, and predicting with what came out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardpairs.data.split import Split
from hardpairs.errors import InputError
from hardpairs.training.backend import default_precision, keras
from hardpairs.training.batches import Batches, as_fit_takes_them
from hardpairs.training.nets import SideBySide, build_net
from hardpairs.training.optimizers import OneCycle, convolution_muon
from hardpairs.training.recipes import Recipe

PREDICT_BATCH_SIZE = 500
# Fewer returns to Python: about 10% faster in Keras on TensorFlow. Keras on torch allows only 1.
STEPS_PER_EXECUTION = 1 if keras.backend.backend() == "torch" else 20


@dataclass(frozen=True)
class Progress:
    """Where a training stands: step ``step`` of ``steps`` in epoch ``epoch`` of ``epochs``.

    Counted from 1; ``epochs`` is an upper bound under early stopping. ``accuracy`` is the running
    training accuracy of the epoch, ``validation_accuracy`` that of the last epoch ended, if any.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    accuracy: float
    validation_accuracy: float | None


@dataclass(frozen=True)
class TrainedModel:
    """A fitted net and how it came about.

    Attributes:
        model: Takes float32 (N, H, W, C) from 0 to 1, gives float32 probabilities (N, K).
        history: Keras' figures by name ("loss", "accuracy", with validation also "val_loss",
            "val_accuracy"), plus "seconds"; one value per epoch trained.
        kept_epoch: The epoch, counted from 1, whose weights the model has.
        fit_seconds: Wall time of ``fit``, graph building included.
        precision: The Keras dtype policy it was trained under.
        held_out: How many images, the split's last, it wasn't trained on.
    """

    model: "keras.Model"
    history: dict[str, list[float]]
    kept_epoch: int
    fit_seconds: float
    precision: str
    held_out: int


def train(
    split: Split,
    recipe: Recipe,
    *,
    classes: int,
    seed: int = 0,
    precision: str | None = None,
    easy: np.ndarray | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> TrainedModel:
    """Train ``recipe`` on one split.

    Args:
        split: Training images and labels; the recipe's validation share is cut off its end.
        recipe: How to train.
        classes: K, how many classes the net tells apart.
        seed: Decides initial weights, dropout, batch order and augmentation: with the same
            machine and versions, the same weights.
        precision: A Keras dtype policy; by default the one that suits the processor.
        easy: Rows of the images that take turns, as `easiest` finds them for a recipe that has
            easy images, and for no other.
        on_progress: Called every few steps.

    Raises:
        InputError: The recipe has easy images and none were given.
    """
    if recipe.easy_by and easy is None:
        raise InputError(
            f"{recipe.name}: needs its easy images; find them with hardpairs.easiest(split, recipe)"
        )
    precision = precision or default_precision()
    trained_on = len(split) - held_out_images(split, recipe)
    images = split.pixels
    targets = np.eye(classes, dtype=np.float32)[split.labels]
    batches = Batches(
        images[:trained_on],
        targets[:trained_on],
        batch_size=recipe.batch_size,
        seed=seed,
        table=recipe.augment,
        easy=easy,
        easy_every=recipe.easy_every,
    )
    keras.utils.set_random_seed(seed)
    shape = images.shape[1:]
    model = build_net(recipe.net, shape, classes, options=recipe.net_options, precision=precision)
    trainer = SideBySide(model)
    _compile(trainer, recipe, len(batches) * recipe.epochs)
    clock = _Clock(batches, recipe.epochs, on_progress)
    callbacks: list[Any] = [clock]
    stopping = None
    if recipe.patience and trained_on < len(split):
        stopping = keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=recipe.patience, restore_best_weights=True
        )
        callbacks.append(stopping)
    watched = (images[trained_on:], targets[trained_on:]) if trained_on < len(split) else None
    started = time.perf_counter()
    history = trainer.fit(
        as_fit_takes_them(batches),
        epochs=recipe.epochs,
        validation_data=watched,
        validation_batch_size=PREDICT_BATCH_SIZE,
        shuffle=False,
        callbacks=callbacks,
        verbose=0,
    )
    return TrainedModel(
        model=model,
        history={**history.history, "seconds": clock.seconds},
        kept_epoch=1 + stopping.best_epoch if stopping else len(clock.seconds),
        fit_seconds=time.perf_counter() - started,
        precision=precision,
        held_out=len(split) - trained_on,
    )


def _compile(trainer: SideBySide, recipe: Recipe, steps: int) -> None:
    optimizer = _optimizer(recipe, steps)
    # Built beforehand, as the metric is: whatever step makes variables is traced twice.
    optimizer.build(trainer.net.trainable_variables)
    for net in (trainer, trainer.net):  # The net too, so that whoever loads it can go on training.
        net.compile(
            optimizer,
            keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
            metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
            steps_per_execution=STEPS_PER_EXECUTION,
        )


def held_out_images(split: Split, recipe: Recipe) -> int:
    """How many images, the split's last, the recipe holds out."""
    return round(len(split) * recipe.validation_share)


def easiest(
    split: Split, recipe: Recipe, *, classes: int, seed: int = 0, precision: str | None = None
) -> np.ndarray | None:
    """Return the rows of the images that are easy to a recipe, None if it has none.

    They are those of whose label its ``easy_by`` is surest once it was trained on them. That a
    cheap net can tell on which images a better one needn't be trained as often was shown by
    Coleman et al. (ICLR 2020); cifar10-airbench (Jordan 2024) spares its largest net that way.
    """
    if recipe.easy_by is None:
        return None
    trained_on = len(split) - held_out_images(split, recipe)
    part = split.take(slice(trained_on))
    net = train(part, recipe.easy_by, classes=classes, seed=seed, precision=precision).model
    confidence = predict(net, part.pixels)[np.arange(trained_on), part.labels]
    return np.argsort(-confidence, kind="stable")[: round(recipe.easy_share * trained_on)]


def predict(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return float32 probabilities (N, K) for uint8 images (N, H, W, C)."""
    return _predict(model, images)


def hidden_activations(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return float32 (N, D): what the last layer is given for uint8 images (N, H, W, C)."""
    hidden = keras.Model(model.inputs, model.layers[-1].input)
    return _predict(hidden, images).astype(np.float32).reshape(len(images), -1)


def _predict(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    return SideBySide(model).predict(images, batch_size=PREDICT_BATCH_SIZE, verbose=0)


def _optimizer(recipe: Recipe, steps: int) -> "keras.optimizers.Optimizer":
    rate: Any = recipe.learning_rate
    if recipe.schedule == "one-cycle":
        rate = OneCycle(rate, steps, recipe.warm_up_share)
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(rate)
    if recipe.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    else:
        optimizer = convolution_muon(rate, recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


class _Clock(keras.callbacks.Callback):
    """Sets each epoch's batch order, times the epochs and reports progress."""

    def __init__(
        self, batches: Batches, epochs: int, on_progress: Callable[[Progress], None] | None
    ) -> None:
        super().__init__()
        self.batches, self.epochs, self.on_progress = batches, epochs, on_progress
        self.seconds: list[float] = []
        self.epoch = 0
        self.validation_accuracy: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch = epoch
        self.batches.begin_epoch(epoch)
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.on_progress and logs:
            self.on_progress(
                Progress(
                    epoch=self.epoch + 1,
                    epochs=self.epochs,
                    step=batch + 1,
                    steps=len(self.batches),
                    accuracy=logs["accuracy"],
                    validation_accuracy=self.validation_accuracy,
                )
            )

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.seconds.append(time.perf_counter() - self.started)
        self.validation_accuracy = (logs or {}).get("val_accuracy")
