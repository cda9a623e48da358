"""Sprites: many small pictures in one sheet, as a data URL that a page can hold."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from hardpairs.data.split import Images, thumbnails
from hardpairs.report.figures import kernel_pixels
from hardpairs.report.pictures import picture_side

COLUMNS = 64
KERNELS_PER_ROW = 8
SMALL = 32  # Up to this side gray pictures are kept to the pixel,
MOST_EXACT = 4_000  # and up to so many: more would take seconds to open.
LARGEST_SIDE, SMALLEST_SIDE = 128, 32
MOST_PIXELS = 20_000_000  # Of a sheet; browsers decode it whole.
QUALITY = 65  # WebP's; a picture of 44 x 44 pixels takes about 500 bytes.


def images_sprite(
    images: Images, rows: np.ndarray, *, inverted: bool = False, lossy: bool = False
) -> dict[str, Any] | None:
    """Put pictures of some images into one sheet, row by row; None where there are none.

    Args:
        images: Of any sizes.
        rows: int64 (n,), which of them.
        inverted: Whether they are white on black.
        lossy: Whether small gray pictures may be less than exact too, in a third of the bytes.

    Returns:
        "url" of the sheet, "columns" of it, and "side" of one picture, pixels.
    """
    if not len(rows):
        return None
    room = int((MOST_PIXELS / len(rows)) ** 0.5)
    side = min(picture_side(images, LARGEST_SIDE), max(room, SMALLEST_SIDE))
    pictures = thumbnails(images, rows, side, inverted)
    exact = not lossy and side <= SMALL and pictures.shape[3] == 1 and len(rows) <= MOST_EXACT
    columns = min(COLUMNS, len(rows))
    lines = -(-len(rows) // columns)
    cells = np.full((lines * columns, *pictures.shape[1:]), 255, np.uint8)
    cells[: len(rows)] = pictures
    sheet = cells.reshape(lines, columns, side, side, -1).swapaxes(1, 2)
    sheet = sheet.reshape(lines * side, columns * side, -1)
    return {
        "url": _url(sheet[..., 0] if sheet.shape[2] == 1 else sheet, "PNG" if exact else "WEBP"),
        "columns": columns,
        "side": side,
    }


def kernels_sprite(kernels: np.ndarray) -> dict[str, Any] | None:
    """Put first-layer kernels, float (height, width, 1 or 3, filters), into one transparent sheet.

    Each is on its own scale, as in `hardpairs.report.figures.draw_filters`; one pixel lies
    between them.

    Returns:
        "url" of the PNG, its "width" and "height" in pixels, the "count" of kernels and whether
        they are "coloured"; None for kernels of other shapes.
    """
    if kernels.ndim != 4 or kernels.shape[2] not in (1, 3):
        return None
    height, width, channels, count = kernels.shape
    rows = -(-count // KERNELS_PER_ROW)
    shape = (rows * (height + 1) - 1, KERNELS_PER_ROW * (width + 1) - 1, 4)
    sheet = np.zeros(shape, np.uint8)
    for index in range(count):
        row, column = divmod(index, KERNELS_PER_ROW)
        top, left = row * (height + 1), column * (width + 1)
        place = sheet[top : top + height, left : left + width]
        place[..., :3], place[..., 3] = kernel_pixels(kernels[..., index]), 255
    return {
        "url": _url(sheet, "PNG"),
        "width": shape[1],
        "height": shape[0],
        "count": count,
        "coloured": channels == 3,
    }


def _url(pixels: np.ndarray, kind: str) -> str:
    file = io.BytesIO()
    options = {"quality": QUALITY, "method": 2} if kind == "WEBP" else {}
    Image.fromarray(pixels).save(file, kind, **options)
    packed = base64.b64encode(file.getvalue()).decode("ascii")
    return f"data:image/{kind.lower()};base64,{packed}"
