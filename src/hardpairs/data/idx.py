"""Reading IDX files, the format of MNIST and its siblings (https://yann.lecun.com/exdb/mnist/)."""

import gzip
import io
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hardpairs.errors import InputError
from hardpairs.foreign import reason_of
from hardpairs.reading import guarded

MAX_BYTES = 2**31  # Far above any sibling of MNIST; a header beyond it is damage or malice.
TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4"}


def read_idx(path: str | Path, *dimensions: int) -> np.ndarray:
    """Read an IDX file, gzipped or plain.

    Memory is taken only for bytes that are really there, never on the word of the header.

    Args:
        path: The file; gzip is recognised by its first bytes, not by the name.
        dimensions: How many dimensions the array may have (3 or 4 for images, 1 or 2 for labels).

    Returns:
        A read-only array of the header's shape and type.

    Raises:
        InputError: The file is missing, unreadable, not IDX, or longer or shorter than its
            header says.
    """
    path = Path(path)
    with guarded(path, "a whole IDX file; fetch it again"), _damage_of_gzip(path):
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        if path.suffix == ".gz" and not is_gzip:
            raise InputError(f"{path}: is not a gzip file; fetch it again or drop the .gz ending.")
        with gzip.open(path) if is_gzip else path.open("rb") as stream:
            shape, dtype = _read_header(stream, path, dimensions)
            start, size = stream.tell(), math.prod(shape) * dtype.itemsize
        data = (_unzip if is_gzip else _read)(path, start + size + 1)
        if len(data) != start + size:
            found = "more" if len(data) > start + size else f"only {len(data) - start:,}"
            raise InputError(
                f"{path}: its header announces {size:,} bytes of data but there are {found}; "
                "fetch it again."
            )
        return np.frombuffer(data, dtype, offset=start).reshape(shape)


@contextmanager
def _damage_of_gzip(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: is a damaged gzip file ({reason_of(error)}); fetch it again."
        ) from error


def _read_header(
    stream: io.BufferedIOBase, path: Path, dimensions: tuple[int, ...]
) -> tuple[tuple[int, ...], np.dtype]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise InputError(f"{path}: doesn't start with an IDX magic number; give an IDX file.")
    if magic[2] not in TYPES:
        raise InputError(
            f"{path}: holds IDX type 0x{magic[2]:02x}, expected bytes (0x08) or integers; "
            "convert it."
        )
    if magic[3] not in dimensions:
        raise InputError(
            f"{path}: has {magic[3]} dimensions, expected {' or '.join(map(str, dimensions))}; "
            "check that images and labels aren't swapped."
        )
    header = stream.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise InputError(f"{path}: ends inside its header; fetch it again.")
    shape = tuple(int(size) for size in np.frombuffer(header, ">u4"))
    dtype = np.dtype(TYPES[magic[2]])
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES or math.prod(max(side, 1) for side in shape) > MAX_BYTES:
        raise InputError(
            f"{path}: its header claims {size:,} bytes, more than the "
            f"{MAX_BYTES:,} that are supported; the file is damaged or not meant for this."
        )
    return shape, dtype


def _read(path: Path, most: int) -> bytes:
    """A file's first bytes; memory is taken for those that are there."""
    with path.open("rb") as file:
        return file.read(min(most, os.fstat(file.fileno()).st_size))


def _unzip(path: Path, most: int) -> bytes:
    """The first bytes of what a gzip file holds, in one call that other threads can run beside."""
    packed, unpacked = path.read_bytes(), b""
    while packed and len(unpacked) < most:
        member = zlib.decompressobj(wbits=31)
        unpacked += member.decompress(packed, most - len(unpacked))
        if not member.eof and len(unpacked) < most:
            raise EOFError("it ends too early")
        packed = member.unused_data.lstrip(b"\0")
    return unpacked
