"""`hardpairs diff` on real trainings: a better recipe, other seeds, and a class that lacks images.

    python benchmarks/difference_real.py [--runs FOLDER] [--images 600]

Trains what the folder lacks: `sprint` with four seeds, `quick` with one, and `quick` on
Fashion-MNIST with only so many training images of Sandal. About four minutes. Prints a table.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from hardpairs.analysis.changes import interval_text, p_text, points
from hardpairs.analysis.difference import diff
from hardpairs.data.datasets import load_dataset

SEEDS = range(4)
LACKING = 5  # Sandal.


def main() -> None:
    """Parse, train, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs") / "difference")
    parser.add_argument("--images", type=int, default=600)
    options = parser.parse_args()
    runs: Path = options.runs
    runs.mkdir(parents=True, exist_ok=True)
    sprint = [runs / f"sprint{seed}" for seed in SEEDS]
    for seed, run in zip(SEEDS, sprint, strict=True):
        train(run, "sprint", seed, "fashion-mnist")
    quick, lacking = runs / "quick0", runs / f"quick0-{options.images}-sandals"
    train(quick, "quick", 0, "fashion-mnist")
    if not lacking.exists():
        data = runs / f"{options.images}-sandals.npz"
        write_without(data, options.images)
        train(lacking, "quick", 0, str(data))
    table = Table()
    for name in ("A", "B", "points", "p", "classes that differ significantly"):
        table.add_column(name)
    for a, b in (
        (sprint[:1], [quick]),
        (sprint[:1], sprint[1:2]),
        (sprint[:1], sprint[1:]),
        (sprint[:2], sprint[2:]),
        (sprint[:1], [lacking]),
        ([quick], [lacking]),
    ):
        table.add_row(*row(a, b))
    Console(width=150).print(table)


def train(folder: Path, recipe: str, seed: int, data: str) -> None:
    """Train into a folder that isn't there yet."""
    if not folder.exists():
        command = ["train", "--data", data, "--recipe", recipe, "--seed", str(seed), "--quiet"]
        subprocess.run(
            [sys.executable, "-m", "hardpairs", *command, "--out", str(folder)], check=True
        )


def write_without(path: Path, images: int) -> None:
    """Write Fashion-MNIST with only so many training images of one class."""
    dataset = load_dataset("fashion-mnist")
    rows = np.flatnonzero(dataset.train.labels == LACKING)[images:]
    kept = np.setdiff1d(np.arange(len(dataset.train)), rows)
    np.savez(
        path,
        x_train=dataset.train.pixels[kept],
        y_train=dataset.train.labels[kept],
        x_test=dataset.test.pixels,
        y_test=dataset.test.labels,
        class_names=np.array(dataset.class_names),
    )


def row(a: Sequence[Path], b: Sequence[Path]) -> tuple[str, ...]:
    """One comparison, for the table."""
    difference = diff([*a], [*b], data="fashion-mnist")
    change = difference.accuracy
    named = [
        f"{each.name} {points(each.change.difference)} (p {p_text(each.change.adjusted_p)})"
        for each in difference.classes
        if each.change.significant
    ]
    tested = difference.classes[0].change.p_value is not None
    return (
        *(", ".join(run.name for run in side) for side in (a, b)),
        f"{points(change.difference)} ({interval_text(change)})",
        p_text(change.p_value),
        ", ".join(named) or ("none" if tested else "not tested"),
    )


if __name__ == "__main__":
    main()
