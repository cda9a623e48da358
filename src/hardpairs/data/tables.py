"""Tables with a column for each pixel, as Kaggle has them: ``label,pixel1,pixel2,…``."""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.data.idx_sets import EMNIST_NAMES, EMNIST_NOTE
from hardpairs.data.memory import split_of, to_labels
from hardpairs.data.pixel_columns import FEWEST_PIXELS, PIXEL, in_order, shaped
from hardpairs.data.source import (
    PART_OF_NAME,
    Source,
    make_source,
    named_otherwise,
    part_of,
    read_class_names,
)
from hardpairs.data.split import Split
from hardpairs.data.usual_names import IDS, LABELS, PARTS
from hardpairs.errors import InputError
from hardpairs.labels import listed
from hardpairs.reading import ending_of, guarded, read_start, read_text

ENDINGS = (".csv", ".tsv")  # Also of what is packed.
PART_OF_USAGE = {**PART_OF_NAME, "publictest": "validation", "privatetest": "test"}
WHOLE = re.compile(r"(?<=\d)\.0*$")  # What pandas writes behind labels where one is missing.
NUMBERED = (
    "The first column of the table without names, another number in each line, is taken for the "
    "lines' numbers and isn't used."
)


@dataclass(frozen=True)
class Rows:
    """A table's content: pixels (N, P); labels, ids and parts as texts or numbers (N,).

    ``beside`` are columns that are none of these.
    """

    pixels: np.ndarray
    labels: np.ndarray | None = None
    ids: np.ndarray | None = None
    parts: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def of_part(self, name: str) -> "Rows":
        """Return the rows of one of the table's own parts."""
        chosen = self.parts[name]
        labels, ids = (None if each is None else each[chosen] for each in (self.labels, self.ids))
        return Rows(self.pixels[chosen], labels, ids, notes=self.notes)


def is_table(path: Path) -> bool:
    """Whether a path is a file with a table's name."""
    # Hidden are the shadows that macOS leaves of every file.
    return ending_of(path)[0] in ENDINGS and not path.name.startswith(".") and path.is_file()


def tables_in(folder: Path) -> list[Path]:
    """The tables in a folder, also one in a folder of its own name, as some zips are unpacked."""
    paths = (path / path.name if path.is_dir() else path for path in folder.iterdir())
    return sorted(filter(is_table, paths))


def open_table(path: Path) -> Source:
    """Read a table of one image a line.

    Args:
        path: Comma-, semicolon- or tab-separated numbers, plain or packed, with a header that
            names a label and pixels, or without one and the label first or last; square images,
            gray or of three colours a pixel. A column "Usage" or "split" divides it into parts.

    Raises:
        InputError: It is damaged, or no such table; the message lists its columns.
    """
    rows = _read_table(path)
    return _open(path, {name: rows.of_part(name) for name in rows.parts} or {"all": rows})


def open_tables_folder(folder: Path) -> Source | None:
    """Read the tables of pixels in a folder, of parts that their names tell; None without any.

    Raises:
        InputError: There are several of one part, or one is damaged.
    """
    found: dict[str, Path] = {}
    for path in tables_in(folder):
        part = part_of(path.name) or "all"
        if not has_pixels(path):  # Another table, as sample_submission.csv.
            continue
        if part in found:
            raise InputError(
                f"{folder}: holds several tables of images, as {found[part].name} and "
                f"{path.name}; name one of them."
            )
        found[part] = path
    if list(found) == ["all"]:
        return open_table(found["all"])
    tables = {part: _read_table(path) for part, path in found.items()}
    return _open(next(iter(found.values())), tables) if found else None


def _open(place: Path, tables: Mapping[str, Rows]) -> Source:
    emnist = re.match(r"emnist-([a-z]+)", place.name.lower())
    notes = [EMNIST_NOTE] if emnist else []
    labelled = [part for part, rows in tables.items() if rows.labels is not None]
    if labelled and len(labelled) < len(tables):
        notes.append("Left out: the table without labels.")
    notes += dict.fromkeys(note for rows in tables.values() for note in rows.notes)
    names: Sequence[str] | None = read_class_names(place.parent)
    if names is None and emnist:
        names = EMNIST_NAMES.get(emnist[1])
    labels: dict[str, np.ndarray] = {}
    if labelled:
        given: list[Any] = [tables[part].labels for part in labelled]
        if emnist and emnist[1] == "letters" and all(each.min() >= 1 for each in given):
            given = [each - 1 for each in given]
        made, names = to_labels(*given, class_names=names and tuple(names), what=f"{place}: labels")
        labels = dict(zip(labelled, made, strict=True))

    def read(part: str) -> Split:
        rows = tables[part]
        images, said = shaped(rows.pixels, is_transposed=bool(emnist))
        return split_of(images, labels.get(part), ids=rows.ids, what=str(place), notes=said)

    kept = labelled or list(tables)
    readers = {part: partial(read, part) for part in kept}
    beside = next(iter(tables.values())).beside
    instead = named_otherwise(place.name, beside) if beside and not labelled else ""
    return make_source(names or (), readers, notes, instead)


def _read_table(path: Path) -> Rows:
    lines = _lines(path)
    with guarded(path, "a table of pixels, one image a line"):
        delimiter = delimiter_of(lines[0])
        header = next(csv.reader([lines[0]], delimiter=delimiter, strict=True))
        if _only_counts(header):  # As pandas writes a frame without names.
            is_indexed = not header[0].strip()
            body = [line.partition(delimiter)[2] for line in lines[1:]] if is_indexed else lines[1:]
            header = next(csv.reader(body[:1], delimiter=delimiter, strict=True))
            rows = _without_header(body, delimiter, header)
        elif _is_header(header):
            rows = _with_header(lines[1:], delimiter, [cell.strip().lower() for cell in header])
        else:
            rows = _without_header(lines, delimiter, header)
        if rows is None:
            raise InputError(
                f"{path}: has {len(header):,} columns ({listed(header)}), which aren't the pixels "
                "of square images; give a column for each pixel and one named label, or of a list "
                "of pictures the folder that it lies in."
            )
        return rows


def _with_header(lines: list[str], delimiter: str, header: list[str]) -> Rows | None:
    found = [place for place, name in enumerate(header) if PIXEL.fullmatch(name)]
    pixels = tuple(found[each] for each in in_order([header[place] for place in found]))
    notes = ("Its columns of pixels are taken in the order of their numbers.",)
    others = [name for place, name in enumerate(header) if place not in pixels]
    part, own_id, label = (
        next((header.index(name) for name in usual if name in header), None)
        for usual in (PARTS, IDS, LABELS)
    )
    rest = tuple(n for n in others if n and header.index(n) not in {part, own_id})
    if label is None and len(rest) == 1:
        label = header.index(rest[0])
    if "pixels" in others:
        texts = _column(lines, delimiter, header.index("pixels"))
        matrix = _numbers([str(text) for text in texts], None, None)
    elif _is_square(len(pixels)):
        matrix = _numbers(lines, delimiter, pixels)
    else:
        return None
    labels, ids, usage = (
        None if place is None else _column(lines, delimiter, place)
        for place in (label, own_id, part)
    )
    used = [PART_OF_USAGE.get(str(each).lower(), "") for each in ([] if usage is None else usage)]
    parts = {name: np.flatnonzero(np.array(used) == name) for name in dict.fromkeys(used) if name}
    return Rows(matrix, labels, ids, parts, notes if list(pixels) != found else (), rest)


def _is_header(cells: list[str]) -> bool:
    """Whether a first line names columns; one text among numbers that don't count up is a label."""
    numbers = [float(cell) for cell in cells if _is_number(cell)]
    counts_up = all(after == before + 1 for before, after in pairwise(numbers))
    return len(numbers) < len(cells) - 1 or (len(numbers) < len(cells) and counts_up)


def _only_counts(cells: list[str]) -> bool:
    """Whether a first line counts the columns from 0 or 1, the index without a name left out.

    One text may stand before each number, as R has V1, V2, ...
    """
    named = [cell.strip() for cell in (cells if cells[0].strip() else cells[1:])]
    told = re.fullmatch(r"([A-Za-z]*)([01])", named[0]) if len(named) >= FEWEST_PIXELS else None
    return told is not None and all(
        cell == f"{told[1]}{place}" for place, cell in enumerate(named, start=int(told[2]))
    )


def _without_header(lines: list[str], delimiter: str, first: list[str]) -> Rows | None:
    """No names: the label comes first; or last where the first can't be one, and the last can.

    What is another number or text in each line is no label, but numbers or names the images.
    """
    columns = len(first)
    if not _is_square(columns) and not _is_square(columns - 1) and _is_square(columns - 2):
        ids = _column(lines, delimiter, 0)
        if len(np.unique(ids)) < len(ids):
            return None
        rest = [line.partition(delimiter)[2] for line in lines]
        rows = _without_header(rest, delimiter, first[1:])
        return rows and replace(rows, **_told_apart(ids))
    texts = [place for place, cell in enumerate(first) if not _is_number(cell)]
    if _is_square(columns) and not texts:
        return Rows(_numbers(lines, delimiter, None))
    if not _is_square(columns - 1):
        return None
    return _beside_pixels(lines, delimiter, columns, texts[0] if texts else None)


def _beside_pixels(lines: list[str], delimiter: str, columns: int, text: int | None) -> Rows:
    """Pixels and one more column: the one of texts, or the first or last of numbers."""
    if text is not None:
        others = tuple(place for place in range(columns) if place != text)
        pixels, labels = _numbers(lines, delimiter, others), _column(lines, delimiter, text)
        is_id = len(np.unique(labels)) == len(labels) > 1
        return Rows(pixels, **_told_apart(labels)) if is_id else Rows(pixels, labels)
    matrix = _numbers(lines, delimiter, None)
    first_ones, last_ones = np.unique(matrix[:, 0]), np.unique(matrix[:, -1])
    is_last = len(last_ones) > 1 and (
        len(first_ones) == 1 or (_are_classes(last_ones) and not _are_classes(first_ones))
    )
    if not is_last and len(first_ones) == len(matrix) > 1:
        return Rows(matrix[:, 1:], notes=(NUMBERED,))
    labels, pixels = (matrix[:, -1], matrix[:, :-1]) if is_last else (matrix[:, 0], matrix[:, 1:])
    return Rows(pixels, labels)


def _told_apart(ids: np.ndarray) -> dict[str, Any]:
    """What a first column of another value in each line is: the images' names, or an index."""
    return {"ids": ids} if ids.dtype.kind == "U" else {"notes": (NUMBERED,)}


def _are_classes(values: np.ndarray) -> bool:
    """Whether the different values of a column count up from 0 or 1, as those of labels do."""
    return values[0] in (0, 1) and np.array_equal(values, values[0] + np.arange(len(values)))


def has_pixels(path: Path) -> bool:
    """Whether the first line of a table tells pixels; its other lines aren't read."""
    line = _first_line(path)
    header = line.split(delimiter_of(line))
    pixels = sum(bool(PIXEL.fullmatch(cell.strip(' "'))) or _is_number(cell) for cell in header)
    return pixels >= FEWEST_PIXELS or "pixels" in line.lower()


def _first_line(path: Path) -> str:
    return read_start(path, 2**20).partition(b"\n")[0].decode("utf-8-sig", "replace")


def _lines(path: Path) -> list[str]:
    """Lines that aren't blank."""
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    if len(lines) < 2 and not (lines and _is_number(lines[0].split(delimiter_of(lines[0]))[0])):
        raise InputError(f"{path}: holds no images; give a table with a line for each.")
    return lines


def delimiter_of(line: str) -> str:
    """What parts a line's cells: a comma, a semicolon or a tab."""
    return max(",;\t", key=line.count)


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"\s*-?\d+(\.\d*)?(e[-+]?\d+)?\s*", cell, re.IGNORECASE))


def _is_square(count: int) -> bool:
    is_gray = math.isqrt(count) ** 2 == count
    is_colour = 3 * math.isqrt(count // 3) ** 2 == count
    return count >= FEWEST_PIXELS and (is_gray or is_colour)


def _numbers(
    lines: Sequence[str], delimiter: str | None, columns: tuple[int, ...] | None
) -> np.ndarray:
    """Read a matrix, as bytes where all are; NumPy's reader refuses what doesn't fit into one."""
    if delimiter in (";", "\t") and "," in lines[0]:  # Decimal ones.
        lines = [line.replace(",", ".") for line in lines]
    read = partial(np.loadtxt, lines, comments=None, delimiter=delimiter, usecols=columns, ndmin=2)
    if '"' in lines[0]:
        read = partial(read, quotechar='"')
    try:
        matrix = read(dtype=np.uint8)
    except ValueError:
        matrix = read(dtype=np.float32)
    if len(matrix) < len(lines):  # NumPy passes over blank ones.
        raise InputError("has an image without pixels; fill them in or remove its line.")
    return matrix


def _column(lines: Sequence[str], delimiter: str, place: int) -> np.ndarray:
    """One column: integers where all are or are whole floats, as "3.0", else texts."""
    cells = [row[place].strip() for row in csv.reader(lines, delimiter=delimiter, strict=True)]
    try:
        return np.array([int(WHOLE.sub("", cell)) for cell in cells], np.int64)
    except (ValueError, OverflowError):
        return np.array(cells, str)
