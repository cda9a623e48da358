"""Sets of IDX files under the names that MNIST and its siblings give them."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from hardpairs.data.idx import read_idx
from hardpairs.data.source import PART_OF_NAME, Source, make_source, read_class_names
from hardpairs.data.split import Split
from hardpairs.errors import InputError
from hardpairs.labels import numbered

KIND_OF_NAME = {
    **dict.fromkeys(("images", "image", "imgs", "x"), "images"),
    **dict.fromkeys(("labels", "label", "y"), "labels"),
}
NAME = re.compile(r"(?P<stem>[^.].*?)[-._]idx[1-4][-._](ubyte|byte|int|short)(\.gz)?", re.I)
DEEPEST = 4  # Folders below the one given: torchvision's are two down.
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
EMNIST_NAMES = {  # https://www.nist.gov/itl/products-and-services/emnist-dataset
    "letters": CAPITALS,
    "balanced": "0123456789" + CAPITALS + "abdefghnqrt",
    "bymerge": "0123456789" + CAPITALS + "abdefghnqrt",
    "byclass": "0123456789" + CAPITALS + CAPITALS.lower(),
}
EMNIST_NOTE = "EMNIST stores its images on their side; they were set upright."


@dataclass(frozen=True)
class IdxSet:
    """The files of one dataset: by part ("train", "test", …), then by kind of content."""

    folder: Path
    name: str
    files: dict[str, dict[str, Path]] = field(default_factory=dict)

    @property
    def is_emnist(self) -> bool:
        """Whether it is one of EMNIST's, whose images lie on their side."""
        return self.name.startswith("emnist")


def find_idx(place: Path) -> IdxSet | None:
    """Find the IDX files of a folder or below it, of one of them, or of the start of their names.

    Args:
        place: A folder; a file; or, where a folder holds several datasets as EMNIST's does, their
            path up to where they begin to differ from one another ("raw/emnist-letters").

    Returns:
        The dataset, or None where there is no such file.

    Raises:
        InputError: There are several datasets; it names them.
    """
    if os.path.isdir(place):
        found = list(_sets_below(place, DEEPEST).values())
    else:
        of_file = _parse(place.name)
        wanted = of_file[2] if of_file else place.name.lower()
        sets = _sets_in(place.parent) if os.path.isdir(place.parent) else {}
        found = [sets[wanted]] if wanted and wanted in sets else []
    if len(found) > 1:
        names = ", ".join(sorted(each.name or "train and t10k" for each in found))
        example = found[0].folder / (found[0].name or "train-images-idx3-ubyte")
        raise InputError(
            f"{place}: holds the IDX files of {len(found)} datasets ({names}); "
            f"name one of them, as {example}."
        )
    return found[0] if found else None


def open_idx(found: IdxSet) -> Source:
    """Look at the labels, and leave the images to be read.

    Raises:
        InputError: A file is missing or damaged, or the labels aren't labels.
    """
    labels = {part: _read_labels(found.files[part]) for part in found.files}
    names = read_class_names(found.folder) or _emnist_names(found)
    notes = [EMNIST_NOTE] if found.is_emnist else []
    lowest = min(int(array.min(initial=1)) for array in labels.values())
    highest = max(int(array.max(initial=1)) for array in labels.values())
    first = 0
    # Unnamed classes keep their numbers: a slice of MNIST may lack 0.
    if lowest == 1 and names and (len(names) == highest or found.name == "emnist-letters"):
        first = 1
        notes.append("Its labels start at 1; class 1 is the first class here.")
    if names is None:
        names = numbered(highest + 1)[first:]
    if lowest < 0 or highest - first >= len(names):
        part = max(labels, key=lambda part: labels[part].max(initial=0))
        raise InputError(
            f"{found.files[part]['labels']}: has label {highest} but classes.txt names only "
            f"{len(names)} classes, from 0; add the missing names."
        )
    readers = {
        part: partial(_read_part, found, part, array, first) for part, array in labels.items()
    }
    return make_source(names, readers, notes)


def _sets_below(folder: Path, depth: int) -> Mapping[str, IdxSet]:
    """Sets by name; of the same name, the one nearest to the folder given."""
    sets = dict(_sets_in(folder))
    if depth:
        for below in sorted(folder.iterdir()):
            if below.is_dir() and not below.name.startswith("."):
                sets = {**_sets_below(below, depth - 1), **sets}
    return sets


def _sets_in(folder: Path) -> dict[str, IdxSet]:
    sets: dict[str, IdxSet] = {}
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: can't be read ({error.strerror}); check it.") from error
    for path in paths:
        if (parsed := _parse(path.name)) and path.is_file():
            part, kind, name = parsed
            of_part = sets.setdefault(name, IdxSet(folder, name)).files.setdefault(part, {})
            of_part.setdefault(kind, path)  # Plain before .gz, where both are there.
    return sets


def _parse(file_name: str) -> tuple[str, str, str] | None:
    """Part, kind of content and the dataset's name: "qmnist-test-labels-idx2-int"."""
    matched = NAME.fullmatch(file_name)
    if not matched:
        return None
    part, kind, rest = "all", "", []
    for word in re.split(r"[-._]", matched["stem"].lower()):
        if word in PART_OF_NAME and part == "all":
            part = PART_OF_NAME[word]
        elif word in KIND_OF_NAME and not kind:
            kind = KIND_OF_NAME[word]
        else:
            rest.append(word)
    return (part, kind, "-".join(rest)) if kind else None


def _read_labels(files: dict[str, Path]) -> np.ndarray:
    if "images" not in files:
        raise _missing(files["labels"], "labels", "images")
    if "labels" not in files:
        raise _missing(files["images"], "images", "labels")
    labels = read_idx(files["labels"], 1, 2)
    if labels.ndim == 2:  # QMNIST's: the class first, then where in NIST's archive it comes from.
        labels = labels[:, 0]
    return labels.astype(np.int64)


def _missing(path: Path, kind: str, other: str) -> InputError:
    name = path.name.removesuffix(".gz").replace(kind, other)
    name = name.replace("idx3", "idx1") if other == "labels" else re.sub("idx[12]", "idx3", name)
    return InputError(f"{path.with_name(name)}: is missing, with and without .gz; put it there.")


def _read_part(found: IdxSet, part: str, labels: np.ndarray, first: int) -> Split:
    paths = found.files[part]
    images = read_idx(paths["images"], 3, 4)
    if len(images) != len(labels):
        raise InputError(
            f"{paths['labels']}: has {len(labels):,} labels for the {len(images):,} images of "
            f"{paths['images'].name}; the two files don't belong together."
        )
    if 0 in images.shape:
        raise InputError(f"{paths['images']}: holds no images; give a set with at least one.")
    if images.dtype != np.uint8 or (images.ndim == 4 and images.shape[3] not in (1, 3)):
        raise InputError(
            f"{paths['images']}: holds {images.dtype} of shape {images.shape}, expected bytes, "
            "and 1 or 3 of them a pixel; convert it."
        )
    if found.is_emnist:
        images = np.ascontiguousarray(images.swapaxes(1, 2))
    return Split(images, labels - first, inverted=images.ndim == 3 or images.shape[3] == 1)


def _emnist_names(found: IdxSet) -> tuple[str, ...] | None:
    if not found.is_emnist:
        return None
    names = EMNIST_NAMES.get(found.name.removeprefix("emnist-"))
    return tuple(names) if names else None
