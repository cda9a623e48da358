"""What recipes learn from few images: as they are for 60,000, and as `for_images` makes them.

    python benchmarks/few_images.py [--recipes sprint,fast,quick,strong] [--images 200,1000,5000]

Each seed trains on a part of its own of the training images and predicts 10,000 others of them; the
test images are never looked at. Prints a table, writes benchmarks/few_images.json.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from hardpairs.analysis.significance import mean_interval
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset, Split, stratified_order
from hardpairs.training.recipes import RECIPES, Recipe, for_images

HELD_OUT = 10_000


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", default="sprint,fast,quick,strong")
    parser.add_argument("--images", default="200,1000,5000")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    dataset = load_dataset("fashion-mnist")
    order = stratified_order(dataset.train.labels, 1)
    others, pool = order[:HELD_OUT], order[HELD_OUT:]
    judged = dataset.train.take(others)
    rows = []
    for count in map(int, options.images.split(",")):
        for name in options.recipes.split(","):
            recipes = {"as it is": RECIPES[name], "for few": for_images(RECIPES[name], count)[0]}
            results: dict[str, list[tuple[float, float]]] = {way: [] for way in recipes}
            for seed in range(options.seeds):
                chosen = np.random.default_rng((1, seed)).permutation(pool)[:count]
                part = replace(dataset, train=dataset.train.take(chosen))
                for way, recipe in recipes.items():
                    results[way].append(measure(part, recipe, judged, seed))
            for way, recipe in recipes.items():
                accuracies, seconds = zip(*results[way], strict=True)
                rows.append(
                    {
                        "images": count,
                        "recipe": name,
                        "way": way,
                        "epochs": recipe.epochs,
                        "batch_size": recipe.batch_size,
                        "accuracies": accuracies,
                        "seconds": seconds,
                    }
                )
                Console(stderr=True).print(rows[-1])
    print_rows(rows)
    options.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def measure(part: Dataset, recipe: Recipe, judged: Split, seed: int) -> tuple[float, float]:
    """Train on a part; return the share of the judged images that is right, and the seconds."""
    from hardpairs.training.backend import keras
    from hardpairs.training.fit import train
    from hardpairs.training.predict import predict

    keras.backend.clear_session()
    trained = train(part, recipe, seed=seed)
    predicted = predict(trained.model, judged.pixels).argmax(axis=1)
    return float((predicted == judged.labels).mean()), trained.fit_seconds


def print_rows(rows: list[dict[str, Any]]) -> None:
    """Print a table, a line for each way."""
    table = Table(title=f"accuracy on {HELD_OUT:,} other training images, 95% confidence interval")
    for name in ("images", "recipe", "", "epochs", "batch", "accuracy", "seconds of fit"):
        table.add_column(name, justify="left" if name in ("recipe", "") else "right")
    for row in rows:
        low, high = mean_interval(np.array(row["accuracies"]))
        table.add_row(
            f"{row['images']:,}",
            row["recipe"],
            row["way"],
            f"{row['epochs']}",
            f"{row['batch_size']}",
            f"{np.mean(row['accuracies']):.1%} ({max(low, 0):.1%} to {min(high, 1):.1%})",
            f"{median(row['seconds']):.1f}",
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
