"""The part of `make fuzz` that reads a run's net; it needs Keras, so test_fuzz.py leaves it out.

Only what is parsed is damaged: the record, and plain arrays. A net that was built once is built
no more, which is where the time would go.
"""

import functools
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RECORD = {"net": "dense", "net_options": {}, "shape": [8, 8, 1], "classes": 3}
SHAPES = ((64, 128), (128,), (128, 3), (3,))


def _weights() -> bytes:
    file = io.BytesIO()
    arrays = {f"weights/{index}": np.zeros(shape, np.float32) for index, shape in enumerate(SHAPES)}
    np.savez(file, **arrays)
    return file.getvalue()


@functools.cache
def _loader() -> Callable[[Path], object]:
    """`load_model` with a memory for nets."""
    from hardpairs.training import stored_model

    build = stored_model.build_net
    built = functools.lru_cache(64)(lambda made: build(*made[:3], options=json.loads(made[3])))

    def build_once(name: str, shape: Any, classes: int, options: dict[str, Any]) -> object:
        return built((name, tuple(shape), classes, json.dumps(options)))

    stored_model.build_net = build_once
    return stored_model.load_model


def _load(path: Path) -> object:
    return _loader()(_folder(path, json.dumps(RECORD).encode(), path.read_bytes()))


def _load_record(path: Path) -> object:
    return _loader()(_folder(path, path.read_bytes(), _weights()))


def _folder(path: Path, record: bytes, weights: bytes) -> Path:
    """A run's folder, beside the damaged file, with the two files that a net is loaded from."""
    folder = path.parent / "run"
    folder.mkdir(exist_ok=True)
    (folder / "environment.json").write_bytes(record)
    (folder / "model.keras").write_bytes(weights)
    return folder


MODEL_TARGETS: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "model.keras": (_weights(), _load),
    "record.json": (json.dumps(RECORD).encode(), _load_record),
}
