"""What correcting labels gains: a net trained on the labels as they are, and without the suspects.

    python benchmarks/corrections.py [--seeds 2]

5% of Fashion-MNIST's labels are wrong in both splits, at random or towards the class that each is
most often taken for. Suspects are found as the audit does it, by three nets that haven't seen the
image (`planted_runs.py`) and the nearest images by edges, then left out or given the class that
those nets predict, and `sprint` is trained on what remains and tested on the labels as published.
What is regained is the share of the accuracy that the wrong labels cost. Accuracies are kept in
runs/corrections/, by what was trained on; each of the eleven trainings of a seed takes ten seconds
on two cores.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from rich.console import Console
from rich.table import Table

from hardpairs.analysis.evidence import gather_evidence
from hardpairs.analysis.gradients import edge_neighbours
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.significance import mean_interval
from hardpairs.analysis.verdicts import suspect_labels
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset, Split
from hardpairs.files import write_text
from hardpairs.predictions.predictions import Predictions
from hardpairs.training.recipes import RECIPES
from hardpairs.training.runs import train_and_predict
from planted_runs import PlantedRun, planted_run

HERE = Path(__file__).parent
CACHE = Path("runs/corrections")
SHARE = 0.05
OURS = "hardpairs, left out"


def main() -> None:
    """Parse, train, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "corrections.json")
    options = parser.parse_args()
    dataset = load_dataset("fashion-mnist")
    near, _ = edge_neighbours(dataset.train, dataset.test)
    rows = []
    for kind in ("random", "confused"):
        found = [arms(dataset, near, kind, seed) for seed in range(options.seeds)]
        rows += summarise(kind, found)
    Console(width=120).print(table(rows))
    text = json.dumps({"seeds": options.seeds, "share": SHARE, "rows": rows}, indent=1)
    options.out.write_text(text + "\n", encoding="utf-8")


def arms(dataset: Dataset, near: Neighbours, kind: str, seed: int) -> dict[str, dict[str, float]]:
    """Images touched and test accuracy of each way to correct."""
    run = planted_run(dataset, kind, SHARE, seed)
    predictions = Predictions(run.train_labels, run.out_of_sample, dataset.class_names)
    carried = replace(near, labels=run.train_labels[near.indices])
    chosen = suspects(run, predictions, carried)
    labels, everything = run.train_labels, np.ones(len(run.train_labels), bool)
    relabelled = np.where(chosen["hardpairs"], predictions.predicted, labels)
    tried: dict[str, tuple[np.ndarray, np.ndarray]] = {
        "none wrong": (dataset.train.labels, everything),
        "5% wrong": (labels, everything),
        **{f"{name}, left out": (labels, ~found) for name, found in chosen.items()},
        "hardpairs, relabelled": (relabelled, everything),
    }
    results = {}
    for name, (used, kept) in tried.items():
        seen = blake2b(np.where(kept, used, -1).tobytes(), digest_size=8).hexdigest()
        place = CACHE / f"{seen}-{seed}.txt"
        accuracy = remembered(place, partial(trained, dataset, used, kept, seed))
        touched = int((~kept).sum() + (used != labels).sum()) if name != "none wrong" else 0
        results[name] = {"touched": touched, "accuracy": accuracy}
    return results


def suspects(run: PlantedRun, predictions: Predictions, near: Neighbours) -> dict[str, np.ndarray]:
    """bool (N,) by method: ours; cleanlab's at its default, and its first as many as ours."""
    own = suspect_labels(gather_evidence([predictions], neighbours=near))
    own &= predictions.predicted != predictions.labels
    ranked = find_label_issues(
        run.train_labels,
        run.out_of_sample,
        n_jobs=1,
        return_indices_ranked_by="self_confidence",
    )
    places = np.arange(len(own))
    return {
        "hardpairs": own,
        "cleanlab": np.isin(places, ranked),
        "cleanlab, as many": np.isin(places, ranked[: own.sum()]),
    }


def remembered(path: Path, measure: Callable[[], float]) -> float:
    """A number from a file, measured and written where there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, str(measure()))
    return float(path.read_text(encoding="utf-8"))


def trained(dataset: Dataset, labels: np.ndarray, kept: np.ndarray, seed: int) -> float:
    """Accuracy on the test images of a net trained on some images with these labels."""
    images = dataset.train.pixels[kept]
    part = replace(dataset, train=Split(images, labels[kept]))
    test = train_and_predict(part, RECIPES["sprint"], seed=seed).test
    return float((test.predicted == test.labels).mean())


def summarise(kind: str, found: list[dict[str, dict[str, float]]]) -> list[dict[str, Any]]:
    """Means over seeds, with 95% t intervals of what is gained and of how much more ours gains."""
    rows = []
    ours = [run[OURS]["accuracy"] for run in found]
    for name in found[0]:
        each = [run[name]["accuracy"] for run in found]
        lost = [run["none wrong"]["accuracy"] - run["5% wrong"]["accuracy"] for run in found]
        gained = [one - run["5% wrong"]["accuracy"] for one, run in zip(each, found, strict=True)]
        row: dict[str, Any] = {
            "kind": kind,
            "labels": name,
            "touched": float(np.mean([run[name]["touched"] for run in found])),
            "accuracy": float(np.mean(each)),
            "gained": float(np.mean(gained)),
            "regained": float(np.mean(gained) / np.mean(lost)),
        }
        if len(gained) > 1:
            row["gained_interval"] = mean_interval(np.array(gained))
            if name.startswith("cleanlab"):
                row["ours_above"] = mean_interval(np.subtract(ours, each))
        rows.append(row)
    return rows


def table(rows: list[dict[str, Any]]) -> Table:
    """One line per kind and way."""
    heads = (
        "touched",
        "accuracy",
        "gained, points",
        "of the loss",
        "ours, left out, gains more by",
    )
    result = Table("errors", "labels", *heads)
    for row in rows:
        gained, above = (
            f"({100 * row[key][0]:.2f} to {100 * row[key][1]:.2f})" if key in row else ""
            for key in ("gained_interval", "ours_above")
        )
        result.add_row(
            *(row["kind"], row["labels"], f"{row['touched']:,.0f}", f"{row['accuracy']:.2%}"),
            *(f"{100 * row['gained']:.2f} {gained}", f"{row['regained']:.0%}", above),
        )
    return result


if __name__ == "__main__":
    main()
