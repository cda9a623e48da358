"""Opening a photo that may be anything: bounded, by an allow-list, turned upright, flattened."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from hardpairs.data.pictures import FORMATS, pixels_of, turned
from hardpairs.errors import InputError
from hardpairs.foreign import reason_of

MOST_BYTES = 32 * 2**20
MOST_PIXELS = 50_000_000  # What a telephone's camera takes.
# The background and the thing are found at this size; more pixels only take longer.
WORKING_SIDE = 256
OPENED_SIDE = 4 * WORKING_SIDE
REDUCIBLE = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr")


def read_photo(source: Path) -> bytes:
    """Read a photo's file.

    Raises:
        InputError: It can't be read, or is larger than `MOST_BYTES`.
    """
    if source.is_dir():
        raise InputError(
            f"{source}: is a folder; name photos, as {source / '*.jpg'}, and a run before them."
        )
    try:
        with source.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{source}: can't be read ({reason}); check the path.") from error
    if len(content) > MOST_BYTES:
        raise InputError(f"{source}: is larger than {MOST_BYTES:,} bytes; give a smaller photo.")
    return content


def open_photo(
    content: bytes,
    name: str,
    *,
    most_pixels: int = MOST_PIXELS,
    formats: tuple[str, ...] = FORMATS,
) -> Image.Image:
    """Decode a photo: its first frame, upright, RGB or RGBA, at most `OPENED_SIDE` pixels a side.

    Raises:
        InputError: It is in none of ``formats``, damaged, or of more than ``most_pixels``.
    """
    try:
        with Image.open(io.BytesIO(content), formats=formats) as picture:
            if picture.width * picture.height > most_pixels:
                raise _too_large(name, f"{picture.width:,} x {picture.height:,}", most_pixels)
            # A JPEG is decoded at a half, a quarter or an eighth where that is enough.
            picture.draft(None, (OPENED_SIDE, OPENED_SIDE))
            picture.load()
            return _shown(_reduced(picture))
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, "too many", most_pixels) from error
    except Image.UnidentifiedImageError as error:
        raise InputError(
            f"{name}: is no picture in a format that is read here ({', '.join(formats)}); "
            "save it as PNG or JPEG."
        ) from error
    except Exception as error:  # Of damaged bytes Pillow's decoders raise some ten more kinds.
        raise InputError(f"{name}: is damaged ({reason_of(error)}); save it again.") from error


def _too_large(name: str, pixels: str, most: int) -> InputError:
    return InputError(f"{name}: has {pixels} pixels, the most is {most:,} in all; make it smaller.")


def _reduced(picture: Image.Image) -> Image.Image:
    """A large picture at a whole fraction of its size: what follows makes copies of it."""
    factor = max(picture.size) // OPENED_SIDE
    if factor < 2 or picture.format == "TIFF":  # Whose notes on turning don't come along.
        return picture
    if picture.mode == "P" or "transparency" in picture.info:
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    elif picture.mode == "1":
        picture = picture.convert("L")
    return picture.reduce(factor) if picture.mode in REDUCIBLE else picture


def _shown(picture: Image.Image) -> Image.Image:
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    upright = turned(picture)
    if has_alpha:
        shown = upright.convert("RGBA")
    else:
        pixels = pixels_of(upright)
        shown = Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy())
    shown.thumbnail((OPENED_SIDE, OPENED_SIDE), Image.Resampling.BOX)
    return shown
