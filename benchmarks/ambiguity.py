"""Which score of one run tells the images whose label people leave? Three areas for each.

    hardpairs train --recipe fast --seed 1 --out runs/fast       and so on, then
    python benchmarks/ambiguity.py fmh_counts.csv runs/quick runs/fast runs/strong

The area under the ROC curve for "another class got more votes than the label". Within: the mean of
the classes' own areas among mistakes, what a score knows of the single image, with a 95% percentile
bootstrap interval (each class's mistakes are sampled). Mistakes, all: the
score times its class's mean, among mistakes and among all test images. What the package scores by
was chosen on images with an even index; those with an odd one are reported by themselves.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from hardpairs.analysis.causes import even_pool, log_shares
from hardpairs.analysis.people import people_leave
from hardpairs.analysis.sources import load_subject
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import VERDICTS

HERE = Path(__file__).parent
FIGURES = ("within", "mistakes", "all")
RESAMPLES = 1000


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("votes", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=HERE / "ambiguity.json")
    options = parser.parse_args()
    results = []
    for run in options.runs:
        asked = load_subject(run, "fashion-mnist", votes=options.votes)
        if asked.votes is None:
            raise SystemExit(f"{options.votes}: holds no votes on {run}")
        left = people_leave(asked.predictions.labels, asked.votes)
        results.append(measure(run.name, load_subject(run, "fashion-mnist"), left))
    console = Console(width=110)
    for result in results:
        console.print(table_of(result))
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def measure(name: str, subject: Subject, left: np.ndarray) -> dict[str, Any]:
    """All scores of a run, and how often people leave the label by verdict."""
    predictions = subject.predictions
    wrong = predictions.predicted != predictions.labels
    odd = np.arange(len(left)) % 2 == 1
    parts = {"": np.ones(len(left), bool), "odd ": odd, "even ": ~odd}
    scores: dict[str, dict[str, Any]] = {
        score: {
            f"{part}{figure}": value
            for part, inside in parts.items()
            for figure, value in zip(
                FIGURES, areas(values, predictions.labels, wrong, left, inside), strict=True
            )
        }
        | {"within interval": within_interval(values, predictions.labels, wrong, left)}
        for score, values in doubts(subject).items()
    }
    rows, kinds = subject.verdicts.rows, subject.verdicts.kinds
    return {
        "run": name,
        "mistakes": int(wrong.sum()),
        "left": float(left[wrong].mean()),
        "scores": scores,
        "verdicts": {
            verdict: {
                "mistakes": int((kinds == kind).sum()),
                "left": float(left[rows[kinds == kind]].mean()) if (kinds == kind).any() else None,
                "left, odd": _mean(left[rows[(kinds == kind) & (rows % 2 == 1)]]),
            }
            for kind, verdict in enumerate(VERDICTS)
        },
    }


def doubts(subject: Subject) -> dict[str, np.ndarray]:
    """Scores of one image: 1 less what gives the label its due."""
    columns, near = subject.evidence.columns(), subject.nearest
    if near is None or near.hidden is None or near.edges is None:
        raise SystemExit("a run without neighbours; train it again")
    labels = subject.predictions.labels
    pooled = np.exp(even_pool([log_shares(near.hidden), log_shares(near.edges)]))
    return {
        "label probability": 1 - columns["label_probability"],
        "20 nearest, hidden": 1 - columns["neighbours_for_label"],
        "many nearest, hidden": 1 - columns["hidden_for_label"],
        "many nearest, edges": 1 - columns["edges_for_label"],
        "the package's: the last two pooled": 1 - pooled[np.arange(len(labels)), labels],
    }


def areas(
    score: np.ndarray, labels: np.ndarray, wrong: np.ndarray, left: np.ndarray, inside: np.ndarray
) -> tuple[float, float, float]:
    """Within, mistakes and all, of the images ``inside``; class means are over all images."""
    classes = np.arange(labels.max() + 1)
    times_class = score * np.array([score[labels == each].mean() for each in classes])[labels]
    judged = wrong & inside
    own = [
        roc_auc_score(left[rows], score[rows])
        for rows in (judged & (labels == each) for each in classes)
        if left[rows].any() and not left[rows].all()
    ]
    return (
        float(np.mean(own)),
        float(roc_auc_score(left[judged], times_class[judged])),
        float(roc_auc_score(left[inside], times_class[inside])),
    )


def within_interval(
    score: np.ndarray, labels: np.ndarray, wrong: np.ndarray, left: np.ndarray
) -> list[float]:
    """95% bootstrap interval of "within"; a sample without both answers leaves its class out."""
    rng = np.random.default_rng(0)
    areas = []
    for each in np.unique(labels):
        rows = np.flatnonzero(wrong & (labels == each))
        leave, values = left[rows], score[rows]
        if leave.all() or not leave.any():
            continue
        drawn = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), RESAMPLES)
        higher = np.sign(values[leave][:, None] - values[~leave]) / 2 + 0.5
        pairs = drawn[:, leave].sum(axis=1) * drawn[:, ~leave].sum(axis=1)
        won = ((drawn[:, leave] @ higher) * drawn[:, ~leave]).sum(axis=1)
        areas.append(np.where(pairs > 0, won / np.maximum(pairs, 1), np.nan))
    return [float(bound) for bound in np.quantile(np.nanmean(areas, axis=0), [0.025, 0.975])]


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def table_of(result: dict[str, Any]) -> Table:
    """The table that is printed."""
    title = f"{result['run']}: {result['mistakes']} mistakes, people leave {result['left']:.0%}"
    heads = [f"{part}{name}" for part in ("", "odd ") for name in FIGURES]
    table = Table("score", *heads, "within: 95% interval", title=title)
    for score, values in result["scores"].items():
        low, high = values["within interval"]
        table.add_row(score, *(f"{values[name]:.3f}" for name in heads), f"{low:.3f} to {high:.3f}")
    for verdict, row in result["verdicts"].items():
        shown = "" if row["left"] is None else f"people leave {row['left']:.0%}"
        table.add_row(f"{verdict}: {row['mistakes']}", shown)
    return table


if __name__ == "__main__":
    main()
