import sys
from dataclasses import replace

import numpy as np
import pytest

from conftest import make_predictions
from hardpairs.analysis import layout
from hardpairs.analysis.subject import Subject
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions, save_predictions
from hardpairs.report.page import gallery, pairs
from hardpairs.report.page.map import map_points
from hardpairs.report.write import analyse


def test_map_places_images_of_one_kind_together():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    embeddings = rng.normal(size=(3, 16))[labels] * 5 + rng.normal(size=(300, 16))
    made = make_predictions(images=300, classes=3)
    predictions = Predictions(labels, made.probabilities, ("a", "b", "c"), embeddings=embeddings)
    assert map_points(Subject(made), [0, 1]) is None
    rows = gallery.choose_rows(predictions)
    points = map_points(Subject(predictions), rows.tolist())
    assert len(points["x"]) == 300
    assert min(points["x"]) == min(points["y"]) == 0
    assert [place for place in points["place"] if place >= 0] == list(range(len(rows)))
    placed, true = np.column_stack([points["x"], points["y"]]), np.array(points["true"])
    centres = np.array([placed[true == index].mean(axis=0) for index in range(3)])
    nearest = np.linalg.norm(placed[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == true).mean() > 0.95
    assert map_points(Subject(made), []) is None


def test_map_by_neighbours_keeps_them(monkeypatch):
    pytest.importorskip("openTSNE")
    monkeypatch.setattr(layout, "EARLY_STEPS", 20)  # A few images are placed soon.
    monkeypatch.setattr(layout, "STEPS", 40)
    rng = np.random.default_rng(0)
    kinds = np.arange(200) % 4
    placed = layout.neighbour_layout(np.eye(4)[kinds] + rng.normal(0, 0.1, (200, 4)))
    apart = np.linalg.norm(placed[:, None] - placed, axis=2) + 1e9 * np.eye(200)
    assert (kinds[apart.argmin(axis=1)] == kinds).mean() > 0.95


def test_map_by_neighbours_names_what_it_needs(tmp_path, monkeypatch):
    made = replace(make_predictions(), embeddings=np.ones((200, 3), np.float32))
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    save_predictions(made, tmp_path / "p.npz")
    with pytest.raises(InputError, match=r"pip install 'hardpairs\[map\]'"):
        analyse(tmp_path / "p.npz", neighbour_map=True)
    monkeypatch.setitem(sys.modules, "openTSNE", sys)
    save_predictions(make_predictions(), tmp_path / "bare.npz")
    with pytest.raises(InputError, match="no hidden layer"):
        analyse(tmp_path / "bare.npz", neighbour_map=True)


def test_spectrum_goes_from_surely_one_class_to_surely_the_other():
    subject = Subject(make_predictions(images=500))
    rows = gallery.choose_rows(subject.predictions)
    place_of = {row: place for place, row in enumerate(rows.tolist())}
    found = pairs.pair_data(subject, 0, place_of)
    steps = [step for _, step in found["spectrum"]]
    assert steps == sorted(steps)
    assert set(steps) <= set(range(pairs.STEPS))
    for place, step in found["spectrum"]:
        predicted = subject.predictions.predicted[rows[place]]
        middle = pairs.STEPS // 2
        assert step <= middle if predicted == found["first"] else step >= middle


def test_a_spectrum_counts_the_images_that_do_not_travel():
    made = make_predictions(images=3000, classes=3)
    subject = Subject(made)
    found = pairs.pair_data(subject, 0, {})
    assert found["spectrum"] == []
    shares = made.probabilities.astype(float)
    of_pair = np.isin(made.predicted, (found["first"], found["second"]))
    for side, label in enumerate((found["first"], found["second"])):
        rows = of_pair & (made.labels == label)
        first, second = (shares[rows, found[name]] for name in ("first", "second"))
        steps = np.minimum((second / (first + second) * pairs.STEPS).astype(int), pairs.STEPS - 1)
        right = made.predicted[rows] == label
        for step, counted in enumerate(found["counts"][side]):
            here = steps == step
            assert counted == [(here & right).sum(), (here & ~right).sum()]
