import contextlib
import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import make_predictions
from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import Predictions, save_predictions

SLOW_FIXTURE = [HealthCheck.function_scoped_fixture]


def arrays_of(predictions: Predictions) -> dict:
    return {
        "labels": predictions.labels,
        "probabilities": predictions.probabilities,
        "class_names": np.array(predictions.class_names),
    }


def test_round_trip(tmp_path):
    before = make_predictions(
        ids=np.arange(200)[::-1], split="test", fingerprint="ab", metadata={"seed": 3}
    )
    save_predictions(before, tmp_path / "p.npz")
    after = load_predictions(tmp_path / "p.npz")
    for name in ("labels", "probabilities", "ids"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert (after.class_names, after.split) == (before.class_names, "test")
    assert (after.fingerprint, after.metadata) == ("ab", {"seed": 3})


def test_three_arrays_from_another_framework_are_enough(tmp_path):
    before = make_predictions()
    np.savez(tmp_path / "p.npz", **arrays_of(before))
    after = load_predictions(tmp_path / "p.npz")
    assert after.ids.tolist() == list(range(200))
    assert after.metadata == {}


def test_csv_door(tmp_path):
    (tmp_path / "p.csv").write_text('id,label,"cat, big",dog\n5,dog,0.25,0.75\n2,"cat, big",1,0\n')
    after = load_predictions(tmp_path / "p.csv")
    assert after.class_names == ("cat, big", "dog")
    assert after.labels.tolist() == [1, 0]
    assert after.ids.tolist() == [5, 2]
    assert after.predicted.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no column of true labels.*'a' .numbers., 'b' .numbers."),
        ("label,a,b\nc,0.5,0.5\n", "row 0 has 'c', which is no class; the classes are 'a', 'b'"),
        ("label,a,b\na,0.5\n", "line 2 has 2 cells, the first line has 3"),
        ("label,a,b\na,0.5,0.5,9,junk\n", "line 2 has 5 cells"),
        (
            "label,a,b\na,0.5,half\n",
            "the column 'b' .* holds 'half', which is no number|holds no numbers .'half'.",
        ),
        ("label,a,b\na,1,0\na,1,0\na,0.5,0.2_5\n", "line 4 has '0.2_5' in the column 'b'"),
        ("label,a,b,c\na,0.5,0.2_5,0.25\nb,1,0,0\n", "the column 'b' .* holds '0.2_5', which"),
        ("label,a,b,c\na,0.5,x,0.2\na,1,0,0\n", "the column 'b' .* holds 'x', which is no number"),
        ("label,a,b\na,nan,0.5\n", "image 1 of 1 has no finite number in the column 'a'"),
        ("label,a,b\na,0,1\nb,0.5,\n", "image 2 of 2 has no finite number in the column 'b'"),
        ("label,a,b\n", "at least one"),
        ("label,a,b\n,0.5,0.5\n", "labels: row 0 has none"),
        ("label,id,a,b\na,-1,1,0\n", "ids"),
        ("label,a,a\na,1,0\n", "all different"),
        ("label,label,a,b\na,b,1,0\n", "'label' more than once"),
        ("label,a,b\na,3,1\n", "row 0 sums to 4"),
        ("label,a,b\na,0.9,0.9\n", "separate sigmoids"),
        ('label,a,b\na,"1,0\n', "unexpected end|cells"),
    ],
)
def test_bad_csv(tmp_path, text, complaint):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(InputError, match=complaint):
        load_predictions(tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"probabilities": np.full((200, 5), np.nan)}, "row 0 of probabilities has NaN"),
        ({"probabilities": np.full((200, 5), 0.3)}, "row 0 sums to 1.5"),
        ({"probabilities": np.eye(5)[np.zeros(200, int)] * 2 - 0.2}, "at least 0"),
        ({"probabilities": np.full((200, 5, 2), 0.2)}, "expected numbers of shape"),
        ({"probabilities": np.full((200, 5), "a")}, "text of shape .200, 5.; give numbers"),
        ({"probabilities": np.ones((200, 5), int)}, "row 0 sums to 5"),
        ({"probabilities": np.full((5, 200), 0.005)}, "200 labels for 5 rows .*transposed"),
        ({"probabilities": np.ones((200, 1))}, "5 class names for 2 columns"),
        ({"labels": np.full(200, 5)}, "expected 0 to 4"),
        ({"labels": np.full(200, -1)}, "expected 0 to 4"),
        ({"labels": np.zeros(199, int)}, "199 labels for 200 rows"),
        ({"labels": np.zeros((200, 2))}, "labels are float64 of shape .200, 2.; give one class"),
        ({"labels": np.ones((200, 5))}, "not one-hot"),
        ({"labels": np.full(200, 0.5)}, "expected whole numbers"),
        ({"labels": np.full(200, np.nan)}, "labels: row 0 has none"),
        ({"labels": np.full(200, "cat")}, "'cat', which is no class; the classes are 'class 0'"),
        ({"labels": np.arange(200) % 5 + 1}, "count from 1"),
        ({"class_names": np.array(["a", "b"])}, "2 class names for 5 columns"),
        ({"class_names": np.array(["a", "b", "c", "d", "d"])}, "all different"),
        ({"class_names": np.array([None] * 5)}, "array 'class_names' holds pickled objects"),
        ({"ids": np.zeros(200, int)}, "all different"),
        ({"ids": -np.arange(200)}, "at least 0"),
        ({"metadata": np.array("[1]")}, "JSON object"),
        ({"metadata": np.array("{")}, "isn't JSON"),
        ({"format_version": np.array(99)}, "format version 99"),
        ({"labels": np.array([{}] * 200)}, "pickled objects"),
    ],
)
def test_bad_arrays(tmp_path, change, complaint):
    np.savez(tmp_path / "p.npz", **{**arrays_of(make_predictions()), **change})
    with pytest.raises(InputError, match=complaint) as caught:
        load_predictions(tmp_path / "p.npz")
    assert str(tmp_path / "p.npz") in str(caught.value)


def test_a_bad_cell_is_named_by_its_line(tmp_path):
    text = '\nlabel,a,b\n\n"a",1,0\n\na,1,0\n"b\n",0,1\nb,x,1\n'
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(InputError, match=r"p\.csv: line 9 has 'x' in the column 'a'"):
        load_predictions(tmp_path / "p.csv")


def test_missing_array_and_missing_file(tmp_path):
    np.savez(tmp_path / "p.npz", labels=np.zeros(3, int))
    with pytest.raises(InputError, match="lacks the array"):
        load_predictions(tmp_path / "p.npz")
    with pytest.raises(InputError, match="No such file"):
        load_predictions(tmp_path / "q.npz")


class Payload:
    def __reduce__(self):
        return (open, ("executed", "w"))


def test_pickle_is_never_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Payload()))
    np.savez(tmp_path / "inside.npz", labels=np.array([Payload()], dtype=object))
    for name in ("bare.npz", "inside.npz"):
        with pytest.raises(InputError):
            load_predictions(tmp_path / name)
    assert not (tmp_path / "executed").exists()


def test_sizes_that_cannot_be_true(tmp_path):
    header = np.lib.format.header_data_from_array_1_0(np.zeros(1))
    header["shape"] = (10**12,)
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as archive:
        archive.writestr("labels.npy", member.getvalue())
    with pytest.raises(InputError):
        load_predictions(tmp_path / "p.npz")


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW_FIXTURE)
@given(data=st.data())
def test_no_bytes_make_a_traceback(tmp_path, data):
    path = tmp_path / "valid.npz"
    if not path.exists():
        save_predictions(make_predictions(images=3), path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged.npz").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(InputError):
        load_predictions(tmp_path / "damaged.npz")


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW_FIXTURE)
@given(content=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_no_csv_makes_a_traceback(tmp_path, content):
    (tmp_path / "p.csv").write_bytes(b"label,a,b\n" + content)
    with contextlib.suppress(InputError):
        load_predictions(tmp_path / "p.csv")


def test_the_predicted_class_is_found_before_the_cast_to_float32(tmp_path):
    lead = np.array([[0.3, 0.35, 0.35000000001]] * 8)
    predictions = Predictions(np.full(8, 2), lead, ("a", "b", "c"))
    assert predictions.predicted.tolist() == [2] * 8
    save_predictions(predictions, tmp_path / "p.npz")
    assert load_predictions(tmp_path / "p.npz") == predictions
    np.savez(
        tmp_path / "q.npz", labels=np.full(8, 2), probabilities=lead, class_names=["a", "b", "c"]
    )
    assert load_predictions(tmp_path / "q.npz").predicted.tolist() == [2] * 8


def test_classes_alone_texts_as_ids_and_optional_arrays_round_trip(tmp_path):
    ids = np.array(["b/2.png", "a/1.png", "ä.png"], dtype=object)
    predictions = Predictions(
        np.array([0, 1, 1]),
        None,
        ("a", "b"),
        ids=ids,
        predicted=np.array([1, 1, 0]),
        images=np.zeros((3, 4, 5, 3), np.uint8),
        embeddings=np.ones((3, 2)),
    )
    assert not predictions.has_probabilities
    with pytest.raises(InputError, match="classes alone"):
        predictions.known_probabilities()
    save_predictions(predictions, str(tmp_path / "p.npz"))
    assert load_predictions(str(tmp_path / "p.npz")) == predictions
    assert predictions.ids.tolist() == ids.tolist()
    assert repr(predictions) == "Predictions(3 images, 2 classes, classes alone, accuracy 33.33%)"


def test_equal_by_content():
    assert make_predictions() == make_predictions()
    for other in (make_predictions(seed=1), make_predictions(split="test"), 5):
        assert make_predictions() != other


@pytest.mark.parametrize(
    ("names", "shown"),
    [(("caf\udce9", "b"), ("caf\ufffd", "b")), (("\udce9", "\udce8"), ("\\udce9", "\\udce8"))],
)
def test_names_that_are_no_unicode_are_shown_with_a_replacement(names, shown):
    assert Predictions(np.array([0]), np.array([[0.5, 0.5]]), names).class_names == shown


def test_foreign_metadata_is_strict_json_and_empty_counts_as_nothing(tmp_path):
    arrays = arrays_of(make_predictions())
    np.savez(tmp_path / "p.npz", **arrays, metadata=np.array('{"loss": NaN, "recipe": "r"}'))
    assert load_predictions(tmp_path / "p.npz").metadata == {"loss": None, "recipe": "r"}
    np.savez(tmp_path / "p.npz", **arrays, metadata=np.array(""))
    assert load_predictions(tmp_path / "p.npz").metadata == {}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"ids": np.arange(200, dtype=np.uint64) + np.uint64(2**63)}, "below 2[*][*]63"),
        ({"ids": np.array(["a"] * 200)}, "all different"),
        ({"predicted": np.full(200, 7)}, "predicted classes run from 7 to 7, expected 0 to 4"),
        ({"images": np.full((200, 8, 8), 0.5j)}, "array 'images' holds an array of complex128"),
        ({"images": np.zeros((199, 8, 8), np.uint8)}, "images are uint8 of shape .199, 8, 8"),
        ({"images": np.zeros((200, 8, 8, 7), np.uint8)}, "images have shape .200, 8, 8, 7"),
        ({"embeddings": np.full((200, 4), np.nan)}, "embeddings are"),
    ],
)
def test_bad_optional_arrays(tmp_path, change, complaint):
    np.savez(tmp_path / "p.npz", **{**arrays_of(make_predictions()), **change})
    with pytest.raises(InputError, match=complaint):
        load_predictions(tmp_path / "p.npz")


def test_names_are_looked_up_and_0_and_1_are_probabilities():
    made = Predictions(["b", "a"], [[0, 1], [0, 1]], ["a", "b"])
    assert (made.labels.tolist(), made.predicted.tolist()) == ([1, 0], [1, 1])
    assert Predictions([1, 0], [[0.5, 0.5], [1, 0]]).class_names == ("0", "1")
    with pytest.raises(InputError, match="'c', which is no class"):
        Predictions(["c", "a"], [[0, 1], [0, 1]], ["a", "b"])


HALVES = np.full((2, 2), 0.5)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"class_names": ["a"]}, "1 class names; give two classes at least"),
        ({"class_names": [1, 2]}, "class names must be texts"),
        ({"class_names": ["a", "a"]}, "class names must be all different"),
        ({"class_names": ["a", "b", "c"]}, "3 class names for 2 columns"),
        ({"probabilities": HALVES[0]}, "class names; give two classes"),
        ({"probabilities": HALVES.astype(str), "class_names": "ab"}, "expected floats of shape"),
        ({"probabilities": HALVES[:0]}, "give at least one image and two classes"),
        ({"probabilities": HALVES * np.nan}, "row 0 of probabilities has NaN"),
        ({"probabilities": HALVES * 2}, "row 0 sums to 2"),
        (
            {"probabilities": np.array([[0.5, 0.5], [-0.1, 1.1]])},
            "row 1 sums to 1, its least is -0.1",
        ),
        ({"labels": [0]}, "labels are int64 of shape .1,., expected integers of shape .2,."),
        ({"labels": [0, 2]}, "labels run from 0 to 2, expected 0 to 1"),
        ({"predicted": [0.0, 1.0]}, "predicted classes are float64"),
        ({"probabilities": None, "labels": [], "class_names": "ab"}, "labels are empty"),
        ({"ids": [0.5, 1]}, "ids are float64"),
        ({"ids": [-1, 1]}, "ids run from -1 to 1"),
        ({"ids": ["x", "x"]}, "ids must be all different"),
    ],
)
def test_what_cannot_be_predictions(given, complaint):
    known = {"labels": [0, 1], "probabilities": HALVES, **given}
    with pytest.raises(InputError, match=complaint):
        Predictions(known.pop("labels"), known.pop("probabilities"), **known)
