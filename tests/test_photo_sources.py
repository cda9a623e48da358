"""Predictions joined with pictures: by name, by number, in part, and where some are damaged."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from conftest import make_predictions, run_here
from hardpairs.analysis.neighbours import Neighbours, save_neighbours
from hardpairs.analysis.sources import load_subject
from hardpairs.data.datasets import load_dataset
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions, save_predictions
from hardpairs.report.write import analyse


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
    done = run_here("evaluate", run)
    assert done.returncode == 0, done.stderr
    (said,) = [line for line in done.stderr.splitlines() if "nearest training images are" in line]
    assert {"damaged": "files can't be read as", "gone": "fewer than were trained on"}[
        fault
    ] in said
    assert analyse(run, folder=run).images is not None
