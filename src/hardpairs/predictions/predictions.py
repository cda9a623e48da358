"""Predictions: the one file between training, by any framework, and everything after it.

The format is specified in docs/predictions.md.
"""

import csv
import io
import json
import tokenize
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.errors import InputError
from hardpairs.files import whole_file

FORMAT_VERSION = 1
SUM_TOLERANCE = 1e-3  # Rows written in half precision miss 1 by a few 1e-4.
DEFLATE_MAX_RATIO = 1032  # zlib's technical notes: no stream unpacks to more than this.


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of N images with K classes, checked when made.

    Attributes:
        labels: int64 (N,), the given labels, indices into ``class_names``.
        probabilities: float32 (N, K), each row sums to 1.
        class_names: K names.
        ids: int64 (N,), each image's index in its split; left empty it becomes 0..N-1.
        split: "train", "test", or "" where unknown.
        fingerprint: `Split.fingerprint` of the images, or "" where unknown.
        metadata: Whatever else is known (recipe, seed, versions, seconds), JSON-compatible.

    Raises:
        InputError: The arrays don't fit together or aren't probabilities (see the message).
    """

    labels: np.ndarray
    probabilities: np.ndarray
    class_names: tuple[str, ...]
    ids: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    split: str = ""
    fingerprint: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels, probabilities = np.asarray(self.labels), np.asarray(self.probabilities)
        ids = np.asarray(self.ids)
        if ids.size == 0:
            ids = np.arange(labels.size)
        _check(labels, probabilities, self.class_names, ids)
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "probabilities", probabilities.astype(np.float32))
        object.__setattr__(self, "class_names", tuple(str(name) for name in self.class_names))
        object.__setattr__(self, "ids", ids.astype(np.int64))

    @cached_property
    def predicted(self) -> np.ndarray:
        """int64 (N,): the most probable class, the first of equals."""
        return self.probabilities.argmax(axis=1)


def save_predictions(predictions: Predictions, path: Path) -> None:
    """Write an .npz without pickle; whole or not at all."""
    with whole_file(path) as partial:
        np.savez_compressed(
            partial,
            format_version=np.int64(FORMAT_VERSION),
            labels=predictions.labels,
            probabilities=predictions.probabilities,
            class_names=np.array(predictions.class_names),
            ids=predictions.ids,
            split=np.array(predictions.split),
            fingerprint=np.array(predictions.fingerprint),
            metadata=np.array(json.dumps(predictions.metadata)),
        )


def load_predictions(path: Path) -> Predictions:
    """Read a predictions file: .npz, or .csv as written by hand or by another framework.

    Nothing in the file is executed: pickled objects are refused.

    Raises:
        InputError: Missing, damaged, of another format, or not valid predictions.
    """
    try:
        fields = _read_csv(path) if path.suffix == ".csv" else _read_npz(path)
        return Predictions(**fields)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}); check the path.") from error


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path.stat().st_size)
            arrays = {
                name: np.lib.format.read_array(
                    io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False
                )
                for name in (
                    *("format_version", "labels", "probabilities", "class_names", "ids"),
                    *("split", "fingerprint", "metadata"),
                )
                if f"{name}.npy" in archive.namelist()
            }
        missing = {"labels", "probabilities", "class_names"} - arrays.keys()
        if missing:
            raise InputError(f"lacks the array {sorted(missing)[0]!r}; see docs/predictions.md.")
        version = int(arrays.pop("format_version", FORMAT_VERSION))
        if version != FORMAT_VERSION:
            raise InputError(
                f"has format version {version}, this hardpairs reads {FORMAT_VERSION}; update it."
            )
        fields: dict[str, Any] = dict(arrays)
        fields["class_names"] = tuple(arrays["class_names"].ravel().tolist())
        for name in ("split", "fingerprint", "metadata"):
            if name in arrays:
                fields[name] = str(arrays[name])
        metadata = json.loads(fields.get("metadata", "{}"))
    except InputError:
        raise
    except zipfile.BadZipFile as error:
        raise InputError("is not an .npz file (a zip of arrays); save it with numpy.savez.") from (
            error
        )
    except (
        *(ValueError, TypeError, KeyError, EOFError, MemoryError, RecursionError, zlib.error),
        *(NotImplementedError, RuntimeError, OverflowError, tokenize.TokenError, SyntaxError),
    ) as error:
        raise InputError(
            f"is damaged or holds pickled objects ({type(error).__name__}); "
            "save plain arrays with numpy.savez."
        ) from error
    if not isinstance(metadata, dict):
        raise InputError("has metadata that isn't a JSON object; write one or leave it out.")
    return {**fields, "metadata": metadata}


def _check_sizes(archive: zipfile.ZipFile, file_size: int) -> None:
    claimed = sum(entry.file_size for entry in archive.infolist())
    if claimed > DEFLATE_MAX_RATIO * file_size:
        raise InputError(f"claims {claimed:,} bytes, more than it can hold; save it again.")


def _read_csv(path: Path) -> dict[str, Any]:
    """Columns: ``label``, optionally ``id``, and one column of probabilities per class name."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"is not UTF-8 comma-separated text ({error}); save it as such.") from (
            error
        )
    header = rows[0] if rows else []
    if "label" not in header:
        raise InputError("has no column 'label' in its first line; see docs/predictions.md.")
    class_columns = [index for index, name in enumerate(header) if name not in ("label", "id")]
    class_names = tuple(header[index] for index in class_columns)
    class_index = {name: index for index, name in enumerate(class_names)}
    labels, ids, probabilities = [], [], []
    for number, row in enumerate(rows[1:], start=2):
        try:
            labels.append(class_index[row[header.index("label")]])
            ids.append(int(row[header.index("id")]) if "id" in header else number - 2)
            probabilities.append([float(row[index]) for index in class_columns])
        except KeyError as error:
            raise InputError(
                f"line {number} has the label {error}, which is no class column; mend it."
            ) from error
        except (ValueError, IndexError) as error:
            raise InputError(f"line {number} has a missing or bad number; mend it.") from error
    return {
        "labels": np.array(labels, np.int64),
        "probabilities": np.array(probabilities).reshape(len(labels), len(class_names)),
        "class_names": class_names,
        "ids": np.array(ids, dtype=object) if _too_large(ids) else np.array(ids, np.int64),
    }


def _too_large(ids: list[int]) -> bool:
    return any(abs(value) >= 2**63 for value in ids)


def _check(
    labels: np.ndarray, probabilities: np.ndarray, class_names: tuple[str, ...], ids: np.ndarray
) -> None:
    if probabilities.ndim != 2 or probabilities.dtype.kind != "f":
        raise InputError(
            f"probabilities are {probabilities.dtype} of shape {probabilities.shape}, expected "
            "floats of shape (images, classes); reshape or convert them."
        )
    images, classes = probabilities.shape
    if images == 0 or classes < 2:
        raise InputError(
            f"probabilities have shape {probabilities.shape}; "
            "give at least one image and two classes."
        )
    for name, array in (("labels", labels), ("ids", ids)):
        if array.shape != (images,) or array.dtype.kind not in "iu":
            raise InputError(
                f"{name} are {array.dtype} of shape {array.shape}, expected integers of shape "
                f"({images},), one for each row of probabilities."
            )
    if len(class_names) != classes or not all(isinstance(name, str) for name in class_names):
        raise InputError(
            f"{len(class_names)} class names for {classes} columns of probabilities; "
            "give one text for each."
        )
    if len(set(class_names)) != classes:
        raise InputError("class names must be all different; rename the repeated ones.")
    if not np.isfinite(probabilities).all():
        row = int(np.flatnonzero(~np.isfinite(probabilities).all(axis=1))[0])
        raise InputError(f"row {row} of probabilities has NaN or infinity; predict again.")
    sums = probabilities.sum(axis=1, dtype=np.float64)
    if probabilities.min() < 0 or np.abs(sums - 1).max() > SUM_TOLERANCE:
        row = int(np.abs(sums - 1).argmax())
        raise InputError(
            f"probabilities must be at least 0 and each row must sum to 1 (row {row} sums to "
            f"{sums[row]:.4g}); apply softmax to logits first."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"labels run from {labels.min()} to {labels.max()}, expected 0 to {classes - 1}; "
            "use indices into class_names."
        )
    if ids.min() < 0 or len(np.unique(ids)) != images:
        raise InputError("ids must be at least 0 and all different; number the images again.")
