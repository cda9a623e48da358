"""Nearest images among those predicted, by embeddings that came with the predictions.

Where no training set is at hand, the other predicted images and their labels stand in for it. An
image is never its own neighbour. Only NumPy, so that whatever evaluates needs nothing more.
"""

import numpy as np

from hardpairs.analysis.neighbours import (
    HIDDEN_COMPONENTS,
    MOST_SHARES,
    NEIGHBOURS,
    Neighbours,
    label_shares,
    products,
    project,
    third_of_a_class,
    unit_rows,
    with_lengths,
)
from hardpairs.analysis.samples import even_sample
from hardpairs.labels import listed

MOST_CANDIDATES = 10_000
SAME = 1e-5  # Squared distance of rows of length 1, up to which float32 can't tell them apart.
SHOWN = 3


def embedded_neighbours(embeddings: np.ndarray, labels: np.ndarray, classes: int) -> Neighbours:
    """Find the nearest images by cosine: 20, and the classes of a third of a class of them.

    Args:
        embeddings: float32 (N, D), N at least 2; D above 64 are projected to 64 components.
        labels: int64 (N,), the labels given.
        classes: K.

    Returns:
        ``indices`` are rows of the same N images, ``of_training`` is False. Above 10,000 images an
        even sample of so many are candidates.
    """
    rows = unit_rows(embeddings)
    if rows.shape[1] > HIDDEN_COMPONENTS:
        rows, _ = project(rows, rows[:0], HIDDEN_COMPONENTS)
    chosen = even_sample(len(rows), MOST_CANDIDATES)
    place_of = np.full(len(rows), -1)
    place_of[chosen] = np.arange(len(chosen))
    known, asked = with_lengths(rows[chosen], rows)
    nearest = np.empty((len(rows), min(NEIGHBOURS, len(chosen) - 1)), np.int32)
    many = min(third_of_a_class(len(chosen), classes), len(chosen) - 1)
    shares = None
    if len(rows) * classes <= MOST_SHARES:
        shares = np.empty((len(rows), classes), np.float32)
    for block, closeness in products(asked, known):
        own = place_of[block]
        closeness[np.flatnonzero(own >= 0), own[own >= 0]] = -np.inf
        columns = np.argpartition(closeness, -many, axis=1)[:, -many:]
        if shares is not None:
            shares[block] = label_shares(labels[chosen[columns]], classes)
        order = np.argsort(-np.take_along_axis(closeness, columns, axis=1), axis=1, kind="stable")
        nearest[block] = chosen[np.take_along_axis(columns, order, axis=1)[:, :NEIGHBOURS]]
    kind = np.min_scalar_type(classes - 1)
    return Neighbours(nearest, labels[nearest].astype(kind), hidden=shares, of_training=False)


def same_embeddings(
    neighbours: Neighbours, embeddings: np.ndarray, labels: np.ndarray, ids: np.ndarray
) -> str:
    """Say in a sentence how many images have the embedding of another one; "" where none has.

    Args:
        neighbours: Of the same images, as `embedded_neighbours` finds them.
        embeddings: float32 (N, D).
        labels: int64 (N,).
        ids: (N,), numbers or texts.
    """
    rows = unit_rows(embeddings)
    nearest = neighbours.indices[:, 0]
    same = np.flatnonzero(np.square(rows - rows[nearest]).sum(axis=1) < SAME)
    if not len(same):
        return ""
    differ = same[labels[same] != labels[nearest[same]]]
    pairs = {tuple(sorted(map(int, pair))) for pair in zip(differ, nearest[differ], strict=True)}
    shown = [f"{ids[one]} and {ids[other]}" for one, other in sorted(pairs)]
    said = f"{len(same):,} of {len(rows):,} images have the same embedding as another"
    return f"{said}; under another label: {listed(shown, SHOWN)}." if shown else f"{said}."
