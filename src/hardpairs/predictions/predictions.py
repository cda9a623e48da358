"""Predictions: the one file between training, by any framework, and everything after it.

The format is specified in docs/predictions.md.
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any

import numpy as np

from hardpairs.errors import InputError
from hardpairs.files import whole_file
from hardpairs.labels import look_up, numbered
from hardpairs.reading import clean_text, json_safe
from hardpairs.wording import percent

FORMAT_VERSION = 1
SUM_TOLERANCE = 1e-3  # Rows written in half precision miss 1 by a few 1e-4.
LARGEST_IDS = 2**30  # Bytes of all ids, each as long as the longest.


def _empty() -> np.ndarray:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """What a classifier says of N images with K classes, checked when made.

    Attributes:
        labels: int64 (N,), the given labels, indices into ``class_names``; names are looked up.
        probabilities: float32 (N, K), each row sums to 1; None where only classes are known.
        class_names: K names; left empty they become "0", "1", ...
        ids: int64 (N,), each image's index in its split, or str (N,), its file name; left empty
            it becomes 0..N-1.
        split: "train", "test", or "" where unknown.
        fingerprint: `Split.fingerprint` of the images, or "" where unknown.
        metadata: Whatever else is known (recipe, seed, versions, seconds). Foreign: shown, never
            trusted. What JSON can't hold is made text, NaN is made None.
        predicted: int64 (N,), the predicted classes; left empty, the most probable, the first of
            equals, found in the precision in which the probabilities are given.
        top_k: How many probabilities of each row are known, the rest being spread over the other
            classes; 0 where all are.
        images: uint8 (N, H, W) or (N, H, W, C), C in {1, 3}, or None.
        embeddings: float32 (N, D), or None.
        notes: Sentences on what was converted when the predictions were read.

    Raises:
        InputError: The arrays don't fit together or aren't probabilities (see the message).
    """

    labels: np.ndarray
    probabilities: np.ndarray | None
    class_names: tuple[str, ...] = ()
    ids: np.ndarray = field(default_factory=_empty)
    split: str = ""
    fingerprint: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    predicted: np.ndarray = field(default_factory=_empty)
    top_k: int = 0
    images: np.ndarray | None = None
    embeddings: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        probabilities = None if self.probabilities is None else np.asarray(self.probabilities)
        if probabilities is not None and probabilities.dtype.kind in "biu":
            probabilities = probabilities.astype(np.float64)
        names = tuple(self.class_names)
        if not names and probabilities is not None and probabilities.ndim == 2:
            names = numbered(probabilities.shape[1])
        _check_classes(names)
        labels = np.asarray(self.labels)
        if labels.dtype.kind in "OUS" and labels.ndim == 1:
            labels, _ = look_up(labels, names, "labels")
        if probabilities is not None:
            _check_probabilities(probabilities, len(names))
        images = labels.size if probabilities is None else len(probabilities)
        predicted = np.asarray(self.predicted)
        if predicted.size == 0 and probabilities is not None:
            predicted = probabilities.argmax(axis=1)
        _check_indices("labels", labels, images, len(names))
        _check_indices("predicted classes", predicted, images, len(names))
        ids = np.asarray(self.ids)
        ids = np.arange(images) if ids.size == 0 else _checked_ids(ids, images)
        known = {
            "labels": labels.astype(np.int64),
            "probabilities": probabilities if probabilities is None else _as_float32(probabilities),
            "class_names": _printable_names(names),
            "ids": ids,
            "metadata": json_safe(self.metadata),
            "predicted": predicted.astype(np.int64),
            "top_k": int(self.top_k) if 0 < self.top_k < len(names) else 0,
            "images": _checked_images(self.images, images),
            "embeddings": _checked_embeddings(self.embeddings, images),
            "notes": tuple(self.notes),
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)

    @property
    def has_probabilities(self) -> bool:
        """Whether more is known than the predicted classes."""
        return self.probabilities is not None

    def known_probabilities(self) -> np.ndarray:
        """Return the probabilities, float32 (N, K), for what can't be done without.

        Raises:
            InputError: Only the predicted classes are known.
        """
        if self.probabilities is None:
            raise InputError(
                "the predictions are classes alone, and this needs probabilities; "
                "give a column for each class."
            )
        return self.probabilities

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        right = float((self.labels == self.predicted).mean())
        kind = "" if self.has_probabilities else ", classes alone"
        return (
            f"Predictions({len(self):,} images, {len(self.class_names):,} classes{kind}, "
            f"accuracy {percent(right, 2)})"
        )

    __hash__ = None  # type: ignore[assignment]  # Equal by content, and arrays can't be hashed.

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Predictions):
            return NotImplemented
        return all(
            _same(getattr(self, each.name), getattr(other, each.name))
            for each in fields(self)
            if each.name != "notes"
        )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return one is not None and other is not None and np.array_equal(one, other)
    return one == other


def _as_float32(probabilities: np.ndarray) -> np.ndarray:
    """Cast to float32; what rounding took below 0 or above 1 is put back to it."""
    single = probabilities.astype(np.float32)
    return np.clip(single, 0, 1, out=single)


def save_predictions(predictions: Predictions, path: str | Path) -> None:
    """Write an .npz without pickle; the file appears only when complete."""
    # Given a path without an ending, NumPy adds one.
    with whole_file(Path(path)) as partial, partial.open("wb") as file:
        write_predictions(predictions, file)


def write_predictions(predictions: Predictions, file: IO[bytes]) -> None:
    """Write what `save_predictions` writes into an open file."""
    arrays: dict[str, Any] = {
        "format_version": np.int64(FORMAT_VERSION),
        "labels": predictions.labels,
        "class_names": np.array(predictions.class_names),
        "ids": predictions.ids,
        "split": np.array(predictions.split),
        "fingerprint": np.array(predictions.fingerprint),
        "metadata": np.array(json.dumps(predictions.metadata)),
    }
    probabilities = predictions.probabilities
    if probabilities is not None:
        arrays["probabilities"] = probabilities
    # A lead that float32 has rounded away can't be found in the file again.
    if probabilities is None or (probabilities.argmax(axis=1) != predictions.predicted).any():
        arrays["predicted"] = predictions.predicted
    if predictions.top_k:
        arrays["top_k"] = np.int64(predictions.top_k)
    for name in ("images", "embeddings"):
        if getattr(predictions, name) is not None:
            arrays[name] = getattr(predictions, name)
    np.savez_compressed(file, **arrays)


def _check_classes(class_names: tuple[str, ...]) -> None:
    if len(class_names) < 2:
        raise InputError(f"{len(class_names)} class names; give two classes at least.")
    if not all(isinstance(name, str) for name in class_names):
        raise InputError("class names must be texts; convert them with str().")
    if len(set(class_names)) != len(class_names):
        raise InputError("class names must be all different; rename the repeated ones.")


def _printable_names(class_names: tuple[str, ...]) -> tuple[str, ...]:
    """Names that can be written as UTF-8, still all different."""
    names = tuple(clean_text(name) for name in class_names)
    if len(set(names)) == len(names):
        return names
    return tuple(name.encode("utf-8", "backslashreplace").decode() for name in class_names)


def _check_probabilities(probabilities: np.ndarray, classes: int) -> None:
    if probabilities.ndim != 2 or probabilities.dtype.kind != "f":
        raise InputError(
            f"probabilities are {probabilities.dtype} of shape {probabilities.shape}, expected "
            "floats of shape (images, classes); reshape or convert them."
        )
    if len(probabilities) == 0 or probabilities.shape[1] < 2:
        raise InputError(
            f"probabilities have shape {probabilities.shape}; "
            "give at least one image and two classes."
        )
    if probabilities.shape[1] != classes:
        raise InputError(
            f"{classes} class names for {probabilities.shape[1]} columns of probabilities; "
            "give one text for each."
        )
    check_finite(probabilities)
    sums = probabilities.sum(axis=1, dtype=np.float64)
    if probabilities.min() < -SUM_TOLERANCE or np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise no_probabilities(probabilities, SUM_TOLERANCE, "apply softmax to logits first")


def check_finite(probabilities: np.ndarray) -> None:
    """Raise InputError where a row (N, K) has a number that isn't finite; it names the row."""
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise InputError(f"row {row} of probabilities has NaN or infinity; predict again.")


def no_probabilities(scores: np.ndarray, tolerance: float, cause: str) -> InputError:
    """Say of scores (N, K) which row is worst: by its sum, or, if all are within, by its least."""
    off = np.abs(scores.sum(axis=1, dtype=np.float64) - 1)
    row = int(off.argmax() if off.max() > tolerance else scores.min(axis=1).argmin())
    total = scores[row].sum(dtype=np.float64)
    return InputError(
        f"probabilities must be at least 0 and each row must sum to 1 (row {row} sums to "
        f"{total:.4g}, its least is {scores[row].min():.4g}); {cause}."
    )


def _check_indices(name: str, indices: np.ndarray, images: int, classes: int) -> None:
    if images == 0:
        raise InputError(f"{name} are empty; give at least one image.")
    if indices.shape != (images,) or indices.dtype.kind not in "iu":
        raise InputError(
            f"{name} are {indices.dtype} of shape {indices.shape}, expected integers of shape "
            f"({images},), one for each image."
        )
    if indices.min() < 0 or indices.max() >= classes:
        raise InputError(
            f"{name} run from {indices.min()} to {indices.max()}, expected 0 to {classes - 1}; "
            "use indices into class_names."
        )


def _checked_ids(ids: np.ndarray, images: int) -> np.ndarray:
    """int64 or str (N,), all different."""
    if ids.dtype.kind == "O" and all(isinstance(each, str) for each in ids.flat):
        if max(map(len, ids.flat), default=0) * 4 * images > LARGEST_IDS:
            raise InputError("ids are texts of a gigabyte; give shorter ones.")
        ids = ids.astype(str)
    if ids.shape != (images,) or ids.dtype.kind not in "iuU":
        raise InputError(
            f"ids are {ids.dtype} of shape {ids.shape}, expected integers or texts of shape "
            f"({images},), one for each image."
        )
    if ids.dtype.kind in "iu" and (ids.min() < 0 or ids.max() >= 2**63):
        raise InputError(
            f"ids run from {ids.min()} to {ids.max()}, and must be at least 0 and below 2**63; "
            "number the images or give texts."
        )
    if len(np.unique(ids)) != images:
        raise InputError("ids must be all different; number the images again.")
    return ids if ids.dtype.kind == "U" else ids.astype(np.int64)


def _checked_images(pictures: np.ndarray | None, images: int) -> np.ndarray | None:
    if pictures is None:
        return None
    pictures = np.asarray(pictures)
    is_gray = pictures.ndim == 3
    if (
        not (is_gray or (pictures.ndim == 4 and pictures.shape[-1] in (1, 3)))
        or len(pictures) != images
        or pictures.dtype != np.uint8
        or 0 in pictures.shape
    ):
        raise InputError(
            f"images are {pictures.dtype} of shape {pictures.shape}, expected uint8 of shape "
            f"({images}, height, width) or ({images}, height, width, 1 or 3)."
        )
    return pictures


def _checked_embeddings(embeddings: np.ndarray | None, images: int) -> np.ndarray | None:
    if embeddings is None:
        return None
    embeddings = np.asarray(embeddings)
    if (
        embeddings.ndim != 2
        or len(embeddings) != images
        or embeddings.shape[1] == 0
        or embeddings.dtype.kind not in "fiu"
        or not np.isfinite(embeddings).all()
    ):
        raise InputError(
            f"embeddings are {embeddings.dtype} of shape {embeddings.shape}, expected finite "
            f"floats of shape ({images}, dimensions)."
        )
    return embeddings.astype(np.float32)
