"""Tables of pictures in Parquet, as Hugging Face's datasets have them."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.data.folders import check_few, subfolders
from hardpairs.data.memory import split_of, to_labels, white_on_black
from hardpairs.data.pictures import read_pictures
from hardpairs.data.pixel_columns import FEWEST_PIXELS, PIXEL, in_order, shaped
from hardpairs.data.source import Source, make_source, named_otherwise, part_of
from hardpairs.data.split import Images, Split
from hardpairs.data.usual_names import IMAGES, LABELS
from hardpairs.errors import InputError
from hardpairs.reading import guarded

SMALL_SIDE, SMALL_COUNT = 64, 200_000  # So small and so few are decoded once and kept.
WHAT = "a Parquet file; fetch it again"
UNPACKED_BYTES, UNPACKED_RATIO = 2**31, 30  # Pictures are packed already: they hardly unpack.


@dataclass(frozen=True, eq=False)
class ParquetPictures:
    """Pictures in Parquet files, each read when it is asked for.

    Attributes:
        files: The files of one part, in order.
        column: The column of pictures: bytes, or a struct with bytes.
        groups: Of every row group the file, its number there, and its first row of all.
        count: How many pictures.
        unreadable: What couldn't be decoded so far, as "row 3", and why.
    """

    files: tuple[Path, ...]
    column: str
    groups: tuple[tuple[int, int, int], ...]
    count: int
    unreadable: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray | list[np.ndarray]:
        return self.reduced(rows, 0)

    def reduced(self, rows: np.ndarray | slice, side: int) -> np.ndarray | list[np.ndarray]:
        """Read pictures as finely as one of ``side`` pixels needs; 0: in full."""
        wanted = np.arange(self.count)[rows]
        files = map(io.BytesIO, self._packed(wanted))
        names = [f"row {row}" for row in wanted]
        pictures = read_pictures(files, names, self.unreadable, side)
        check_few(self.files[0].parent, self.unreadable, self.count, are_all=False)
        return pictures

    def unreadable_rows(self) -> list[int]:
        """Rows of what couldn't be decoded so far."""
        return [int(name.removeprefix("row ")) for name in self.unreadable]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all pictures' bytes."""
        digest = hashlib.sha256()
        firsts = [first for _, _, first in self.groups]
        for first, following in pairwise([*firsts, self.count]):
            for packed in self._packed(np.arange(first, following)):
                digest.update(len(packed).to_bytes(8, "little") + packed)
        return digest.hexdigest()

    def _packed(self, rows: np.ndarray) -> list[bytes]:
        """The bytes of pictures; each row group they lie in is read once."""
        firsts = np.array([first for _, _, first in self.groups])
        group_of = np.searchsorted(firsts, rows, side="right") - 1
        found: dict[int, bytes] = {}
        for group in np.unique(group_of).tolist():
            file, number, first = self.groups[group]
            with guarded(self.files[file], WHAT):
                column = _parquet(self.files[file]).read_row_group(number, columns=[self.column])
                values = column.column(0)
                for row in rows[group_of == group].tolist():
                    found[row] = _bytes_of(values[row - first].as_py())
        return [found[row] for row in rows.tolist()]


def is_parquet(path: Path) -> bool:
    """Whether a file's name is that of a Parquet file; macOS leaves hidden shadows of them."""
    return path.suffix.lower() in (".parquet", ".pq") and not path.name.startswith(".")


def parquet_in(folder: Path) -> list[Path]:
    """Parquet files in a folder, else those in its folders that are named as parts."""
    places = [folder, *(path for path in subfolders(folder) if part_of(path.name))]
    own, *below = ([path for path in place.iterdir() if is_parquet(path)] for place in places)
    return own or [path for paths in below for path in paths]


def open_parquet(files: Sequence[Path]) -> Source:
    """Look into Parquet files of pictures, or of pixels, and labels.

    Args:
        files: Of one dataset; their names tell the part ("train-00000-of-00002.parquet"), or
            those of their folders ("train/0000.parquet").

    Raises:
        InputError: PyArrow isn't installed, a file is damaged, or holds no pictures; the message
            lists its columns.
    """
    by_part: dict[str, list[Path]] = {}
    for path in sorted(files):
        part = part_of(path.name) or part_of(path.parent.name) or "all"
        by_part.setdefault(part, []).append(path)
    schema = _parquet(files[0]).schema_arrow
    pixels = [] if _picture_column(schema) else _pixel_columns(schema)
    readers: dict[str, Callable[[np.ndarray | None], Split]] = {
        part: partial(_read_pixels, paths, pixels)
        if pixels
        else partial(_read_pictures, _look(tuple(paths)))
        for part, paths in by_part.items()
    }
    label, names = _label_column(schema), None
    labels: dict[str, np.ndarray] = {}
    if label is not None:
        given = [_read_column(paths, label) for paths in by_part.values()]
        named = _class_names(files[0], label)
        made, names = to_labels(*given, class_names=named, what=f"{files[0]}: column {label}")
        labels = dict(zip(by_part, made, strict=True))
    parts = {part: partial(read, labels.get(part)) for part, read in readers.items()}
    shown = {*pixels, _picture_column(schema)}
    beside = [name for name in schema.names if name not in shown]
    instead = named_otherwise(files[0].name, beside) if beside and label is None else ""
    return make_source(names or (), parts, no_labels=instead)


def _read_pictures(pictures: ParquetPictures, labels: np.ndarray | None) -> Split:
    found = np.full(len(pictures), -1) if labels is None else labels
    images: Images = pictures
    first = pictures[:1]
    if len(pictures) <= SMALL_COUNT and max(first[0].shape[:2]) <= SMALL_SIDE:
        whole = pictures[:]
        images = whole if isinstance(whole, np.ndarray) else pictures
    return Split(images, found, inverted=white_on_black(images))


def _read_pixels(paths: Sequence[Path], columns: list[str], labels: np.ndarray | None) -> Split:
    given = []
    for path in paths:
        _check_claims(path)
        with guarded(path, WHAT):
            given.append(_pixels(_parquet(path).read(columns=columns), columns))
    if len({each.shape[1:] for each in given}) > 1:
        raise InputError(f"{paths[0]}: its images have another size than those beside it.")
    images = np.concatenate(given)
    notes: list[str] = []
    if images.ndim == 2:
        with guarded(paths[0], WHAT):
            images, notes = shaped(images)
    return split_of(images, labels, what=str(paths[0]), notes=notes)


def _pixels(table: Any, columns: Sequence[str]) -> np.ndarray:
    """The pixels of a table's images, (N, P), or (N, H, W) and (N, H, W, C) of nested lists."""
    if len(columns) > 1:
        return np.stack([table.column(name).to_numpy() for name in columns], axis=1)
    try:
        pixels = np.array(table.column(columns[0]).to_pylist())
    except ValueError:
        pixels = np.empty(0, object)
    if pixels.dtype.kind not in "biuf" or pixels.ndim < 2:
        raise InputError(
            f"the column {columns[0]} holds lists of different lengths, or no numbers; give the "
            "pixels of images of one size."
        )
    return pixels


def _check_claims(path: Path) -> None:
    """Refuse a file that says to unpack to more than it can hold."""
    metadata = _parquet(path).metadata
    groups = range(metadata.num_row_groups)
    claimed = sum(metadata.row_group(number).total_byte_size for number in groups)
    if claimed > max(UNPACKED_BYTES, UNPACKED_RATIO * path.stat().st_size):
        raise InputError(
            f"{path}: claims {claimed:,} bytes, more than it can hold; write it again."
        )


def _look(files: tuple[Path, ...]) -> ParquetPictures:
    groups, count = [], 0
    schema = _parquet(files[0]).schema_arrow
    column = _picture_column(schema)
    if column is None:
        shown = ", ".join(f"{each.name} ({each.type})" for each in schema)
        raise InputError(
            f"{files[0]}: holds no pictures but the columns {shown[:300]}; give a column image "
            "that holds the bytes of picture files, or a column for each pixel."
        )
    for index, path in enumerate(files):
        _check_claims(path)
        metadata = _parquet(path).metadata
        for number in range(metadata.num_row_groups):
            groups.append((index, number, count))
            count += metadata.row_group(number).num_rows
    if not count:
        raise InputError(f"{files[0]}: holds no images; give a file with at least one.")
    return ParquetPictures(files, column, tuple(groups), count)


def _parquet(path: Path) -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f"{path}: Parquet files need an extra: pip install 'hardpairs[tables]'."
        ) from error
    with guarded(path, WHAT):
        return pyarrow.parquet.ParquetFile(path)


def _label_column(schema: Any) -> str | None:
    by_name = {name.lower(): name for name in schema.names}
    return next((by_name[name] for name in LABELS if name in by_name), None)


def _picture_column(schema: Any) -> str | None:
    """The column of picture files' bytes: of a usual name, else a struct that has them."""
    kinds = {field.name.lower(): (str(field.name), str(field.type)) for field in schema}
    usual = [kinds[name] for name in IMAGES if name in kinds]
    found = [name for name, kind in usual if "binary" in kind]
    found += [name for name, kind in kinds.values() if "bytes: binary" in kind]
    return found[0] if found else None


def _pixel_columns(schema: Any) -> list[str]:
    """Columns that hold pixels: one of lists under a usual name, or many of numbers."""
    kinds = {str(field.name): str(field.type) for field in schema}
    for name, kind in kinds.items():
        if name.lower() in IMAGES and "list<" in kind and "struct" not in kind:
            return [name]
    numbers = [
        name
        for name, kind in kinds.items()
        if PIXEL.fullmatch(name) and kind.startswith(("int", "uint", "float", "double", "half"))
    ]
    ordered = [numbers[place] for place in in_order(numbers)]
    return ordered if len(numbers) >= FEWEST_PIXELS else []


def _class_names(path: Path, label: str) -> tuple[str, ...] | None:
    """The names that Hugging Face keeps beside the schema, of the label's ClassLabel."""
    text = (_parquet(path).schema_arrow.metadata or {}).get(b"huggingface", b"")
    with guarded(path, "a Parquet file with readable notes of Hugging Face"):
        features = json.loads(text or "{}").get("info", {}).get("features", {})
        names = features.get(label, {}).get("names") if isinstance(features, Mapping) else None
        return tuple(str(name) for name in names) if isinstance(names, list) else None


def _read_column(paths: Sequence[Path], name: str) -> np.ndarray:
    parts = []
    for path in paths:
        with guarded(path, WHAT):
            parts.append(_parquet(path).read(columns=[name]).column(0).to_numpy())
    return np.concatenate(parts)


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, Mapping):
        value = value.get("bytes")
    return value if isinstance(value, bytes) else b""
