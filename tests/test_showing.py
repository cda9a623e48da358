"""Results as DataFrames and in notebooks."""

import csv
import html
import re
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import hardpairs
from conftest import make_predictions
from hardpairs.errors import InputError
from hardpairs.report import notebook

EVIL = ("<script>alert(1)</script>", "a&b", '"><img src=x onerror=alert(2)>', "d", "e\n\u202ef")


@pytest.fixture(scope="module")
def report():
    made = make_predictions(300, class_names=EVIL)
    images = np.random.default_rng(0).integers(0, 256, (300, 8, 8), np.uint8)
    return hardpairs.explore(made, images=images)


@pytest.fixture(scope="module")
def saved(report, tmp_path_factory):
    """The report's folder."""
    return report.save(tmp_path_factory.mktemp("saved")).parent


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_hold_what_the_files_hold(report, saved, library, monkeypatch):
    if library == "polars":
        monkeypatch.setitem(sys.modules, "pandas", None)
    subject, metrics = report.subject, report.subject.metrics
    classes = report.to_frame("classes")
    assert type(classes).__module__.startswith(library)
    assert list(classes["recall"]) == [each["recall"] for each in metrics["classes"]]
    assert list(classes.columns) == list(metrics["classes"][0])
    pairs = report.evaluation.to_frame("pairs")
    assert list(pairs.columns) == list(metrics["hard_pairs"][0])
    matrix = report.to_frame("matrix")
    assert sum(matrix["images"]) == 300
    verdicts = report.to_frame("verdicts")
    assert sum(verdicts["mistakes"]) == sum(metrics["verdicts"]["counts"].values())
    with (saved / "mistakes.csv").open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    mistakes = report.to_frame()
    assert list(mistakes.columns) == header
    assert len(mistakes) == len(lines) == len(subject.verdicts) == len(subject.verdicts.to_frame())
    assert list(mistakes["verdict"]) == [line[4] for line in lines]
    images = report.to_frame("images")
    assert len(images) == len(subject.evidence.to_frame()) == 300
    assert len(hardpairs.diff(subject, subject).to_frame()) > 5


def test_a_pandas_frame_becomes_polars_by_the_interchange_protocol(report):
    assert pl.from_dataframe(report.to_frame("matrix"))["images"].sum() == 300


def test_frames_of_hard_labels_and_of_tables_that_there_are_not(report, monkeypatch):
    bare = hardpairs.explore([0, 1, 1, 0], [0, 1, 0, 0], class_names=["cat", "dog"])
    mistakes = bare.to_frame()
    assert mistakes["true"].tolist() == ["dog"]
    assert mistakes["probability"].isna().all()
    assert mistakes["verdict"].tolist() == [None]
    with pytest.raises(InputError, match="no table 'cells'; choose mistakes, images"):
        report.to_frame("cells")
    for library in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError, match="pip install pandas"):
        report.to_frame()


def test_foreign_names_are_escaped_in_every_table(report):
    subject = report.subject
    other = replace(subject.predictions, metadata={"recipe": EVIL[0]})
    shown = [
        subject._repr_html_(),
        report.evaluation._repr_html_(),
        subject.verdicts._repr_html_(),
        hardpairs.diff(subject, other)._repr_html_(),
        report._repr_html_(),
    ]
    bare = hardpairs.explore([0, 1], [0, 1], class_names=["cat", "dog"])
    assert type(bare.subject.verdicts._repr_html_()) is str
    for each in shown:
        assert type(each) is str
        outside = re.sub(r'srcdoc="[^"]*"', "", each)
        assert "<script" not in outside
        assert "<img" not in outside
        assert "\u202e" not in each
    assert "&lt;script&gt;alert(1)" in shown[0]


def test_the_page_stands_in_the_notebook_and_is_the_page(report):
    shown = report._repr_html_()
    inside = html.unescape(re.search(r'<iframe srcdoc="([^"]*)"', shown)[1])
    assert inside.replace(notebook.BASE, "", 1) == notebook.render_report(report.subject)
    sandbox = re.search(r'sandbox="([^"]*)"', shown)[1].split()
    assert "allow-scripts" in sandbox
    assert "allow-same-origin" not in sandbox


def test_a_page_too_large_for_a_notebook_is_a_sentence(report, monkeypatch):
    monkeypatch.setattr(notebook, "MOST_BYTES", 1000)
    assert ".save('report.html')" in html.unescape(report._repr_html_())
    assert "iframe" not in report._repr_html_()


def test_many_classes_make_a_short_table():
    made = make_predictions(2000, 300)
    shown = hardpairs.evaluate(made)._repr_html_()
    assert shown.count("<tr>") == 1 + notebook.MOST_ROWS
    assert "288 more" in shown


def test_data_and_evidence_are_a_line(report):
    shown = repr(hardpairs.load_dataset("digits"))
    assert shown.startswith("Dataset('digits', 10 classes, train=Split(60,000 images of (28, 28, 1")
    shown = repr(report.subject.evidence)
    assert shown.startswith("Evidence(300 images: label_probability, ")
    assert "\n" not in shown


def test_what_has_no_form_is_refused():
    with pytest.raises(TypeError, match="int has no form"):
        notebook.render(1)


def test_figures_show_themselves(report):
    assert hardpairs.draw_confusion(report)._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name",
    ["confusion", "calibration", "pairs", "hardest", "verdicts", "filters", "history"],
)
def test_axes_of_ones_own_are_drawn_into_and_left_where_they_are(name, report):
    draw = getattr(hardpairs, f"draw_{name}")
    kernels = np.random.default_rng(0).normal(size=(3, 3, 1, 8)).astype(np.float32)
    history = {"loss": [2.0, 1.0], "accuracy": [0.4, 0.6]}
    subject = replace(report.subject, kernels=kernels, history=history)
    figure = Figure(figsize=(8, 4))
    left, right = figure.subplots(1, 2)
    right.set_title("mine")
    assert draw(subject, ax=left) is figure
    FigureCanvasAgg(figure).draw()
    assert left.get_title(loc="left")
    assert left.lines or left.texts
    assert right.get_title() == "mine"
    assert not right.lines
    assert not right.texts
    if name in ("pairs", "hardest", "verdicts", "filters"):  # As small as the pictures are here.
        assert max(text.get_fontsize() for text in left.texts) < 5


def test_a_history_is_drawn_into_two_axes_of_ones_own(report):
    figure = Figure()
    both = figure.subplots(1, 3)[:2]
    subject = replace(report.subject, history={"loss": [2.0, 1.0], "accuracy": [0.4, 0.6]})
    assert hardpairs.draw_history(subject, ax=both) is figure
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "accuracy", ""]


def test_labels_and_probabilities_are_drawn_at_once():
    labels, probabilities = [0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]
    ax = Figure().subplots()
    hardpairs.draw_confusion(labels, probabilities, class_names=["cat", "dog"], ax=ax)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["cat", "dog"]
    assert sorted(text.get_text() for text in ax.texts) == ["1", "1", "1"]
    with pytest.raises(InputError, match="labels"):
        hardpairs.draw_confusion(labels[:2], probabilities)
    with pytest.raises(InputError, match="class_names given with a report"):
        hardpairs.draw_confusion(
            hardpairs.explore(labels, probabilities), class_names=["cat", "dog"]
        )
