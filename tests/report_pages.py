"""Pages that the tests of the report look at, and what those pages hold."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from conftest import make_predictions
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.subject import Subject
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.page.render import render_report

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "a" * 500,
    "\u202eright to left",
    "=1+1</style>{{ 7 * 7 }}",
)
STUDY = {
    "kind": "curve",
    "quick": False,
    "seeds": [0, 1, 2],
    "sections": [
        {
            "name": name,
            "train_images": count,
            "scores": [{"name": "cnn", "mean": mean, "interval": [mean - 0.01, mean + 0.01]}],
            "effects": [
                {
                    "name": "</svg><b>",
                    "reference": "cnn",
                    "gain": 0.01,
                    "interval": [-0.002, 0.022],
                    "p_value": 0.081,
                    "significant": False,
                }
            ],
        }
        for name, count, mean in (("half", 30_000, 0.9), ("all", 60_000, 0.92))
    ],
}
for section in STUDY["sections"]:
    section["scores"][0]["seconds"] = 12.5


def two(images: int = 600, classes: int = 5, **fields) -> tuple[Predictions, Predictions]:
    a = make_predictions(images, classes, **fields)
    other = make_predictions(images, classes, seed=3)
    mixed = (a.probabilities + other.probabilities) / 2
    return a, Predictions(a.labels, mixed, a.class_names, ids=a.ids)


def seeds(images: int = 600) -> tuple[list[Predictions], list[Predictions]]:
    """Two runs of A and three of B."""
    a, b = two(images)
    noise = [make_predictions(images, 5, seed=seed).probabilities for seed in range(10, 15)]
    runs = [
        replace(run, probabilities=shares, predicted=shares.argmax(1), metadata={"seed": seed})
        for seed, (run, other) in enumerate(zip((a, a, b, b, b), noise, strict=True))
        for shares in [0.8 * run.probabilities + 0.2 * other]
    ]
    return runs[:2], runs[2:]


def subject_with_images(run: Predictions) -> Subject:
    images = np.random.default_rng(0).integers(0, 255, (len(run), 28, 28), dtype=np.uint8)
    return Subject(run, images=images)


def page_of(predictions, *, study=None, **given) -> str:
    return render_report(Subject(predictions, **given), study=study)


def data_of(page: str) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def parts_of(page: str) -> tuple[str, dict]:
    """The markup that people see, and the script's data."""
    return re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL), data_of(page)


def of_labels(labels, predicted, names) -> Predictions:
    return Predictions(
        np.array(labels), np.eye(len(names))[predicted] * 0.9 + 0.1 / len(names), names
    )


def write_pages(folder: Path, fashion) -> None:
    """Write the pages that browsers open, and metrics.json of the first of them.

    report.html is a run's with half of its mistakes planted, everything.html the same as a
    study's, judged.html has whatever is known of images, many.html 300 classes, hostile.html
    names that would act.
    """
    predictions = _half_planted(fashion)
    subject = Subject(
        predictions,
        images=fashion.test.images[:600],
        class_votes=np.full((10, 10), 0.1),
        history={"loss": [0.5, 0.3], "accuracy": [0.8, 0.9], "val_loss": [0.6, 0.5]},
        kept_epoch=2,
        kernels=np.random.default_rng(0).normal(size=(3, 3, 1, 32)),
    )
    drawn = np.random.default_rng(0).integers(0, 256, (2000, 16, 16, 1), dtype=np.uint8)
    many, hostile = (
        make_predictions(images=2000, classes=300),
        make_predictions(class_names=HOSTILE),
    )
    pages = {
        "report": render_report(subject),
        "everything": render_report(subject, study=STUDY),
        "judged": render_report(_judged(fashion)),
        "many": page_of(many, images=drawn),
        "hostile": page_of(hostile, images=subject.images[:200], study=STUDY),
    }
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    (folder / "metrics.json").write_text(json.dumps(subject.metrics))


def _half_planted(fashion) -> Predictions:
    made = make_predictions(images=600, classes=10)
    labels, rows = fashion.test.labels[:600], np.arange(600)
    probabilities = made.probabilities.copy()
    swapped = probabilities[rows, labels].copy()
    probabilities[rows, labels] = probabilities.max(axis=1)
    probabilities[rows, made.predicted] = np.where(made.predicted == labels, 1, swapped)
    probabilities[::2] = made.probabilities[::2]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Predictions(labels, probabilities, fashion.class_names, split="test")


def _judged(fashion) -> Subject:
    near = np.random.default_rng(0).integers(0, 99, (600, 20)).astype(np.int32)
    labels = np.random.default_rng(1).integers(0, 10, (600, 20)).astype(np.uint8)
    return Subject(
        make_predictions(images=600, classes=10, class_names=fashion.class_names),
        images=fashion.test.images[:600],
        votes=np.random.default_rng(0).integers(0, 9, (600, 10)) + 1,
        neighbours=Neighbours(near, labels),
        train_images=fashion.train.images[:99],
        hidden=np.random.default_rng(2).normal(size=(600, 4)),
        class_votes=np.full((10, 10), 0.1),
    )
