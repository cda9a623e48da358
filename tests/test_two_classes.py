"""One column for two classes, and other forms that people have in tables, JSON and memory."""

import numpy as np
import pytest

import hardpairs
from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions

SICK = np.array([1, 0, 1, 0, 0, 1])
SHARE = np.array([0.9, 0.2, 0.4, 0.1, 0.3, 0.8])  # The third is wrong.
NAMES = np.array(["well", "sick"])


def written(tmp_path, header, *columns):
    rows = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    (tmp_path / "p.csv").write_text("\n".join([header, *rows, ""]))
    return tmp_path / "p.csv"


@pytest.mark.parametrize(
    ("header", "labels", "shares", "names"),
    [
        ("y_true,y_prob", SICK, SHARE, ("0", "1")),
        ("label,prob", SICK, SHARE, ("0", "1")),
        ("label,sick", NAMES[SICK], SHARE, ("well", "sick")),
        ("label,p_sick", NAMES[SICK], SHARE, ("well", "sick")),
        ("label,well_score", NAMES[SICK], 1 - SHARE, ("sick", "well")),
        ("label,anything", NAMES[SICK], 1 - SHARE, ("sick", "well")),  # The second in sorted order.
    ],
)
def test_one_column_is_one_classs(tmp_path, header, labels, shares, names):
    got = load_predictions(written(tmp_path, header, labels, shares))
    assert got.class_names == names
    assert (got.predicted == got.labels).tolist() == [True, True, False, True, True, True]


@pytest.mark.parametrize("header", ["id,label", "id,prob", "id,anything"])
def test_one_column_beside_ids_alone(tmp_path, header):
    path = written(tmp_path, header, range(10, 16), SHARE)
    labels = "".join(f"{row},{label}\n" for row, label in zip(range(10, 16), SICK, strict=True))
    (tmp_path / "truth.csv").write_text("id,label\n" + labels)
    got = load_predictions(path, labels=tmp_path / "truth.csv")
    assert got.labels.tolist() == SICK.tolist()
    assert (got.predicted == got.labels).sum() == 5


def test_one_column_for_three_classes_is_refused(tmp_path):
    with pytest.raises(InputError, match="or a column for each class"):
        load_predictions(written(tmp_path, "label,share", [0, 1, 2, 0, 1, 2], SHARE))


def test_dicts_of_arrays_and_lazy_frames():
    expected = hardpairs.explore(SICK, SHARE).subject.predictions
    assert hardpairs.explore({"y": SICK, "probs": SHARE}).subject.predictions == expected
    with pytest.raises(InputError, match="the dict has 'a', 'probs'; give 'labels'"):
        hardpairs.explore({"a": SICK, "probs": SHARE})
    with pytest.raises(InputError, match="probabilities are of the type object"):
        hardpairs.explore(SICK, object())
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"label": SICK, "0": 1 - SHARE, "1": SHARE})
    assert hardpairs.explore(frame.lazy()).evaluation.accuracy == pytest.approx(5 / 6)


def test_pandas_table_of_json(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"label": NAMES[SICK], "well": 1 - SHARE, "sick": SHARE})
    frame.to_json(tmp_path / "p.json", orient="table")
    got = load_predictions(tmp_path / "p.json")
    assert got.class_names == ("well", "sick")
    assert (got.predicted == got.labels).sum() == 5


def test_a_dataset_of_batches_is_no_array():
    dataset = type("Dataset", (), {"element_spec": None})()
    with pytest.raises(InputError, match=r"shuffle=False and give numpy\.concatenate"):
        hardpairs.explore(dataset, SHARE)


@pytest.mark.parametrize("name", ["prob", "y_prob", "score", "prob_1", "sigmoid"])
@pytest.mark.parametrize("of", ["the second", "the first"])
def test_one_probability_beside_predicted_classes(tmp_path, name, of):
    rng = np.random.default_rng(0)
    share, names = rng.random(40), np.array(["ham", "spam"])
    predicted = (share > 0.6).astype(int)  # At a threshold of one's own.
    labels = np.where(rng.random(40) < 0.2, 1 - predicted, predicted)
    given = share if of == "the second" else 1 - share
    rows = zip(names[labels], names[predicted], given, strict=True)
    text = "\n".join([f"y_true,y_pred,{name}", *(f"{a},{b},{c}" for a, b, c in rows)])
    (tmp_path / "p.csv").write_text(text)
    got = load_predictions(tmp_path / "p.csv")
    np.testing.assert_allclose(got.probabilities[:, 1], share, atol=1e-6)
    assert got.predicted.tolist() == predicted.tolist()
    known = "spam" if of == "the second" else "ham"
    assert any(f"taken for the probability of {known!r}" in note for note in got.notes)


@pytest.mark.parametrize("lowest", [0.5, 0.3])
def test_a_confidence_beside_predicted_classes_is_theirs(tmp_path, lowest):
    # Of the predicted class, or so low that it can be of neither alone.
    share = np.linspace(lowest, 0.99, 40)
    rows = [f"{'ab'[i % 2]},{'ab'[i % 2]},{share[i]}" for i in range(40)]
    (tmp_path / "p.csv").write_text("\n".join(["y_true,y_pred,confidence", *rows]))
    got = load_predictions(tmp_path / "p.csv")
    assert not any("taken for the probability" in note for note in got.notes)
    assert got.top_k == 1
