import numpy as np
import pytest

from hardpairs.analysis.neighbours import (
    NEIGHBOURS,
    find_neighbours,
    load_neighbours,
    save_neighbours,
)
from hardpairs.errors import InputError

RNG = np.random.default_rng(0)
CANDIDATES = RNG.normal(size=(300, 12)).astype(np.float32)
QUERIES = RNG.normal(size=(50, 12)).astype(np.float32)
ROWS = np.arange(300) * 2
LABELS = RNG.integers(0, 10, 300)


def test_nearest_by_cosine_as_worked_out_in_full():
    found = find_neighbours(CANDIDATES, ROWS, LABELS, QUERIES)
    lengths = np.linalg.norm(CANDIDATES, axis=1) * np.linalg.norm(QUERIES, axis=1)[:, None]
    order = np.argsort(-(QUERIES @ CANDIDATES.T) / lengths, axis=1)[:, :NEIGHBOURS]
    np.testing.assert_array_equal(found.indices, ROWS[order])
    np.testing.assert_array_equal(found.labels, LABELS[order])
    assert found.labels.dtype == np.uint8


def test_fewer_candidates_than_neighbours_and_activations_of_nothing():
    found = find_neighbours(np.zeros((3, 4)), np.arange(3), np.array([0, 1, 1]), np.zeros((2, 4)))
    assert found.labels.shape == (2, 3)


def test_round_trip(tmp_path):
    found = find_neighbours(CANDIDATES, ROWS, LABELS, QUERIES)
    save_neighbours(found, tmp_path / "n.npz")
    again = load_neighbours(tmp_path / "n.npz", images=50, classes=10)
    np.testing.assert_array_equal(again.indices, found.indices)
    np.testing.assert_array_equal(again.labels, found.labels)


@pytest.mark.parametrize(
    "arrays",
    [
        {"indices": np.zeros((50, 2), int)},
        {"indices": np.zeros((50, 2), int), "labels": np.zeros((49, 2), int)},
        {"indices": np.zeros((50, 2), int), "labels": np.full((50, 2), 10)},
        {"indices": np.zeros((50, 2), int), "labels": np.full((50, 2), -1)},
        {"indices": np.zeros((50, 2), int), "labels": np.zeros((50, 2))},
        {"indices": np.zeros((50, 0), int), "labels": np.zeros((50, 0), int)},
        {"indices": np.zeros((50, 2), int), "labels": np.array([[{}, 1]] * 50, dtype=object)},
    ],
)
def test_foreign_files_are_refused(tmp_path, arrays):
    np.savez(tmp_path / "n.npz", **arrays)
    with pytest.raises(InputError, match=r"n\.npz"):
        load_neighbours(tmp_path / "n.npz", images=50, classes=10)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not really", b"\x93NUMPY"])
def test_damaged_files_are_refused(tmp_path, data):
    (tmp_path / "n.npz").write_bytes(data)
    with pytest.raises(InputError, match=r"n\.npz: is damaged"):
        load_neighbours(tmp_path / "n.npz", images=50, classes=10)
