"""How like the training images a picture is: cosine distances in the net's last hidden layer.

Distance to the k-th nearest training image tells foreign images from the net's own (Sun et al.,
ICML 2022). The layer may have thousands of values, so vectors are kept by their main directions
alone. Their lengths stay those in the full layer: a picture that the training images' directions
hardly describe is far from all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardpairs.analysis.neighbours import unit_rows
from hardpairs.analysis.samples import even_sample
from hardpairs.data.split import Split, thumbnails

DIRECTIONS = 64
NEAREST = 5  # Shown, and the last of them measures the distance.
TYPICAL = 3
QUANTILES = np.linspace(0, 1, 1001)
KEPT_IMAGES = 6_000
KEPT_BYTES = 8 * 2**20  # Of pictures, unpacked.
KEPT_SIDE = 32
MOST_TEST_IMAGES = 5_000
MOST_VALUES = 2**26  # Of hidden layers in memory at once.
AT_A_TIME = 500

Predict = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Likeness:
    """What is kept of C training images and of how near to them the test images lie.

    Attributes:
        directions: float32 (D, d), of the hidden layer's D values.
        vectors: float16 (C, d), the images' own, of length 1 in the full layer.
        labels: integer (C,).
        rows: integer (C,), rows of the training split.
        images: uint8 (C, h, w, c), the pictures, small.
        typical: integer (K, `TYPICAL`), of each class the images nearest to its middle; -1 where
            there are fewer.
        distances: float32 (1001,), quantiles of the test images' distances.
    """

    directions: np.ndarray
    vectors: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    images: np.ndarray
    typical: np.ndarray
    distances: np.ndarray


def main_directions(hidden: np.ndarray) -> np.ndarray:
    """Return float32 (D, d), the directions in which unit rows of ``hidden`` (N, D) are largest.

    By subspace iteration from a random start (Halko, Martinsson, Tropp 2011, algorithm 4.4).
    """
    unit = unit_rows(hidden)
    width = unit.shape[1]
    if width <= DIRECTIONS:
        return np.eye(width, dtype=np.float32)
    start = np.random.default_rng(0).normal(size=(width, DIRECTIONS + 8)).astype(np.float32)
    found = np.linalg.qr(start)[0]
    for _ in range(4):
        found = np.linalg.qr(unit.T @ (unit @ found))[0]
    _, _, inner = np.linalg.svd(unit @ found, full_matrices=False)
    return np.ascontiguousarray(found @ inner[:DIRECTIONS].T, np.float32)


def find_nearest(kept: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest kept images: `NEAREST`, if there are as many.

    Args:
        kept: float32 (C, d), the vectors of the kept images.
        vectors: float32 (N, d).

    Returns:
        int64 (N, k) and float32 (N, k), indices of kept images and their distances, 0 to 2,
        nearest first.
    """
    most = min(NEAREST, len(kept))
    alike = vectors @ kept.T
    found = np.argpartition(-alike, most - 1, axis=1)[:, :most]
    values = np.take_along_axis(alike, found, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    nearest = np.take_along_axis(found, order, axis=1)
    return nearest, 1 - np.take_along_axis(values, order, axis=1)


def find_typical(vectors: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Return int32 (K, `TYPICAL`): of each class, the images nearest to the class's mean."""
    typical = np.full((classes, TYPICAL), -1, np.int32)
    for label in range(classes):
        members = np.flatnonzero(labels == label)
        if len(members):
            alike = vectors[members] @ vectors[members].mean(0)
            best = members[np.argsort(-alike, kind="stable")[:TYPICAL]]
            typical[label, : len(best)] = best
    return typical


def measure_likeness(
    predict: Predict, train: Split, test: Split, classes: int
) -> dict[str, np.ndarray]:
    """Measure what `Likeness` keeps of K ``classes``; ``predict`` is as `Session.predict`."""
    shape = train.pixels.shape[1:]
    side = min(KEPT_SIDE, max(shape[:2]))
    count = min(KEPT_IMAGES, KEPT_BYTES // (side * side * shape[2]), len(train))
    rows = even_sample(len(train), count)
    # So many images as their hidden values fit into memory; what is left out only turns the axes.
    width = predict(train.pixels[:1])[1].shape[1]
    some = rows[even_sample(len(rows), max(MOST_VALUES // width, 1))]
    directions = main_directions(predict(train.pixels[some])[1])

    def project(images: np.ndarray) -> np.ndarray:
        parts = [images[i : i + AT_A_TIME] for i in range(0, len(images), AT_A_TIME)]
        return np.concatenate([unit_rows(predict(p)[1]) @ directions for p in parts])

    vectors = project(train.pixels[rows]).astype(np.float16)
    labels = train.labels[rows]
    kept = vectors.astype(np.float32)
    of_test = project(test.pixels[even_sample(len(test), MOST_TEST_IMAGES)])
    distances = np.concatenate(
        [
            find_nearest(kept, of_test[i : i + AT_A_TIME])[1][:, -1]
            for i in range(0, len(of_test), AT_A_TIME)
        ]
    )
    return {
        "directions": directions.astype(np.float16),
        "vectors": vectors,
        "labels": labels.astype(np.min_scalar_type(int(labels.max()))),
        "rows": rows.astype(np.int32),
        "images": thumbnails(train.images, rows, side),
        "typical": find_typical(kept, labels, classes),
        "distances": np.quantile(distances, QUANTILES).astype(np.float32),
    }
