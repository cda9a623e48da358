"""Duplicates: images that are the same, or the same but for rounding and a pixel's shift."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy.spatial import KDTree
from sklearn.decomposition import PCA

from hardpairs.analysis.pixels import digests, small_pixels
from hardpairs.data.split import Images

NEAR_DISTANCE = 0.03
COMPONENTS = 16
SMALLEST_DISTANCE = 1e-9
MOST_CANDIDATES = 10_000_000  # 160 MB of pairs.
CHUNK = 20_000


@dataclass(frozen=True)
class Duplicates:
    """Pairs of images that look the same, closest first.

    Attributes:
        pairs: int64 (P, 2), rows of the images given, the lower first. Of several identical
            images, each is paired with the first of them only.
        distances: float64 (P,), root mean square difference of the pixels on a scale from 0 to 1;
            0 exactly where all bytes are equal.
        threshold: Pairs further apart than this are left out.
    """

    pairs: np.ndarray
    distances: np.ndarray
    threshold: float


def find_duplicates(*parts: Images) -> Duplicates:
    """Find exact duplicates by their bytes and near-duplicates by the distance of their pixels.

    Candidates come from a k-d tree over the first 16 principal components: a projection only ever
    shortens distances, so no pair within the threshold is missed, and each candidate is then
    measured on all its pixels. No matrix of distances is formed. The threshold is 0.03, or half
    of it and so on where a set of near-blank images would give more than 10 million candidates.

    Args:
        parts: Images of any sizes, one or more collections of them, whose rows are counted
            through. Large ones and those of different sizes are compared on a small common one,
            see `small_pixels`.
    """
    originals, copies = _group_by_bytes(parts)
    near, distances, threshold = _near_pairs(small_pixels(*parts)[originals])
    pairs = np.concatenate([copies, originals[near]])
    distances = np.concatenate([np.zeros(len(copies)), distances])
    order = np.lexsort((pairs[:, 1], pairs[:, 0], distances))
    return Duplicates(pairs[order], distances[order], threshold)


def _group_by_bytes(parts: Sequence[Images]) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are the first with their bytes, and pairs (first, later) of those that aren't."""
    first_with: dict[bytes, int] = {}
    copies = []
    for row, digest in enumerate(chain.from_iterable(map(digests, parts))):
        first = first_with.setdefault(digest, row)
        if first != row:
            copies.append((first, row))
    originals = np.fromiter(first_with.values(), np.int64, len(first_with))
    return originals, np.array(copies, np.int64).reshape(-1, 2)


def _near_pairs(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    count, dimensions = pixels.shape
    if count < 2:
        return np.empty((0, 2), np.int64), np.empty(0), NEAR_DISTANCE
    components = min(COMPONENTS, count, dimensions)
    tree = KDTree(
        PCA(components, svd_solver="full" if count < 1000 else "covariance_eigh").fit_transform(
            pixels
        )
    )
    threshold = NEAR_DISTANCE
    # Rounding in float32 could push a pair over the threshold: a little slack, undone below.
    while tree.count_neighbors(tree, _radius(threshold, dimensions)) - count > 2 * MOST_CANDIDATES:
        threshold /= 2
    candidates = tree.query_pairs(_radius(threshold, dimensions), output_type="ndarray")
    distances = np.empty(len(candidates))
    for start in range(0, len(candidates), CHUNK):
        first, second = candidates[start : start + CHUNK].T
        difference = pixels[first] - pixels[second]
        distances[start : start + CHUNK] = np.sqrt(np.square(difference).mean(axis=1))
    kept = distances <= threshold
    # Files that differ are never called the same, though nothing of it be left when made small.
    apart = np.maximum(distances[kept], SMALLEST_DISTANCE)
    return np.sort(candidates[kept], axis=1).astype(np.int64), apart, threshold


def _radius(threshold: float, dimensions: int) -> float:
    """The Euclidean distance of a root mean square one, and a little more."""
    return threshold * float(np.sqrt(dimensions)) * 1.001
