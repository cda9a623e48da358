"""Smoothing and regions of small pictures, by NumPy alone.

What `scipy.ndimage` does as well; importing that takes as long as all the rest of a prediction.
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

BLOCK = 8
TRUNCATE = 4.0  # A Gaussian is cut off at so many standard deviations.


def smooth(picture: np.ndarray, sigma: float, *, slopes: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Filter float32 (H, W) or (H, W, C) with a Gaussian, mirrored at the borders.

    Args:
        picture: What to filter.
        sigma: Standard deviation, pixels.
        slopes: By axis, 1 for the Gaussian's derivative there instead.
    """
    down = _filtered(picture, sigma, slopes[0])
    return _filtered(down.swapaxes(0, 1), sigma, slopes[1]).swapaxes(0, 1)


def _filtered(picture: np.ndarray, sigma: float, order: int) -> np.ndarray:
    """Filter along the first axis, block by block.

    So short products of matrices are done in one thread each. Long ones would be divided among
    all cores, and where others use those too, the parts wait for one another.
    """
    matrix = _gaussian(sigma, order)
    length, reach = len(picture), (matrix.shape[1] - BLOCK) // 2
    rows = picture.reshape(length, -1)
    padded = np.pad(rows, ((reach, reach + -length % BLOCK), (0, 0)), "symmetric")
    blocks = sliding_window_view(padded, BLOCK + 2 * reach, axis=0)[::BLOCK]
    filtered = matrix @ blocks.swapaxes(1, 2)
    return filtered.reshape(-1, rows.shape[1])[:length].reshape(picture.shape)


def slope(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Magnitude of a picture's gradient, as `smooth` sees it: of its shape."""
    down = smooth(picture, sigma, slopes=(1, 0))
    across = smooth(picture, sigma, slopes=(0, 1))
    return np.sqrt(down * down + across * across)


@cache
def _gaussian(sigma: float, order: int) -> np.ndarray:
    """The filter as a matrix that makes `BLOCK` values of those and their neighbours, float32."""
    reach = int(TRUNCATE * sigma + 0.5)
    steps = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    weights /= weights.sum()
    if order:
        weights *= steps / sigma**2
    matrix = np.zeros((BLOCK, BLOCK + 2 * reach), np.float32)
    for row in range(BLOCK):
        matrix[row, row : row + len(steps)] = weights
    return matrix


def length_of(vectors: np.ndarray) -> np.ndarray:
    """Euclidean length along the last axis."""
    return np.sqrt(np.einsum("...c,...c->...", vectors, vectors))


def grown(region: np.ndarray, times: int) -> np.ndarray:
    """Add each pixel's four neighbours to a region, bool (H, W), so many times."""
    for _ in range(times):
        wider = region.copy()
        wider[1:] |= region[:-1]
        wider[:-1] |= region[1:]
        wider[:, 1:] |= region[:, :-1]
        wider[:, :-1] |= region[:, 1:]
        region = wider
    return region


def opened(region: np.ndarray, times: int = 1) -> np.ndarray:
    """Take away what is thinner than so many pixels to each side; outside the picture is none."""
    outside = ~np.pad(region, times)
    shrunk = ~grown(outside, times)[times:-times, times:-times]
    return grown(shrunk, times)


def near(region: np.ndarray, distance: float) -> np.ndarray:
    """Where a region is at most ``distance`` pixels away: bool (H, W)."""
    height, width = region.shape
    reach = int(distance)
    counts = np.zeros((height, width + 1), np.int32)
    np.cumsum(region, axis=1, out=counts[:, 1:])
    found = np.zeros_like(region)
    columns = np.arange(width)
    for step in range(-reach, reach + 1):
        side = int(np.sqrt(distance**2 - step**2))
        if step >= height or -step >= height:
            continue
        last = counts[:, np.minimum(columns + side + 1, width)]
        wide = last > counts[:, np.maximum(columns - side, 0)]
        found[max(step, 0) : height + min(step, 0)] |= wide[max(-step, 0) : height - max(step, 0)]
    return found


def joined_to(seeds: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The parts of a mask, joined by sides, that hold a seed; both bool (H, W)."""
    labels, count = parts_of(mask, corners=False)
    holds = np.zeros(count + 1, bool)
    holds[labels[seeds & mask]] = True
    return holds[labels]


def parts_of(region: np.ndarray, *, corners: bool = True) -> tuple[np.ndarray, int]:
    """Number the parts of a region, bool (H, W), that are joined by sides, or by corners as well.

    Returns:
        int (H, W), 0 outside and parts from 1 in reading order, and how many there are.
    """
    begins = region.copy()
    begins[:, 1:] &= ~region[:, :-1]
    runs = np.cumsum(begins).reshape(region.shape)  # Of pixels in a row; each has a number.
    above, below = region[:-1], region[1:]
    pairs = [_met(above, below, runs[:-1], runs[1:])]
    if corners:
        pairs.append(_met(above[:, 1:], below[:, :-1], runs[:-1, 1:], runs[1:, :-1]))
        pairs.append(_met(above[:, :-1], below[:, 1:], runs[:-1, :-1], runs[1:, 1:]))
    first, second = np.concatenate(pairs, axis=1)
    lowest = _lowest_joined(int(runs[-1, -1]) + 1, first, second)
    roots = lowest == np.arange(len(lowest))
    number = np.cumsum(roots) - 1  # Number 0 is what lies outside.
    return np.where(region, number[lowest][runs], 0), int(number[-1])


def _met(
    above: np.ndarray, below: np.ndarray, runs_above: np.ndarray, runs_below: np.ndarray
) -> np.ndarray:
    """Which runs touch, each touch once: int (2, n)."""
    touching = above & below
    touches = touching.copy()
    touches[:, 1:] &= ~touching[:, :-1]
    return np.stack([runs_above[touches], runs_below[touches]])


def _lowest_joined(count: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """For each of ``count`` numbers, the lowest that pairs of numbers join it to."""
    lowest = np.arange(count)
    while True:
        a, b = lowest[first], lowest[second]
        if np.array_equal(a, b):
            return lowest
        np.minimum.at(lowest, np.maximum(a, b), np.minimum(a, b))
        while True:
            jumped = lowest[lowest]
            if np.array_equal(jumped, lowest):
                break
            lowest = jumped
