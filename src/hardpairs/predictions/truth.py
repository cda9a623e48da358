"""True labels from elsewhere: a file of labels, or folders named as the classes."""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from hardpairs.arrays import to_objects
from hardpairs.data.folders import Classes, find_classes
from hardpairs.data.source import check_parts
from hardpairs.errors import InputError
from hardpairs.npz import read_npy
from hardpairs.predictions.columns import IMAGE_NAME, Sheet
from hardpairs.predictions.delimited import read_delimited
from hardpairs.predictions.faults import told_by_line
from hardpairs.predictions.first_line import check_unnamed, unnamed_numbers
from hardpairs.predictions.found import Found, Hints, Truth
from hardpairs.predictions.instead import check_run_file
from hardpairs.predictions.numpy_files import IDS, LABELS, NAMES, read_usual, take
from hardpairs.predictions.sheets import SHEETS
from hardpairs.predictions.table import find_truth
from hardpairs.reading import ending_of, guarded, read_text, understood

FLOAT = re.compile(r"[-+]?\d+\.\d*(?:[eE][-+]?\d{1,2})?")
EXPORTED = "labels.json"  # What FiftyOne puts into the folder it is told to export to.
PARTS = ("test", "validation", "all", "train")  # The first that is there was predicted.


def read_truth(path: str | Path, hints: Hints) -> Truth:
    """Read true labels, with ids where there are any.

    Args:
        path: A folder with one folder of images for each class; or a file: .npy, .npz, .csv, .tsv,
            .jsonl, .json, .parquet, .feather, or .txt with one label, or one image and its label,
            a line.
        hints: Names of its columns.

    Raises:
        InputError: It can't be read, or holds no labels.
    """
    path = Path(path)
    if os.path.isdir(path):
        if not (path / EXPORTED).is_file():
            return _read_class_folders(path)
        path /= EXPORTED
    check_run_file(path)
    suffix, _ = ending_of(path)
    with understood(path, "labels"):
        if suffix == ".npy":
            return Truth(str(path), read_npy(path))
        if suffix == ".npz":
            return _read_npz(path)
        if suffix == ".txt":
            return _read_lines(path, hints)
        if suffix not in SHEETS:
            raise InputError(
                f"{path}: labels are read from .csv, .tsv, .txt, .npy, .npz, .jsonl, .json, "
                ".parquet or .feather, or from class folders; save them as one of these."
            )
        return _of_sheet(path, SHEETS[suffix](path), hints)


def _of_sheet(path: Path, sheet: Sheet | Found, hints: Hints) -> Truth:
    if isinstance(sheet, Found):
        given = (sheet.labels, sheet.predicted, sheet.top_classes, sheet.scores)
        labels = next(each for each in given if each is not None)  # Scores: of one 1 a row.
        return Truth(str(path), labels, sheet.ids, sheet.class_names)
    if (numbers := unnamed_numbers(sheet)) is not None:
        check_unnamed(numbers[0])
        others = None if numbers[1] is None else Truth(str(path), numbers[1])
        return Truth(str(path), numbers[0], unnamed=others)
    with told_by_line(sheet.lines):
        labels, ids, classes = find_truth(sheet.columns, hints)
    are_places = classes is None and labels.dtype.kind in "iu"
    return Truth(str(path), labels, ids, sheet.class_names if are_places else classes)


def _read_npz(path: Path) -> Truth:
    arrays = read_usual(path, [*LABELS, *IDS, *NAMES])
    labels = take(arrays, LABELS)
    if labels is None:
        raise InputError(f"{path}: lacks the array 'labels'; save it with numpy.savez(labels=...).")
    arrays.pop("classes", None)  # Labels under another name.
    return Truth(str(path), labels, take(arrays, IDS), take(arrays, NAMES))


def _read_lines(path: Path, hints: Hints) -> Truth:
    """One label a line; or a file name and a label, as ImageNet's val.txt has them.

    First lines of comments, "# ...", are passed over.
    """
    lines = [line.strip() for line in read_text(path).split("\n") if line.strip()]
    while len(lines) > 1 and lines[0].startswith("# "):
        lines = lines[1:]
    if not lines:
        raise InputError(f"{path}: is empty; give one label a line.")
    first = lines[0].split()
    if len(first) < 2 or not IMAGE_NAME.search(first[0]):
        if lines[0].startswith('"') or any(delimiter in lines[0] for delimiter in "\t,;"):
            return _of_sheet(path, read_delimited(path), hints)
        return Truth(str(path), to_objects(_whole_numbers(lines)))
    pairs = [line.split(maxsplit=1) for line in lines]
    if any(len(pair) < 2 for pair in pairs):
        raise InputError(f"{path}: has a line without a label; give a file name and a label each.")
    return Truth(str(path), to_objects([pair[1] for pair in pairs]), [pair[0] for pair in pairs])


def _whole_numbers(lines: list[str]) -> list[str]:
    """Floats that are whole, as numpy.savetxt writes labels, as integers; else all as they are."""
    if not all(map(FLOAT.fullmatch, lines)):
        return lines
    numbers = [float(line) for line in lines]
    return [str(int(each)) for each in numbers] if all(map(float.is_integer, numbers)) else lines


def _read_class_folders(root: Path) -> Truth:
    """Folders named as the classes, sorted by name; of a split dataset, its test or val part.

    Names alone count: whether they are pictures, who gives labels need not have.
    """
    with guarded(root, "a folder of class folders"):
        parts, _ = find_classes(root)
    predicted = next((part for part in PARTS if part in parts), "all")
    _, classes = parts.get(predicted, (root, {}))
    if len(classes) < 2:
        raise InputError(
            f"{root}: holds images of {len(classes)} class folders; give a folder with one "
            "folder of images for each class."
        )
    others = partial(_labels_of_parts, root, parts) if predicted != "all" else None
    return replace(_labels_of(root, [("", classes)]), of_parts=others)


def _labels_of_parts(root: Path, parts: Mapping[str, Classes], named: Collection[str]) -> Truth:
    """The labels of the parts that ids name, for ids that begin with the part's folder."""
    check_parts(str(root), named, parts)
    return _labels_of(root, [(f"{parts[part][0].name}/", parts[part][1]) for part in sorted(named)])


def _labels_of(root: Path, parts: Sequence[tuple[str, Mapping[str, list[str]]]]) -> Truth:
    """The labels of pictures by class, in each part, whose ids begin with a text of its own."""
    rows = [
        (name, before + path)
        for before, classes in parts
        for name in sorted(classes)
        for path in classes[name]
    ]
    names = sorted({name for name, _ in rows})
    return Truth(
        str(root), to_objects([name for name, _ in rows]), [path for _, path in rows], names
    )
