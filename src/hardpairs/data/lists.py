"""Pictures side by side whose labels stand in a table: ``train.csv`` beside ``train/1.jpg``."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from hardpairs.data.folders import few_files, photos_split
from hardpairs.data.memory import to_labels
from hardpairs.data.source import Part, Source, make_source, part_of
from hardpairs.data.split import Split
from hardpairs.data.tables import LABELS, tables_in
from hardpairs.errors import InputError
from hardpairs.reading import guarded, read_text

LOOKED_AT = 50  # Lines that show which column names pictures.


def open_listed(folder: Path, pictures: Sequence[str]) -> Source | None:
    """Look for a table that says what pictures show.

    Args:
        folder: Where tables are looked for: a column of file names, with or without folders and
            endings, and one of labels. Of several tables, names tell the part.
        pictures: Paths of picture files below ``folder``.

    Returns:
        The listed pictures, their ids being those paths; None where no table lists any.

    Raises:
        InputError: A table is damaged, or lists pictures that aren't there.
    """
    lists: dict[str, tuple[list[str], list[str]]] = {}
    notes = []
    for path in tables_in(folder):
        # How to hand predictions in: its labels mean nothing.
        if "sample" in re.split(r"[-_. ]+", path.name.lower()):
            continue
        part = part_of(path.name) or "all"
        found = _read_list(path, pictures)
        if found and part in lists:
            raise InputError(f"{path}: is a second list of pictures and labels; move one away.")
        if found:
            lists[part] = found
    if not lists:
        return None
    made, names = to_labels(*(labels for _, labels in lists.values()), what=f"{folder}: labels")
    parts: dict[str, Part] = {}
    for (part, (paths, _)), labels in zip(lists.items(), made, strict=True):
        parts[part] = partial(_split, folder, paths, labels)
    unlisted = set(pictures).difference(*(paths for paths, _ in lists.values()))
    if unlisted:
        notes.append(f"Left out, having no label: {few_files(sorted(unlisted))}.")
    return make_source(names, parts, notes)


def _split(folder: Path, paths: list[str], labels: np.ndarray) -> Split:
    return photos_split(folder, list(zip(paths, labels.tolist(), strict=True)))


def _read_list(path: Path, pictures: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Pictures and their labels as a table lists them; None where it lists no pictures."""
    lines = read_text(path).splitlines()
    with guarded(path, "a table"):
        delimiter = max(",;\t", key=(lines or [""])[0].count)
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    if len(rows) < 2:
        return None
    header, body = [cell.strip().lower() for cell in rows[0]], rows[1:]
    known = _known(pictures)
    some = body[:LOOKED_AT]
    hits = [sum(cell_of(row, place) in known for row in some) for place in range(len(header))]
    if not hits or max(hits) < max(len(some) // 2, 1):
        return None
    names = hits.index(max(hits))
    others = [place for place in range(len(header)) if place != names]
    usual = [place for name in LABELS for place in others if header[place] == name]
    if not usual and len(others) != 1:
        return None
    label = (usual or others)[0]
    missing = [cell_of(row, names) for row in body if cell_of(row, names) not in known]
    if missing:
        raise InputError(
            f"{path}: lists {len(missing):,} pictures that aren't there ({few_files(missing)}); "
            "put them there or take them out of the list."
        )
    return [known[cell_of(row, names)] for row in body], [cell_of(row, label) for row in body]


def cell_of(row: list[str], place: int) -> str:
    """A cell without blanks around it, "" where the line is too short."""
    return row[place].strip() if place < len(row) else ""


def _known(pictures: Sequence[str]) -> dict[str, str]:
    """Ways to call a picture, if it is the only one -> its path: also without folders or ending."""
    known: dict[str, str] = {}
    for way in (str, lambda path: PurePosixPath(path).name, lambda path: PurePosixPath(path).stem):
        called = [way(path) for path in pictures]
        counts = Counter(called)
        for name, path in zip(called, pictures, strict=True):
            if counts[name] == 1:
                known.setdefault(name, path)
    return known
