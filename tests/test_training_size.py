import numpy as np
import pytest
from PIL import Image

from hardpairs.data.datasets import load_dataset, load_split
from hardpairs.data.memory import split_of
from hardpairs.data.split import Dataset
from hardpairs.data.training_size import for_training, for_training_split
from hardpairs.errors import InputError

RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def dataset(train, test):
    labels = [np.arange(len(images)) % 2 for images in (train, test)]
    splits = (split_of(*each) for each in zip((train, test), labels, strict=True))
    return Dataset("made", "made", ("a", "b"), *splits)


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 32, 3), (96, 40, 3)])
def test_what_fits_stays_as_it_is(shape):
    made = dataset(noise(6, *shape), noise(4, *shape))
    assert for_training(made) is made


@pytest.mark.parametrize(
    ("shape", "side", "said"),
    [((200, 100, 3), 64, "100 x 200"), ((97, 97, 1), 64, "97 x 97"), ((4, 4, 1), 8, "4 x 4")],
)
def test_other_sizes_are_scaled_once_and_it_is_said(shape, side, said):
    made = dataset(noise(6, *shape), noise(4, *shape))
    ready = for_training(made)
    assert ready.train.images.shape == (6, side, side, shape[2])
    assert ready.test.images.shape == (4, side, side, shape[2])
    assert ready.notes == (
        f"Images of {said} pixels were scaled to {side} x {side}, each in its own proportions.",
    )
    assert ready.train.fingerprint == made.train.fingerprint
    assert ready.test.fingerprint == made.test.fingerprint


def test_scaled_images_lie_on_their_own_background():
    black = np.zeros((6, 200, 100), np.uint8)
    black[:, 90:110, 40:60] = 255
    ready = for_training(dataset(black, black))
    assert ready.train.inverted
    assert (ready.train.images[:, :, [0, -1]] == 0).all()
    white = for_training(dataset(255 - black, 255 - black))
    assert not white.train.inverted
    assert (white.train.images[:, :, [0, -1]] == 255).all()


def test_mixed_sizes_and_colours():
    train = [noise(20, 30, 3), noise(40, 10, 1), noise(16, 16, 3), noise(16, 16, 1)]
    ready = for_training(dataset(train, train[1:]))
    assert ready.train.images.shape == (4, 40, 40, 3)
    assert ready.test.images.shape == (3, 40, 40, 3)
    assert "16 x 16 to 30 x 20 pixels" in ready.notes[0]


def test_gray_training_images_and_coloured_test_images():
    ready = for_training(dataset(noise(6, 28, 28), noise(4, 28, 28, 3)))
    assert ready.train.images.shape == (6, 28, 28, 3)
    assert ready.test.images.shape == (4, 28, 28, 3)
    assert for_training(dataset(noise(6, 28, 28), noise(4, 50, 50))).test.images.shape[1] == 28
    with pytest.raises(InputError, match="28 x 20 pixels"):
        for_training(dataset(noise(6, 28, 20), noise(4, 50, 50)))


@pytest.fixture
def photos(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for index in range(10):
            gray = np.repeat(noise(20, 20, 1) // 4, 3, axis=2)
            Image.fromarray(gray).save(tmp_path / name / f"{index}.png")
    return tmp_path


def test_gray_photos_become_gray_and_white_on_black_is_seen(photos):
    loaded = load_dataset(photos)
    assert loaded.train.images.shape == (16, 20, 20, 1)
    raw = load_split(photos, "train")
    np.testing.assert_array_equal(loaded.train.images, raw.images[:][..., :1])
    assert loaded.train.fingerprint == raw.fingerprint
    assert loaded.train.ids.tolist() == raw.ids.tolist()


def test_damaged_files_are_left_out_with_their_names(photos):
    broken = photos / "cat" / "3.png"
    broken.write_bytes(broken.read_bytes()[:60])
    loaded = load_dataset(photos)
    ids = [*loaded.train.ids, *loaded.test.ids]
    assert "cat/3.png" not in ids
    assert len(ids) == 19
    assert any("can't be read: cat/3.png." in note for note in loaded.notes)
    assert not any("16 x 16" in note for note in loaded.notes)  # The square in its place.
    assert loaded.train.images.shape[1:] == loaded.test.images.shape[1:]


def test_one_split_alone_takes_the_shape_it_is_told():
    split, note = for_training_split(split_of(noise(3, 50, 80, 3)), (32, 32, 3))
    assert split.images.shape == (3, 32, 32, 3)
    assert "80 x 50" in note
