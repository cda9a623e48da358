"""A map of images: what a net's last hidden layer says of them, in two dimensions."""

import numpy as np

from hardpairs.analysis.neighbours import row_lengths
from hardpairs.errors import InputError

# A third of what is usual: 10,000 images are as well placed, in a quarter of the time.
PERPLEXITY, EARLY_STEPS, STEPS = 15, 60, 150


def principal_layout(activations: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Place images by the first two principal components of their activations' directions.

    Args:
        activations: float (N, D), D from 2.
        rows: int64 (n,), which of the images to place; the components are those of all.

    Returns:
        float64 (n, 2), and the share of the variance that the two components have.
    """
    centred = activations / row_lengths(activations)
    centred = centred - centred.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    share = float(variances[-2:].sum() / max(variances.sum(), 1e-12))
    return centred[rows] @ axes[:, :-3:-1], share


def neighbour_layout(activations: np.ndarray) -> np.ndarray:
    """Place images so that each stays beside its nearest: t-SNE (van der Maaten, Hinton 2008).

    By openTSNE (Policar, Strazar, Zupan 2024), from a fixed seed and principal components.

    Args:
        activations: float (n, D); distances are those of their directions.

    Returns:
        float64 (n, 2).

    Raises:
        InputError: openTSNE isn't installed, or there are too few images.
    """
    require_map()
    from openTSNE import TSNE

    if len(activations) < 10:
        raise InputError(f"{len(activations)} images are too few for a map by t-SNE.")
    placed = TSNE(
        perplexity=min(PERPLEXITY, (len(activations) - 1) / 3),
        early_exaggeration_iter=EARLY_STEPS,
        n_iter=STEPS,
        n_jobs=-1,
        random_state=0,
    ).fit(np.asarray(activations / row_lengths(activations), np.float64))
    return np.asarray(placed)


def require_map() -> None:
    """Raise `InputError` where the extra ``map`` isn't installed."""
    try:
        import openTSNE  # noqa: F401
    except ImportError as error:
        raise InputError("a map by t-SNE needs openTSNE; pip install 'hardpairs[map]'.") from error
