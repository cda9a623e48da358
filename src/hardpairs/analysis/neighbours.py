"""Nearest training images, in a net's last hidden layer and by edges: which labels do they carry?

A k-nearest-neighbour vote over a net's own representation tells whether the training set supports
a prediction (Papernot, McDaniel, arXiv:1803.04765). A few neighbours are pictures to look at; many
of them, a third of a class, say how far the image lies among another class's. The file lies beside
the predictions, so that everything after them works without Keras.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.analysis.samples import even_sample
from hardpairs.errors import InputError
from hardpairs.files import whole_file
from hardpairs.npz import read_npz

NEIGHBOURS = 20
MOST_NEIGHBOURS = 2000
HIDDEN_COMPONENTS = 64
SAMPLED = 1000  # Images that the principal components are found from.
THRESHOLD_SAMPLE = 4000  # Candidates that a query's threshold is found from.
QUERIES_AT_A_TIME = 64
MOST_SHARES = 20_000_000
FULL_SHARE = 65_535


@dataclass(frozen=True)
class Neighbours:
    """The k nearest training images of N images, nearest first.

    Attributes:
        indices: int32 (N, k), rows of the training split, or of the N images themselves.
        labels: uint8 or wider (N, k), the labels they carry.
        hidden: float32 (N, K), the share of each class among many nearest training images in the
            net's last hidden layer, see `class_shares`; None where unknown.
        edges: The same by the directions of their edges, see `gradient_histograms`.
        of_training: Whether they are training images; else other ones of the N images.
    """

    indices: np.ndarray
    labels: np.ndarray
    hidden: np.ndarray | None = None
    edges: np.ndarray | None = None
    of_training: bool = True

    @property
    def shares(self) -> dict[str, Any]:
        """Those of ``hidden`` and ``edges`` that are known, by name."""
        named = {"hidden": self.hidden, "edges": self.edges}
        return {name: shares for name, shares in named.items() if shares is not None}

    def take(self, rows: np.ndarray) -> "Neighbours":
        """Return the neighbours of some of the N images, int64 (n,)."""
        shares = {name: each[rows] for name, each in self.shares.items()}
        return replace(self, indices=self.indices[rows], labels=self.labels[rows], **shares)


def find_neighbours(
    candidates: np.ndarray,
    indices: np.ndarray,
    labels: np.ndarray,
    queries: np.ndarray,
    *,
    among_themselves: bool = False,
) -> Neighbours:
    """Find the nearest candidates by cosine, the products of some dozens of queries at a time.

    Args:
        candidates: float32 (C, D), hidden activations of training images.
        indices: integer (C,), their rows in the training split.
        labels: integer (C,), the labels they carry.
        queries: float32 (N, D), hidden activations of the images asked about.
        among_themselves: Whether those are all the images of the training split, in its order. No
            image is its own neighbour.
    """
    wanted = min(NEIGHBOURS + among_themselves, len(candidates))
    known, asked = unit_rows(candidates), unit_rows(queries)
    nearest = np.concatenate([_largest(block, wanted) for _, block in products(asked, known)])
    if among_themselves:
        own = np.asarray(indices)[nearest] == np.arange(len(queries))[:, None]
        others = np.argsort(own, axis=1, kind="stable")[:, :-1]  # Itself comes last.
        nearest = np.take_along_axis(nearest, others, axis=1)
    return Neighbours(
        indices=np.asarray(indices)[nearest].astype(np.int32),
        labels=np.asarray(labels)[nearest].astype(np.min_scalar_type(int(np.max(labels)))),
    )


def products(asked: np.ndarray, known: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the products of a few rows of float32 (N, D) with all of (C, D), and which rows.

    All are written into the same memory, (n, C), and gone with the next: asking the system for
    memory each time takes longer.
    """
    memory = np.empty((QUERIES_AT_A_TIME, len(known)), np.float32)
    for start in range(0, len(asked), QUERIES_AT_A_TIME):
        rows = slice(start, start + QUERIES_AT_A_TIME)
        few = asked[rows]
        yield rows, np.matmul(few, known.T, out=memory[: len(few)])


def _largest(values: np.ndarray, wanted: int) -> np.ndarray:
    """integer (n, wanted): the columns of the largest of each row of float32 (n, m), in order.

    Only values that reach a bound are sorted, and at least as many as are wanted do: it is the last
    of the largest in every fourth column. scikit-learn finds the same in as long, and takes a
    second to be imported.
    """
    step = min(4, max(values.shape[1] // wanted, 1))
    bound = -np.partition(-values[:, ::step], wanted - 1, axis=1)[:, wanted - 1]
    # Not >=, for NaN is in no order: a net that diverged has neighbours too.
    rows, columns = np.divmod(np.flatnonzero(~(values < bound[:, None])), values.shape[1])
    order = np.lexsort((-values[rows, columns], rows))
    counts = np.bincount(rows, minlength=len(values))
    first = np.cumsum(counts) - counts
    return columns[order[first[:, None] + np.arange(wanted)]]


def project(
    candidates: np.ndarray, queries: np.ndarray, components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Project both, (C, D) and (N, D), to the first principal components of the candidates.

    Returns:
        float32 (C, n) and (N, n); n is ``components``, or less where there aren't as many.
    """
    axes = principal_axes(candidates[even_sample(len(candidates), SAMPLED)], components)
    return candidates @ axes, queries @ axes


def principal_axes(sample: np.ndarray, components: int) -> np.ndarray:
    """Return float32 (D, n), the directions in which a sample, float (S, D), varies most."""
    sample = sample.astype(np.float64)
    sample -= sample.mean(axis=0)
    if len(sample) < sample.shape[1]:
        from scipy.linalg import eigh  # Unlike NumPy's it finds the last few alone.

        last = len(sample) - 1
        few = (max(0, last - components + 1), last)
        _, vectors = eigh(sample @ sample.T, subset_by_index=few)
        axes = sample.T @ vectors[:, ::-1]
        axes /= np.maximum(np.linalg.norm(axes, axis=0), 1e-12)
    else:
        _, vectors = np.linalg.eigh(sample.T @ sample)
        axes = vectors[:, ::-1][:, :components]
    return axes.astype(np.float32)


def class_shares(
    candidates: np.ndarray, labels: np.ndarray, queries: np.ndarray, classes: int
) -> np.ndarray | None:
    """The share of each class among the nearest candidates: a third of a class's, 2,000 at most.

    A query's distance up to which candidates count is found from a sample of 4,000 of them,
    so their number varies by some percent; nothing is sorted, and the distances of some dozens of
    queries at a time are one matrix product.

    Args:
        candidates: float32 (C, D).
        labels: integer (C,), the labels they carry.
        queries: float32 (N, D).
        classes: K.

    Returns:
        float32 (N, K), rows sum to 1; None above 20 million shares, as of thousands of classes.
    """
    if len(queries) * classes > MOST_SHARES:
        return None
    known, asked = with_lengths(candidates, queries)
    mixed = np.random.default_rng(0).permutation(len(known))  # So that every n-th is a sample.
    known = known[mixed]
    one_hot = np.eye(classes, dtype=np.float32)[labels[mixed]]
    wanted = min(third_of_a_class(len(known), classes), len(known))
    step = -(-len(known) // THRESHOLD_SAMPLE)
    sampled = len(range(0, len(known), step))
    place = sampled - max(round(wanted * sampled / len(known)), 1)
    shares = np.empty((len(asked), classes), np.float32)
    for rows, closeness in products(asked, known):
        threshold = np.partition(closeness[:, ::step], place, axis=1)[:, place]
        np.greater_equal(closeness, threshold[:, None], out=closeness, casting="unsafe")
        counts = closeness @ one_hot
        shares[rows] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def with_lengths(candidates: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 (C, D + 1) and (N, D + 1), whose products rank by Euclid's distance.

    The nearest have the largest q c - c c / 2.
    """
    known = np.column_stack([candidates, -np.square(candidates).sum(axis=1) / 2])
    asked = np.column_stack([queries, np.ones(len(queries), np.float32)])
    return known.astype(np.float32, copy=False), asked.astype(np.float32, copy=False)


def third_of_a_class(candidates: int, classes: int) -> int:
    """How many neighbours are asked what an image shows: from 20 to 2,000."""
    return min(max(candidates // (3 * classes), NEIGHBOURS), MOST_NEIGHBOURS)


def label_shares(labels: np.ndarray, classes: int) -> np.ndarray:
    """float32 (N, K): the share of each class among the labels, integer (N, k), of each row."""
    images, near = labels.shape
    cells = np.arange(images)[:, None] * classes + labels
    counts = np.bincount(cells.ravel(), minlength=images * classes)
    return (counts.reshape(images, classes) / near).astype(np.float32)


def save_neighbours(neighbours: Neighbours, path: Path) -> None:
    """Write an .npz of what is known, shares as 16-bit integers, in one piece."""
    shares = {
        name: np.rint(values * FULL_SHARE).astype(np.uint16)
        for name, values in neighbours.shares.items()
    }
    arrays = {"indices": neighbours.indices, "labels": neighbours.labels, **shares}
    with whole_file(path) as partial:
        np.savez_compressed(partial, **arrays)


def load_neighbours(path: Path, images: int, classes: int) -> Neighbours:
    """Read what `save_neighbours` wrote, for N ``images``.

    Raises:
        InputError: Missing, damaged, or not of so many images and classes.
    """
    names = ("indices", "labels", "hidden", "edges")
    most = 2**24 + images * (2**10 + 4 * classes)
    arrays = read_npz(path, names, most_bytes=most, what="a file of neighbours; train again")
    if not {"indices", "labels"} <= arrays.keys():
        raise InputError(f"{path}: is no file of neighbours; remove it or train again.")
    indices, labels = arrays["indices"], arrays["labels"]
    shape = labels.shape
    fits = (
        len(shape) == 2
        and shape[0] == images
        and shape[1] > 0
        and indices.shape == shape
        and indices.dtype.kind in "iu"
        and labels.dtype.kind in "iu"
        and indices.min() >= 0
        and labels.min() >= 0
        and labels.max() < classes
    )
    shares: dict[str, Any] = {name: arrays[name] for name in ("hidden", "edges") if name in arrays}
    if not fits or any(
        each.shape != (images, classes) or each.dtype != np.uint16 for each in shares.values()
    ):
        raise InputError(
            f"{path}: doesn't belong to these predictions (arrays of shape {shape}); "
            "remove it or train again."
        )
    known = {name: each.astype(np.float32) / FULL_SHARE for name, each in shares.items()}
    return Neighbours(indices, labels, **known)


def unit_rows(activations: np.ndarray) -> np.ndarray:
    """float32 (N, D): each row scaled to length 1, so that Euclid's order is the cosine's."""
    return (activations / row_lengths(activations)).astype(np.float32)


def row_lengths(activations: np.ndarray) -> np.ndarray:
    """(N, 1): the Euclidean length of each row (N, D), never quite 0."""
    return np.maximum(np.linalg.norm(activations, axis=1, keepdims=True), 1e-12)
