"""Joining by id: labels or images to predictions; and a sign that an order is mixed up."""

import unicodedata
from collections import Counter
from collections.abc import Callable

import numpy as np

from hardpairs.reading import clean_text

FEWEST_FOR_ORDER = 50  # Below it, chance alone does as well often enough.


def match_ids(ids: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Find each id among the known ones.

    Numbers match numbers. Texts are paths and match as a whole, or else by as many last parts as
    tell them apart ("val/cat/1.png" is "cat/1.png"), or else without the ending ("cat/1"), or
    else whatever the case ("1.PNG"): the first of these ways that finds all of them, or the one
    that finds most.

    Args:
        ids: int64 or str (N,).
        known: int64 or str (M,).

    Returns:
        int64 (N,), the place of each id in ``known``; -1 where it isn't there.
    """
    if ids.dtype.kind in "iu" and known.dtype.kind in "iu":
        return _places(ids.tolist(), known.tolist())
    ours, theirs = ([_path(each) for each in array.tolist()] for array in (ids, known))
    best = np.full(len(ours), -1)
    for key in _KEYS:
        places = _places([key(path) for path in ours], [key(path) for path in theirs])
        if (places >= 0).sum() > (best >= 0).sum():
            best = places
        if (best >= 0).all():
            break
    return best


def _path(identifier: object) -> tuple[str, ...]:
    text = unicodedata.normalize("NFC", clean_text(str(identifier)))  # As macOS doesn't have it.
    parts = text.replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", "."))


def _stem(path: tuple[str, ...]) -> tuple[str, ...]:
    return (*path[:-1], path[-1].rpartition(".")[0] or path[-1]) if path else path


_KEYS: tuple[Callable[[tuple[str, ...]], tuple[str, ...]], ...] = (
    *(lambda path: path, lambda path: path[-3:], lambda path: path[-2:], lambda path: path[-1:]),
    *(_stem, lambda path: _stem(path[-2:]), lambda path: _stem(path[-1:])),
    lambda path: tuple(part.casefold() for part in path[-1:]),
)


def _places(ours: list, theirs: list) -> np.ndarray:
    """Places of what occurs once on either side; -1 for the rest."""
    place = {value: index for index, value in enumerate(theirs)}
    for counts, values in ((Counter(theirs), theirs), (Counter(ours), ours)):
        if len(counts) < len(values):
            for value, count in counts.items():
                if count > 1:
                    place.pop(value, None)
    return np.array([place.get(value, -1) for value in ours], np.int64)


def order_note(labels: np.ndarray, predicted: np.ndarray, classes: int) -> str:
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
    if not no_better or chance > 0.9 or apart > max(0.15, expected):
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
