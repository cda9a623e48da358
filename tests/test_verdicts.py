import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import make_predictions
from hardpairs.analysis.evidence import gather_evidence
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.verdicts import (
    AMBIGUOUS,
    MODEL_ERROR,
    SUSPECT,
    count_verdicts,
    headline,
    judge_mistakes,
    mistakes_csv,
    suspect_labels,
    verdicts_dict,
    whole_percents,
)
from hardpairs.foreign import without_apostrophe
from hardpairs.predictions.predictions import Predictions

NAMES = ("a", "b", "c")


def hard_and_easy_class() -> Predictions:
    """Class 0 is hard (doubt 0.4 to 0.6), class 2 is easy; rows 0, 1 and 11 are mistakes."""
    labels = np.array([0] * 10 + [2] * 10)
    probabilities = np.tile([0.6, 0.4, 0.0], (20, 1))
    probabilities[10:] = [0.0, 0.01, 0.99]
    probabilities[0] = [0.4, 0.6, 0.0]
    probabilities[1] = [0.005, 0.99, 0.005]
    probabilities[11] = [0.0, 0.6, 0.4]
    return Predictions(labels, probabilities, NAMES)


def verdicts_of(predictions, **sources) -> dict[int, str]:
    evidence = gather_evidence([predictions], **sources)
    return {v.row: v.verdict for v in judge_mistakes(predictions, evidence)}


def neighbours_for(predictions: Predictions, row: int, share: float) -> Neighbours:
    """Neighbours that carry another label than the image's, but for a share of one row's."""
    other = (predictions.labels + 1) % 3
    labels = np.tile(other[:, None], (1, 20))
    labels[row, : round(20 * share)] = predictions.labels[row]
    return Neighbours(np.zeros((len(labels), 20), np.int32), labels)


def test_the_rule_on_probabilities_alone():
    assert verdicts_of(hard_and_easy_class()) == {0: AMBIGUOUS, 1: SUSPECT, 11: MODEL_ERROR}


@pytest.mark.parametrize(("share", "verdict"), [(0.05, SUSPECT), (0.1, AMBIGUOUS)])
def test_neighbours_can_clear_a_label(share, verdict):
    predictions = hard_and_easy_class()
    neighbours = neighbours_for(predictions, row=1, share=share)
    assert verdicts_of(predictions, neighbours=neighbours)[1] == verdict


def test_people_decide_where_they_were_asked():
    predictions = hard_and_easy_class()
    votes = np.tile([5, 0, 5], (20, 1))
    votes[0] = [6, 4, 0]  # Ambiguous to the nets, clear to people.
    votes[1] = [6, 4, 0]  # Implausible to the nets, clear to people.
    votes[11] = [0, 6, 4]  # Clear to the nets otherwise, people leave the label too.
    assert verdicts_of(predictions, votes=votes) == {0: MODEL_ERROR, 1: MODEL_ERROR, 11: AMBIGUOUS}
    votes[1] = [4, 6, 0]
    assert verdicts_of(predictions, votes=votes)[1] == SUSPECT


def test_planted_errors_are_found():
    predictions = make_predictions(images=2000)
    rng = np.random.default_rng(1)
    probabilities = predictions.probabilities * 0.04 + 0.96 * np.eye(5)[predictions.labels]
    planted = rng.choice(2000, 40, replace=False)
    labels = predictions.labels.copy()
    labels[planted] = (labels[planted] + rng.integers(1, 5, 40)) % 5
    wrong = Predictions(labels, probabilities, predictions.class_names)
    found = np.flatnonzero(suspect_labels(gather_evidence([wrong])))
    assert len(found) > 25
    assert set(found) <= set(planted)


def test_every_mistake_and_nothing_else_gets_a_verdict():
    predictions = make_predictions()
    evidence = gather_evidence([predictions])
    verdicts = judge_mistakes(predictions, evidence)
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    assert [verdict.row for verdict in verdicts] == wrong.tolist()
    assert sum(count_verdicts(verdicts).values()) == len(wrong)
    json.dumps([verdict.evidence for verdict in verdicts])  # Plain numbers.


def test_headline_and_metrics():
    predictions = hard_and_easy_class()
    evidence = gather_evidence([predictions])
    verdicts = judge_mistakes(predictions, evidence)
    expected = "Of 3 mistakes 34% look mislabelled, 33% are ambiguous, 33% are model errors."
    assert headline(verdicts) == expected
    assert "no mistakes" in headline(verdicts[:0])
    metrics = verdicts_dict(predictions, verdicts, 1)
    assert metrics["counts"] == {SUSPECT: 1, AMBIGUOUS: 1, MODEL_ERROR: 1}
    first, second = metrics["directions"]
    assert [first[name] for name in ("true", "predicted", SUSPECT, MODEL_ERROR)] == ["a", "b", 1, 0]
    assert (second["true"], second["predicted"], second[MODEL_ERROR]) == ("c", "b", 1)
    json.dumps(metrics)


def test_mistakes_csv_round_trip():
    predictions = make_predictions(
        ids=np.arange(200) * 3, class_names=("a,b", 'c"d', "e\nf", "g", "=h")
    )
    evidence = gather_evidence([predictions])
    verdicts = judge_mistakes(predictions, evidence)
    rows = list(csv.DictReader(io.StringIO(mistakes_csv(predictions, verdicts), newline="")))
    assert len(rows) == len(verdicts)
    for line, verdict in zip(rows, verdicts, strict=True):
        row = verdict.row
        assert int(line["index"]) == predictions.ids[row]
        assert without_apostrophe(line["true"]) == predictions.class_names[predictions.labels[row]]
        assert line["true"] != "=h"
        assert line["verdict"] == verdict.verdict
        assert float(line["label_probability"]) == pytest.approx(
            predictions.probabilities[row, predictions.labels[row]], rel=1e-3
        )


def test_mistakes_csv_without_mistakes_has_a_header():
    predictions = Predictions(np.array([0, 1]), None, ("a", "b"), predicted=np.array([0, 1]))
    verdicts = judge_mistakes(predictions, gather_evidence([predictions]))
    assert mistakes_csv(predictions, verdicts) == "index,true,predicted,probability,verdict\n"


def judged(predictions):
    return judge_mistakes(predictions, gather_evidence([predictions]))


def calibrated(images=4000, classes=4, seed=0):
    """Labels drawn from the very probabilities that are predicted."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.2), images)
    labels = (rng.random((images, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    names = tuple(f"class {index}" for index in range(classes))
    return Predictions(labels.clip(max=classes - 1), probabilities, names)


def sharpened(predictions, power):
    probabilities = predictions.probabilities.astype(float)
    probabilities = (probabilities / probabilities.max(axis=1, keepdims=True)) ** power
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Predictions(predictions.labels, probabilities, predictions.class_names)


def test_a_calibrated_model_is_judged():
    verdicts = judged(calibrated())
    assert verdicts.reason == ""
    assert len(verdicts) > 100


@pytest.mark.parametrize(
    ("predictions", "reason"),
    [
        (sharpened(calibrated(), 1e6), "0 and 1"),
        (sharpened(calibrated(), 10), "match accuracy"),
        (sharpened(calibrated(), 0.2), "match accuracy"),
        (calibrated(images=15), "15 images are too few"),
        (calibrated(classes=100), "10 classes, not with 100"),
        (calibrated(classes=1000), "10 classes, not with 1,000"),
        (
            Predictions(np.arange(90) % 3, None, NAMES, predicted=(np.arange(90) + 1) % 3),
            "only the predicted classes",
        ),
    ],
    ids=["one-hot", "overconfident", "underconfident", "few", "100", "1000", "hard labels"],
)
def test_no_verdicts_where_the_rule_does_not_hold(predictions, reason):
    verdicts = judged(predictions)
    assert len(verdicts) == 0
    assert reason in verdicts.reason
    assert headline(verdicts) == verdicts.reason
    metrics = verdicts_dict(predictions, verdicts, 1)
    assert sum(metrics["counts"].values()) == 0
    assert metrics["reason"] == verdicts.reason
    lines = mistakes_csv(predictions, verdicts).splitlines()
    assert len(lines) == 1 + (predictions.predicted != predictions.labels).sum()


def test_constant_confidence_accuses_nobody():
    labels = np.arange(1000) % 3
    predicted = np.where(np.arange(1000) % 10 == 0, (labels + 1) % 3, labels)
    probabilities = 0.05 + 0.85 * np.eye(3)[predicted]
    assert "as much confidence" in judged(Predictions(labels, probabilities, NAMES)).reason


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(sum))
def test_shares_sum_to_100(counts):
    percents = whole_percents(counts)
    assert sum(percents) == 100
    exact = 100 * np.array(counts) / sum(counts)
    assert (np.abs(np.array(percents) - exact) < 1).all()
