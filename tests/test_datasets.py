import shutil

import numpy as np
import pytest

from conftest import write_idx
from hardpairs.data.about import load_class_votes
from hardpairs.data.datasets import BUNDLED, load_dataset, load_split, open_source
from hardpairs.data.split import Split
from hardpairs.errors import InputError


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_data_is_complete(name):
    dataset = load_dataset(name)
    assert dataset.train.images.shape == (60_000, 28, 28, 1)
    assert dataset.test.images.shape == (10_000, 28, 28, 1)
    assert dataset.train.images.dtype == np.uint8
    assert dataset.train.labels.dtype == np.int64
    assert len(dataset.class_names) == 10
    assert set(np.unique(dataset.test.labels)) == set(range(10))


PUBLISHED = {
    "fashion-mnist": {
        "train": "1e1194a48cf10193dcb71a75eb1e65cbf5752c29817c279956698cbf280925a4",
        "test": "cfe4038a9afeee8094cd7e195072f996176550687445a4bdeebe3a78629d8d43",
    },
    "digits": {
        "train": "13ac2e4806765d408110b8374885bda339ed9a0e43e088b6cc249b4fcee92259",
        "test": "d65b3203ba232bc170ac0de2ab074916e311727de2b7b25be2090e2c55bc424f",
    },
}


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("part", ["train", "test"])
def test_fingerprints_never_change(name, part):
    """They tie finished runs to their data; the one known beforehand is the one of the bytes."""
    split = load_split(name, part)
    assert split.fingerprint == PUBLISHED[name][part]
    assert Split(split.images, split.labels).fingerprint == PUBLISHED[name][part]


def test_fashion_has_the_lessons_names(fashion):
    expected = "T-shirt Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle-boot"
    assert fashion.class_names == tuple(n.replace("-boot", " boot") for n in expected.split())
    assert np.bincount(fashion.test.labels).tolist() == [1000] * 10


def test_changed_bundled_bytes_are_refused(monkeypatch, tmp_path, fashion):
    folder = tmp_path / "fashion-mnist"
    from hardpairs.data import datasets

    shutil.copytree(datasets.BUNDLED_FOLDER / "fashion-mnist", folder)
    images = fashion.test.images[..., 0].copy()
    images[77, 3, 3] ^= 1
    write_idx(folder / "t10k-images-idx3-ubyte.gz", images)
    monkeypatch.setattr(datasets, "BUNDLED_FOLDER", tmp_path)
    with pytest.raises(InputError, match="SHA-256"):
        load_split("fashion-mnist", "test")


def test_fingerprint_tells_data_apart(fashion, fashion_folder):
    part = load_split(fashion_folder, "test")
    assert part.fingerprint == load_split(fashion_folder, "test").fingerprint
    assert part.fingerprint != fashion.test.fingerprint


def test_folder_of_idx_files(fashion_folder):
    dataset = load_dataset(fashion_folder)
    assert dataset.name == "slice"
    assert len(dataset.train) == 500
    assert dataset.class_names[9] == "Ankle boot"


def test_without_classes_txt_the_numbers_are_names(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    (folder / "classes.txt").unlink()
    assert load_dataset(folder).class_names == tuple("0123456789")


@pytest.mark.parametrize(
    ("name", "array", "complaint"),
    [
        ("train-labels-idx1-ubyte", np.zeros(499), "499 labels for the 500 images"),
        ("train-labels-idx1-ubyte", np.full(500, 3), "every label to train with is 'Dress'"),
        ("train-labels-idx1-ubyte", np.arange(500) % 11, "label 10 but classes.txt names only 10"),
        ("train-images-idx3-ubyte.gz", np.zeros((500, 28, 28, 2)), "1 or 3 of them a pixel"),
    ],
)
def test_files_that_make_no_dataset(tiny_folder, tmp_path, name, array, complaint):
    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    write_idx(folder / name, array)
    with pytest.raises(InputError, match=complaint) as caught:
        load_dataset(folder)
    assert str(folder) in str(caught.value)


def test_empty_and_missing(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    write_idx(folder / "t10k-images-idx3-ubyte.gz", np.zeros((0, 28, 28)))
    write_idx(folder / "t10k-labels-idx1-ubyte", np.zeros(0))
    with pytest.raises(InputError, match="holds no images"):
        load_dataset(folder)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match="is missing"):
        load_dataset(folder)
    with pytest.raises(InputError, match="nor a folder, nor a bundled dataset"):
        load_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"one\n", b"a\nb\na\n", b"\xff\xfe\x00", b"\n\n"])
def test_bad_class_names(tiny_folder, tmp_path, content):
    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    (folder / "classes.txt").write_bytes(content)
    with pytest.raises(InputError, match=r"classes\.txt"):
        load_dataset(folder)


def test_class_votes_are_shares_and_shirt_is_hard(fashion):
    votes = load_class_votes(fashion.test.fingerprint)
    assert votes.shape == (10, 10)
    np.testing.assert_allclose(votes.sum(axis=1), 1, atol=1e-3)
    assert np.diag(votes).argmin() == 6  # Shirt; published: people find only 27% by majority.
    digits = load_split("digits", "test")
    for other in (fashion.train.fingerprint, digits.fingerprint, "", "fashion-mnist"):
        assert load_class_votes(other) is None


@pytest.mark.parametrize(
    ("name", "content", "how"),
    [
        ("data_batch_1", b"\x80\x04\x95", "pickles can run code: save its arrays"),
        ("data_batch_1.bin", b"\0" * 9, "save its arrays with numpy.savez"),
        ("train.zip", b"PK\x03\x04", "unpack it, and give the folder"),
        ("data-00000-of-00001.arrow", b"\xff\xff\xff\xff", "write it as Parquet"),
    ],
)
def test_a_folder_of_files_of_another_kind_says_what_to_do(tmp_path, name, content, how):
    (tmp_path / "readme.html").write_text("CIFAR-10")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"holds no images that can be read \(.*\); {how}"):
        open_source(tmp_path)
    with pytest.raises(InputError, match=how):
        open_source(tmp_path / name)
