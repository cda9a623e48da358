"""Tables as pandas, Polars and NumPy write them, in forms that say less than they could."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import Predictions

NAMES = np.array(["zebra", "ant", "cat"])
LABELS = np.arange(30) % 3
PREDICTED = np.where(np.arange(30) % 5 == 0, (LABELS + 1) % 3, LABELS)  # 80% right.
SCORES = np.full((30, 3), 0.1)
SCORES[np.arange(30), PREDICTED] = 0.8
FRAME = pd.DataFrame(SCORES, columns=NAMES).assign(label=NAMES[LABELS])


def accuracy(predictions: Predictions) -> float:
    assert len(predictions.labels) == 30
    return float((predictions.predicted == predictions.labels).mean())


@pytest.mark.parametrize("compression", ["uncompressed", "zstd", "lz4"])
def test_polars_writes_ipc(tmp_path, compression) -> None:
    path = tmp_path / "predictions.arrow"
    labels = pl.col("label").cast(pl.Categorical)
    pl.from_pandas(FRAME).with_columns(labels).write_ipc(path, compression=compression)
    assert accuracy(load_predictions(path)) == 0.8
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="is cut off"):
        load_predictions(path)


def test_two_decimals_of_many_classes_are_rounded(tmp_path) -> None:
    scores = np.full((30, 10), 0.014)
    scores[np.arange(30), LABELS] = 1 - 9 * 0.014
    path = tmp_path / "predictions.csv"
    pd.DataFrame(scores).assign(label=LABELS).to_csv(path, float_format="%.2f")  # They sum to 0.96.
    predictions = load_predictions(path)
    assert accuracy(predictions) == 1
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1, atol=1e-6)
    pd.DataFrame(scores * 0.96).assign(label=LABELS).to_csv(path)  # Nothing is rounded.
    with pytest.raises(InputError, match="each row must sum to 1"):
        load_predictions(path)


@pytest.mark.parametrize("count", [2, 3])
def test_a_column_of_classes_alone(tmp_path, count) -> None:
    labels, predicted = LABELS % count, PREDICTED % count
    np.savetxt(tmp_path / "predicted.txt", predicted, fmt="%d")
    np.savetxt(tmp_path / "labels.txt", labels, fmt="%d")
    predictions = load_predictions(tmp_path / "predicted.txt", labels=tmp_path / "labels.txt")
    assert predictions.probabilities is None
    assert predictions.predicted.tolist() == predicted.tolist()
    np.savetxt(tmp_path / "both.csv", np.stack([LABELS, PREDICTED], 1)[1:], fmt="%d", delimiter=",")
    with pytest.raises(InputError, match="first line of names, as 'label,prediction'"):
        load_predictions(tmp_path / "both.csv")


def test_a_refusal_shows_texts_before_numbers(tmp_path) -> None:
    path = tmp_path / "predictions.csv"
    wide = pd.DataFrame(np.eye(12)[LABELS]).add_prefix("prob_")
    wide.assign(meta_label=NAMES[LABELS]).to_csv(path)
    with pytest.raises(InputError, match=r"found the columns 'meta_label' \(text\)"):
        load_predictions(path)


def test_json_by_column_keyed_by_file_names(tmp_path) -> None:
    path, names = tmp_path / "predictions.json", [f"{row}.png" for row in range(30)]
    frame = FRAME.set_index(pd.Index(names))
    for orient in ("columns", "index"):
        frame.to_json(path, orient=orient)
        predictions = load_predictions(path)
        assert accuracy(predictions) == 0.8
        assert predictions.ids.tolist() == names


@pytest.mark.parametrize("names", [
    ("Y_true", "Y_Pred"), ("test_labels", "test_probs"), ("labels_test", "probs_test"),
])  # fmt: skip
def test_names_of_arrays_in_another_case_or_of_a_part(tmp_path, names) -> None:
    path = tmp_path / "predictions.npz"
    np.savez(path, **dict(zip(names, (LABELS, SCORES), strict=True)), train_labels=LABELS[:5])
    assert accuracy(load_predictions(path)) == 0.8
    np.savez(path, all_labels=LABELS, val_labels=LABELS, probs=SCORES)  # Whose are the labels?
    with pytest.raises(InputError, match="lacks the array 'labels'"):
        load_predictions(path)


def test_records_in_an_npy_say_how_to_save_them(tmp_path) -> None:
    path = tmp_path / "predictions.npy"
    np.save(path, np.zeros(3, [("label", "i4"), ("probs", "f4", (3,))]))
    with pytest.raises(InputError, match="records of the fields 'label', 'probs'; save each"):
        load_predictions(path)


def test_other_names_of_predictions(tmp_path) -> None:
    path = tmp_path / "predictions.csv"
    pd.DataFrame({"expected": NAMES[LABELS], "got": NAMES[PREDICTED]}).to_csv(path)
    assert accuracy(load_predictions(path)) == 0.8
    pd.DataFrame({"label": NAMES[LABELS], "second": NAMES[PREDICTED]}).to_csv(path)
    with pytest.raises(InputError, match="'label' and 'second' hold the same classes; call that"):
        load_predictions(path)


@pytest.mark.parametrize("labels", [LABELS + 1, np.where(LABELS == 2, 0, LABELS) + 1])
def test_numbers_name_columns_that_count_from_1(tmp_path, labels) -> None:
    path = tmp_path / "predictions.csv"
    scores = np.eye(3)[labels - 1]
    pd.DataFrame(scores, columns=["class1", "class2", "class3"]).assign(label=labels).to_csv(path)
    predictions = load_predictions(path)
    assert accuracy(predictions) == 1
    assert predictions.class_names == ("class1", "class2", "class3")
    assert predictions.labels.tolist() == (labels - 1).tolist()


@pytest.mark.parametrize("name", ["p{}", ".pred_{}", "Probability of {} (%)"])
def test_columns_named_around_the_labels(tmp_path, name) -> None:
    path = tmp_path / "predictions.csv"
    table = FRAME.rename(columns={each: name.format(each) for each in NAMES})
    table.rename(columns={"label": "obs"}).assign(pred=NAMES[PREDICTED], age=7).to_csv(path)
    predictions = load_predictions(path)
    assert accuracy(predictions) == 0.8
    assert sorted(predictions.class_names) == sorted(NAMES)
    assert predictions.probabilities is not None


def test_a_row_that_is_there_twice_is_refused(tmp_path) -> None:
    path = tmp_path / "predictions.csv"
    frame = FRAME.assign(file=[f"{row}.png" for row in range(30)])
    pd.concat([frame, frame.iloc[3:4]]).to_csv(path)
    with pytest.raises(InputError, match=r"has '3\.png' twice in the column 'file'"):
        load_predictions(path)
    frame.loc[4, "file"] = "3.png"  # Of another folder.
    frame.to_csv(path)
    assert accuracy(load_predictions(path)) == 0.8


def test_a_row_for_each_image_and_class_is_refused(tmp_path) -> None:
    path = tmp_path / "predictions.csv"
    frame = FRAME.assign(file=[f"{row}.png" for row in range(30)])
    frame.melt(["file", "label"], var_name="kind", value_name="score").to_csv(path)
    with pytest.raises(InputError, match=r"a row for each image and class.*pivot"):
        load_predictions(path)


@pytest.mark.parametrize("form", [json.dumps, str], ids=["JSON", "Python"])
def test_dicts_of_scores_in_cells(tmp_path, form) -> None:
    path = tmp_path / "predictions.csv"
    cells = [form(dict(zip(NAMES.tolist(), row, strict=True))) for row in SCORES.tolist()]
    pd.DataFrame({"label": NAMES[LABELS], "probs": cells, "options": "{}"}).to_csv(path)
    predictions = load_predictions(path)
    assert accuracy(predictions) == 0.8
    assert sorted(predictions.class_names) == sorted(NAMES)


@pytest.mark.parametrize("odd", ["3", "[0.1, 0.2]", "null", '"cat"'])
def test_a_cell_among_dicts_that_is_none(tmp_path, odd) -> None:
    path = tmp_path / "predictions.csv"
    cells = ['{"a": 0.6, "b": 0.4}'] * 60
    cells[55] = odd
    pd.DataFrame({"label": ["a", "b"] * 30, "scores": cells}).to_csv(path, index=False)
    with pytest.raises(InputError, match=r"'scores' \(text\)"):
        load_predictions(path)
