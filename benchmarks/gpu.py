"""The recipes on whatever device the backend finds: accuracy and time, in under ten minutes.

    pip install 'hardpairs[gpu]'        without the extra train, which brings TensorFlow
    python benchmarks/gpu.py [--recipes sprint,quick,strong,best] [--seeds 3] [--minutes 9]
    python benchmarks/gpu.py --recipes record --precisions mixed_bfloat16

Each recipe trains unchanged in float32 and in mixed bfloat16, seed by seed, as long as there is
time; the first training of each compiles. Prints a table, writes benchmarks/gpu.json. `--images
600 --epochs 1` tries it on a processor.

`record` is `best`, four times as wide and deeper, for a GPU; aimed at 96.6%. Nobody has trained it
yet, so it stands here and not among the recipes.
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

from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.training.recipes import RECIPES, Recipe

PRECISIONS = "float32,mixed_bfloat16"
RECORD = replace(
    RECIPES["best"],
    name="record",
    description="The net of best, four times as wide and deeper.",
    measured="not measured",
    net_options={**RECIPES["best"].net_options, "channels": (128, 256, 512), "pairs": 2},
    epochs=40,
)


def main() -> None:
    """Parse, train, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", default="sprint,quick,strong,best")
    parser.add_argument("--precisions", default=PRECISIONS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--images", type=int, help="only so many for training, and testing")
    parser.add_argument("--epochs", type=int, help="at most so many epochs")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    dataset = load_dataset("fashion-mnist")
    if options.images:
        part = slice(options.images)
        dataset = replace(dataset, train=dataset.train.take(part), test=dataset.test.take(part))
    known = {**RECIPES, RECORD.name: RECORD}
    recipes = [known[name] for name in options.recipes.split(",")]
    if options.epochs:
        recipes = [replace(each, epochs=min(each.epochs, options.epochs)) for each in recipes]
    console = Console(width=100)
    rows: list[dict[str, Any]] = []
    deadline = time.monotonic() + 60 * options.minutes
    precisions = options.precisions.split(",")
    for row in trainings(dataset, recipes, precisions, options.seeds, deadline):
        Console(stderr=True).print(row)
        rows.append(row)
    console.print(table_of(rows))
    told = {"device": device(), "rows": rows}
    options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def trainings(
    dataset: Dataset, recipes: list[Recipe], precisions: list[str], seeds: int, deadline: float
) -> Iterator[dict[str, Any]]:
    """Train and predict, one after the other; none is begun that would likely end too late."""
    from hardpairs.training.backend import keras
    from hardpairs.training.fit import train
    from hardpairs.training.predict import predict

    took: dict[tuple[str, str], float] = {}
    for seed in range(seeds):
        for recipe in recipes:
            for precision in precisions:
                began = time.monotonic()
                if began + took.get((recipe.name, precision), 0.0) > deadline:
                    continue
                keras.backend.clear_session()
                trained = train(dataset, recipe, seed=seed, precision=precision)
                predicted = predict(trained.model, dataset.test.pixels).argmax(axis=1)
                took[recipe.name, precision] = time.monotonic() - began
                yield {
                    "recipe": recipe.name,
                    "precision": precision,
                    "seed": seed,
                    "accuracy": float((predicted == dataset.test.labels).mean()),
                    "fit_seconds": trained.fit_seconds,
                    "seconds": took[recipe.name, precision],
                }


def device() -> str:
    """What the backend computes on, in its own words."""
    from hardpairs.training.backend import keras

    name = keras.backend.backend()
    return f"{name}: {', '.join(map(str, keras.distribution.list_devices()))}"


def table_of(rows: list[dict[str, Any]]) -> Table:
    """A line for each recipe and precision."""
    table = Table(title=f"Fashion-MNIST on {device()}")
    for name in ("recipe", "precision", "seeds", "accuracy", "first, s", "later, s"):
        table.add_column(name, justify="left" if name in ("recipe", "precision") else "right")
    for key in dict.fromkeys((row["recipe"], row["precision"]) for row in rows):
        mine = [row for row in rows if (row["recipe"], row["precision"]) == key]
        seconds = [row["seconds"] for row in mine]
        later = f"{np.median(seconds[1:]):.1f}" if len(seconds) > 1 else ""
        accuracy = f"{np.mean([row['accuracy'] for row in mine]):.2%}"
        table.add_row(*key, f"{len(mine)}", accuracy, f"{seconds[0]:.1f}", later)
    return table


if __name__ == "__main__":
    main()
