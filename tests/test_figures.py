import os
import subprocess
import sys
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread

from conftest import make_predictions
from hardpairs.analysis.duplicates import Duplicates
from hardpairs.analysis.subject import Subject
from hardpairs.data.split import Dataset, Split
from hardpairs.foreign import spoken_names
from hardpairs.predictions.predictions import Predictions
from hardpairs.report import choice, figures
from hardpairs.report.audit_figures import draw_duplicates, draw_suspects
from hardpairs.report.calibration_figure import draw_calibration
from hardpairs.report.canvas import save_figure
from hardpairs.report.mistake_figures import PAIRS_SHOWN, draw_hardest, draw_pairs, draw_verdicts
from hardpairs.report.names import short_names
from hardpairs.report.pictures import picture_side

IMAGES = np.random.default_rng(0).integers(0, 256, (200, 28, 28, 1), dtype=np.uint8)
HOSTILE = ("$x^{", "<b>&amp;", "a" * 500, "\u202eright to left", "plain")


@pytest.fixture(params=["ordinary", "hostile"])
def predictions(request):
    if request.param == "hostile":
        return make_predictions(class_names=HOSTILE)
    return make_predictions()


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))


class ReadWhenAsked:
    """Colour images of many sizes."""

    def __len__(self):
        return 200

    def __getitem__(self, rows):
        return [IMAGES[row].repeat(3, axis=2)[: 8 + row % 20] for row in np.arange(200)[rows]]


@pytest.mark.parametrize(
    ("predictions", "images"),
    [("ordinary", IMAGES), ("hostile", ReadWhenAsked())],
    indirect=["predictions"],
    ids=["gray", "colour, many sizes"],
)
def test_every_figure_can_be_drawn_and_saved(tmp_path, predictions, images):
    subject = Subject(
        predictions,
        images=images,
        history={"loss": [1, 0.5], "accuracy": [0.5, 0.8]},
        kept_epoch=2,
        kernels=np.random.default_rng(0).normal(size=(3, 3, 1 if images is IMAGES else 3, 32)),
        validation=predictions,
    )
    split = Split(images, predictions.labels)
    dataset = Dataset("d", "d", predictions.class_names, split.take(slice(100)), split)
    pair = Duplicates(np.array([[0, 150]]), np.zeros(1), 0.03)
    drawn = {
        "cm": figures.draw_confusion(subject),
        "pairs": draw_pairs(subject),
        "hardest": draw_hardest(subject),
        "filters": figures.draw_filters(subject),
        "history": figures.draw_history(subject),
        "verdicts": draw_verdicts(subject),
        "calibration": draw_calibration(subject),
        "duplicates": draw_duplicates(pair, dataset),
        "suspects": draw_suspects(predictions, np.arange(30), split),
    }
    for name, figure in drawn.items():
        save_figure(figure, tmp_path / f"{name}.png")
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
    assert draw_pairs(subject) is None
    assert draw_hardest(subject) is None
    assert draw_verdicts(subject) is None
    split = Split(IMAGES[:2], predictions.labels)
    assert draw_suspects(predictions, np.empty(0, np.int64), split) is None
    none = Duplicates(np.empty((0, 2), np.int64), np.empty(0), 0.03)
    assert draw_duplicates(none, Dataset("d", "d", ("a", "b"), split, split)) is None


def test_verdict_figure_counts_every_mistake_of_a_pair():
    predictions = make_predictions()
    subject = Subject(predictions, images=IMAGES)
    shown = texts(draw_verdicts(subject))
    for pair in subject.evaluation.hard_pairs[:PAIRS_SHOWN]:
        assert f"of {pair.mistakes}" in shown


def test_cells_have_the_most_confident_first():
    predictions = make_predictions()
    rows = choice.cell_rows(predictions, 0, 1)
    assert len(rows) > 2
    assert (predictions.labels[rows] == 0).all()
    assert (predictions.predicted[rows] == 1).all()
    assert (np.diff(predictions.probabilities[rows, 1]) <= 0).all()


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 50])
def test_confident_and_borderline_mistakes_never_share_an_image(count):
    confident, borderline = choice.confident_and_borderline(np.arange(count), 3)
    assert len({*confident, *borderline}) == len(confident) + len(borderline) == min(count, 6)
    assert confident.tolist() == sorted(confident)
    assert borderline.tolist() == sorted(borderline, reverse=True)


def test_typical_mistakes_cover_what_the_class_is_taken_for():
    predictions = make_predictions(images=1000)
    evaluation = Subject(predictions).evaluation
    rows = choice.typical_mistakes(evaluation, predictions, 0, 4)
    assert (predictions.labels[rows] == 0).all()
    assert sorted(predictions.predicted[rows]) == [1, 2, 3, 4]
    sure = predictions.probabilities[rows].max(axis=1)
    assert sure[0] == sure.max()
    assert sure[0] - sure[-1] > 0.2  # Four confident mistakes would look alike.
    many = choice.typical_mistakes(evaluation, predictions, 0, 10_000)
    assert len(set(many)) == len(many) == evaluation.confusion[0, 1:].sum()


def test_pairs_mix_confident_and_borderline_mistakes_with_right_images():
    predictions = make_predictions(images=200)
    shown = texts(draw_pairs(Subject(predictions, images=IMAGES)))
    assert all(word in shown for word in ("most confident", "borderline", "right"))
    classes_alone = Predictions(
        predictions.labels, None, predictions.class_names, predicted=predictions.predicted
    )
    shown = texts(draw_pairs(Subject(classes_alone, images=IMAGES)))
    assert "most confident" not in shown
    assert draw_calibration(Subject(classes_alone)) is None


# --- Nothing of the user's leaks in ---------------------------------------------------------------


USERS_OWN = {
    "text.usetex": True,
    "axes.grid": True,
    "image.origin": "lower",
    "savefig.facecolor": "black",
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "figure.constrained_layout.use": True,
    "font.size": 30,
    "image.interpolation": "bicubic",
    "axes.prop_cycle": "cycler('color', ['r'])",
    "lines.linewidth": 9,
    "path.sketch": (1, 100, 2),
    "xtick.top": True,
}


def drawn_bytes(tmp_path, name) -> dict[str, bytes]:
    subject = Subject(
        make_predictions(),
        images=IMAGES,
        history={"loss": [1, 0.5], "accuracy": [0.5, 0.8]},
        kernels=np.random.default_rng(0).normal(size=(3, 3, 1, 8)),
    )
    drawings = (figures.draw_confusion, figures.draw_history, figures.draw_filters, draw_pairs)
    found = {}
    for draw in (*drawings, draw_hardest, draw_verdicts, draw_calibration):
        path = tmp_path / f"{name}-{draw.__name__}.png"
        save_figure(draw(subject), path)
        found[draw.__name__] = path.read_bytes()
    return found


def test_figures_do_not_depend_on_the_users_matplotlibrc(tmp_path):
    plain = drawn_bytes(tmp_path, "plain")
    with mpl.rc_context(USERS_OWN):
        assert drawn_bytes(tmp_path, "users") == plain


@pytest.mark.parametrize(
    "backend", ["nonsense", "module://matplotlib_inline.backend_inline", "svg"]
)
def test_an_inherited_backend_stops_nothing(backend):
    code = (
        "import os, hardpairs.report.write, matplotlib as mpl;"
        "print(os.environ['MPLBACKEND'], mpl.get_backend())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MPLBACKEND": backend},
        capture_output=True,
        text=True,
        check=True,
    )
    kept, used = done.stdout.split()
    assert kept == backend
    assert (used == "svg") == (backend == "svg")


# --- Foreign names --------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [*range(2, 8), 40])
def test_headline_ends_inside_the_figure(classes):
    figure = figures.draw_confusion(Subject(make_predictions(classes=classes)))
    renderer = FigureCanvasAgg(figure).get_renderer()
    for text in figure.texts:
        box = text.get_window_extent(renderer)
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height


ODD_NAMES = [
    ("Ankle boot women left", "Ankle boot women right", "c"),
    ("シャツ", "靴", "c"),
    ("\U0001f455", "\U0001f45f", "c"),
    ("a\nb", "line\n\n\nbreaks", "c"),
    ("W" * 14, "M" * 14, "i"),
    ("", " ", "c"),
    ("قميص", "ผ้า", "\u202e\u2066x"),
    ("a" * 500, "a" * 500 + "b", "a" * 250 + "c" + "a" * 250),
    ("\x1b[2J", "\x00", "\t"),
]


@pytest.mark.parametrize("names", ODD_NAMES, ids=ascii)
def test_odd_names_are_drawn_in_letters_there_are_and_stay_different(names):
    short = short_names(names)
    assert len(set(short)) == len(names)
    assert all(name.strip() and "\n" not in name for name in short)
    predictions = make_predictions(classes=3, class_names=names)
    subject = Subject(predictions, images=IMAGES)
    for draw in (figures.draw_confusion, draw_pairs, draw_hardest, draw_verdicts):
        FigureCanvasAgg(draw(subject)).draw()  # A missing letter would be a warning.


@pytest.mark.parametrize("names", ODD_NAMES, ids=ascii)
def test_matrix_labels_end_inside_the_figure(names):
    figure = figures.draw_confusion(Subject(make_predictions(classes=3, class_names=names)))
    renderer = FigureCanvasAgg(figure).get_renderer()
    axes = figure.axes[0]
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0
        assert box.y0 >= 0


def test_numbers_as_names_are_spoken_of_as_classes():
    assert spoken_names(("5", "9")) == ["class 5", "class 9"]
    assert spoken_names(("Shirt", "")) == ["Shirt", "class 1"]
    shown = texts(draw_pairs(Subject(make_predictions(class_names=tuple("01234")), images=IMAGES)))
    assert "class" in shown


def test_matrix_digits_can_be_read_on_a_slide():
    figure = figures.draw_confusion(Subject(make_predictions(images=5000, classes=10)))
    sizes = {text.get_fontsize() for text in figure.axes[0].texts}
    assert min(sizes) / 72 / figure.get_size_inches()[1] * 1080 >= 18


def test_one_epoch_is_no_curve(predictions):
    history = {"loss": [1.0], "accuracy": [0.5]}
    assert figures.draw_history(Subject(predictions, history=history)) is None


def test_pictures_are_as_large_as_the_largest_of_some():
    class Sizes(ReadWhenAsked):
        def __getitem__(self, rows):
            small = IMAGES[0][:9, :9]
            return [IMAGES[0] if row > 150 else small for row in np.arange(200)[rows]]

    assert picture_side(Sizes()) == 28
    assert picture_side(Sizes(), most=20) == 20


def test_a_small_calibration_error_is_not_told_as_none():
    sure = np.tile([0.9997, 0.0003], (1000, 1))
    subject = Subject(Predictions(np.zeros(1000, np.int64), sure, ("cat", "dog")))
    (legend,) = [
        text.get_text() for text in draw_calibration(subject).axes[0].get_legend().texts[1:]
    ]
    assert "error 0.03 points (" in legend


@pytest.mark.parametrize("draw", [draw_pairs, draw_verdicts])
def test_captions_of_long_names_leave_their_neighbours_room(draw):
    names = [f"a rather long class name, number {place}" for place in range(5)]
    figure = draw(Subject(make_predictions(class_names=names), images=IMAGES))
    FigureCanvasAgg(figure).draw()
    rows = {}
    for text in figure.axes[0].texts:
        if text.get_fontsize() == 8:
            box = text.get_window_extent()
            rows.setdefault(round(box.y1), []).append((box.x0, box.x1))
    assert rows
    for boxes in map(sorted, rows.values()):
        assert all(end <= start for (_, end), (start, _) in pairwise(boxes))


def test_verdicts_that_are_not_looked_for_are_not_drawn_as_none_found():
    shown = texts(draw_verdicts(Subject(make_predictions(), images=IMAGES)))
    assert "can't tell: " in shown
    assert "ambiguous" not in shown
    assert "model error" not in shown


def test_few_images_get_no_empty_diagram_and_few_classes_no_small_numbers():
    assert draw_calibration(Subject(make_predictions(images=5, classes=2))) is None
    figure = figures.draw_confusion(Subject(make_predictions(classes=2)))
    assert min(text.get_fontsize() for text in figure.axes[0].texts) >= figures.MATRIX_SIZE
