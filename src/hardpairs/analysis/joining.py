"""Joining predictions with the data they are of: images by id, classes by name."""

import re
import unicodedata
from dataclasses import dataclass, replace

import numpy as np

from hardpairs.data.split import Images, Split
from hardpairs.errors import InputError
from hardpairs.foreign import shortened
from hardpairs.labels import are_numbers, listed
from hardpairs.predictions.columns import plain
from hardpairs.predictions.ids import match_ids
from hardpairs.predictions.predictions import Predictions

SHOWN_NAME = 40
SHOWN_IDS = 3
FEWEST_ALIKE = 10  # Images whose labels could hardly be the same numbers by chance.


@dataclass(frozen=True)
class Joined:
    """Predictions with the images that they are of.

    Attributes:
        predictions: As given; with the data's class names where they had numbers for names.
        images: In the predictions' order.
        rows: int64 (N,), each image's place in its split, -1 where it isn't there.
        classes: int64 (K,), the data's class for each of the predictions', -1 where it has none.
        inverted: Whether the images are white on black.
        fingerprint: Of the data that the images are from; "" where it is read bit by bit, as no
            data is that anything is known of.
        notes: What was done to the data on the way in, a sentence each.
    """

    predictions: Predictions
    images: Images
    rows: np.ndarray
    classes: np.ndarray
    inverted: bool
    fingerprint: str = ""
    notes: tuple[str, ...] = ()

    def missing_note(self) -> str:
        """A sentence on the predicted images that the data lacks; "" where it lacks none."""
        missing = self.predictions.ids[self.rows < 0].tolist()
        if not missing:
            return ""
        return (
            f"Of {len(self.rows):,} predicted images {len(self.rows) - len(missing):,} are in the "
            f"data; a grey square stands for the others: {listed(missing, SHOWN_IDS)}."
        )

    def covers(self, classes: int) -> bool:
        """Whether the predictions have exactly the data's ``classes``, in whatever order."""
        return len(self.classes) == classes and bool((self.classes >= 0).all())


def join(
    predictions: Predictions, split: Split, class_names: tuple[str, ...], source: str
) -> Joined:
    """Look the predicted images up by id, and the classes by name.

    Predictions whose classes stand in another order than the data's are as good as any, if their
    labels follow that order. Names are alike but for case and punctuation, or where the data or
    the predictions give several, as "T-shirt/top".

    Args:
        predictions: Of some of the split's images.
        split, class_names: The data.
        source: Where the data came from, for messages.

    Raises:
        InputError: The data isn't what was predicted: other images, labels or class names.
    """
    name = predictions.split or "test"
    if predictions.fingerprint and predictions.fingerprint != split.fingerprint:
        raise InputError(
            f"{source}: its {name} images aren't those that were predicted (fingerprints differ); "
            "give the data that was used, with --data."
        )
    rows = _find_rows(predictions.ids, split, f"{source}: its {name} images")
    if not split.has_labels:  # Pictures alone, joined by name or number.
        nowhere = np.full(len(predictions.class_names), -1)
        return Joined(predictions, split.take(rows).images, rows, nowhere, split.inverted)
    found = rows >= 0
    labels, given = split.labels[rows[found]], predictions.labels[found]
    alike = np.array_equal(labels, given)
    names = predictions.class_names
    notes: tuple[str, ...] = ()
    by_number = alike and (are_numbers(names) or are_numbers(class_names))
    renamed = alike and not by_number and _names_others(rows, split, names, class_names)
    if names == class_names or by_number or renamed:
        classes = np.arange(len(names))
        classes[len(class_names) :] = -1
        if len(names) == len(class_names) and are_numbers(names):
            predictions = replace(predictions, class_names=class_names)
        if renamed:
            notes = (
                f"{source} calls its classes otherwise ({_listed(class_names)}); its labels are "
                f"the same numbers in all {len(split):,} images, so these are taken for the "
                "predicted ones.",
            )
    else:
        classes = match_names(names, class_names, source, alike)
    if not np.array_equal(classes[given], labels):
        known = (labels, given)
        raise InputError(
            _labels_differ(predictions, class_names, classes, known, len(split), source)
        )
    fingerprint = split.fingerprint if isinstance(split.images, np.ndarray) else ""
    images = split.take(rows).images
    return Joined(predictions, images, rows, classes, split.inverted, fingerprint, notes)


def _names_others(
    rows: np.ndarray, split: Split, names: tuple[str, ...], class_names: tuple[str, ...]
) -> bool:
    """Whether no class is named alike though predictions and data are of as many images.

    With the same labels in the same order, only the names can be meant otherwise. Where even one
    name fits, the others would have to fit as well.
    """
    given = set().union(*map(_parts, names))
    is_all = len(rows) == len(split) >= FEWEST_ALIKE and bool((rows >= 0).all())
    return is_all and not any(_parts(name) & given for name in class_names)


def _find_rows(ids: np.ndarray, split: Split, what: str) -> np.ndarray:
    """Each id's place in the split: by its own ids, or by number where those are texts.

    Returns:
        int64 (N,), -1 where the split lacks it, if at least some are there.
    """
    is_text, has_texts = ids.dtype.kind == "U", split.ids.dtype.kind == "U"
    if is_text and not has_texts:
        raise InputError(
            f"{what} have numbers for ids, and the predictions have texts, as {str(ids[0])!r}; "
            "give the images' numbers as ids, or data whose images have these names."
        )
    known = split.ids if is_text == has_texts else np.arange(len(split))
    rows = match_ids(ids, known)
    missing = ids[rows < 0].tolist()
    # Where some are missing, only names or labels show that the others are the right ones.
    can_be_checked = len(missing) < len(ids) and (is_text or split.has_labels)
    if missing and not can_be_checked:
        raise InputError(
            f"{what} are {len(split):,} and lack {len(missing):,} of the predictions' "
            f"{len(ids):,} ids: {listed(missing, SHOWN_IDS)}; give the data that was predicted, or "
            "the ids of its images."
        )
    return rows


def match_names(
    given: tuple[str, ...], known: tuple[str, ...], source: str, alike: bool
) -> np.ndarray:
    """int64 (K,): the data's class of each given name, -1 where there is none of that name.

    Raises:
        InputError: Some names fit no class, or two fit the same.
    """
    by_part: dict[str, set[int]] = {}
    for index, name in enumerate(known):
        for part in _parts(name):
            by_part.setdefault(part, set()).add(index)
    classes = np.full(len(given), -1, np.int64)
    for index, name in enumerate(given):
        found = set().union(*(by_part.get(part, set()) for part in _parts(name)))
        exact = {place for place in found if _plain(known[place]) == _plain(name)}
        if len(exact or found) == 1:
            classes[index] = (exact or found).pop()
    matched = classes[classes >= 0]
    places, counts = np.unique(matched, return_counts=True)
    if (counts > 1).any():
        place = places[counts > 1][0]
        both = listed((given[index] for index in np.flatnonzero(classes == place)), SHOWN_IDS)
        raise InputError(
            f"{source}: {both}, which the predictions name, all fit its class "
            f"{_short(known[place])!r}; rename all but one, or put them together."
        )
    if len(given) == len(known) != len(matched):
        wrong = int(np.flatnonzero(classes < 0)[0]) if (classes < 0).any() else 0
        expected = known[wrong] if alike and wrong < len(known) else None
        raise InputError(
            f"{source}: has no class {_short(given[wrong])!r}, which the predictions name; "
            + (
                f"its class {wrong} is {_short(expected)!r}, so rename it."
                if expected is not None
                else f"its classes are {_listed(known)}."
            )
        )
    return classes


def _labels_differ(
    predictions: Predictions,
    class_names: tuple[str, ...],
    classes: np.ndarray,
    known: tuple[np.ndarray, np.ndarray],
    images: int,
    source: str,
) -> str:
    names, (labels, given) = predictions.class_names, known
    if np.array_equal(labels, given) and (classes >= 0).any():
        wrong = int(np.flatnonzero(classes != np.arange(len(classes)))[0])
        return (
            f"{source}: class {wrong} is {_short(class_names[wrong])!r} in the data and "
            f"{_short(names[wrong])!r} in the predictions, though their labels are the same "
            "numbers; put class_names into the order of the labels."
        )
    if not (classes >= 0).any() or len(names) != len(class_names):
        return (
            f"{source}: its {images:,} images were read, but they have other classes than the "
            f"predictions, {len(class_names):,} ({_listed(class_names)}), where those are of "
            f"{len(predictions):,} images and {len(names):,} classes ({_listed(names)}); give the "
            "data that was predicted."
        )
    count = int((classes[given] != labels).sum())
    return (
        f"{source}: its {predictions.split or 'test'} labels aren't those of the predictions "
        f"({count:,} of {len(labels):,} differ); give the data that was predicted, or add ids."
    )


def _plain(name: str) -> str:
    """A name without case, blanks and punctuation; as it is where nothing else would be left."""
    return plain(unicodedata.normalize("NFC", name)) or name


def _parts(name: str) -> set[str]:
    """The ways to spell a name: whole, and its parts between strokes, as "T-shirt/top"."""
    return {_plain(name), *(_plain(part) for part in re.split(r"[/|,]| - ", name) if part.strip())}


def _short(name: str) -> str:
    return shortened(name, SHOWN_NAME)


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(_short(name) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5:,} more"
