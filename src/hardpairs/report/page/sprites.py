"""Sprites: many small images in one PNG, as a data URL that a page can hold."""

import base64
import io
from typing import Any

import matplotlib as mpl
import numpy as np
from PIL import Image

from hardpairs.data.split import drop_gray

COLUMNS = 64  # 10,000 images make 1,792 x 4,396 pixels, well within what browsers decode.
KERNELS_PER_ROW = 8


def images_sprite(images: np.ndarray) -> dict[str, Any]:
    """Put gray images, uint8 (N, height, width, 1), into one sheet, dark on white, row by row.

    Returns:
        "url" of the PNG, "columns" of the sheet, and "width" and "height" of one image, pixels.
    """
    images = drop_gray(images)
    count, height, width = images.shape
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    cells = np.full((rows * columns, height, width), 255, np.uint8)
    np.subtract(255, images, out=cells[:count])
    sheet = cells.reshape(rows, columns, height, width).swapaxes(1, 2)
    return {
        "url": _png_url(sheet.reshape(rows * height, columns * width)),
        "columns": columns,
        "width": width,
        "height": height,
    }


def kernels_sprite(kernels: np.ndarray) -> dict[str, Any]:
    """Put first-layer kernels, float (height, width, 1, filters), into one transparent sheet.

    Each is on its own scale, as in `hardpairs.report.figures.draw_filters`; one pixel lies
    between them.

    Returns:
        "url" of the PNG, its "width" and "height" in pixels, and the "count" of kernels.
    """
    height, width, _, count = kernels.shape
    rows = -(-count // KERNELS_PER_ROW)
    shape = (rows * (height + 1) - 1, KERNELS_PER_ROW * (width + 1) - 1, 4)
    sheet = np.zeros(shape, np.uint8)
    colours = mpl.colormaps["RdBu"]
    for index in range(count):
        row, column = divmod(index, KERNELS_PER_ROW)
        kernel = kernels[:, :, 0, index]
        scaled = kernel / max(float(np.abs(kernel).max()), 1e-12)
        top, left = row * (height + 1), column * (width + 1)
        sheet[top : top + height, left : left + width] = colours((scaled + 1) / 2, bytes=True)
    return {"url": _png_url(sheet), "width": shape[1], "height": shape[0], "count": count}


def _png_url(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
