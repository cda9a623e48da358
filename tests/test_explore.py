"""The door for what is in memory: `hardpairs.explore` and `hardpairs.evaluate`."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import hardpairs
from conftest import make_predictions
from hardpairs import InputError
from hardpairs.cli.options import link_base
from hardpairs.data.split import thumbnails
from hardpairs.predictions.predictions import Predictions, save_predictions
from plain_predictions import LABELS, NAMES, PLAIN, PROBABILITIES

RIGHT = int((PLAIN.predicted == LABELS).sum())


def test_a_report_is_saved_as_a_page_or_as_a_folder(tmp_path):
    images = np.zeros((60, 8, 8), np.uint8)
    report = hardpairs.explore(LABELS, PROBABILITIES, images=images, class_names=NAMES)
    assert report.save(str(tmp_path / "report.html")) == tmp_path / "report.html"
    assert "cat" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert report.save(tmp_path / "new" / "folder") == tmp_path / "new" / "folder" / "report.html"
    assert (tmp_path / "new" / "folder" / "mistakes.csv").exists()
    assert "save it with" in repr(report)
    assert "<iframe srcdoc=" in report._repr_html_()
    with pytest.raises(InputError, match="images"):
        hardpairs.explore(LABELS, PROBABILITIES, images=images[:5])


def test_explore_joins_a_dataset_by_id(fashion):
    ids = np.arange(0, 10_000, 100)
    labels = fashion.test.labels[ids]
    probabilities = np.full((100, 10), 0.05)
    probabilities[np.arange(100), labels] = 0.55
    report = hardpairs.explore(labels, probabilities, ids=ids, data="fashion-mnist")
    assert report.evaluation.class_names == fashion.class_names
    assert report.subject.inverted


def test_paths_and_predictions_are_taken_too(tmp_path):
    hardpairs.save_predictions(PLAIN, str(tmp_path / "p.npz"))
    for given in (PLAIN, str(tmp_path / "p.npz"), tmp_path / "p.npz"):
        assert hardpairs.evaluate(given).correct == RIGHT
        with pytest.raises(InputError, match=r"class_names and ids given with .* would be"):
            hardpairs.evaluate(given, class_names=NAMES, ids=["a"])
    hardpairs.save_predictions(PLAIN, tmp_path / "without")
    assert hardpairs.load_predictions(tmp_path / "without") == PLAIN
    with pytest.raises(InputError, match="probabilities given with Predictions"):
        hardpairs.evaluate(PLAIN, PROBABILITIES)


@pytest.mark.parametrize(
    ("labels", "probabilities", "complaint"),
    [
        (LABELS, None, "nothing predicted"),
        (LABELS[:50], PROBABILITIES, "50 labels for 60 rows"),
        (LABELS[:3], PROBABILITIES, "looks transposed|3 labels for 60 rows"),
        (LABELS, [[0.5, 0.5], [1.0]], "can't be made an array"),
        (LABELS, np.stack([PROBABILITIES] * 4), "average over the first axis"),
        (LABELS, PROBABILITIES + np.nan, "NaN"),
        (LABELS, np.empty((0, 3)), "expected numbers of shape"),
        ([], [], "no images|empty|at least one"),
        (["a"] * 60, PROBABILITIES, "the 1 names 'a'"),
        (LABELS, np.zeros((60, 3)), "row 0 sums to 0"),
        ([None] * 60, PLAIN.predicted, "row 0 has none"),
        (np.zeros(60), np.zeros(60), None),
    ],
)
def test_what_does_not_fit_is_one_sentence(labels, probabilities, complaint):
    if complaint is None:
        assert hardpairs.evaluate(labels, probabilities).accuracy == 1
        return
    with pytest.raises(InputError, match=complaint):
        hardpairs.evaluate(labels, probabilities)


def test_an_order_that_is_mixed_up_is_named():
    made = make_predictions(500, 4)
    shuffled = made.labels[np.random.default_rng(1).permutation(500)]
    notes = hardpairs.explore(shuffled, made.probabilities).notes
    assert any("different orders" in note for note in notes)
    for labels, predicted in (
        (made.labels, made.predicted),  # As it should be.
        (made.labels, np.zeros(500, int)),  # A net that knows one class.
        (made.labels, np.maximum(made.labels - 1, 0)),  # Wrong, not mixed up.
    ):
        notes = hardpairs.explore(labels, predicted, class_names=list("abcd")).notes
        assert not any("different orders" in note for note in notes)


@pytest.mark.parametrize("case", ["of one's own run", "an image a class"])
def test_no_order_is_blamed_where_it_is_known_or_frequencies_say_nothing(tmp_path, case):
    rng = np.random.default_rng(1)
    labels, classes = rng.permutation(600) % 3, 3
    if case == "an image a class":
        labels, classes = np.arange(72), 120
    probabilities = rng.dirichlet(np.ones(classes), len(labels)).astype(np.float32)
    own = {"recipe": {"name": "sprint"}} if case == "of one's own run" else {}
    names = tuple(f"c{index}" for index in range(classes))
    made = Predictions(labels, probabilities, class_names=names, metadata=own)
    save_predictions(made, tmp_path / "p.npz")
    assert not any("order" in note for note in hardpairs.load_predictions(tmp_path / "p.npz").notes)


def test_classes_with_each_others_names_are_told():
    labels = np.arange(200) % 2
    probabilities = np.eye(2)[1 - labels] * 0.8 + 0.1
    notes = hardpairs.explore(labels, probabilities).notes
    (note,) = [each for each in notes if "accuracy of" in each]
    assert "0.0% is below that of a random order (50.0%)" in note
    assert "each other's names" in note


def test_predicted_classes_beside_probabilities_count_as_given(tmp_path):
    predicted = (PLAIN.predicted + (np.arange(60) < 5)) % 3
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES, predicted=predicted)
    predictions = hardpairs.load_predictions(tmp_path / "p.npz")
    np.testing.assert_array_equal(predictions.predicted, predicted)
    assert any("5 predicted classes aren't the most probable" in note for note in predictions.notes)


def test_the_package_lists_its_names():
    assert set(hardpairs.__all__) <= set(dir(hardpairs))
    assert hardpairs.__version__.count(".") == 2
    evaluation = hardpairs.evaluate(LABELS, PROBABILITIES)
    assert repr(evaluation).startswith("Evaluation(60 images, 3 classes, accuracy ")
    assert evaluation == hardpairs.evaluate(LABELS, PROBABILITIES)
    assert evaluation != hardpairs.evaluate(LABELS[::-1], PROBABILITIES)
    assert callable(hardpairs.explore)


@pytest.mark.parametrize(
    "images",
    [
        np.full((60, 6, 8, 3), 200, np.uint8),
        np.full((60, 6, 8), 0.5, np.float32),
        np.full((60, 3, 6, 8), 0.5),
        [np.full((6 + row, 8, 3), 200, np.uint8) for row in range(60)],
    ],
)
def test_images_of_any_form(images):
    subject = hardpairs.explore(LABELS, PROBABILITIES, images=images).subject
    assert len(subject.images) == 60
    small = thumbnails(subject.images, np.arange(60), 8, subject.inverted)
    assert small.shape[:3] == (60, 8, 8)


def test_images_travel_in_a_predictions_file(tmp_path):
    floats = np.full((60, 6, 8), 0.5, np.float32)
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES, images=floats)
    assert hardpairs.load_predictions(tmp_path / "p.npz").images.dtype == np.uint8
    subject = hardpairs.analyse(tmp_path / "p.npz")
    assert len(subject.images) == 60


def test_labels_come_from_the_data_where_there_are_none(tmp_path, fashion):
    probabilities = np.full((100, 10), 0.05)
    probabilities[np.arange(100), fashion.test.labels[:100]] = 0.55
    ids = np.arange(100)
    report = hardpairs.explore(None, probabilities, ids=ids, data="fashion-mnist")
    assert report.evaluation.accuracy == 1
    assert report.evaluation.class_names == fashion.class_names
    np.savez(tmp_path / "p.npz", probabilities=probabilities, ids=ids)
    assert hardpairs.explore(tmp_path / "p.npz", data="fashion-mnist").evaluation.accuracy == 1
    with pytest.raises(InputError, match="no true labels"):
        hardpairs.evaluate(None, probabilities)


def test_file_names_can_be_links_to_the_originals(tmp_path):
    files = [f"a b/{row}#.png" for row in range(60)]
    np.savez(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES, ids=files)
    (tmp_path / "photos").mkdir()
    for place, base in (
        (str(tmp_path / "photos"), f"{(tmp_path / 'photos').as_uri()}/"),
        ("https://example.org/set", "https://example.org/set/"),
    ):
        assert link_base(place) == base
        out = tmp_path / base[:5].strip(":")
        hardpairs.analyse(tmp_path / "p.npz", folder=out, link=base)
        page = (out / "report.html").read_text(encoding="utf-8")
        assert f'"link": "{base}"' in page.replace('"link":"', '"link": "')
    assert link_base("") == ""
    for place in ("javascript:alert(1)", "data:text/html,x", str(tmp_path / "missing")):
        with pytest.raises(InputError, match="--link"):
            link_base(place)


def test_what_was_left_out_is_among_the_notes(tmp_path):
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for index in range(6):
            Image.new("L", (9, 9), index).save(tmp_path / name / f"{index}.png")
    ids = [f"{name}/{index}.png" for name in ("cat", "dog") for index in range(6)]
    report = hardpairs.explore(
        [0] * 6 + [1] * 7,
        np.eye(2)[[0] * 7 + [1] * 6],
        class_names=["cat", "dog"],
        data=tmp_path,
        ids=[*ids, "dog/99.png"],
    )
    assert any("12 are in the data" in note and "dog/99.png" in note for note in report.notes)


def test_a_folder_of_images_is_data(tmp_path):
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for index in range(2):
            Image.new("L", (9, 9), index).save(tmp_path / name / f"{index}.png")
    report = hardpairs.explore([0, 0, 1, 1], np.eye(2)[[0, 1, 1, 1]], images=tmp_path)
    assert report.subject.images is not None
    assert report.evaluation.class_names == ("cat", "dog")


def test_a_report_is_saved_where_it_can_be_meant(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    report = hardpairs.explore(["cat", "dog", "dog"], ["cat", "dog", "cat"])
    for name in ("x.pdf", "x.PNG", "report.ipynb", "", "report.html.gz"):
        with pytest.raises(InputError, match=r"^'.*': a report is a page, as report\.html, or"):
            report.save(name)
    assert report.save(tmp_path / "not" / "there" / "x.html").is_file()
    assert report.save("~/x.htm") == tmp_path / "x.htm"
    assert report.save(tmp_path / "run_v1.2") == tmp_path / "run_v1.2" / "report.html"
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "folder.md").mkdir()
    assert report.save(tmp_path / "folder.html") == tmp_path / "folder.html" / "report.html"
    assert report.save(tmp_path / "folder.md") == tmp_path / "folder.md" / "report.html"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="file: is a file; name a page"):
        report.save(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("function", ["explore", "evaluate", "draw_confusion", "draw_pairs"])
def test_an_unknown_option_is_told_by_the_public_name(function):
    said = (
        rf"^{function}\(\) got an unexpected keyword argument 'names'. Did you mean 'class_names'"
    )
    with pytest.raises(TypeError, match=said):
        getattr(hardpairs, function)([0, 1, 1], [0, 1, 0], names=["cat", "dog"])
    with pytest.raises(TypeError, match=rf"^{function}\(\) got an .* 'zzz'$"):
        getattr(hardpairs, function)([0, 1, 1], [0, 1, 0], zzz=1)


def test_pictures_in_a_column_are_shown():
    pictures = [Image.fromarray(np.full((6 + n % 2, 6), 9 * n, np.uint8)) for n in range(4)]
    scores = [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]]
    records = [
        {"image": picture, "label": label, "probs": row}
        for picture, label, row in zip(pictures, [0, 1, 1, 0], scores, strict=True)
    ]
    frame = pd.DataFrame(records)
    for given in (records, frame, {name: frame[name].tolist() for name in frame}):
        report = hardpairs.explore(given)
        assert [int(image[0, 0, 0]) for image in report.subject.images[:]] == [0, 9, 18, 27]
        assert not any("Not used" in note for note in report.notes)
    assert len(hardpairs.explore([0, 1, 1, 0], scores, images=frame).subject.images) == 4
    scaled = hardpairs.explore([{**each, "image": np.full((6, 6), -4.5)} for each in records])
    assert any(note.startswith("Images are left out: images are float64") for note in scaled.notes)
    named = frame.assign(image=[f"{n}.png" for n in range(4)])
    assert hardpairs.explore(named).subject.images is None
    assert hardpairs.explore(named).subject.predictions.ids[3] == "3.png"
    with pytest.raises(InputError, match="a DataFrame without a column 'image' of pictures"):
        hardpairs.explore([0, 1, 1, 0], scores, images=named[["label"]])
