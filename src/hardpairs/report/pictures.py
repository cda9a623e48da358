"""The one place where figures and the page get pictures from: square, small, dark on white."""

import numpy as np

from hardpairs.analysis.subject import Subject
from hardpairs.data.split import Images, thumbnails

SIDE = 96  # Pixels, of images that aren't small already.


def picture_side(images: Images, most: int = SIDE) -> int:
    """Side of their pictures, pixels: the images' own longer side where that is below ``most``."""
    if isinstance(images, np.ndarray):
        return min(max(images.shape[1:3]), most)
    return most


def pictures(subject: Subject, rows: np.ndarray, side: int = 0) -> np.ndarray:
    """Pictures of some of the images, uint8 (n, side, side, C); none where there are no images."""
    images = subject.images
    if images is None:
        return np.zeros((0, SIDE, SIDE, 1), np.uint8)
    return thumbnails(images, rows, side or picture_side(images), subject.inverted)
