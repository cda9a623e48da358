import json

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.analysis.people import compare_with_people, people_leave
from hardpairs.predictions.predictions import Predictions

LABELS = np.array([0, 0, 0, 1, 1, 1])
PREDICTED = np.array([0, 1, 1, 1, 1, 0])
VOTES = np.array([[9, 1], [4, 6], [6, 4], [0, 10], [6, 4], [5, 5]])


@pytest.fixture
def comparison():
    return compare_with_people(Predictions(LABELS, np.eye(2)[PREDICTED], ("a", "b")), VOTES)


def test_a_tie_leaves_the_label_in_place():
    expected = [False, True, False, False, True, False]
    assert people_leave(LABELS, VOTES).tolist() == expected


def test_mistakes_beside_correct_images(comparison):
    rows = [
        (row.mistakes, row.mistakes_left, row.correct, row.correct_left)
        for row in comparison.classes
    ]
    assert rows == [(2, 1, 1, 0), (1, 0, 2, 1)]


def test_pair_shares_by_hand(comparison):
    shares = {row.true: (row.people, row.net) for row in comparison.differences}
    assert shares["a"] == pytest.approx((1.1 / 3, 2 / 3))
    assert shares["b"] == pytest.approx((1.1 / 3, 1 / 3))
    assert comparison.differences[0].true == "a"


def test_accuracy_by_agreement(comparison):
    rows = {
        row.high: (row.images, row.accuracy, row.people_accuracy) for row in comparison.agreement
    }
    assert rows == {0.5: (1, 0, 1), 0.6: (3, 1 / 3, 1 / 3), 0.9: (1, 1, 1), 1.0: (1, 1, 1)}
    low, high = comparison.agreement[1].interval
    assert low < 1 / 3 < high


def test_correlation_of_people_who_mirror_the_net_is_1():
    predictions = make_predictions(images=3000)
    votes = 10 * np.eye(5, dtype=np.int64)[predictions.predicted]
    assert compare_with_people(predictions, votes).correlation == pytest.approx(1)
    json.dumps(compare_with_people(predictions, votes).to_dict())


def test_correlation_with_people_who_never_err_is_unknown():
    predictions = make_predictions()
    votes = 10 * np.eye(5, dtype=np.int64)[predictions.labels]
    comparison = compare_with_people(predictions, votes)
    assert comparison.correlation is None
    assert sum(row.mistakes_left + row.correct_left for row in comparison.classes) == 0
