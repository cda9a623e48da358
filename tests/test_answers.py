from dataclasses import replace

import numpy as np

from conftest import make_predictions
from hardpairs.analysis.subject import Subject
from hardpairs.data.datasets import load_human_votes
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.answers import render_answers


def test_sheet_quotes_the_runs_own_figures(fashion):
    rng = np.random.default_rng(0)
    labels = fashion.test.labels
    logits = rng.normal(size=(10_000, 10)) + 4 * np.eye(10)[labels]
    logits[labels == 6, 2] += 3.5  # Shirts look like pullovers.
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predictions = Predictions(labels, probabilities, fashion.class_names, split="test")
    votes = load_human_votes("fashion-mnist")
    subject = Subject(predictions, human_votes=votes, about=fashion.about)
    evaluation = subject.evaluation
    pictures = {"cm": "fashion_cm.png"}
    sheet = render_answers(subject, pictures)
    assert f"**{evaluation.accuracy:.2%}** of 10,000 test images" in sheet
    assert "## The hardest class: Shirt" in sheet
    assert f"Pullover ({evaluation.confusion[6, 2]})" in sheet
    assert f"{votes[6, 2]:.0%} go to Pullover" in sheet
    assert "![Confusion matrix" in sheet
    assert "fashion_pairs.png" not in sheet
    assert "buttons down the front and the thickness of the cloth" in sheet
    other = render_answers(replace(subject, about=None), pictures)
    assert "thickness of the cloth" not in other  # Another dataset may have shirts too.


def test_sheet_of_bare_predictions_keeps_foreign_names_from_acting():
    predictions = make_predictions(class_names=("<script>", "a|b", "*c*", "[d](e)", "plain"))
    sheet = render_answers(Subject(predictions), {})
    for text in ("<script>", "a|b", "*c*", "[d]", "People", "votes"):
        assert text not in sheet


def test_sheet_without_mistakes():
    predictions = Predictions(np.array([0, 1]), np.eye(2), ("a", "b"))
    sheet = render_answers(Subject(predictions), {})
    assert "nothing was mixed up" in sheet
    assert "It has no mistakes." in sheet
