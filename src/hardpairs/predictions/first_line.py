"""Tables whose first line may be names or an image's: "0" or "0,1" count columns, and are values.

pandas names columns so that have no names, and numpy.savetxt writes no names at all. How many
images there are tells, where it can.
"""

import numpy as np

from hardpairs.arrays import are_whole
from hardpairs.errors import InputError
from hardpairs.labels import are_numbers
from hardpairs.predictions.columns import Sheet
from hardpairs.predictions.found import Found, Truth

FEWEST_ROWS = 10  # Of scores, fewer may all be whole by chance.
UNNAMED = (
    "has two columns of whole numbers without names; give it a first line of names, as "
    "'label,prediction' or 'id,label'."
)


def unnamed_numbers(sheet: Sheet) -> tuple[np.ndarray, np.ndarray | None] | None:
    """The numbers (N, K) of a sheet without names, or with "0" and "1" for names; else None.

    The second are the same (N + 1, K) with the first line as an image's, where that can be one.
    """
    if not sheet.is_named:
        return sheet.matrix(), None
    columns = sheet.columns.values()
    if len(columns) > 2 or not are_numbers(list(sheet.columns)):
        return None
    if any(values.ndim != 1 or values.dtype.kind != "f" for values in columns):
        return None
    matrix = sheet.matrix()
    if len(columns) == 1 and not are_whole(matrix):
        return matrix, None
    return matrix, np.concatenate([np.arange(len(columns), dtype=float)[None], matrix])


def check_unnamed(matrix: np.ndarray) -> None:
    """Raise InputError for two columns of classes without names, or one at a side of scores."""
    if matrix.shape[1] == 2 and are_whole(matrix) and matrix.max() > 1:
        raise InputError(UNNAMED)
    if len(matrix) < FEWEST_ROWS or are_whole(matrix) or _are_percentages(matrix):
        return
    for column in {1, matrix.shape[1]}:
        values = matrix[:, column - 1]
        if are_whole(values) and values.max() - values.min() >= 2:
            raise InputError(
                f"has whole numbers alone in column {column} of {matrix.shape[1]}, beside scores "
                "and without a name, as labels are; give it a first line of names."
            )


def without_index(matrix: np.ndarray) -> np.ndarray | None:
    """Scores (N, K) without their index, a first column that is another whole number in each row.

    None where there is no such column.
    """
    first, rest = matrix[:, 0], matrix[:, 1:]
    is_index = len(first) > 2 and are_whole(first) and len(np.unique(first)) == len(first)
    return rest if is_index and rest.size and not are_whole(rest) else None


def settle_first_lines(found: Found, truth: Truth, notes: list[str]) -> tuple[Found, Truth]:
    """Take the first lines for images where that makes as many labels as predictions."""
    images, labels = found.count, len(truth.labels)
    if truth.unnamed is not None and labels + 1 == images:
        return found, truth.unnamed
    if found.unnamed is not None and images + 1 == labels:
        return found.unnamed, truth
    if found.unnamed is not None and truth.unnamed is not None and images == labels:
        notes.append(
            "The first line of both files, '0', is taken for a name of the column; if it is an "
            "image's class, put a line of names before it."
        )
    return found, truth


def _are_percentages(matrix: np.ndarray) -> bool:
    """Whether each row sums to 100."""
    return bool((np.abs(matrix.sum(axis=1) - 100) < 1).all())
