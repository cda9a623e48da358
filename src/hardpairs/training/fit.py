"""Training one recipe on one dataset with one seed."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.training.backend import default_precision, keras, own_settings
from hardpairs.training.batches import Batches, as_fit_takes_them
from hardpairs.training.nets import SideBySide, build_net, trained_part
from hardpairs.training.optimizers import OneCycle, convolution_muon
from hardpairs.training.predict import PREDICT_BATCH_SIZE, predict
from hardpairs.training.progress import OnProgress, Progress, ignore
from hardpairs.training.recipes import Recipe
from hardpairs.training.state import Record, describe_training, load_state, save_state
from hardpairs.training.steps import STEPS_PER_EXECUTION, keep_steps

SECONDS_BETWEEN_STATES = 0.5  # Of few images an epoch is done sooner than a state is written.
REMEMBERED = ("wait", "best", "best_epoch", "stopped_epoch")  # By Keras' early stopping.


@dataclass(frozen=True)
class TrainedModel:
    """A fitted net and how it came about.

    Attributes:
        model: Takes float32 (N, H, W, C) from 0 to 1, gives float32 probabilities (N, K).
        history: Keras' figures by name ("loss", "accuracy", with validation also "val_loss",
            "val_accuracy"), plus "seconds"; one value per epoch trained.
        kept_epoch: The epoch, counted from 1, whose weights the model has.
        fit_seconds: Wall time of ``fit``, graph building included, and of finding easy images; of
            a training that went on where it was stopped, with the epochs before.
        precision: The Keras dtype policy it was trained under.
        held_out: int64 (M,), rows of the training split that it wasn't trained on.
    """

    model: "keras.Model"
    history: dict[str, list[float]]
    kept_epoch: int
    fit_seconds: float
    precision: str
    held_out: np.ndarray


@own_settings()
def train(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    precision: str | None = None,
    easy: np.ndarray | None = None,
    state: Path | None = None,
    on_progress: OnProgress = ignore,
) -> TrainedModel:
    """Train ``recipe`` on a dataset's training images.

    Args:
        dataset: Its test images are never looked at.
        recipe: How to train. What it holds out is the last part of `Dataset.order_to_train`.
        seed: Decides initial weights, dropout, batch order and augmentation: with the same
            machine and versions, the same weights.
        precision: A Keras dtype policy; by default the one that suits the processor.
        easy: Rows of the images that take turns; by default those that `easiest` finds, of a
            recipe that has easy images.
        state: A file that keeps the state after each epoch, but of epochs that take less than
            half a second not after each. One that is there is gone on from; who has what they
            wanted removes it.
        on_progress: Called every few steps; `hardpairs.training.progress.in_lines()` prints a line
            for each epoch, which suits a notebook.

    Raises:
        InputError: The state is damaged or of another training, or the loss became NaN.
    """
    precision = precision or default_precision()
    described = {}
    if state is not None:
        described = describe_training(dataset, recipe, seed=seed, precision=precision, easy=easy)
    began = time.perf_counter()
    if easy is None:
        easy = easiest(dataset, recipe, seed=seed, precision=precision, on_progress=on_progress)
    searched = time.perf_counter() - began
    on_progress(Progress("preparing"))
    images, classes = dataset.train.pixels, len(dataset.class_names)
    targets = np.eye(classes, dtype=np.float32)[dataset.train.labels]
    trained_on, held_out = rows_to_train(dataset, recipe)
    batches = Batches(
        *(images, targets, trained_on),
        batch_size=recipe.batch_size,
        seed=seed,
        table=recipe.augment,
        mixup=recipe.mixup,
        easy=easy,
        easy_every=recipe.easy_every,
    )
    keras.utils.set_random_seed(seed)
    net_options: Any = {"options": recipe.net_options, "precision": precision}
    net = build_net(recipe.net, images.shape[1:], classes, **net_options)
    trainer = SideBySide(trained_part(net))
    _compile((trainer, net), recipe, len(batches) * recipe.epochs)
    keep_steps(trainer, recipe, batches, held_out=len(held_out), precision=precision)
    keeper = _Keeper(trainer, recipe, state, described)
    if keeper.record.epochs:
        on_progress(Progress(f"going on after epoch {keeper.record.epochs}, where it was stopped"))
    watched = (images[held_out], targets[held_out]) if len(held_out) else None
    seconds = _fit(trainer, batches, keeper, watched, on_progress)
    return TrainedModel(
        model=net,
        history=keeper.record.history,
        kept_epoch=keeper.kept_epoch,
        fit_seconds=searched + seconds,
        precision=precision,
        held_out=held_out,
    )


def rows_to_train(dataset: Dataset, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """int64 rows of the training images that a recipe trains on, and of those it holds out."""
    order = dataset.order_to_train()
    trained_on = len(order) - round(len(order) * recipe.validation_share)
    return order[:trained_on], order[trained_on:]


def easiest(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    precision: str | None = None,
    on_progress: OnProgress = ignore,
) -> np.ndarray | None:
    """Return the rows of the images that are easy to a recipe, None if it has none.

    They are those of whose label its ``easy_by`` is surest once it was trained on them. That a
    cheap net can tell on which images a better one needn't be trained as often was shown by
    Coleman et al. (ICLR 2020); cifar10-airbench (Jordan 2024) spares its largest net that way.
    """
    if recipe.easy_by is None:
        return None
    rows, _ = rows_to_train(dataset, recipe)
    part = replace(dataset, train=dataset.train.take(rows))
    cheap = replace(recipe.easy_by, validation_share=0.0)

    def tell(progress: Progress) -> None:
        on_progress(replace(progress, phase="finding easy images"))

    net = train(part, cheap, seed=seed, precision=precision, on_progress=tell).model
    confidence = predict(net, part.train.pixels)[np.arange(len(rows)), part.train.labels]
    return rows[np.argsort(-confidence, kind="stable")[: round(recipe.easy_share * len(rows))]]


def _compile(nets: "Sequence[keras.Model]", recipe: Recipe, steps: int) -> None:
    """Compile what is trained and what is saved, so that whoever loads it can go on training."""
    optimizer = _optimizer(recipe, steps)
    # Built beforehand, as the metric is: whatever step makes variables is traced twice.
    optimizer.build(nets[0].trainable_variables)
    for net in nets:
        net.compile(
            optimizer,
            keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
            metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
            steps_per_execution=STEPS_PER_EXECUTION,
        )


def _optimizer(recipe: Recipe, steps: int) -> "keras.optimizers.Optimizer":
    rate: Any = recipe.learning_rate
    if recipe.schedule == "one-cycle":
        rate = OneCycle(rate, steps, recipe.warm_up_share)
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(rate)
    if recipe.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    else:
        optimizer = convolution_muon(
            rate,
            weight_decay=recipe.weight_decay,
            momentum=recipe.momentum,
            adam_share=recipe.adam_share,
        )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _fit(
    trainer: SideBySide,
    batches: Batches,
    keeper: "_Keeper",
    watched: tuple[np.ndarray, np.ndarray] | None,
    on_progress: OnProgress,
) -> float:
    """Train the epochs that are left; return the seconds of all."""
    recipe, record = keeper.recipe, keeper.record
    before = sum(record.history.get("seconds", ()))
    given = as_fit_takes_them(batches, range(record.epochs, recipe.epochs))
    callbacks = given.pop("callbacks")
    callbacks.append(_Clock(len(batches), record, recipe.epochs, on_progress))
    if recipe.patience and watched:
        callbacks.append(keeper.make_early_stopping())
    started = time.perf_counter()
    if not record.finished:
        trainer.fit(
            **given,
            initial_epoch=record.epochs,
            epochs=recipe.epochs,
            validation_data=watched,
            validation_batch_size=PREDICT_BATCH_SIZE,
            shuffle=False,
            callbacks=[*callbacks, keeper],
            verbose=0,
        )
        keeper.finish()
    return before + time.perf_counter() - started


class _Clock(keras.callbacks.Callback):
    """Times the epochs and reports progress."""

    def __init__(self, steps: int, record: Record, epochs: int, on_progress: OnProgress) -> None:
        super().__init__()
        self.steps, self.record, self.epochs = steps, record, epochs
        self.on_progress, self.epoch = on_progress, 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch = epoch
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.on_progress(
            Progress(
                "training",
                epoch=self.epoch + 1,
                epochs=self.epochs,
                step=batch + 1,
                steps=self.steps,
                accuracy=(logs or {}).get("accuracy"),
                validation_accuracy=self.record.history.get("val_accuracy", [None])[-1],
            )
        )

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        figures = {**(logs or {}), "seconds": time.perf_counter() - self.started}
        for name, value in figures.items():
            self.record.history.setdefault(name, []).append(float(value))


class _Keeper(keras.callbacks.Callback):
    """Goes on from a training's state, if there is one, and keeps it after its epochs."""

    def __init__(
        self,
        trainer: SideBySide,
        recipe: Recipe,
        path: Path | None,
        description: dict[str, Any],
    ) -> None:
        super().__init__()
        self.trainer, self.recipe = trainer, recipe
        self.path, self.description = path, description
        self.early_stopping: Any = None
        self.saved_at = -math.inf
        self.record, self.best_weights = Record(), list[np.ndarray]()
        if path is not None and path.exists():
            self.record, arrays = load_state(path, description)
            self._restore(arrays)

    @property
    def kept_epoch(self) -> int:
        """The epoch, counted from 1, whose weights the net has in the end."""
        stopping = self.record.stopping
        return 1 + int(stopping["best_epoch"]) if stopping else self.record.epochs

    def _variables(self) -> list[Any]:
        return [*self.trainer.variables, *self.trainer.optimizer.variables]

    def _restore(self, arrays: list[np.ndarray]) -> None:
        variables = self._variables()
        now, self.best_weights = arrays[: len(variables)], arrays[len(variables) :]
        shapes = [tuple(variable.shape) for variable in variables]
        if [array.shape for array in now] != shapes:
            raise InputError(f"{self.path}: doesn't fit this training's net; remove it.")
        for variable, array in zip(variables, now, strict=True):
            variable.assign(array)

    def make_early_stopping(self) -> Any:
        """Keras' early stopping, which goes on with what an earlier one remembered."""
        keeper = self

        class EarlyStopping(keras.callbacks.EarlyStopping):
            def on_train_begin(self, logs: dict | None = None) -> None:
                super().on_train_begin(logs)
                for name, value in keeper.record.stopping.items():
                    setattr(self, name, value)
                self.best_weights = keeper.best_weights or None

        self.early_stopping = EarlyStopping(
            monitor="val_loss", patience=self.recipe.patience, restore_best_weights=True
        )
        return self.early_stopping

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.record.epochs = epoch + 1
        if self.early_stopping:
            remembered = {name: float(getattr(self.early_stopping, name)) for name in REMEMBERED}
            self.record.stopping = remembered
            self.best_weights = self.early_stopping.best_weights
        if np.isnan((logs or {}).get("loss", 0.0)) and not self.best_weights:
            self._give_up()
        ends = epoch + 1 == self.recipe.epochs or self.trainer.stop_training
        if not ends and time.perf_counter() - self.saved_at > SECONDS_BETWEEN_STATES:
            self._save()
            self.saved_at = time.perf_counter()

    def _give_up(self) -> None:
        """End a training whose weights are no numbers any more; nothing leads on from there."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        raise InputError(
            f"recipe {self.recipe.name}: the loss isn't a number any more after epoch "
            f"{self.record.epochs}, so nothing can come of it; try another precision, seed or "
            "recipe."
        )

    def finish(self) -> None:
        """Keep what came out at last: a stop while it is predicted with costs no training."""
        self.record.finished = True
        self.best_weights = []
        self._save()

    def _save(self) -> None:
        if self.path is not None:
            now = [variable.numpy() for variable in self._variables()]
            save_state(self.path, self.description, self.record, [*now, *self.best_weights])
