import json
import os
from dataclasses import replace

import numpy as np
import pytest

from conftest import make_predictions, run_here
from hardpairs.analysis.neighbours import Neighbours, save_neighbours
from hardpairs.analysis.sources import load_subject
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions, save_predictions
from hardpairs.report.write import analyse


@pytest.fixture
def run(tmp_path):
    """A run's folder with everything beside the predictions whole."""
    predictions = make_predictions(split="test", metadata={"kept_epoch": 2})
    save_predictions(predictions, tmp_path / "predictions.npz")
    held_out = make_predictions(seed=1, split="train")
    save_predictions(held_out, tmp_path / "validation.npz")
    (tmp_path / "history.csv").write_text("epoch,loss,accuracy\n1,0.5,0.8\n2,0.4,0.9\n")
    np.save(tmp_path / "filters.npy", np.ones((3, 3, 1, 8), np.float32))
    neighbours = Neighbours(np.zeros((200, 20), np.int32), np.ones((200, 20), np.uint8))
    save_neighbours(neighbours, tmp_path / "neighbours.npz")
    np.save(tmp_path / "hidden.npy", np.ones((200, 64), np.float16))
    return tmp_path


PARTS = {
    "history.csv": "history",
    "filters.npy": "kernels",
    "neighbours.npz": "neighbours",
    "hidden.npy": "hidden",
    "validation.npz": "validation",
}


def test_a_whole_run_is_read_whole(run):
    subject = load_subject(str(run))
    assert all(getattr(subject, part) is not None for part in PARTS.values())
    assert subject.notes == ()
    assert subject.kept_epoch == 2
    assert subject.calibration.fitted_on == 200


def other_classes(path):
    names = tuple("abcde")
    save_predictions(make_predictions(seed=1, split="train", class_names=names), path)


def the_same_images(path):
    save_predictions(make_predictions(split="test"), path)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *(
            (name, data)
            for name in PARTS
            for data in (b"", b"\x93NUMPY\x01\x00v\x00{'descr'", b"PK")
        ),
        ("filters.npy", np.ones((3, 3))),
        ("filters.npy", np.ones((3, 3, 1, 0))),
        ("filters.npy", np.full((3, 3, 1, 4), "a")),
        ("filters.npy", np.full((3, 3, 1, 4), np.nan)),
        ("history.csv", b"epoch,accuracy,seconds\n1,0.5,2\n"),
        ("history.csv", b"epoch,accuracy,loss,\xe9\n1,.5,.5,1\n"),
        ("history.csv", b"epoch,accuracy,loss\n"),
        ("history.csv", b"epoch,accuracy,loss\n1,nan,inf\n"),
        ("neighbours.npz", np.ones(3)),
        ("hidden.npy", np.ones(3)),
        ("hidden.npy", np.full((200, 3), np.nan)),
        ("validation.npz", other_classes),
        ("validation.npz", the_same_images),
    ],
)
def test_a_damaged_part_is_left_out_with_a_sentence(run, name, damage):
    if callable(damage):
        damage(run / name)
    elif isinstance(damage, bytes):
        (run / name).write_bytes(damage)
    else:
        with (run / name).open("wb") as file:
            np.save(file, damage)
    subject = load_subject(run)
    assert getattr(subject, PARTS[name]) is None
    [note] = subject.notes
    assert note.startswith("Left out: ")
    assert str(run / name) in note
    assert note in subject.remarks
    assert note in subject.metrics["notes"]
    assert all(getattr(subject, part) is not None for n, part in PARTS.items() if n != name)


@pytest.mark.parametrize("name", PARTS)
def test_a_folder_in_a_parts_place(run, name):
    (run / name).unlink()
    (run / name).mkdir()
    assert str(run / name) in load_subject(run).notes[0]


def test_analyse_takes_texts_and_makes_its_folder(run, tmp_path):
    out = tmp_path / "new" / "out"
    subject = analyse(str(run / "predictions.npz"), folder=str(out))
    assert subject.evaluation.accuracy == json.loads((out / "metrics.json").read_text())["accuracy"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be made"):
        analyse(run, folder=tmp_path / "file" / "out")


def test_a_bad_file_makes_no_folder(tmp_path):
    (tmp_path / "p.npz").write_bytes(b"no")
    assert run_here("evaluate", tmp_path / "p.npz", "--out", tmp_path / "out").returncode == 2
    assert not (tmp_path / "out").exists()


def test_notes_are_printed(run):
    (run / "filters.npy").write_bytes(b"")
    done = run_here("evaluate", run)
    assert done.returncode == 0, done.stderr
    assert "Left out: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "metadata",
    [
        *({"recipe": recipe} for recipe in ("resnet18", None, {"name": "x"}, {"model": 5}, [1])),
        *({"data": data} for data in ({"name": "cifar"}, ["a"], 5, "a" * 5000, ".", "\0", "")),
        {"kept_epoch": "last"},
        {"kept_epoch": -1},
    ],
    ids=lambda metadata: str(metadata)[:30],
)
def test_foreign_metadata_stops_nothing(tmp_path, metadata):
    save_predictions(make_predictions(metadata=metadata), tmp_path / "p.npz")
    subject = load_subject(tmp_path / "p.npz")
    assert subject.images is None
    assert subject.kept_epoch == 0
    json.dumps(subject.metrics, allow_nan=False)
    named = metadata.get("data")
    assert bool(subject.notes) == bool(isinstance(named, str) and named)


def test_nan_in_metadata_never_reaches_metrics():
    from hardpairs.analysis.subject import Subject

    predictions = make_predictions(metadata={"loss": float("nan"), "deep": [float("inf")]})
    text = json.dumps(Subject(predictions).metrics, allow_nan=False)
    assert json.loads(text)["training"] == {"loss": None, "deep": [None]}


@pytest.mark.parametrize("classes", [5, 12])
def test_other_classes_than_the_datas_leave_the_images_out(tmp_path, classes):
    predictions = make_predictions(classes=classes, metadata={"data": "fashion-mnist"})
    save_predictions(predictions, tmp_path / "p.npz")
    subject = load_subject(tmp_path / "p.npz")
    assert subject.images is None
    assert subject.class_votes is None
    assert "have other classes than the predictions" in subject.notes[0]
    with pytest.raises(InputError, match="have other classes than the predictions"):
        load_subject(tmp_path / "p.npz", "fashion-mnist")


def test_votes_follow_the_predictions_order_of_classes(tmp_path, fashion):
    ids = np.arange(0, 1000, 3)
    labels = fashion.test.labels[ids]
    counts = np.full((10_000, 10), 1)
    counts[np.arange(10_000), fashion.test.labels] = 30
    counts[np.arange(10_000), (fashion.test.labels + 1) % 10] = 7
    np.savetxt(tmp_path / "votes.csv", counts, fmt="%d", delimiter=",")
    probabilities = np.full((len(ids), 10), 0.1)
    known = Predictions(labels, probabilities, fashion.class_names, ids=ids, split="test")
    save_predictions(known, tmp_path / "known.npz")
    order = np.argsort(fashion.class_names)
    alphabetical = replace(
        known,
        labels=np.argsort(order)[labels],
        class_names=tuple(fashion.class_names[index] for index in order),
    )
    save_predictions(alphabetical, tmp_path / "alphabetical.npz")
    first, second = (
        load_subject(tmp_path / f"{name}.npz", "fashion-mnist", votes=tmp_path / "votes.csv")
        for name in ("known", "alphabetical")
    )
    np.testing.assert_array_equal(first.votes[:, order], second.votes)
    np.testing.assert_array_equal(first.class_votes[np.ix_(order, order)], second.class_votes)
    np.testing.assert_array_equal(first.images[:], second.images[:])
    assert first.votes[0, labels[0]] == 30


def test_images_named_and_not_there_are_missed_aloud(tmp_path):
    folder = os.fspath(tmp_path / "gone")
    save_predictions(make_predictions(metadata={"data": folder}), tmp_path / "p.npz")
    assert "which the predictions name, isn't there" in load_subject(tmp_path / "p.npz").notes[0]
