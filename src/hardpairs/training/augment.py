"""Augmentation: what a recipe's table of changes does to a batch of images, in the table's order.

Each function takes uint8 images (B, H, W, C), the value that stands in the table and a generator,
and returns images of the same shape. Background, which is 0, moves in from outside.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def augment(
    images: np.ndarray,
    table: Sequence[tuple[str, Any]],
    rng: np.random.Generator,
    turns: np.ndarray,
) -> np.ndarray:
    """Change images, uint8 (B, H, W, C), as a recipe's rows (name, value) say, one by one.

    ``turns``, int (B,), say how often each image was shown before, counted from a number of its
    own: with ("flip", "alternating") it is mirrored in every other one, so that both sides are seen
    equally often (Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.6).
    """
    for name, value in table:
        if (name, value) == ("flip", "alternating"):
            images = _mirrored(images, turns % 2 == 1)
        else:
            images = AUGMENTATIONS[name](images, value, rng)
    return images


def flip(images: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Mirror each image left to right with a probability of ``share``."""
    return _mirrored(images, rng.random(len(images)) < share)


def _mirrored(images: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.where(chosen[:, None, None, None], images[:, :, ::-1], images)


def rotate_and_zoom(
    images: np.ndarray, most: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Turn and scale each image about its centre, in one bilinear resampling.

    Args:
        images: uint8 (B, H, W, C).
        most: Angles are uniform within the first, a share of a full turn, both ways; scales from
            1 minus the second to 1 plus the second. Both as in Keras.
        rng: Drawn from twice, in this order.
    """
    rotation, zoom = most
    count, height, width, channels = images.shape
    angle = 2 * np.pi * rng.uniform(-rotation, rotation, (count, 1, 1))
    scale = rng.uniform(1 - zoom, 1 + zoom, (count, 1, 1))
    cosine = (scale * np.cos(angle)).astype(np.float32)
    sine = (scale * np.sin(angle)).astype(np.float32)
    down = np.arange(height, dtype=np.float32)[:, None] - np.float32((height - 1) / 2)
    right = np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2)
    # Background on every side, so that whatever lies outside can be clipped to it.
    rows = (cosine * down + sine * right) + np.float32((height + 1) / 2)
    columns = (cosine * right - sine * down) + np.float32((width + 1) / 2)
    np.clip(rows, 0, height + 1, out=rows)
    np.clip(columns, 0, width + 1, out=columns)
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    rows -= top
    columns -= left
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0))).reshape(-1, channels)
    stride = width + 3
    corner = top * np.int32(stride) + left
    corner += np.arange(count, dtype=np.int32)[:, None, None] * np.int32((height + 3) * stride)
    rows, columns = rows[..., None], columns[..., None]
    upper = _between(padded.take(corner, 0), padded.take(corner + 1, 0), columns)
    corner += stride
    lower = _between(padded.take(corner, 0), padded.take(corner + 1, 0), columns)
    return (_between(upper, lower, rows) + np.float32(0.5)).astype(np.uint8)


def _between(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    start = first.astype(np.float32, copy=False)
    return start + (second - start) * share


def shift(images: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Move each image by -most..most whole pixels down and right."""
    count, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    down, right = rng.integers(0, 2 * most + 1, size=(2, count))
    windows = sliding_window_view(padded, (height, width), axis=(1, 2))
    return np.moveaxis(windows[np.arange(count), down, right], 1, -1)


def cutout(images: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Blank a square at a random place, which may reach over the edge (DeVries, Taylor 2017)."""
    count, height, width, _ = images.shape
    top = rng.integers(1 - size, height, size=(count, 1, 1))
    left = rng.integers(1 - size, width, size=(count, 1, 1))
    rows, columns = np.arange(height)[:, None], np.arange(width)
    inside = (rows >= top) & (rows < top + size) & (columns >= left) & (columns < left + size)
    blanked = images.copy()
    blanked[inside] = 0
    return blanked


def erase(images: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Fill a rectangle of some images with noise: random erasing (Zhong et al., AAAI 2020).

    Args:
        images: uint8 (B, H, W, C).
        share: Each image is chosen with this probability.
        rng: Decides which images, where, and the noise. Areas are 0.02 to 0.4 of an image and
            sides 0.3 to 1 to each other, as in the paper, which finds noise better than one
            colour; here black would be background, a piece of clothing of another shape.
    """
    count, height, width, _ = images.shape
    area = height * width * rng.uniform(0.02, 0.4, (count, 1, 1))
    stretch = np.exp(rng.uniform(np.log(0.3), -np.log(0.3), (count, 1, 1)))
    tall = np.minimum(np.sqrt(area * stretch), height).astype(int)
    wide = np.minimum(np.sqrt(area / stretch), width).astype(int)
    top = (rng.random((count, 1, 1)) * (height - tall + 1)).astype(int)
    left = (rng.random((count, 1, 1)) * (width - wide + 1)).astype(int)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    inside = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)
    chosen = inside & (rng.random((count, 1, 1)) < share)
    noise = rng.integers(0, 256, images.shape, np.uint8)
    erased = images.copy()
    erased[chosen] = noise[chosen]
    return erased


def mix(
    images: np.ndarray, targets: np.ndarray, concentration: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Blend each image and its target with another's: mixup (Zhang et al., ICLR 2018).

    Args:
        images: uint8 (B, H, W, C).
        targets: float32 (B, K).
        concentration: Both parameters of the beta distribution of the shares, the paper's alpha.
            Of its two images each blend keeps half or more of the first, so that classes stay as
            frequent as they are.
        rng: Draws the shares, then the order of the second images.
    """
    share = rng.beta(concentration, concentration, len(images))
    share = np.round(256 * np.maximum(share, 1 - share))
    other = rng.permutation(len(images))
    of_pixels = share.astype(np.uint16)[:, None, None, None]
    blended: Any = images * of_pixels + images[other] * (256 - of_pixels)
    of_targets = (share / 256).astype(np.float32)[:, None]
    mixed = targets * of_targets + targets[other] * (1 - of_targets)
    return ((blended + 128) >> 8).astype(np.uint8), mixed


AUGMENTATIONS: dict[str, Callable[[np.ndarray, Any, np.random.Generator], np.ndarray]] = {
    "flip": flip,
    "rotate_and_zoom": rotate_and_zoom,
    "shift": shift,
    "cutout": cutout,
    "erase": erase,
}
