"""Files of tables: a reader for each format, and what is the same for all once it has read."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from hardpairs.arrays import are_whole
from hardpairs.predictions.arrow_files import IPC, PARQUET, read_arrow
from hardpairs.predictions.columns import Sheet
from hardpairs.predictions.delimited import read_delimited
from hardpairs.predictions.faults import told_by_line
from hardpairs.predictions.first_line import check_unnamed, unnamed_numbers, without_index
from hardpairs.predictions.found import Found, Hints
from hardpairs.predictions.json_files import read_json_file, read_json_lines
from hardpairs.predictions.table import find_columns
from hardpairs.reading import ending_of

SHEETS: dict[str, Callable[[Path], Sheet | Found]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".txt": read_delimited,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json_file,
    **dict.fromkeys((*PARQUET, *IPC), read_arrow),
}


def read_sheet(path: Path, hints: Hints) -> Found:
    """Read predictions from a file of a table, by its ending; without one it is Parquet.

    Raises:
        InputError: It isn't a table, or its columns aren't predictions.
    """
    sheet = SHEETS.get(ending_of(path)[0], read_arrow)(path)
    if isinstance(sheet, Found):
        return sheet
    has_names = not sheet.lines or (sheet.is_named and (hints.label_column or hints.id_column))
    numbers = None if has_names else unnamed_numbers(sheet)
    if numbers is not None:
        found, other = _of_matrix(numbers[0]), numbers[1]
        return found if other is None else replace(found, unnamed=_of_matrix(other))
    with told_by_line(sheet.lines):
        found = find_columns(sheet.columns, hints)
    return found if found.class_names is not None else replace(found, class_names=sheet.class_names)


def _of_matrix(matrix: np.ndarray) -> Found:
    """Scores (N, K) without a header; or in one column the predicted classes.

    Raises:
        InputError: Its columns look like labels and predictions.
    """
    if (scores := without_index(matrix)) is not None:
        note = "The first column, another whole number in each line, is an index and isn't used."
        return Found(scores=scores, notes=(note,))
    if are_whole(matrix) and matrix.shape[1] == 1:
        return Found(predicted=matrix[:, 0])
    check_unnamed(matrix)
    return Found(scores=matrix)
