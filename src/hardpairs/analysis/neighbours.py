"""Nearest training images in a net's last hidden layer: which labels do they carry?

A k-nearest-neighbour vote over a net's own representation tells whether the training set supports
a prediction (Papernot, McDaniel, arXiv:1803.04765). The file lies beside the predictions, so that
everything after them works without Keras.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardpairs.errors import InputError
from hardpairs.files import whole_file
from hardpairs.reading import read_npz

NEIGHBOURS = 20
BYTES_PER_IMAGE = 2**10


@dataclass(frozen=True)
class Neighbours:
    """The k nearest training images of N images, nearest first.

    Attributes:
        indices: int32 (N, k), rows of the training split.
        labels: uint8 or wider (N, k), the labels they carry.
    """

    indices: np.ndarray
    labels: np.ndarray


def find_neighbours(
    candidates: np.ndarray, indices: np.ndarray, labels: np.ndarray, queries: np.ndarray
) -> Neighbours:
    """Find the nearest candidates by cosine; scikit-learn never keeps the full matrix of distances.

    Args:
        candidates: float32 (C, D), hidden activations of training images.
        indices: integer (C,), their rows in the training split.
        labels: integer (C,), the labels they carry.
        queries: float32 (N, D), hidden activations of the images asked about.
    """
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(candidates)), algorithm="brute")
    # Between vectors of length 1, Euclid's order is that of the cosine, and scikit-learn's fast
    # path knows Euclid only.
    search.fit(_unit_rows(candidates))
    nearest = search.kneighbors(_unit_rows(queries), return_distance=False)
    return Neighbours(
        indices=np.asarray(indices)[nearest].astype(np.int32),
        labels=np.asarray(labels)[nearest].astype(np.min_scalar_type(int(np.max(labels)))),
    )


def save_neighbours(neighbours: Neighbours, path: Path) -> None:
    """Write an .npz of ``indices`` and ``labels``; whole or not at all."""
    with whole_file(path) as partial:
        np.savez_compressed(partial, indices=neighbours.indices, labels=neighbours.labels)


def load_neighbours(path: Path, images: int, classes: int) -> Neighbours:
    """Read what `save_neighbours` wrote, for N ``images``.

    Raises:
        InputError: Missing, damaged, or not of so many images and classes.
    """
    arrays = read_npz(path, ("indices", "labels"), most_bytes=max(2**24, BYTES_PER_IMAGE * images))
    if arrays.keys() != {"indices", "labels"}:
        raise InputError(f"{path}: is no file of neighbours; remove it or train again.")
    neighbours = Neighbours(arrays["indices"], arrays["labels"])
    shape = neighbours.labels.shape
    if (
        len(shape) != 2
        or shape[0] != images
        or shape[1] == 0
        or neighbours.indices.shape != shape
        or neighbours.labels.dtype.kind not in "iu"
        or neighbours.labels.min() < 0
        or neighbours.labels.max() >= classes
    ):
        raise InputError(
            f"{path}: doesn't belong to these predictions (arrays of shape {shape}); "
            "remove it or train again."
        )
    return neighbours


def _unit_rows(activations: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(activations, axis=1, keepdims=True)
    return (activations / np.maximum(lengths, 1e-12)).astype(np.float32)
