"""What are verdicts worth where a model's classes are known, and no probabilities?

    python benchmarks/neighbours_alone.py fmh_counts.csv runs/quick runs/fast runs/strong

Predicted classes and one thing more: the images, or embeddings (the net's last hidden layer). The
other test images stand in for the training set. Ambiguity: the three areas of `ambiguity.py` for
"people leave the label". Suspects: average precision and recall at 80% precision on the planted
errors of `planted_errors.py` among the test images, one seed, kept in runs/planted/.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ambiguity import FIGURES, areas
from hardpairs.analysis.evidence import Evidence, gather_evidence
from hardpairs.analysis.people import people_leave
from hardpairs.analysis.sources import load_subject
from hardpairs.analysis.subject import Subject
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.predictions.predictions import Predictions
from planted_errors import KINDS, SHARES, figures
from planted_runs import planted_run

HERE = Path(__file__).parent


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("votes", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=HERE / "neighbours_alone.json")
    options = parser.parse_args()
    dataset = load_dataset("fashion-mnist")
    rows = [row for run in options.runs for row in ambiguity(run, options.votes, dataset)]
    rows += [row for kind in KINDS for share in SHARES for row in suspects(kind, share, dataset)]
    Console(width=110).print(table(rows))
    options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def ambiguity(run: Path, votes: Path, dataset: Dataset) -> list[dict[str, Any]]:
    """Areas of one run's ambiguity, as it is and from its classes with one thing more."""
    whole = load_subject(run, "fashion-mnist", votes=votes)
    predictions, hidden = whole.predictions, whole.hidden
    if whole.votes is None or hidden is None:
        raise SystemExit(f"{run}: needs hidden.npy and the votes")
    left = people_leave(predictions.labels, whole.votes)
    wrong = predictions.predicted != predictions.labels
    alone = gather_evidence([predictions])
    found = {"probabilities": alone, **classes_with(predictions, dataset, hidden)}
    return [
        {"of": run.name, "known": known}
        | dict(zip(FIGURES, areas_of(evidence, predictions, wrong, left), strict=True))
        for known, evidence in found.items()
    ]


def areas_of(
    evidence: Evidence, predictions: Predictions, wrong: np.ndarray, left: np.ndarray
) -> tuple[float, float, float]:
    """The areas of `ambiguity.py`; ambiguity is a score times its class's mean."""
    labels, times_class = predictions.labels, known(evidence.ambiguity)
    mean_squared = np.bincount(labels, times_class) / np.bincount(labels)
    score = times_class / np.sqrt(mean_squared)[labels]
    return areas(score, labels, wrong, left, np.ones(len(left), bool))


def suspects(kind: str, share: float, dataset: Dataset) -> list[dict[str, Any]]:
    """Planted errors among test images, as three nets' probabilities or less rank them."""
    run = planted_run(dataset, kind, share, 0)
    labels, probabilities = run.test_labels, run.test.mean(axis=0)
    whole = Predictions(labels, probabilities, dataset.class_names)
    alone = gather_evidence([whole])
    hidden = run.test_hidden[0].astype(np.float32)
    found = {"probabilities": alone, **classes_with(whole, dataset, hidden)}
    return [
        {"of": f"{share:.0%} {kind}", "known": name}
        | figures(known(evidence.label_suspicion), None, run.test_planted)
        for name, evidence in found.items()
    ]


def classes_with(
    predictions: Predictions, dataset: Dataset, hidden: np.ndarray
) -> dict[str, Evidence]:
    """Evidence from predicted classes with images, and with embeddings."""
    classes = Predictions(
        predictions.labels, None, predictions.class_names, predicted=predictions.predicted
    )
    embedded = Predictions(
        *(predictions.labels, None, predictions.class_names),
        predicted=predictions.predicted,
        embeddings=hidden.astype(np.float32),
    )
    return {
        "classes and images": Subject(classes, images=dataset.test.images).evidence,
        "classes and embeddings": Subject(embedded).evidence,
    }


def known(column: np.ndarray | None) -> np.ndarray:
    """A column that is there."""
    if column is None:
        raise SystemExit("no neighbours were found")
    return column


def table(rows: list[dict[str, Any]]) -> Table:
    """One line per run or kind of error, and what is known."""
    heads = (*FIGURES, "average_precision", "recall_at_80")
    result = Table("of", "known", *heads)
    for row in rows:
        shown = (f"{row[head]:.3f}" if head in row else "" for head in heads)
        result.add_row(row["of"], row["known"], *shown)
    return result


if __name__ == "__main__":
    main()
