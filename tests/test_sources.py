import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from conftest import make_predictions, run_cli
from hardpairs.analysis.neighbours import Neighbours, save_neighbours
from hardpairs.analysis.sources import load_subject
from hardpairs.data.datasets import load_dataset
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
    assert run_cli("evaluate", tmp_path / "p.npz", "--out", tmp_path / "out").returncode == 2
    assert not (tmp_path / "out").exists()


def test_notes_are_printed(run):
    (run / "filters.npy").write_bytes(b"")
    done = run_cli("evaluate", run)
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


@pytest.fixture
def photos(tmp_path):
    """Two class folders of three pictures, and predictions by file name, in another order."""
    from PIL import Image

    for name, shade in (("cat", 10), ("dog", 200)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(3):
            Image.new("RGB", (9, 9), (shade + index,) * 3).save(
                tmp_path / "photos" / name / f"{name}{index}.png"
            )
    rows = ["filename,cat,dog", "dog2.png,0.1,0.9", "photos/cat/cat0.png,0.7,0.3",
            "cat2.png,0.4,0.6", "dog0.png,0.2,0.8"]  # fmt: skip
    (tmp_path / "predictions.csv").write_text("\n".join(rows))
    return tmp_path


def test_photos_are_joined_by_name_and_give_the_labels(photos):
    subject = load_subject(photos / "predictions.csv", str(photos / "photos"))
    assert subject.predictions.labels.tolist() == [1, 0, 0, 1]
    shades = subject.images[np.arange(4)][:, 0, 0, 0]
    assert shades.tolist() == [202, 10, 12, 200]
    assert not subject.inverted
    assert subject.dataset == "photos"


def test_pictures_side_by_side_are_joined_by_name_where_labels_are_in_the_predictions(photos):
    flat = photos / "flat"
    flat.mkdir()
    for path in photos.glob("photos/*/*.png"):
        path.rename(flat / path.name)
    with pytest.raises(InputError, match="have no labels, and neither have the predictions"):
        load_subject(photos / "predictions.csv", str(flat))
    rows = ["filename,label,cat,dog", "dog2.png,dog,0.1,0.9", "cat2.png,cat,0.4,0.6"]
    (photos / "predictions.csv").write_text("\n".join(rows))
    subject = load_subject(photos / "predictions.csv", str(flat))
    assert subject.images[np.arange(2)][:, 0, 0, 0].tolist() == [202, 12]
    (photos / "predictions.csv").write_text("\n".join([*rows, "gone.png,cat,0.5,0.5"]))
    subject = load_subject(photos / "predictions.csv", str(flat))
    assert subject.notes == (
        "Of 3 predicted images 2 are in the data; a grey square stands for the others: 'gone.png'.",
    )
    shown = subject.images[np.arange(3)]
    assert [int(image[0, 0, 0]) for image in shown] == [202, 12, 192]
    (photos / "predictions.csv").write_text("\n".join([rows[0], "gone.png,cat,0.5,0.5"]))
    with pytest.raises(InputError, match=r"lack 1 of the predictions' 1 ids: .*gone\.png"):
        load_subject(photos / "predictions.csv", str(flat))


def test_numbered_images_that_are_fewer_are_joined_where_labels_show_that_they_are_right(tmp_path):
    images = np.arange(12, dtype=np.uint8)[:, None, None] * np.ones((12, 9, 9), np.uint8)
    predictions = make_predictions(images=20, classes=3)
    save_predictions(predictions, tmp_path / "p.npz")
    np.savez(tmp_path / "a.npz", images=images, labels=predictions.labels[:12])
    subject = load_subject(tmp_path / "p.npz", str(tmp_path / "a.npz"))
    assert "Of 20 predicted images 12 are in the data" in subject.notes[0]
    shown = subject.images[np.array([3, 15])]
    assert [int(image[0, 0, 0]) for image in shown] == [3, 192]
    np.savetxt(tmp_path / "votes.csv", np.ones((12, 3)), fmt="%d", delimiter=",")
    with pytest.raises(InputError, match="votes need all predicted images"):
        load_subject(tmp_path / "p.npz", str(tmp_path / "a.npz"), votes=tmp_path / "votes.csv")
    np.save(tmp_path / "images.npy", images)
    with pytest.raises(InputError, match="lack 8 of the predictions' 20 ids"):
        load_subject(tmp_path / "p.npz", str(tmp_path / "images.npy"))


def test_a_run_on_photos_is_joined_with_the_part_that_was_held_out(photos):
    from hardpairs.data.datasets import load_dataset

    for index in range(3, 9):
        for name in ("cat", "dog"):
            source = photos / "photos" / name / f"{name}0.png"
            source.with_name(f"{name}{index}.png").write_bytes(source.read_bytes())
    dataset = load_dataset(photos / "photos")
    test = dataset.test
    predictions = Predictions(
        *(test.labels, np.eye(2)[test.labels] * 0.8 + 0.1, dataset.class_names),
        **{"ids": test.ids, "split": "test", "fingerprint": test.fingerprint},
        metadata={"data": dataset.source},
    )
    save_predictions(predictions, photos / "p.npz")
    subject = load_subject(photos / "p.npz")
    assert len(subject.images) == len(test) == 4
    assert not subject.notes


def test_what_is_known_of_fashion_is_known_of_a_copy_under_any_name(tmp_path, fashion):
    part = fashion.test
    np.savez(tmp_path / "a.npz", images=part.images, labels=part.labels)
    probabilities = np.eye(10)[part.labels] * 0.9 + 0.01
    save_predictions(
        Predictions(part.labels, probabilities, fashion.class_names), tmp_path / "p.npz"
    )
    subject = load_subject(tmp_path / "p.npz", str(tmp_path / "a.npz"))
    assert subject.about == fashion.about
    assert subject.class_votes.shape == (10, 10)
    np.savez(tmp_path / "a.npz", images=part.images // 2, labels=part.labels)
    subject = load_subject(tmp_path / "p.npz", str(tmp_path / "a.npz"))
    assert subject.about is None
    assert subject.class_votes is None


def test_what_was_done_to_the_data_is_told(photos):
    (photos / "photos" / "cat" / "page.jpg").write_text("<html>")
    subject = load_subject(photos / "predictions.csv", str(photos / "photos"))
    expected = "Left out, being no pictures whatever their names: cat/page.jpg."
    assert expected in subject.remarks
    predictions = replace(subject.predictions, metadata={"data_notes": ["Scaled.", "\x1b[2J"]})
    save_predictions(predictions, photos / "p.npz")
    subject = load_subject(photos / "p.npz", str(photos / "photos"))
    assert subject.notes[:2] == ("Scaled.", "\x1b[2J")  # Foreign, and escaped where it's shown.
    for hostile in ({}, "text", [1, 2], None, [["a"]]):
        predictions = replace(subject.predictions, metadata={"data_notes": hostile})
        save_predictions(predictions, photos / "p.npz")
        assert expected in load_subject(photos / "p.npz", str(photos / "photos")).notes


@pytest.mark.parametrize("fault", ["damaged", "gone"])
def test_training_images_that_cannot_be_read_take_nothing_else_away(tmp_path, fault):
    for part, count in (("train", 40), ("test", 15)):
        for name in ("cat", "dog"):
            (tmp_path / "data" / part / name).mkdir(parents=True)
            for index in range(count):
                path = tmp_path / "data" / part / name / f"{index:02}.png"
                Image.new("L", (9, 9), 3 * index).save(path)
    data = load_dataset(str(tmp_path / "data"))
    test, run = data.test, tmp_path / "run"
    run.mkdir()
    predictions = Predictions(
        test.labels,
        np.full((30, 2), 0.5),
        data.class_names,
        ids=test.ids,
        split="test",
        fingerprint=test.fingerprint,
        metadata={"data": str(tmp_path / "data")},
    )
    save_predictions(predictions, run / "predictions.npz")
    near = ((np.arange(20) + 2 * np.arange(30)[:, None]) % 80).astype(np.int32)
    save_neighbours(Neighbours(near, np.ones((30, 20), np.uint8)), run / "neighbours.npz")
    if fault == "gone":  # The test part lies there alone, and is known again.
        shutil.rmtree(tmp_path / "data" / "train")
    else:
        for path in (tmp_path / "data" / "train").rglob("*.png"):
            path.write_bytes(path.read_bytes()[:40])
    done = run_cli("evaluate", run)
    assert done.returncode == 0, done.stderr
    (said,) = [line for line in done.stderr.splitlines() if "nearest training images are" in line]
    assert {"damaged": "files can't be read as", "gone": "fewer than were trained on"}[
        fault
    ] in said
    assert analyse(run, folder=run).images is not None
