"""What `make fuzz` and test_fuzz.py damage: a file's name -> (a good sample of it, who reads it).

A reader takes a Path and must return or raise InputError, whatever the file holds. The name is the
one that the damaged copy gets, so that its ending says the format.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hardpairs.predictions.load import load_predictions


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

TARGETS: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "predictions.npz": (_npz(**PREDICTIONS), load_predictions),
    "predictions.csv": (b"id,label,a,b,c\n0,a,0.8,0.1,0.1\n1,c,0.1,0.1,0.8\n", load_predictions),
}
