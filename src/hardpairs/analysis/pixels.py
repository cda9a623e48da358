"""Images of any size and colour as rows of numbers that can be compared."""

import hashlib
from collections.abc import Iterator

import numpy as np

from hardpairs.data.progress import counted
from hardpairs.data.split import Images, thumbnails

GRAY_SIDE, COLOUR_SIDE = 28, 16  # About as many numbers: 784 and 768.
AT_A_TIME = 256


def small_pixels(*parts: Images) -> np.ndarray:
    """Return float32 (N, D), pixels from 0 to 1 of `small_images`."""
    small = small_images(*parts)
    return small.reshape(len(small), -1).astype(np.float32) / 255


def small_images(*parts: Images) -> np.ndarray:
    """Return uint8 (N, H, W, C), all images on a common small size.

    Images of one size that have no more pixels than that stay as they are. Others are scaled into a
    square, each in its own proportions: 28 pixels a side, and 16 where there is colour.

    Args:
        parts: Images, one or more collections of them, taken together in their order.
    """
    if are_small(*parts):
        return np.concatenate([np.asarray(part) for part in parts])
    side = COLOUR_SIDE if any(_has_colour(part) for part in parts) else GRAY_SIDE
    small = [thumbnails(part, np.arange(len(part)), side) for part in parts]
    channels = max(part.shape[3] for part in small)
    # Gray among coloured ones is the same value in each colour.
    return np.concatenate([np.broadcast_to(part, (*part.shape[:3], channels)) for part in small])


def are_small(*parts: Images) -> bool:
    """Whether `small_images` leaves them as they are: in memory, of one size, and that small."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    shapes = {part.shape[1:] for part in arrays}
    return len(arrays) == len(parts) and len(shapes) == 1 and np.prod(*shapes) <= GRAY_SIDE**2


def digests(images: Images) -> Iterator[bytes]:
    """Yield a hash of each image's size and bytes, reading a few images at a time."""
    starts = range(0, len(images), AT_A_TIME)
    for start in counted(starts, "comparing pictures", len(images)):
        for image in images[np.arange(start, min(start + AT_A_TIME, len(images)))]:
            pixels = np.ascontiguousarray(image)
            yield hashlib.blake2b(f"{pixels.shape}".encode() + pixels.tobytes()).digest()


def _has_colour(images: Images) -> bool:
    if isinstance(images, np.ndarray):
        return images.ndim == 4 and images.shape[3] == 3
    return any(image.shape[2] == 3 for image in images[np.arange(min(AT_A_TIME, len(images)))])
