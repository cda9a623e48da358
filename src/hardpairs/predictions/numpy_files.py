"""Predictions from NumPy's files: .npz by the usual names of its arrays, .npy as bare scores."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.arrays import are_whole, describe
from hardpairs.data.memory import to_images
from hardpairs.errors import InputError
from hardpairs.npz import npz_names, npz_shapes, read_npy, read_npz
from hardpairs.predictions.found import Found, Hints
from hardpairs.predictions.predictions import FORMAT_VERSION
from hardpairs.reading import parse_json

LABELS = (
    *("labels", "label", "y_true", "y_test", "label_ids", "targets", "target", "targs", "true"),
    *("true_labels", "ground_truth", "gt", "y", "y_val", "y_valid", "test_labels", "classes"),
)
SCORES = (
    *("probabilities", "probs", "prob", "proba", "probas", "y_prob", "y_proba", "y_score"),
    *("predict_proba", "pred_proba", "y_pred_proba", "pred_probs", "predictions", "preds"),
    *("y_pred", "pred", "logits", "scores", "softmax"),
    *("outputs", "output"),
)
PREDICTED = ("predicted", "predictions", "preds", "pred", "y_pred", "predicted_labels", "y_hat")
NAMES = ("class_names", "names", "label_names", "target_names", "categories", "classes_", "classes")
IDS = ("ids", "id", "filenames", "file_names", "filepaths", "paths", "files", "image_ids")
IMAGES = ("images", "x_test", "imgs", "pixels")
EMBEDDINGS = ("embeddings", "features", "activations")
UNNAMED = ("arr_0", "arr_1", "arr_2")
PART = re.compile(r"^(test|val|valid|all)_|_(test|val|valid|all)$")
TEXTS = ("split", "fingerprint", "metadata")
KNOWN = (*LABELS, *SCORES, *PREDICTED, *NAMES, *IDS, *IMAGES, *EMBEDDINGS, *TEXTS)


def read_arrays(path: Path, hints: Hints) -> Found:
    """Read an .npz, whether by this package or by numpy.savez with the usual names.

    Raises:
        InputError: Damaged, of a later format version, or without the arrays needed.
    """
    arrays = read_usual(path, {*KNOWN, "format_version", "top_k"})
    found = find_arrays(arrays, hints)
    if found is None:
        raise InputError(_lacks(arrays, npz_shapes(path)))
    return found


def read_usual(path: Path, known: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays of an .npz that have one of the ``known`` names, by it, or none of their own.

    Raises:
        InputError: Damaged.
    """
    usual = _usual_names(npz_names(path), {*known, *UNNAMED})
    given = read_npz(path, list(usual))
    return _by_place({usual[name]: array for name, array in given.items()})


def _usual_names(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """The arrays that have a usual name, and it: whatever the case, else without its part.

    Of several that would have one name none has it.
    """
    left = list(names)
    usual: dict[str, str] = {}
    for way in (str, str.lower, lambda name: PART.sub("", name.lower())):
        called = {name: way(name) for name in left}
        counts = Counter(called.values())
        new = {
            name: each
            for name, each in called.items()
            if each in known and counts[each] == 1 and each not in usual.values()
        }
        usual |= new
        left = [name for name in left if name not in new]
    return usual


def find_arrays(arrays: dict[str, np.ndarray], hints: Hints) -> Found | None:
    """Tell arrays apart by their usual names; None where labels or predictions aren't there.

    Raises:
        InputError: They are of a later format version.
    """
    version = arrays.pop("format_version", np.array(FORMAT_VERSION))
    if version.size != 1 or version.item() != FORMAT_VERSION:
        raise InputError(
            f"has format version {version}, this hardpairs reads {FORMAT_VERSION}; update it."
        )
    extra: dict[str, Any] = {
        name: str(arrays.pop(name)) for name in ("split", "fingerprint") if name in arrays
    }
    extra["metadata"] = _metadata(str(arrays.pop("metadata", "")))
    if "top_k" in arrays:
        extra["top_k"] = int(arrays.pop("top_k").item())
    left = dict(arrays)
    names = _take_names(left)
    ids = take(left, IDS)
    scores = take(left, [n for n in SCORES if n not in PREDICTED], _may_be_scores)
    scores = take(left, SCORES, is_scores) if scores is None else scores
    predicted = take(left, PREDICTED, lambda array: not is_scores(array))
    labels = take(left, LABELS)
    images = take(left, IMAGES, lambda array: array.ndim in (3, 4))
    embeddings = take(left, EMBEDDINGS, lambda array: array.ndim == 2)
    if (scores is None and predicted is None) or (labels is None and not hints.has_truth):
        return None
    notes: tuple[str, ...] = ()
    if images is not None:
        (extra["images"],), notes = to_images(images)
    if embeddings is not None:
        extra["embeddings"] = embeddings
    return Found(
        labels=labels,
        scores=scores,
        predicted=predicted,
        class_names=names,
        ids=ids,
        extra=extra,
        notes=notes,
    )


def read_array(path: Path, hints: Hints) -> Found:
    """Read an .npy of scores (N, K), or of predicted classes (N,); labels come from elsewhere.

    Raises:
        InputError: Damaged, or something else.
    """
    array = read_npy(path)
    if array.ndim == 2 and array.dtype.kind in "biuf":
        return Found(scores=array)
    if array.ndim == 1 and (array.dtype.kind in "iuU" or not hints.has_truth):
        return Found(predicted=array)
    if array.ndim == 1:
        return Found(scores=array)
    raise InputError(
        f"is {describe(array)}; give scores of shape (images, classes), or predicted classes."
    )


def _may_be_scores(array: np.ndarray) -> bool:
    """Whether an array named as probabilities can hold them: classes under that name can't."""
    return array.dtype.kind == "f" or is_scores(array)


def is_scores(array: np.ndarray) -> bool:
    """Whether an array holds scores of classes rather than classes."""
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 1:
        return array.dtype.kind == "f" and not are_whole(array)
    return array.ndim > 2 or (array.ndim == 2 and (array.shape[1] > 1 or array.dtype.kind == "f"))


def take(
    left: dict[str, np.ndarray],
    names: Sequence[str],
    fits: Callable[[np.ndarray], bool] = lambda _: True,
) -> np.ndarray | None:
    """Take out the first array that has one of the names and fits."""
    name = next((name for name in names if name in left and fits(left[name])), None)
    return None if name is None else left.pop(name)


def _take_names(left: dict[str, np.ndarray]) -> np.ndarray | None:
    """Class names; an array "classes" holds them only where it is no image's label."""
    images = max((len(array) for array in left.values() if array.ndim), default=0)
    for name in NAMES:
        if name in left and (name != "classes" or len(np.atleast_1d(left[name])) < images):
            return left.pop(name)
    return None


def _lacks(arrays: dict[str, np.ndarray], there: dict[str, tuple[tuple[int, ...], str]]) -> str:
    what = (
        "lacks the array 'probabilities' (or 'predicted')"
        if arrays.keys() & set(LABELS)
        else "lacks the array 'labels' (or give them with --labels)"
    )
    shown = [f"{name[:40]!r} ({kind} of shape {shape})" for name, (shape, kind) in there.items()]
    return f"{what}; found {', '.join(shown[:10]) or 'none'}; see docs/predictions.md."


def _by_place(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Name what `numpy.savez(path, labels, probabilities)` left without names."""
    if not set(arrays) <= set(UNNAMED):
        return arrays
    named: dict[str, np.ndarray] = {}
    for array in arrays.values():
        kind = "class_names" if "labels" in named and array.dtype.kind == "U" else "labels"
        named["probabilities" if is_scores(array) else kind] = array
    return named if len(named) == len(arrays) else arrays


def _metadata(text: str) -> dict[str, Any]:
    try:
        metadata = parse_json(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise InputError("has metadata that isn't JSON; write an object or leave it out.") from (
            error
        )
    if not isinstance(metadata, dict):
        raise InputError("has metadata that isn't a JSON object; write one or leave it out.")
    return metadata
