"""What keeps a column from being numbers or lists throughout; told of needed columns only."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from hardpairs.errors import InputError
from hardpairs.labels import listed
from hardpairs.predictions.cells import SAMPLE, are_numbers, is_list, is_number, read_list
from hardpairs.predictions.columns import IMAGE_NAME

FEWEST_ROWS = 10  # Of fewer, one that is like no other says nothing.


class BadCell(InputError):
    """A cell of another kind than the rest of its column.

    Attributes:
        row: Which, from 0.
        said: What is wrong with it, without where it stands.
    """

    def __init__(self, row: int, images: int, said: str) -> None:
        super().__init__(f"image {row + 1:,} of {images:,} {said}")
        self.row, self.said = row, said


@contextmanager
def told_by_line(lines: Sequence[int]) -> Iterator[None]:
    """Name a bad cell by its line in the file: ``lines`` are those of the rows, if it has any."""
    try:
        yield
    except BadCell as bad:
        if not lines:
            raise
        raise InputError(f"line {lines[bad.row]} {bad.said}") from bad


def check_cells(values: np.ndarray, name: str, classes: Collection[str] | None = None) -> None:
    """Check a column that is needed: are its cells all numbers, all lists, or neither?

    Args:
        values: (N,) or (N, k).
        name: The column's.
        classes: Of a column of classes those that are known, None for scores. A text among
            numbers is a class as well if it is one of them or stands there more than once.

    Raises:
        BadCell: Most of the first cells are numbers, or lists, and another isn't, or a list is
            of another length than the first.
    """
    if values.ndim != 1 or values.dtype.kind not in "OUS":
        return
    cells = [_cell(value) for value in values.tolist()]
    row, should_be = None, "where a number should be; mend it"
    lists = sum(isinstance(cell, list) or is_list(cell) for cell in cells[:SAMPLE])
    if lists > len(cells[:SAMPLE]) / 2:
        row = _uneven(cells)
        should_be = "where a list as long as the others should be; write every list in full"
    elif are_numbers([str(cell) for cell in cells[:SAMPLE]], decimal_comma=True):
        bad = [n for n, cell in enumerate(cells) if not is_number(str(cell), decimal_comma=True)]
        if classes is not None:
            counts = Counter(str(cells[each]).strip() for each in bad)
            odd = {text for text, count in counts.items() if count == 1} - set(classes)
            bad = [each for each in bad if str(cells[each]).strip() in odd]
        row = bad[0] if bad else None
    if row is not None:
        said = f"has {str(cells[row])[:40]!r} in the column {name[:40]!r}, {should_be}."
        raise BadCell(row, len(cells), said)


def _cell(value: Any) -> str | list:
    if isinstance(value, list | tuple | np.ndarray):
        return list(value)
    return "" if value is None else str(value)


def _uneven(cells: list[str | list]) -> int | None:
    """The first row without a list, or with one of another length than most of the first."""
    rows = [cell if isinstance(cell, list) else read_list(cell) for cell in cells]
    if any(isinstance(each, dict) for row in rows if row for each in row):
        return None  # As many as there are, of classes and scores.
    lengths = [None if row is None else len(row) for row in rows]
    usual = max(set(lengths[:SAMPLE]) - {None}, key=lengths[:SAMPLE].count, default=None)
    return next(
        (row for row, length in enumerate(lengths) if length is None or length != usual), None
    )


def check_first_row(rows: Sequence[Sequence[str]], line: int) -> None:
    """Refuse a first row that says what the columns hold, as "(class)", and is no image's.

    It has no number and no picture's name. Each of its texts stands in no other row, not even with
    other digits, and in some column everything else stands in several.

    Args:
        rows: The N rows of cells below the header.
        line: The first one's in the file.
    """
    first = [cell.strip() for cell in rows[0]] if len(rows) > FEWEST_ROWS else []
    told = [place for place, cell in enumerate(first) if cell]
    texts = [first[place] for place in told]
    if len(told) < 2 or any(is_number(cell) or IMAGE_NAME.search(cell) for cell in texts):
        return
    others = [Counter(_without_numbers(row[place]) for row in rows[1:]) for place in told]
    is_like_none = all(
        _without_numbers(cell) not in counts for cell, counts in zip(texts, others, strict=True)
    )
    if is_like_none and any(min(counts.values()) > 1 for counts in others):
        raise InputError(
            f"line {line} ({listed(texts, 3)}) seems to say what the columns hold: no other line "
            "has one of its texts; take it out, or put it further down if it is an image's."
        )


def _without_numbers(cell: str) -> str:
    """A cell with all numbers alike: "img_17" is as "img_18"."""
    return re.sub(r"\d+", "0", cell.strip())
