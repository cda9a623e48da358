"""How often does an audit of few images, by weak models, suspect labels that are right?

    python benchmarks/few_labels.py

Parts of Fashion-MNIST and of the digits, their labels as they are or one in twenty exchanged for
another class's; logistic regression and a random forest, each cross-validated in three folds. Four
draws each. Prints a table, writes benchmarks/few_labels.json; ten minutes on two cores.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from hardpairs.analysis.audit import audit_dataset
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset, Split
from hardpairs.predictions.predictions import Predictions

HERE = Path(__file__).parent
SETS = ("fashion-mnist", "digits")
IMAGES = (100, 200, 500, 1_000, 3_000)
PLANTED = (0.0, 0.05)
DRAWS, FOLDS = 4, 3
MODELS: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: LogisticRegression(C=0.1, max_iter=2_000),
    "random forest": lambda: RandomForestClassifier(100, random_state=0),
}


def main() -> None:
    """Measure, print a table and write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=HERE / "few_labels.json")
    out = parser.parse_args().out
    rows = [
        measure(data, planted, images, model)
        for data in SETS
        for planted in PLANTED
        for images in IMAGES
        for model in MODELS
    ]
    table = Table("set", "planted", "images", "model", "mistakes", "suspects", "of these planted")
    for row in rows:
        table.add_row(
            row["set"],
            f"{row['planted']:.0%}",
            f"{row['images']:,}",
            row["model"],
            f"{row['mistakes']:,}",
            f"{row['suspects']:,}, {row['suspects'] / row['mistakes']:.1%}",
            f"{row['right']:,}" if row["planted"] else "",
        )
    Console(width=110).print(table)
    out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def measure(data: str, planted: float, images: int, model: str) -> dict[str, Any]:
    """Sums over the draws, of the training images, each judged by a model that hasn't seen it."""
    row = {"set": data, "planted": planted, "images": images, "model": model}
    sums = {"mistakes": 0, "exchanged": 0, "suspects": 0, "right": 0}
    for seed in range(DRAWS):
        dataset, exchanged = draw(load_dataset(data), images, planted, seed)
        train, test = cross_validated(dataset, MODELS[model], seed)
        suspects = audit_dataset(dataset, train, test).train_suspects
        sums["mistakes"] += int((train.predicted != train.labels).sum())
        sums["exchanged"] += int(exchanged.sum())
        sums["suspects"] += len(suspects)
        sums["right"] += int(exchanged[suspects].sum())
    return row | sums


def draw(dataset: Dataset, images: int, planted: float, seed: int) -> tuple[Dataset, np.ndarray]:
    """A part of both splits, and bool (N,): whose training label was exchanged."""
    rng = np.random.default_rng(seed)
    classes = len(dataset.class_names)

    def part(split: Split, count: int) -> tuple[Split, np.ndarray]:
        taken = split.take(rng.permutation(len(split))[:count])
        exchanged = rng.random(count) < planted
        moved = (taken.labels + rng.integers(1, classes, count)) % classes
        return replace(taken, labels=np.where(exchanged, moved, taken.labels)), exchanged

    train, exchanged = part(dataset.train, images)
    test, _ = part(dataset.test, max(images // 2, 40))
    return replace(dataset, train=train, test=test), exchanged


def cross_validated(
    dataset: Dataset, make: Callable[[], Any], seed: int
) -> tuple[Predictions, Predictions]:
    """Predictions of both splits: of training images by the model of the other folds."""
    names = dataset.class_names
    train, test = (
        split.pixels.reshape(len(split), -1) / 255 for split in (dataset.train, dataset.test)
    )
    found = [np.full((len(each), len(names)), 1e-9) for each in (train, test)]
    labels = dataset.train.labels
    for known, asked in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(
        train, labels
    ):
        model = make().fit(train[known], labels[known])
        found[0][np.ix_(asked, model.classes_)] = model.predict_proba(train[asked])
        found[1][:, model.classes_] += model.predict_proba(test) / FOLDS
    both = [(each / each.sum(axis=1, keepdims=True)).astype(np.float32) for each in found]
    return (
        Predictions(labels, both[0], names, split="train"),
        Predictions(dataset.test.labels, both[1], names, split="test"),
    )


if __name__ == "__main__":
    main()
