import numpy as np
import pytest

from hardpairs.data.datasets import load_dataset, load_split, open_source
from hardpairs.errors import InputError

RNG = np.random.default_rng(0)
GRAY = RNG.integers(0, 256, (20, 12, 10), dtype=np.uint8)
GRAY[0, 0, :2] = 0, 255
COLOUR = RNG.integers(0, 256, (20, 12, 10, 3), dtype=np.uint8)
LABELS = np.arange(20) % 4


def save(tmp_path, **arrays):
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    return tmp_path / "a.npz"


@pytest.mark.parametrize(
    "names",
    [
        "x_train y_train x_test y_test",
        "X_train y_train X_test y_test",
        "train_images train_labels test_images test_labels",
        "images_train labels_train images_test labels_test",
        "trainImages trainLabels testImages testLabels",
        "Xtr ytr Xte yte",
        "trainX trainy testX testy",
        "x_train y_train x_val y_val",
    ],
)
def test_arrays_of_two_parts(tmp_path, names):
    arrays = (GRAY, LABELS, GRAY[:8] // 2, LABELS[:8, None])
    path = save(tmp_path, **dict(zip(names.split(), arrays, strict=True)))
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.train.images[..., 0], GRAY)
    np.testing.assert_array_equal(dataset.test.images[..., 0], GRAY[:8] // 2)
    np.testing.assert_array_equal(dataset.test.labels, LABELS[:8])
    assert dataset.class_names == ("0", "1", "2", "3")
    assert len(load_split(path)) == 8


def test_medmnists_three_parts(tmp_path):
    arrays = {f"{part}_images": COLOUR for part in ("train", "val", "test")}
    labels = {f"{part}_labels": LABELS[:, None] for part in ("train", "val", "test")}
    dataset = load_dataset(save(tmp_path, **arrays, **labels))
    assert dataset.notes == ("Its validation part isn't used.",)


@pytest.mark.parametrize("names", ["images labels", "x y", "X y", "data target", "arr_0 arr_1"])
def test_arrays_of_one_whole(tmp_path, names):
    images, labels = names.split()
    path = save(tmp_path, **{images: GRAY / 255, labels: LABELS})
    assert len(load_split(path)) == 20
    dataset = load_dataset(path)
    assert np.bincount(dataset.train.labels).tolist() == [4] * 4
    assert np.bincount(dataset.test.labels).tolist() == [1] * 4


def test_names_and_ids_in_the_file(tmp_path):
    ids = np.array([f"{index}.png" for index in range(20)])
    names = np.array(["w", "x", "y", "z"])
    source = open_source(save(tmp_path, images=GRAY, labels=LABELS, ids=ids, class_names=names))
    assert source.class_names == ("w", "x", "y", "z")
    assert source.read().ids[3] == "3.png"
    assert set(source.read("test").ids) < set(ids)
    (tmp_path / "classes.txt").write_text("k\nl\nm\nn\n")
    assert open_source(save(tmp_path, images=GRAY, labels=LABELS)).class_names == (
        "k",
        "l",
        "m",
        "n",
    )


def test_images_without_labels(tmp_path):
    np.save(tmp_path / "images.npy", COLOUR)
    split = load_split(tmp_path / "images.npy")
    np.testing.assert_array_equal(split.images, COLOUR)
    assert not split.has_labels
    with pytest.raises(InputError, match="no labels"):
        load_dataset(tmp_path / "images.npy")
    assert not load_split(save(tmp_path, images=GRAY)).has_labels


@pytest.mark.parametrize(
    "names",
    [
        "X_train.npy y_train.npy X_test.npy y_test.npy",
        "kmnist-train-imgs.npz kmnist-train-labels.npz kmnist-test-imgs.npz kmnist-test-labels.npz",
    ],
)
def test_a_file_for_each_array(tmp_path, names):
    for name, array in zip(names.split(), (GRAY, LABELS, GRAY[:8], LABELS[:8]), strict=True):
        if name.endswith(".npy"):
            np.save(tmp_path / name, array)
        else:
            np.savez(tmp_path / name, array)
        (tmp_path / f"._{name}").write_bytes(b"\0\5\x16\7")  # As macOS shadows it.
    dataset = load_dataset(tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (20, 8)
    if names.startswith("X"):
        alone = load_split(tmp_path / "X_test.npy")
        np.testing.assert_array_equal(alone.labels, LABELS[:8])


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"weights": GRAY}, r"holds no images under a usual name \(weights \(20, 12, 10\)\)"),
        ({}, "holds no images"),
        ({"images": GRAY, "labels": LABELS[:5]}, "there are 5 labels"),
        ({"images": GRAY, "labels": np.array([None] * 20)}, "pickled"),
        ({"images": GRAY[0], "labels": LABELS}, "20 labels"),
        ({"images": GRAY.astype(object), "labels": LABELS}, "pickled"),
    ],
)
def test_files_that_hold_no_images(tmp_path, arrays, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        load_dataset(save(tmp_path, **arrays))
    assert "a.npz" in str(caught.value)


@pytest.mark.parametrize(
    "order",
    [
        "class_names images labels",
        "image_ids class_names images labels",
        "label_names x y",
        "classes x_data y_data",
        "images image_labels class_names",
    ],
)
def test_names_and_ids_are_not_taken_for_labels_or_images_wherever_they_stand(tmp_path, order):
    names = order.split()
    values = {
        **dict.fromkeys(names, np.array(["cat", "dog", "owl", "pig"])),
        **dict.fromkeys({"image_ids"} & set(names), np.arange(100, 120)),
        **dict.fromkeys({"images", "x", "x_data"} & set(names), GRAY),
        **dict.fromkeys({"labels", "y", "y_data", "image_labels"} & set(names), LABELS),
    }
    dataset = load_dataset(save(tmp_path, **{name: values[name] for name in names}))
    assert dataset.class_names == ("cat", "dog", "owl", "pig")
    assert len(dataset.train) + len(dataset.test) == 20


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"images": GRAY, "diagnosis": LABELS}, r"one of 'diagnosis' in a\.npz"),
        ({"images": GRAY}, "save those beside them, as an array named labels"),
    ],
)
def test_to_train_on_images_without_labels_leads_to_them(tmp_path, arrays, told):
    with pytest.raises(InputError, match=told):
        load_dataset(save(tmp_path, **arrays))
