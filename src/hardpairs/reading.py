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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.errors import InputError, address_given, is_address
from hardpairs.foreign import reason_of

# What a file may unpack to: this, or so many times its own size, whichever is more. 0/1 rows of
# 50,000 images and 1,000 classes are 400 MB as float64 and pack to a thousandth.
UNPACKED_BYTES = 512 * 2**20
UNPACKED_RATIO = 30
PACKAGES = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma", b"PK\x03\x04": "zip"}
LZMA_MEMORY = 2**27  # xz -9 takes 65 MiB.
PACKAGE_ENDINGS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma", ".zip": "zip"}
# Of a zip's methods, those that can be stopped at a size while they unpack.
BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
SURROGATES = re.compile("[\ud800-\udfff]")


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
            raise InputError(f"{path}: is damaged or isn't {what} ({reason_of(error)}).") from error
        if is_address(path):
            raise InputError(address_given(path)) from error
        reason = error.strerror or type(error).__name__
        raise InputError(f"{path}: can't be read ({reason}); check the path.") from error
    except MemoryError as error:
        raise InputError(
            f"{path}: takes more memory than is free; close other programs."
        ) from error
    except Exception as error:
        raise InputError(f"{path}: is damaged or isn't {what} ({reason_of(error)}).") from error


@contextmanager
def understood(path: str | Path, what: str) -> Iterator[None]:
    """Turn faults met in what was read whole from ``path`` into an InputError.

    Foreign values can be of any form, but a file that could be parsed isn't damaged.

    Args:
        path: The file.
        what: What its values should be, as in "predictions".
    """
    with guarded(path, "readable"):
        try:
            yield
        except (InputError, OSError, MemoryError):
            raise
        except Exception as error:
            raise InputError(
                f"holds {what} in a form that isn't known ({reason_of(error)}); "
                "docs/predictions.md has those that are."
            ) from error


def most_unpacked(path: str | Path) -> int:
    """The bytes that a file may unpack to."""
    return max(UNPACKED_BYTES, UNPACKED_RATIO * Path(path).stat().st_size)


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

    UTF-16 is read where a byte-order mark says so, as spreadsheets write it, or where every other
    byte at the beginning is 0.

    Raises:
        InputError: Missing, another encoding, or unpacking to more than it should.
    """
    path = Path(path)
    with guarded(path, "readable text"):
        content = read_unpacked(path, most_unpacked(path))
        try:
            return content.decode(_encoding(content[:64]))
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}: is not UTF-8 text (byte {error.start:,} is {content[error.start]:#04x}); "
                "save it as UTF-8."
            ) from error


def _encoding(start: bytes) -> str:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    even, odd = start[::2], start[1::2]
    if len(start) > 1 and not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if len(start) > 1 and not any(even) and all(odd) else "utf-8-sig"


def ending_of(path: Path) -> tuple[str, bool]:
    """A file's ending in lower case without that of a package, and whether it has one.

    >>> ending_of(Path("labels.CSV.gz"))
    ('.csv', True)
    """
    name = Path(path.name.lower())
    is_packed = name.suffix in PACKAGE_ENDINGS
    return (name.with_suffix("") if is_packed else name).suffix, is_packed


def read_unpacked(path: str | Path, most_bytes: int) -> bytes:
    """Read a file; a packed one is unpacked, see `read_start`.

    Args:
        path: The file.
        most_bytes: What it may unpack to. Not a byte more is ever unpacked.

    Raises:
        InputError: Missing, a damaged package, or larger.
    """
    content = read_start(path, most_bytes + 1)
    if len(content) > most_bytes:
        raise InputError(
            f"{path}: holds more than {most_bytes:,} bytes, the most that is read here; "
            "give a smaller file."
        )
    return content


def read_start(path: str | Path, most_bytes: int) -> bytes:
    """Read a file's first bytes, of what it unpacks to where it is packed.

    Packed with gzip, bzip2, xz, or as a zip of one file: the first bytes tell.

    Raises:
        InputError: Missing, a damaged package, or a zip of several files.
    """
    path = Path(path)
    with guarded(path, "readable"), path.open("rb") as file:
        start = file.read(6)
    packed = next((name for magic, name in PACKAGES.items() if start.startswith(magic)), None)
    ending = PACKAGE_ENDINGS.get(path.suffix.lower())
    if ending and ending != packed:
        raise InputError(f"{path}: isn't packed with {ending}, as its name says; fetch it again.")
    with guarded(path, f"a whole {packed} file; fetch it again" if packed else "readable"):
        if packed == "lzma":
            return _unpack_lzma(path, most_bytes)
        if packed == "zip":
            return _unpack_zip(path, most_bytes)
        # Imported by name: most processes need neither.
        opener = importlib.import_module(packed).open if packed else open
        with opener(path, "rb") as file:
            return file.read(most_bytes)


def _unpack_zip(path: Path, most_bytes: int) -> bytes:
    with zipfile.ZipFile(path) as archive:
        inside = [
            each
            for each in archive.infolist()
            if not each.is_dir() and not each.filename.startswith("__MACOSX/")
        ]
        if len(inside) != 1:
            raise InputError(f"is a zip of {len(inside):,} files; unpack it and name one of them.")
        if inside[0].compress_type not in BOUNDED:
            raise InputError("is packed in an unusual way; unpack it and name the file in it.")
        with archive.open(inside[0]) as file:
            return file.read(most_bytes)


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
