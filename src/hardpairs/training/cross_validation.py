"""Cross-validation: every training image judged by a net that hasn't seen it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from hardpairs.data.split import Dataset, stratified_order
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions
from hardpairs.training.fit import TrainedModel, train
from hardpairs.training.predict import predict
from hardpairs.training.progress import OnProgress, Progress, ignore
from hardpairs.training.recipes import Recipe, recipe_record
from hardpairs.training.state import describe_training, state_path

FOLDS = 3  # Each net sees two thirds of the images; the time of all is that of two trainings.


def deal_folds(dataset: Dataset, seed: int) -> Iterator[tuple[Dataset, np.ndarray, int]]:
    """Yield, for each fold, the data to train on, the rows kept from it, and a seed of its own.

    Every class is in every fold in proportion.

    Raises:
        InputError: There are too few images to deal.
    """
    images = len(dataset.train)
    if images < 10 * FOLDS:
        raise InputError(
            f"{images} training images are too few for {FOLDS} folds; give at least {10 * FOLDS}."
        )
    order = stratified_order(dataset.train.labels, seed)
    for fold, held_out in enumerate(np.array_split(order, FOLDS)):
        seen = np.setdiff1d(np.arange(images), held_out)
        part = replace(dataset, train=dataset.train.take(seen))
        yield part, np.sort(held_out), seed * FOLDS + fold


def train_folds(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    states: Path | None = None,
    on_progress: OnProgress = ignore,
) -> Iterator[tuple[TrainedModel, np.ndarray]]:
    """Train one net per fold; yield it with the rows, int64, that it was kept from.

    Arguments as for `hardpairs.training.fit.train`, but that ``seed`` also deals the images to
    the folds, and ``states`` is a folder, see `fold_states`.
    """
    for fold, (part, held_out, own_seed) in enumerate(deal_folds(dataset, seed), start=1):

        def tell(progress: Progress, fold: int = fold) -> None:
            on_progress(replace(progress, phase=f"net {fold} of {FOLDS}: {progress.phase}"))

        trained = train(
            *(part, recipe),
            seed=own_seed,
            state=_state_of(part, recipe, own_seed, states) if states else None,
            on_progress=tell,
        )
        yield trained, held_out


def fold_states(dataset: Dataset, recipe: Recipe, seed: int, folder: Path) -> list[Path]:
    """Where the folds' trainings keep their states in a folder."""
    dealt = deal_folds(dataset, seed)
    return [_state_of(part, recipe, own_seed, folder) for part, _, own_seed in dealt]


def _state_of(part: Dataset, recipe: Recipe, seed: int, folder: Path) -> Path:
    return state_path(folder, describe_training(part, recipe, seed=seed))


def cross_validate(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    states: Path | None = None,
    on_progress: OnProgress = ignore,
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
        *(dataset, recipe), seed=seed, states=states, on_progress=on_progress
    ):
        out_of_sample[held_out] = predict(trained.model, train_split.take(held_out).pixels)
        test += predict(trained.model, test_split.pixels) / FOLDS
    metadata = {"data": dataset.source, "seed": seed, "folds": FOLDS}
    metadata["recipe"] = recipe_record(recipe)

    def predictions(name: str, probabilities: np.ndarray) -> Predictions:
        split = train_split if name == "train" else test_split
        return Predictions(
            labels=split.labels,
            probabilities=probabilities,
            class_names=dataset.class_names,
            ids=split.ids,
            split=name,
            fingerprint=split.fingerprint,
            metadata=metadata,
        )

    return predictions("train", out_of_sample), predictions("test", test)
