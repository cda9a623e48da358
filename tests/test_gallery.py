"""Which images travel with the page, and what is known of each."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from conftest import make_predictions
from hardpairs.analysis.evaluation import evaluate
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import VERDICTS
from hardpairs.foreign import one_line
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.page import gallery, sprites
from hardpairs.report.page.evidence import evidence_sentences
from hardpairs.report.page.pairs import quiz_data
from hardpairs.report.page.render import render_report
from hardpairs.report.page.sprites import images_sprite
from report_pages import HOSTILE, STUDY, data_of, page_of, subject_with_images


def test_every_mistake_travels_most_confident_first():
    predictions = make_predictions(images=500)
    rows = gallery.choose_rows(predictions)
    wrong = predictions.predicted != predictions.labels
    assert set(np.flatnonzero(wrong)) <= set(rows.tolist())
    confidence = predictions.probabilities.max(axis=1)
    assert (np.diff(confidence[rows[wrong[rows]]]) <= 0).all()
    right = rows[~wrong[rows]]
    for index in range(5):
        mine = np.flatnonzero(~wrong & (predictions.labels == index))
        closest = mine[np.argsort(confidence[mine], kind="stable")[: gallery.RIGHT_PER_CLASS]]
        assert set(right[predictions.labels[right] == index]) == set(closest)


def test_too_many_mistakes_keep_the_most_confident_of_each_cell(monkeypatch):
    monkeypatch.setattr(gallery, "MOST_IMAGES", 60)
    predictions = make_predictions(images=2000)
    rows = gallery.choose_rows(predictions)
    assert len(rows) == 60
    confidence = predictions.probabilities.max(axis=1)
    for true, pred in np.argwhere(evaluate(predictions).confusion * (1 - np.eye(5))):
        cell = np.flatnonzero((predictions.labels == true) & (predictions.predicted == pred))
        kept = np.intersect1d(cell, rows)
        assert len(kept) >= 2
        assert confidence[kept].min() >= np.sort(confidence[cell])[-len(kept)]


def test_small_gray_sprite_holds_the_images_to_the_pixel():
    images = np.random.default_rng(0).integers(0, 256, (70, 28, 28, 1), dtype=np.uint8)
    sprite = images_sprite(images, np.arange(70)[::-1], inverted=True)
    sheet = pixels_of(sprite)
    top, left = (4 // sprite["columns"]) * 28, (4 % sprite["columns"]) * 28
    np.testing.assert_array_equal(255 - sheet[top : top + 28, left : left + 28], images[65, ..., 0])


def pixels_of(sprite) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(sprite["url"].partition(",")[2]))))


def test_large_colour_pictures_are_made_small_enough_for_all_of_them(monkeypatch):
    monkeypatch.setattr(sprites, "MOST_PIXELS", 2_000_000)

    class Photos:
        """Smooth pictures of 224 x 224, made when asked for."""

        def __len__(self):
            return 1000

        def __getitem__(self, rows):
            count = len(np.arange(1000)[rows])
            seeds = np.random.default_rng(0).integers(0, 256, (count, 7, 7, 3), dtype=np.uint8)
            return seeds.repeat(32, axis=1).repeat(32, axis=2)

    few = images_sprite(Photos(), np.arange(20))
    assert few["side"] == 128
    many = images_sprite(Photos(), np.arange(300))
    assert many["side"] < 96
    assert pixels_of(many).shape[2] == 3
    assert pixels_of(many).shape[0] * pixels_of(many).shape[1] < 2_200_000


def test_bare_predictions_give_a_page_without_galleries():
    page = page_of(make_predictions())
    assert data_of(page)["sprite"] is None
    assert "came without images" in page
    for part in ('id="training"', 'id="study"', 'class="strip"'):
        assert part not in page


def test_page_without_mistakes():
    page = page_of(Predictions(np.array([0, 1]), np.eye(2), ("a", "b")))
    assert "All 2 images are right" in page
    for words in ("hardest", "easiest", "#pair=", "Hard pairs", "Would you"):
        assert words not in page.split("<script")[0]


def test_verdict_and_evidence_travel_with_their_image():
    predictions = make_predictions()
    subject = Subject(predictions, other_runs=(predictions,))
    data = data_of(page_of(predictions, other_runs=(predictions,)))
    images, sentences = data["images"], data["sentences"]
    judged = {verdict.row: verdict for verdict in subject.verdicts}
    assert len({verdict.verdict for verdict in judged.values()}) > 1
    wrong_label = subject.evidence.label_error_probability
    for row, verdict, evidence in zip(
        *(images[name] for name in ("row", "verdict", "evidence")), strict=True
    ):
        assert verdict == (VERDICTS.index(judged[row].verdict) if row in judged else None)
        told = [sentences[n] for n in evidence]
        share = f"{wrong_label[row]:.0%}" if wrong_label[row] >= 0.01 else "under 1%"
        causes = [
            text for text in told if f"How probable each cause is: a wrong label {share}," in text
        ]
        assert bool(causes) == (row in judged)
        assert not [text for text in told if "score" in text or "cleanlab" in text]


def test_the_only_cause_known_is_told_alone():
    subject = Subject(make_predictions())
    rows = subject.verdicts.rows[:20]
    wrong_label = subject.evidence.label_error_probability
    for row, told in zip(rows.tolist(), evidence_sentences(subject, rows), strict=True):
        share = f"{wrong_label[row]:.0%}" if wrong_label[row] >= 0.01 else "under 1%"
        assert told == [f"A wrong label: {share} probable."]


def test_evidence_is_told_in_sentences():
    predictions = make_predictions(images=30, classes=3)
    votes = np.zeros((30, 3), np.int64)
    votes[:, 0], votes[:, 1] = 50, 7
    labels = np.zeros((30, 20), np.uint8)
    subject = Subject(
        predictions,
        votes=votes,
        neighbours=Neighbours(np.zeros((30, 20), np.int32), labels),
        other_runs=(predictions,),
    )
    wrong = np.flatnonzero((predictions.labels == 1) & (predictions.predicted == 0))[0]
    said = [
        text.replace("\u2068", "").replace("\u2069", "")
        for text in evidence_sentences(subject, np.array([wrong]))[0]
    ]
    assert said[:3] == [
        "0 of its 20 nearest training images are labelled class 1, 20 class 0.",
        "7 of 57 people chose class 1, 50 class 0.",
        "0 of 2 runs predict class 1.",
    ]


def test_hostile_names_stay_text():
    predictions = make_predictions(class_names=HOSTILE, metadata={"<b>": "</dl><script>"})

    seen = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append(tag)
            assert not any(name.startswith("on") or name == "style" for name, _ in attrs)

    page = page_of(predictions, study=STUDY)
    Tags().feed(page)
    assert seen.count("script") == 3  # In the head, the data, what works with them.
    assert "img" not in seen
    assert "49" not in re.findall(r"<bdi[^>]*>([^<]*)", page)
    assert data_of(page)["given"] == list(HOSTILE)
    assert data_of(page)["names"] == [one_line(name) for name in HOSTILE]


def test_an_estimate_is_not_told_as_certain():
    subject = Subject(make_predictions())
    subject.metrics["verdicts"]["expected_wrong"] = 0.003
    assert "By their own probabilities 0.3% of the verdicts given are wrong" in render_report(
        subject
    )
    row = subject.verdicts.rows[:1]
    subject.evidence.label_error_probability[row] = 0.996
    assert evidence_sentences(subject, row) == [["A wrong label: over 99% probable."]]


def test_people_who_never_choose_the_label_are_told_in_the_quiz():
    subject = subject_with_images(make_predictions(600))
    votes = np.zeros((600, len(subject.predictions.class_names)), np.int64)
    votes[np.arange(600), (subject.predictions.labels + 1) % votes.shape[1]] = 7
    quiz = quiz_data(replace(subject, votes=votes), {row: row for row in range(600)})
    assert quiz["people"] == "0%"


def test_one_of_many_has_the_verb_of_one():
    predictions = make_predictions(images=30, classes=3)
    labels = np.zeros((30, 20), np.uint8)
    labels[:, 0] = 1
    votes = np.tile([0, 1, 0], (30, 1))
    subject = Subject(
        predictions, votes=votes, neighbours=Neighbours(np.zeros((30, 20), np.int32), labels)
    )
    right = np.flatnonzero((predictions.labels == 1) & (predictions.predicted == 1))[:1]
    told = " ".join(evidence_sentences(subject, right)[0])
    assert "1 of its 20 nearest training images is labelled" in told
    assert "1 of 1 person chose" in told


def test_a_probability_reads_as_none_or_all_only_where_it_is():
    shares = np.array([0, 1e-9, 0.5, 1 - 1e-9, 1])
    assert gallery.ten_thousandths(shares).tolist() == [0, 1, 5000, 9999, 10_000]
