import os
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hardpairs.data.datasets import load_dataset, load_split, open_source
from hardpairs.data.folders import Photos
from hardpairs.data.split import thumbnails
from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import Predictions, save_predictions

RNG = np.random.default_rng(0)


def write_pictures(folder, count=4, suffix="png", size=(12, 9)):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        pixels = RNG.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.{suffix}")
    return folder


@pytest.fixture
def photos(tmp_path):
    for name, size in (("cat", (12, 9)), ("dog", (5, 30))):
        write_pictures(tmp_path / name, 10, size=size)
    return tmp_path


def test_class_folders(photos):
    split = load_split(photos)
    assert open_source(photos).class_names == ("cat", "dog")
    assert split.labels.tolist() == [0] * 10 + [1] * 10
    assert split.ids[:2].tolist() == ["cat/0.png", "cat/1.png"]
    assert isinstance(split.images[:], list)
    assert split.images[:3].shape == (3, 9, 12, 3)
    np.testing.assert_array_equal(
        split.images[np.array([11])][0], np.asarray(Image.open(photos / "dog" / "1.png"))
    )
    assert not split.inverted


def test_one_folder_is_divided_by_class_the_same_way_every_time(photos):
    dataset = load_dataset(photos)
    assert np.bincount(dataset.train.labels).tolist() == [8, 8]
    assert np.bincount(dataset.test.labels).tolist() == [2, 2]
    assert not set(dataset.train.ids) & set(dataset.test.ids)
    assert any("4 of 20 are the test images" in note for note in dataset.notes)
    again = load_split(photos, "test")
    assert again.ids.tolist() == dataset.test.ids.tolist()
    assert again.fingerprint == dataset.test.fingerprint != dataset.train.fingerprint


@pytest.mark.parametrize(
    ("names", "notes"),
    [
        (("train", "test"), ()),
        (("Training", "Testing"), ()),
        (("train", "val"), ("Its validation part is the test part.",)),
        (("train", "valid"), ("Its validation part is the test part.",)),
        (("train", "validation", "test"), ("Its validation part isn't used.",)),
        (("dataset/train", "dataset/test"), ()),
        (("training_set", "test_set"), ()),
        (("seg_train/seg_train", "seg_test/seg_test"), ()),
        (("trainset", "testset"), ()),
        (("traindata", "testdata"), ()),
        (("train2017", "val2017"), ("Its validation part is the test part.",)),
    ],
)
def test_parts(tmp_path, names, notes):
    for count, part in enumerate(names, start=2):
        for name in ("cat", "dog", "only in train")[: 3 if count == 2 else 2]:
            write_pictures(tmp_path / part / name, count)
    dataset = load_dataset(tmp_path)
    assert dataset.class_names == ("cat", "dog", "only in train")
    assert np.bincount(dataset.train.labels).tolist() == [2, 2, 2]
    assert len(np.bincount(dataset.test.labels)) == 2
    assert dataset.notes == notes
    assert len(load_split(tmp_path)) == len(dataset.test)


def test_pictures_to_predict_beside_the_parts_are_left_out(tmp_path):
    """As in Kaggle's natural scenes."""
    for part in ("seg_train", "seg_test"):
        for name in ("forest", "sea"):
            write_pictures(tmp_path / part / part / name, 2)
    write_pictures(tmp_path / "seg_pred" / "seg_pred", 2)
    dataset = load_dataset(tmp_path)
    assert dataset.class_names == ("forest", "sea")
    assert (len(dataset.train), len(dataset.test)) == (4, 4)
    assert dataset.notes == ("Left out: seg_pred, beside the folders of classes.",)


def test_a_class_may_be_called_train(tmp_path):
    for name in ("boat", "train", "car"):
        write_pictures(tmp_path / name)
    assert open_source(tmp_path).class_names == ("boat", "car", "train")


@pytest.mark.parametrize("names", [("train", "test"), ("test", "val"), ("test_set", "train_set")])
def test_parts_without_classes_are_no_classes(tmp_path, names):
    for name in names:
        write_pictures(tmp_path / name, 2)
    split = load_split(tmp_path)
    assert not split.has_labels
    assert split.ids.tolist() == [
        f"{name}/{index}.png" for name in sorted(names) for index in (0, 1)
    ]


def test_a_test_part_without_classes_is_left_out_with_a_word(tmp_path):
    for name in ("cat", "dog"):
        write_pictures(tmp_path / "train" / name, 5)
    write_pictures(tmp_path / "test", 3)
    dataset = load_dataset(tmp_path)
    assert len(dataset.train) + len(dataset.test) == 10
    assert "Left out: test, beside the folders of classes." in dataset.notes
    assert not load_split(tmp_path / "test").has_labels


def test_pictures_side_by_side_have_names_and_no_labels(tmp_path):
    write_pictures(tmp_path, 3, "JPG")
    split = load_split(tmp_path)
    assert split.labels.tolist() == [-1, -1, -1]
    assert split.ids.tolist() == ["0.JPG", "1.JPG", "2.JPG"]
    with pytest.raises(InputError, match="have no labels"):
        load_dataset(tmp_path)


def test_a_single_class_folder_and_what_lies_beside(tmp_path):
    write_pictures(tmp_path / "cat", 3)
    assert load_split(tmp_path).ids.tolist() == ["0.png", "1.png", "2.png"]
    write_pictures(tmp_path / "dog", 3)
    write_pictures(tmp_path, 2)
    (tmp_path / "__MACOSX" / "cat").mkdir(parents=True)
    write_pictures(tmp_path / "__MACOSX" / "cat", 1)
    (tmp_path / "cat" / "._0.png").write_bytes(b"resource fork")
    (tmp_path / "cat" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "cat" / "new.HEIC").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    dataset = load_dataset(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert len(dataset.train) + len(dataset.test) == 6
    assert dataset.notes[:2] == (
        "Left out: 0.png, 1.png, beside the folders of classes.",
        "Left out, being of formats that aren't read: 1 .heic; convert them.",
    )


def test_subfolders_of_a_class_belong_to_it_in_the_order_of_other_tools(tmp_path):
    for below in ("a", "a/x", "a-b"):
        write_pictures(tmp_path / "cat" / below, 2)
    write_pictures(tmp_path / "dog", 1)
    walked = [
        os.path.relpath(os.path.join(place, name), tmp_path)
        for top in ("cat", "dog")
        for place, _, names in sorted(os.walk(tmp_path / top, followlinks=True))
        for name in sorted(names)
    ]  # What torchvision's make_dataset does.
    assert load_split(tmp_path).ids.tolist() == walked


def test_names_with_accents_are_those_that_predictions_keep(photos, tmp_path):
    (photos / "cat").rename(photos / "ka\u0308se")  # As macOS spells it.
    names = open_source(photos).class_names
    assert names == ("dog", "k\u00e4se")
    labels = np.array([0, 1])
    save_predictions(Predictions(labels, np.eye(2)[labels], names), tmp_path / "p.npz")
    assert load_predictions(tmp_path / "p.npz").class_names == names


def test_links_are_followed_and_loops_end(photos):
    (photos / "dog" / "up").symlink_to(photos)
    (photos / "dog" / "gone.png").symlink_to(photos / "nothing.png")
    (photos / "dog" / "again.png").symlink_to(photos / "cat" / "0.png")
    (photos / "linked").symlink_to(photos / "cat", target_is_directory=True)
    split = load_split(photos)
    assert open_source(photos).class_names == ("cat", "dog", "linked")
    assert "dog/again.png" in split.ids
    assert "dog/gone.png" not in split.ids
    assert "linked/3.png" in split.ids
    assert not any(name.startswith("dog/up/") for name in split.ids)
    (photos / "dog" / "beside").symlink_to("../cat", target_is_directory=True)
    assert not any(name.startswith("dog/beside/") for name in load_split(photos).ids)


def test_files_that_are_no_pictures_are_named_and_the_others_go_on(photos):
    (photos / "cat" / "page.jpg").write_text("<html>not found</html>")
    (photos / "cat" / "empty.png").write_bytes(b"")
    source = open_source(photos)
    assert source.notes == (
        "Left out, being no pictures whatever their names: cat/empty.png, cat/page.jpg.",
    )
    assert len(source.read()) == 20
    for index in range(11):
        (photos / "dog" / f"bad{index}.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"13 of 33 files can't be read .*and 8 more"):
        open_source(photos)


def test_a_damaged_picture_is_a_grey_square_and_remembered(photos):
    whole = (photos / "cat" / "0.png").read_bytes()
    (photos / "cat" / "0.png").write_bytes(whole[:100])
    images = load_split(photos).images
    first = images[np.array([0])][0]
    assert (first == 192).all()
    assert list(images.unreadable) == ["cat/0.png"]
    for index in range(10):
        (photos / "dog" / f"{index}.png").write_bytes(whole[:100])
    with pytest.raises(
        InputError, match=r"at least 11 of 20 files can't be read as pictures \(cat/0\.png"
    ):
        images[:]


def test_fingerprints_follow_names_labels_and_content(photos):
    before = load_split(photos).fingerprint
    assert load_split(photos).fingerprint == before
    path = photos / "cat" / "0.png"
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, 0] ^= 255
    Image.fromarray(pixels).save(path)
    changed = load_split(photos).fingerprint
    path.rename(photos / "cat" / "00.png")
    renamed = load_split(photos).fingerprint
    (photos / "cat" / "00.png").rename(photos / "dog" / "00.png")
    assert len({before, changed, renamed, load_split(photos).fingerprint}) == 4


def test_names_that_are_no_utf8(tmp_path):
    write_pictures(tmp_path / "dog", 2)
    raw = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(raw)
    (tmp_path / "dog" / "0.png").rename(os.fsdecode(raw + b"/\xff.png"))
    source = open_source(tmp_path)
    assert source.class_names == ("caf\ufffd", "dog")
    split = source.read()
    assert split.ids.tolist() == ["caf\\udce9/\\udcff.png", "dog/1.png"]
    assert len(split.images[:]) == 2
    assert split.fingerprint


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text("")
    with pytest.raises(InputError, match=r"holds no images that can be read \(1 folders\)"):
        load_split(tmp_path)


def test_pictures_of_unknown_formats_alone_are_named(tmp_path):
    for name in ("cat/1.heic", "dog/1.HEIC", "dog/2.avif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=r"that aren't read \(1 \.avif, 2 \.heic\); convert them"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("folders", "complaint"),
    [
        (
            {"cat": 1, "dog": 1},
            r"too few images, 2 \('cat: 1', 'dog: 1'\): .* all 'dog'; add images",
        ),
        ({"cat": 4}, "lie in one folder alone, 'cat', and one class can't be classified"),
        ({"train/cat": 4, "test/cat": 2, "test/dog": 2}, "every label to train with is 'cat'"),
    ],
)
def test_what_has_one_class_to_train_with_says_why(tmp_path, folders, complaint):
    for folder, count in folders.items():
        write_pictures(tmp_path / folder, count)
    with pytest.raises(InputError, match=complaint):
        load_dataset(tmp_path)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path):
    (tmp_path / "a").mkdir(mode=0)
    with pytest.raises(InputError, match="can't be read"):
        load_split(tmp_path / "a")


def test_large_photos_are_never_held_together(tmp_path):
    """Twenty of 12 MB each: made small one by one, in as many threads as there are cores."""
    write_pictures(tmp_path / "cat", 1, size=(2000, 2000))
    for index in range(1, 20):
        os.link(tmp_path / "cat" / "0.png", tmp_path / "cat" / f"{index}.png")
    images, threads = load_split(tmp_path).images, threading.active_count()
    tracemalloc.start()
    small = thumbnails(images, np.arange(20), 32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert small.shape == (20, 32, 32, 3)
    assert peak < 30_000_000 * (1 + (os.cpu_count() or 1))
    assert threading.active_count() == threads


def test_none_at_all():
    assert len(Photos(None, ())[:]) == 0


@pytest.mark.parametrize("theme", ["Tango/32x32", "Adwaita/48x48"])
def test_icon_themes_of_debian(theme):
    """Palettes, transparency, links and several sizes, as they are installed."""
    folder = Path("/usr/share/icons") / theme
    if not folder.is_dir():
        pytest.skip(f"no {folder}: Debian's packages tango-icon-theme and adwaita-icon-theme")
    split = load_split(folder)
    names = open_source(folder).class_names
    assert {"actions", "devices"} <= set(names)
    assert len(split) > 100
    small = thumbnails(split.images, np.arange(len(split)), 24)
    assert small.shape == (len(split), 24, 24, 3)
    assert not split.images.unreadable
    assert (small[:, 0, 0] == 255).all(axis=1).mean() > 0.8  # Corners are clear, and so white.


def test_a_part_of_pictures_without_labels_is_no_part_of_a_class_more(tmp_path):
    """As Tiny ImageNet has it, whose labels of that part stand in a text file."""
    for name in ("n01", "n02"):
        write_pictures(tmp_path / "train" / name / "images", 5)
    write_pictures(tmp_path / "val" / "images", 4)
    source = open_source(tmp_path)
    assert source.class_names == ("n01", "n02")
    assert source.notes == ("Left out: val, beside the folders of classes.",)


def test_parts_whose_classes_have_other_names_are_refused(tmp_path):
    for part, names in (("train", ("cat", "dog")), ("test", ("Cat", "Dog"))):
        for name in names:
            write_pictures(tmp_path / part / name, 3)
    with pytest.raises(InputError, match=r"test: its folders \(Cat, Dog\) are none .*cat, dog"):
        open_source(tmp_path)


def test_a_class_without_training_images_is_told(tmp_path):
    for name in ("cat", "dog"):
        write_pictures(tmp_path / "train" / name, 3)
    for name in ("cat", "dog", "owl"):
        write_pictures(tmp_path / "test" / name, 2)
    notes = load_dataset(tmp_path).notes
    assert notes[0].startswith("No training image is of owl: no net")
    assert "the 2 test images" in notes[0]
