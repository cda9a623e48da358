"""Predictions from Parquet and from Arrow's IPC files, which are Feather's, read by PyArrow."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hardpairs.errors import InputError
from hardpairs.predictions.columns import Sheet
from hardpairs.predictions.frames import frame_table
from hardpairs.reading import guarded, most_unpacked, parse_json, understood

# A column of one number may be packed to nothing, so that rows are limited as well as bytes.
MOST_ROWS = 100_000_000
PARQUET, IPC = (".parquet", ".pq"), (".feather", ".arrow", ".ipc")
IPC_MAGIC, IPC_END = b"ARROW1\0\0", b"ARROW1"  # Of a file; a stream has neither.


def read_arrow(path: Path) -> Sheet:
    """Read a Parquet or an IPC file: the columns but for pictures.

    Class names of a Hugging Face dataset come from the file's metadata.

    Raises:
        InputError: PyArrow isn't installed, or the file is damaged.
    """
    is_ipc = path.suffix.lower() in IPC
    with guarded(path, "an Arrow IPC file" if is_ipc else "a Parquet file"):
        try:
            arrow = (_read_ipc if is_ipc else _read_parquet)(path)
        except ImportError as error:
            raise InputError(
                "is read by PyArrow; install it with pip install 'hardpairs[tables]'."
            ) from error
    with understood(path, "columns"):
        return Sheet(frame_table(arrow), _dataset_names(arrow.schema.metadata or {}))


def _read_parquet(path: Path) -> Any:
    from pyarrow import parquet

    with parquet.ParquetFile(path, page_checksum_verification=True) as file:
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        claimed = sum(max(group.total_byte_size, 0) for group in groups)
        _check_claims(path, claimed, file.metadata.num_rows)
        return file.read(columns=_without_pictures(file.schema_arrow), use_threads=False)


def _read_ipc(path: Path) -> Any:
    from pyarrow import ipc, memory_map

    with memory_map(str(path)) as file:
        is_file = file.read(len(IPC_MAGIC)) == IPC_MAGIC
        file.seek(0)
        messages = _listed_batches(file) if is_file else ipc.MessageReader.open_stream(file)
        claims = [_claims(each) for each in messages if each.type != "schema"]
        _check_claims(path, sum(size for size, _ in claims), sum(rows for _, rows in claims))
        file.seek(0)
        table = (ipc.open_file if is_file else ipc.open_stream)(file).read_all()
    table.validate(full=True)
    return table.select(_without_pictures(table.schema))


def _listed_batches(file: Any) -> Iterator[Any]:
    """The batches that the end of a file lists, one as often as it is there.

    Nothing else is read of a file: what stands before the first of Polars' is no stream's.
    Source: File.fbs of https://github.com/apache/arrow/tree/main/format
    """
    from pyarrow import ipc

    end = file.size() - len(IPC_END)
    file.seek(end - 4)
    length = struct.unpack("<i", file.read(4))[0]
    if file.read(len(IPC_END)) != IPC_END or not 0 < length <= end - 4:
        raise InputError("is cut off: its end is missing; write it again.")
    file.seek(end - 4 - length)
    meta = memoryview(file.read(length))
    root: int = struct.unpack_from("<I", meta, 0)[0]
    for number in (2, 3):  # Dictionaries and batches.
        field = _field(meta, root, number)
        if field is None:
            continue
        vector = field + struct.unpack_from("<I", meta, field)[0]
        count = struct.unpack_from("<I", meta, vector)[0]
        for start, size, body in struct.iter_unpack("<qi4xq", meta[vector + 4 :][: 24 * count]):
            file.seek(start)
            yield ipc.read_message(file.read_buffer(size + body))


def _claims(message: Any) -> tuple[int, int]:
    """Bytes and rows that a batch says it unpacks to; PyArrow shows neither before it has unpacked.

    Source: Message.fbs of https://github.com/apache/arrow/tree/main/format
    """
    meta, body = memoryview(message.metadata), memoryview(message.body)
    root: int = struct.unpack_from("<I", meta, 0)[0]
    batch = _below(meta, root, 2)
    if message.type == "dictionary":
        batch = _below(meta, batch, 1)
    rows = _field(meta, batch, 0)
    buffers, is_packed = _below(meta, batch, 2), _field(meta, batch, 3) is not None
    size = 0
    for offset, length in _pairs(meta, buffers):
        # A packed buffer begins with its size, -1 where it is as it is.
        first = struct.unpack_from("<q", body, offset)[0] if is_packed and length else -1
        size += max(length if first < 0 else first, 0)
    return size, 0 if rows is None else struct.unpack_from("<Q", meta, rows)[0]


def _field(meta: memoryview, table: int, number: int) -> int | None:
    """Where a field of a flatbuffer's table stands; None where it has its default."""
    names: int = table - struct.unpack_from("<i", meta, table)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", meta, names)[0]:
        return None
    offset: int = struct.unpack_from("<H", meta, names + 4 + 2 * number)[0]
    return table + offset if offset else None


def _below(meta: memoryview, table: int, number: int) -> int:
    """Where the table or vector starts that a field leads to."""
    field = _field(meta, table, number)
    if field is None:
        raise InputError("has a batch without content; write it again.")
    return field + struct.unpack_from("<I", meta, field)[0]


def _pairs(meta: memoryview, vector: int) -> Iterator[tuple[int, int]]:
    count = struct.unpack_from("<I", meta, vector)[0]
    return struct.iter_unpack("<qq", meta[vector + 4 : vector + 4 + 16 * count])


def _check_claims(path: Path, size: int, rows: int) -> None:
    if size > most_unpacked(path) or rows > MOST_ROWS:
        raise InputError(
            f"unpacks to {size:,} bytes in {rows:,} rows, more than a file of its size should; "
            "write it without compression."
        )


def _without_pictures(schema: Any) -> list[str]:
    return [field.name for field in schema if "binary" not in str(field.type)]


def _dataset_names(metadata: dict[bytes, bytes]) -> list[str] | None:
    """Names of the one ClassLabel that Hugging Face's `datasets` describes in the metadata."""
    try:
        info = parse_json(metadata.get(b"huggingface", b"{}").decode("utf-8", "replace"))
        features = info["info"]["features"]
        lists = [
            feature["names"]
            for feature in features.values()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return lists[0] if len(lists) == 1 and isinstance(lists[0], list) else None
