"""Cross-validation: every training image judged by a net that hasn't seen it."""

from collections.abc import Callable, Iterator

import numpy as np
from sklearn.model_selection import KFold

from hardpairs.data.split import Dataset, Split
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions
from hardpairs.training.fit import Progress, TrainedModel, easiest, predict, train
from hardpairs.training.recipes import Recipe

FOLDS = 3  # Each net sees two thirds of the images; the time of all is that of two trainings.


def train_folds(
    split: Split,
    recipe: Recipe,
    *,
    classes: int,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[tuple[TrainedModel, np.ndarray]]:
    """Train one net per fold; yield it with the rows, int64, that it was kept from.

    Arguments as for `hardpairs.training.fit.train`; ``seed`` also deals the images to the folds.

    Raises:
        InputError: There are too few images to deal.
    """
    if len(split) < 10 * FOLDS:
        raise InputError(
            f"{len(split)} training images are too few for {FOLDS} folds; "
            f"give at least {10 * FOLDS}."
        )
    dealt = KFold(FOLDS, shuffle=True, random_state=seed).split(split.labels)
    for fold, (seen, held_out) in enumerate(dealt):
        part = split.take(seen)
        own_seed = seed * FOLDS + fold
        easy = easiest(part, recipe, classes=classes, seed=own_seed)
        yield (
            train(part, recipe, classes=classes, seed=own_seed, easy=easy, on_progress=on_progress),
            held_out,
        )


def cross_validate(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[Predictions, Predictions]:
    """Predict both splits with nets that haven't seen the image; arguments as for `train_folds`.

    Returns:
        Predictions of the training split, each by the one net of the other folds, and of the test
        split, by the mean of all nets.
    """
    train_split, test_split = dataset.train, dataset.test
    classes = len(dataset.class_names)
    out_of_sample = np.zeros((len(train_split), classes), np.float32)
    test = np.zeros((len(test_split), classes), np.float32)
    for trained, held_out in train_folds(
        train_split, recipe, classes=classes, seed=seed, on_progress=on_progress
    ):
        out_of_sample[held_out] = predict(trained.model, train_split.images[held_out])
        test += predict(trained.model, test_split.pixels) / FOLDS
    return (
        Predictions(
            labels=train_split.labels,
            probabilities=out_of_sample,
            class_names=dataset.class_names,
            split="train",
            fingerprint=train_split.fingerprint,
        ),
        Predictions(
            labels=test_split.labels,
            probabilities=test,
            class_names=dataset.class_names,
            split="test",
            fingerprint=test_split.fingerprint,
        ),
    )
