"""Columns of pixels: which names they have, in which order they stand, what image they make."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise, permutations

import numpy as np

from hardpairs.errors import InputError

PIXEL = re.compile(r"(pixel|pix|px|p|x|v|f|feature|col)?[ _-]?\d+([x_]\d+){0,2}", re.IGNORECASE)
FEWEST_PIXELS = 16
SMOOTHER = 0.8  # So much less do neighbouring pixels differ where colours are rightly parted.


def shaped(pixels: np.ndarray, *, is_transposed: bool = False) -> tuple[np.ndarray, list[str]]:
    """(N, P) as (N, side, side, 1 or 3), and a sentence where it wasn't plain.

    Of colours the three of a pixel stand together; or all of one colour, as CIFAR has them, if so
    the images are smoother.
    """
    count = pixels.shape[1]
    channels = 1 if math.isqrt(count) ** 2 == count else 3
    side = math.isqrt(count // channels)
    if side * side * channels != count:
        raise InputError(
            f"images of {count:,} pixels aren't square; give arrays (images, height, width)."
        )
    images, notes = pixels.reshape(-1, side, side, channels), []
    apart = np.moveaxis(pixels.reshape(-1, channels, side, side), 1, 3)
    if channels > 1 and _roughness(apart) < SMOOTHER * _roughness(images):
        images = apart
        notes.append("All pixels of one colour stand together in it, as those of CIFAR do.")
    return images.swapaxes(1, 2) if is_transposed else images, notes


def _roughness(images: np.ndarray) -> float:
    """How much neighbouring pixels of the first images (N, H, W, C) differ."""
    some = images[:256].astype(np.float32)
    return float(sum(np.abs(np.diff(some, axis=axis)).mean() for axis in (1, 2)))


def in_order(names: Sequence[str]) -> list[int]:
    """The places of columns of pixels in the order of the numbers in their names.

    What sorts names as texts puts pixel10 before pixel2. Names of rows and columns may count the
    one or the other first.
    """
    keys = [tuple(map(int, re.findall(r"\d+", name))) for name in names]
    places = list(range(len(names)))
    width = len(keys[0]) if keys else 0
    if len(set(keys)) < len(keys) or any(len(key) != width for key in keys):
        return places
    ways = ([tuple(key[i] for i in way) for key in keys] for way in permutations(range(width)))
    if any(all(before < after for before, after in pairwise(way)) for way in ways):
        return places
    return sorted(places, key=keys.__getitem__)
