"""Planted label errors: how well does each score of a label rank them?

    python benchmarks/planted_errors.py [fmh_counts.csv] [--seeds 3]
    python benchmarks/planted_errors.py fmh_counts.csv --recipe fast --seeds 1 \\
        --shares 0.01 0.02 --out benchmarks/planted_errors_fast.json
    python benchmarks/planted_errors.py fmh_counts.csv --recipe quick --seeds 1 \\
        --shares 0.01 0.02 --out benchmarks/planted_errors_quick.json

1, 2 and 5% of the labels of both splits are wrong, once at random and once towards the class that
each is most often taken for. Nets are trained on the wrong labels too, three folds of `sprint`.
Every label that wasn't planted counts against a score, although some of Fashion-MNIST's own are
wrong as well. Neighbours by edges are found as the audit does it, once for all, since they don't
depend on labels. Given people's votes on the test images, it tells which of the false ones
among our first suspects people find wrong as well, and what recall is where those count neither
way. Trainings are kept in runs/planted/, so that a benchmark that was stopped goes on
after the last one; each of six times the seeds takes half a minute on two cores, its scores 2 s.
"""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score, precision_recall_curve

from hardpairs.analysis.evidence import gather_evidence
from hardpairs.analysis.gradients import edge_neighbours
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.people import people_leave
from hardpairs.analysis.significance import mean_interval
from hardpairs.analysis.verdicts import suspect_labels
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.data.votes import load_votes
from hardpairs.predictions.predictions import Predictions
from planted_runs import PlantedRun, planted_run

HERE = Path(__file__).parent
KINDS, SHARES = ("random", "confused"), (0.01, 0.02, 0.05)
PRECISION = 0.8
FEW_PEOPLE = 0.1  # Of those asked: a label that so few choose is hardly right.
CLEANLAB = (
    ("self_confidence", False),
    ("self_confidence", True),
    ("normalized_margin", False),
    ("normalized_margin", True),
    ("confidence_weighted_entropy", False),
)
FEW = 10  # Neighbours of SimiFeat, as its authors have it.


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("votes", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipe", default="sprint")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES)
    parser.add_argument("--out", type=Path, default=HERE / "planted_errors.json")
    options = parser.parse_args()
    dataset = load_dataset("fashion-mnist")
    near = edge_neighbours(dataset.train, dataset.test)
    opinion = people_of(dataset, options.votes) if options.votes else None
    rows = []
    for kind in options.kinds:
        for share in options.shares:
            runs = [
                measure(
                    dataset, planted_run(dataset, kind, share, seed, options.recipe), near, opinion
                )
                for seed in range(options.seeds)
            ]
            rows += summarise(kind, share, runs)
    console = Console(width=140)
    console.print(table(rows))
    if opinion:
        console.print(table_of_people(rows))
    result = {"recipe": options.recipe, "seeds": options.seeds, "rows": rows}
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Opinion:
    """What people say of the M test images' own labels.

    Attributes:
        left: bool (M,), they prefer another class.
        rejected: bool (M,), fewer than a tenth of them choose the label.
        usual: float64 (M,), the share of all images with that label whose label they leave.
    """

    left: np.ndarray
    rejected: np.ndarray
    usual: np.ndarray


def people_of(dataset: Dataset, path: Path) -> Opinion:
    """Read the votes."""
    labels, classes = dataset.test.labels, len(dataset.class_names)
    votes = load_votes(path, labels, dataset.test.ids, dataset.class_names)
    left = people_leave(labels, votes)
    chose = votes[np.arange(len(labels)), labels] / votes.sum(axis=1)
    usual = np.bincount(labels, left, classes) / np.bincount(labels, minlength=classes)
    return Opinion(left, chose < FEW_PEOPLE, usual[labels])


def measure(
    dataset: Dataset,
    run: PlantedRun,
    near: tuple[Neighbours, Neighbours],
    opinion: Opinion | None,
) -> dict[tuple[str, str], dict[str, float]]:
    """Figures of each (split, score)."""
    names = dataset.class_names
    train = Predictions(run.train_labels, run.out_of_sample, names)
    test = Predictions(run.test_labels, run.test.mean(axis=0), names)
    results = {}
    for split, predictions, found, planted in (
        ("train", train, near[0], run.train_planted),
        ("test", test, near[1], run.test_planted),
    ):
        # The neighbours of both are training images, whose labels are wrong as well.
        carried = replace(found, labels=run.train_labels[found.indices])
        for name, (score, chosen) in scores(predictions, carried).items():
            results[split, name] = figures(score, chosen, planted)
            if opinion and (split, name) == ("test", "hardpairs"):
                results[split, name] |= with_people(score, planted, opinion)
    return results


def scores(
    predictions: Predictions, near: Neighbours
) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """Scores, the most suspect largest, and what each method would choose, where it chooses."""
    labels, probabilities = predictions.labels, predictions.known_probabilities()
    found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {}
    wrong = predictions.predicted != labels
    for name, known in (("hardpairs", near), ("hardpairs, probabilities alone", None)):
        evidence = gather_evidence([predictions], neighbours=known)
        if evidence.label_suspicion is not None:
            found[name] = evidence.label_suspicion, suspect_labels(evidence) & wrong
    for method, adjusted in CLEANLAB:
        score = get_label_quality_scores(
            labels, probabilities, method=method, adjust_pred_probs=adjusted
        )
        chosen = None
        if method == "self_confidence" and not adjusted:
            chosen = find_label_issues(labels, probabilities, n_jobs=1)
        found[f"cleanlab, {method}{', adjusted' if adjusted else ''}"] = -score, chosen
    # Zhu, Dong, Liu, "Detecting Corrupted Labels Without Training a Model to Predict", ICML 2022.
    shares = np.eye(len(predictions.class_names))[near.labels[:, :FEW]].mean(axis=1)
    similar = shares[np.arange(len(labels)), labels] / np.linalg.norm(shares, axis=1)
    found["SimiFeat, ranked"] = -similar, None
    return found


def figures(score: np.ndarray, found: np.ndarray | None, planted: np.ndarray) -> dict[str, float]:
    """Average precision, the best recall at 80% precision, and those of the choice."""
    result = {
        "average_precision": float(average_precision_score(planted, score)),
        "recall_at_80": recall_at(planted, score),
    }
    if found is not None:
        both = (found & planted).sum()
        result["precision"] = float(both / max(found.sum(), 1))
        result["recall"] = float(both / planted.sum())
    return result


def with_people(score: np.ndarray, planted: np.ndarray, opinion: Opinion) -> dict[str, float]:
    """Of the first suspects, as many as 80% precision allows, what people say of the false ones.

    And the two figures where images count neither way whose own label people leave, or reject;
    planted errors count whatever people say.
    """
    precision, recall, thresholds = precision_recall_curve(planted, score)
    found: dict[str, float] = {}
    for name, neither in (("left", opinion.left), ("rejected", opinion.rejected)):
        judged = planted | ~neither
        told = figures(score[judged], None, planted[judged])
        found |= {f"{key}_without_{name}": value for key, value in told.items()}
    best = np.where(precision >= PRECISION, recall, -1)[:-1].argmax()
    false = (score >= thresholds[best]) & ~planted
    return found | {
        "false": float(false.sum()),
        "false_left": float((false & opinion.left).sum()),
        "false_left_usual": float(opinion.usual[false].sum()),
        "false_rejected": float((false & opinion.rejected).sum()),
    }


def recall_at(planted: np.ndarray, score: np.ndarray) -> float:
    """The best recall at 80% precision."""
    precision, recall, _ = precision_recall_curve(planted, score)
    return float(recall[precision >= PRECISION].max())


def summarise(
    kind: str, share: float, runs: list[dict[tuple[str, str], dict[str, float]]]
) -> list[dict[str, Any]]:
    """Means over seeds with 95% t intervals."""
    rows = []
    for split, name in runs[0]:
        row: dict[str, Any] = {"kind": kind, "share": share, "split": split, "score": name}
        for key in runs[0][split, name]:
            values = [run[split, name][key] for run in runs]
            row[key], row[f"{key}_interval"] = with_interval(values)
        if name == "hardpairs":
            row["above"] = above_rivals(split, runs)
        rows.append(row)
    return rows


def above_rivals(
    split: str, runs: list[dict[tuple[str, str], dict[str, float]]]
) -> dict[str, dict[str, Any]]:
    """How far ours lies above the best of the others, seed by seed, in both figures."""
    rivals = [name for part, name in runs[0] if part == split and not name.startswith("hardpairs")]
    found = {}
    for key in ("average_precision", "recall_at_80"):
        of = {name: [run[split, name][key] for run in runs] for name in (*rivals, "hardpairs")}
        best = max(rivals, key=lambda name: np.mean(of[name]))
        mean, interval = with_interval(list(np.subtract(of["hardpairs"], of[best])))
        found[key] = {"best": best, "mean": mean, "interval": interval}
    return found


def with_interval(values: list[float]) -> tuple[float, tuple[float, float] | None]:
    """Mean and 95% t interval, None of a single value."""
    interval = mean_interval(np.array(values)) if len(values) > 1 else None
    return float(np.mean(values)), interval


def table(rows: list[dict[str, Any]]) -> Table:
    """One line per kind of error, share, split and score."""
    keys = ("average_precision", "recall_at_80", "precision", "recall")
    heads = ("average precision", "recall at 80% precision", "chosen: precision", "recall")
    result = Table("errors", "of", "split", "score", *heads)
    for row in rows:
        shown = []
        for key in keys:
            interval = row.get(f"{key}_interval")
            bounds = f" ({interval[0]:.1%} to {interval[1]:.1%})" if interval else ""
            shown.append(f"{row[key]:.1%}{bounds}" if key in row else "")
        result.add_row(row["kind"], f"{row['share']:.0%}", row["split"], row["score"], *shown)
    return result


def table_of_people(rows: list[dict[str, Any]]) -> Table:
    """What people say of the false ones among our first suspects, of the test images."""
    heads = ("false ones", "people leave", "of such classes", "reject", "recall at 80% precision")
    result = Table("errors", "of", *heads, "without those left", "without those rejected")
    for row in rows:
        if "false" in row:
            parts = [row[f"false_{name}"] / row["false"] for name in ("left", "left_usual")]
            recalls = [row["recall_at_80"], row["recall_at_80_without_left"]]
            result.add_row(
                *(row["kind"], f"{row['share']:.0%}", f"{row['false']:.1f}"),
                *(f"{each:.0%}" for each in (*parts, row["false_rejected"] / row["false"])),
                *(f"{each:.1%}" for each in (*recalls, row["recall_at_80_without_rejected"])),
            )
    return result


if __name__ == "__main__":
    main()
