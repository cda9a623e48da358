import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

from hardpairs.data.datasets import load_dataset, load_split, open_source
from hardpairs.data.parquet import ParquetPictures
from hardpairs.data.split import thumbnails
from hardpairs.errors import InputError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
RNG = np.random.default_rng(0)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write(path, pictures, labels=None, *, names=None, column="image", group=4):
    """Write a file as Hugging Face's datasets do."""
    columns = {column: [{"bytes": each, "path": None} for each in pictures]}
    features = {column: {"_type": "Image"}}
    if labels is not None:
        columns["label"] = list(labels)
        features["label"] = {"names": names, "_type": "ClassLabel"} if names else {"dtype": "int64"}
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    arrays = [pa.array(columns[column], kind)]
    arrays += [pa.array(columns["label"])] if labels is not None else []
    notes = {"huggingface": json.dumps({"info": {"features": features}})}
    made = pa.table(arrays, list(columns)).replace_schema_metadata(notes)
    pq.write_table(made, path, row_group_size=group)


def test_hugging_faces_mnist(tmp_path):
    images = RNG.integers(0, 256, (10, 28, 28), dtype=np.uint8)
    pictures = [png(image) for image in images]
    names = ["zero", "one"]
    write(tmp_path / "train-00000-of-00002.parquet", pictures[:6], [0, 1] * 3, names=names)
    write(tmp_path / "train-00001-of-00002.parquet", pictures[6:], [1, 1, 0, 0], names=names)
    write(tmp_path / "test-00000-of-00001.parquet", pictures[:2], [1, 0], names=names)
    (tmp_path / "._test-00000-of-00001.parquet").write_bytes(b"\0\5\x16\7")  # As macOS shadows it.
    dataset = load_dataset(tmp_path)
    assert dataset.class_names == ("zero", "one")
    np.testing.assert_array_equal(dataset.train.images[..., 0], images)
    assert dataset.train.labels.tolist() == [0, 1, 0, 1, 0, 1, 1, 1, 0, 0]
    assert dataset.test.labels.tolist() == [1, 0]
    alone = load_split(tmp_path / "test-00000-of-00001.parquet")
    np.testing.assert_array_equal(alone.images[..., 0], images[:2])
    below = tmp_path / "repository" / "data"
    below.mkdir(parents=True)
    (tmp_path / "test-00000-of-00001.parquet").rename(below / "test.parquet")
    assert len(load_split(tmp_path / "repository")) == 2
    for part in ("train", "test"):  # As the Hub converts any dataset.
        (tmp_path / "converted" / "default" / part).mkdir(parents=True)
        write(
            tmp_path / "converted" / "default" / part / "0000.parquet", pictures[:4], [0, 1, 0, 1]
        )
    assert len(load_dataset(tmp_path / "converted").train) == 4


def test_the_fingerprint_is_of_all_pictures_behind_an_empty_row_group_too(tmp_path):
    prints = []
    for number, seed in enumerate((0, 1)):
        rng = np.random.default_rng(seed)
        pictures = [png(rng.integers(0, 256, (9, 9), np.uint8)) for _ in range(3)]
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        rows = pa.array([{"bytes": each, "path": None} for each in pictures], kind)
        schema = pa.schema([("image", kind)])
        with pq.ParquetWriter(tmp_path / f"{number}.parquet", schema) as writer:
            writer.write_table(pa.table([rows[:0]], schema=schema))
            writer.write_table(pa.table([rows], schema=schema))
        prints.append(load_split(tmp_path / f"{number}.parquet").fingerprint)
    assert prints[0] != prints[1]


def test_photos_of_many_sizes_are_read_when_asked_for(tmp_path):
    shapes = [(90 + 7 * index, 120) for index in range(11)]
    pictures = [png(np.full((*shape, 3), index, np.uint8)) for index, shape in enumerate(shapes)]
    write(tmp_path / "a.parquet", pictures, ["cat", "dog"] * 5 + ["cat"], column="img", group=3)
    source = open_source(tmp_path / "a.parquet")
    assert source.class_names == ("cat", "dog")
    split = source.read()
    assert isinstance(split.images, ParquetPictures)
    chosen = split.images[np.array([10, 0, 5, 0])]
    assert [image.shape[0] for image in chosen] == [160, 90, 125, 90]
    assert [int(image[0, 0, 0]) for image in chosen] == [10, 0, 5, 0]
    small = thumbnails(split.images, np.array([10, 3]), 20)
    assert small[:, 10, 10, 0].tolist() == [10, 3]
    again = load_split(tmp_path / "a.parquet")
    assert again.fingerprint == split.fingerprint != split.take(slice(3)).fingerprint


def test_a_damaged_picture_is_a_grey_square(tmp_path):
    pictures = [png(np.zeros((100, 100), np.uint8)) for _ in range(5)]
    pictures[3] = b"no picture"
    write(tmp_path / "a.parquet", pictures, [0, 1, 0, 1, 0])
    images = load_split(tmp_path / "a.parquet").images
    assert (images[np.array([3])] == 192).all()
    assert list(images.unreadable) == ["row 3"]


def test_bytes_alone_and_no_labels(tmp_path):
    pictures = [png(np.zeros((9, 9), np.uint8))] * 3
    pq.write_table(pa.table({"image": pictures}), tmp_path / "a.parquet")
    split = load_split(tmp_path / "a.parquet")
    assert split.images.shape == (3, 9, 9, 1)
    assert not split.has_labels


def test_other_tables_are_refused_with_what_they_hold(tmp_path):
    pq.write_table(pa.table({"label": [1], "probability": [0.5]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"columns label \(int64\), probability \(double\)"):
        load_split(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(InputError, match="a Parquet file"):
        load_split(tmp_path / "a.parquet")


def test_without_pyarrow_one_sentence_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"pip install 'hardpairs\[tables\]'"):
        load_split(tmp_path / "a.parquet")


@pytest.mark.parametrize("form", ["columns", "lists", "nested", "coloured"])
def test_pixels_as_numbers(tmp_path, form):
    images = RNG.integers(0, 256, (6, 5, 5, 3) if form == "coloured" else (6, 5, 5), dtype=np.uint8)
    flat = images.reshape(6, -1)
    columns = {
        "columns": {f"pixel{index}": flat[:, index] for index in range(25)},
        "lists": {"image": flat.tolist()},
        "nested": {"image": images.tolist()},
        "coloured": {"image": images.tolist()},
    }[form]
    pq.write_table(pa.table({**columns, "label": list("abcabc")}), tmp_path / "p.parquet")
    source = open_source(tmp_path / "p.parquet")
    assert source.class_names == ("a", "b", "c")
    whole = source.read()
    np.testing.assert_array_equal(whole.images.squeeze(), images)
    assert whole.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_pixels_of_no_image_are_refused(tmp_path):
    for values in ([[1, 2], [3]], [[1, 2], [4, 5]], [["a"], ["b"]]):
        pq.write_table(pa.table({"image": values, "label": [0, 1]}), tmp_path / "p.parquet")
        with pytest.raises(
            InputError, match=r"lists of different lengths|aren't square|no numbers"
        ):
            open_source(tmp_path / "p.parquet").read()


def test_columns_of_pixels_stand_in_the_order_of_their_numbers(tmp_path):
    flat = np.random.default_rng(0).integers(0, 256, (6, 25), dtype=np.uint8)
    columns = {f"pixel{index}": flat[:, index] for index in range(25)}
    ordered = {name: columns[name] for name in sorted(columns)}
    pq.write_table(pa.table({**ordered, "label": list("abcabc")}), tmp_path / "p.parquet")
    whole = open_source(tmp_path / "p.parquet").read()
    np.testing.assert_array_equal(whole.images.reshape(6, 25), flat)


def test_colours_one_behind_the_other_are_told_as_of_a_table(tmp_path):
    rows, columns = np.mgrid[:16, :16]
    images = np.stack([rows * 8, columns * 8, 255 - rows * 8], axis=2) + RNG.integers(
        0, 9, (6, 1, 1, 1)
    )
    images = np.clip(images, 0, 255).astype(np.uint8)
    flat = np.moveaxis(images, 3, 1).reshape(6, -1)
    made = {"label": [0, 1] * 3} | {f"p{place}": flat[:, place] for place in range(flat.shape[1])}
    pq.write_table(pa.table(made), tmp_path / "a.parquet")
    split = load_split(tmp_path / "a.parquet")
    np.testing.assert_array_equal(split.images, images)
    assert any("one colour stand together" in note for note in split.notes)


@pytest.mark.parametrize("column", ["pixels", "img"])
def test_labels_under_another_name_are_asked_for(tmp_path, column):
    pixels = RNG.integers(0, 256, (6, 25), dtype=np.uint8)
    columns = {column: pixels.tolist(), "disease": ["mild", "severe"] * 3}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert open_source(tmp_path / "a.parquet").read().images.shape == (6, 5, 5, 1)
    with pytest.raises(InputError, match=r"one of 'disease' in a\.parquet holds them"):
        load_dataset(tmp_path / "a.parquet")
