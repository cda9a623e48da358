"""Cells of text as numbers or lists: decimal commas, percent signs, lists as Python prints them."""

import json
import re
from collections.abc import Sequence

import numpy as np

from hardpairs.arrays import stack_lists, to_objects

LARGEST = 1e300
SAMPLE = 50  # Rows that tell whether a column holds numbers.
PRINTED_ARRAY = re.compile(
    r"^\s*(?:tensor|array|np\.array)\s*\((?P<inner>\[.*\]).*\)\s*$", re.DOTALL
)
NUMPY_SCALAR = re.compile(r"np\.\w+\(([^()]*)\)")
# A comma that parts no thousands, as that of "1,234" may.
DECIMAL_COMMA = re.compile(r"\s*[-+]?(?:0*,\d+|\d+,(?!\d{3}\b)\d+)(?:[eE][-+]?\d+)?\s*%?\s*")
SINGLE_QUOTED = re.compile(r"(?<=[{,\s])'([^'\\]*)'(?=\s*:)")
QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")


def to_number(cell: str, *, decimal_comma: bool = False) -> float:
    """Read one number; blank is NaN.

    Raises:
        ValueError: It is none. Python's own underscores between digits are none in a file.
    """
    cell = cell.strip()
    if not cell:
        return float("nan")
    if "_" in cell:
        raise ValueError(cell)
    cell = cell.removesuffix("%").rstrip()
    if decimal_comma and "." not in cell:
        cell = cell.replace(",", ".")
    return float(cell)


def to_column(cells: list[str], *, decimal_comma: bool) -> np.ndarray:
    """Make a column of numbers (N,), of lists (N, k), of dicts of numbers, or else of texts (N,).

    Args:
        cells: N texts.
        decimal_comma: Whether "0,5" is a number.

    Most cells may be numbers, or lists, and one isn't: that is no fault of a column that isn't
    needed, see `check_cells`.
    """
    made = None
    if are_numbers(cells[:SAMPLE], decimal_comma=decimal_comma):
        made = _numbers(cells, decimal_comma)
    elif cells and all(is_list(cell) for cell in cells[:SAMPLE]):
        made = _lists(cells)
    elif cells and all(_is_dict(cell) for cell in cells[:SAMPLE]):
        made = _dicts(cells)
    return to_objects(cells) if made is None else made


def are_numbers(cells: list[str], *, decimal_comma: bool = False) -> bool:
    """Whether most of the cells that aren't blank are numbers, and none is a code."""
    known = [cell for cell in cells if cell.strip()]
    numbers = sum(is_number(cell, decimal_comma=decimal_comma) for cell in known)
    return numbers > len(known) / 2 and not any(_is_code(cell.strip()) for cell in known)


def _is_code(cell: str) -> bool:
    """Digits that a number would not keep: "007", or more than a float holds."""
    return cell.isdigit() and (len(cell) > 15 or (len(cell) > 1 and cell[0] == "0"))


def is_number(cell: str, *, decimal_comma: bool = False) -> bool:
    """Whether a cell is a number, or blank."""
    try:
        to_number(cell, decimal_comma=decimal_comma)
    except ValueError:
        return False
    return True


def has_decimal_commas(cells: Sequence[str]) -> bool:
    """Whether the first cells show commas that can only be decimal ones."""
    return any("," in cell and DECIMAL_COMMA.fullmatch(cell) for cell in cells[:SAMPLE])


def _numbers(cells: list[str], decimal_comma: bool) -> np.ndarray | None:
    column = np.empty(len(cells))
    try:
        for row, cell in enumerate(cells):
            column[row] = to_number(cell, decimal_comma=decimal_comma)
    except ValueError:
        return None
    return column


def is_list(cell: str) -> bool:
    """Whether a cell begins and ends as a list."""
    cell = cell.strip()
    return (cell.startswith("[") and cell.endswith("]")) or PRINTED_ARRAY.match(cell) is not None


def _lists(cells: list[str]) -> np.ndarray | None:
    rows = [read_list(cell) for cell in cells]
    made = None if None in rows else stack_lists(rows)
    return None if made is None or made.ndim == 1 else made


def _is_dict(cell: str) -> bool:
    """Whether a cell begins and ends as a dict."""
    cell = cell.strip()
    return cell.startswith("{") and cell.endswith("}")


def _dicts(cells: list[str]) -> np.ndarray | None:
    made = [_read_dict(cell) for cell in cells]
    return None if None in made else to_objects(made)


def _read_dict(cell: str) -> dict[str, float] | None:
    """Read numbers by name as JSON or Python print them; None where it is something else."""
    inner = NUMPY_SCALAR.sub(r"\1", cell.strip())
    # Python's names in single quotes are JSON's in double ones.
    for text in (inner, SINGLE_QUOTED.sub(lambda match: json.dumps(match[1]), inner)):
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(values, dict):
            return None
        numbers = [each for each in values.values() if type(each) in (int, float)]
        if len(numbers) < len(values) or any(abs(each) > LARGEST for each in numbers):
            return None
        return {name: float(each) for name, each in values.items()}
    return None


def read_list(cell: str) -> list[float | str] | None:
    """Read a list as JSON, Python, NumPy or PyTorch print it; None where it is cut short."""
    wrapped = PRINTED_ARRAY.match(cell)
    inner = NUMPY_SCALAR.sub(r"\1", wrapped["inner"] if wrapped else cell.strip())
    try:
        values = json.loads(inner)
    except (ValueError, RecursionError):
        values = _printed(inner[1:-1])
    if not isinstance(values, list) or not all(
        isinstance(value, str | int | float) and not isinstance(value, bool) for value in values
    ):
        return None
    try:
        return [value if isinstance(value, str) else float(value) for value in values]
    except OverflowError:
        return None


def _printed(inner: str) -> list[float | str] | None:
    if QUOTED.search(inner):
        if QUOTED.sub("", inner).strip(" ,\n\r\t"):
            return None
        return [single or double for single, double in QUOTED.findall(inner)]
    try:
        return [to_number(part) for part in inner.replace(",", " ").split()]
    except ValueError:
        return None
