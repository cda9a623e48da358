from dataclasses import replace

import numpy as np
import pytest

from conftest import make_predictions, run_here, write_folder
from hardpairs.analysis.corrected import correct_subject
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.sources import load_subject
from hardpairs.analysis.subject import Subject
from hardpairs.data.corrections import apply_corrections, correct_training, read_corrections
from hardpairs.data.split import Dataset, Split
from hardpairs.errors import InputError
from hardpairs.foreign import csv_text
from hardpairs.predictions.predictions import save_predictions

HEAD = ["split", "id", "label", "mark", "correction"]
NAMES = ("a", "=b", "c")


def write(path, *rows):
    path.write_text(csv_text([HEAD, *rows]), encoding="utf-8")
    return path


def make_dataset(ids=None) -> Dataset:
    images = np.arange(12 * 64, dtype=np.uint8).reshape(12, 8, 8)
    split = Split(images, np.arange(12) % 3, **({} if ids is None else {"ids": ids}))
    return Dataset("d", "d", NAMES, split, split)


@pytest.mark.parametrize("ids", [None, np.array([f"{n}.png" for n in range(12)])])
def test_labels_change_and_images_go(tmp_path, ids):
    name = str if ids is None else "{}.png".format
    path = write(
        tmp_path / "corrections.csv",
        ["train", name(0), "a", "label wrong", "=b"],
        ["test", name(1), "=b", "leave out", ""],
        ["test", name(2), "c", "ambiguous", ""],
        ["test", name(3), "a", "model error", ""],
    )
    dataset = make_dataset(ids)
    corrected = apply_corrections(dataset, read_corrections(path, NAMES))
    assert corrected.train.labels[0] == 1
    assert (corrected.train.labels[1:] == dataset.train.labels[1:]).all()
    assert corrected.test.ids.tolist() == np.delete(dataset.test.ids, 1).tolist()
    np.testing.assert_array_equal(corrected.test.pixels, np.delete(dataset.test.pixels, 1, axis=0))
    sentence = "Corrections of corrections.csv: 1 label changed, 1 image left out."
    assert corrected.notes == (sentence,)
    assert corrected.train.fingerprint != dataset.train.fingerprint
    again = apply_corrections(replace(corrected, test=dataset.test), read_corrections(path, NAMES))
    assert again.train.labels[0] == 1


def test_training_alone_is_corrected(tmp_path):
    dataset = make_dataset()
    read = read_corrections(
        write(
            tmp_path / "c.csv",
            ["train", "4", "=b", "leave out", ""],
            ["train", "5", "c", "label wrong", "a"],
            ["test", "1", "=b", "leave out", ""],
        ),
        NAMES,
    )
    corrected, rows = correct_training(dataset, read)
    assert rows.tolist() == np.delete(np.arange(12), 4).tolist()
    assert corrected.train.labels.tolist() == [0, 1, 2, 0, 0, 0, 1, 2, 0, 1, 2]
    assert corrected.test is dataset.test
    assert "1 training label changed, 1 training image left out." in corrected.notes[0]
    assert correct_training(dataset, replace(read, by_split={}))[1] is None


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["test", "0", "c", "leave out", ""]], "another label"),
        ([["test", "0", "a", "nonsense", ""]], "the mark 'nonsense'"),
        ([["test", "0", "a", "label wrong", "z"]], "the class 'z'"),
        ([["test", "0", "z", "leave out", ""]], "the class 'z'"),
        ([["test", str(n), NAMES[n % 3], "leave out", ""] for n in range(12)], "keep some"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, rows, said):
    path = write(tmp_path / "c.csv", *rows)
    with pytest.raises(InputError, match=said):
        apply_corrections(make_dataset(), read_corrections(path, NAMES))


def test_lines_of_no_image_are_counted_and_of_one_image_agree(tmp_path):
    line = ["test", "1", "=b", "leave out", ""]
    rows = [line, line, ["test", "99", "a", "leave out", ""], ["", "77", "a", "ambiguous", ""]]
    read = read_corrections(write(tmp_path / "c.csv", *rows), NAMES)
    (note,) = apply_corrections(make_dataset(), read).notes
    assert note.endswith("1 image left out; lines without an image here: 2.")
    _, kept = correct_training(make_dataset(), read)
    assert kept is None
    predictions = make_predictions(images=12, classes=3, class_names=NAMES, split="test")
    own = read_corrections(write(tmp_path / "c.csv", ["test", "99", "a", "leave out", ""]), NAMES)
    assert "lines without an image here: 1" in correct_subject(Subject(predictions), own).notes[0]
    write(tmp_path / "c.csv", line, ["test", "1", "=b", "ambiguous", ""])
    with pytest.raises(
        InputError, match="line 3 says of image 1 something else than a line before"
    ):
        read_corrections(tmp_path / "c.csv", NAMES)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="has no columns"):
        read_corrections(tmp_path / "x.csv", NAMES)


def test_a_subject_is_judged_by_the_corrected_labels(tmp_path):
    predictions = make_predictions(images=40, classes=3, class_names=NAMES, split="test")
    wrong = np.flatnonzero(predictions.predicted != predictions.labels)
    given, should = (
        [NAMES[index] for index in column[wrong[:2]]]
        for column in (predictions.labels, predictions.predicted)
    )
    path = write(
        tmp_path / "c.csv",
        ["test", str(wrong[0]), given[0], "label wrong", should[0]],
        ["test", str(wrong[1]), given[1], "leave out", ""],
    )
    subject = Subject(
        predictions,
        images=np.zeros((40, 8, 8, 1), np.uint8),
        votes=np.ones((40, 3), np.int64),
        neighbours=Neighbours(
            *(np.zeros((40, 5), np.int32), np.zeros((40, 5), np.uint8)),
            hidden=np.full((40, 3), 1 / 3, np.float32),
        ),
        other_runs=(predictions,),
    )
    corrected = correct_subject(subject, read_corrections(path, NAMES))
    assert corrected.evaluation.images == 39
    assert len(corrected.neighbours.hidden) == 39
    assert corrected.evaluation.correct == subject.evaluation.correct + 1
    assert len(corrected.verdicts) == len(wrong) - 2
    assert "1 label changed, 1 image left out" in corrected.remarks[0]
    assert f"{subject.evaluation.accuracy:.2%}" in corrected.remarks[0]


def test_evaluate_applies_corrections_and_says_so(tmp_path):
    predictions = make_predictions(images=40, classes=3, class_names=NAMES, split="test")
    save_predictions(predictions, tmp_path / "p.npz")
    row = ["test", "0", NAMES[predictions.labels[0]], "leave out", ""]
    path = write(tmp_path / "corrections.csv", row)
    done = run_here("evaluate", tmp_path / "p.npz", "--corrections", path)
    assert done.returncode == 0, done.stderr
    assert "39 images" in done.stdout
    assert "1 image left out" in done.stderr
    other = write(tmp_path / "other.csv", ["test", "0", "nowhere", "leave out", ""])
    refused = run_here("evaluate", tmp_path / "p.npz", "--corrections", other)
    assert refused.returncode == 2
    assert "the class 'nowhere'" in refused.stderr


@pytest.mark.train
@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_run_trains_on_corrected_labels(tmp_path, fashion):
    folder = write_folder(tmp_path / "data", fashion, 400, 200)
    names, labels = fashion.class_names, fashion.train.labels.copy()
    should_be = (labels[1] + 1) % 10
    rows = [
        *(["train", str(n), names[labels[n]], "leave out", ""] for n in range(0, 200, 2)),
        ["train", "1", names[labels[1]], "label wrong", names[should_be]],
        ["test", "0", names[fashion.test.labels[0]], "leave out", ""],
    ]
    path, out = write(tmp_path / "corrections.csv", *rows), tmp_path / "run"
    options = ["--data", folder, "--recipe", "fast-dense", "--quiet", "--corrections"]
    done = run_here("run", *options, path, "--out", out)
    assert done.returncode == 0, done.stderr
    told = "1 training label changed, 100 training images left out."
    assert told in done.stderr
    assert "199 images" in done.stdout
    assert told in (out / "answers.md").read_text()
    assert (out / "corrections.csv").read_bytes() == path.read_bytes()
    # Without the file, the test images are as they were loaded.
    subject = load_subject(out)
    assert subject.predictions.metadata["train_images"] == 300
    assert subject.evaluation.images == 200
    assert any(told in note for note in subject.notes)
    near = subject.neighbours
    assert not np.isin(near.indices, np.arange(0, 200, 2)).any()
    labels[1] = should_be
    np.testing.assert_array_equal(near.labels, labels[near.indices])
    # What doesn't fit is refused before anything is trained.
    write(path, ["test", "0", "nowhere", "leave out", ""])
    refused = run_here("run", *options, path, "--out", tmp_path / "no")
    assert refused.returncode == 2
    assert "the class 'nowhere'" in refused.stderr
    assert not (tmp_path / "no").exists()
