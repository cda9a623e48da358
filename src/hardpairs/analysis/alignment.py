"""Two sides' predictions brought onto the same images, in the same order, with the same classes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hardpairs.analysis.joining import match_names
from hardpairs.errors import InputError
from hardpairs.labels import are_numbers, listed
from hardpairs.predictions.ids import match_ids
from hardpairs.predictions.predictions import Predictions

SHOWN_ID = 40
SHOWN_NAMES = 3


@dataclass(frozen=True)
class Aligned:
    """Runs of the same images, row by row.

    Attributes:
        runs: With the first run's classes and those that only others have after them.
        rows: int64 (N,) for each run, the row it had before.
        classes: int64 (K,) for each run, where each of its own classes is now.
        notes: What only some have and is left out, a sentence each.
    """

    runs: tuple[Predictions, ...]
    rows: tuple[np.ndarray, ...]
    classes: tuple[np.ndarray, ...]
    notes: tuple[str, ...]


def align(runs: Sequence[Predictions], names: Sequence[str]) -> Aligned:
    """Join runs by id or file name, and their classes by name.

    Args:
        runs: At least two.
        names: What messages call each.

    Raises:
        InputError: They are of other images, splits, classes or labels.
    """
    first = runs[0]
    for run, name in zip(runs[1:], names[1:], strict=True):
        _check_same_data(first, run, names[0], name)
    class_names, classes = _join_classes(runs, names)
    kept, notes = _join_images(runs, names)
    rows = [np.arange(len(first))[kept[0]], *kept[1:]]
    aligned = tuple(
        _take(run, chosen, places, class_names)
        for run, chosen, places in zip(runs, rows, classes, strict=True)
    )
    for run, name in zip(aligned[1:], names[1:], strict=True):
        _check_same_labels(aligned[0], run, names[0], name)
    if len(class_names) > len(first.class_names):
        extra = class_names[len(first.class_names) :]
        notes.append(f"{names[0]} has no class {listed(extra, SHOWN_NAMES)}, which others predict.")
    return Aligned(aligned, tuple(rows), tuple(classes), tuple(notes))


def _check_same_data(first: Predictions, run: Predictions, one: str, other: str) -> None:
    if first.split and run.split and first.split != run.split:
        raise InputError(
            f"{other}: is of the split {run.split[:SHOWN_ID]!r} and {one} of "
            f"{first.split[:SHOWN_ID]!r}; compare predictions of the same images."
        )
    if first.fingerprint and run.fingerprint and first.fingerprint != run.fingerprint:
        raise InputError(
            f"{other}: is of other images than {one} (fingerprints differ); "
            "compare predictions of the same images."
        )


def _join_classes(
    runs: Sequence[Predictions], names: Sequence[str]
) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """The names of all classes, and where each run's are among them."""
    by_length = sorted(runs, key=lambda run: -len(run.class_names))
    known = list(next((r.class_names for r in runs if not are_numbers(r.class_names)), ()))
    known = known or list(by_length[0].class_names)
    places: list[np.ndarray] = []
    for run in runs:
        given = run.class_names
        if tuple(known[: len(given)]) == given or are_numbers(given):
            if len(given) > len(known):
                raise InputError(
                    f"{names[len(places)]}: has {len(given):,} classes without names and others "
                    f"{len(known):,} with names; give it class names."
                )
            places.append(np.arange(len(given)))
            continue
        found = match_names(given, tuple(known), names[0], alike=False)
        for index in np.flatnonzero(found < 0):
            found[index] = len(known)
            known.append(given[index])
        places.append(found)
    return tuple(known), places


def _join_images(
    runs: Sequence[Predictions], names: Sequence[str]
) -> tuple[list[np.ndarray], list[str]]:
    """A mask of the first run's rows that all have, and of each other run the rows they are."""
    first, found = runs[0], []
    for run, name in zip(runs[1:], names[1:], strict=True):
        kinds = {run.ids.dtype.kind == "U", first.ids.dtype.kind == "U"}
        if np.array_equal(run.ids, first.ids):
            places = np.arange(len(first))
        elif len(kinds) == 2:
            raise InputError(
                f"{name}: has ids as {str(run.ids[0])[:SHOWN_ID]!r} and {names[0]} as "
                f"{str(first.ids[0])[:SHOWN_ID]!r}; give both file names, or both numbers."
            )
        else:
            places = match_ids(first.ids, run.ids)
        found.append(places)
    common = np.all([places >= 0 for places in found], axis=0)
    if not common.any():
        raise InputError(
            f"{names[0]} and {names[1]} have no image in common (ids as "
            f"{str(first.ids[0])[:SHOWN_ID]!r} and {str(runs[1].ids[0])[:SHOWN_ID]!r}); "
            "compare predictions of the same images."
        )
    kept = [common, *(places[common] for places in found)]
    notes = [
        f"{len(run) - int(common.sum()):,} of the {len(run):,} images of {name} are left out: "
        "others lack them."
        for run, name in zip(runs, names, strict=True)
        if len(run) > common.sum()
    ]
    return kept, notes


def _take(
    run: Predictions, rows: np.ndarray, places: np.ndarray, class_names: tuple[str, ...]
) -> Predictions:
    """Some rows of a run, its classes put in their places."""
    in_order = len(rows) == len(run) and np.array_equal(rows, np.arange(len(run)))
    same_classes = np.array_equal(places, np.arange(len(class_names)))
    if in_order and same_classes:
        return run if run.class_names == class_names else replace(run, class_names=class_names)
    probabilities = run.probabilities
    if probabilities is not None:
        wide = np.zeros((len(rows), len(class_names)), np.float32)
        wide[:, places] = probabilities if in_order else probabilities[rows]
        probabilities = wide
    return take_rows(
        *(run, rows),
        labels=places[run.labels[rows]],
        probabilities=probabilities,
        predicted=places[run.predicted[rows]],
        class_names=class_names,
    )


def take_rows(run: Predictions, rows: np.ndarray, **changed: Any) -> Predictions:
    """Return predictions of some of the images, int64 (n,), with what else is ``changed``."""
    by_image = ("labels", "probabilities", "ids", "predicted", "images", "embeddings")
    values = {name: getattr(run, name) for name in by_image if name not in changed}
    taken = {name: each[rows] for name, each in values.items() if each is not None}
    return replace(run, **taken, **changed)


def _check_same_labels(first: Predictions, run: Predictions, one: str, other: str) -> None:
    different = np.flatnonzero(first.labels != run.labels)
    if len(different):
        row = different[0]
        labels = [p.class_names[p.labels[row]][:SHOWN_ID] for p in (run, first)]
        raise InputError(
            f"{other}: labels {len(different):,} of {len(run):,} images otherwise than {one}, the "
            f"first {str(first.ids[row])[:SHOWN_ID]!r} as {labels[0]!r} instead of {labels[1]!r}; "
            "compare predictions of the same images with the same labels."
        )
