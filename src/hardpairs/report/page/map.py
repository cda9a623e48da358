"""The map: the model's last hidden layer in two dimensions."""

from typing import Any

import numpy as np

from hardpairs.analysis.subject import Subject

MOST_POINTS = 10_000
GRID = 1000  # Places along each axis.


def map_points(subject: Subject, carried: list[int]) -> dict[str, Any] | None:
    """Place the images by the first two principal components of their embeddings.

    Args:
        subject: Its predictions have embeddings, or there is no map.
        carried: Rows of the images that travel with the page.

    Returns:
        "x" and "y": from 0 to 1000, "true": classes, "place": of each point among the images that
        travel, -1 where it doesn't; "share": of the variance that the map shows. None without.
    """
    predictions = subject.predictions
    embeddings = predictions.embeddings
    if embeddings is None or embeddings.ndim != 2 or min(embeddings.shape) < 2:
        return None
    rest = np.setdiff1d(np.arange(len(embeddings)), carried)
    rest = np.random.default_rng(0).permutation(rest)[: max(MOST_POINTS - len(carried), 0)]
    rows = np.concatenate([rest, np.array(carried, np.int64)])
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    centred = embeddings / np.maximum(lengths, 1e-12)
    centred = centred - centred.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    flat = centred[rows] @ axes[:, :-3:-1]
    low, high = flat.min(axis=0), flat.max(axis=0)
    placed = np.rint(GRID * (flat - low) / np.maximum(high - low, 1e-12)).astype(int)
    return {
        "x": placed[:, 0].tolist(),
        "y": placed[:, 1].tolist(),
        "true": predictions.labels[rows].tolist(),
        "place": [-1] * len(rest) + list(range(len(carried))),
        "share": f"{variances[-2:].sum() / max(variances.sum(), 1e-12):.0%}",
    }
