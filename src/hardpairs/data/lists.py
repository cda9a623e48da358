"""Pictures side by side whose labels stand in a table: ``train.csv`` beside ``train/1.jpg``."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from hardpairs.data.folders import few_files, photos_split, picture_paths, subfolders
from hardpairs.data.memory import to_labels
from hardpairs.data.source import (
    PART_OF_NAME,
    Part,
    Source,
    make_source,
    named_otherwise,
    part_of,
    read_class_names,
    words_of,
)
from hardpairs.data.tables import PART_OF_USAGE, delimiter_of, has_pixels, tables_in
from hardpairs.data.usual_names import LABELS, PARTS
from hardpairs.errors import InputError
from hardpairs.foreign import one_line
from hardpairs.reading import guarded, parse_json, read_text

HOT, ONE = frozenset(("0", "1", "0.0", "1.0")), ("1", "1.0")
PART_COLUMNS = (*PARTS, "data set", "data_set", "dataset", "set", "phase")
LOOKED_AT = 50  # Lines that show which column names pictures.


@dataclass(frozen=True)
class Listed:
    """What a row of a table says of a picture; the part is "" for none."""

    path: str
    label: str
    part: str


@dataclass(frozen=True)
class Table:
    """A table that lists pictures.

    Attributes:
        path: Where it lies.
        header: The names of all columns, "" where they have none.
        columns: The cells of all columns but the one that names pictures, by place.
        named: What that one says.
        pictures: The path of the picture that is meant by it, "" where none is.
    """

    path: Path
    header: list[str]
    columns: dict[int, list[str]]
    named: list[str]
    pictures: list[str]


def open_listed(folder: Path, pictures: Sequence[str]) -> Source | None:
    """Look for a table that says what pictures show.

    Args:
        folder: Where tables are looked for, and in its folders of parts: a column of file names,
            with or without folders and endings, and one of labels or one of 0 and 1 for each
            class. Of several tables, names tell the part; of one, its column "split" may.
        pictures: Paths of picture files below ``folder``.

    Returns:
        The listed pictures, their ids being those paths; None where no table lists any.

    Raises:
        InputError: A table is damaged, lists pictures that aren't there, or gives one two labels.
    """
    lists: dict[str, list[Listed]] = {}
    notes = []
    for path, part, inside in _tables(folder):
        found = _read_list(path, [name for name in pictures if name.startswith(inside)])
        if found is None:
            continue
        rows, repeated = _each_once(path, found)
        if repeated:
            notes.append(f"Counted once, being listed several times: {few_files(repeated)}.")
        for own in dict.fromkeys(row.part for row in rows):
            if (own or part) in lists:
                raise InputError(f"{path}: is a second list of pictures and labels; move one away.")
            lists[own or part] = [row for row in rows if row.part == own]
    if not lists:
        return None
    given: list[Any] = [[row.label for row in rows] for rows in lists.values()]
    known = read_class_names(folder)
    if known and not any(label in known for labels in given for label in labels):
        with suppress(ValueError):  # Then they are names that aren't in the file.
            given = [np.array(labels, np.float64) for labels in given]
    made, names = to_labels(*given, class_names=known, what=f"{folder}: labels")
    parts: dict[str, Part] = {}
    for (part, rows), labels in zip(lists.items(), made, strict=True):
        paths = [row.path for row in rows]
        parts[part] = partial(photos_split, folder, list(zip(paths, labels.tolist(), strict=True)))
    unlisted = set(pictures) - {row.path for rows in lists.values() for row in rows}
    if unlisted:
        notes.append(f"Left out, having no label: {few_files(sorted(unlisted))}.")
    return make_source(names, parts, notes)


def lists_beside(folder: Path, source: Source) -> list[str]:
    """A sentence on each table in a folder that lists pictures of class folders otherwise.

    One of predictions may list them as well, so this is of use to whoever trains.
    """
    paths, said = [path for path in _lists_in(folder) if not has_pixels(path)], []
    classes = {
        picture: source.class_names[label]
        for split in (read() for read in source.parts.values() if paths)
        # Other images than picture files have no paths.
        for picture, label in zip(picture_paths(folder, split), split.labels, strict=False)
    }
    if not all(name in picture.split("/")[:-1] for picture, name in classes.items()):
        return []  # The classes come from a list themselves.
    for path in paths:
        with suppress(InputError):  # It isn't needed.
            table = _read_table(path, list(classes))
            labels = _labels(table) if table else None
            if table is None or (labels and _are_same(labels, table.pictures, classes)):
                continue
            said.append(
                f"{path.name} lists the pictures too and isn't used: their folders are taken for "
                "the classes. Where it holds the labels, put all pictures into one folder."
            )
    return said


def _are_same(labels: list[str], pictures: list[str], classes: Mapping[str, str]) -> bool:
    """Whether labels name the classes of the pictures, in whatever words."""
    both = {(label, classes[path]) for label, path in zip(labels, pictures, strict=True) if path}
    return len(both) == len({label for label, _ in both}) == len({name for _, name in both})


def unlabelled_list(folder: Path, pictures: Sequence[str]) -> str:
    """Which table in a folder lists pictures without a column of a usual name for labels, or ""."""
    for path, _, _ in _tables(folder):
        table = _read_table(path, pictures)
        if table and _labels(table) is None and any(table.header):
            return named_otherwise(path.name, [table.header[place] for place in table.columns])
    return ""


def _tables(folder: Path) -> list[tuple[Path, str, str]]:
    """Tables that may list pictures, the part that each tells, and where its pictures lie."""
    found = [(path, part_of(path.name) or "all", "") for path in _lists_in(folder)]
    for below in subfolders(folder):
        if part := PART_OF_NAME.get(below.name.lower()):
            found += [(path, part, f"{below.name}/") for path in _lists_in(below)]
    # How to hand predictions in: its labels mean nothing.
    return [each for each in found if "sample" not in words_of(each[0].name)]


def _lists_in(folder: Path) -> list[Path]:
    records = [path for path in (folder / "metadata.jsonl",) if path.is_file()]  # Hugging Face's.
    return [*tables_in(folder), *records]


def _each_once(path: Path, rows: list[Listed]) -> tuple[list[Listed], list[str]]:
    """Every picture in one row, and those that were in several with the same label."""
    first: dict[str, Listed] = {}
    repeated: dict[str, None] = {}
    for row in rows:
        before = first.setdefault(row.path, row)
        if before is row:
            continue
        for what in ("label", "part"):
            one, other = getattr(before, what), getattr(row, what)
            if one != other:
                raise InputError(
                    f"{path}: gives {one_line(row.path)} the {what} {one_line(one)!r} and in "
                    f"another line {one_line(other)!r}; leave one of them."
                )
        repeated[row.path] = None
    return [*first.values()], [*repeated]


def _read_table(path: Path, pictures: Sequence[str]) -> Table | None:
    """Read a table that lists pictures; None where it lists none."""
    header, body = _rows(path)
    known = ways_to_call(pictures)
    some = body[:LOOKED_AT]
    hits = [
        sum(picture_meant(_cell(row, place), known) != "" for row in some)
        for place in range(len(header))
    ]
    if not hits or max(hits) < max(len(some) // 2, 1):
        return None
    names = hits.index(max(hits))
    if picture_meant(header[names], known):  # The first line is a picture's.
        body = [header, *body]
        header = [""] * len(header)
    columns = {place: [_cell(row, place) for row in body] for place in range(len(header))}
    named = columns.pop(names)
    return Table(path, header, columns, named, [picture_meant(cell, known) for cell in named])


def _read_list(path: Path, pictures: Sequence[str]) -> list[Listed] | None:
    """Pictures, labels and parts as a table lists them; None where it lists no labels of any."""
    table = _read_table(path, pictures)
    labels = _labels(table) if table else None
    if table is None or labels is None:
        return None
    rows = zip(table.named, table.pictures, strict=True)
    if missing := [cell for cell, picture in rows if not picture]:
        raise InputError(
            f"{path}: lists {len(missing):,} pictures that aren't there ({few_files(missing)}); "
            "put them there or take them out of the list."
        )
    parts = _parts(table) or [""] * len(labels)
    return [Listed(*row) for row in zip(table.pictures, labels, parts, strict=True)]


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """The first line's cells and the others', of a table or of JSON lines."""
    text = read_text(path)
    with guarded(path, "a table"):
        if path.suffix.lower() == ".jsonl":
            records = [parse_json(line) for line in text.split("\n") if line.strip()]
            header = list(dict.fromkeys(name for record in records for name in record))
            return header, [[_text(record.get(name)) for name in header] for record in records]
        lines = text.splitlines()
        delimiter = delimiter_of(lines[0] if lines else "")
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    return [cell.strip() for cell in rows[0]] if rows else [], rows[1:]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _labels(table: Table) -> list[str] | None:
    """The column of labels: of a usual name or the only one; or columns of one 1 in each row."""
    header, columns = table.header, table.columns
    plain = [cell.lower() for cell in header]
    usual = [place for name in LABELS for place in columns if plain[place] == name]
    told = [place for place in columns if plain[place] not in (*PART_COLUMNS, "")]
    told = told or list(columns)
    if usual or len(told) == 1:
        return columns[(usual or told)[0]]
    hot = [place for place in told if set(columns[place]) <= HOT]
    rows = list(zip(*(columns[place] for place in hot), strict=True))
    places = [[place for place, cell in zip(hot, row, strict=True) if cell in ONE] for row in rows]
    if len(hot) < 2 or any(len(each) != 1 for each in places):
        return None
    return [header[place] for (place,) in places]


def _parts(table: Table) -> list[str] | None:
    """The part of each row, where a column of a usual name tells one of all; else None."""
    for place, cells in table.columns.items():
        if table.header[place].lower() in PART_COLUMNS:
            parts = [PART_OF_USAGE.get(cell.lower(), "") for cell in cells]
            if all(parts) and len(set(parts)) > 1:
                return parts
    return None


def _cell(row: list[str], place: int) -> str:
    """A cell without blanks around it, "" where the line is too short."""
    return row[place].strip() if place < len(row) else ""


def picture_meant(cell: str, known: dict[str, str]) -> str:
    """The path of the picture that a cell names, also from elsewhere; "" where it is none."""
    parts = [part for part in cell.replace("\\", "/").split("/") if part not in ("", ".")]
    ways = ["/".join(parts[first:]) for first in range(len(parts))]
    return next((known[way] for way in (cell, *ways) if way in known), "")


def ways_to_call(pictures: Sequence[str]) -> dict[str, str]:
    """Ways to call a picture, if it is the only one -> its path: also without folders or ending."""
    known: dict[str, str] = {}
    for way in (str, lambda path: PurePosixPath(path).name, lambda path: PurePosixPath(path).stem):
        called = [way(path) for path in pictures]
        counts = Counter(called)
        for name, path in zip(called, pictures, strict=True):
            if counts[name] == 1:
                known.setdefault(name, path)
    return known
