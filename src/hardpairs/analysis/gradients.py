"""What can be seen of small images' edges: how strong they are in each direction, cell by cell.

Edges tell shapes apart where pixels compare light and dark, so an image's neighbours by edges are
far better witnesses of what it shows: docs/verdicts.md.
"""

from functools import reduce

import numpy as np

from hardpairs.analysis.neighbours import Neighbours, find_neighbours, project
from hardpairs.analysis.pixels import small_images
from hardpairs.analysis.samples import even_sample
from hardpairs.data.split import Images, Split

COMPONENTS = 40
MOST_CANDIDATES = 60_000
CELLS = 5  # Along the longer side, an odd number, so that one is in the middle.
IMAGES_AT_A_TIME = 500
FAINT = 25.5  # Added to the length of a histogram, so that an almost empty image isn't all noise.


def edge_neighbours(train: Split, test: Split) -> tuple[Neighbours, Neighbours]:
    """Find the nearest training images, by edges, of all images of both splits.

    Above 60,000 training images an even sample of so many are candidates.
    """
    seen, new = edge_components(train.images, test.images)
    rows = even_sample(len(train), MOST_CANDIDATES)
    known = seen[rows], rows, train.labels[rows]
    return find_neighbours(*known, seen, among_themselves=True), find_neighbours(*known, new)


def edge_components(known: Images, asked: Images) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 (C, n) and (N, n): principal components of both collections' histograms."""
    histograms = gradient_histograms(small_images(known, asked))
    return project(histograms[: len(known)], histograms[len(known) :], COMPONENTS)


def gradient_histograms(images: np.ndarray) -> np.ndarray:
    """Describe each image by its histograms of oriented gradients (Dalal, Triggs, CVPR 2005).

    A gradient counts, by its length, for the two of eight directions that it lies between. Cells
    don't overlap; an image's histograms are scaled together, and their square roots taken.

    Args:
        images: uint8 (N, H, W, C), sides of some tens of pixels; colours are added up.

    Returns:
        float32 (N, D), D = 8 x rows x columns of cells, 200 of 28 x 28 pixels.
    """
    cell = max(1, -(-max(images.shape[1:3]) // CELLS))
    starts = range(0, len(images), IMAGES_AT_A_TIME)
    blocks = [_histograms(images[start : start + IMAGES_AT_A_TIME], cell) for start in starts]
    return np.concatenate(blocks)


def _histograms(images: np.ndarray, cell: int) -> np.ndarray:
    bottom, right = (1 + -side % cell for side in images.shape[1:3])
    padded = np.pad(images.astype(np.int16), ((0, 0), (1, bottom), (1, right), (0, 0)), mode="edge")
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    wide, tall = np.abs(across), np.abs(down)
    # A vector between an axis and a diagonal is a sum of the two, so neither angles nor roots
    # have to be taken. The diagonal's part is the smaller coordinate, the axis' what is left.
    parts = (
        *(across - tall, -across - tall, down - wide, -down - wide),
        *(np.minimum(x, y) for x in (across, -across) for y in (down, -down)),
    )
    sums = np.concatenate([_cell_sums(np.maximum(part, 0), cell) for part in parts], axis=1)
    return np.sqrt(sums / (np.linalg.norm(sums, axis=1, keepdims=True) + FAINT))


def _cell_sums(values: np.ndarray, cell: int) -> np.ndarray:
    """float32 (n, cells) of int16 (n, H, W, C), sides multiples of a cell's."""
    rows = reduce(np.add, [values[:, place::cell] for place in range(cell)])
    cells = reduce(np.add, [rows[:, :, place::cell] for place in range(cell)])
    return cells.astype(np.float32).sum(axis=3).reshape(len(values), -1)
