"""Pictures: one file, or one of Pillow's images, as bytes of gray or colour."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from hardpairs.errors import InputError
from hardpairs.foreign import reason_of

if TYPE_CHECKING:
    from PIL import Image

# What Pillow may take a file for; it knows 40 more formats, some of which run other programs.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
ENDINGS = frozenset(
    (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif")
) | {".ppm", ".pgm", ".pbm", ".pnm"}
SIGNATURES = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    *(b"GIF8", b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"),
)
BLANK = np.full((16, 16, 1), 192, np.uint8)  # In place of a picture that there isn't.


def looks_like_picture(path: str | Path) -> bool:
    """Whether a file begins as pictures do; an empty one or a web page of the same name doesn't."""
    try:
        with open(path, "rb") as file:
            return file.read(4).startswith(SIGNATURES)
    except OSError:
        return False


def read_picture(file: str | Path | IO[bytes], *, side: int = 0, name: str = "") -> np.ndarray:
    """Read one picture, as it should be looked at: turned as its camera says, on white.

    Args:
        file: A path or an open file: PNG, JPEG, WebP, BMP, TIFF, GIF or PNM; of an animation or a
            file of several pages the first one.
        side: What its longer side is scaled down to, pixels; JPEGs are then decoded at a fraction
            of their size, which is several times faster. 0 for all of it.
        name: What to call it in an error; by default the path.

    Returns:
        uint8 (height, width, C), C 1 or 3.

    Raises:
        InputError: It can't be read, or has more pixels than Pillow's limit.
    """
    with _bombs_are_errors():
        return _read(file, side, name or str(file))


def read_pictures(
    files: Iterable[str | Path | IO[bytes]],
    names: Sequence[str],
    unreadable: dict[str, str],
    side: int,
) -> np.ndarray | list[np.ndarray]:
    """Read several pictures side by side, each as `read_picture` does.

    Args:
        files, names: Of n pictures.
        unreadable: Gets by name why one can't be read; in its place stands `BLANK`.
        side: As for `read_picture`.

    Returns:
        uint8 (n, H, W, C) or, of different sizes, a list of (h, w, C).
    """

    def read(file: str | Path | IO[bytes], name: str) -> np.ndarray:
        try:
            return _read(file, side, name)
        except InputError as error:
            unreadable[name] = str(error)
            return BLANK

    # Decoders don't hold Python's lock.
    with _bombs_are_errors(), ThreadPoolExecutor(os.cpu_count()) as pool:
        pictures = list(pool.map(read, files, names))
    return stacked(pictures) if pictures else np.empty((0, 1, 1, 1), np.uint8)


def _read(file: str | Path | IO[bytes], side: int, name: str) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(file, formats=FORMATS) as image:
            if side:
                image.draft(None, (2 * side, 2 * side))
            image.load()
            pixels = pixels_of(turned(image))
            return scaled(pixels, side) if 0 < side < max(pixels.shape[:2]) else pixels
    except Exception as error:  # Of damaged bytes Pillow's decoders raise some ten kinds.
        reason = reason_of(error).split(" '")[0]  # Pillow quotes the path.
        raise InputError(f"{name}: can't be read as a picture ({reason}).") from error


@contextmanager
def _bombs_are_errors() -> Iterator[None]:
    """Refuse a picture of more pixels than Pillow warns of, not only of twice as many.

    For one thread at a time, the others work inside: what warns is a matter of the process.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of odd metadata; the pixels are what counts.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def pixels_of(image: "Image.Image") -> np.ndarray:
    """Return one of Pillow's images as uint8 (height, width, C), C 1 or 3, transparency on white.

    16 bits a pixel become the upper 8 of them; floats are taken as 0 to 1 where they are, else as
    0 to 255.
    """
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB"):
        image = image.convert("RGBA")
    mode = image.mode
    if mode in ("RGBA", "LA"):
        return on_white(np.asarray(image))
    if mode in ("PA", "RGBa", "La"):
        return on_white(np.asarray(image.convert("LA" if mode == "La" else "RGBA")))
    if mode == "F" or mode.startswith("I"):
        return _to_bytes(np.asarray(image))[..., None]
    if mode in ("1", "L"):
        return np.asarray(image.convert("L"))[..., None]
    return np.asarray(image.convert("RGB"))


def scaled(pixels: np.ndarray, side: int) -> np.ndarray:
    """Scale uint8 (h, w, C) until its longer side has ``side`` pixels, in its own proportions."""
    from PIL import Image

    height, width, channels = pixels.shape
    scale = side / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    if size == (width, height):
        return pixels
    # Enlarged, a pixel stays a pixel; made smaller, all of them count.
    how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    picture = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    return np.asarray(picture.resize(size, how)).reshape(size[1], size[0], channels)


def stacked(images: Sequence[np.ndarray]) -> np.ndarray | list[np.ndarray]:
    """Return images of one size as one array, gray ones among colours as colours; else a list."""
    if len({image.shape[:2] for image in images}) != 1:
        return list(images)
    channels = max(image.shape[2] for image in images)
    return np.stack([np.broadcast_to(image, (*image.shape[:2], channels)) for image in images])


def turned(image: "Image.Image") -> "Image.Image":
    """Turn one of Pillow's images as its camera says."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # Damaged notes of a camera say nothing of the picture.
        return image


def on_white(pixels: np.ndarray) -> np.ndarray:
    """Lay (height, width, C + 1), the last being opacity, on white."""
    opacity = pixels[..., -1:].astype(np.uint16)
    laid = pixels[..., :-1] * opacity + 255 * (255 - opacity)
    return ((laid + 127) // 255).astype(np.uint8)


def _to_bytes(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels, nan=0, posinf=0, neginf=0)
        if pixels.min(initial=0) >= 0 and pixels.max(initial=0) <= 1:
            pixels = pixels * 255
        return np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)
    if pixels.dtype.itemsize > 2 and pixels.max(initial=0) < 256:
        return np.clip(pixels, 0, 255).astype(np.uint8)
    return ((np.clip(pixels, 0, 65535).astype(np.uint32) + 128) // 257).astype(np.uint8)
