"""Images and labels in NumPy's files: .npz and .npy, by the usual names of their arrays."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.arrays import describe
from hardpairs.data.memory import split_of, to_images, to_labels, white_on_black
from hardpairs.data.source import (
    PART_OF_NAME,
    Source,
    make_source,
    named_otherwise,
    read_class_names,
    words_of,
)
from hardpairs.data.split import Images, Split
from hardpairs.data.usual_names import CLASS_NAMES, IDS, IMAGES, LABELS
from hardpairs.errors import InputError
from hardpairs.npz import npz_shapes, read_npy, read_npz

KINDS = {"labels": LABELS, "images": IMAGES}  # In this order: image_labels, y_data.
OTHERS = frozenset((*CLASS_NAMES, *IDS)) - frozenset(LABELS)
JOINED = "train|test|val|valid|tr|te"  # Xtr, ytr, Xte, yte: as the lesson has them; trainX.
ALONE = "its images have no labels; save those beside them, as an array named labels."
Read = Callable[[str], np.ndarray]


def open_npz(path: Path) -> Source:
    """Look into an .npz of images and labels.

    Args:
        path: Arrays ``x_train``, ``y_train``, ``x_test``, ``y_test`` as Keras has them, or
            ``train_images``, ``train_labels``, …, or ``images`` and ``labels`` alone; optionally
            ``class_names`` and ``ids``.

    Raises:
        InputError: It is damaged, or holds no such arrays; the message lists what it holds.
    """
    shapes = npz_shapes(path)
    read = partial(_read_member, path)
    by_part = _by_part(shapes)
    if not by_part and set(shapes) == {"arr_0", "arr_1"}:  # As numpy.savez(images, labels) names.
        by_part = {"all": {"images": "arr_0", "labels": "arr_1"}}
    if not by_part:
        held = ", ".join(f"{name} {shape}" for name, (shape, _) in shapes.items())
        raise InputError(
            f"{path}: holds no images under a usual name ({held or 'nothing'}); name the arrays "
            "images and labels, or x_train, y_train, x_test and y_test."
        )
    used = {name for kinds in by_part.values() for name in kinds.values()}
    names = next((read(name) for name in CLASS_NAMES if name in shapes.keys() - used), None)
    ids = next((name for name in IDS if name in shapes), None)
    beside = [name for name in shapes if name not in (*used, *OTHERS)]
    return _open(path, by_part, read, names, ids, beside)


def open_npy(path: Path) -> Source:
    """Look at an .npy of images; labels lie beside it in one of its name, as ``y_test.npy``.

    One whose name says nothing holds images without labels.

    Raises:
        InputError: It is damaged, or its name says that it holds labels.
    """
    beside = {each.stem: each for each in sorted(path.parent.glob("[!.]*.npy"))}
    by_part = _by_part(beside)
    part = next((part for part, kinds in by_part.items() if path.stem in kinds.values()), None)
    if part is None:
        return make_source((), {"all": lambda: split_of(read_npy(path), what=str(path))})
    kinds = by_part[part]
    if kinds.get("images") != path.stem:
        raise InputError(f"{path}: holds labels; give the file of the images.")
    return _open(path.parent, {"all": kinds}, lambda stem: read_npy(beside[stem]))


def open_arrays_folder(folder: Path) -> Source | None:
    """Look into a folder of .npy or .npz files, one for each of images and labels of each part.

    Returns:
        None where there are none that belong together.

    Raises:
        InputError: A file is damaged.
    """
    files = [*sorted(folder.glob("[!.]*.npy")), *sorted(folder.glob("[!.]*.npz"))]
    beside = {path.stem: path for path in files}
    by_part = _by_part(beside)
    if not by_part:
        return open_npz(files[0]) if len(files) == 1 and files[0].suffix == ".npz" else None
    return _open(folder, by_part, lambda stem: _read_file(beside[stem]))


def _by_part(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Names of images and labels by part, where there are images: "X_train", "train-images"."""
    found: dict[str, dict[str, list[tuple[int, str]]]] = {}
    for name in names:
        if name.lower() in OTHERS:
            continue
        words = [part for word in words_of(name) for part in _apart(word)]
        part = next((PART_OF_NAME[word] for word in reversed(words) if word in PART_OF_NAME), "all")
        for kind, usual in KINDS.items():
            if ranks := [usual.index(word) for word in words if word in usual]:
                found.setdefault(part, {}).setdefault(kind, []).append((min(ranks), name))
                break
    parts = {
        part: {kind: min(ranked, key=lambda each: each[0])[1] for kind, ranked in kinds.items()}
        for part, kinds in found.items()
        if "images" in kinds
    }
    return {part: kinds for part, kinds in parts.items() if part != "all" or len(parts) == 1}


def _apart(word: str) -> list[str]:
    """A word as it is, or "xtrain", "trainy" and the like as two.

    >>> _apart("xtr"), _apart("trainy"), _apart("images")
    (['x', 'train'], ['y', 'train'], ['images'])
    """
    if joined := re.fullmatch(f"(?P<a>[xy])(?P<b>{JOINED})|(?P<c>{JOINED})(?P<d>[xy])", word):
        part = joined["b"] or joined["c"]
        return [joined["a"] or joined["d"], {"tr": "train", "te": "test"}.get(part, part)]
    return [word]


def _open(
    place: Path,
    by_part: Mapping[str, dict[str, str]],
    read: Read,
    names: Any = None,
    ids: str | None = None,
    beside: Sequence[str] = (),
) -> Source:
    labelled = [part for part, kinds in by_part.items() if "labels" in kinds]
    if names is None:
        names = read_class_names(place if place.is_dir() else place.parent)
    labels: dict[str, np.ndarray] = {}
    if labelled:
        given = [read(by_part[part]["labels"]) for part in labelled]
        made, names = to_labels(*given, class_names=names, what=f"{place}: labels")
        labels = dict(zip(labelled, made, strict=True))
    kept = labelled or list(by_part)
    left_out = [kinds["images"] for part, kinds in by_part.items() if part not in kept]
    notes = [f"Left out, having no labels: {', '.join(left_out)}."] if left_out else []

    @cache
    def pictures() -> tuple[dict[str, Images], tuple[str, ...]]:
        return _read_pictures(place, {part: by_part[part]["images"] for part in kept}, labels, read)

    def read_part(part: str) -> Split:
        images, said = pictures()[0][part], pictures()[1]
        own = read(ids).ravel() if ids and part == "all" else np.empty(0, np.int64)
        found = labels.get(part, np.full(len(images), -1))
        return Split(images, found, own, inverted=white_on_black(images), notes=said)

    instead = named_otherwise(place.name, beside) if beside else ALONE
    readers = {part: partial(read_part, part) for part in kept}
    return make_source(names or (), readers, notes, instead)


def _read_pictures(
    place: Path, names: Mapping[str, str], labels: Mapping[str, np.ndarray], read: Read
) -> tuple[dict[str, Images], tuple[str, ...]]:
    """Read all parts at once: what is white is asked of all of them together."""
    arrays = {part: read(name) for part, name in names.items()}
    for part, found in labels.items():
        if len(arrays[part]) != len(found):
            raise InputError(
                f"{place}: {names[part]} is {describe(arrays[part])}, and there are "
                f"{len(found):,} labels for it; save what belongs together."
            )
    made, said = to_images(*arrays.values(), what=f"{place}: images")
    return dict(zip(arrays, made, strict=True)), said


def _read_member(path: Path, name: str) -> np.ndarray:
    return read_npz(path, [name])[name]


def _read_file(path: Path) -> np.ndarray:
    if path.suffix == ".npy":
        return read_npy(path)
    arrays = read_npz(path)
    if len(arrays) != 1:
        raise InputError(f"{path}: holds {len(arrays)} arrays, expected one; name one of them.")
    return next(iter(arrays.values()))
