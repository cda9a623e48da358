"""Labels from elsewhere put beside predictions: by id where both sides have ids, else by order."""

from dataclasses import replace
from typing import Any

import numpy as np

from hardpairs.arrays import is_text, to_numpy, to_objects
from hardpairs.data.source import parts_named
from hardpairs.errors import InputError
from hardpairs.labels import clean_label, listed, look_up, to_names, to_vector
from hardpairs.predictions.first_line import settle_first_lines
from hardpairs.predictions.found import Found, Truth
from hardpairs.predictions.ids import match_ids, to_ids

SHOWN = 3


def join_truth(found: Found, truth: Truth, notes: list[str]) -> Found:
    """Replace the labels by those of the truth; predictions without one are left out.

    Args:
        found: What is predicted.
        truth: The labels.
        notes: Gets sentences on how they were joined.

    Raises:
        InputError: They are of other images, or of another number of them without ids.
    """
    found, truth = settle_first_lines(found, truth, notes)
    images = found.count
    ours = to_ids(found.ids, images)
    if truth.of_parts and (named := parts_named(ours, set(map(str, truth.class_names or ())))):
        truth = truth.of_parts(named)
    labels = to_vector(truth.labels, f"labels of {truth.source}")
    names = _names_with_truth(found, truth.class_names, notes)
    if truth.class_names is not None and labels.dtype.kind in "iuf":
        known = to_names(truth.class_names)
        indices, _ = look_up(labels, known, f"labels of {truth.source}")
        labels = np.array(known, object)[indices]
    elif labels.dtype.kind in "iuf" and np.isin(labels, list(found.numbers)).any():
        labels = to_objects([found.numbers.get(each, f"{each:g}") for each in labels.tolist()])
    theirs = to_ids(truth.ids, len(labels))
    if found.ids is None or truth.ids is None:
        if len(labels) != images:
            raise InputError(
                f"{truth.source} has {len(labels):,} labels for {images:,} predictions, and they "
                "can't be joined without ids on both sides; give ids, or as many."
            )
        if images > 1:
            notes.append(f"Labels of {truth.source} were joined by order, not by id.")
        return replace(found, labels=labels, class_names=names)
    places = match_ids(ours, theirs)
    matched = places >= 0
    if not matched.any():
        raise InputError(
            f"none of the predictions' ids ({listed(ours.tolist(), SHOWN)}) is among those of "
            f"{truth.source} ({listed(theirs.tolist(), SHOWN)}); give files of the same images, or "
            "say with --id-column which column names them."
        )
    notes.append(_join_note(ours, theirs, places, truth.source))
    return replace(
        _rows(found, np.flatnonzero(matched)), labels=labels[places[matched]], class_names=names
    )


def _names_with_truth(found: Found, of_truth: Any, notes: list[str]) -> Any:
    """The classes' names: the predictions' own, else those of the truth, if these can be theirs."""
    if found.class_names is not None or of_truth is None:
        return found.class_names
    if found.scores is None:
        return _with_predicted(found, to_names(of_truth), notes)
    columns = found.scores.shape[1] if found.scores.ndim == 2 else 2
    return of_truth if len(of_truth) in (columns, 2) else None


def _with_predicted(found: Found, names: tuple[str, ...], notes: list[str]) -> tuple[str, ...]:
    """The truth's classes and what was predicted beside them, as by a net of a thousand classes."""
    seen = {
        text
        for values in (found.predicted, found.top_classes)
        if values is not None and is_text(array := to_numpy(values, "predicted classes"))
        for text in map(clean_label, array.ravel().tolist())
        if text is not None
    }
    others = sorted(seen - set(names))
    if not others or seen.isdisjoint(names):
        return names
    notes.append(
        f"{len(others):,} predicted classes have no images of their own: {listed(others, SHOWN)}."
    )
    return (*names, *others)


def _join_note(ours: np.ndarray, theirs: np.ndarray, places: np.ndarray, source: str) -> str:
    """How many ids were found, and which on either side weren't."""
    missing = ours[places < 0].tolist()
    unused = np.delete(theirs, places[places >= 0]).tolist()
    said = (
        f"{len(ours) - len(missing):,} of {len(ours):,} predictions found their label in {source}"
    )
    if missing:
        said += f"; left out, without a label: {listed(missing, SHOWN)}"
    if unused:
        said += f"; not predicted: {listed(unused, SHOWN)}"
    return f"{said}."


def _rows(found: Found, rows: np.ndarray) -> Found:
    """The same of some of the images."""

    def chosen(values: Any) -> Any:
        return None if values is None else to_numpy(values, "predictions")[rows]

    extra = {
        name: chosen(value) if name in ("images", "embeddings") else value
        for name, value in found.extra.items()
    }
    return replace(
        found,
        scores=chosen(found.scores),
        top_classes=chosen(found.top_classes),
        top_scores=chosen(found.top_scores),
        predicted=chosen(found.predicted),
        ids=chosen(found.ids),
        extra=extra,
    )
