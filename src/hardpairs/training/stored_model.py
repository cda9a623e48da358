"""A run's net in a file: Keras' own for whoever has Keras, and plain arrays for this package.

HDF5, in which Keras keeps weights, can't be read safely: its library allocates what a header
claims. The same weights therefore lie beside it in the zip that ``model.keras`` is, as an .npz
has them, and Keras doesn't mind.
"""

import inspect
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.errors import InputError
from hardpairs.files import whole_file
from hardpairs.npz import read_npz
from hardpairs.reading import guarded, read_json
from hardpairs.training.backend import keras, own_settings
from hardpairs.training.nets import LARGEST_SIDE, NETS, SMALLEST_SIDE, Shape, build_net

MOST_FILTERS, MOST_LAYERS = 1024, 16


def save_model(model: "keras.Model", path: Path) -> None:
    """Write a net as Keras does, with its weights once more as plain arrays."""
    with whole_file(path) as partial:
        model.save(partial)
        with zipfile.ZipFile(partial, "a") as archive:
            for index, weights in enumerate(model.weights):
                with archive.open(f"weights/{index}.npy", "w") as file:
                    np.lib.format.write_array(file, weights.numpy(), allow_pickle=False)


@own_settings()
def load_model(folder: str | Path) -> "keras.Model":
    """Rebuild a run's net from our own code and fill in its weights.

    Of ``model.keras`` only plain arrays are read; the configuration inside it, which could name
    code to run, is never looked at. The net comes from ``environment.json``, and is only built
    once the numbers that it needs were found to be there.

    Args:
        folder: Of a run.

    Returns:
        Takes float32 (N, H, W, C) from 0 to 1, gives float32 probabilities (N, K).

    Raises:
        InputError: A file is missing or damaged, or the two don't belong together.
    """
    record, weights = Path(folder) / "environment.json", Path(folder) / "model.keras"
    with guarded(record, "a run's record"):
        name, shape, classes, options = _described(read_json(record))
    what = "a net that hardpairs saved; bring it back, or train again"
    named = read_npz(weights, what=what)
    with guarded(weights, what):
        arrays = [named[f"weights/{index}"] for index in range(len(named))]
        _check_claims(arrays, name, shape, classes, options)
        model = build_net(name, shape, classes, options=options)
        if [array.shape for array in arrays] != [tuple(own.shape) for own in model.weights]:
            raise InputError("holds other weights than environment.json says; train again.")
        model.set_weights(arrays)
    return model


def _described(record: Any) -> tuple[str, Shape, int, dict[str, Any]]:
    name, classes, options = record["net"], record["classes"], record["net_options"]
    height, width, channels = record["shape"]
    known = [*inspect.signature(NETS[name]).parameters][2:]
    counts, pairs = _channels(options), options.get("pairs", 0)
    pairs = pairs if isinstance(pairs, list) else [0, pairs, pairs]
    if (
        not all(_is_number(side, SMALLEST_SIDE, LARGEST_SIDE) for side in (height, width))
        or channels not in (1, 3)
        or not _is_number(classes, 2, 2**31)
        or not set(options) <= set(known)
        or not all(isinstance(value, bool | int | str | list) for value in options.values())
        or len(counts) > MOST_LAYERS
        or not all(_is_number(count, 1, MOST_FILTERS) for count in counts)
        or len(pairs) != 3
        or not all(_is_number(count, 0, MOST_LAYERS) for count in pairs)
    ):
        raise InputError("names a net that this hardpairs doesn't have; train again.")
    return name, (height, width, channels), classes, options


def _channels(options: dict[str, Any]) -> list[int]:
    """The channels of a net's convolutions, under the name that its function has for them."""
    return options.get("filters", options.get("channels", []))


def _is_number(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _check_claims(
    arrays: Sequence[np.ndarray], name: str, shape: Shape, classes: int, options: dict[str, Any]
) -> None:
    """Refuse a net that is larger than its weights, before it is built."""
    counts = _channels(options)
    slim_options = {
        key: [1] * len(counts) if key in ("filters", "channels") else value
        for key, value in options.items()
    }
    slim = build_net(name, shape, 2, options=slim_options)
    last = slim.layers[-1].kernel.shape[0] * (counts[-1] if counts else 1)
    outputs = {array.shape[-1] for array in arrays if array.ndim}
    held = sum(array.size for array in arrays)
    if not {classes, *counts} <= outputs or last * classes > held:
        raise InputError("holds fewer weights than environment.json says; train again.")
    if not all(array.dtype == np.float32 for array in arrays):
        raise InputError("holds weights that aren't float32; train again.")
