"""Found values as predictions: names, labels, probabilities and ids are made what they must be."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from hardpairs.arrays import describe, is_text, to_numpy
from hardpairs.errors import InputError
from hardpairs.labels import classes_in, look_up, numbered, to_names, to_vector
from hardpairs.predictions.classes import name_classes, names_by_number
from hardpairs.predictions.found import Found, Truth
from hardpairs.predictions.ids import to_ids
from hardpairs.predictions.joined_truth import join_truth
from hardpairs.predictions.predictions import Predictions
from hardpairs.predictions.probabilities import as_floats, spread_top, to_probabilities

FEWEST_FOR_ORDER = 50  # Images; of fewer, chance alone does as well often enough.
MOST_APART = 0.5  # Frequencies of so few images a class that they differ so much say nothing.


def to_predictions(
    found: Found, *, logits: bool = False, truth: Truth | None = None
) -> Predictions:
    """Make predictions of what was found, or say the one thing that is wrong with it.

    Args:
        found: Values as they came.
        logits: Whether the scores are logits.
        truth: True labels from elsewhere; they replace those found.

    Raises:
        InputError: Something is missing or doesn't fit together (see the message).
    """
    found, notes = _with_confidence(found), list(found.notes)
    found = _named_by_predicted(found, _known_names(found, truth))
    if truth is not None:
        found = join_truth(found, truth, notes)
    scores = None if found.scores is None else as_floats(found.scores)
    classes = None if scores is None else max(scores.shape[1], 2)
    labels = _labels(found, scores, classes)
    names, as_numbers = name_classes(found, labels, classes, notes)
    label_indices, more = look_up(labels, names, "labels", numbers_are_names=as_numbers)
    notes += more
    # After the labels: a class without a column is told better than rows that miss a sum of 1.
    probabilities, most_probable = None, None
    if scores is not None:
        probabilities, most_probable, more = to_probabilities(scores, logits=logits)
        notes += more
    extra = dict(found.extra)
    if found.top_classes is not None and probabilities is None:
        most_probable, probabilities, extra["top_k"] = _from_top(found, names, as_numbers, notes)
    predicted: np.ndarray = most_probable  # type: ignore[assignment]  # Else it was given.
    if found.predicted is not None:
        given = to_vector(found.predicted, "predicted classes", classes)
        predicted, _ = look_up(given, names, "predicted classes", numbers_are_names=as_numbers)
    _check_length(len(labels), predicted)
    if most_probable is not None and (differ := int((predicted != most_probable).sum())):
        notes.append(
            f"{differ:,} predicted classes aren't the most probable ones; they count as given."
        )
    if "recipe" not in extra.get("metadata", {}):  # Of our own run, whose order is known.
        notes.append(_order_note(label_indices, predicted, len(names)))
    return Predictions(
        labels=label_indices,
        probabilities=probabilities,
        class_names=names,
        ids=to_ids(found.ids, len(label_indices)),
        predicted=predicted,
        notes=tuple(filter(None, dict.fromkeys(notes))),
        **extra,
    )


def _with_confidence(found: Found) -> Found:
    """One class and its score: the most probable one of all is known."""
    if found.predicted is None or found.top_scores is None or found.scores is not None:
        return found
    return replace(
        found,
        predicted=None,
        top_classes=np.asarray(found.predicted).reshape(-1, 1),
        top_scores=found.top_scores.reshape(-1, 1),
    )


def _known_names(found: Found, truth: Truth | None) -> set[str]:
    """The names of the true classes, where they have any."""
    labels = found.labels if truth is None else truth.labels
    array = to_numpy([] if labels is None else labels, "labels")
    names = set(classes_in(array)) if array.ndim == 1 and is_text(array) else set()
    given = None if truth is None else truth.class_names
    return names.union(() if given is None else to_names(given))


def _named_by_predicted(found: Found, known: Collection[str]) -> Found:
    """Unnamed columns by the names of the predicted classes, which have the highest scores.

    Args:
        found: What is predicted.
        known: Names of the true classes.

    Raises:
        InputError: They tell that the columns aren't in sorted order, and not of all in which.
    """
    given, scores = found.class_names, found.scores
    are_numbered = isinstance(given, list) and all(isinstance(each, int) for each in given)
    is_named = given is not None and not are_numbered
    if is_named or found.predicted is None or scores is None or scores.ndim != 2:
        return found
    predicted = to_numpy(found.predicted, "predicted classes")
    is_told = is_text(predicted) and len(predicted) == len(scores)
    names = names_by_number(scores.argmax(axis=1), predicted) if is_told else None
    if names is None or set(names.values()) <= set(numbered(scores.shape[1])):
        return found
    missing = [column for column in range(scores.shape[1]) if column not in names]
    others = sorted({*known} - {*names.values()}) if known else list(map(str, missing))
    if len(others) != len(missing):
        return found
    named = names | dict(zip(missing, others, strict=True))
    ordered = [named[column] for column in range(len(named))]
    if known and len(missing) > 1 and ordered != sorted(ordered):
        raise InputError(
            "the columns of scores have no names, by the predicted classes they aren't in sorted "
            f"order, and {len(missing)} classes are never predicted; name the columns as the "
            "classes, or give class_names in their order."
        )
    return replace(found, class_names=ordered)


def _labels(found: Found, scores: np.ndarray | None, classes: int | None) -> np.ndarray:
    if found.labels is None:
        raise InputError(
            "there are predictions and no true labels; give them as well: from the command line a "
            "file or a folder with one folder for each class with --labels, or --data."
        )
    labels = to_vector(found.labels, "labels", classes)
    if len(labels) == 0:
        raise InputError("there are no images (0 labels); give at least one.")
    if scores is not None:
        _check_length(len(labels), scores)  # Else what is transposed is refused as something else.
    return labels


def _from_top(
    found: Found, names: tuple[str, ...], as_numbers: bool, notes: list[str]
) -> tuple[np.ndarray, np.ndarray | None, int]:
    """The predicted classes and, where scores are known, probabilities of all."""
    top = to_numpy(found.top_classes, "predicted classes")
    flat, _ = look_up(top.ravel(), names, "predicted classes", numbers_are_names=as_numbers)
    columns = flat.reshape(top.shape)
    if found.top_scores is None:
        return columns[:, 0], None, 0
    scores = to_numpy(found.top_scores, "probabilities")
    if scores.shape != top.shape:
        raise InputError(
            f"the most probable classes are {describe(top)} and their scores "
            f"{describe(scores)}; give one score for each."
        )
    order = np.sort(columns, axis=1)
    if (order[:, 1:] == order[:, :-1]).any():
        raise InputError("a row names the same class twice among its most probable ones.")
    if scores.dtype.kind in "iuf" and scores.min(initial=0) < 0:
        notes.append(
            "The scores of the most probable classes are logits, which can't be made "
            "probabilities without all others: the classes count alone."
        )
        return columns[:, 0], None, 0
    probabilities, more = spread_top(columns, scores, len(names))
    notes += more
    return columns[:, 0], probabilities, top.shape[1]


def _check_length(images: int, given: np.ndarray) -> None:
    if len(given) != images:
        is_turned = given.ndim == 2 and given.shape[1] == images
        raise InputError(
            f"{images:,} labels for {len(given):,} rows of predictions"
            f"{' (it looks transposed)' if is_turned else ''}; give one of each for every image."
        )


def _order_note(labels: np.ndarray, predicted: np.ndarray, classes: int) -> str:
    """Say so where labels and predictions look like those of the same images in another order.

    That is: the accuracy is no better than that of a random order, while the classes are as
    frequent among the predictions as among the labels, which no ordinary failure brings about.
    Where it is much worse, the classes have each other's names instead.

    Returns:
        A sentence, or "" where nothing is to be said.
    """
    images = len(labels)
    if images < FEWEST_FOR_ORDER:
        return ""
    of_labels = np.bincount(labels, minlength=classes) / images
    of_predicted = np.bincount(predicted, minlength=classes) / images
    chance = float(of_labels @ of_predicted)
    right = float((labels == predicted).mean())
    spread = 3 * np.sqrt(chance * (1 - chance) / images)
    no_better = right <= chance + spread
    apart = np.abs(of_labels - of_predicted).sum() / 2
    # Two draws of the same images differ by about so much in their frequencies.
    expected = np.sqrt(of_labels * (1 - of_labels) / images).sum()
    if not no_better or chance > 0.9 or expected > MOST_APART or apart > max(0.15, expected):
        return ""
    if right < chance - spread:
        return (
            f"The accuracy of {right:.1%} is below that of a random order ({chance:.1%}): the "
            "predictions' classes seem to have each other's names; compare their order with that "
            "of the labels' classes."
        )
    return (
        f"The accuracy of {right:.1%} is that of a random order ({chance:.1%}), while the classes "
        "are predicted about as often as they occur: labels and predictions seem to be in "
        "different orders, as when a generator shuffles. Predict with shuffle=False, or give ids."
    )
