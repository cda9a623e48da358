"""The part of fuzz_targets.py that reads images, labels and votes."""

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from hardpairs.data.datasets import load_split
from hardpairs.data.idx import read_idx
from hardpairs.data.pictures import read_picture
from hardpairs.data.source import read_class_names
from hardpairs.data.votes import load_votes

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 5, 5), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (9, 12, 3), dtype=np.uint8)
LABELS = np.arange(6) % 3


def _idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def _saved(save: Callable, *arguments: object, **options: object) -> bytes:
    file = io.BytesIO()
    save(file, *arguments, **options)
    return file.getvalue()


def _picture(name: str, image: Image.Image, **options: object) -> bytes:
    return _saved(image.save, name, **options)


def _table() -> bytes:
    header = ",".join(["label", *(f"pixel{index}" for index in range(25))])
    rows = [
        ",".join(map(str, [label, *image.ravel()]))
        for label, image in zip(LABELS, IMAGES, strict=True)
    ]
    return "\n".join([header, *rows, ""]).encode()


def _parquet() -> bytes:
    pictures = [
        {"bytes": _picture("PNG", Image.fromarray(image)), "path": None} for image in IMAGES
    ]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features = {"label": {"names": ["a", "b", "c"], "_type": "ClassLabel"}}
    notes = {"huggingface": json.dumps({"info": {"features": features}})}
    made = pa.table([pa.array(pictures, kind), pa.array(LABELS)], ["image", "label"])
    return _saved(lambda file: pq.write_table(made.replace_schema_metadata(notes), file))


def _read(path: Path) -> object:
    split = load_split(path)
    return split.images[:], split.fingerprint


def _read_idx(path: Path) -> object:
    return read_idx(path, 1, 2, 3, 4)


def _read_votes(path: Path) -> object:
    return load_votes(path, LABELS, np.arange(6), ("a", "b", "c"))


def _read_listed(path: Path) -> object:
    """Pictures side by side, and the damaged table that says what they show."""
    folder = path.parent / "listed"
    folder.mkdir(exist_ok=True)
    for index in range(6):
        if not (folder / f"{index}.png").exists():
            Image.fromarray(IMAGES[index]).save(folder / f"{index}.png")
    (folder / "labels.csv").write_bytes(path.read_bytes())
    return _read(folder)


def _fer2013() -> bytes:
    lines = [
        f"{label},{' '.join(map(str, image.ravel()))},{usage}"
        for label, image, usage in zip(LABELS, IMAGES, ("Training", "PublicTest") * 3, strict=True)
    ]
    return "\n".join(["emotion,pixels,Usage", *lines, ""]).encode()


GRAY, FRAME = Image.fromarray(COLOUR[..., 0]), Image.fromarray(COLOUR)
CLEAR = Image.fromarray(np.concatenate([COLOUR, COLOUR[..., :1]], 2))
DEEP = Image.fromarray(COLOUR[..., 0].astype(np.uint16) * 257)
VOTES = b"9,1,0\n0,9,1\n1,0,9\n" * 2
NAMED_VOTES = b"id,c,a,b,remark\n" + b"".join(b"%d,1,9,4,x\n" % index for index in range(6))
DATA_TARGETS: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "images-idx3-ubyte": (_idx(IMAGES), _read_idx),
    "labels-idx1-ubyte.gz": (gzip.compress(_idx(LABELS)), _read_idx),
    "images.npz": (_saved(np.savez, images=IMAGES, labels=LABELS), _read),
    "keras.npz": (
        _saved(np.savez_compressed, x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=LABELS),
        _read,
    ),
    "listed.csv": (b"image,label\n0.png,a\n1,b\n2.png,c\n3.png,a\n4.png,b\n5,c\n", _read_listed),
    "fer2013.csv": (_fer2013(), _read),
    "bare.csv": (_table().partition(b"\n")[2], _read),
    "images.npy": (_saved(np.save, IMAGES / 255), _read),
    "pixels.csv": (_table(), _read),
    "pixels.csv.gz": (gzip.compress(_table()), _read),
    "pixels.csv.bz2": (bz2.compress(_table()), _read),
    "pixels.csv.xz": (lzma.compress(_table()), _read),
    "images.parquet": (_parquet(), _read),
    "pixels.parquet": (
        _saved(
            lambda file: pq.write_table(
                pa.table({"image": IMAGES.tolist(), "label": list("abcabc")}), file
            )
        ),
        _read,
    ),
    "classes.txt": (b"cat\ndog\n", lambda path: read_class_names(path.parent)),
    "votes.csv": (VOTES, _read_votes),
    "votes.csv.gz": (gzip.compress(VOTES), _read_votes),
    "named_votes.csv": (NAMED_VOTES, _read_votes),
    "gray.png": (_picture("PNG", GRAY), read_picture),
    "clear.png": (_picture("PNG", CLEAR), read_picture),
    "deep.png": (_picture("PNG", DEEP), read_picture),
    "palette.gif": (
        _picture("GIF", FRAME.quantize(8), save_all=True, append_images=[FRAME]),
        read_picture,
    ),
    "photo.jpg": (_picture("JPEG", FRAME), lambda path: read_picture(path, side=4)),
    "inks.jpg": (_picture("JPEG", FRAME.convert("CMYK")), read_picture),
    "photo.webp": (_picture("WEBP", CLEAR), read_picture),
    "photo.bmp": (_picture("BMP", FRAME), read_picture),
    "photo.tif": (_picture("TIFF", FRAME, compression="tiff_lzw"), read_picture),
    "deep.tif": (_picture("TIFF", DEEP), read_picture),
    "photo.ppm": (_picture("PPM", FRAME), read_picture),
}
