"""Predictions in files of arrays and others: each form means the same as the plain one."""

import io
import zipfile

import numpy as np
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.found import Hints
from hardpairs.predictions.load import load_predictions
from plain_predictions import LABELS, NAMES, PLAIN, PROBABILITIES, same

LOGITS = np.log(PROBABILITIES) + 0.3


ARRAYS = {
    "plain": {},
    "labels by name": {"labels": NAMES[LABELS]},
    "labels as bytes": {"labels": NAMES[LABELS].astype("S")},
    "labels of shape (N, 1)": {"labels": LABELS[:, None]},
    "labels as whole floats": {"labels": LABELS.astype(np.float32)},
    "labels one-hot": {"labels": np.eye(3, dtype=np.uint8)[LABELS]},
    "labels one-hot, as bools": {"labels": np.eye(3, dtype=bool)[LABELS]},
    "names as bytes": {"class_names": NAMES.astype("S")},
    "logits": {"probabilities": LOGITS},
    "log-probabilities": {"probabilities": np.log(PROBABILITIES)},
    "float16": {"probabilities": PROBABILITIES.astype(np.float16)},
    "percentages": {"probabilities": PROBABILITIES * 100},
    "a tiny negative": {"probabilities": np.where(PROBABILITIES < 0.001, -1e-7, PROBABILITIES)},
    "pooled to 1 x 1": {"probabilities": PROBABILITIES[:, :, None, None]},
    "as texts": {"probabilities": PROBABILITIES.astype(str)},
}


@pytest.mark.parametrize("form", ARRAYS)
def test_arrays(tmp_path, form):
    arrays = {"labels": LABELS, "probabilities": PROBABILITIES, "class_names": NAMES}
    np.savez(tmp_path / "p.npz", **{**arrays, **ARRAYS[form]})
    same(load_predictions(tmp_path / "p.npz"), tolerance=2e-3)


def test_arrays_without_names_or_with_numbers_for_names(tmp_path):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES)
    same(load_predictions(tmp_path / "p.npz"), names=("0", "1", "2"))
    np.savez(
        tmp_path / "p.npz", labels=LABELS + 3, probabilities=PROBABILITIES, class_names=[3, 4, 5]
    )
    got = load_predictions(tmp_path / "p.npz")
    same(got, names=("3", "4", "5"))
    assert any("numbers that the classes are named by" in note for note in got.notes)
    # Without names, labels by name are in scikit-learn's order, and it is said.
    np.savez(tmp_path / "p.npz", labels=NAMES[LABELS], probabilities=PROBABILITIES)
    got = load_predictions(tmp_path / "p.npz")
    same(got)
    assert any("taken in sorted order, 'cat', 'dog', 'owl'" in note for note in got.notes)


def test_bfloat16(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    probabilities = PROBABILITIES.astype(ml_dtypes.bfloat16)
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=probabilities, class_names=NAMES)
    got = load_predictions(tmp_path / "p.npz")
    np.testing.assert_array_equal(got.labels, LABELS)
    np.testing.assert_allclose(got.probabilities, PLAIN.probabilities, atol=0.01)
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("decimals", [2, 3])
def test_rounded_rows_are_scaled_and_it_is_said_once(tmp_path, decimals):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES.round(decimals))
    got = load_predictions(tmp_path / "p.npz")
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, atol=1e-6)
    assert sum("as rounded ones do" in note for note in got.notes) == 1


def test_logits_are_recognised_and_said_or_asked_for(tmp_path):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=LOGITS)
    got = load_predictions(tmp_path / "p.npz")
    assert any("are logits" in note for note in got.notes)
    # Above 0 alone they can't be told from sloppy probabilities: the user says it.
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=LOGITS - LOGITS.min() + 0.1)
    with pytest.raises(InputError, match="say --logits"):
        load_predictions(tmp_path / "p.npz")
    asked = load_predictions(tmp_path / "p.npz", hints=Hints(logits=True))
    np.testing.assert_allclose(asked.probabilities, got.probabilities, atol=1e-6)
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES)
    with pytest.raises(InputError, match="leave out --logits"):
        load_predictions(tmp_path / "p.npz", hints=Hints(logits=True))


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_one_column_of_two_classes(tmp_path, shape):
    labels = np.arange(40) % 2
    second = np.where(labels == 1, 0.8, 0.3)
    for scores in (second, 100 * second, np.log(second / (1 - second))):
        np.savez(
            tmp_path / "p.npz", labels=labels.astype(bool), probabilities=scores.reshape(shape)
        )
        got = load_predictions(tmp_path / "p.npz")
        np.testing.assert_allclose(got.probabilities[:, 1], second, atol=1e-6)
        assert got.class_names == ("0", "1")
        assert any("second class's" in note for note in got.notes)
    lines = "".join(f"{bool(label)},{p}\n" for label, p in zip(labels, second, strict=True))
    (tmp_path / "p.csv").write_text("y_true,prob\n" + lines)
    got = load_predictions(tmp_path / "p.csv")
    assert got.class_names == ("False", "True")
    np.testing.assert_allclose(got.probabilities[:, 1], second, atol=1e-6)


HARD = {
    "arrays": ("p.npz", {"labels": LABELS, "predicted": PLAIN.predicted, "class_names": NAMES}),
    "predictions": ("p.npz", {"labels": LABELS, "predictions": PLAIN.predicted,
                              "class_names": NAMES}),
    "y_pred by name": ("p.npz", {"y_true": NAMES[LABELS], "y_pred": NAMES[PLAIN.predicted]}),
    "a table": ("p.csv", "true,pred\n" + "".join(
        f"{NAMES[a]},{NAMES[b]}\n" for a, b in zip(LABELS, PLAIN.predicted, strict=True))),
    "label and prediction": ("p.csv", "label,prediction\n" + "".join(
        f"{NAMES[a]},{NAMES[b]}\n" for a, b in zip(LABELS, PLAIN.predicted, strict=True))),
}  # fmt: skip


@pytest.mark.parametrize("form", HARD)
def test_classes_alone(tmp_path, form):
    name, content = HARD[form]
    if isinstance(content, str):
        (tmp_path / name).write_text(content)
    else:
        np.savez(tmp_path / name, **content)
    got = load_predictions(tmp_path / name)
    assert not got.has_probabilities
    assert got.class_names == PLAIN.class_names
    np.testing.assert_array_equal(got.labels, LABELS)
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted)


def test_a_class_and_its_score_spread_the_rest(tmp_path):
    confidence = PROBABILITIES.max(axis=1)
    lines = "".join(
        f"{NAMES[a]},{NAMES[b]},{c}\n"
        for a, b, c in zip(LABELS, PLAIN.predicted, confidence, strict=True)
    )
    (tmp_path / "p.csv").write_text("label,prediction,confidence\n" + lines)
    got = load_predictions(tmp_path / "p.csv")
    assert got.top_k == 1
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, atol=1e-6)
    given = got.probabilities[np.arange(60), got.predicted]
    np.testing.assert_allclose(given, confidence, atol=1e-6)
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted)
    assert any("spread evenly over the others" in note for note in got.notes)
    assert not any("too small" in note for note in got.notes)


def test_classes_that_are_not_listed_stay_below_those_that_are(tmp_path):
    lines = "".join(
        f"{NAMES[a]},{NAMES[b]},0.002\n" for a, b in zip(LABELS, PLAIN.predicted, strict=True)
    )
    (tmp_path / "p.csv").write_text("label,prediction,confidence\n" + lines)
    got = load_predictions(tmp_path / "p.csv")
    np.testing.assert_array_equal(got.predicted, PLAIN.predicted)
    np.testing.assert_array_equal(got.probabilities.argmax(axis=1), PLAIN.predicted)
    np.testing.assert_allclose(got.probabilities.sum(axis=1), 1, atol=1e-6)
    assert any("too small to be the largest" in note for note in got.notes)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("p.pkl", "pickled"),
        ("p.pt", "numpy.savez"),
        ("p.xlsx", "is a spreadsheet; save its sheet as CSV"),
        ("p.xyz", "predictions are read from .npz, .npy, .csv"),
        ("p", "of no known kind"),
        ("p.h5", "is a model, not its predictions"),
        ("p.npz.gz", "only tables and JSON are read so; unpack it"),
        ("p.zip", "only tables and JSON are read so; unpack it"),
    ],
)
def test_other_kinds_of_files(tmp_path, name, complaint):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(InputError, match=complaint):
        load_predictions(tmp_path / name)


def test_files_without_an_ending_are_known_by_their_first_bytes(tmp_path):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES, class_names=NAMES)
    (tmp_path / "p.npz").rename(tmp_path / "predictions")
    same(load_predictions(tmp_path / "predictions"))


@pytest.mark.parametrize("names", [{}, {"class_names": NAMES}])
def test_transposed_arrays_are_told(tmp_path, names):
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES.T, **names)
    with pytest.raises(InputError, match=r"60 labels for 3 rows .* \(it looks transposed\)"):
        load_predictions(tmp_path / "p.npz")


def test_arrays_saved_without_names(tmp_path):
    np.savez(tmp_path / "p.npz", PROBABILITIES, LABELS)
    same(load_predictions(tmp_path / "p.npz"), names=("0", "1", "2"))
    np.savez(tmp_path / "p.npz", LABELS, PROBABILITIES, NAMES)
    same(load_predictions(tmp_path / "p.npz"))


def test_a_refusal_lists_what_is_there(tmp_path):
    np.savez(tmp_path / "p.npz", wahr=LABELS, netz=PROBABILITIES)
    with pytest.raises(InputError, match=r"'wahr' \(int64 of shape \(60,\)\), 'netz' \(float64"):
        load_predictions(tmp_path / "p.npz")


def test_a_small_file_never_unpacks_to_gigabytes(tmp_path):

    path = tmp_path / "p.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (200_000, 1_000)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("probabilities.npy", "w", force_zip64=True) as member:
            member.write(header.getvalue())
            for _ in range(800):
                member.write(bytes(10**6))
        archive.writestr("labels.npy", b"")
    with pytest.raises(InputError, match="unpacks to 800,"):
        load_predictions(path)
