"""What `make fuzz` and test_fuzz.py damage: a file's name -> (a good sample of it, who reads it).

A reader takes a Path and must return or raise InputError, whatever the file holds. The name is the
one that the damaged copy gets, so that its ending says the format.
"""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fuzz_data import DATA_TARGETS
from hardpairs.analysis.neighbours import load_neighbours
from hardpairs.data.corrections import read_corrections
from hardpairs.npz import read_npy
from hardpairs.predictions.found import Hints, Truth
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.truth import read_truth
from hardpairs.reading import read_json, read_numbers_csv, read_toml


def _npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


LABELS = np.arange(12) % 3
PROBABILITIES = np.full((12, 3), 0.1, np.float32) + 0.7 * np.eye(3, dtype=np.float32)[LABELS]
PREDICTIONS = {
    "labels": LABELS,
    "probabilities": PROBABILITIES,
    "class_names": np.array(["a", "b", "c"]),
    "metadata": np.array('{"recipe": "x", "seed": 1}'),
}

FILES = [f"val/{'abc'[label]}/{row:02}.jpg" for row, label in enumerate(LABELS)]
TOP = np.argsort(-PROBABILITIES, axis=1, kind="stable")[:, :2]


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _packed_npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: PROBABILITIES[:, k] for k, name in enumerate("abc")}
    table = pa.table({"file": FILES, "label": ["abc"[k] for k in LABELS], **columns})
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def _zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _feather(compression: str) -> bytes:
    import pyarrow as pa
    from pyarrow import feather

    columns = {name: PROBABILITIES[:, k] for k, name in enumerate("abc")}
    labels = pa.array(["abc"[k] for k in LABELS]).dictionary_encode()
    file = io.BytesIO()
    feather.write_feather(pa.table({"file": FILES, "label": labels, **columns}), file, compression)
    return file.getvalue()


def _polars() -> bytes:
    import polars as pl

    columns = {name: PROBABILITIES[:, k] for k, name in enumerate("abc")}
    file = io.BytesIO()
    pl.DataFrame({"file": FILES, "label": ["abc"[k] for k in LABELS], **columns}).write_ipc(file)
    return file.getvalue()


def _with_labels(path: Path) -> object:
    return load_predictions(path, truth=lambda: Truth("labels", LABELS))


def _labels(path: Path) -> object:
    return read_truth(path, Hints())


def _table(delimiter: str = ",", comma: str = ".") -> bytes:
    lines = [delimiter.join(["filename", "a", "b", "c", "label"])]
    for file, row, label in zip(FILES, PROBABILITIES.round(3), LABELS, strict=True):
        numbers = [str(value).replace(".", comma) for value in row.tolist()]
        lines.append(delimiter.join([file, *numbers, "abc"[label]]))
    return ("\n".join(lines) + "\n").encode()


def _records(**more: object) -> list[dict[str, object]]:
    return [
        {"file": file, "label": "abc"[k], "scores": dict(zip("abc", row, strict=True)), **more}
        for file, k, row in zip(FILES, LABELS, PROBABILITIES.tolist(), strict=True)
    ]


def _top_cells() -> bytes:
    """Lists in cells, as timm's --topk writes them."""
    lines = ["filename,label,prob"]
    for file, top, row in zip(FILES, TOP, PROBABILITIES, strict=True):
        names = np.array(["abc"[k] for k in top], dtype=object)
        lines.append(f"{file},{names},{row[top]}")
    return ("\n".join(lines) + "\n").encode()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _lines(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _pipeline() -> bytes:
    """Hugging Face's pipeline: the most probable classes of each image."""
    results = [
        {"file": file, "predictions": [{"score": float(row[k]), "label": "abc"[k]} for k in top]}
        for file, top, row in zip(FILES, TOP, PROBABILITIES, strict=True)
    ]
    return _json(results)


def _top_parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "filename": FILES,
        "label": [["abc"[k] for k in top] for top in TOP],
        "prob": [row[top].tolist() for row, top in zip(PROBABILITIES, TOP, strict=True)],
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def _with_names(path: Path) -> object:
    names = ["abc"[label] for label in LABELS]
    return load_predictions(path, truth=lambda: Truth("labels", np.array(names, object)))


def _texts_of_images(path: Path) -> object:
    """Ultralytics' folder: a text for each image, one of them damaged."""
    folder = path.parent / "texts"
    folder.mkdir(exist_ok=True)
    (folder / "0.txt").write_bytes(path.read_bytes())
    (folder / "1.txt").write_text("0.60 b\n0.30 a\n0.10 c\n")
    labels = np.array(["a", "b"], object)
    return load_predictions(folder, truth=lambda: Truth("labels", labels, ["0", "1"]))


FIFTYONE = {"classes": ["a", "b", "c"], "labels": dict(zip(FILES, LABELS.tolist(), strict=True))}
ROWS = [[int(k), *row] for k, row in zip(LABELS, PROBABILITIES.tolist(), strict=True)]
SPLIT = {"columns": ["label", "a", "b", "c"], "data": ROWS}

TARGETS: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "predictions.npz": (_npz(**PREDICTIONS), load_predictions),
    "predictions.csv": (b"id,label,a,b,c\n0,a,0.8,0.1,0.1\n1,c,0.1,0.1,0.8\n", load_predictions),
    "packed.npz": (
        _packed_npz(
            **PREDICTIONS,
            predicted=LABELS,
            ids=np.array(FILES),
            images=np.zeros((12, 4, 4, 3), np.uint8),
            embeddings=np.ones((12, 2), np.float32),
        ),
        load_predictions,
    ),
    "scores.npy": (_npy(PROBABILITIES), _with_labels),
    "classes.npy": (_npy(LABELS), _with_labels),
    "semicolon.csv": (_table(";", ","), load_predictions),
    "tabs.tsv": (_table("\t"), load_predictions),
    "table.csv.gz": (gzip.compress(_table(), mtime=0), load_predictions),
    "table.csv.zip": (_zipped("table.csv", _table()), load_predictions),
    "top.csv": (_top_cells(), _with_labels),
    "records.jsonl": (b"\n".join(map(_json, _records())), load_predictions),
    "records.json": (_json(_records()), load_predictions),
    "split.json": (_json(SPLIT), load_predictions),
    "fiftyone.json": (_json(FIFTYONE), _with_labels),
    "predictions.parquet": (_parquet(), load_predictions),
    "plain.feather": (_feather("uncompressed"), load_predictions),
    "packed.feather": (_feather("zstd"), load_predictions),
    "polars.arrow": (_polars(), load_predictions),
    "top.parquet": (_top_parquet(), _with_names),
    "pipeline.json": (_pipeline(), _with_names),
    "results.txt": (
        _lines("index\tprediction", *(f"{row}\t{label}" for row, label in enumerate(LABELS))),
        _with_labels,
    ),
    "image.txt": (b"0.93 a\n0.05 b\n0.02 c\n", _texts_of_images),
    "corrections.csv": (
        _lines(
            "split,id,label,mark,correction", "test,3,a,label wrong,b", "test,x/1.png,c,leave out,"
        ),
        lambda path: read_corrections(path, ("a", "b", "c")),
    ),
    "labels.npz": (_npz(y_test=LABELS, filenames=np.array(FILES)), _labels),
    "labels.npy": (_npy(LABELS), _labels),
    "labels.jsonl": (b"\n".join(map(_json, _records())), _labels),
    "labels.csv": (b"file,label\na.png,a\nb.png,c\nc.png,b\n", _labels),
    "val.txt": (b"a.png 0\nb.png 2\nc.png 1\n", _labels),
    "labels.json": (_json(FIFTYONE), _labels),
    "history.csv": (b"epoch,loss,accuracy\n1,0.5,0.8\n2,0.4,0.9\n", read_numbers_csv),
    "environment.json": (b'{"model": "cnn", "classes": 10, "versions": {"a": "1"}}', read_json),
    "config.toml": (b'seed = 0\n[recipe]\nname = "fast"\nrate = 0.1\n', read_toml),
    "filters.npy": (_npy(np.ones((3, 3, 1, 4), np.float32)), read_npy),
    "neighbours.npz": (
        _packed_npz(
            indices=np.zeros((12, 4), np.int32),
            labels=np.zeros((12, 4), np.uint8),
            hidden=np.zeros((12, 3), np.uint16),
            pixels=np.zeros((12, 3), np.uint16),
        ),
        lambda path: load_neighbours(path, 12, 3),
    ),
    **DATA_TARGETS,
}
