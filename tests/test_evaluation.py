import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import classification_report, confusion_matrix

from conftest import make_predictions
from hardpairs.analysis.evaluation import evaluate, find_hard_pairs
from hardpairs.predictions.predictions import Predictions


def test_against_scikit_learns_report():
    predictions = make_predictions()
    evaluation = evaluate(predictions)
    names = list(predictions.class_names)
    report = classification_report(
        predictions.labels, predictions.predicted, target_names=names, output_dict=True
    )
    assert evaluation.accuracy == report["accuracy"]
    for score in evaluation.classes:
        expected = report[score.name]
        assert score.precision == pytest.approx(expected["precision"])
        assert score.recall == pytest.approx(expected["recall"])
        assert score.f1 == pytest.approx(expected["f1-score"])
        assert score.support == expected["support"]
    f1 = [score.f1 for score in evaluation.classes]
    assert (evaluation.hardest, evaluation.easiest) == (np.argmin(f1), np.argmax(f1))


def test_rows_are_true_classes():
    predictions = Predictions(np.array([0, 0, 0]), np.eye(2)[[1, 1, 0]], ("a", "b"))
    assert evaluate(predictions).confusion.tolist() == [[1, 2], [0, 0]]


def cells_of(confusion: np.ndarray) -> np.ndarray:
    true, predicted = np.nonzero(confusion)
    return np.column_stack([true, predicted, confusion[true, predicted]])


def test_hard_pairs_by_hand():
    confusion = np.array([[90, 1, 9, 0], [1, 50, 0, 0], [4, 0, 96, 0], [0, 2, 0, 8]])
    cells = cells_of(confusion)
    first, second, third = find_hard_pairs(cells, 10)
    assert (first.first, first.second, first.mistakes) == (0, 2, 13)
    assert (first.first_as_second, first.second_as_first) == (9, 4)
    assert (first.first_share, first.second_share) == (0.09, 0.04)
    assert {(p.first, p.second) for p in (second, third)} == {(0, 1), (3, 1)}
    assert third.first_share == pytest.approx(0.2)
    assert len(find_hard_pairs(cells, 2)) == 2


@settings(max_examples=50)
@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_hard_pairs_account_for_every_mistake(classes, seed):
    confusion = np.random.default_rng(seed).integers(0, 4, (classes, classes))
    pairs = find_hard_pairs(cells_of(confusion), classes**2)
    assert sum(pair.mistakes for pair in pairs) == confusion.sum() - np.trace(confusion)
    mistakes = [pair.mistakes for pair in pairs]
    assert mistakes == sorted(mistakes, reverse=True)
    assert all(pair.first_as_second >= pair.second_as_first for pair in pairs)


def test_nothing_wrong_and_absent_classes():
    evaluation = evaluate(Predictions(np.array([0, 1]), np.eye(3)[:2], ("a", "b", "never")))
    assert evaluation.accuracy == 1
    assert evaluation.hard_pairs == ()
    assert evaluation.classes[2].support == 0
    assert evaluation.hardest != 2
    told = evaluation.to_dict()
    assert (told["hardest"], told["easiest"]) == (None, None)
    assert evaluation.accuracy_interval[0] < 1


def test_to_dict_is_json_with_names():
    evaluation = evaluate(make_predictions())
    fields = json.loads(json.dumps(evaluation.to_dict()))
    assert fields["schema_version"] == 1
    assert fields["hardest"] == evaluation.class_names[evaluation.hardest]
    assert np.array(fields["confusion"]).sum() == 200
    assert fields["hard_pairs"][0]["first"] in evaluation.class_names
    expected = confusion_matrix(*[getattr(make_predictions(), n) for n in ("labels", "predicted")])
    assert fields["confusion"] == expected.tolist()


def test_many_classes_never_make_a_matrix():
    labels = np.arange(50) * 1000
    predicted = np.where(np.arange(50) % 5 == 0, labels + 1, labels)
    names = tuple(str(index) for index in range(50_000))
    evaluation = evaluate(Predictions(labels, None, names, predicted=predicted))
    fields = json.loads(json.dumps(evaluation.to_dict()))
    assert fields["confusion"] is None
    assert fields["cells"] == [[t, p, 1] for t, p in zip(labels, predicted, strict=True)]
    assert evaluation.row(5000)[5001] == 1
    assert len(evaluation.hard_pairs) == 10
    assert evaluation.hard_pairs[0].first_share == 1


@given(st.integers(2, 6), st.integers(0, 100))
def test_rows_and_matrix_are_the_cells(classes, seed):
    predictions = make_predictions(images=30, classes=classes, seed=seed)
    evaluation = evaluate(predictions)
    np.testing.assert_array_equal(
        evaluation.confusion,
        confusion_matrix(predictions.labels, predictions.predicted, labels=range(classes)),
    )
    rows = [evaluation.row(index) for index in range(classes)]
    np.testing.assert_array_equal(rows, evaluation.confusion)
