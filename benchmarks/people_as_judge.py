"""People as the judge of the verdicts' rule, which is given no votes here.

    python benchmarks/people_as_judge.py fmh_counts.csv

Three nets, each trained on two thirds of the training images, predict the test set; the first is
judged. Then: does the ambiguity score tell the images whose label people leave? The form of the
score was chosen on images with an even index, so those with an odd index are reported by
themselves. Trainings are kept in runs/planted/.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from hardpairs.calibration import calibrate
from hardpairs.datasets import Dataset, load_dataset
from hardpairs.evidence import Evidence, gather_evidence
from hardpairs.neighbours import Neighbours
from hardpairs.people import PeopleComparison, compare_with_people, people_leave
from hardpairs.predictions import Predictions
from hardpairs.statistics import wilson_interval
from hardpairs.verdicts import VERDICTS, judge_mistakes
from hardpairs.votes import load_votes
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
    run = planted_run(dataset, "none", 0)
    nets = [Predictions(run.test_labels, each, dataset.class_names) for each in run.test]
    votes = load_votes(options.votes, nets[0].labels, nets[0].ids, len(dataset.class_names))
    neighbours = Neighbours(run.neighbour_indices, run.neighbour_labels)
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
        "ambiguity": evidence.ambiguity,
        "1 - confidence": 1 - judged.probabilities.max(axis=1),
        "its class's part alone": class_doubt(judged.labels, evidence),
        "1 - label probability": 1 - evidence.label_probability,
        "1 - cleanlab's label quality": 1 - cleanlab_quality(judged, evidence),
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


def class_doubt(labels: np.ndarray, evidence: Evidence) -> np.ndarray:
    """The factor of the ambiguity score that all images with the same label share."""
    doubt = 1 - evidence.label_probability
    return np.array([doubt[labels == label].mean() for label in range(labels.max() + 1)])[labels]


def cleanlab_quality(judged: Predictions, evidence: Evidence) -> np.ndarray:
    """cleanlab's score, which this measurement can't do without."""
    if evidence.label_quality is None:
        raise SystemExit("install cleanlab: pip install 'hardpairs[audit]'")
    return evidence.label_quality


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
                "left": count / len(of_verdict),
                "interval": wilson_interval(count, len(of_verdict)),
            }
        )
    return rows


def calibration(dataset: Dataset) -> list[dict[str, Any]]:
    """Each fold's net: its temperature from the third it hasn't seen, its errors on test."""
    run = planted_run(dataset, "none", 0)
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
    areas_table = _table("area under the ROC curve: does the score tell the labels people leave?")
    for name in ("of", "score", "images", "left", "area", "95% interval", "ambiguity above by"):
        areas_table.add_column(name)
    for row in results["areas"]:
        low, high = row["interval"]
        above = "to ".join(f"{bound:+.3f} " for bound in row["ambiguity_above"])
        areas_table.add_row(
            *(row["part"], row["score"], f"{row['images']}", f"{row['left']}"),
            *(f"{row['area']:.3f}", f"{low:.3f} to {high:.3f}"),
            "" if row["score"] == "ambiguity" else above,
        )
    verdict_table = _table("people leave the label of so many mistakes of each verdict")
    for name in ("verdict", "mistakes", "left", "95% interval"):
        verdict_table.add_column(name)
    for row in results["verdicts"]:
        low, high = row["interval"]
        verdict_table.add_row(
            row["verdict"], f"{row['mistakes']}", f"{row['left']:.1%}", f"{low:.1%} to {high:.1%}"
        )
    class_table = _table("people leave the label of mistakes, and of correct images")
    for name in ("class", "mistakes", "left", "correct", "left"):
        class_table.add_column(name)
    for each in comparison.classes:
        class_table.add_row(
            *(each.name, f"{each.mistakes}", f"{each.mistakes_left / max(each.mistakes, 1):.0%}"),
            *(f"{each.correct}", f"{each.correct_left / max(each.correct, 1):.0%}"),
        )
    difference_table = _table("where people and the net differ most")
    for name in ("true", "taken for", "people", "net"):
        difference_table.add_column(name)
    for pair in comparison.differences:
        difference_table.add_row(pair.true, pair.other, f"{pair.people:.1%}", f"{pair.net:.1%}")
    agreement_table = _table("accuracy by agreement among people")
    for name in ("share of the votes", "images", "net", "95% interval", "people"):
        agreement_table.add_column(name)
    for degree in comparison.agreement:
        low, high = degree.interval
        agreement_table.add_row(
            *(f"{degree.low:.0%} to {degree.high:.0%}", f"{degree.images}"),
            *(f"{degree.accuracy:.1%}", f"{low:.1%} to {high:.1%}"),
            f"{degree.people_accuracy:.1%}",
        )
    calibration_table = _table("expected calibration error of three nets on test")
    for name in ("temperature", "before", "after"):
        calibration_table.add_column(name)
    for row in results["calibration"]:
        errors = [
            f"{row[key]['value']:.2%} ({row[key]['interval'][0]:.2%} to "
            f"{row[key]['interval'][1]:.2%})"
            for key in ("before", "after")
        ]
        calibration_table.add_row(f"{row['temperature']:.3f}", *errors)
    return [
        areas_table,
        verdict_table,
        class_table,
        difference_table,
        agreement_table,
        calibration_table,
    ]


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left")


if __name__ == "__main__":
    main()
