"""Histograms of gradients: worked out by hand, turned, of any size."""

import numpy as np
import pytest

from hardpairs.analysis.gradients import gradient_histograms


def by_cell(images: np.ndarray) -> np.ndarray:
    """Of square images: (N, 8, rows, columns)."""
    found = gradient_histograms(images)
    side = round((found.shape[1] / 8) ** 0.5)
    return found.reshape(len(images), 8, side, side)


def test_an_edge_counts_in_its_cells_and_its_direction():
    images = np.zeros((2, 30, 30, 1), np.uint8)
    images[0, :, 14:] = 100  # Lighter to the right, from pixel 13 to 14, both of cell 2.
    images[1, 14:] = 100
    right, below = by_cell(images)
    in_cell = 6 * 2 * 100
    expected = np.sqrt(in_cell / (np.sqrt(5) * in_cell + 25.5))
    np.testing.assert_allclose(right[0, :, 2], expected, rtol=1e-6)
    np.testing.assert_allclose(below[2, 2], expected, rtol=1e-6)
    assert np.count_nonzero(right) == np.count_nonzero(below) == 5


def test_between_an_axis_and_a_diagonal_both_count():
    y, x = np.mgrid[:30, :30]
    slope = (2 * x + y + 10).astype(np.uint8)[None, ..., None]
    inside = by_cell(slope)[0, :, 1:-1, 1:-1]
    assert (inside[0] > 0).all()
    assert (inside[4] > 0).all()
    np.testing.assert_allclose(inside[0], inside[4], rtol=1e-6)  # (4, 2) = (2, 0) + (2, 2)
    assert not inside[[1, 2, 3, 5, 6, 7]].any()


def test_a_picture_turned_has_its_histograms_turned():
    images = np.random.default_rng(0).integers(0, 256, (3, 30, 30, 1), np.uint8)
    turned = by_cell(np.rot90(images, axes=(1, 2)))
    # A quarter turn to the left makes right up, up left, left down and down right.
    order = [2, 3, 1, 0, 6, 4, 7, 5]
    expected = np.rot90(by_cell(images), axes=(2, 3))[:, order]
    np.testing.assert_allclose(turned, expected, rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 3, 1), (8, 8, 1), (16, 16, 3), (28, 28, 1)])
def test_any_small_size(shape):
    images = np.random.default_rng(0).integers(0, 256, (4, *shape), np.uint8)
    found = gradient_histograms(images)
    cell = max(1, -(-max(shape[:2]) // 5))
    assert found.shape == (4, 8 * -(-shape[0] // cell) * -(-shape[1] // cell))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert not gradient_histograms(images[:1] * 0).any()
