"""Predictions from delimited text: .csv, .tsv, .txt, as programs and spreadsheets write them."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hardpairs.errors import InputError
from hardpairs.labels import listed, numbered
from hardpairs.predictions.cells import has_decimal_commas, is_number, to_column, to_number
from hardpairs.predictions.columns import (
    IDS,
    IMAGE_NAME,
    LABEL,
    PREDICTED,
    TRUE_LABEL,
    Sheet,
    Table,
    plain,
)
from hardpairs.predictions.faults import check_cells, check_first_row, told_by_line
from hardpairs.reading import guarded, read_text

DELIMITERS, BLANK = ",;\t|", " "
MOST_LEVELS = 4
SNIFFED_LINES, SNIFFED_CHARACTERS = 20, 200_000


def read_delimited(path: Path) -> Sheet:
    """Read a table with a header, or a bare matrix of scores or column of classes.

    Raises:
        InputError: It isn't a table (see the message).
    """
    text = read_text(path)
    with guarded(path, "delimited text"):
        return _parse_table(text)


def _parse_table(text: str) -> Sheet:
    """Parse delimited text.

    Raises:
        InputError: A line has more or fewer cells than the header, or a matrix no number.
        csv.Error: Quotes don't match.
    """
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if text.startswith("sep=") and "\n" in text:  # Spreadsheets name the delimiter so.
        text = "\n" + text.partition("\n")[2]
    text = _without_comments(text)
    delimiter = _sniff(text)
    lines, rows = _rows(text, delimiter)
    if not rows:
        raise InputError("is empty; give a header and a line for every image.")
    comma = delimiter != ","
    if _is_matrix(rows[0], comma):
        names = numbered(len(rows[0]))
        columns = _columns(names, rows, comma)
        with told_by_line(lines):
            for name in names:
                check_cells(columns[name], name)
        return Sheet(columns, lines=lines, is_named=False)
    rows, lines = _one_header(rows, lines)
    header = [name.strip() for name in rows[0]]
    if _lacks_header(header, rows[1:]):
        header, rows, lines = _usual_header(rows), [header, *rows], [0, *lines]
    while len(header) > 1 and not header[-1] and not any(row[-1].strip() for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    repeated = sorted(name for name, count in Counter(header).items() if count > 1)
    if repeated and all(map(is_number, header)):
        raise InputError(_no_names(header))
    if repeated:
        raise InputError(
            f"has the column {repeated[0][:40]!r} more than once in its first line; give each a "
            "name of its own (class names must be all different)."
        )
    check_first_row(rows[1:], lines[1] if len(lines) > 1 else 0)
    return Sheet(_columns(header, rows[1:], comma), lines=lines[1:])


def _without_comments(text: str) -> str:
    """Blank the first lines that begin with "#", so that the others keep their numbers.

    The last of them is the header where it has as many cells as the line below, as numpy.savetxt
    writes its ``header``.
    """
    head = text[:SNIFFED_CHARACTERS].split("\n")
    first = next((n for n, line in enumerate(head) if line.strip() and line[0] != "#"), 0)
    if not first:
        return text
    last = max((n for n in range(first) if head[n].strip()), default=0)
    below = "\n".join([head[last].lstrip("#").strip(), head[first]])
    header, _, row = below.partition("\n")
    delimiter = _sniff(below)
    cells = [next(csv.reader([line], delimiter=delimiter), []) for line in (header, row)]
    blank = [""] * first
    if len(cells[0]) == len(cells[1]) > 1 and not _is_matrix(cells[0], delimiter != ","):
        if any(IMAGE_NAME.search(cell.strip()) for cell in cells[0]):  # Files may be named so.
            return text
        blank[last] = header
    return "\n".join([*blank, text.split("\n", first)[first]])


def _sniff(text: str) -> str:
    """The delimiter that cuts the first lines into the most cells, as many in each.

    Where there is none of the usual ones it is a blank, if that makes a table of the lines.
    """
    lines = [line for line in text[:SNIFFED_CHARACTERS].split("\n") if line.strip()]
    head = [line.strip(" \r") for line in lines[:SNIFFED_LINES]]
    is_short = len(lines) > SNIFFED_LINES or len(text) > SNIFFED_CHARACTERS
    best, most = ",", 1
    for delimiter in DELIMITERS:
        rows = _cut(head, delimiter)
        widths = {len(row) for row in (rows[:-1] if is_short and len(rows) > 1 else rows)}
        if len(widths) == 1 and max(widths) > most:
            best, most = delimiter, max(widths)
    if most > 1 or not head:
        return best
    if any(delimiter in head[0] for delimiter in DELIMITERS):
        return max(DELIMITERS, key=head[0].count)
    whole = head[:-1] if is_short and len(head) > 1 else head
    return BLANK if _is_cut_by_blanks(whole) else ","


def _cut(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return []


def _is_cut_by_blanks(head: list[str]) -> bool:
    """Whether blanks part cells and not words, as those of a column of names do.

    Cells are as many in each line, some column holds numbers alone, and the first column numbers or
    another text in every line.
    """
    rows = _cut(head, BLANK)
    below = rows[1:] or rows
    widths = {len(row) for row in below}
    if len(widths) != 1 or max(widths) < 2 or len(rows[0]) not in (max(widths), max(widths) - 1):
        return False
    columns = list(zip(*below, strict=True))
    are_numbers = [all(map(is_number, column)) for column in columns]
    return any(are_numbers) and (are_numbers[0] or len(set(columns[0])) == len(below))


def _rows(text: str, delimiter: str) -> tuple[list[int], list[list[str]]]:
    """The lines that aren't blank, each with its number, all as long as the first.

    R's write.table names no column for the names of the rows, which come first: it gets the name
    "". Where the delimiter is a comma the names have to be quoted, as R has them, or else decimal
    commas could be taken for it.
    """
    lines: list[int] = []
    rows: list[list[str]] = []
    if delimiter == BLANK:  # One at the end would be another cell.
        text = "\n".join(line.strip() for line in text.split("\n"))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    for row in reader:
        if any(cell.strip() for cell in row):
            lines.append(reader.line_num)
            rows.append(row)
    if not rows:
        return lines, rows
    width = len(rows[0])
    rows = [row if any(map(str.strip, row[width:])) else row[:width] for row in rows]
    first = [row[0] for row in rows[1:]]
    is_longer = {len(row) for row in rows[1:]} == {width + 1}
    if is_longer and len(set(first)) == len(first) and (
        delimiter != "," or text.split("\n")[lines[1] - 1].lstrip().startswith('"')
    ):  # fmt: skip
        if first == [str(number) for number in range(1, len(rows))]:  # They count the rows.
            return lines, [rows[0], *(row[1:] for row in rows[1:])]
        return lines, [["", *rows[0]], *rows[1:]]
    for line, row in zip(lines, rows, strict=True):
        if len(row) != width:
            raise InputError(
                f"line {line} has {len(row)} cells, the first line has {width}; mend it."
            )
    return lines, rows


def _is_matrix(row: list[str], comma: bool) -> bool:
    """Whether the first line is numbers already, and not a header of the numbers 0, 1, 2, ..."""
    try:
        comma = comma or has_decimal_commas(row)
        numbers = [to_number(cell, decimal_comma=comma) for cell in row]
    except ValueError:
        return False
    counts = [float(index) for index in range(len(numbers))]
    return numbers != counts and not any(np.isnan(numbers))


def _one_header(rows: list[list[str]], lines: list[int]) -> tuple[list[list[str]], list[int]]:
    """The lines with one header in the place of several, as pandas writes columns in levels.

    A column is named by the lowest of its names, where that tells them apart.
    """
    if len(set(rows[0])) == len(rows[0]):
        return rows, lines
    most = min(MOST_LEVELS + 1, len(rows))
    count = next((n for n in range(1, most) if any(map(_is_value, rows[n]))), 1)
    columns = [[name.strip() for name in column] for column in zip(*rows[:count], strict=True)]
    if count > 1 and not any(columns[0][-1:]):  # The names of the levels, over the index.
        columns[0] = [""]
    lowest = [next((name for name in reversed(column) if name), "") for column in columns]
    if len(set(lowest)) < len(lowest):
        lowest = ["_".join(filter(None, column)) for column in columns]
    return [lowest, *rows[count:]], [lines[0], *lines[count:]]


def _is_value(cell: str) -> bool:
    return bool(cell.strip()) and is_number(cell)


def _lacks_header(first: list[str], below: list[list[str]]) -> bool:
    """Whether the first line is an image's: one of its texts is a file name, or occurs below."""
    if {plain(cell) for cell in first} & {*IDS, *TRUE_LABEL, *LABEL, *PREDICTED}:
        return False
    texts = [
        (index, cell)
        for index, cell in enumerate(first)
        if below and not is_number(cell) and not is_number(below[0][index])
    ]
    return any(
        any(row[index].strip() == cell for row in below)
        or bool(IMAGE_NAME.search(cell) and IMAGE_NAME.search(below[0][index].strip()))
        for index, cell in texts
    )


def _usual_header(rows: list[list[str]]) -> list[str]:
    """Names for the columns of a table without any: a label, or an id and a label.

    Raises:
        InputError: There are more columns, or none is the id.
    """
    if len(rows[0]) == 1:
        return ["label"]
    distinct = [len({row[index] for row in rows}) == len(rows) for index in range(len(rows[0]))]
    if len(rows[0]) == 2 and distinct.count(True) == 1:
        return ["id", "label"] if distinct[0] else ["label", "id"]
    raise InputError(_no_names(rows[0]))


def _no_names(first: list[str]) -> str:
    return (
        f"has no names of columns: its first line holds {listed(first, 3)}; give it a first line "
        "of names."
    )


def _columns(names: Sequence[str], rows: list[list[str]], comma: bool) -> Table:
    table: Table = {}
    for index, name in enumerate(names):
        cells = [row[index].strip() for row in rows]
        decimal = comma or has_decimal_commas(cells)
        table[name] = to_column(cells, decimal_comma=decimal)
    return table
