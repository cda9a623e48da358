"""What the page's script is given: which images travel along, and what is known of each."""

from typing import Any

import numpy as np

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import VERDICTS
from hardpairs.errors import InputError
from hardpairs.foreign import one_line, spoken_names
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.choice import confidence, rank_within
from hardpairs.report.describe import run_name
from hardpairs.report.page.evidence import evidence_sentences
from hardpairs.report.page.matrix import MOST_CLASSES_IN_FULL, people_examples
from hardpairs.report.page.pairs import first_images, pair_data, quiz_data, quiz_rows, surest
from hardpairs.report.page.shell import id_text
from hardpairs.report.page.sprites import images_sprite
from hardpairs.wording import percent

MOST_IMAGES = 10_000
RIGHT_PER_CLASS = 24
MOST_PROBABLE = 10
LEAST_TOLD = 0.5e-4  # Of a probability.
ROWS_AT_A_TIME = 500
NEIGHBOURS_SHOWN = 5
MOST_NEIGHBOURS = 4_000  # Training images that travel along.


def gallery_data(subject: Subject) -> dict[str, Any]:
    """Gather the page's data, JSON-compatible.

    Args:
        subject: Predictions, images where there are any, verdicts on mistakes.

    Returns:
        "names": K texts. "cells": [true, predicted, images, share of the true class as text], every
        cell that isn't empty, most images first. "images": one list per field, in the order of
        `choose_rows`; probabilities are [class, ten-thousandths, class, ...], most probable first,
        all of them up to 40 classes; "verdict" indexes "verdicts", "evidence" "sentences".
        "sprite", "train": see `images_sprite`, or None. "pairs", "quiz": see
        `hardpairs.report.page.pairs`.
    """
    predictions, images = subject.predictions, subject.images
    extra = np.concatenate(
        [
            *(first_images(subject), surest(subject), people_examples(subject)),
            np.array([r for r, _, _ in quiz_rows(subject)]),
        ]
    )
    rows = choose_rows(predictions, extra.astype(np.int64))
    place_of = {row: place for place, row in enumerate(rows.tolist())}
    fields = _fields(subject, rows)
    sentences = list(dict.fromkeys(each for told in fields["evidence"] for each in told))
    number_of = {sentence: number for number, sentence in enumerate(sentences)}
    fields["evidence"] = [[number_of[each] for each in told] for told in fields["evidence"]]
    return {
        "names": spoken_names(predictions.class_names),
        "given": list(predictions.class_names),
        "split": one_line(predictions.split),
        "link": subject.link,
        "key": predictions.fingerprint or run_name(predictions),
        "cells": _cells(subject.evaluation),
        "verdicts": list(VERDICTS),
        "images": fields,
        "sentences": sentences,
        "sprite": None
        if images is None
        else images_sprite(images, rows, inverted=subject.inverted),
        "train": _neighbours(subject, rows),
        "first": [place_of[row] for row in first_images(subject).tolist() if row in place_of],
        "pairs": [
            pair_data(subject, number, place_of)
            for number in range(len(subject.evaluation.hard_pairs))
        ],
        "quiz": quiz_data(subject, place_of),
    }


def choose_rows(predictions: Predictions, extra: np.ndarray | None = None) -> np.ndarray:
    """Choose the rows that the page carries, at most 10,000.

    They are all mistakes, and of each class the 24 right images with the least confidence. Where
    that is too much, the most confident mistakes of each cell of the matrix stay: first the first
    of every cell, then the second of every cell, and so on.

    Args:
        predictions: Of N images.
        extra: int64, further rows, or None.

    Returns:
        int64, the most confident mistake first, then right images, the least confident first.
    """
    labels, predicted, sure = predictions.labels, predictions.predicted, confidence(predictions)
    right = predicted == labels
    informative = np.where(right, sure, -sure)
    cell = labels * len(predictions.class_names) + predicted
    rank = rank_within(cell, informative)
    wanted = np.flatnonzero(~right | (rank < RIGHT_PER_CLASS))
    order = np.lexsort((informative[wanted], rank[wanted], right[wanted]))
    chosen = wanted[order]
    if extra is not None:
        chosen = np.concatenate([extra, chosen])
        _, firsts = np.unique(chosen, return_index=True)
        chosen = chosen[np.sort(firsts)]
    chosen = chosen[:MOST_IMAGES]
    return chosen[np.lexsort((chosen, informative[chosen], right[chosen]))]


def _cells(evaluation: Evaluation) -> list[list[Any]]:
    order = np.argsort(-evaluation.cells[:, 2], kind="stable")
    support = [score.support for score in evaluation.classes]
    return [
        [true, predicted, images, percent(images / support[true])]
        for true, predicted, images in evaluation.cells[order].tolist()
    ]


def _fields(subject: Subject, rows: np.ndarray) -> dict[str, list[Any]]:
    """What is known of each image that travels."""
    predictions, evidence, votes = subject.predictions, subject.evidence, subject.votes
    kind_of = dict(
        zip(subject.verdicts.rows.tolist(), subject.verdicts.kinds.tolist(), strict=True)
    )
    fields: dict[str, list[Any]] = {
        "row": rows.tolist(),
        "id": [id_text(identity) for identity in predictions.ids[rows].tolist()],
        "true": predictions.labels[rows].tolist(),
        "predicted": predictions.predicted[rows].tolist(),
        "probabilities": _most_probable(predictions, rows),
        "verdict": [kind_of.get(row) for row in rows.tolist()],
        "evidence": evidence_sentences(subject, rows),
        "ambiguity": _of_rows(evidence.ambiguity, rows),
        "label": _of_rows(evidence.label_probability, rows),
        "votes": [],
    }
    if votes is not None:
        fields["votes"] = [_votes_of(line) for line in votes[rows]]
    return fields


def _of_rows(column: np.ndarray | None, rows: np.ndarray) -> list[int]:
    return [] if column is None else ten_thousandths(column[rows]).tolist()


def ten_thousandths(shares: np.ndarray) -> np.ndarray:
    """Shares as whole ten-thousandths, int64; none and all only where it is none or all."""
    parts = np.rint(shares * 10_000).astype(np.int64)
    return np.where((shares > 0) & (shares < 1), np.clip(parts, 1, 9_999), parts)


def _votes_of(line: np.ndarray) -> list[int]:
    """Classes that people chose and how often, the most chosen first."""
    order = [int(index) for index in np.argsort(-line, kind="stable") if line[index]]
    return [value for index in order[:MOST_PROBABLE] for value in (index, int(line[index]))]


def _neighbours(subject: Subject, rows: np.ndarray) -> dict[str, Any] | None:
    """Nearest images of the first images that travel, with pictures; None without."""
    neighbours = subject.nearest
    if neighbours is None or not len(rows):
        return None
    images = subject.train_images if neighbours.of_training else subject.images
    if images is None:
        return None
    nearest = neighbours.indices[rows, :NEIGHBOURS_SHOWN]
    flat, firsts = np.unique(nearest, return_index=True)
    shown = flat[np.argsort(firsts, kind="stable")][:MOST_NEIGHBOURS]
    place_of = {row: place for place, row in enumerate(shown.tolist())}
    labels = neighbours.labels[rows, :NEIGHBOURS_SHOWN]
    try:
        sprite = images_sprite(images, shown, inverted=subject.inverted, lossy=True)
    except InputError:  # Damaged or moved since they were trained on: everything else stays.
        return None
    return {
        "sprite": sprite,
        "row": shown.tolist(),
        "id": None
        if neighbours.of_training
        else [id_text(each) for each in subject.predictions.ids[shown].tolist()],
        "of": [
            [[place_of[row], label] for row, label in zip(line, given, strict=True)]
            if all(row in place_of for row in line)
            else []
            for line, given in zip(nearest.tolist(), labels.tolist(), strict=True)
        ],
    }


def _most_probable(predictions: Predictions, rows: np.ndarray) -> list[list[int]]:
    if predictions.probabilities is None:
        return [[] for _ in rows]
    lists = []
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        some = rows[start : start + ROWS_AT_A_TIME]
        probabilities, labels = predictions.probabilities[some], predictions.labels[some]
        for line, label, row in zip(_largest(probabilities), labels, probabilities, strict=True):
            kept = line if label in line else np.append(line, label)
            # Less than half a hundredth of a percent says nothing, but for the label's.
            told = kept[(row[kept] > LEAST_TOLD) | (kept == label)]
            lists.append(np.column_stack([told, ten_thousandths(row[told])]).ravel().tolist())
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
