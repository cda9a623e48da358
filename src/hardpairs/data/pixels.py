"""Arrays of numbers as images: which axis is what, and which number is white."""

import math
from collections.abc import Sequence

import numpy as np

from hardpairs.data.pictures import on_white
from hardpairs.errors import InputError

AT_A_TIME = 1024  # Images converted at once: floats take up to eight times the room.
SLACK = 1e-3  # Resizing and rounding overshoot by so much.
CHANNELS = (1, 3, 4)
DARK, BORDER_SHARE = 32, 0.6  # Of a white-on-black set's outermost pixels, how dark how many are.


def to_nhwc(images: np.ndarray, what: str) -> np.ndarray:
    """Return a view (N, H, W, C), C 1, 3 or 4, of images in any usual order of axes.

    Args:
        images: (N, H, W), (N, H, W, C), (N, C, H, W), or (N, pixels) where square and gray.
        what: How messages call them.

    Raises:
        InputError: They are of another shape, or of one that can be read in two ways.
    """
    shape = images.shape
    if 0 in shape:
        raise InputError(f"{what} have shape {shape}, so there is none; give at least one.")
    if images.ndim == 4:
        last, first = shape[3] in CHANNELS, shape[1] in CHANNELS
        if last and first:  # No image is 4 by 1: what leaves the longer short side is meant.
            as_last, as_first = min(shape[1:3]), min(shape[2:])
            last, first = as_last > as_first, as_first > as_last
        if last != first:
            return images if last else np.moveaxis(images, 1, 3)
    elif images.ndim == 3 and shape[2] not in CHANNELS:
        return images[..., None]
    elif images.ndim == 2:
        side = math.isqrt(shape[1])
        if side * side == shape[1] and side > 1:
            return images.reshape(-1, side, side, 1)
    raise InputError(
        f"{what} have shape {shape}; give (images, height, width), or that with 1, 3 or 4 "
        "channels as the last axis."
    )


def black_and_white(arrays: Sequence[np.ndarray], what: str) -> tuple[tuple[float, float], str]:
    """Decide which numbers are black and white in some arrays, all taken together.

    Returns:
        Black and white, and a sentence where it wasn't plain what is white.

    Raises:
        InputError: It isn't unmistakable: no numbers, NaN, standardised values, or a range of no
            usual kind.
    """
    dtype = np.result_type(*arrays)
    if dtype.kind not in "buif":
        raise InputError(f"{what} are {dtype}; give numbers.")
    low, high, is_whole = _range(arrays, dtype)
    if not math.isfinite(low) or not math.isfinite(high):
        raise InputError(
            f"{what} hold NaN or infinity; give numbers from 0 to 255, or from 0 to 1."
        )
    kind, not_negative, at_most_1 = dtype.kind, low >= -SLACK, high <= 1 + SLACK
    rules = (  # Whether it fits, what is black and white, and what to say.
        (dtype == np.uint8 and high != 1, 0, 255, ""),
        (kind == "b", 0, 1, ""),
        (kind == "f" and not_negative and at_most_1, 0, 1, ""),
        (not_negative and at_most_1, 0, 1, "Their pixels are 0 and 1; 1 is taken for white."),
        (
            *(kind == "f" and not not_negative and low >= -1 - SLACK and at_most_1, -1, 1),
            "Their pixels are from -1 to 1; -1 is taken for black.",
        ),
        (not_negative and 127 < high <= 255 + SLACK, 0, 255, ""),
        (
            *(not_negative and is_whole and high in (15, 16), 0, high),
            f"Their pixels are from 0 to {high:.0f}; the largest is taken for white.",
        ),
        (
            *(dtype == np.uint16 and high > 4095, 0, 65535),
            "Their pixels have 16 bits; the upper 8 are used.",
        ),
    )
    for fits, black, white, note in rules:
        if fits:
            return (black, white), note
    why = "which leaves open what is white" if not_negative else "as after subtracting a mean"
    raise InputError(
        f"{what} are {dtype} from {low:.4g} to {high:.4g}, {why}; scale them, and give bytes from "
        "0 to 255, or floats from 0 to 1."
    )


def _range(arrays: Sequence[np.ndarray], dtype: np.dtype) -> tuple[float, float, bool]:
    """The lowest and the highest value, and whether all are whole numbers."""
    low, high, is_whole = math.inf, -math.inf, True
    for array in arrays:
        for start in range(0, len(array), AT_A_TIME):
            part = array[start : start + AT_A_TIME]
            low, high = min(low, float(part.min())), max(high, float(part.max()))
            if dtype.kind == "f" and is_whole:
                is_whole = bool((part == np.rint(part)).all())
    return low, high, is_whole


def to_bytes(images: np.ndarray, black: float, white: float) -> np.ndarray:
    """Convert (N, H, W, C) a part at a time to uint8, with transparency laid on white."""
    channels = images.shape[3]
    are_bytes = images.dtype == np.uint8 and (black, white) == (0, 255)
    if are_bytes and channels != 4:
        return np.ascontiguousarray(images)
    made = np.empty((*images.shape[:3], 3 if channels == 4 else channels), np.uint8)
    for start in range(0, len(images), AT_A_TIME):
        part = images[start : start + AT_A_TIME]
        if not are_bytes:
            share = (part.astype(np.float32) - black) * np.float32(255 / (white - black))
            part = np.rint(np.clip(share, 0, 255)).astype(np.uint8)
        made[start : start + AT_A_TIME] = on_white(part) if channels == 4 else part
    return made


def is_inverted(images: np.ndarray) -> bool:
    """Whether gray images (N, H, W, 1) are white on black: most of their borders are dark."""
    if images.shape[3] != 1:
        return False
    some = images[:: -(-len(images) // AT_A_TIME), ..., 0]
    border = np.concatenate([some[:, [0, -1]].ravel(), some[:, :, [0, -1]].ravel()])
    return bool((border <= DARK).mean() > BORDER_SHARE)
