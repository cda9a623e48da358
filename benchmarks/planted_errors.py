"""Planted label errors: how many of them does "label suspect" find, and how many others?

    python benchmarks/planted_errors.py [--seeds 5]

2% of the labels of both splits are wrong, once at random and once towards the class that each is
most often taken for. Nets are trained on the wrong labels too. Every suspect that wasn't planted
counts against precision, although some of Fashion-MNIST's own labels are wrong as well. Trainings
are kept in runs/planted/; without them this takes about 15 minutes on two cores.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import stats

from hardpairs.analysis.evidence import gather_evidence
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.verdicts import suspect_labels
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.predictions.predictions import Predictions
from planted_runs import PlantedRun, planted_run

HERE = Path(__file__).parent
KINDS = ("random", "confused")


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=HERE / "planted_errors.json")
    options = parser.parse_args()
    dataset = load_dataset("fashion-mnist")
    rows = []
    for kind in KINDS:
        measured: dict[str, list[dict[str, float]]] = {}
        for seed in range(options.seeds):
            run = planted_run(dataset, kind, seed)
            for name, (found, planted) in suspects(dataset, run).items():
                measured.setdefault(name, []).append(score(found, planted))
        rows += [summarise(kind, name, scores) for name, scores in measured.items()]
    Console(width=120).print(table(rows))
    text = json.dumps({"seeds": options.seeds, "rows": rows}, indent=1)
    options.out.write_text(text + "\n", encoding="utf-8")


def suspects(dataset: Dataset, run: PlantedRun) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return (found, planted), both bool, for each split and set of witnesses."""
    names = dataset.class_names
    train = Predictions(run.train_labels, run.out_of_sample, names)
    nets = [Predictions(run.test_labels, probabilities, names) for probabilities in run.test]
    neighbours = Neighbours(run.neighbour_indices, run.neighbour_labels)
    one = gather_evidence(nets[:1], neighbours=neighbours)
    three = gather_evidence(nets, neighbours=neighbours)
    return {
        "train, cross-validated": (suspect_labels(gather_evidence([train])), run.train_planted),
        "test, 1 run": (suspect_labels(gather_evidence(nets[:1])), run.test_planted),
        "test, 1 run, neighbours": (suspect_labels(one), run.test_planted),
        "test, 3 runs, neighbours": (suspect_labels(three), run.test_planted),
        "train, cleanlab's find_label_issues": (
            cleanlab_issues(train.labels, train.known_probabilities()),
            run.train_planted,
        ),
        "test, 3 runs, cleanlab's find_label_issues": (
            cleanlab_issues(run.test_labels, run.test.mean(axis=0)),
            run.test_planted,
        ),
    }


def cleanlab_issues(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """bool (N,): cleanlab's own choice at its default settings."""
    from cleanlab.filter import find_label_issues

    return find_label_issues(labels, probabilities, n_jobs=1)


def score(found: np.ndarray, planted: np.ndarray) -> dict[str, float]:
    """Precision and recall of the planted errors, and how many were found."""
    both = (found & planted).sum()
    return {
        "found": float(found.sum()),
        "planted": float(planted.sum()),
        "recall": float(both / planted.sum()),
        "precision": float(both / max(found.sum(), 1)),
    }


def summarise(kind: str, name: str, scores: list[dict[str, float]]) -> dict[str, Any]:
    """Means over seeds with 95% t intervals."""
    row: dict[str, Any] = {"kind": kind, "name": name, "seeds": scores}
    for key in ("found", "planted", "recall", "precision"):
        values = [each[key] for each in scores]
        row[key] = float(np.mean(values))
        if key in ("recall", "precision") and len(values) > 1:
            half = float(stats.sem(values) * stats.t.ppf(0.975, len(values) - 1))
            row[f"{key}_interval"] = [row[key] - half, row[key] + half]
    return row


def table(rows: list[dict[str, Any]]) -> Table:
    """One line per kind of error, split and set of witnesses."""
    result = Table(title="planted label errors: means over seeds, 95% t intervals")
    for name in ("errors", "judged", "planted", "found", "recall", "precision"):
        result.add_column(name, justify="left" if name in ("errors", "judged") else "right")
    for row in rows:
        shares = []
        for key in ("recall", "precision"):
            low, high = row.get(f"{key}_interval", (row[key], row[key]))
            shares.append(f"{row[key]:.1%} ({low:.1%}-{high:.1%})")
        result.add_row(
            row["kind"], row["name"], f"{row['planted']:.0f}", f"{row['found']:.0f}", *shares
        )
    return result


if __name__ == "__main__":
    main()
