import gzip

import numpy as np
import pytest

from conftest import write_idx
from hardpairs.data.datasets import load_dataset, load_split, open_source
from hardpairs.errors import InputError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 28, 28), dtype=np.uint8)
LABELS = np.arange(30) % 10
STANDARD = ("train", "t10k")


def write_int_idx(path, array):
    header = bytes([0, 0, 12, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(">i4").tobytes()))


def write_set(folder, pattern, parts=STANDARD, images=IMAGES, labels=LABELS):
    """Write files named as ``pattern`` says, with {part}, {kind} and {n} for the dimensions."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        write_idx(folder / pattern.format(part=part, kind="images", n=3), images)
        write_idx(folder / pattern.format(part=part, kind="labels", n=1), labels)


# As their own download pages and torchvision's datasets name them.
@pytest.mark.parametrize(
    ("folder", "pattern", "parts"),
    [
        (".", "{part}-{kind}-idx{n}-ubyte", STANDARD),  # MNIST, Fashion-MNIST, KMNIST
        (".", "{part}-{kind}-idx{n}-ubyte.gz", STANDARD),
        (".", "{part}-{kind}.idx{n}-ubyte", STANDARD),
        (".", "{part}-{kind}.idx{n}-ubyte.gz", STANDARD),
        ("FashionMNIST/raw", "{part}-{kind}-idx{n}-ubyte", STANDARD),
        ("data/KMNIST/raw", "{part}-{kind}-idx{n}-ubyte.gz", STANDARD),
        (".", "TRAIN-{kind}-IDX{n}-UBYTE", ("",)),
        (".", "my-set-{part}-{kind}-idx{n}-ubyte", ("train", "test")),
        ("train-images-idx3-ubyte", "{part}-{kind}-idx{n}-ubyte", STANDARD),
    ],
)
def test_files_are_found_by_their_usual_names(tmp_path, folder, pattern, parts):
    if parts == ("",):
        write_set(tmp_path, "train-{kind}-idx{n}-ubyte", parts)
        write_set(tmp_path, "T10K-{kind}-idx{n}-ubyte", parts)
    else:
        write_set(tmp_path / folder, pattern, parts)
    (tmp_path / "._train-images-idx3-ubyte").write_bytes(b"\0\5\x16\7")  # As macOS shadows it.
    dataset = load_dataset(tmp_path)
    np.testing.assert_array_equal(dataset.train.images[..., 0], IMAGES)
    np.testing.assert_array_equal(dataset.test.labels, LABELS)
    assert dataset.train.inverted


def test_kannada_names_images_x_and_labels_y(tmp_path):
    for part in ("train", "test"):
        write_idx(tmp_path / f"X_kannada_MNIST_{part}-idx3-ubyte.gz", IMAGES)
        write_idx(tmp_path / f"y_kannada_MNIST_{part}-idx1-ubyte.gz", LABELS)
    assert len(load_dataset(tmp_path).train) == 30


def test_qmnist_labels_are_tables_of_integers(tmp_path):
    labels = np.column_stack([LABELS, RNG.integers(0, 100_000, (30, 7))])
    for part in ("train", "test"):
        write_idx(tmp_path / f"qmnist-{part}-images-idx3-ubyte.gz", IMAGES)
        write_int_idx(tmp_path / f"qmnist-{part}-labels-idx2-int.gz", labels)
    dataset = load_dataset(tmp_path)
    np.testing.assert_array_equal(dataset.test.labels, LABELS)
    assert len(dataset.class_names) == 10


def test_emnist_is_set_upright_and_its_letters_start_at_a(tmp_path):
    letters = np.arange(30) % 26 + 1
    write_set(tmp_path, "emnist-letters-{part}-{kind}-idx{n}-ubyte.gz", ("train", "test"),
              IMAGES.swapaxes(1, 2), letters)  # fmt: skip
    dataset = load_dataset(tmp_path)
    assert "".join(dataset.class_names) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    np.testing.assert_array_equal(dataset.train.labels, letters - 1)
    np.testing.assert_array_equal(dataset.train.images[..., 0], IMAGES)
    assert any("on their side" in note for note in dataset.notes)
    assert any("start at 1" in note for note in dataset.notes)


def test_of_several_datasets_one_has_to_be_named(tmp_path):
    for name in ("letters", "digits", "byclass"):
        pattern = f"emnist-{name}-{{part}}-{{kind}}-idx{{n}}-ubyte"
        write_set(tmp_path, pattern, ("train", "test"))
    with pytest.raises(InputError, match=r"3 datasets \(emnist-byclass, emnist-digits, emnist-l"):
        load_dataset(tmp_path)
    for chosen in ("emnist-digits", "emnist-digits-test-images-idx3-ubyte"):
        assert open_source(tmp_path / chosen).class_names == tuple("0123456789")
    with pytest.raises(InputError, match="neither a file, nor a folder"):
        load_dataset(tmp_path / "emnist-balanced")


def test_the_same_set_twice_is_read_where_it_is_nearest(tmp_path):
    write_set(tmp_path, "{part}-{kind}.idx{n}-ubyte")
    write_set(tmp_path / "below", "{part}-{kind}-idx{n}-ubyte", labels=LABELS[::-1])
    np.testing.assert_array_equal(load_split(tmp_path, "test").labels, LABELS)


def test_labels_that_start_at_1_make_no_empty_class(tmp_path):
    write_set(tmp_path, "{part}-{kind}-idx{n}-ubyte", labels=LABELS + 1)
    assert open_source(tmp_path).class_names == tuple(map(str, range(11)))  # They may, of a slice.
    (tmp_path / "classes.txt").write_text("\n".join("abcdefghij"))
    dataset = load_dataset(tmp_path)
    assert dataset.class_names == tuple("abcdefghij")
    np.testing.assert_array_equal(dataset.test.labels, LABELS)
    (tmp_path / "classes.txt").write_text("\n".join("_abcdefghij"))
    np.testing.assert_array_equal(load_split(tmp_path, "test").labels, LABELS + 1)


def test_colour_images_and_other_sizes(tmp_path):
    colour = RNG.integers(0, 256, (30, 12, 16, 3), dtype=np.uint8)
    write_set(tmp_path, "{part}-{kind}-idx{n}-ubyte", images=colour)
    split = load_split(tmp_path, "train")
    np.testing.assert_array_equal(split.images, colour)
    assert not split.inverted


def test_one_part_alone_is_divided_the_same_way_every_time(tmp_path):
    write_set(tmp_path, "xnist-{kind}-idx{n}-ubyte", ("",))
    dataset = load_dataset(tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (24, 6)
    assert len(np.intersect1d(dataset.train.ids, dataset.test.ids)) == 0
    assert any("one whole" in note for note in dataset.notes)
    again = load_split(tmp_path, "test")
    np.testing.assert_array_equal(again.ids, dataset.test.ids)
    assert again.fingerprint == dataset.test.fingerprint
    np.testing.assert_array_equal(again.images[..., 0], IMAGES[again.ids])
    assert len(open_source(tmp_path).read()) == 30


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte: is missing"),
        ("train-images-idx3-ubyte", "train-images-idx3-ubyte: is missing"),
    ],
)
def test_what_is_missing_is_named(tmp_path, missing, named):
    write_set(tmp_path, "{part}-{kind}-idx{n}-ubyte")
    (tmp_path / missing).unlink()
    with pytest.raises(InputError, match=named):
        load_dataset(tmp_path)
