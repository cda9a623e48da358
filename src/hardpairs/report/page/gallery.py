"""What the page's script is given: which images travel along, and what is known of each."""

import math
from typing import Any

import numpy as np

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.subject import Subject
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.describe import run_name
from hardpairs.report.page.sprites import images_sprite

MOST_IMAGES = 10_000  # Even as noise, which PNG can't pack, they stay under 11 MB.
RIGHT_PER_CLASS = 24
MOST_CLASSES_IN_FULL = 40
MOST_PROBABLE = 10
ROWS_AT_A_TIME = 500


def gallery_data(subject: Subject, *, other: Predictions | None = None) -> dict[str, Any]:
    """Gather the page's data, JSON-compatible.

    Args:
        subject: Predictions, images where there are any, verdicts on mistakes.
        other: A second run's predictions of the same images, or None.

    Returns:
        "names": K texts. "cells": [true, predicted, images, share of the true class as text], every
        cell that isn't empty, most images first. "images": one list per field, in the order of
        `choose_rows`; probabilities are [class, ten-thousandths, class, ...], most probable first,
        all of them up to 40 classes. "sprite": see `images_sprite`, or None. "other": its name,
        and fields per image, or None.
    """
    predictions, images = subject.predictions, subject.images
    rows = choose_rows(predictions, other)
    judged = subject.verdicts.of_rows(rows)
    return {
        "names": list(predictions.class_names),
        "cells": _cells(subject.evaluation),
        "images": {
            "row": rows.tolist(),
            "id": predictions.ids[rows].tolist(),
            "true": predictions.labels[rows].tolist(),
            "predicted": predictions.predicted[rows].tolist(),
            "probabilities": _most_probable(predictions, rows),
            "verdict": [verdict and verdict.verdict for verdict in judged],
            "evidence": [
                verdict and {name: _plain(value) for name, value in verdict.evidence.items()}
                for verdict in judged
            ],
        },
        "sprite": images_sprite(images[rows]) if images is not None and len(rows) else None,
        "other": None
        if other is None
        else {
            "name": run_name(other),
            "predicted": other.predicted[rows].tolist(),
            "probabilities": _most_probable(other, rows),
        },
    }


def choose_rows(predictions: Predictions, other: Predictions | None = None) -> np.ndarray:
    """Choose the rows that the page carries, at most 10,000.

    They are all mistakes, what ``other`` gets wrong, and of each class the 24 right images with
    the least confidence. Where that is too much, the most confident mistakes of each cell of the
    matrix stay: first the first of every cell, then the second of every cell, and so on.

    Returns:
        int64, the most confident mistake first, then right images, the least confident first.
    """
    labels, predicted = predictions.labels, predictions.predicted
    known = predictions.probabilities
    confidence = np.zeros(len(labels)) if known is None else known.max(axis=1)
    right = predicted == labels
    telling = np.where(right, confidence, -confidence)
    rank = _rank_within(labels * len(predictions.class_names) + predicted, telling)
    close_call = right if other is None else right & (other.predicted == labels)
    wanted = np.flatnonzero(~close_call | (rank < RIGHT_PER_CLASS))
    order = np.lexsort((telling[wanted], rank[wanted], close_call[wanted]))
    chosen = wanted[order][:MOST_IMAGES]
    return chosen[np.lexsort((chosen, telling[chosen], right[chosen]))]


def _rank_within(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The rank of each value, from 0, among those of its group."""
    order = np.lexsort((values, groups))
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    rank = np.empty(len(groups), np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(starts, sizes)
    return rank


def _cells(evaluation: Evaluation) -> list[list[Any]]:
    order = np.argsort(-evaluation.cells[:, 2], kind="stable")
    support = [score.support for score in evaluation.classes]
    return [
        [true, predicted, images, f"{images / support[true]:.1%}"]
        for true, predicted, images in evaluation.cells[order].tolist()
    ]


def _most_probable(predictions: Predictions, rows: np.ndarray) -> list[list[int]]:
    if predictions.probabilities is None:
        return [[] for _ in rows]
    lists = []
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        some = rows[start : start + ROWS_AT_A_TIME]
        probabilities, labels = predictions.probabilities[some], predictions.labels[some]
        for line, label, row in zip(_largest(probabilities), labels, probabilities, strict=True):
            kept = line if label in line else np.append(line, label)
            parts = np.rint(row[kept] * 10_000).astype(np.int64)
            lists.append(np.column_stack([kept, parts]).ravel().tolist())
    return lists


def _largest(probabilities: np.ndarray) -> np.ndarray:
    """int64 (n, 10), or (n, K) up to 40 classes: each row's most probable classes, in order."""
    classes = probabilities.shape[1]
    if classes <= MOST_CLASSES_IN_FULL:
        return np.argsort(-probabilities, axis=1, kind="stable")
    # Sorting 10,000 rows of 20,000 classes takes half a minute, finding their ten largest a second.
    largest = np.argpartition(probabilities, classes - MOST_PROBABLE, axis=1)[:, -MOST_PROBABLE:]
    largest.sort(axis=1)
    order = np.argsort(-np.take_along_axis(probabilities, largest, 1), axis=1, kind="stable")
    return np.take_along_axis(largest, order, 1)


def _plain(value: float | int | str | None) -> float | int | str | None:
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value
