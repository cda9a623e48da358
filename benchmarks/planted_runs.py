"""Trainings on labels with planted errors, kept in runs/planted/ so that none is done twice."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from hardpairs.analysis.neighbours import HIDDEN_COMPONENTS, project, unit_rows
from hardpairs.data.split import Dataset, Split
from hardpairs.files import whole_file
from hardpairs.training.cross_validation import FOLDS, train_folds
from hardpairs.training.predict import hidden_layer, predict
from hardpairs.training.recipes import RECIPES

CACHE = Path("runs/planted")


@dataclass(frozen=True)
class PlantedRun:
    """Cross-validation of one set of labels.

    Attributes:
        train_labels, test_labels: int64, as trained and judged, planted errors included.
        train_planted, test_planted: bool, where an error was planted.
        fold: int8 (60000,), which net each training image was kept from.
        out_of_sample: float32 (60000, K), of the training images.
        test: float32 (folds, 10000, K), of the test images by each fold's net.
        train_hidden, test_hidden: float16 (folds, N, 64), principal components of the hidden
            activations of all images in each fold's net.
    """

    train_labels: np.ndarray
    test_labels: np.ndarray
    train_planted: np.ndarray
    test_planted: np.ndarray
    fold: np.ndarray
    out_of_sample: np.ndarray
    test: np.ndarray
    train_hidden: np.ndarray
    test_hidden: np.ndarray


def planted_run(
    dataset: Dataset, kind: str, share: float, seed: int, recipe: str = "sprint"
) -> PlantedRun:
    """Return the run of "none", "random" or "confused" errors, trained unless it is kept."""
    path = CACHE / f"{recipe}-{kind}-{share:g}-{seed}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        run = _train(dataset, kind, share, seed, recipe)
        with whole_file(path) as partial:
            np.savez(partial, **{each.name: getattr(run, each.name) for each in fields(run)})
    with np.load(path, allow_pickle=False) as arrays:
        return PlantedRun(**arrays)


def most_confused(dataset: Dataset) -> np.ndarray:
    """int64 (K,): the class that each class's images are most often taken for, without errors."""
    run = planted_run(dataset, "none", 0, 0)
    classes = len(dataset.class_names)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (dataset.train.labels, run.out_of_sample.argmax(axis=1)), 1)
    np.fill_diagonal(counts, 0)
    return counts.argmax(axis=1)


def plant(
    dataset: Dataset, labels: np.ndarray, kind: str, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels with a share of them wrong, and which, bool (N,)."""
    planted = np.zeros(len(labels), bool)
    if kind == "none":
        return labels, planted
    rows = rng.choice(len(labels), round(share * len(labels)), replace=False)
    planted[rows] = True
    wrong = labels.copy()
    if kind == "random":
        classes = len(dataset.class_names)
        wrong[rows] = (labels[rows] + rng.integers(1, classes, len(rows))) % classes
    else:
        wrong[rows] = most_confused(dataset)[labels[rows]]
    return wrong, planted


def _train(dataset: Dataset, kind: str, share: float, seed: int, recipe: str) -> PlantedRun:
    rng = np.random.default_rng(seed)
    train_labels, train_planted = plant(dataset, dataset.train.labels, kind, share, rng)
    test_labels, test_planted = plant(dataset, dataset.test.labels, kind, share, rng)
    split = Split(dataset.train.images, train_labels)
    out_of_sample = np.zeros((len(split), len(dataset.class_names)), np.float32)
    fold = np.zeros(len(split), np.int8)
    test: list[np.ndarray] = []
    hidden: list[list[np.ndarray]] = []
    planted = replace(dataset, train=split)
    for trained, held_out in train_folds(planted, RECIPES[recipe], seed=seed):
        fold[held_out] = len(test)
        out_of_sample[held_out] = predict(trained.model, split.images[held_out])
        test.append(predict(trained.model, dataset.test.pixels))
        layer = hidden_layer(trained.model)
        seen, new = (unit_rows(layer(each.pixels)) for each in (split, dataset.test))
        hidden.append([each.astype(np.float16) for each in project(seen, new, HIDDEN_COMPONENTS)])
    train_hidden, test_hidden = map(np.stack, zip(*hidden, strict=True))
    return PlantedRun(
        *(train_labels, test_labels, train_planted, test_planted, fold, out_of_sample),
        *(np.stack(test), train_hidden, test_hidden),
    )


__all__ = ["FOLDS", "PlantedRun", "plant", "planted_run"]
