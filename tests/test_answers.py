from dataclasses import replace

import numpy as np

from conftest import make_predictions
from hardpairs.analysis.subject import Subject
from hardpairs.data.about import load_class_votes
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.answers import render_answers


def test_sheet_quotes_the_runs_own_figures(fashion):
    rng = np.random.default_rng(0)
    labels = fashion.test.labels
    logits = rng.normal(size=(10_000, 10)) + 4 * np.eye(10)[labels]
    logits[labels == 6, 2] += 3.5  # Shirts look like pullovers.
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predictions = Predictions(labels, probabilities, fashion.class_names, split="test")
    votes = load_class_votes(fashion.test.fingerprint)
    subject = Subject(predictions, class_votes=votes, about=fashion.about)
    evaluation = subject.evaluation
    pictures = {"confusion.png": "fashion_cm.png"}
    sheet = render_answers(subject, pictures)
    assert f"**{evaluation.accuracy:.2%}** of 10,000 test images" in sheet
    assert "## The hardest class: Shirt" in sheet
    assert f"Pullover ({evaluation.confusion[6, 2]})" in sheet
    assert f"{votes[6, 2]:.0%} go to Pullover" in sheet
    assert "![Confusion matrix" in sheet
    assert "fashion_pairs.png" not in sheet
    assert "buttons down the front and the thickness of the cloth" in sheet
    other = render_answers(replace(subject, about=None), pictures)
    # Another dataset may have shirts too, and other pixels, labels and voters.
    for words in ("thickness of the cloth", "784", "shop", "Fashion"):
        assert words not in other


def test_sheet_of_bare_predictions_keeps_foreign_names_from_acting():
    predictions = make_predictions(class_names=("<script>", "a|b", "*c*", "[d](e)", "plain"))
    sheet = render_answers(Subject(predictions), {})
    for text in ("<script>", "a|b", "*c*", "[d]", "People", "votes", "the net", "seed"):
        assert text not in sheet


def test_sheet_of_pairs_that_are_mixed_up_once():
    predictions = Predictions(np.array([0, 1, 2]), np.eye(3)[[1, 2, 2]], ("a", "b", "c"))
    sheet = render_answers(Subject(predictions), {})
    assert "No pair of classes stands out: 2 are mixed up, each once." in sheet
    assert "It takes it for" in sheet


def test_sheet_without_mistakes():
    predictions = Predictions(np.array([0, 1]), np.eye(2), ("a", "b"))
    sheet = render_answers(Subject(predictions), {})
    assert "nothing was mixed up" in sheet
    assert "nothing is wrong" in sheet
    assert "hardest |" not in sheet


def test_foreign_split_recipe_and_metadata_do_not_act():
    hostile = "test</p><script>alert(1)</script>\n\n# Heading\n![x](y)"
    for metadata in (
        {"recipe": hostile},
        {"recipe": {"name": hostile, "net": hostile}},
        {"seed": hostile},
    ):
        predictions = make_predictions(
            split=hostile, metadata={**metadata, "parameters": 3, "kept_epoch": hostile}
        )
        sheet = render_answers(Subject(predictions, dataset=hostile), {})
        assert "<script>" not in sheet
        assert "![x]" not in sheet
        assert not any(line.startswith("# Heading") for line in sheet.splitlines())


def test_names_that_are_numbers_make_sentences():
    sheet = render_answers(Subject(make_predictions(class_names=tuple("01234"))), {})
    assert "images of class" in sheet
    assert "taken for class" in sheet


def test_underscores_are_escaped_once():
    names = ("ankle_boot", "t_shirt", "c", "d", "e")
    sheet = render_answers(Subject(make_predictions(class_names=names)), {})
    assert "ankle_boot" in sheet
    assert "&#38;" not in sheet
    assert "&&" not in sheet


def test_names_that_figures_cannot_write_are_told_of():
    names = ("\U0001f455", "\U0001f45f", "c", "d", "e")
    sheet = render_answers(Subject(make_predictions(class_names=names)), {})
    assert "2 classes have numbers in the figures" in sheet


def sheet_of(labels, predicted, **more):
    count = max(*labels, *predicted, 1) + 1
    names = tuple("abcdefgh"[:count])
    predictions = Predictions(np.array(labels), None, names, predicted=np.array(predicted), **more)
    return render_answers(Subject(predictions), {})


def test_where_all_classes_are_as_hard_the_sheet_names_none():
    sheet = sheet_of([0, 0, 1, 1], [0, 1, 1, 0])
    assert "The hardest class:" not in sheet
    assert "There is none: all classes have the same F1." in sheet


def test_classes_that_are_as_hard_are_all_named():
    sheet = sheet_of([0, 0, 1, 1, 2], [0, 1, 1, 0, 2])
    assert "## One of the hardest classes: a" in sheet
    assert "No class has a lower F1; b has the same." in sheet
    assert sheet.count("| hardest |") == 2


def test_a_class_that_is_hard_for_its_precision():
    sheet = sheet_of([0] * 98 + [1] * 2, [1] * 40 + [0] * 58 + [1] * 2)
    assert "## The hardest class: b" in sheet
    assert (
        "The model finds all 2 images of b. Of the 42 images that it takes for b, 40 are" in sheet
    )
    assert "misses 0" not in sheet


def test_a_class_that_is_never_predicted():
    sheet = sheet_of([0, 0, 1, 1], [0, 0, 0, 0])
    assert "The model finds none of the 2 images of b. It takes them for a (2)." in sheet
    assert "It takes no image for b." in sheet


def test_sheet_of_one_image():
    assert "**100.00%** of 1 image is right" in sheet_of([0], [0], split="")
    sheet = sheet_of([0], [1], split="validation")
    assert "of 1 validation image is right" in sheet
    assert "sampling of validation images" in sheet


def test_one_mistake_among_many_is_not_none():
    labels = np.arange(100_000) % 2
    sheet = sheet_of(labels.tolist(), [1, *labels[1:].tolist()])
    assert "**99.999%** of 100,000 images" in sheet
    assert "(0.002% of them)" in sheet
    assert "1.000 |" in sheet  # The other's recall, which is whole.
    assert "100.00%" not in sheet


def test_people_who_do_not_mix_up_a_pair():
    predictions = Predictions(np.array([0, 1]), None, ("a", "b"), predicted=np.array([1, 1]))
    sheet = render_answers(Subject(predictions, class_votes=np.eye(2)), {})
    assert "People don't mix them up." in sheet
    assert "people mix up this pair no more than the model does" in sheet
    assert "as well" not in sheet


def test_what_the_hardest_class_is_taken_for_adds_up():
    sheet = sheet_of([0] * 9 + [1, 2, 3, 4, 5], [1, 1, 1, 2, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])
    assert "misses 8. It takes them for b (3), c (2), d (1) and others (2)." in sheet


def test_why_there_are_no_verdicts_is_told_once_and_only_of_mistakes():
    reason = "No verdicts are given"
    assert sheet_of([0, 1, 1], [0, 1, 0]).count(reason) == 1
    assert reason not in sheet_of([0, 1, 1], [0, 1, 1])
