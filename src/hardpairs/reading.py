"""Reading files that may hold anything: sizes checked before anything is unpacked, no code run.

Every fault of a file is an `InputError` that names it.
"""

import csv
import importlib
import io
import json
import math
import re
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from hardpairs.errors import InputError

# What a file may unpack to: this, or so many times its own size, whichever is more. 0/1 rows of
# 50,000 images and 1,000 classes are 400 MB as float64 and pack to a thousandth.
UNPACKED_BYTES = 512 * 2**20
UNPACKED_RATIO = 30
ARRAY_KINDS = "biufUS"
PACKAGES = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma"}
LZMA_MEMORY = 2**27  # xz -9 takes 65 MiB.
PACKAGE_ENDINGS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
SURROGATES = re.compile("[\ud800-\udfff]")
LARGEST_ITEM = 2**20  # Bytes of one element: a text of 262,144 characters.


@contextmanager
def guarded(path: str | Path, what: str) -> Iterator[None]:
    """Turn every fault met while reading ``path`` into an InputError.

    What foreign bytes raise inside a parser is not documented by any of them (zipfile, NumPy and
    json raise some fifteen types between them), so all are caught here, and nowhere else.

    Args:
        path: The file.
        what: What it should have been, as in "an .npz file; save it with numpy.savez".
    """
    try:
        yield
    except InputError as error:
        message = str(error)
        raise InputError(message if str(path) in message else f"{path}: {message}") from error
    except OSError as error:
        if error.errno is None:  # Not the system's word but a decoder's, as gzip's on damage.
            raise InputError(f"{path}: is damaged or isn't {what} ({error}).") from error
        reason = error.strerror or type(error).__name__
        raise InputError(f"{path}: can't be read ({reason}); check the path.") from error
    except Exception as error:
        reason = clean_text(str(error)).strip().split("\n")[0][:80] or type(error).__name__
        raise InputError(f"{path}: is damaged or isn't {what} ({reason}).") from error


def clean_text(text: str) -> str:
    """Replace what can't be written as UTF-8 (lone surrogates) by the replacement character."""
    return SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)


def json_safe(value: Any, *, depth: int = 20) -> Any:
    """Make foreign metadata strict JSON: what JSON lacks becomes null or text.

    NaN and infinities become None, arrays lists, other objects their text; below ``depth`` levels
    lists and objects are left out.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, dict | list | tuple) and not depth:
        return "..."
    if isinstance(value, dict):
        return {clean_text(str(key)): json_safe(v, depth=depth - 1) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(each, depth=depth - 1) for each in value]
    return _json_atom(value)


def _json_atom(value: Any) -> bool | int | float | str | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else f"{value:#x}"  # Text: no limit of digits.
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return clean_text(str(value))


def read_text(path: str | Path) -> str:
    """Read UTF-8 text, with or without a byte-order mark, packed or not, see `read_unpacked`.

    UTF-16 is read where a byte-order mark says so, as spreadsheets write it.

    Raises:
        InputError: Missing, another encoding, or unpacking to more than it should.
    """
    path = Path(path)
    with guarded(path, "readable text"):
        most = max(UNPACKED_BYTES, UNPACKED_RATIO * path.stat().st_size)
        content = read_unpacked(path, most)
        is_utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        try:
            return content.decode("utf-16" if is_utf16 else "utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}: is not UTF-8 text (byte {error.start:,} is {content[error.start]:#04x}); "
                "save it as UTF-8."
            ) from error


def read_unpacked(path: str | Path, most_bytes: int) -> bytes:
    """Read a file; one packed with gzip, bzip2 or xz, told by its first bytes, is unpacked.

    Args:
        path: The file.
        most_bytes: What it may unpack to. Not a byte more is ever unpacked.

    Raises:
        InputError: Missing, a damaged package, or larger.
    """
    with guarded(path, "readable"), Path(path).open("rb") as file:
        start = file.read(6)
    packed = next((name for magic, name in PACKAGES.items() if start.startswith(magic)), None)
    ending = PACKAGE_ENDINGS.get(Path(path).suffix.lower())
    if ending and ending != packed:
        raise InputError(f"{path}: isn't packed with {ending}, as its name says; fetch it again.")
    with guarded(path, f"a whole {packed} file; fetch it again" if packed else "readable"):
        if packed == "lzma":
            content = _unpack_lzma(Path(path), most_bytes + 1)
        else:
            # Imported by name: most processes need neither.
            opener = importlib.import_module(packed).open if packed else open
            with opener(path, "rb") as file:
                content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise InputError(
            f"{path}: holds more than {most_bytes:,} bytes, the most that is read here; "
            "give a smaller file."
        )
    return content


def _unpack_lzma(path: Path, most_bytes: int) -> bytes:
    """Unpack with bounded memory: the file's own header says how much a decoder should take."""
    import lzma  # noqa: PLC0415 -- Most processes never need it.

    decoder = lzma.LZMADecompressor(memlimit=LZMA_MEMORY)
    content = bytearray()
    with path.open("rb") as file:
        while not decoder.eof and len(content) < most_bytes:
            packed = file.read(2**16) if decoder.needs_input else b""
            if decoder.needs_input and not packed:
                raise EOFError("it ends too early")
            content += decoder.decompress(packed, most_bytes - len(content))
    return bytes(content)


def read_json(path: str | Path) -> Any:
    """Read JSON; NaN and infinities become None.

    Raises:
        InputError: Missing or not JSON.
    """
    text = read_text(path)
    with guarded(path, "JSON"):
        return parse_json(text)


def parse_json(text: str) -> Any:
    """Parse JSON; NaN and infinities, which strict JSON hasn't, become None.

    Raises:
        ValueError, RecursionError: It isn't JSON.
    """
    return json.loads(text, parse_constant=lambda _: None)


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read TOML.

    Raises:
        InputError: Missing or not TOML.
    """
    text = read_text(path)
    with guarded(path, "TOML"):
        return tomllib.loads(text)


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Read comma-separated text with a header: one dict a line, every line as long as the header.

    Raises:
        InputError: Missing, not UTF-8, without a header, or ragged.
    """
    text = read_text(path)
    with guarded(path, "comma-separated text"):
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
        if not header or len(set(header)) != len(header):
            raise InputError("needs a first line of column names, all different.")
        for number, row in enumerate(rows, start=2):
            if len(row) != len(header):
                raise InputError(
                    f"line {number} has {len(row)} cells where the header has {len(header)}."
                )
        return [dict(zip(header, row, strict=True)) for row in rows]


def read_numbers_csv(path: str | Path) -> dict[str, list[float]]:
    """Read comma-separated columns of finite numbers, as a training's history.

    Raises:
        InputError: As `read_csv`, or a cell is no finite number.
    """
    rows = read_csv(path)
    with guarded(path, "a table of numbers"):
        columns = {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}
    for name, values in columns.items():
        if not all(map(math.isfinite, values)):
            raise InputError(f"{path}: column {name!r} holds NaN or infinity; write it again.")
    return columns


def read_npy(path: str | Path, *, most_bytes: int | None = None) -> np.ndarray:
    """Read one array without pickle; ``most_bytes`` as in `read_npz`.

    Raises:
        InputError: Missing, damaged, of objects, or of another size than it claims.
    """
    what = "an .npy file of plain numbers or texts; save it with numpy.save"
    with guarded(path, what), Path(path).open("rb") as file:
        return _read_array(file, Path(path).stat().st_size, most_bytes)


def read_npz(
    path: str | Path, names: Sequence[str] | None = None, *, most_bytes: int | None = None
) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz without pickle, after checking what they claim.

    Args:
        path: The file.
        names: Which to read, those that are there; by default all.
        most_bytes: What all together may unpack to; by default 512 MiB, or 30 times the file.

    Raises:
        InputError: Missing, damaged, an array of objects, or larger than it can be.
    """
    path = Path(path)
    with guarded(path, "an .npz file (a zip of plain arrays); save it with numpy.savez"):
        most = most_bytes or max(UNPACKED_BYTES, UNPACKED_RATIO * path.stat().st_size)
        with zipfile.ZipFile(path) as archive:
            wanted = [entry for entry in archive.infolist() if _is_wanted(entry, names)]
            _check_entries(wanted, most)
            arrays = {}
            for entry in wanted:
                name = entry.filename.removesuffix(".npy")
                with guarded(path, f"readable as array {name!r}"), archive.open(entry) as member:
                    arrays[name] = _read_member(member, name, entry.file_size, most)
            return arrays


def _read_member(member: IO[bytes], name: str, size: int, most: int) -> np.ndarray:
    try:
        return _read_array(member, size, most)
    except InputError as error:
        raise InputError(f"array {name!r} {error}") from error


def npz_shapes(path: str | Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """The shape and dtype that each array of an .npz claims; reads headers alone.

    Raises:
        InputError: Missing or damaged.
    """
    with guarded(path, "an .npz file (a zip of plain arrays)"), zipfile.ZipFile(path) as archive:
        shapes = {}
        for entry in archive.infolist():
            if _is_wanted(entry, None):
                _check_entries([entry], entry.file_size)
                with archive.open(entry) as member:
                    shape, dtype = _read_header(member)
                shapes[entry.filename.removesuffix(".npy")] = (shape, str(dtype))
        return shapes


def _is_wanted(entry: zipfile.ZipInfo, names: Sequence[str] | None) -> bool:
    name = entry.filename
    return name.endswith(".npy") and (names is None or name.removesuffix(".npy") in names)


def _check_entries(entries: list[zipfile.ZipInfo], most: int) -> None:
    claimed = sum(entry.file_size for entry in entries)
    if claimed > most:
        raise InputError(
            f"unpacks to {claimed:,} bytes, more than a file of its size should; "
            "if they are right, save it with numpy.savez, unpacked."
        )
    for entry in entries:
        # The other methods can't be stopped at a size while they unpack.
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
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
        raise InputError("holds pickled objects, which are never loaded; " + _PLAIN)
    is_bfloat16 = dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None
    if not is_bfloat16 and (dtype.kind not in ARRAY_KINDS or dtype.itemsize > LARGEST_ITEM):
        raise InputError(f"holds an array of {dtype}; " + _PLAIN)
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
    return bfloat16_to_float32(array) if is_bfloat16 else array


_PLAIN = "save numbers or texts, with array.astype(str) or array.astype(float)."


def bfloat16_to_float32(array: np.ndarray) -> np.ndarray:
    """Read two bytes a number, as NumPy without ml_dtypes gives bfloat16 back, as what it is."""
    raw = np.ascontiguousarray(array).view(np.uint16).reshape(array.shape)
    return (raw.astype(np.uint32) << 16).view(np.float32)
