"""Rendering: one run's figures, images and text into one HTML file that asks for nothing else."""

from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import ONE_WITNESS, VERDICTS
from hardpairs.foreign import isolated, spoken_names
from hardpairs.report.describe import (
    data_name,
    describe,
    facts,
    finding,
    image_noun,
    ratio_texts,
    run_name,
    split_name,
    stands_out,
)
from hardpairs.report.page.charts import Line, draw_lines, draw_reliability
from hardpairs.report.page.gallery import gallery_data
from hardpairs.report.page.map import map_points
from hardpairs.report.page.matrix import (
    group_classes,
    head_names,
    likeness_order,
    matrix_rows,
    people_counts,
    people_rows,
)
from hardpairs.report.page.pairs import pair_facts
from hardpairs.report.page.shell import own_files, page_environment
from hardpairs.report.page.sprites import kernels_sprite
from hardpairs.report.page.study import draw_curve, study_charts, study_title

STYLES = ("base", "first", "matrix", "view", "print")
SCRIPTS = (
    *("every", "common", "core", "lists", "loupe", "marks", "views", "tables"),
    *("quiz", "map", "start"),
)
CLASSES_SHOWN = 100  # Of the class table; the others are laid out when asked for.
VERDICT_CLASSES = dict(zip(VERDICTS, ("suspect", "ambiguous", "error", "untold"), strict=True))


def render_report(
    subject: Subject,
    gallery: dict[str, Any] | None = None,
    *,
    study: dict[str, Any] | None = None,
) -> str:
    """Fill in the page; what isn't given leaves out its part.

    Args:
        subject: What the page shows; every statistic on it is one of the subject's metrics.
        gallery: What `gallery_data` made of it, where it was made already.
        study: What study.json holds; the page is then the study's, and shows a run of it.
    """
    evaluation = subject.evaluation
    data = gallery_data(subject) if gallery is None else gallery
    groups, rows = group_classes(subject), matrix_rows(evaluation)
    classes = _classes(evaluation)
    points = map_points(subject, data["images"]["row"])
    data |= {
        "groups": [group["classes"] for group in groups],
        "short": head_names(data["names"]) if groups else [],
        "order": likeness_order(evaluation) if rows else [],
        "map": points,
        "people": people_counts(subject).tolist() if rows else [],
        "other_classes": _other_classes(classes[CLASSES_SHOWN:]),
    }
    return (
        page_environment()
        .get_template("report.html.jinja")
        .render(
            metrics=subject.metrics,
            evaluation=evaluation,
            names=spoken_names(evaluation.class_names),
            short_names=head_names(spoken_names(evaluation.class_names)),
            **_told(subject),
            matrix=rows,
            groups=groups,
            people=people_rows(subject),
            pairs=[pair_facts(subject, pair) for pair in evaluation.hard_pairs],
            classes=classes,
            classes_shown=CLASSES_SHOWN,
            verdict_classes=VERDICT_CLASSES,
            charts=_charts(subject),
            history=subject.history,
            kept_epoch=subject.kept_epoch,
            filters=None if subject.kernels is None else kernels_sprite(subject.kernels),
            **_has(subject, data),
            data=htmlsafe_json_dumps(data, separators=(",", ":")),
            **_study_parts(study),
            **own_files(STYLES, SCRIPTS),
        )
    )


def _told(subject: Subject) -> dict[str, Any]:
    """What stands above all else."""
    evaluation = subject.evaluation
    names = [*map(isolated, spoken_names(evaluation.class_names))]
    key = "images - correct" if evaluation.hard_pairs else "correct"
    if stands_out(evaluation):
        key = "hard_pairs[0].first_as_second + hard_pairs[0].second_as_first"
    return {
        "name": run_name(subject.predictions),
        "data_name": data_name(subject),
        "described": describe(subject),
        "image": image_noun(subject.predictions),
        "images": split_name(subject.predictions),
        "finding": finding(evaluation, names),
        "finding_key": f"metrics.json: {key}",
        "stands_out": stands_out(evaluation),
        "facts": facts(subject.predictions.metadata),
    }


def _has(subject: Subject, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "carried": len(data["images"]["row"]),
        "kinds_carried": _kinds_carried(subject),
        "has_images": subject.images is not None,
        "has_probabilities": subject.predictions.probabilities is not None,
        "has_quiz": data["quiz"] is not None,
        "inverted": subject.inverted,
        "votes_source": subject.about.votes_source if subject.about is not None else "",
        "has_votes": subject.votes is not None,
        "has_map": data["map"] is not None,
        "one_witness": subject.verdicts.alone and ONE_WITNESS,
    }


def _kinds_carried(subject: Subject) -> str:
    """Which of the predictions travel with the page, as `choose_rows` chooses them."""
    sure, evaluation = subject.predictions.probabilities is not None, subject.evaluation
    wrong = "mistakes" + (", the most confident of each cell first" if sure else "")
    right = "right ones " + ("that were the closest calls or are there " if sure else "")
    there = [wrong] if evaluation.hard_pairs else []
    return ", and ".join([*there, *([f"{right}to compare"] if evaluation.correct else [])])


def _study_parts(study: dict[str, Any] | None) -> dict[str, Any]:
    if study is None:
        return {"study": None}
    from hardpairs.analysis.changes import FORMATS  # noqa: PLC0415  # Slow: SciPy.

    charts = study_charts(study)
    return {
        "told": FORMATS,
        "study": study,
        "study_title": study_title(study),
        "study_effects": charts.get("effects"),
        "study_references": charts.get("references"),
        "study_lines": charts.get("lines"),
        "study_curve": draw_curve(charts.get("lines", [])),
    }


def _classes(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Rows of the class table, hardest first; classes without images last."""
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
            "mark": evaluation.marks.get(index),
        }
        for index, score in enumerate(evaluation.classes)
    ]
    return sorted(rows, key=lambda row: (not row["score"].support, row["score"].f1))


def _other_classes(rows: list[dict[str, Any]]) -> list[list[Any]]:
    """Rows of the class table that the script lays out: class, texts of the scores, and so on."""
    return [
        [
            row["index"],
            *ratio_texts(row["score"]),
            *(row["score"].support, row["mistakes"]),
            *(row["taken_for"] or (None, 0)),
        ]
        for row in rows
    ]


def _charts(subject: Subject) -> dict[str, Markup]:
    charts: dict[str, Markup] = {}
    history = subject.history or {}
    for name in ("loss", "accuracy"):
        if len(history.get(name, ())) < 2:  # One epoch is no curve.
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
