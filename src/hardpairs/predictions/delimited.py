"""Predictions from delimited text: .csv, .tsv, .txt, as programs and spreadsheets write them."""

import csv
import io
from pathlib import Path

import numpy as np

from hardpairs.errors import InputError
from hardpairs.predictions.cells import to_column, to_number
from hardpairs.predictions.columns import Table
from hardpairs.predictions.found import Found, Hints
from hardpairs.predictions.table import find_columns
from hardpairs.reading import guarded, read_text

DELIMITERS = ",;\t|"
SNIFFED_LINES = 20


def read_delimited(path: Path, hints: Hints) -> Found:
    """Read a table with a header, or a bare matrix of scores.

    Raises:
        InputError: It isn't a table, or its columns aren't predictions.
    """
    table = read_delimited_table(path)
    if list(table) == [MATRIX]:
        return Found(scores=table[MATRIX])
    return find_columns(table, hints)


MATRIX = "\0matrix"  # The name of a table without a header; no header can hold it.


def read_delimited_table(path: Path) -> Table:
    """Read delimited text as columns; numbers without a header are one column `MATRIX`.

    Raises:
        InputError: It isn't a table (see the message).
    """
    text = read_text(path)
    with guarded(path, "delimited text"):
        return parse_table(text)


def parse_table(text: str) -> Table:
    """Parse delimited text; see `read_delimited_table`.

    Raises:
        InputError: A line has more or fewer cells than the header, or a number is bad.
        csv.Error: Quotes don't match.
    """
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if text.startswith("sep=") and "\n" in text:  # Spreadsheets name the delimiter so.
        text = text.partition("\n")[2]
    delimiter = _sniff(text)
    lines, rows = _rows(text, delimiter)
    if not rows:
        raise InputError("is empty; give a header and a line for every image.")
    comma = delimiter != ","
    if _is_matrix(rows[0], comma):
        names = [str(index) for index in range(len(rows[0]))]
        columns = _columns(names, rows, lines, comma)
        return {MATRIX: np.stack([columns[name] for name in names], axis=1)}
    header = [name.strip() for name in rows[0]]
    while len(header) > 1 and not header[-1] and not any(row[-1].strip() for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    repeated = {name for name in header if header.count(name) > 1} if len(header) < 5000 else set()
    if repeated or len(set(header)) < len(header):
        raise InputError(
            f"has the column {sorted(repeated or {'?'})[0][:40]!r} more than once in its first "
            "line; give each a name of its own (class names must be all different)."
        )
    return _columns(header, rows[1:], lines[1:], comma)


def _sniff(text: str) -> str:
    """The delimiter that cuts the first lines into the most cells, as many in each."""
    head = text[:200_000].split("\n")[:SNIFFED_LINES]
    best, most = ",", 1
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(head, delimiter=delimiter) if row]
        except csv.Error:
            continue
        widths = {len(row) for row in rows[:-1] or rows}
        if rows and len(rows[0]) > most and len(widths) == 1:
            best, most = delimiter, len(rows[0])
    if most == 1:
        return max(DELIMITERS, key=head[0].count) if any(d in head[0] for d in DELIMITERS) else ","
    return best


def _rows(text: str, delimiter: str) -> tuple[list[int], list[list[str]]]:
    """The lines that aren't blank, each with its number, all as long as the first."""
    lines: list[int] = []
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if rows and len(row) > len(rows[0]) and not any(map(str.strip, row[len(rows[0]) :])):
            row = row[: len(rows[0])]  # noqa: PLW2901
        if rows and len(row) != len(rows[0]):
            raise InputError(
                f"line {reader.line_num} has {len(row)} cells, the first line has {len(rows[0])}; "
                "mend it."
            )
        lines.append(reader.line_num)
        rows.append(row)
    return lines, rows


def _is_matrix(row: list[str], comma: bool) -> bool:
    """Whether the first line is numbers already, and not a header of the numbers 0, 1, 2, ..."""
    try:
        numbers = [to_number(cell, decimal_comma=comma) for cell in row]
    except ValueError:
        return False
    counts = [float(index) for index in range(len(numbers))]
    return numbers != counts and not any(np.isnan(numbers))


def _columns(names: list[str], rows: list[list[str]], lines: list[int], comma: bool) -> Table:
    return {
        name: to_column([row[index] for row in rows], name, lines, decimal_comma=comma)
        for index, name in enumerate(names)
    }
