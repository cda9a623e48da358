"""Rendering: one run's figures, images and text into one HTML file that asks for nothing else."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.subject import Subject
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.describe import facts, run_name
from hardpairs.report.page.charts import Line, draw_effects, draw_lines, draw_reliability
from hardpairs.report.page.gallery import MOST_CLASSES_IN_FULL, gallery_data
from hardpairs.report.page.sprites import kernels_sprite

HERE = Path(__file__).parent
LEVELS = 10  # Steps of the matrix' colour map, see report.css.
DIFFERENCE_LEVELS = 5


def render_report(
    subject: Subject,
    *,
    study: dict[str, Any] | None = None,
    other: Predictions | None = None,
) -> str:
    """Fill in the page; what isn't given leaves out its part.

    Args:
        subject: What the page shows; every statistic on it is one of the subject's metrics.
        study: What study.json holds.
        other: Another run's predictions of the same images, to show side by side.
    """
    style = (HERE / "report.css").read_text(encoding="utf-8")
    script = (HERE / "report.js").read_text(encoding="utf-8")
    metrics, predictions = subject.metrics, subject.predictions
    history = subject.history
    data = gallery_data(subject, other=other)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = lambda value, decimals=1: f"{value:.{decimals}%}"
    return environment.get_template("report.html.jinja").render(
        metrics=metrics,
        name=run_name(predictions),
        facts=facts(predictions.metadata),
        index_of={name: index for index, name in enumerate(metrics["class_names"])},
        matrix=_matrix(subject.evaluation),
        people=_people(subject.evaluation, subject.human_votes),
        charts=_charts(metrics, history, subject.kept_epoch),
        history=history,
        kept_epoch=subject.kept_epoch,
        filters=None if subject.kernels is None else kernels_sprite(subject.kernels),
        has_images=subject.images is not None,
        carried=len(data["images"]["row"]),
        other=None if other is None else _flips(predictions, other),
        study=study,
        study_charts=_study_charts(study),
        data=Markup(htmlsafe_json_dumps(data, separators=(",", ":"))),
        style=Markup(style),  # Both are this package's own files, never foreign text.
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _hash(text: str) -> str:
    """Name a text as a Content-Security-Policy does."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _matrix(evaluation: Evaluation) -> list[list[dict[str, Any]]] | None:
    """Each cell's count, share of the row and colour level; None above 40 classes."""
    if len(evaluation.class_names) > MOST_CLASSES_IN_FULL:
        return None
    confusion = evaluation.confusion
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return [
        [
            {"count": int(count), "share": float(share), "level": _level(share, LEVELS)}
            for count, share in zip(counts, row, strict=True)
        ]
        for counts, row in zip(confusion, shares, strict=True)
    ]


def _people(
    evaluation: Evaluation, human_votes: np.ndarray | None
) -> list[list[dict[str, Any]]] | None:
    """Each cell's share of votes, what the net's share is beyond it, and colour levels."""
    if human_votes is None or len(evaluation.class_names) > MOST_CLASSES_IN_FULL:
        return None
    confusion = evaluation.confusion
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return [
        [
            {
                "share": float(share),
                "level": _level(share, LEVELS),
                "difference": float(difference),
                "sign": "more" if difference > 0 else "less",
                "difference_level": _level(abs(difference), DIFFERENCE_LEVELS),
            }
            for share, difference in zip(votes, row - votes, strict=True)
        ]
        for votes, row in zip(human_votes, shares, strict=True)
    ]


def _level(share: float, levels: int) -> int:
    """Colour level of a share: the square root lifts a few percent out of the background."""
    return int(np.ceil(levels * np.sqrt(share) - 1e-9))


def _charts(
    metrics: dict[str, Any], history: dict[str, list[float]] | None, kept_epoch: int
) -> dict[str, Markup]:
    charts: dict[str, Markup] = {}
    for name in ("loss", "accuracy"):
        if history is None or name not in history:
            continue
        epochs = list(range(1, len(history[name]) + 1))
        lines = [
            Line(label, epochs, history[key])
            for key, label in ((name, "training"), (f"val_{name}", "validation"))
            if key in history
        ]
        charts[name] = draw_lines(
            lines,
            label=f"{name} by epoch",
            x_label="epoch",
            percent=name == "accuracy",
            marked=kept_epoch or None,
        )
    if metrics.get("reliability"):
        charts["reliability"] = draw_reliability(
            metrics["reliability"], "accuracy against the probability of the predicted class"
        )
    return charts


def _study_charts(study: dict[str, Any] | None) -> dict[str, Any]:
    """The effects of each section, and the learning curves where sections differ in images."""
    if study is None:
        return {}
    sections = study.get("sections", [])
    effects = [
        draw_effects(section["effects"], f"gains over the first recipe, {section['name']}")
        if section.get("effects")
        else None
        for section in sections
    ]
    several = len({section.get("source") for section in sections}) > 1
    curves: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
    for section in sections:
        data = section.get("data", section.get("source", "")) if several else ""
        for score in section.get("scores", []):
            curves.setdefault((score["name"], data), []).append((section["train_images"], score))
    lines = [
        Line(
            f"{name} on {data}" if data else name,
            x=[count for count, _ in points],
            y=[score["mean"] for _, score in points],
            low=[score["interval"][0] for _, score in points],
            high=[score["interval"][1] for _, score in points],
        )
        for (name, data), points in curves.items()
    ]
    curve = None
    if study.get("kind") == "curve" and lines:
        curve = draw_lines(
            lines, label="accuracy by training images", x_label="training images", percent=True
        )
    return {"effects": effects, "curve": curve, "lines": lines}


def _flips(predictions: Predictions, other: Predictions) -> dict[str, Any]:
    """How many images only one of two runs gets right."""
    first, second = (run.predicted == predictions.labels for run in (predictions, other))
    return {
        "name": run_name(other),
        "mended": int((second & ~first).sum()),
        "broken": int((first & ~second).sum()),
    }
