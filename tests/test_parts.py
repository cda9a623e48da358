"""Predictions whose paths name a part of the data are joined with that part's images."""

import numpy as np
import pytest
from PIL import Image

from hardpairs.analysis.sources import load_subject
from hardpairs.data.datasets import load_dataset
from hardpairs.data.source import parts_named
from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions

SHADES = {"train": 10, "val": 90, "test": 200}


@pytest.fixture
def photos(tmp_path):
    """Parts whose files are called alike, each of a shade of its own."""
    root = tmp_path / "photos"
    for part, shade in SHADES.items():
        for place, name in enumerate(("cat", "dog")):
            (root / part / name).mkdir(parents=True)
            for row in range(3):
                picture = Image.new("L", (9, 9), shade + 10 * place + row)
                picture.save(root / part / name / f"{row}.png")
    return root


def table(path, parts, *, labels=True, pattern="/home/me/photos/{part}/{name}/{row}.png"):
    rows = ["file,label,cat,dog" if labels else "file,cat,dog"]
    for part in parts:
        for name, scores in (("cat", "0.7,0.3"), ("dog", "0.2,0.8")):
            for row in range(3):
                label = f"{name}," if labels else ""
                rows.append(f"{pattern.format(part=part, name=name, row=row)},{label}{scores}")
    path.write_text("\n".join(rows))
    return path


def shades(subject):
    images = subject.images[np.arange(len(subject.predictions))]
    return [int(image[0, 0, 0]) for image in images]


EACH = [0, 1, 2, 10, 11, 12]


@pytest.mark.parametrize("parts", [["train"], ["val"], ["test"], ["train", "test"], list(SHADES)])
@pytest.mark.parametrize("labels", [True, False])
def test_the_pictures_are_those_of_the_named_part(photos, tmp_path, parts, labels):
    path = table(tmp_path / "p.csv", parts, labels=labels)
    subject = load_subject(path, str(photos))
    assert shades(subject) == [SHADES[part] + each for part in parts for each in EACH]
    assert subject.predictions.labels.tolist() == [0, 0, 0, 1, 1, 1] * len(parts)
    assert subject.predictions.split == ("train" if parts == ["train"] else "")
    if not labels:
        joined = load_predictions(path, labels=photos)
        assert joined.labels.tolist() == subject.predictions.labels.tolist()


def test_paths_that_name_no_part_are_of_the_test_part(photos, tmp_path):
    path = table(tmp_path / "p.csv", ["x"], pattern="{name}/{row}.png")
    assert shades(load_subject(path, str(photos))) == [SHADES["test"] + each for each in EACH]


def test_a_part_that_is_not_there_is_said(photos, tmp_path):
    (photos / "test").rename(tmp_path / "elsewhere")
    path = table(tmp_path / "p.csv", ["test"])
    with pytest.raises(InputError, match="name its part 'test', and its parts are train and val"):
        load_subject(path, str(photos))
    assert shades(load_subject(table(path, ["val"]), str(photos)))[0] == SHADES["val"]


def test_folders_of_parts_in_each_class_are_parts(photos, tmp_path):
    turned = tmp_path / "turned"
    for part in SHADES:
        for name in ("cat", "dog"):
            (turned / name).mkdir(parents=True, exist_ok=True)
            (photos / part / name).rename(turned / name / part)
    dataset = load_dataset(turned)
    assert dataset.class_names == ("cat", "dog")
    assert (len(dataset.train), len(dataset.test)) == (6, 6)
    assert dataset.test.ids[0] == "cat/test/0.png"
    path = table(tmp_path / "p.csv", ["train"], pattern="{name}/{part}/{row}.png")
    assert shades(load_subject(path, str(turned))) == [SHADES["train"] + each for each in EACH]
    (turned / "dog" / "4.png").write_bytes((turned / "dog" / "val" / "0.png").read_bytes())
    assert len(load_subject(path, str(turned)).images) == 6  # One whole, as before.


def test_a_folder_named_as_a_class_is_no_part():
    ids = np.array(["test/valid/1.png", "test/invalid/2.png"])
    assert parts_named(ids, ["valid", "invalid"]) == {"test"}
    assert parts_named(np.array(["a/1.png", "test/1.png"]), ["a"]) == frozenset()
    assert parts_named(np.arange(3), ["a"]) == frozenset()


def test_folders_that_may_be_classes_both_ways_are_told(photos):
    for part, fold in (("train", "fold1"), ("val", "fold2"), ("test", "fold3")):
        (photos / part).rename(photos / fold)
    dataset = load_dataset(photos)
    assert dataset.class_names == ("fold1", "fold2", "fold3")
    assert dataset.notes[0] == (
        "Its folders fold1, fold2, fold3 all hold folders named cat, dog: the outer ones are taken "
        "for the classes; give one of them where the inner ones are."
    )
    assert "outer ones" not in " ".join(load_dataset(photos / "fold1").notes)
