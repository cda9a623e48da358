import csv
import io
import json

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.analysis import evidence as evidence_module
from hardpairs.analysis import verdicts as verdicts_module
from hardpairs.analysis.evidence import gather_evidence
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.verdicts import (
    AMBIGUOUS,
    CANNOT_TELL,
    MODEL_ERROR,
    SUSPECT,
    VERDICTS,
    Verdicts,
    count_verdicts,
    headline,
    judge_mistakes,
    mistakes_csv,
    verdicts_dict,
)
from hardpairs.foreign import without_apostrophe
from hardpairs.predictions.predictions import Predictions

NAMES = ("a", "b", "c")


def calibrated(images=4000, classes=4, seed=0, spread=0.2):
    """Labels drawn from the very probabilities that are predicted."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, spread), images)
    labels = (rng.random((images, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    names = tuple(f"class {index}" for index in range(classes))
    return Predictions(labels.clip(max=classes - 1), probabilities, names)


def with_slips(predictions, share=0.05):
    """The same with some labels moved to any other class, and which, bool (N,)."""
    rng = np.random.default_rng(1)
    images, classes = predictions.probabilities.shape
    slips = rng.random(images) < share
    moved = (predictions.labels + rng.integers(1, classes, images)) % classes
    labels = np.where(slips, moved, predictions.labels)
    return Predictions(labels, predictions.probabilities, predictions.class_names), slips


def shares(probabilities) -> Neighbours:
    """Neighbours that carry the classes in these shares."""
    nearest = np.zeros((len(probabilities), 20), np.int64)
    return Neighbours(nearest.astype(np.int32), nearest, hidden=probabilities, edges=probabilities)


def verdicts_of(predictions, **sources):
    return judge_mistakes(predictions, gather_evidence([predictions], **sources))


def three_kinds():
    """Slips, classes that are one to everybody, and a model that is wrong of clear pictures.

    Returns:
        Predictions; neighbours' shares; the rows whose label is a slip, those between classes 0 to
        2, and those whose neighbours alone carry the label.
    """
    rng = np.random.default_rng(0)
    labels = np.r_[rng.integers(0, 3, 900), rng.integers(3, 5, 3000)]
    near = np.full((len(labels), 5), 0.002)
    near[:900, :3] = 0.33
    near[np.arange(900, 3900), labels[900:]] = 0.99
    seen, odd = near.copy(), np.arange(900, 930)
    seen[odd, 7 - labels[odd]] = 0.5  # The other of 3 and 4.
    seen[odd, labels[odd]] = 0.3
    seen *= np.exp(rng.normal(0, 0.1, seen.shape))
    seen /= seen.sum(axis=1, keepdims=True)
    slips = np.arange(2000, 2100)
    labels[slips] = (labels[slips] + rng.integers(1, 5, 100)) % 5
    near *= np.exp(rng.normal(0, 0.1, near.shape))
    near = (near / near.sum(axis=1, keepdims=True)).astype(np.float32)
    predictions = Predictions(labels, seen, ("a", "b", "c", "d", "e"))
    wrong = np.flatnonzero(predictions.predicted != labels)
    return predictions, near, slips, wrong[wrong < 900], odd


def test_each_kind_of_mistake_gets_its_verdict():
    predictions, near, slips, between, odd = three_kinds()
    verdicts = {v.row: v for v in verdicts_of(predictions, neighbours=shares(near))}
    kinds = {row: verdict.verdict for row, verdict in verdicts.items()}
    assert set(kinds) == {*slips, *between, *odd}
    assert {kinds[row] for row in slips} == {SUSPECT}
    assert {kinds[row] for row in between} == {AMBIGUOUS}
    assert {kinds[row] for row in odd} == {MODEL_ERROR}
    assert all(0.5 <= verdict.probability <= 1 for verdict in verdicts.values())


def test_a_model_alone_accuses_labels_only():
    predictions, _, slips, _, _ = three_kinds()
    verdicts = verdicts_of(predictions)
    assert verdicts.alone
    suspects = {v.row for v in verdicts if v.verdict == SUSPECT}
    assert len(suspects) > 80
    assert suspects <= set(slips)
    assert {v.verdict for v in verdicts} == {SUSPECT, CANNOT_TELL}


def test_people_decide_where_they_were_asked():
    predictions, near, slips, between, odd = three_kinds()
    rows = np.arange(len(near))
    votes = np.zeros(near.shape, np.int64)
    votes[rows, predictions.labels] = 6
    votes[rows, predictions.labels - 1] = 4
    agreed, accused = slips[:2]
    for row in (accused, odd[0]):
        votes[row] = 0
        votes[row, predictions.predicted[row]] = 10
    kinds = {v.row: v.verdict for v in verdicts_of(predictions, votes=votes)}
    assert kinds[accused] == SUSPECT
    assert kinds[agreed] == MODEL_ERROR  # People clear a label.
    assert kinds[between[0]] == MODEL_ERROR  # And a picture.
    assert kinds[odd[0]] == AMBIGUOUS


def test_probabilities_of_slips_are_calibrated():
    predictions, slips = with_slips(calibrated(images=20_000, classes=5, spread=0.05))
    found = gather_evidence([predictions]).label_error_probability
    wrong = predictions.predicted != predictions.labels
    assert found[wrong].sum() == pytest.approx((slips & wrong).sum(), rel=0.2)
    for low, high in ((0, 0.3), (0.3, 0.7), (0.7, 1.01)):
        inside = wrong & (found >= low) & (found < high)
        assert found[inside].mean() == pytest.approx(slips[inside].mean(), abs=0.15)


@pytest.mark.parametrize("power", [0.3, 1, 5])
def test_a_calibrated_model_s_mistakes_are_no_slips(power):
    """Nor those of an overconfident or underconfident one."""
    predictions = sharpened(calibrated(), power)
    found = gather_evidence([predictions]).label_error_probability
    wrong = predictions.predicted != predictions.labels
    assert (found[wrong] >= 0.5).mean() < 0.02


def test_every_mistake_and_nothing_else_gets_a_verdict():
    predictions = make_predictions()
    evidence = gather_evidence([predictions])
    verdicts = judge_mistakes(predictions, evidence)
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    assert [verdict.row for verdict in verdicts] == wrong.tolist()
    assert sum(count_verdicts(verdicts).values()) == len(wrong)
    json.dumps([verdict.evidence for verdict in verdicts])  # Plain numbers.


def test_headline_and_metrics():
    predictions, near, _, between, _ = three_kinds()
    verdicts = verdicts_of(predictions, neighbours=shares(near))
    expected = f"100 look mislabelled, {len(between)} are ambiguous, 30 are model errors."
    assert headline(verdicts) == f"Of {len(verdicts)} mistakes {expected}"
    assert "no mistakes" in headline(verdicts[:0])
    alone = verdicts_of(predictions)
    said = f"100 look mislabelled, {len(alone) - 100} can't be told."
    assert headline(alone) == f"Of {len(alone)} mistakes {said}"
    metrics = verdicts_dict(predictions, verdicts, 1)
    assert metrics["counts"] == {
        SUSPECT: 100,
        AMBIGUOUS: len(between),
        MODEL_ERROR: 30,
        CANNOT_TELL: 0,
    }
    assert 0 < metrics["expected_wrong"] < 0.5
    directions = {(each["true"], each["predicted"]): each for each in metrics["directions"]}
    assert directions["d", "e"][MODEL_ERROR] + directions["e", "d"][MODEL_ERROR] == 30
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
    assert (
        mistakes_csv(predictions, verdicts)
        == "index,true,predicted,probability,verdict,verdict_probability\n"
    )


def sharpened(predictions, power):
    probabilities = predictions.probabilities.astype(float)
    probabilities = (probabilities / probabilities.max(axis=1, keepdims=True)) ** power
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Predictions(predictions.labels, probabilities, predictions.class_names)


@pytest.mark.parametrize(
    ("predictions", "reason"),
    [
        (sharpened(calibrated(), 1e6), "0 and 1"),
        (calibrated(images=15), "15 images are too few"),
        (
            Predictions(np.arange(90) % 3, None, NAMES, predicted=(np.arange(90) + 1) % 3),
            "only the predicted classes",
        ),
    ],
    ids=["one-hot", "few", "hard labels"],
)
def test_no_verdicts_where_the_rule_does_not_hold(predictions, reason):
    verdicts = verdicts_of(predictions)
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
    verdicts = verdicts_of(Predictions(labels, probabilities, NAMES))
    assert {verdict.verdict for verdict in verdicts} == {CANNOT_TELL}


def test_too_many_scores_are_not_judged(monkeypatch):
    for module in (evidence_module, verdicts_module):
        monkeypatch.setattr(module, "MOST_SCORES", 1000)
    assert "4,000 images times 4 classes" in verdicts_of(calibrated()).reason


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ([CANNOT_TELL], "The only mistake doesn't look mislabelled; what caused it can't be told."),
        ([SUSPECT], "The only mistake looks mislabelled."),
        ([SUSPECT] * 3, "All 3 mistakes look mislabelled."),
        (
            [CANNOT_TELL] * 2,
            "None of 2 mistakes looks mislabelled; what caused them can't be told.",
        ),
        (
            [SUSPECT, *[CANNOT_TELL] * 1999],
            "2,000 mistakes 1 looks mislabelled, 1,999 can't be told.",
        ),
        # Counts, not shares, of which a fifth of five would read as 20% and none as 0%.
        (
            [*[CANNOT_TELL] * 3, MODEL_ERROR, AMBIGUOUS],
            "none looks mislabelled, 1 is ambiguous, 1 is a model error, 3 can't be told.",
        ),
        ([AMBIGUOUS] * 2, "All 2 mistakes are ambiguous."),
    ],
)
def test_the_headline_is_a_sentence_at_every_count(kinds, told):
    evidence = verdicts_of(calibrated()).evidence
    places = np.array([VERDICTS.index(kind) for kind in kinds])
    assert told in headline(Verdicts(np.arange(len(kinds)), places, evidence))


def test_one_image_is_too_few():
    assert "1 image is too few" in verdicts_of(calibrated(images=1)).reason
