"""Trainings on labels with planted errors, kept in runs/planted/ so that none is done twice."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hardpairs.analysis.neighbours import find_neighbours
from hardpairs.data.split import Dataset, Split
from hardpairs.files import whole_file
from hardpairs.training.cross_validation import FOLDS, train_folds
from hardpairs.training.predict import hidden_activations, predict
from hardpairs.training.recipes import RECIPES
from hardpairs.training.runs import NEIGHBOUR_CANDIDATES

CHEAP = replace(RECIPES["fast"], batch_size=128, epochs=2)
CACHE = Path("runs/planted")
FLIPPED_SHARE = 0.02


@dataclass(frozen=True)
class PlantedRun:
    """Cross-validation of one set of labels.

    Attributes:
        train_labels, test_labels: int64, as trained and judged, planted errors included.
        train_planted, test_planted: bool, where an error was planted.
        out_of_sample: float32 (60000, K), of the training images.
        test: float32 (folds, 10000, K), of the test images by each fold's net.
        neighbour_indices, neighbour_labels: Of the test images, in the first net.
    """

    train_labels: np.ndarray
    test_labels: np.ndarray
    train_planted: np.ndarray
    test_planted: np.ndarray
    out_of_sample: np.ndarray
    test: np.ndarray
    neighbour_indices: np.ndarray
    neighbour_labels: np.ndarray


def planted_run(dataset: Dataset, kind: str, seed: int) -> PlantedRun:
    """Return the run of "none", "random" or "confused" errors, trained unless it is kept."""
    path = CACHE / f"{kind}-{seed}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = _train(dataset, kind, seed)
        with whole_file(path) as partial:
            np.savez_compressed(partial, allow_pickle=False, **fields)
    with np.load(path, allow_pickle=False) as arrays:
        return PlantedRun(**arrays)


def most_confused(dataset: Dataset) -> np.ndarray:
    """int64 (K,): the class that each class's images are most often taken for, without errors."""
    run = planted_run(dataset, "none", 0)
    classes = len(dataset.class_names)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (dataset.train.labels, run.out_of_sample.argmax(axis=1)), 1)
    np.fill_diagonal(counts, 0)
    return counts.argmax(axis=1)


def _train(dataset: Dataset, kind: str, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = len(dataset.class_names)
    train_labels, train_planted = _plant(dataset, dataset.train.labels, kind, rng)
    test_labels, test_planted = _plant(dataset, dataset.test.labels, kind, rng)
    split = Split(dataset.train.images, train_labels)
    planted = replace(dataset, train=split)
    out_of_sample = np.zeros((len(split), classes), np.float32)
    test: list[np.ndarray] = []
    for trained, held_out in train_folds(planted, CHEAP, seed=seed):
        if not test:
            seen = np.setdiff1d(np.arange(len(split)), held_out)
            chosen = seen[:: -(-len(seen) // NEIGHBOUR_CANDIDATES)]
            neighbours = find_neighbours(
                hidden_activations(trained.model, split.images[chosen]),
                chosen,
                train_labels[chosen],
                hidden_activations(trained.model, dataset.test.pixels),
            )
        out_of_sample[held_out] = predict(trained.model, split.images[held_out])
        test.append(predict(trained.model, dataset.test.pixels))
    return {
        "train_labels": train_labels,
        "test_labels": test_labels,
        "train_planted": train_planted,
        "test_planted": test_planted,
        "out_of_sample": out_of_sample,
        "test": np.stack(test),
        "neighbour_indices": neighbours.indices,
        "neighbour_labels": neighbours.labels,
    }


def _plant(
    dataset: Dataset, labels: np.ndarray, kind: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels with 2% of them wrong, and which."""
    planted = np.zeros(len(labels), bool)
    if kind == "none":
        return labels, planted
    rows = rng.choice(len(labels), round(FLIPPED_SHARE * len(labels)), replace=False)
    planted[rows] = True
    wrong = labels.copy()
    if kind == "random":
        classes = len(dataset.class_names)
        wrong[rows] = (labels[rows] + rng.integers(1, classes, len(rows))) % classes
    else:
        wrong[rows] = most_confused(dataset)[labels[rows]]
    return wrong, planted


__all__ = ["CHEAP", "FOLDS", "PlantedRun", "planted_run"]
