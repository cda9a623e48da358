import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardpairs.analysis.joining import join
from hardpairs.data.split import Split
from hardpairs.errors import InputError
from hardpairs.predictions.ids import match_ids
from hardpairs.predictions.predictions import Predictions

NAMES = ("T-shirt", "Coat", "Ankle boot")
LABELS = np.array([0, 1, 2, 2, 1, 0, 1])
IMAGES = np.arange(7, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
SPLIT = Split(IMAGES, LABELS)


def predictions_of(labels, names=NAMES, **fields) -> Predictions:
    probabilities = np.full((len(labels), len(names)), 1 / len(names))
    return Predictions(np.asarray(labels), probabilities, names, **fields)


def test_images_are_looked_up_by_id():
    rows = np.array([5, 2, 6])
    joined = join(predictions_of(LABELS[rows], ids=rows), SPLIT, NAMES, "data")
    assert joined.images[:][:, 0, 0, 0].tolist() == [5, 2, 6]
    assert joined.rows.tolist() == [5, 2, 6]
    assert joined.covers(3)


def test_file_names_are_ids():
    files = np.array([f"{row}.png" for row in range(7)])
    split = Split(IMAGES, LABELS, ids=files)
    joined = join(predictions_of(LABELS[[4, 1]], ids=files[[4, 1]]), split, NAMES, "data")
    assert joined.rows.tolist() == [4, 1]
    with pytest.raises(InputError, match=r"lack 1 of the predictions' 1 ids: 'x\.png'"):
        join(predictions_of([0], ids=np.array(["x.png"])), split, NAMES, "data")
    with pytest.raises(
        InputError, match=r"have numbers for ids, .* have texts, as 'x\.png'; give the"
    ):
        join(predictions_of([0], ids=np.array(["x.png"])), SPLIT, NAMES, "data")
    by_number = join(predictions_of(LABELS[[3]], ids=np.array([3])), split, NAMES, "data")
    assert by_number.rows.tolist() == [3]


def test_files_of_another_spelling_are_the_same():
    files = np.array([f"K\u00e4se/{row}.PNG" for row in range(7)])
    split = Split(IMAGES, LABELS, ids=np.array([f"Ka\u0308se/{row}.png" for row in range(7)]))
    assert join(predictions_of(LABELS, ids=files), split, NAMES, "d").rows.tolist() == [*range(7)]


@given(st.permutations(range(3)))
def test_classes_in_any_order_are_joined_by_name(order):
    names = tuple(NAMES[index] for index in order)
    joined = join(predictions_of(np.argsort(order)[LABELS], names), SPLIT, NAMES, "data")
    assert joined.classes.tolist() == list(order)
    assert joined.predictions.class_names == names


def test_names_in_another_order_than_the_labels_are_refused():
    names = ("Ankle boot", "Coat", "T-shirt")
    with pytest.raises(InputError, match="class 0 is 'T-shirt' in the data and 'Ankle boot'"):
        join(predictions_of(LABELS, names), SPLIT, NAMES, "data")


@pytest.mark.parametrize("names", [("T-shirt/top", "coat", "ankle_boot"), ("0", "1", "2")])
def test_other_spellings_are_the_same_class(names):
    joined = join(predictions_of(LABELS, names), SPLIT, NAMES, "data")
    assert joined.classes.tolist() == [0, 1, 2]


def test_numbers_for_names_become_the_datas_names():
    assert join(predictions_of(LABELS, ("0", "1", "2")), SPLIT, NAMES, "d").predictions == (
        predictions_of(LABELS)
    )
    nameless = join(predictions_of(LABELS), SPLIT, ("0", "1", "2"), "data")
    assert nameless.predictions.class_names == NAMES


def test_two_names_of_one_class_are_refused_and_said():
    known = ("T-shirt/top", "Coat", "Ankle boot")
    with pytest.raises(InputError, match=r"'T-shirt', 'top', which .* fit its class 'T-shirt/"):
        join(predictions_of(LABELS, ("T-shirt", "top", "Ankle boot")), SPLIT, known, "data")


def test_another_name_is_refused_and_said():
    with pytest.raises(InputError, match=r"no class 'Jacket'.*its class 1 is 'Coat', so rename it"):
        join(predictions_of(LABELS, ("T-shirt", "Jacket", "Ankle boot")), SPLIT, NAMES, "data")


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c", "d", "e"), ("Coat", "x", "y", "z")])
def test_other_classes_are_refused_and_said(names):
    with pytest.raises(InputError, match="have other classes than the predictions, 3"):
        join(predictions_of(LABELS.clip(max=1), names), SPLIT, NAMES, "data")


def test_other_classes_with_the_same_numbers_are_other_classes():
    rows = np.flatnonzero(LABELS < 2)
    with pytest.raises(InputError, match="have other classes than the predictions, 3"):
        join(predictions_of(LABELS[rows], ("c0", "c1"), ids=rows), SPLIT, NAMES, "data")


def test_the_same_labels_of_all_images_tell_more_than_names():
    labels = np.array([9, 2, 1, 1, 6, 1, 4, 6, 5, 7, 4, 5])
    split = Split(np.zeros((12, 2, 2), np.uint8), labels)
    letters = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    names = tuple(f"clothes {index}" for index in range(10))
    joined = join(predictions_of(labels, names), split, letters, "emnist")
    assert joined.rows.tolist() == list(range(12))
    assert "emnist calls its classes otherwise (A, B, C, D, E and 21 more)" in joined.notes[0]
    with pytest.raises(InputError, match="class 0 is 'A' in the data and 'B' in the predictions"):
        join(predictions_of(labels, ("B", *names[1:])), split, letters, "emnist")
    with pytest.raises(InputError, match="its 12 images were read, but they have other classes"):
        join(predictions_of(labels[::-1], names), split, letters, "emnist")


def test_some_of_the_classes_are_enough_for_their_images():
    rows = np.flatnonzero(LABELS != 2)
    joined = join(
        predictions_of(1 - LABELS[rows], ("Coat", "T-shirt"), ids=rows), SPLIT, NAMES, "d"
    )
    assert joined.classes.tolist() == [1, 0]
    assert not joined.covers(3)


def test_other_labels_are_refused_and_counted():
    with pytest.raises(InputError, match=r"aren't those of the predictions \(1 of 7 differ\)"):
        join(predictions_of([*LABELS[:6], 0]), SPLIT, NAMES, "data")
    with pytest.raises(InputError, match="fingerprints differ"):
        join(predictions_of(LABELS, fingerprint="x"), SPLIT, NAMES, "data")
    with pytest.raises(InputError, match="are 7 and lack 1 of the predictions' 1 ids: '7'"):
        join(predictions_of([0], ids=np.array([7])), SPLIT, NAMES, "data")


@pytest.mark.parametrize(
    ("ids", "known", "places"),
    [
        (["cat/1.png", "dog/1.png"], ["dog/1.png", "cat/1.png"], [1, 0]),
        (["/data/val/cat/1.png", "x/dog/1.png"], ["dog/1.png", "cat/1.png"], [1, 0]),
        (["cat\\1", "dog\\1"], ["dog/1.png", "cat/1.png"], [1, 0]),
        (["1.png", "2.png"], ["dog/1.png", "cat/1.png", "cat/2.png"], [-1, 2]),  # Which 1.png?
        (["a/1.png", "b/1.png", "c/2.png"], ["1.png", "2.png"], [-1, -1, 1]),  # Whose 1.png?
        ([1, 2], ["2.jpg", "1.jpg"], [1, 0]),
        ([3, 1], [1, 2, 3], [2, 0]),
        (["x"], ["y"], [-1]),
    ],
)
def test_ids_match_where_one_alone_is_meant(ids, known, places):
    assert match_ids(np.array(ids), np.array(known)).tolist() == places
