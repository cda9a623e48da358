import numpy as np
import pytest

from hardpairs.data.datasets import load_split
from hardpairs.errors import InputError
from hardpairs.serving.preparation import Preparation, measure_preparation


def test_clothes_fill_the_frame_and_are_centred_by_their_box(fashion):
    measured = measure_preparation(fashion.train.pixels, inverted=True)
    assert measured == Preparation(28, 28, 1, True, 28, "box")


def test_digits_are_20_pixels_long_and_centred_by_their_mass():
    measured = measure_preparation(load_split("digits", "test").pixels, inverted=True)
    assert measured == Preparation(28, 28, 1, True, 20, "mass")


@pytest.mark.parametrize(("shape", "inverted"), [((5, 8, 9, 3), True), ((5, 8, 9, 1), False)])
def test_other_images_are_taken_whole(shape, inverted):
    measured = measure_preparation(np.full(shape, 200, np.uint8), inverted=inverted)
    assert measured == Preparation(8, 9, shape[-1], False, 9, "box")


def test_empty_images_measure_nothing():
    assert not measure_preparation(np.zeros((5, 8, 8, 1), np.uint8), inverted=True).thing


def test_kept_and_read_again():
    preparation = Preparation(28, 28, 1, True, 20, "mass")
    assert Preparation.from_dict(preparation.to_dict()) == preparation


@pytest.mark.parametrize(
    "change",
    [
        {"height": 0},
        {"height": 10**9},
        {"width": "28"},
        {"channels": 2},
        {"longest": 29},
        {"centre": "elsewhere"},
        {"thing": 1},
        {"more": 1},
    ],
)
def test_what_is_no_preparation_is_refused(change):
    with pytest.raises(InputError, match="no preparation"):
        Preparation.from_dict({**Preparation(28, 28, 1, True, 28, "box").to_dict(), **change})
    with pytest.raises(InputError, match="no preparation"):
        Preparation.from_dict([1, 2])
