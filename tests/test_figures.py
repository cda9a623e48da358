import numpy as np
import pytest
from matplotlib.image import imread

from conftest import make_predictions
from hardpairs.analysis.duplicates import Duplicates
from hardpairs.analysis.evaluation import evaluate
from hardpairs.analysis.subject import Subject
from hardpairs.predictions.predictions import Predictions
from hardpairs.report import figures
from hardpairs.report.audit_figures import draw_duplicates, draw_suspects
from hardpairs.report.evidence_figures import draw_calibration, draw_verdicts

IMAGES = np.random.default_rng(0).integers(0, 256, (200, 28, 28, 1), dtype=np.uint8)
HOSTILE = ("$x^{", "<b>&amp;", "a" * 500, "\u202eright to left", "plain")


@pytest.fixture(params=["ordinary", "hostile"])
def predictions(request):
    if request.param == "hostile":
        return make_predictions(class_names=HOSTILE)
    return make_predictions()


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))


@pytest.mark.filterwarnings("ignore:Glyph")  # The font has no glyph for direction marks.
def test_every_figure_can_be_drawn_and_saved(tmp_path, predictions):
    subject = Subject(
        predictions,
        images=IMAGES,
        history={"loss": [1, 0.5], "accuracy": [0.5, 0.8]},
        kept_epoch=2,
        kernels=np.random.default_rng(0).normal(size=(3, 3, 1, 32)),
        validation=predictions,
    )
    pair = Duplicates(np.array([[0, 150]]), np.zeros(1), 0.03)
    drawn = {
        "cm": figures.draw_confusion(subject),
        "pairs": figures.draw_pairs(subject),
        "hardest": figures.draw_hardest(subject),
        "filters": figures.draw_filters(subject),
        "history": figures.draw_history(subject),
        "verdicts": draw_verdicts(subject),
        "calibration": draw_calibration(subject),
        "duplicates": draw_duplicates(pair, IMAGES, 100),
        "suspects": draw_suspects(predictions, np.arange(30), IMAGES),
    }
    for name, figure in drawn.items():
        figures.save_figure(figure, tmp_path / f"{name}.png")
        pixels = imread(tmp_path / f"{name}.png")
        assert pixels.shape[1] > 600
        assert pixels[..., :3].std() > 0.01


def test_matrix_shows_the_counts():
    subject = Subject(make_predictions())
    shown = texts(figures.draw_confusion(subject)).split()
    confusion = subject.evaluation.confusion
    for count in confusion[confusion > 0]:
        assert str(count) in shown


def test_matrix_of_very_many_classes_is_left_out():
    subject = Subject(make_predictions(classes=figures.MOST_CLASSES_IN_MATRIX + 1))
    assert figures.draw_confusion(subject) is None


def test_nothing_to_draw_without_mistakes():
    predictions = Predictions(np.array([0, 1]), np.eye(2), ("a", "b"))
    subject = Subject(predictions, images=IMAGES[:2])
    assert figures.draw_pairs(subject) is None
    assert figures.draw_hardest(subject) is None
    assert draw_verdicts(subject) is None
    assert draw_suspects(predictions, np.empty(0, np.int64), IMAGES[:2]) is None
    none = Duplicates(np.empty((0, 2), np.int64), np.empty(0), 0.03)
    assert draw_duplicates(none, IMAGES[:2], 1) is None


def test_verdict_figure_counts_every_mistake_of_a_pair():
    predictions = make_predictions()
    subject = Subject(predictions, images=IMAGES)
    shown = texts(draw_verdicts(subject))
    for pair in subject.evaluation.hard_pairs[: figures.PAIRS_SHOWN]:
        assert f"of {pair.mistakes}" in shown


def test_confident_mistakes_come_first():
    predictions = make_predictions()
    rows = figures.confident_mistakes(predictions, 0, 1)
    assert len(rows) > 2
    assert (predictions.labels[rows] == 0).all()
    assert (predictions.predicted[rows] == 1).all()
    assert (np.diff(predictions.probabilities[rows, 1]) <= 0).all()


def test_typical_mistakes_cover_what_the_class_is_taken_for():
    predictions = make_predictions()
    evaluation = evaluate(predictions)
    rows = figures.typical_mistakes(evaluation, predictions, 0, 4)
    assert (predictions.labels[rows] == 0).all()
    assert sorted(predictions.predicted[rows]) == [1, 2, 3, 4]
    many = figures.typical_mistakes(evaluation, predictions, 0, 10_000)
    assert len(set(many)) == len(many) == evaluation.confusion[0, 1:].sum()
