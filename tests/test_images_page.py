"""Every row of docs/images.md, as a user would follow it."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import write_idx
from hardpairs.data.datasets import load_dataset, open_source
from test_parquet import pa, png, pq, write
from test_tables import table

PAGE = Path(__file__).parents[1] / "docs" / "images.md"
ROWS = dict(re.findall(r"^\| ([^|]+) \| `([^`]+)` \|$", PAGE.read_text(encoding="utf-8"), re.M))
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (10, 28, 28), dtype=np.uint8)
LABELS = np.arange(10) % 2
PAIR = (IMAGES, LABELS)


def pictures(folder, names, suffix="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(
            folder / f"{name}.{suffix}"
        )


def class_folders(root):
    for name in ("cat", "dog"):
        pictures(root / name, range(5), "jpg")


def listed_pictures(root):
    pictures(root / "train", range(10), "jpg")
    rows = "".join(f"{index}.jpg,{index % 2}\n" for index in range(10))
    (root / "train.csv").write_text("file,label\n" + rows)


def one_list(root):
    pictures(root / "images", range(10), "jpg")
    parts = ("train", "test")
    rows = "".join(f"{row}.jpg,{row % 2},{parts[row // 5]}\n" for row in range(10))
    (root / "labels.csv").write_text("file,label,split\n" + rows)


def imagefolder(root):
    for part in ("train", "test"):
        pictures(root / part, range(5), "jpg")
        rows = "".join(f"{row}.jpg,{row % 2}\n" for row in range(5))
        (root / part / "metadata.csv").write_text("file_name,label\n" + rows)


def idx_files(folder, pattern="{part}-{kind}-idx{n}-ubyte.gz", parts=("train", "t10k")):
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        write_idx(folder / pattern.format(part=part, kind="images", n=3), IMAGES)
        write_idx(folder / pattern.format(part=part, kind="labels", n=1), LABELS)


def qmnist(folder):
    idx_files(folder, "qmnist-{part}-{kind}-idx{n}-ubyte.gz", ("train", "test"))
    for part in ("train", "test"):
        (folder / f"qmnist-{part}-labels-idx1-ubyte.gz").unlink()
        header = bytes([0, 0, 12, 2]) + np.array([10, 8], ">u4").tobytes()
        rows = np.repeat(LABELS[:, None], 8, axis=1)
        (folder / f"qmnist-{part}-labels-idx2-int").write_bytes(
            header + rows.astype(">i4").tobytes()
        )


def emnist(folder):
    for name in ("letters", "digits"):
        pattern = f"emnist-{name}-{{part}}-{{kind}}-idx{{n}}-ubyte.gz"
        idx_files(folder, pattern, ("train", "test"))


def csv_rows():
    return [[label, *image.ravel().tolist()] for label, image in zip(LABELS, IMAGES, strict=True)]


HEADER = ["label", *(f"pixel{index}" for index in range(1, 785))]


def faces(path):
    usage = ["Training"] * 5 + ["PrivateTest"] * 5
    rows = [
        [label, " ".join(map(str, pixels)), part]
        for (label, *pixels), part in zip(csv_rows(), usage, strict=True)
    ]
    path.write_text(table(rows, ["emotion", "pixels", "Usage"]))


def two_tables(folder):
    import gzip

    folder.mkdir()
    for part in ("train", "test"):
        content = gzip.compress(table(csv_rows(), HEADER).encode(), 1)
        (folder / f"fashion-mnist_{part}.csv.gz").write_bytes(content)


def four_arrays(folder):
    folder.mkdir()
    for name, array in zip(("X_train", "y_train", "X_test", "y_test"), PAIR * 2, strict=True):
        np.save(folder / f"{name}.npy", array)


def parquet(folder):
    folder.mkdir()
    for part in ("train", "test"):
        packed = [png(image) for image in IMAGES]
        write(folder / f"{part}-00000-of-00001.parquet", packed, LABELS, names=["a", "b"])


def pixels_in_parquet(path):
    columns = {name: column for name, *column in zip(HEADER, *csv_rows(), strict=True)}
    pq.write_table(pa.table(columns), path)


# The start of a row -> what makes such files in a folder.
MAKERS = {
    "a folder for each class": lambda at: class_folders(at / "photos"),
    "class folders in parts": lambda at: [
        class_folders(at / "photos" / p) for p in ("train", "test")
    ],
    "class folders with parts in each": lambda at: [
        pictures(at / "photos" / name / part, range(5), "jpg")
        for name in ("cat", "dog")
        for part in ("train", "test")
    ],
    "with longer names or doubled": lambda at: [
        class_folders(at / "photos" / p / p) for p in ("seg_train", "seg_test")
    ],
    "pictures side by side and": lambda at: listed_pictures(at / "photos"),
    "one table for all parts": lambda at: one_list(at / "photos"),
    "Hugging Face's imagefolder": lambda at: imagefolder(at / "photos"),
    "pictures side by side,": lambda at: pictures(at / "photos", range(10)),
    "MNIST, Fashion-MNIST": lambda at: idx_files(at / "folder"),
    "the folder that torchvision": lambda at: idx_files(at / "root" / "FashionMNIST" / "raw"),
    "QMNIST": lambda at: qmnist(at / "folder"),
    "EMNIST": lambda at: emnist(at / "folder"),
    "Keras' `.npz`": lambda at: np.savez(
        at / "mnist.npz", x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=LABELS
    ),
    "an `.npz` of": lambda at: np.savez(at / "images.npz", images=IMAGES, labels=LABELS),
    "MedMNIST": lambda at: np.savez(
        at / "pathmnist.npz",
        **{f"{part}_images": IMAGES for part in ("train", "val", "test")},
        **{f"{part}_labels": LABELS[:, None] for part in ("train", "val", "test")},
    ),
    "`X_train.npy`": lambda at: four_arrays(at / "folder"),
    "images alone": lambda at: np.save(at / "images.npy", IMAGES),
    "Kaggle's": lambda at: (at / "fashion-mnist_test.csv").write_text(table(csv_rows(), HEADER)),
    "two of them": lambda at: two_tables(at / "folder"),
    "no header": lambda at: (at / "mnist_train.csv").write_text(table(csv_rows())),
    "FER2013": lambda at: faces(at / "fer2013.csv"),
    "Hugging Face's Parquet": lambda at: parquet(at / "folder"),
    "Parquet with a column": lambda at: pixels_in_parquet(at / "digits.parquet"),
}
UNLABELLED = ("pictures side by side,", "images alone")
NAMES = {
    **dict(zip(("x_train", "y_train", "x_test", "y_test"), PAIR * 2, strict=True)),
    **{"images": IMAGES / 255, "labels": LABELS},
    "pictures": [Image.fromarray(image[: 9 + index]) for index, image in enumerate(IMAGES)],
}


def test_no_row_goes_untested():
    starts = [*MAKERS, "arrays as Keras'", "arrays or tensors", "a list of Pillow's"]
    for row in ROWS:
        assert sum(row.startswith(start) for start in starts) == 1, row
    assert len(ROWS) == len(starts)


@pytest.mark.parametrize("start", MAKERS)
def test_files(tmp_path, monkeypatch, start):
    (command,) = (command for row, command in ROWS.items() if row.startswith(start))
    option, given = shlex.split(command)
    assert option == "--data"
    MAKERS[start](tmp_path)
    monkeypatch.chdir(tmp_path)
    split = open_source(given).read()
    assert len(split) in (5, 10)
    assert split.images[:].dtype == np.uint8
    assert split.has_labels == (start not in UNLABELLED)
    if split.has_labels:
        dataset = load_dataset(given)
        assert set(np.unique(dataset.train.labels)) == {0, 1}
        assert len(dataset.test) in (2, 5, 10)


@pytest.mark.parametrize("start", ["arrays as Keras'", "arrays or tensors", "a list of Pillow's"])
def test_calls(start):
    (call,) = (call for row, call in ROWS.items() if row.startswith(start))
    dataset = eval(call, {"load_dataset": load_dataset, **NAMES})
    assert dataset.class_names == ("0", "1")
    assert dataset.train.images.dtype == np.uint8
    assert set(dataset.test.labels.tolist()) == {0, 1}
