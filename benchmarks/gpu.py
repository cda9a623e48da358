"""The recipes on the GPU that the backend finds: accuracy and time, in under ten minutes.

    pip install 'hardpairs[gpu]'        without the extra train, which brings TensorFlow
    python benchmarks/gpu.py [--recipes record,strong,best,quick,sprint] [--seeds 3] [--minutes 9]

Each recipe trains in mixed bfloat16, seed by seed, then once in float32 for comparison, as long as
there is time: none is begun that would likely end too late. The first training of each compiles,
unless an earlier command did. Prints a table, writes benchmarks/gpu.json after every training.
`--images 600 --epochs 1` tries it on a processor.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from hardpairs.analysis.significance import mean_interval
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.training.environment import training_environment
from hardpairs.training.recipes import Recipe, find_recipe

PRECISION, COMPARED = "mixed_bfloat16", "float32"
FIT = ("first fit, s", "later fit, s", "epoch, s")
NOT_COMPARED = ("record",)  # Which would take a minute or more.


def main() -> None:
    """Parse, train, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", default="record,strong,best,quick,sprint")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--images", type=int, help="only so many for training, and testing")
    parser.add_argument("--epochs", type=int, help="at most so many epochs")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes
    dataset = load_dataset("fashion-mnist")
    if options.images:
        part = slice(options.images)
        dataset = replace(dataset, train=dataset.train.take(part), test=dataset.test.take(part))
    recipes = [find_recipe(name) for name in options.recipes.split(",")]
    if options.epochs:
        recipes = [replace(each, epochs=min(each.epochs, options.epochs)) for each in recipes]
    told: dict[str, Any] = {"device": device(), **training_environment(), "rows": []}
    for row in trainings(dataset, recipes, options.seeds, deadline):
        Console(stderr=True).print(row)
        told["rows"].append(row)
        options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    Console(width=110).print(table_of(told["rows"]))


def trainings(
    dataset: Dataset, recipes: list[Recipe], seeds: int, deadline: float
) -> Iterator[dict[str, Any]]:
    """Train and predict, one after the other; what would likely end too late is left out."""
    from hardpairs.training.backend import keras
    from hardpairs.training.fit import train
    from hardpairs.training.predict import predict

    jobs = [(recipe, PRECISION, seed) for seed in range(seeds) for recipe in recipes]
    jobs += [(recipe, COMPARED, 0) for recipe in recipes if recipe.name not in NOT_COMPARED]
    took: dict[str, float] = {}
    for recipe, precision, seed in jobs:
        began = time.monotonic()
        if began + took.get(recipe.name, 0.0) > deadline:
            continue
        keras.backend.clear_session()
        trained = train(dataset, recipe, seed=seed, precision=precision)
        predicted = predict(trained.model, dataset.test.pixels).argmax(axis=1)
        seconds = time.monotonic() - began
        took[recipe.name] = max(seconds, took.get(recipe.name, 0.0))
        yield {
            "recipe": recipe.name,
            "precision": precision,
            "seed": seed,
            "accuracy": float((predicted == dataset.test.labels).mean()),
            "fit_seconds": trained.fit_seconds,
            "seconds": seconds,
            "epoch_seconds": trained.history["seconds"],
        }


def device() -> str:
    """What the backend computes on, in its own words."""
    from hardpairs.training.backend import keras

    if keras.backend.backend() != "jax":
        return str(keras.backend.backend())
    import jax

    return ", ".join(f"jax: {each.device_kind}" for each in jax.devices())


def table_of(rows: list[dict[str, Any]]) -> Table:
    """A line for each recipe and precision."""
    table = Table(title=f"Fashion-MNIST on {device()}")
    for name in ("recipe", "precision", "seeds", "accuracy", "95% interval", *FIT):
        table.add_column(name, justify="left" if name in ("recipe", "precision") else "right")
    for key in dict.fromkeys((row["recipe"], row["precision"]) for row in rows):
        mine = [row for row in rows if (row["recipe"], row["precision"]) == key]
        accuracies = np.array([row["accuracy"] for row in mine])
        low, high = mean_interval(accuracies) if len(mine) > 1 else (np.nan, np.nan)
        first, *later = (row["fit_seconds"] for row in mine)
        epochs = np.median([seconds for row in mine for seconds in row["epoch_seconds"][1:] or [0]])
        table.add_row(
            *key,
            f"{len(mine)}",
            f"{accuracies.mean():.2%}",
            f"{low:.2%}-{high:.2%}" if len(mine) > 1 else "",
            f"{first:.1f}",
            f"{np.median(later):.1f}" if later else "",
            f"{epochs:.2f}",
        )
    return table


if __name__ == "__main__":
    main()
