import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hardpairs.data.memory import OfManySizes, open_memory, split_of, to_images, to_labels
from hardpairs.errors import InputError

RNG = np.random.default_rng(0)
GRAY = RNG.integers(0, 256, (20, 12, 10), dtype=np.uint8)
GRAY[0, 0, :2] = 0, 255
COLOUR = RNG.integers(0, 256, (20, 12, 10, 3), dtype=np.uint8)
LABELS = np.arange(20) % 4


def one(images):
    (made,), _ = to_images(images)
    return made


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (GRAY, GRAY[..., None]),
        (GRAY[..., None], GRAY[..., None]),
        (GRAY[:, None], GRAY[..., None]),
        (COLOUR, COLOUR),
        (COLOUR.transpose(0, 3, 1, 2), COLOUR),
        (GRAY[:, :10].reshape(20, 100), GRAY[:, :10, :, None]),
        (GRAY / 255, GRAY[..., None]),
        ((GRAY / 255).astype(np.float16), GRAY[..., None]),
        ((GRAY / 127.5 - 1).astype(np.float32), GRAY[..., None]),
        (GRAY.astype(np.float64), GRAY[..., None]),
        (GRAY.astype(np.int64), GRAY[..., None]),
        (GRAY.astype(np.uint16) * 257, GRAY[..., None]),
        (GRAY > 100, 255 * (GRAY > 100)[..., None]),
        ((GRAY > 100).astype(np.uint8), 255 * (GRAY > 100)[..., None]),
        (GRAY.tolist(), GRAY[..., None]),
        (list(GRAY), GRAY[..., None]),
        ([Image.fromarray(image) for image in COLOUR], COLOUR),
    ],
)
def test_usual_forms_of_images(given, expected):
    made = one(given)
    assert made.dtype == np.uint8
    np.testing.assert_allclose(made, expected, atol=0 if np.asarray(given[0]).dtype != "f2" else 1)


def test_bytes_are_not_copied():
    assert np.shares_memory(one(COLOUR), COLOUR)


def test_scikit_learns_digits():
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    (images,), notes = to_images(digits.images)
    assert images.shape == (1797, 8, 8, 1)
    assert (images.min(), images.max()) == (0, 255)
    assert notes == ("Their pixels are from 0 to 16; the largest is taken for white.",)
    np.testing.assert_array_equal(one(digits.data), images)
    split = split_of(digits.images, digits.target)
    assert split.inverted
    assert split.labels.tolist() == digits.target.tolist()


def test_several_sets_share_what_is_white():
    digits = np.arange(17.0)[:, None, None] * np.ones((17, 8, 8))
    (train, test), _ = to_images(digits, digits[:16])
    np.testing.assert_array_equal(train[:16], test)


def test_transparency_lies_on_white():
    clear = np.concatenate([COLOUR, np.zeros((20, 12, 10, 1), np.uint8)], axis=3)
    assert (one(clear) == 255).all()
    opaque = clear.copy()
    opaque[..., 3] = 255
    np.testing.assert_array_equal(one(opaque), COLOUR)
    np.testing.assert_array_equal(one(opaque.transpose(0, 3, 1, 2) / 255), COLOUR)


def test_lists_of_different_sizes(tmp_path):
    Image.fromarray(COLOUR[0]).save(tmp_path / "a.png")
    given = [GRAY[0], COLOUR[1, :5], Image.fromarray(COLOUR[2]), tmp_path / "a.png",
             {"bytes": (tmp_path / "a.png").read_bytes(), "path": None}]  # fmt: skip
    images = one(given)
    assert isinstance(images, OfManySizes)
    assert [image.shape for image in images[:]] == [
        (12, 10, 1), (5, 10, 3), (12, 10, 3), (12, 10, 3), (12, 10, 3)
    ]  # fmt: skip
    np.testing.assert_array_equal(images[np.array([4])][0], COLOUR[0])
    assert images.fingerprint != one(given[::-1]).fingerprint
    column = np.empty(2, object)
    column[:] = given[:2]
    assert len(one(column)) == 2


class Tensor:
    """Something on another device, which NumPy can't take as it is."""

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    def cpu(self):
        return self.array

    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert a tensor on another device")

    def __len__(self):
        return len(self.array)


def test_tensors_on_another_device():
    np.testing.assert_array_equal(one(Tensor(COLOUR)), COLOUR)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (GRAY * 2.0, "from 0 to 510, which leaves open what is white"),
        (GRAY / 255 * 5 - 2.1, "as after subtracting a mean"),
        (GRAY.astype(np.int16) - 128, "as after subtracting a mean"),
        (np.where(GRAY == 7, np.nan, GRAY), "NaN or infinity"),
        (GRAY.astype(np.int64) // 3, "from 0 to 85, which leaves open"),
        (GRAY.astype(np.uint16) * 8, "from 0 to 2040, which leaves open"),
        (COLOUR[0], r"shape \(12, 10, 3\)"),
        (GRAY[:, :, :3], r"shape \(20, 12, 3\)"),
        (np.zeros((5, 3, 8, 3)), r"shape \(5, 3, 8, 3\)"),
        (np.zeros((5, 8, 8, 2)), r"shape \(5, 8, 8, 2\)"),
        (np.zeros((5, 3072)), r"shape \(5, 3072\)"),
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((0, 8, 8)), "there is none"),
        (np.array([["a"]]), "give"),
        ([], "empty list"),
        ([b"no picture"], "number 0: can't be read as a picture"),
        (GRAY + 1j, "give numbers"),
    ],
)
def test_what_could_mean_several_things_is_refused(given, complaint):
    with pytest.raises(InputError, match=complaint):
        one(given)


@settings(max_examples=60)
@given(
    shape=st.lists(st.integers(0, 5), min_size=0, max_size=5),
    dtype=st.sampled_from(["u1", "i1", "u2", "i4", "f2", "f4", "f8", "?", "U3", "O"]),
    scale=st.sampled_from([0, 1, -1, 255, 1e30]),
)
def test_no_array_makes_a_traceback(shape, dtype, scale):
    with np.errstate(all="ignore"):
        try:
            array = (np.ones(shape) * scale).astype(dtype)
        except (ValueError, OverflowError):
            return
        try:
            made = one(array)
        except InputError:
            return
    assert made[:].dtype == np.uint8


def test_labels_of_every_form():
    names = ("a", "b", "c", "d")
    texts = np.array(names)[LABELS]
    for form in (LABELS, LABELS.astype(float), texts, texts.astype(object), np.eye(4)[LABELS],
                  LABELS[:, None], texts.astype("S1"), LABELS + 1, list(texts)):  # fmt: skip
        (made,), found = to_labels(form, class_names=names)
        np.testing.assert_array_equal(made, LABELS)
        assert found == names
    assert to_labels(texts)[1] == names
    assert to_labels(LABELS)[1] == ("0", "1", "2", "3")
    (train, test), names = to_labels(["dog", "cat"], ["owl"])
    assert (train.tolist(), test.tolist(), names) == ([1, 0], [2], ("cat", "dog", "owl"))
    for bad in ([0.5, 1], [-1, 0], [np.nan, 1], [10**9, 0], np.ones((3, 2))):
        with pytest.raises(InputError):
            to_labels(bad)


class Shared:
    """An array that offers itself by DLPack alone."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_dlpack():
    np.testing.assert_array_equal(one(Shared(COLOUR)), COLOUR)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"images": GRAY, "labels": LABELS}, "a dict"),
        ((GRAY,), "a tuple of 1"),
        (GRAY, "a ndarray"),
        (None, "a NoneType"),
    ],
)
def test_data_in_memory_of_another_form(given, found):
    with pytest.raises(InputError, match=rf"is \(images, labels\), or two such.*{found}\."):
        open_memory(given)


def test_batches_of_images_are_joined():
    np.testing.assert_array_equal(one(np.array_split(COLOUR, 2)), COLOUR)
    channels_first = np.moveaxis(COLOUR, 3, 1) / np.float32(255)
    np.testing.assert_array_equal(one(np.array_split(channels_first, 2)), COLOUR)


def test_a_dataset_of_pairs_is_no_images():
    pairs = [(image, 0) for image in COLOUR]
    dataset = type("Dataset", (), {"__len__": lambda _: len(pairs)})()
    type(dataset).__getitem__ = lambda _, row: pairs[row]
    with pytest.raises(InputError, match="tuples of 2: give a list of one value of each"):
        to_images(dataset)


class Column:
    """What gives its values one by one, as a column of Hugging Face or a loader does."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return iter(self.values)


def test_columns_and_iterators_of_pictures(tmp_path):
    pictures = [Image.fromarray(image) for image in COLOUR]
    paths = []
    for index, picture in enumerate(pictures):
        picture.save(tmp_path / f"{index}.png")
        paths.append(str(tmp_path / f"{index}.png"))
    batches = np.array_split(COLOUR, 3)
    columns = (np.array(paths), pd.Series(paths), pl.Series(paths), Column(pictures))
    batched = (iter(batches), Column(batches), [pictures[:12], tuple(pictures[12:])])
    for form in (*columns, *batched, map(str, paths)):
        np.testing.assert_array_equal(one(form), COLOUR)
    sizes = Column([pictures[0], pictures[1].crop((0, 0, 5, 5))])
    assert [image.shape for image in one(sizes)[:]] == [(12, 10, 3), (5, 5, 3)]


@pytest.mark.parametrize("given", [
    Column([[COLOUR, LABELS]]),
    [(COLOUR, LABELS)],
    Column([{"image": COLOUR[0], "label": 3}]),
    [("a.png", 0)],
    (COLOUR, LABELS),
])  # fmt: skip
def test_more_than_images_is_told(given):
    with pytest.raises(InputError, match=r"items are \w+s of 2: give a list|give images alo"):
        to_images(given)
