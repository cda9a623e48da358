"""The one place where figures and the page get pictures from: square, small, dark on white."""

from typing import Any

import numpy as np

from hardpairs.analysis.subject import Subject
from hardpairs.data.split import Images, thumbnails

SIDE = 96  # Pixels, of images that aren't small already.
ASKED = 16


def picture_side(images: Images, most: int = SIDE) -> int:
    """Side of their pictures, pixels: the images' own longer side where it is below ``most``.

    Of images that are read when asked for, a few are asked, evenly spread.
    """
    some: Any = images
    if not isinstance(images, np.ndarray):
        some = images[np.unique(np.linspace(0, len(images) - 1, ASKED).astype(np.int64))]
    if isinstance(some, np.ndarray):
        return min(max(some.shape[1:3]), most)
    return min(max((max(image.shape[:2]) for image in some), default=most), most)


def pictures(subject: Subject, rows: np.ndarray) -> np.ndarray:
    """Pictures of some of the images, uint8 (n, side, side, C); none where there are no images."""
    images = subject.images
    if images is None:
        return np.zeros((0, SIDE, SIDE, 1), np.uint8)
    return thumbnails(images, rows, picture_side(images), subject.inverted)
