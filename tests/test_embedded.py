import numpy as np
import pytest

import hardpairs
from hardpairs.analysis.embedded import embedded_neighbours
from hardpairs.analysis.subject import Subject
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.page.gallery import gallery_data

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 120)
EMBEDDINGS = (np.eye(3)[LABELS] @ RNG.normal(size=(3, 8)) * 3 + RNG.normal(size=(120, 8))).astype(
    np.float32
)


def explored(labels=LABELS, embeddings=EMBEDDINGS, **more):
    probabilities = np.full((len(labels), 3), 0.1)
    probabilities[np.arange(len(labels)), LABELS[: len(labels)]] = 0.8
    return hardpairs.explore(labels, probabilities, embeddings=embeddings, **more)


def test_nearest_images_are_those_of_a_full_comparison():
    found = embedded_neighbours(EMBEDDINGS, LABELS, 3)
    rows = EMBEDDINGS / np.linalg.norm(EMBEDDINGS, axis=1, keepdims=True)
    cosine = rows @ rows.T
    np.fill_diagonal(cosine, -2)
    order = np.argsort(-cosine, axis=1)
    np.testing.assert_array_equal(found.indices, order[:, :20])
    np.testing.assert_array_equal(found.labels, LABELS[order[:, :20]])
    np.testing.assert_allclose(found.hidden, np.eye(3)[LABELS[order[:, :20]]].mean(axis=1))
    assert not found.of_training


@pytest.mark.parametrize("images", [2, 5])
def test_few_images_have_as_many_neighbours_as_there_are(images):
    found = embedded_neighbours(EMBEDDINGS[:images], LABELS[:images], 3)
    assert found.indices.shape == (images, images - 1)
    assert all(row not in near for row, near in enumerate(found.indices.tolist()))


def test_many_dimensions_and_equal_embeddings():
    found = embedded_neighbours(np.ones((60, 300), np.float32), np.zeros(60, np.int64), 2)
    assert all(row not in near for row, near in enumerate(found.indices.tolist()))
    np.testing.assert_allclose(found.hidden, [[1, 0]] * 60)


def test_embeddings_are_evidence_and_the_page_shows_the_nearest():
    wrong = LABELS.copy()
    wrong[7] = (wrong[7] + 1) % 3
    names = [f"{row}.png" for row in range(120)]
    images = RNG.integers(0, 255, (120, 8, 8), dtype=np.uint8)
    subject = explored(wrong, images=images, ids=names).subject
    assert subject.evidence.neighbours_for_label[7] < 0.3 < subject.evidence.hidden_for_label[8]
    data = gallery_data(subject)
    assert data["images"]["row"][0] == 7
    assert (
        "nearest images among those predicted are labelled"
        in data["sentences"][data["images"]["evidence"][0][0]]
    )
    place, label = data["train"]["of"][0][0]
    assert data["train"]["id"][place] == names[subject.nearest.indices[7, 0]]
    assert label == wrong[subject.nearest.indices[7, 0]]
    assert explored(embeddings=None).subject.nearest is None


def test_same_embeddings_are_said():
    embeddings, labels = EMBEDDINGS.copy(), LABELS.copy()
    embeddings[3] = 2 * embeddings[90]  # The cosine sees no length.
    assert not any("same embedding" in note for note in explored().notes)
    labels[3], labels[90] = 0, 1
    (note,) = [each for each in explored(labels, embeddings).notes if "same embedding" in each]
    assert note == (
        "2 of 120 images have the same embedding as another; under another label: '3 and 90'."
    )


def test_images_alone_judge_the_mistakes_of_predicted_classes():
    side = np.arange(20)
    bars = np.zeros((240, 20, 20), np.uint8)
    classes = np.arange(240) % 2
    for row, (way, place) in enumerate(zip(classes, RNG.integers(3, 17, 240), strict=True)):
        bars[row] = 200 * (np.abs(side - place) < 2) + RNG.integers(0, 50, (20, 20))
        bars[row] = bars[row].T if way else bars[row]
    labels, predicted = classes.copy(), classes.copy()
    labels[[7, 90, 101]] = 1 - labels[[7, 90, 101]]  # Slips.
    predicted[[30, 31, 32]] = 1 - predicted[[30, 31, 32]]
    named = Predictions(labels, None, ("standing", "lying"), predicted=predicted)
    subject = Subject(named, images=bars)
    assert subject.nearest.hidden is None
    assert not subject.nearest.of_training
    verdicts = {verdict.row: verdict.verdict for verdict in subject.verdicts}
    assert [verdicts[row] for row in (7, 90, 101)] == ["label suspect"] * 3
    assert [verdicts[row] for row in (30, 31, 32)] == ["model error"] * 3
    assert Subject(named).nearest is None
    sure = Predictions(labels, np.eye(2)[predicted] * 0.8 + 0.1, named.class_names)
    assert Subject(sure, images=bars).nearest is None  # Probabilities make do without.


def test_what_is_advised_where_only_probabilities_are_known_changes_something():
    images = np.zeros((120, 8, 8), np.uint8)
    wrong = (LABELS + (np.arange(120) % 3 == 0)) % 3
    given = explored(wrong, None, images=images)
    (advice,) = [note for note in given.notes if note.startswith("No mistake is called")]
    assert "images" not in advice  # They are here, and say nothing more.
    assert "embeddings" in advice
    assert not [note for note in explored(wrong).notes if note.startswith("No mistake is called")]
