"""Loading predictions: the reader that a file's ending names, and what the user says of it."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hardpairs.errors import InputError
from hardpairs.predictions.convert import to_predictions
from hardpairs.predictions.found import Found, Hints, Reader, Truth
from hardpairs.predictions.instead import check_run_file
from hardpairs.predictions.numpy_files import read_array, read_arrays
from hardpairs.predictions.predictions import Predictions
from hardpairs.predictions.sheets import SHEETS, read_sheet
from hardpairs.predictions.truth import read_truth
from hardpairs.predictions.yolo import read_yolo_folder
from hardpairs.reading import ending_of, understood

READERS: dict[str, Reader] = {
    ".npz": read_arrays,
    ".npy": read_array,
    **dict.fromkeys(SHEETS, read_sheet),
}
TEXTS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json")  # Also packed.
IN_A_FOLDER = ("predictions.npz", "predictions.parquet", "predictions.csv", "labels.json")
STARTS: tuple[tuple[bytes, Reader], ...] = (  # Of files without an ending.
    (b"PK\x03\x04", read_arrays),
    (b"\x93NUMPY", read_array),
    (b"PAR1", read_sheet),
)
SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
MODELS = (".keras", ".h5", ".hdf5", ".onnx", ".safetensors", ".tflite", ".pb")
PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".bin", ".ckpt")


def load_predictions(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    hints: Hints | None = None,
    truth: Callable[[], Truth] | None = None,
) -> Predictions:
    """Read predictions as any framework or tool writes them; docs/predictions.md lists which.

    Nothing in the file is executed: pickled objects are refused.

    Args:
        path: A file, or a folder that holds one.
        labels: A file of true labels, or a folder with one folder for each class; it replaces
            the labels in the file.
        hints: Names of columns, and whether scores are logits.
        truth: Called for true labels where there are none, neither in the file nor in ``labels``.

    Raises:
        InputError: Missing, damaged, of another format, or not valid predictions.
    """
    path, hints = Path(path), hints or Hints()
    given = None if labels is None else read_truth(labels, hints)
    own = replace(hints, has_truth=given is not None or truth is not None)
    if given is not None:  # The name of a labels file's column isn't that of a column here.
        own = replace(own, label_column="")
    with understood(path, "predictions"):
        found = _read_found(path, own)
        if given is None and truth is not None and found.labels is None:
            given = truth()
        return to_predictions(found, logits=hints.logits, truth=given)


def _read_found(path: Path, hints: Hints) -> Found:
    """Read what a file or a folder holds, by the reader of its ending.

    Raises:
        InputError: No reader is there for it, or the reader refuses it.
    """
    if os.path.isdir(path):
        inside = next((path / name for name in IN_A_FOLDER if (path / name).is_file()), None)
        return _read_found(inside, hints) if inside is not None else read_yolo_folder(path)
    check_run_file(path)
    suffix, is_packed = ending_of(path)
    if suffix in READERS and (not is_packed or suffix in TEXTS):
        return READERS[suffix](path, hints)
    if suffix in SPREADSHEETS:
        raise InputError(f"{path}: is a spreadsheet; save its sheet as CSV.")
    if suffix in MODELS:
        raise InputError(
            f"{path}: is a model, not its predictions; let it predict your test images where it "
            "runs, and save arrays with numpy.savez(labels=..., probabilities=...)."
        )
    if is_packed:
        raise InputError(f"{path}: is packed, and only tables and JSON are read so; unpack it.")
    with path.open("rb") as file:
        start = file.read(8)
    if suffix in PICKLED:
        raise InputError(
            f"{path}: {suffix} files are pickled, and loading one could run its code; save arrays "
            "with numpy.savez(labels=..., probabilities=...), in the program that wrote it."
        )
    for magic, reader in STARTS:
        if start.startswith(magic):
            return reader(path, hints)
    raise InputError(
        f"{path}: is of no known kind; predictions are read from {', '.join(READERS)}; "
        "save them as one of these."
    )
