from dataclasses import replace

import numpy as np
import pytest

from hardpairs.analysis.neighbours import (
    NEIGHBOURS,
    class_shares,
    find_neighbours,
    load_neighbours,
    project,
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


def test_a_net_that_diverged_has_neighbours_too():
    rows = CANDIDATES.copy()
    rows[::2] = np.nan
    found = find_neighbours(rows, ROWS, LABELS, rows[:3])
    assert all(len(set(line)) == NEIGHBOURS for line in found.indices.tolist())


def test_no_image_is_its_own_neighbour():
    rows = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32)
    rows[7] = rows[8] * 2  # The same direction.
    candidates = np.arange(0, 90, 2)
    found = find_neighbours(
        rows[candidates], candidates, candidates % 5, rows, among_themselves=True
    )
    assert found.indices.shape == (90, 20)
    assert (found.indices != np.arange(90)[:, None]).all()
    plain = find_neighbours(rows[candidates], candidates, candidates % 5, rows)
    np.testing.assert_array_equal(found.indices[1::2], plain.indices[1::2])
    np.testing.assert_array_equal(found.indices[::2, :19], plain.indices[::2, 1:])
    assert (found.labels == found.indices % 5).all()


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


def shares_in_full(candidates, labels, queries, nearest):
    distances = ((queries[:, None] - candidates[None]) ** 2).sum(axis=2)
    order = np.argsort(distances, axis=1)[:, :nearest]
    return np.array([np.bincount(labels[row], minlength=10) for row in order]) / nearest


def test_shares_of_classes_as_worked_out_in_full():
    # 300 candidates are all of the sample, so the threshold is exact: 20 neighbours.
    found = class_shares(CANDIDATES, LABELS, QUERIES, classes=10)
    expected = shares_in_full(CANDIDATES, LABELS, QUERIES, 20)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_shares_from_a_sampled_threshold_are_close(monkeypatch):
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(10, 6))
    labels, asked = rng.integers(0, 10, 9000), rng.integers(0, 10, 200)
    candidates = (centres[labels] + rng.normal(size=(9000, 6))).astype(np.float32)
    queries = (centres[asked] + rng.normal(size=(200, 6))).astype(np.float32)
    found = class_shares(candidates, labels, queries, classes=10)
    expected = shares_in_full(candidates, labels, queries, 300)
    assert np.abs(found - expected).max() < 0.1
    assert np.abs(found - expected).mean() < 0.005


def test_a_projection_keeps_what_varies():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, 600)
    wide = np.zeros((600, 3000), np.float32)  # More columns than rows in the sample.
    wide[np.arange(600), labels * 7] = 5
    wide += rng.normal(0, 0.01, wide.shape)
    known, asked = project(wide, wide[:50], 2)
    assert known.shape == (600, 2)
    shares = class_shares(known, labels, asked, 3)
    np.testing.assert_allclose(shares, np.eye(3)[labels[:50]], atol=1e-6)


def test_shares_of_very_many_classes_are_left_out(monkeypatch):
    monkeypatch.setattr("hardpairs.analysis.neighbours.MOST_SHARES", 100)
    assert class_shares(CANDIDATES, LABELS, QUERIES, 10) is None


def test_shares_survive_the_file(tmp_path):
    shares = class_shares(CANDIDATES, LABELS, QUERIES, classes=10)
    found = replace(find_neighbours(CANDIDATES, ROWS, LABELS, QUERIES), hidden=shares)
    save_neighbours(found, tmp_path / "n.npz")
    again = load_neighbours(tmp_path / "n.npz", images=50, classes=10)
    np.testing.assert_allclose(again.hidden, shares, atol=1e-5)
    assert again.edges is None
    with pytest.raises(InputError, match="doesn't belong"):
        load_neighbours(tmp_path / "n.npz", images=50, classes=11)
