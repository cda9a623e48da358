"""NumPy's files, which may hold anything: claims are checked before memory is taken, no pickles."""

import math
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from hardpairs.errors import InputError
from hardpairs.reading import BOUNDED, guarded, most_unpacked

ARRAY_KINDS = "biufUS"
LARGEST_ITEM = 2**20  # Bytes of one element: a text of 262,144 characters.
NPZ = "an .npz file (a zip of plain arrays); save it with numpy.savez"
NPY = "an .npy file of plain numbers or texts; save it with numpy.save"
PLAIN = "save numbers or texts, with array.astype(str) or array.astype(float)."


def read_npy(path: str | Path, *, most_bytes: int | None = None, what: str = NPY) -> np.ndarray:
    """Read one array without pickle; ``most_bytes`` and ``what`` as in `read_npz`.

    Raises:
        InputError: Missing, damaged, of objects, or of another size than it claims.
    """
    with guarded(path, what), Path(path).open("rb") as file:
        return _read_array(file, Path(path).stat().st_size, most_bytes)


def read_npz(
    path: str | Path,
    names: Sequence[str] | None = None,
    *,
    most_bytes: int | None = None,
    what: str = NPZ,
) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz without pickle, after checking what they claim.

    Args:
        path: The file.
        names: Which to read, those that are there; by default all.
        most_bytes: What all together may unpack to; by default 512 MiB, or 30 times the file.
        what: What it should have been and what to do where it is damaged, as `guarded` says it.

    Raises:
        InputError: Missing, damaged, an array of objects, or larger than it can be.
    """
    path = Path(path)
    with guarded(path, what):
        most = most_bytes or most_unpacked(path)
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive)
            wanted = {name: entries[name] for name in entries if names is None or name in names}
            _check_entries(wanted.values(), most)
            arrays = {}
            for name, entry in wanted.items():
                with archive.open(entry) as member:
                    arrays[name] = _read_member(member, name, entry.file_size, most)
            return arrays


def _read_member(member: IO[bytes], name: str, size: int, most: int) -> np.ndarray:
    try:
        return _read_array(member, size, most)
    except InputError as error:
        raise InputError(f"array {name!r} {error}") from error


def npz_names(path: str | Path) -> list[str]:
    """The names of an .npz's arrays; reads none of them.

    Raises:
        InputError: Missing or damaged.
    """
    with guarded(path, NPZ), zipfile.ZipFile(path) as archive:
        return list(_entries(archive))


def npz_shapes(path: str | Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """The shape and dtype that each array of an .npz claims; reads headers alone.

    Raises:
        InputError: Missing or damaged.
    """
    with guarded(path, NPZ), zipfile.ZipFile(path) as archive:
        shapes = {}
        for name, entry in _entries(archive).items():
            _check_entries([entry], entry.file_size)
            with archive.open(entry) as member:
                shape, dtype = _read_header(member)
            shapes[name] = (shape, str(dtype))
        return shapes


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The arrays by name."""
    found = {entry.filename: entry for entry in archive.infolist()}
    return {
        name.removesuffix(".npy"): entry for name, entry in found.items() if name.endswith(".npy")
    }


def _check_entries(entries: Collection[zipfile.ZipInfo], most: int) -> None:
    claimed = sum(entry.file_size for entry in entries)
    if claimed > most:
        raise InputError(
            f"unpacks to {claimed:,} bytes, more than a file of its size should; "
            "if they are right, save it with numpy.savez, unpacked."
        )
    for entry in entries:
        if entry.compress_type not in BOUNDED:
            raise InputError("is packed in another way than numpy.savez packs; save it with that.")


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise InputError(f"holds an array of format {version}; save plain arrays.")
    shape, _, dtype = readers[version](file)
    return shape, dtype


def _read_array(file: IO[bytes], size: int, most_bytes: int | None) -> np.ndarray:
    """Read an array of ``size`` bytes, header included."""
    start = file.tell()
    shape, dtype = _read_header(file)
    if dtype.hasobject:
        raise InputError("holds pickled objects, which are never loaded; " + PLAIN)
    if dtype.names is not None:
        raise InputError(
            f"holds records of the fields {', '.join(map(repr, dtype.names))[:80]}; save each as "
            "an array of its own, with numpy.savez."
        )
    packed = is_bfloat16(dtype)
    if not packed and (dtype.kind not in ARRAY_KINDS or dtype.itemsize > LARGEST_ITEM):
        raise InputError(f"holds an array of {dtype}; " + PLAIN)
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > size - (file.tell() - start) or max(shape, default=0) > size:
        raise InputError(
            f"claims an array of shape {shape}, more than its {size:,} bytes can hold; "
            "save it again."
        )
    if most_bytes is not None and claimed > most_bytes:
        raise InputError(
            f"claims an array of shape {shape}, {claimed:,} bytes, where at most {most_bytes:,} "
            "are expected; save it again."
        )
    file.seek(start)
    array = np.lib.format.read_array(file, allow_pickle=False)
    return bfloat16_to_float32(array) if packed else array


def is_bfloat16(dtype: np.dtype) -> bool:
    """Whether it is what NumPy without ml_dtypes makes of bfloat16: two bytes of no known type."""
    return dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None


def bfloat16_to_float32(array: np.ndarray) -> np.ndarray:
    """Read two bytes a number, as NumPy without ml_dtypes gives bfloat16 back, as what it is."""
    raw = np.ascontiguousarray(array).view(np.uint16).reshape(array.shape)
    return (raw.astype(np.uint32) << 16).view(np.float32)
