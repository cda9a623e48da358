"""Reading IDX files, the format of MNIST and its siblings (https://yann.lecun.com/exdb/mnist/)."""

import gzip
import io
import math
import zlib
from pathlib import Path

import numpy as np

from hardpairs.errors import InputError

MAX_BYTES = 2**31  # Far above any sibling of MNIST; a header beyond it is damage or malice.
CHUNK_BYTES = 2**20
UNSIGNED_BYTE = 0x08


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read an IDX file of unsigned bytes, gzipped or plain.

    Memory is taken only for bytes that are really there, never on the word of the header.

    Args:
        path: The file; gzip is recognised by its first bytes, not by the name.
        dimensions: How many dimensions the array must have (3 for images, 1 for labels).

    Returns:
        A read-only uint8 array of the header's shape.

    Raises:
        InputError: The file is missing, unreadable, not IDX, or longer or shorter than its
            header says.
    """
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        if path.suffix == ".gz" and not is_gzip:
            raise InputError(f"{path}: is not a gzip file; fetch it again or drop the .gz ending.")
        with gzip.open(path) if is_gzip else path.open("rb") as stream:
            shape = _read_shape(stream, path, dimensions)
            data = _read_exactly(stream, path, math.prod(shape))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: is a damaged gzip file ({error}); fetch it again.") from error
    except OSError as error:
        raise InputError(
            f"{path}: can't be read ({error.strerror or error}); check the path."
        ) from error
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read_shape(stream: io.BufferedIOBase, path: Path, dimensions: int) -> tuple[int, ...]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise InputError(f"{path}: doesn't start with an IDX magic number; give an IDX file.")
    if magic[2] != UNSIGNED_BYTE:
        raise InputError(
            f"{path}: holds IDX type 0x{magic[2]:02x}, expected unsigned bytes (0x08); convert it."
        )
    if magic[3] != dimensions:
        raise InputError(
            f"{path}: has {magic[3]} dimensions, expected {dimensions}; "
            "check that images and labels aren't swapped."
        )
    header = stream.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise InputError(f"{path}: ends inside its header; fetch it again.")
    shape = tuple(int(size) for size in np.frombuffer(header, ">u4"))
    if math.prod(shape) > MAX_BYTES:
        raise InputError(
            f"{path}: its header claims {math.prod(shape):,} bytes, more than the "
            f"{MAX_BYTES:,} that are supported; the file is damaged or not meant for this."
        )
    return shape


def _read_exactly(stream: io.BufferedIOBase, path: Path, size: int) -> bytes:
    data = bytearray()
    while len(data) <= size and (chunk := stream.read(min(CHUNK_BYTES, size + 1 - len(data)))):
        data += chunk
    if len(data) != size:
        found = "more" if len(data) > size else f"only {len(data):,}"
        raise InputError(
            f"{path}: its header promises {size:,} bytes of data but there are {found}; "
            "fetch it again."
        )
    return bytes(data)
