import numpy as np
import pytest

from hardpairs.errors import InputError
from hardpairs.labels import classes_in, look_up, to_names, to_vector

ANIMALS = ("cat", "dog", "owl")


@pytest.mark.parametrize(
    ("values", "names", "found"),
    [
        ([" dog", "owl "], ANIMALS, [1, 2]),
        (["DOG", "Owl"], ANIMALS, [1, 2]),
        ([b"dog", b"owl"], ANIMALS, [1, 2]),
        (["2", "0"], ANIMALS, [2, 0]),
        ([2.0, 0.0], ANIMALS, [2, 0]),
        ([True, False], ("healthy", "sick"), [1, 0]),
        (["True", "false"], ("healthy", "sick"), [1, 0]),
        ([7, 3], ("3", "5", "7"), [2, 0]),  # No places among three: the names themselves.
        ([2, 0], ("2", "1", "0"), [2, 0]),  # Both, and so places.
        ([], ANIMALS, []),
    ],
)
def test_labels_are_names_or_places(values, names, found):
    values = np.array(values, object if any(isinstance(v, bytes) for v in values) else None)
    assert look_up(values, names, "labels")[0].tolist() == found


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (["dog", "fox"], "row 1 has 'fox', which is no class; the classes are 'cat', 'dog', 'owl'"),
        (np.array(["dog", None], object), "row 1 has none"),
        (np.array([1.0, np.nan]), "row 1 has none"),
        ([0.5, 1.0], "expected whole numbers or names"),
        ([1e300, 1.0], "run up to 1e[+]300"),
        ([1, 2, 3], "expected 0 to 2 .they seem to count from 1: subtract 1."),
        ([-1, 2], "run from -1 to 2"),
        (np.array([1 + 2j]), "expected indices or names"),
    ],
)
def test_labels_that_are_no_class(values, complaint):
    with pytest.raises(InputError, match=complaint):
        look_up(np.asarray(values), ANIMALS, "labels")


@pytest.mark.parametrize(
    ("names", "made"),
    [
        ({"cat": 0, "dog": 1}, ("cat", "dog")),  # Keras' class_indices
        ({"dog": 1, "cat": 0}, ("cat", "dog")),
        ({0: "cat", 1: "dog"}, ("cat", "dog")),  # A configuration's id2label
        ({"0": "cat", "1": "dog"}, ("cat", "dog")),  # The same from JSON
        ([b"cat", " dog "], ("cat", "dog")),
        ([3.0, 4], ("3", "4")),
        ((name for name in ("cat", "dog")), ("cat", "dog")),
    ],
)
def test_class_names_of_any_form(names, made):
    assert to_names(names) == made


@pytest.mark.parametrize("names", ["cat", {"cat": 0, "dog": 2}, 5])
def test_what_names_no_classes(names):
    with pytest.raises(InputError, match="class_names"):
        to_names(names)


def test_one_hot_rows_and_columns_are_vectors():
    assert to_vector(np.eye(3)[[2, 0]], "labels").tolist() == [2, 0]
    assert to_vector([[2], [0]], "labels").tolist() == [2, 0]
    with pytest.raises(InputError, match="not one-hot"):
        to_vector([[1, 1], [0, 1]], "labels")
    with pytest.raises(InputError, match="give one class an image"):
        to_vector(np.zeros((2, 2, 2)), "labels")


def test_classes_are_in_the_order_of_numbers_or_of_texts():
    assert classes_in(np.array(["10", "9", "10"])) == ("9", "10")
    assert classes_in(np.array(["b", "a", None], object)) == ("a", "b")
    assert classes_in(np.array([10.0, 9.0])) == ("9", "10")


def test_classes_of_one_number_are_in_the_order_of_texts():
    texts = ["0" * zeros + "7" for zeros in range(9)]  # Else their hashes, drawn anew, decided.
    assert classes_in(np.array(texts)) == tuple(sorted(texts))
