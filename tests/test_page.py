"""What the page is given, without a browser."""

import html
import re

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import VERDICTS
from hardpairs.data.about import About
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.page import pairs
from hardpairs.report.page.matrix import (
    people_counts,
)
from hardpairs.report.page.render import render_report
from report_pages import of_labels, parts_of


def test_a_page_says_what_is_true_of_what_it_was_given():
    made = make_predictions(images=300, ids=np.array([f"{row}.png" for row in range(300)]))
    alone, _ = parts_of(render_report(Subject(made)))
    assert alone.count("No mistake is called ambiguous") == 1
    assert "<code>--also</code>), or embeddings beside the probabilities" in alone
    assert "listed by their ids" in alone
    assert "surely the one" not in alone
    assert "Lowest F1 first" in alone
    hard = Predictions(made.labels, None, made.class_names, predicted=made.predicted)
    assert parts_of(render_report(Subject(hard)))[0].count("No verdicts are given") == 1
    images = np.zeros((300, 8, 8, 1), np.uint8)
    given = {"images": images, "kernels": np.ones((3, 3, 1, 4)), "class_votes": np.eye(5)}
    seen, _ = parts_of(render_report(Subject(made, **given, inverted=True)))
    assert "surely the one" in seen
    assert "dark on this page" in seen
    assert "dark on this page" not in parts_of(render_report(Subject(made, **given)))[0]
    assert "Blue responds" in seen
    in_colour = {**given, "kernels": np.ones((3, 3, 3, 4))}
    assert (
        "the colours that it responds to" in parts_of(render_report(Subject(made, **in_colour)))[0]
    )
    assert "<span>chosen</span>" in seen
    about = About("Digits", votes_source="Their survey, 7 votes an image")
    told, _ = parts_of(render_report(Subject(made, **given, about=about)))
    assert "Of the votes on each class&#39;s images, the share for each class: Their survey" in (
        told.replace("class's", "class&#39;s")
    )


def test_ids_travel_with_their_blanks_and_without_what_cannot_be_shown():
    ids = np.array([f"a  b {row}.png" for row in range(199)] + ["a\nb"])
    _, data = parts_of(render_report(Subject(make_predictions(ids=ids))))
    assert all("a  b" in each or each == "a b" for each in data["images"]["id"])


def test_a_pair_says_what_separates_it_and_what_people_do():
    made = make_predictions(images=300, classes=3)
    votes = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]])
    seen, data = parts_of(render_report(Subject(made, class_votes=votes)))
    told = [text for pair in data["pairs"] for text in pair["told"]]
    assert len(told) >= len(data["pairs"])
    assert any("30% of their votes on" in text or "20% of their votes on" in text for text in told)
    for text in told:
        assert html.escape(text, quote=False) in seen.replace("&#39;", "'")


def test_what_people_chose_leads_to_its_images():
    made = make_predictions(images=300, classes=3)
    votes = np.random.default_rng(0).multinomial(20, [0.4, 0.3, 0.3], 300)
    subject = Subject(made, votes=votes, class_votes=np.full((3, 3), 1 / 3))
    chosen = votes.argmax(axis=1)
    assert people_counts(subject)[2, 0] == ((made.labels == 2) & (chosen == 0)).sum()
    seen, data = parts_of(render_report(subject))
    assert "#people=2&amp;chosen=0" in seen
    carried = np.array(data["images"]["row"])
    for label, other in ((2, 0), (0, 1)):
        assert ((made.labels[carried] == label) & (chosen[carried] == other)).sum() >= 3
    bare = render_report(Subject(made, class_votes=np.full((3, 3), 1 / 3)))
    assert "#people=" not in parts_of(bare)[0]


@pytest.mark.parametrize(
    ("counts", "word"),
    [((60, 30, 10), "suspects"), ((5, 80, 15), "ambiguous"), ((3, 10, 87), "model errors")],
)
def test_advice_follows_the_verdicts(counts, word):
    given = dict(zip(pairs.ADVICE, counts, strict=True))
    assert word in pairs.advice(given, 100)


def test_no_advice_without_evidence():
    assert pairs.advice(dict(zip(pairs.ADVICE, (15, 45, 40), strict=True)), 100) is None
    assert pairs.advice(dict(zip(pairs.ADVICE, (5, 0, 0), strict=True)), 5) is None


def test_quiz_scores_the_model_on_the_images_it_asks():
    predictions = make_predictions(images=2000, classes=10)
    subject = Subject(predictions, images=np.zeros((2000, 8, 8, 1), np.uint8))
    _, data = parts_of(render_report(subject))
    images, items = data["images"], data["quiz"]["items"]
    assert len(items) == pairs.QUIZ_IMAGES
    right = [images["true"][k] == images["predicted"][k] for k, _, _ in items]
    assert data["quiz"]["model"] == sum(right)
    for k, first, second in items:
        assert images["true"][k] in (first, second)


def test_ids_travel_as_they_are():
    ids = 2**53 + np.arange(200)
    _, data = parts_of(render_report(Subject(make_predictions(ids=ids))))
    assert set(data["images"]["id"]) <= {str(identity) for identity in ids.tolist()}
    assert len(set(data["images"]["id"])) == len(data["images"]["id"])


@pytest.mark.parametrize(
    ("labels", "predicted", "names"),
    [
        ([0, 1, 0, 1, 0], [0, 1, 0, 1, 0], ("a", "b")),
        ([0, 1, 0, 1, 0], [1, 1, 0, 1, 0], ("a", "b")),
        ([0, 0, 1, 1], [1, 1, 0, 0], ("a", "b", "absent")),
        ([0, 1, 2] * 7, [0, 1, 2] * 7, ("", "b", "c")),
    ],
    ids=["all right", "five images", "all wrong, a class absent", "a name blank"],
)
def test_small_and_odd_data_say_nothing_silly(labels, predicted, names):
    seen, data = parts_of(render_report(Subject(of_labels(labels, predicted, names))))
    if labels == predicted:
        assert "hardest" not in seen.lower()
        assert "images are right" in seen
    assert "1 mistakes" not in seen
    assert "1 of 1 " not in seen
    assert not re.search(r'<bdi class="name" title=""></bdi>', seen)
    if "absent" in names:
        row = re.search(r'<tr><th scope="row"><a href="#class=2">.*?</tr>', seen, re.DOTALL)[0]
        assert "0.000" not in row
    linked = {tuple(map(int, link)) for link in re.findall(r"#true=(\d+)&amp;pred=(\d+)", seen)}
    assert linked <= {(true, pred) for true, pred, _, _ in data["cells"]}


def test_classes_alone_give_a_page_without_confidence():
    made = make_predictions()
    predictions = Predictions(made.labels, None, made.class_names, predicted=made.predicted)
    seen, data = parts_of(render_report(Subject(predictions)))
    assert data["images"]["probabilities"] == [[] for _ in data["images"]["row"]]
    assert 'id="calibration"' not in seen


def test_each_verdict_leads_to_its_own_images():
    subject = Subject(make_predictions(images=500))  # A model alone: two verdicts are missing.
    links = re.findall(r'href="#verdict=(\d)" data-verdict="([^"]+)"', render_report(subject))
    assert 0 < len(links) < len(VERDICTS)
    for index, name in links:
        assert html.unescape(name) == VERDICTS[int(index)]


def test_a_number_after_a_name_is_told_apart_from_it():
    seen, _ = parts_of(render_report(Subject(make_predictions(images=300))))
    text = re.sub(r"<[^>]+>", "", seen)
    assert re.search(r"class \d and class \d: \d+ mistakes", text)
    assert re.search(r"class \d taken for class \d: \d+ images?, ", text)
    assert re.search(r"class \d \(\d+\)", text)


def test_the_page_says_which_predictions_it_carries():
    def carried(labels, predicted):
        return parts_of(render_report(Subject(of_labels(labels, predicted, ("a", "b")))))[0]

    right, wrong = [0, 1, 0, 1], [1, 0, 1, 0]
    assert "in this file: right ones that were" in carried(right, right)
    assert "of each cell first.</p>" in carried(right, wrong)
    assert "of each cell first, and right ones" in carried(right, [0, 1, 0, 0])
