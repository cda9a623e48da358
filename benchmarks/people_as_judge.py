"""People as the judge of the verdicts' rule, which is given no votes here.

    python benchmarks/people_as_judge.py fmh_counts.csv

Three nets, each trained on two thirds of the training images, predict the test set; the first is
judged. Then: does the ambiguity score tell the images whose label people leave? The form of the
score was chosen on images with an even index, so those with an odd index are reported by
themselves. Trainings are kept in runs/planted/.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from hardpairs.analysis.calibration import calibrate
from hardpairs.analysis.evidence import Evidence, gather_evidence
from hardpairs.analysis.intervals import wilson_interval
from hardpairs.analysis.neighbours import class_shares, find_neighbours
from hardpairs.analysis.people import PeopleComparison, compare_with_people, people_leave
from hardpairs.analysis.verdicts import VERDICTS, judge_mistakes
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset
from hardpairs.data.votes import load_votes
from hardpairs.predictions.predictions import Predictions
from planted_runs import FOLDS, planted_run

HERE = Path(__file__).parent
RESAMPLES = 1000


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("votes", type=Path)
    parser.add_argument("--out", type=Path, default=HERE / "people_as_judge.json")
    options = parser.parse_args()
    dataset = load_dataset("fashion-mnist")
    run = planted_run(dataset, "none", 0, 0)
    nets = [Predictions(run.test_labels, each, dataset.class_names) for each in run.test]
    votes = load_votes(options.votes, nets[0].labels, nets[0].ids, dataset.class_names)
    known = run.fold != 0
    hidden, asked = (each[0].astype(np.float32) for each in (run.train_hidden, run.test_hidden))
    neighbours = replace(
        find_neighbours(hidden[known], np.flatnonzero(known), run.train_labels[known], asked),
        hidden=class_shares(hidden[known], run.train_labels[known], asked, 10),
    )
    evidence = gather_evidence(nets, neighbours=neighbours)
    left = people_leave(nets[0].labels, votes)
    comparison = compare_with_people(nets[0], votes)
    results: dict[str, Any] = {
        "areas": areas(nets[0], evidence, left),
        "verdicts": by_verdict(nets[0], evidence, left),
        "calibration": calibration(dataset),
    }
    console = Console(width=110)
    console.print(*tables(results, comparison))
    console.print(f"people and net over 90 directions: Spearman {comparison.correlation:.2f}")
    text = json.dumps({**results, "comparison": asdict(comparison)}, indent=1)
    options.out.write_text(text + "\n", encoding="utf-8")


def areas(judged: Predictions, evidence: Evidence, left: np.ndarray) -> list[dict[str, Any]]:
    """Area under the ROC curve of each score, and how far the ambiguity score lies above it."""
    scores = {
        "ambiguity": known(evidence.ambiguity),
        "1 - confidence": 1 - judged.known_probabilities().max(axis=1),
        "its class's part alone": class_doubt(judged.labels, evidence),
        "1 - label probability": 1 - known(evidence.label_probability),
        "1 - cleanlab's label quality": 1 - known(evidence.label_quality),
    }
    mistakes = judged.predicted != judged.labels
    odd = np.arange(len(left)) % 2 == 1
    parts = {
        "mistakes": mistakes,
        "mistakes, odd index": mistakes & odd,
        "all images": np.ones(len(left), bool),
    }
    rng = np.random.default_rng(0)
    rows = []
    for part, inside in parts.items():
        target = left[inside]
        chosen = rng.integers(0, len(target), (RESAMPLES, len(target)))
        resampled = {
            name: np.array([roc_auc_score(target[rows], score[inside][rows]) for rows in chosen])
            for name, score in scores.items()
        }
        for name, score in scores.items():
            difference = resampled["ambiguity"] - resampled[name]
            rows.append(
                {
                    "part": part,
                    "score": name,
                    "images": len(target),
                    "left": int(target.sum()),
                    "area": float(roc_auc_score(target, score[inside])),
                    "interval": np.quantile(resampled[name], [0.025, 0.975]).tolist(),
                    "ambiguity_above": np.quantile(difference, [0.025, 0.975]).tolist(),
                }
            )
    return rows


def known(column: np.ndarray | None) -> np.ndarray:
    """A column that probabilities always give."""
    if column is None:
        raise SystemExit("the nets gave no probabilities")
    return column


def class_doubt(labels: np.ndarray, evidence: Evidence) -> np.ndarray:
    """The factor of the ambiguity score that all images with the same label share."""
    doubt = 1 - known(evidence.label_probability)
    return np.array([doubt[labels == label].mean() for label in range(labels.max() + 1)])[labels]


def by_verdict(judged: Predictions, evidence: Evidence, left: np.ndarray) -> list[dict[str, Any]]:
    """How often people leave the label of the mistakes of each verdict."""
    verdicts = judge_mistakes(judged, evidence)
    rows = []
    for name in VERDICTS:
        of_verdict = left[[verdict.row for verdict in verdicts if verdict.verdict == name]]
        count = int(of_verdict.sum())
        rows.append(
            {
                "verdict": name,
                "mistakes": len(of_verdict),
                "left": count / max(len(of_verdict), 1),
                "interval": wilson_interval(count, max(len(of_verdict), 1)),
            }
        )
    return rows


def calibration(dataset: Dataset) -> list[dict[str, Any]]:
    """Each fold's net: its temperature from the third it hasn't seen, its errors on test."""
    run = planted_run(dataset, "none", 0, 0)
    dealt = KFold(FOLDS, shuffle=True, random_state=0).split(run.train_labels)
    rows = []
    for (_, held_out), probabilities in zip(dealt, run.test, strict=True):
        validation = Predictions(
            run.train_labels[held_out], run.out_of_sample[held_out], dataset.class_names
        )
        test = Predictions(run.test_labels, probabilities, dataset.class_names)
        rows.append(calibrate(test, validation).to_dict())
    return rows


def tables(results: dict[str, Any], comparison: PeopleComparison) -> list[Table]:
    """All tables."""
    return [
        _table(
            "area under the ROC curve: does the score tell the labels people leave?",
            (
                "of",
                "score",
                "images",
                "left",
                "area",
                "95% confidence interval",
                "ambiguity above by",
            ),
            [
                (
                    *(row["part"], row["score"], row["images"], row["left"]),
                    *(f"{row['area']:.3f}", _bounds(row["interval"], ".3f")),
                    _bounds(row["ambiguity_above"], "+.3f"),
                )
                for row in results["areas"]
            ],
        ),
        _table(
            "people leave the label of so many mistakes of each verdict",
            ("verdict", "mistakes", "left", "95% confidence interval"),
            [
                (row["verdict"], row["mistakes"], f"{row['left']:.1%}", _bounds(row["interval"]))
                for row in results["verdicts"]
            ],
        ),
        *_comparison_tables(comparison),
        _table(
            "expected calibration error of three nets on test",
            (
                "temperature",
                "before",
                "95% confidence interval",
                "after",
                "95% confidence interval",
            ),
            [
                (
                    f"{row['temperature']:.3f}",
                    *(f"{row['before']['value']:.2%}", _bounds(row["before"]["interval"], ".2%")),
                    *(f"{row['after']['value']:.2%}", _bounds(row["after"]["interval"], ".2%")),
                )
                for row in results["calibration"]
            ],
        ),
    ]


def _comparison_tables(comparison: PeopleComparison) -> list[Table]:
    return [
        _table(
            "people leave the label of mistakes, and of correct images",
            ("class", "mistakes", "left", "correct", "left"),
            [
                (
                    *(row.name, row.mistakes, f"{row.mistakes_left / max(row.mistakes, 1):.0%}"),
                    *(row.correct, f"{row.correct_left / max(row.correct, 1):.0%}"),
                )
                for row in comparison.classes
            ],
        ),
        _table(
            "where people and the net differ most",
            ("true", "taken for", "people", "net"),
            [
                (pair.true, pair.other, f"{pair.people:.1%}", f"{pair.net:.1%}")
                for pair in comparison.differences
            ],
        ),
        _table(
            "accuracy by agreement among people",
            ("share of the votes", "images", "net", "95% confidence interval", "people"),
            [
                (
                    *(f"{row.low:.0%} to {row.high:.0%}", row.images, f"{row.accuracy:.1%}"),
                    *(_bounds(row.interval), f"{row.people_accuracy:.1%}"),
                )
                for row in comparison.agreement
            ],
        ),
    ]


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*map(str, row))
    return table


def _bounds(interval: Sequence[float], form: str = ".1%") -> str:
    return f"{interval[0]:{form}} to {interval[1]:{form}}"


if __name__ == "__main__":
    main()
