"""The map: the model's last hidden layer, or given embeddings, in two dimensions."""

from typing import Any

import numpy as np

from hardpairs.analysis.layout import neighbour_layout, principal_layout
from hardpairs.analysis.subject import Subject

MOST_POINTS = 10_000
GRID = 1000  # Places along each axis.


def map_points(subject: Subject, carried: list[int]) -> dict[str, Any] | None:
    """Place the images; by t-SNE where the subject asks for it, else by principal components.

    Args:
        subject: With `Subject.hidden`, or there is no map.
        carried: Rows of the images that travel with the page.

    Returns:
        "x" and "y": from 0 to 1000, "true": classes, "place": of each point among the images that
        travel, -1 where it doesn't; "how" they are placed. None without.
    """
    hidden = subject.hidden
    if hidden is None or hidden.ndim != 2 or min(hidden.shape) < 2 or not carried:
        return None
    rest = np.setdiff1d(np.arange(len(hidden)), carried)
    rest = np.random.default_rng(0).permutation(rest)[: max(MOST_POINTS - len(carried), 0)]
    rows = np.concatenate([rest, np.array(carried, np.int64)])
    if subject.neighbour_map:
        flat, how = neighbour_layout(hidden[rows]), "by t-SNE, which keeps neighbours together"
    else:
        flat, share = principal_layout(hidden, rows)
        how = f"by its first two principal components, which show {share:.0%} of its variance"
    low, high = flat.min(axis=0), flat.max(axis=0)
    placed = np.rint(GRID * (flat - low) / np.maximum(high - low, 1e-12)).astype(int)
    return {
        "x": placed[:, 0].tolist(),
        "y": placed[:, 1].tolist(),
        "true": subject.predictions.labels[rows].tolist(),
        "place": [-1] * len(rest) + list(range(len(carried))),
        "how": how,
    }
