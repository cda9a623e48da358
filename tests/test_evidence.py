import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.analysis.evidence import ambiguity_score, gather_evidence, label_quality
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions

NAMES = ("a", "b", "c")


def predictions_of(labels, probabilities, **fields) -> Predictions:
    return Predictions(np.array(labels), np.array(probabilities), NAMES, **fields)


def test_columns_of_two_runs_by_hand():
    first = predictions_of([0, 1], [[0.2, 0.8, 0.0], [0.0, 1.0, 0.0]])
    second = predictions_of([0, 1], [[0.6, 0.4, 0.0], [0.0, 1.0, 0.0]])
    evidence = gather_evidence([first, second])
    np.testing.assert_allclose(evidence.label_probability, [0.4, 1], rtol=1e-6)
    np.testing.assert_allclose(evidence.prediction_probability, [0.6, 1], rtol=1e-6)
    np.testing.assert_allclose(evidence.runs_for_label, [0.5, 1])
    entropies = [-(p * np.log2(p) + (1 - p) * np.log2(1 - p)) for p in (0.4, 0.2, 0.6)]
    np.testing.assert_allclose(evidence.entropy, [entropies[0], 0], atol=1e-6)
    expected = entropies[0] - (entropies[1] + entropies[2]) / 2
    np.testing.assert_allclose(evidence.disagreement, [expected, 0], atol=1e-6)


def test_one_run_has_nothing_to_disagree_with():
    evidence = gather_evidence([make_predictions()])
    columns = evidence.columns()
    assert "disagreement" not in columns
    assert not any(name.startswith(("people", "neighbours")) for name in columns)


def test_columns_of_votes_and_neighbours_by_hand():
    predictions = predictions_of([0, 1], [[0.2, 0.8, 0.0], [0.0, 1.0, 0.0]])
    votes = np.array([[3, 3, 6], [0, 8, 0]])
    neighbours = Neighbours(np.zeros((2, 4), np.int32), np.array([[0, 1, 1, 2], [1, 1, 1, 1]]))
    evidence = gather_evidence([predictions], votes=votes, neighbours=neighbours)
    assert evidence.neighbours_for_label.tolist() == [0.25, 1]
    assert evidence.neighbours_for_prediction.tolist() == [0.5, 1]
    assert evidence.people.tolist() == [12, 8]
    assert evidence.people_for_label.tolist() == [3, 8]
    assert evidence.people_for_prediction.tolist() == [3, 8]
    assert evidence.people_for_favourite.tolist() == [6, 8]
    np.testing.assert_allclose(evidence.people_entropy, [1.5, 0], atol=1e-12)


def test_ambiguity_is_doubt_of_the_image_times_doubt_of_its_class():
    labels = np.array([0, 0, 1])
    probabilities = np.array([[0.8, 0.2, 0], [0.4, 0.5, 0.1], [0.0, 1.0, 0.0]])
    expected = [0.2 * 0.4, 0.6 * 0.4, 0]  # Mean doubt of class 0: (0.2 + 0.6) / 2.
    of_labels = probabilities[np.arange(3), labels]
    np.testing.assert_allclose(ambiguity_score(labels, of_labels), expected, atol=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        {"ids": np.array([0, 2])},
        {"fingerprint": "other"},
        {"labels": np.array([0, 2])},
        {"class_names": ("a", "b", "d")},
        {"labels": np.array([0]), "probabilities": np.array([[0.2, 0.8, 0.0]])},
    ],
)
def test_runs_of_other_images_are_refused(change):
    fields = {
        "labels": np.array([0, 1]),
        "probabilities": np.array([[0.2, 0.8, 0.0], [0.0, 1.0, 0.0]]),
        "class_names": NAMES,
        "fingerprint": "one",
    }
    runs = [Predictions(**fields), Predictions(**{**fields, **change})]
    with pytest.raises(InputError, match="run 2 isn't of the same images"):
        gather_evidence(runs)


@pytest.mark.filterwarnings("ignore")
def test_label_quality_is_cleanlabs():
    rank = pytest.importorskip("cleanlab.rank")
    predictions = make_predictions(images=300)
    labels, probabilities = predictions.labels, predictions.probabilities.astype(float)
    expected = rank.get_label_quality_scores(
        labels, probabilities / probabilities.sum(axis=1, keepdims=True), adjust_pred_probs=True
    )
    found = label_quality(labels, probabilities[np.arange(300), labels], 5)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_label_quality_is_lowest_of_a_wrong_label_whatever_the_sums():
    labels = np.arange(90) % 3
    probabilities = np.full((90, 3), 0.1) + 0.7005 * np.eye(3)[labels]  # Rows sum to 1.0005.
    labels[7] = 2  # It was 1.
    evidence = gather_evidence([predictions_of(labels, probabilities)])
    assert evidence.label_quality.argmin() == 7
    alone = label_quality(np.zeros(9, int), np.linspace(0.1, 0.9, 9), 3)
    np.testing.assert_allclose(alone, np.linspace(0.1, 0.9, 9))  # Two classes without images.


def test_many_neighbours_decide_ambiguity():
    predictions = predictions_of([0, 0], [[0.1, 0.9, 0.0], [1.0, 0.0, 0.0]])
    few = np.zeros((2, 4), np.int32)
    hidden = np.array([[0.7, 0.3, 0], [1, 0, 0]], np.float32)
    edges = np.array([[0.1, 0.9, 0], [0.4, 0.6, 0]], np.float32)
    evidence = gather_evidence([predictions], neighbours=Neighbours(few, few, hidden, edges))
    np.testing.assert_allclose(evidence.hidden_for_label, [0.7, 1])
    np.testing.assert_allclose(evidence.edges_for_label, [0.1, 0.4])
    pooled = np.sqrt((hidden + 1 / 60) * (edges + 1 / 60))  # No share is taken for 0.
    doubt = 1 - pooled[:, 0] / pooled.sum(axis=1)
    np.testing.assert_allclose(evidence.ambiguity, doubt * doubt.mean(), rtol=1e-5)
    without = gather_evidence([predictions], neighbours=Neighbours(few, few, hidden))
    doubt = 1 - (hidden[:, 0] + 1 / 60) / 1.05
    np.testing.assert_allclose(without.ambiguity, doubt * doubt.mean(), rtol=1e-5)
