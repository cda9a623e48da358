"""Rendering: one run's figures, images and text into one HTML file that asks for nothing else."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import VERDICTS
from hardpairs.foreign import spoken_names
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.describe import data_name, describe, facts, run_name, split_name
from hardpairs.report.page.charts import Line, draw_lines, draw_reliability
from hardpairs.report.page.gallery import gallery_data
from hardpairs.report.page.map import map_points
from hardpairs.report.page.matrix import (
    group_classes,
    likeness_order,
    matrix_rows,
    people_rows,
)
from hardpairs.report.page.pairs import headline, pair_facts
from hardpairs.report.page.sprites import kernels_sprite
from hardpairs.report.page.study import draw_curve, flips, study_charts, study_title

HERE = Path(__file__).parent
STYLES = ("base", "first", "matrix", "view", "print")
SCRIPTS = ("core", "lists", "loupe", "marks", "views", "tables", "quiz", "map", "start")
VERDICT_CLASSES = dict(zip(VERDICTS, ("suspect", "ambiguous", "error"), strict=True))


def render_report(
    subject: Subject,
    *,
    study: dict[str, Any] | None = None,
    other: Predictions | None = None,
) -> str:
    """Fill in the page; what isn't given leaves out its part.

    Args:
        subject: What the page shows; every statistic on it is one of the subject's metrics.
        study: What study.json holds; the page is then the study's, and shows a run of it.
        other: Another run's predictions of the same images, to show side by side.
    """
    style, script = _joined(STYLES, "css"), _joined(SCRIPTS, "js")
    metrics, evaluation, history = subject.metrics, subject.evaluation, subject.history
    data = gallery_data(subject, other=other)
    groups = group_classes(subject)
    rows = matrix_rows(evaluation)
    points = map_points(subject, data["images"]["row"])
    data |= {
        "groups": [group["classes"] for group in groups],
        "order": likeness_order(evaluation) if rows else [],
        "map": points,
    }
    charts = study_charts(study)
    finding, finding_key = headline(subject)
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            metrics=metrics,
            evaluation=evaluation,
            names=spoken_names(evaluation.class_names),
            name=run_name(subject.predictions),
            data_name=data_name(subject),
            described=describe(subject),
            images=split_name(subject.predictions),
            finding=finding,
            finding_key=finding_key,
            facts=facts(subject.predictions.metadata),
            matrix=rows,
            groups=groups,
            people=people_rows(subject),
            pairs=[pair_facts(subject, pair) for pair in evaluation.hard_pairs],
            classes=_classes(evaluation),
            verdict_classes=VERDICT_CLASSES,
            charts=_charts(subject),
            history=history,
            kept_epoch=subject.kept_epoch,
            filters=None if subject.kernels is None else kernels_sprite(subject.kernels),
            has_images=subject.images is not None,
            has_quiz=data["quiz"] is not None,
            has_map=points is not None,
            carried=len(data["images"]["row"]),
            other=None if other is None else flips(subject.predictions, other),
            study=study,
            study_title=study and study_title(study),
            study_effects=charts.get("effects"),
            study_lines=charts.get("lines"),
            study_curve=draw_curve(charts.get("lines", [])),
            data=Markup(htmlsafe_json_dumps(data, separators=(",", ":"))),
            style=Markup(style),  # Both are this package's own files, never foreign text.
            script=Markup(script),
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = lambda value, decimals=1: f"{value:.{decimals}%}"
    environment.filters["points"] = lambda value: f"{100 * value:.1f}"
    return environment


@cache
def _joined(names: tuple[str, ...], kind: str) -> str:
    """One style sheet or script of several files, in this order."""
    return "\n".join((HERE / kind / f"{name}.{kind}").read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    """Name a text as a Content-Security-Policy does."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _classes(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Rows of the class table, hardest first; classes without images last."""
    differ = evaluation.hardest != evaluation.easiest
    marks = {evaluation.hardest: "hardest", evaluation.easiest: "easiest"} if differ else {}
    right = {true: count for true, column, count in evaluation.cells.tolist() if true == column}
    taken_for: dict[int, tuple[int, int]] = {}
    for true, column, count in evaluation.cells.tolist():
        if true != column and count > taken_for.get(true, (0, 0))[1]:
            taken_for[true] = (column, count)
    rows = [
        {
            "index": index,
            "score": score,
            "mistakes": score.support - right.get(index, 0),
            "taken_for": taken_for.get(index),
            "mark": marks.get(index),
        }
        for index, score in enumerate(evaluation.classes)
    ]
    return sorted(rows, key=lambda row: (not row["score"].support, row["score"].f1))


def _charts(subject: Subject) -> dict[str, Markup]:
    charts: dict[str, Markup] = {}
    history = subject.history or {}
    for name in ("loss", "accuracy"):
        if name not in history:
            continue
        lines = [
            Line(label, list(range(1, len(history[key]) + 1)), history[key])
            for key, label in ((name, "training"), (f"val_{name}", "validation"))
            if key in history
        ]
        charts[name] = draw_lines(
            lines,
            label=f"{name} by epoch",
            x_label="epoch",
            percent=name == "accuracy",
            marked=subject.kept_epoch or None,
        )
    if subject.metrics["reliability"]:
        charts["reliability"] = draw_reliability(
            subject.metrics["reliability"], "accuracy against confidence"
        )
    return charts
