import bz2
import csv
import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest

from hardpairs.data.datasets import load_dataset, load_split, open_source
from hardpairs.errors import InputError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 28, 28), dtype=np.uint8)
LABELS = np.arange(12) % 3
PIXELS = [f"pixel{index}" for index in range(1, 785)]


def table(rows, header=None, delimiter=",") -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerows([header, *rows] if header else rows)
    return file.getvalue()


def labelled(images=IMAGES, labels=LABELS, *, last=False):
    flat = images.reshape(len(images), -1).tolist()
    labels = np.asarray(labels).tolist()
    return [
        [*row, label] if last else [label, *row] for label, row in zip(labels, flat, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fashion-mnist_test.csv", table(labelled(), ["label", *PIXELS])),  # Kaggle
        ("a.csv", table(labelled(), ["label", *(f"pixel{i}" for i in range(784))])),
        (
            "a.csv",
            table(labelled(), ["label", *(f"{i // 28}x{i % 28}" for i in range(784))]),
        ),
        ("a.csv", table(labelled(last=True), [*PIXELS, "class"])),  # OpenML
        ("a.csv", table(labelled(), ["Label", *map(str, range(784))])),  # A frame's own columns
        ("a.csv", table(labelled(), ["what it is", *PIXELS])),
        # A frame without names, the label first or last; and with its index.
        ("a.csv", table(labelled(), list(range(785)))),
        ("a.csv", table(labelled(last=True), list(range(785)), ";")),
        ("a.csv", table([[9, *row] for row in labelled()], ["", *range(785)])),
        ("a.csv", table(labelled(last=True))),
        ("a.csv", "\ufeff" + table(labelled(), ["label", *PIXELS]) + "\n\n"),
        ("a.csv", table(labelled(), ["label", *PIXELS]).replace("\n", "\r\n")),
        ("a.tsv", table(labelled(), ["label", *PIXELS], "\t")),
        ("A.CSV", table(labelled(), ["label", *PIXELS], ";")),
        ("mnist_train.csv", table(labelled())),  # Without a header
        ("a.csv", table(labelled(images=np.where(np.arange(28) < 14, 0, IMAGES), last=True))),
        ("a.csv", table([[i, *row] for i, row in enumerate(labelled())], ["", "label", *PIXELS])),
    ],
)
def test_tables_of_one_image_a_line(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode())
    split = load_split(tmp_path / name)
    expected = IMAGES
    if split.images[0, 0, 0, 0] == 0 != IMAGES[0, 0, 0]:
        expected = np.where(np.arange(28) < 14, 0, IMAGES)
    np.testing.assert_array_equal(split.images[..., 0], expected)
    np.testing.assert_array_equal(split.labels, LABELS)


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
        archive.writestr("__MACOSX/._a.csv", b"\0\5\x16\7")
    return file.getvalue()


@pytest.mark.parametrize(
    ("ending", "pack"),
    [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zip", zipped)],
)
def test_packed_tables(tmp_path, ending, pack):
    packed = pack(table(labelled(), ["label", *PIXELS]).encode())
    for part in ("train", "test"):
        (tmp_path / f"a_{part}.csv.{ending}").write_bytes(packed)
    np.testing.assert_array_equal(load_split(tmp_path / f"a_test.csv.{ending}").labels, LABELS)
    assert len(load_dataset(tmp_path).train) == 12


def test_fashion_as_kaggle_has_it_is_known_by_its_bytes(tmp_path, fashion):
    part = fashion.test.take(slice(300))
    rows = labelled(part.images, part.labels)
    (tmp_path / "a.csv").write_text(table(rows, ["label", *PIXELS]))
    assert load_split(tmp_path / "a.csv").fingerprint == part.fingerprint
    assert load_split(tmp_path / "a.csv").inverted


def test_labels_are_names_and_ids_are_kept(tmp_path):
    names = np.array(["cat", "dog", "owl"])[LABELS]
    rows = [[f"{i}.png", *row] for i, row in enumerate(labelled(labels=names))]
    (tmp_path / "a.csv").write_text(table(rows, ["id", "label", *PIXELS]))
    source = open_source(tmp_path / "a.csv")
    assert source.class_names == ("cat", "dog", "owl")
    assert source.read().ids[2] == "2.png"
    (tmp_path / "b.csv").write_text(table(labelled(labels=names)))
    assert open_source(tmp_path / "b.csv").class_names == ("cat", "dog", "owl")


def test_labels_that_are_whole_floats_are_indices(tmp_path):
    (tmp_path / "a.csv").write_text(table(labelled(labels=[f"{k}.0" for k in LABELS])))
    source = open_source(tmp_path / "a.csv")
    assert source.class_names == tuple(map(str, range(max(LABELS) + 1)))
    np.testing.assert_array_equal(source.read().labels, LABELS)


def test_floats_and_colours(tmp_path):
    (tmp_path / "a.csv").write_text(table(labelled(IMAGES / 255), ["label", *PIXELS]))
    np.testing.assert_array_equal(load_split(tmp_path / "a.csv").images[..., 0], IMAGES)
    colour = RNG.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    names = [f"pixel{index:04}" for index in range(192)]
    (tmp_path / "a.csv").write_text(table(labelled(colour, last=True), [*names, "label"]))
    np.testing.assert_array_equal(load_split(tmp_path / "a.csv").images, colour)


def test_faces_with_all_pixels_in_one_cell_and_a_column_of_parts(tmp_path):
    usage = ["Training"] * 6 + ["PublicTest"] * 3 + ["PrivateTest"] * 3
    rows = [[label, " ".join(map(str, row)), part]
            for (label, *row), part in zip(labelled(), usage, strict=True)]  # fmt: skip
    (tmp_path / "fer2013.csv").write_text(table(rows, ["emotion", "pixels", "Usage"]))
    dataset = load_dataset(tmp_path / "fer2013.csv")
    np.testing.assert_array_equal(dataset.train.images[..., 0], IMAGES[:6])
    np.testing.assert_array_equal(dataset.test.images[..., 0], IMAGES[9:])
    assert dataset.notes == ("Its validation part isn't used.",)


def test_a_folder_of_two_tables(tmp_path):
    (tmp_path / "fashion-mnist_train.csv").write_text(table(labelled(), ["label", *PIXELS]))
    (tmp_path / "fashion-mnist_test.csv").write_text(table(labelled()[:6], ["label", *PIXELS]))
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    (tmp_path / "classes.txt").write_text("a\nb\nc\n")
    dataset = load_dataset(tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (12, 6)
    assert dataset.class_names == ("a", "b", "c")
    (tmp_path / "more_train.csv").write_text(table(labelled(), ["label", *PIXELS]))
    with pytest.raises(InputError, match=r"fashion-mnist_train\.csv and more_train\.csv"):
        load_dataset(tmp_path)


def test_a_test_table_without_labels(tmp_path):
    flat = IMAGES.reshape(12, -1).tolist()
    (tmp_path / "train.csv").write_text(table(labelled(), ["label", *PIXELS]))
    (tmp_path / "test.csv").write_text(table(flat, PIXELS))
    assert not load_split(tmp_path / "test.csv").has_labels
    dataset = load_dataset(tmp_path)
    assert len(dataset.train) + len(dataset.test) == 12
    assert "Left out: the table without labels." in dataset.notes


def test_emnist_is_set_upright(tmp_path):
    rows = labelled(IMAGES.swapaxes(1, 2), LABELS + 1)
    for part in ("train", "test"):
        (tmp_path / f"emnist-letters-{part}.csv").write_text(table(rows))
    dataset = load_dataset(tmp_path)
    np.testing.assert_array_equal(dataset.test.images[..., 0], IMAGES)
    np.testing.assert_array_equal(dataset.test.labels, LABELS)
    assert dataset.class_names[:3] == ("A", "B", "C")
    assert len(dataset.class_names) == 26


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no images"),
        ("label,a,b\n1,2,3\n", r"3 columns \('label', 'a', 'b'\), which aren't the pixels"),
        (table([[1] * 20]), "20 columns"),
        (table([row[:700] for row in labelled()], ["label", *PIXELS[:699]]), "700 columns"),
        (
            table([*labelled(), [1, 2, 3]], ["label", *PIXELS]),
            r"a\.csv: is damaged or isn't",
        ),
        (table([["x", *row[1:-1], "y"] for row in labelled()]), "785 columns"),
        (table(labelled(IMAGES * 4.0), ["label", *PIXELS]), "leaves open what is white"),
        (table(labelled(labels=-LABELS), ["label", *PIXELS]), "labels run from"),
    ],
)
def test_other_tables_are_refused_with_what_they_hold(tmp_path, text, complaint):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=complaint):
        load_split(tmp_path / "a.csv")


def test_an_image_without_pixels_is_refused(tmp_path):
    pixels = " ".join(["7"] * 25)
    lines = ["emotion,pixels,Usage", f"0,{pixels},Training", "1,,Training", f"2,{pixels},Training"]
    (tmp_path / "faces.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match="an image without pixels"):
        open_source(tmp_path / "faces.csv").read()


NUMBERED = "another number in each line, is taken for the lines' numbers"


@pytest.mark.parametrize("numbers", [range(12), range(1, 13), [40, 17, *range(10)]])
@pytest.mark.parametrize("form", ["label first", "label last", "names first", "pixels alone"])
def test_numbers_of_the_lines_are_no_labels(tmp_path, numbers, form):
    # As pandas' to_csv(header=False) and R's write.table write a frame with its index.
    names = np.array(["cat", "dog", "owl"])[LABELS]
    rows = {
        "label first": labelled(),
        "label last": labelled(last=True),
        "names first": labelled(labels=names),
        "pixels alone": IMAGES.reshape(12, -1).tolist(),
    }[form]
    path = tmp_path / "a.csv"
    path.write_text(table([[number, *row] for number, row in zip(numbers, rows, strict=True)]))
    source = open_source(path)
    whole = source.read()
    np.testing.assert_array_equal(whole.images[..., 0], IMAGES)
    assert whole.ids.tolist() == list(range(12))
    assert any(NUMBERED in note for note in source.notes)
    if form == "pixels alone":
        assert source.class_names == ()
    else:
        assert whole.labels.tolist() == LABELS.tolist()


def test_names_of_files_before_the_pixels_are_ids(tmp_path):
    path, files = tmp_path / "a.csv", [f"{i}.png" for i in range(12)]
    for rows, classes in ((labelled(), 3), (IMAGES.reshape(12, -1).tolist(), 0)):
        path.write_text(table([[file, *row] for file, row in zip(files, rows, strict=True)]))
        source = open_source(path)
        assert source.read().ids.tolist() == files
        assert len(source.class_names) == classes


@pytest.mark.parametrize(
    "names",
    [
        PIXELS,
        [f"{i // 28}x{i % 28}" for i in range(784)],
        [f"px_{i % 28}_{i // 28}" for i in range(784)],  # The column first, in the images' order.
    ],
)
def test_pixels_stand_in_the_order_of_their_numbers(tmp_path, names):
    rows = [dict(zip(["label", *names], row, strict=True)) for row in labelled()]
    is_turned = names[0].startswith("px")
    ways = [names] if is_turned else [names, sorted(names), names[::-1]]
    for way in ways:
        header = ["label", *way]
        (tmp_path / "a.csv").write_text(table([[row[n] for n in header] for row in rows], header))
        source = open_source(tmp_path / "a.csv")
        np.testing.assert_array_equal(source.read().images[..., 0], IMAGES)
        assert any("order of their numbers" in note for note in source.notes) == (way != names)


@pytest.mark.parametrize("colours", ["of a pixel", "one by one"])
def test_colours_of_a_pixel_or_one_by_one(tmp_path, colours):
    ramp = np.add.outer(np.arange(12), np.add.outer(np.arange(8) * 9, np.arange(8) * 7))
    images = np.stack([ramp, 255 - ramp, ramp // 2], axis=-1).astype(np.uint8)
    flat = images if colours == "of a pixel" else np.moveaxis(images, 3, 1)
    (tmp_path / "a.csv").write_text(table(labelled(flat)))
    whole = open_source(tmp_path / "a.csv").read()
    np.testing.assert_array_equal(whole.images, images)
    assert any("one colour stand together" in note for note in whole.notes) == (flat is not images)


@pytest.mark.parametrize(
    "text",
    [
        table(labelled(), [f"V{i}" for i in range(1, 786)]),  # R
        table(labelled(), list(range(1, 786))),
        table([[f"{value:.18e}" for value in row] for row in labelled()]),  # numpy.savetxt
        table(labelled(), ["label", *PIXELS]).replace(",", '","').replace("\n", '"\n"')[:-1],
        table([[f"{value:.1f}" for value in row] for row in labelled()], ["label", *PIXELS], ";"),
    ],
    ids=["V1", "1", "savetxt", "quoted", "decimal commas"],
)
def test_tables_as_other_programs_write_their_numbers(tmp_path, text):
    if text.startswith("label;"):
        text = text.replace(".", ",")
    text = f'"{text}' if '","' in text else text
    (tmp_path / "a.csv").write_text(text)
    whole = open_source(tmp_path / "a.csv").read()
    np.testing.assert_array_equal(whole.images[..., 0], IMAGES)
    assert whole.labels.tolist() == LABELS.tolist()


def test_of_several_columns_beside_the_pixels_none_is_guessed_to_hold_the_labels(tmp_path):
    header = ["species", "colour", *(f"pixel{place}" for place in range(16))]
    rows = [["owl", "red", *range(row, row + 16)] for row in range(9)]
    (tmp_path / "a.csv").write_text(table(rows, header))
    with pytest.raises(InputError, match=r"one of 'species', 'colour' in a\.csv holds them"):
        load_dataset(tmp_path / "a.csv")
