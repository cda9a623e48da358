"""Predictions from JSON: lines of records, lists, columns, and the files that tools write."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.errors import InputError
from hardpairs.predictions.columns import LABEL, PREDICTED, TRUE_LABEL, Sheet, Table, plain
from hardpairs.predictions.found import Found, Hints
from hardpairs.predictions.frames import records_table, to_column
from hardpairs.predictions.instead import check_metrics
from hardpairs.predictions.numpy_files import TEXTS, find_arrays
from hardpairs.predictions.top import split_pairs
from hardpairs.reading import guarded, parse_json, read_text, understood

# What can't be a column: "names" and "classes" may hold one for each image.
CLASS_NAMES = ("class_names", "label_names", "target_names", "classes_")


def read_json_lines(path: Path) -> Sheet:
    """Read one JSON object a line, as .jsonl or .ndjson: the fields are columns.

    Raises:
        InputError: A line isn't an object.
    """
    text = read_text(path)
    records = []
    with guarded(path, "JSON lines"):
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                records.append(parse_json(line))
            except (ValueError, RecursionError) as error:
                raise InputError(f"line {number} isn't JSON; give one object a line.") from error
    with understood(path, "records"):
        return Sheet(records_table(records))


def read_json_file(path: Path) -> Sheet | Found:
    """Read a JSON file: records, columns, pandas' orientations, or FiftyOne's labels.json.

    Of the last, and of lists named as the arrays of an .npz, it is known what they hold.

    Raises:
        InputError: It isn't JSON, or none of these.
    """
    text = read_text(path)
    with guarded(path, "JSON"):
        try:
            content = parse_json(text)
        except ValueError:
            if text.lstrip().startswith("{") and "\n" in text.strip():
                return read_json_lines(path)  # Under the wrong ending.
            raise
    with understood(path, "values"):
        check_metrics(content)
        names = None
        if isinstance(content, dict):
            name = next((name for name in CLASS_NAMES if name in content), None)
            names = content.pop(name) if name and isinstance(content[name], list | dict) else None
        table = _json_table(content)
        if not isinstance(table, Found):
            return Sheet(table, names)
        return table if table.class_names is not None else replace(table, class_names=names)


def _json_table(content: Any) -> Table | Found:
    """Columns of parsed JSON, whichever way round it is written; of bare rows the scores.

    Raises:
        InputError: It is none of the known forms.
    """
    if isinstance(content, list):
        return _list_table(content)
    if not isinstance(content, dict) or not content:
        raise InputError("holds no records; give a list of objects, one for every image.")
    if isinstance(content.get("labels"), dict) and "classes" in content:
        return _fiftyone(content["labels"], content["classes"])
    if isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
        return _split_table(content)
    if isinstance(content.get("schema"), dict) and isinstance(content.get("data"), list):
        return records_table(content["data"])  # pandas' orient="table".
    if any(isinstance(value, list) for value in content.values()):
        return _named_lists(content)
    return _keyed_table(content)


def _named_lists(content: dict[str, Any]) -> Table | Found:
    """A list for each column; or the records alone; or lists named as the arrays of an .npz."""
    lists = {str(name): value for name, value in content.items() if isinstance(value, list)}
    records = [name for name, value in lists.items() if _are_records(value)]
    if records and all(
        len(lists[name]) != len(lists[records[0]]) for name in lists if name not in records[:1]
    ):
        return records_table(lists[records[0]])
    arrays = {name: to_column(value) for name, value in lists.items()}
    if len(set(map(len, lists.values()))) == 1 and "format_version" not in content:
        return arrays
    for name in (*TEXTS, "format_version", "top_k"):
        if name in content:
            value = content[name]
            arrays[name] = np.array(json.dumps(value) if isinstance(value, dict) else value)
    found = find_arrays(arrays, Hints(has_truth=True))
    if found is None:
        shown = ", ".join(f"{name[:40]!r} of {len(each):,}" for name, each in lists.items())
        raise InputError(
            f"holds lists of different lengths ({shown}) and none named as 'probabilities' or "
            "'predicted'; give one of each for every image, or a list of objects."
        )
    return found


def _are_records(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values)


def _list_table(content: list[Any]) -> Table | Found:
    """Records; or lists of scores, one for every image; or one class for every image."""
    if content and all(isinstance(each, list) for each in content):
        scores = to_column(content)
        if (pairs := split_pairs(scores)) is not None:  # What a pipeline returns for a list.
            return pairs
        if scores.dtype.kind not in "biuf":
            raise InputError(
                "holds rows of texts and numbers without names; give objects with named fields, as "
                "pandas' orient='records' writes them."
            )
        return Found(scores=scores)
    if content and all(isinstance(each, str | int | float) for each in content):
        return {"label": to_column(content)}
    return records_table(content)


def _fiftyone(labels: dict[str, Any], classes: Any) -> Found:
    """FiftyOne's labels.json: one class per image, as an index or a name, with its confidence."""
    values = list(labels.values())
    scores = None
    if values and all(isinstance(value, dict) for value in values):
        confidences = [value.get("confidence") for value in values]
        values = [value.get("label") for value in values]
        if all(isinstance(each, int | float) for each in confidences):
            scores = np.array(confidences, np.float64)
    if not all(isinstance(value, str | int) for value in values):
        raise InputError("has images without one label, or with several; export one for each.")
    predicted = to_column(values)
    return Found(predicted=predicted, top_scores=scores, class_names=classes, ids=list(labels))


def _split_table(content: dict[str, Any]) -> Table:
    """pandas' orient="split": names and rows apart."""
    names, rows = [str(name) for name in content["columns"]], content["data"]
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        raise InputError("has rows of another length than 'columns'; write it again.")
    return {name: to_column([row[i] for row in rows]) for i, name in enumerate(names)}


def _keyed_table(content: dict[str, Any]) -> Table:
    """By id, as pandas' orient="index" writes, or by column, as it does by default."""
    if all(isinstance(value, dict) for value in content.values()):
        first = next(iter(content.values()))
        if first and all(value.keys() == first.keys() for value in content.values()):
            counts = list(first) == [str(index) for index in range(len(first))]
            # Of file names and names of columns the latter have the usual ones among them.
            usual = {*TRUE_LABEL, *LABEL, *PREDICTED}
            outer, inner = (
                any(plain(str(name)) in usual for name in keys) for keys in (content, first)
            )
            if (counts and len(first) != len(content)) or (outer and not inner):
                ids = {} if counts else {"": to_column(list(first))}
                return ids | {
                    str(name): to_column(list(value.values())) for name, value in content.items()
                }
        return {"id": to_column(list(content)), **records_table(list(content.values()))}
    # An id and its class, or its scores.
    return {"id": to_column(list(content)), "label": to_column(list(content.values()))}
