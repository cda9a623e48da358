import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hardpairs.data.about import find_about
from hardpairs.data.split import Dataset, Split, idx_sha256, stratified_order, thumbnails
from hardpairs.errors import InputError

RNG = np.random.default_rng(0)
GRAY = RNG.integers(0, 256, (6, 28, 28, 1), dtype=np.uint8)


class Mixed:
    """Images of different sizes and colours, made when asked for."""

    def __init__(self, shapes):
        self.made = [RNG.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
        self.fingerprint = "mixed"

    def __len__(self):
        return len(self.made)

    def __getitem__(self, rows):
        return [self.made[row] for row in np.arange(len(self.made))[rows]]


def test_a_split_numbers_its_images_and_gives_gray_ones_a_channel():
    split = Split(GRAY[..., 0], np.arange(6))
    assert split.images.shape == (6, 28, 28, 1)
    assert split.ids.tolist() == [0, 1, 2, 3, 4, 5]
    assert split.fingerprint == Split(GRAY, np.arange(6)).fingerprint
    with pytest.raises(InputError, match="6 images, 5 labels"):
        Split(GRAY, np.arange(5))


def test_taking_some_images_takes_their_labels_and_ids():
    names = np.array(["a.png", "b.png", "c.png"])
    mixed = Mixed([(3, 4, 1), (9, 2, 3), (5, 5, 3)])
    for images in (GRAY[:3], mixed):
        part = Split(images, np.array([0, 1, 0]), names).take(np.array([2, 1]))
        assert part.ids.tolist() == ["c.png", "b.png"]
        assert part.labels.tolist() == [0, 1]
        for taken, row in zip(part.images[:], (2, 1), strict=True):
            np.testing.assert_array_equal(taken, images[np.array([row])][0])
    with pytest.raises(InputError, match="2 sizes, from"):
        _ = part.pixels


def test_fingerprints_tell_pixels_labels_colours_and_parts_apart():
    colour = np.repeat(GRAY, 3, axis=3)
    changed = GRAY.copy()
    changed[0, 0, 0] ^= 1
    mixed = Split(Mixed([(3, 4, 1)] * 6), np.arange(6))
    splits = [
        Split(GRAY, np.arange(6)),
        Split(changed, np.arange(6)),
        Split(GRAY, np.arange(6)[::-1]),
        Split(GRAY, np.arange(6) + 250),
        Split(colour, np.arange(6)),
        mixed,
        mixed.take(slice(3)),
    ]
    assert len({split.fingerprint for split in splits}) == len(splits)


def test_labels_beyond_255_do_not_wrap_around():
    assert idx_sha256(np.array([1, 256])) != idx_sha256(np.array([1, 0]))


@settings(max_examples=60)
@given(arrays(np.int64, st.integers(1, 120), elements=st.integers(0, 6)), st.integers(0, 9))
def test_every_beginning_and_end_holds_the_classes_in_proportion(labels, seed):
    order = stratified_order(labels, seed)
    assert sorted(order) == list(range(len(labels)))
    counts = np.bincount(labels)
    classes, several = np.flatnonzero(counts), np.flatnonzero(counts > 1)
    for part in range(len(labels) + 1):
        first = np.bincount(labels[order[:part]], minlength=len(counts))
        share = counts * part / len(labels)
        assert (np.abs(first - share) <= 1 + len(classes) * counts / len(labels)).all()
        if part >= len(classes):
            assert (first[classes] > 0).all()
            last = np.bincount(labels[order[len(labels) - part :]], minlength=len(counts))
            assert (last[several] > 0).all()


def test_parts_of_data_sorted_by_class_hold_every_class():
    labels = np.repeat(np.arange(10), [5, 50, 100, 200, 300, 400, 500, 600, 700, 145])
    order = stratified_order(labels, 0)
    for share in (0.01, 0.03, 0.1, 0.5, 0.9):
        part = round(share * len(labels))
        assert len(set(labels[order[:part]])) == 10
        assert len(set(labels[order[-part:]])) == 10
    tenth = np.bincount(labels[order[-300:]])
    assert np.abs(tenth - np.bincount(labels) / 10).max() <= 1.5
    np.testing.assert_array_equal(order, stratified_order(labels, 0))
    assert (order != stratified_order(labels, 1)).any()


def test_only_what_is_known_to_be_shuffled_keeps_its_order(fashion):
    np.testing.assert_array_equal(fashion.order_to_train(), np.arange(60_000))
    split = Split(GRAY, np.array([0, 0, 0, 1, 1, 1]))
    dataset = Dataset("sorted", "/data/sorted", ("a", "b"), split, split)
    assert sorted(split.labels[dataset.order_to_train()[-2:]]) == [0, 1]


def test_names_for_files_are_never_shared():
    split = Split(GRAY, np.arange(6))
    names = [
        Dataset(name, source, ("a", "b"), split, split).file_name
        for name, source in (
            ("fashion-mnist", "fashion-mnist"),
            ("photos", "/home/a/photos"),
            ("photos", "/home/b/photos"),
            ("../\n$x", "/home/../\n$x"),
            ("写真", "/home/写真"),
            ("\udcff", "/home/\udcff"),
        )
    ]
    assert names[0] == "fashion-mnist"
    assert names[1].startswith("photos-")
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.replace("-", "").isalnum() for name in names)


def test_about_is_found_by_fingerprint_alone(fashion):
    assert fashion.about.title == "Fashion-MNIST"
    assert fashion.about.file_name("answers.md") == "fashion.md"
    assert fashion.about.file_name("report.html") == "report.html"
    assert "collar" in fashion.about.separates[frozenset(("Shirt", "T-shirt"))]
    assert {name for pair in fashion.about.separates for name in pair} <= set(fashion.class_names)
    assert find_about(fashion.train.fingerprint) == fashion.about
    part = fashion.test.take(slice(100))
    assert find_about(part.fingerprint) is find_about("") is None


def test_a_thumbnail_of_the_right_size_is_the_image():
    rows = np.array([3, 1])
    np.testing.assert_array_equal(thumbnails(GRAY, rows, 28), GRAY[rows])
    np.testing.assert_array_equal(thumbnails(GRAY, rows, 28, inverted=True), 255 - GRAY[rows])
    colour = np.repeat(GRAY, 3, axis=3)
    np.testing.assert_array_equal(thumbnails(colour, rows, 28, inverted=True), colour[rows])


def test_thumbnails_keep_proportions_on_white():
    images = Mixed([(10, 40, 3), (40, 10, 1), (2, 2, 1), (300, 200, 3)])
    for image in images.made:
        image[:] = 9
    small = thumbnails(images, np.arange(4), 20)
    assert small.shape == (4, 20, 20, 3)
    for picture, (height, width) in zip(small, ((5, 20), (20, 5), (20, 20), (20, 13)), strict=True):
        filled = (picture == 9).all(axis=2)
        assert filled.sum() == height * width
        assert (picture[~filled] == 255).all()
        assert filled.any(axis=1).sum() == height
    turned = thumbnails(Mixed([(4, 8, 1)]), np.array([0]), 16, inverted=True)
    assert (turned[0, 0] == 255).all()
    assert thumbnails(GRAY, np.array([], int), 16).shape == (0, 16, 16, 1)


def test_enlarged_pixels_stay_pixels():
    image = np.array([[[[0], [255]], [[255], [0]]]], np.uint8)
    big = thumbnails(image, np.array([0]), 8)[0, :, :, 0]
    np.testing.assert_array_equal(big, np.kron(image[0, :, :, 0], np.ones((4, 4), np.uint8)))
