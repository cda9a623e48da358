"""What TensorFlow traced is found by the next process, and gives the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow as tf

from hardpairs.data.datasets import load_dataset
from hardpairs.training import graphs
from hardpairs.training.backend import keras
from hardpairs.training.fit import train
from hardpairs.training.graphs import kept_graph
from hardpairs.training.predict import hidden_layer, predict
from hardpairs.training.recipes import RECIPES


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hardpairs" / "graphs"


class Counted:
    """A function of a variable and a tensor that counts how often it was traced."""

    def __init__(self, start: float = 1.0) -> None:
        self.variable, self.traced = keras.Variable(start), 0

    def __call__(self, tensor):
        self.traced += 1
        self.variable.assign_add(tf.reduce_sum(tf.nn.relu(tensor)))
        return [self.variable * 2.0, tensor + 1.0]

    def graph(self, **description):
        spec = tf.TensorSpec((None,), tf.float32)
        return kept_graph(self, [spec], [self.variable], description)

    def asked(self, **description) -> list[list]:
        graph = self.graph(**description)
        return [[found.numpy().tolist() for found in graph(tf.constant([-1.0, 2.0]))] for _ in "ab"]


def test_a_graph_is_traced_once_and_does_the_same(cache):
    first, second = Counted(), Counted(5.0)
    assert first.asked() == [[6.0, [0.0, 3.0]], [10.0, [0.0, 3.0]]]
    assert second.asked() == [[14.0, [0.0, 3.0]], [18.0, [0.0, 3.0]]]
    assert (first.traced, second.traced) == (1, 0)
    assert (float(first.variable), float(second.variable)) == (5.0, 9.0)
    assert len(list(cache.glob("*.npz"))) == 1


def test_another_description_is_another_graph(cache, monkeypatch):
    for rate in (1, 2):
        Counted().graph(rate=rate)
    wider = Counted()
    wider.variable = keras.Variable([1.0, 1.0])
    wider.graph(rate=1)
    assert wider.traced == 1
    monkeypatch.setattr(graphs, "training_environment", lambda: {"keras": "another"})
    other = Counted()
    other.graph(rate=1)
    assert other.traced == 1
    assert len(list(cache.glob("*.npz"))) == 4


def test_what_cannot_be_kept_is_traced(cache, monkeypatch):
    assert Counted().asked()
    (file,) = cache.glob("*.npz")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    again = Counted()
    assert again.asked() == Counted().asked()
    assert again.traced == 1
    assert len(file.read_bytes()) > len(whole) // 2  # It took the damaged one's place.

    foreign = keras.Variable(3.0)
    for _ in "ab":
        graph = kept_graph(lambda tensor: [tensor * foreign], [tf.constant(1.0)], [], {})
        assert float(graph(tf.constant(2.0))[0]) == 6.0
    assert len(list(cache.glob("*.npz"))) == 1

    monkeypatch.setenv("XDG_CACHE_HOME", str(file))  # No folder.
    assert Counted().asked() == [[6.0, [0.0, 3.0]], [10.0, [0.0, 3.0]]]


def test_the_oldest_graphs_are_forgotten(cache, monkeypatch):
    monkeypatch.setattr(graphs, "MOST_GRAPHS", 2)
    for rate in range(4):
        Counted().graph(rate=rate)
    assert len(list(cache.glob("*.npz"))) == 2


@pytest.mark.parametrize("name", ["sprint", "fast"])  # Muon; dropout and early stopping.
def test_a_training_with_a_kept_graph_gives_the_same_bytes(name, tiny_folder, cache, monkeypatch):
    dataset = load_dataset(str(tiny_folder))
    dataset = replace(dataset, train=dataset.train.take(slice(150)))
    recipe = replace(RECIPES[name], epochs=2, batch_size=64)

    def bytes_of(seed: int) -> list[bytes]:
        trained = train(dataset, recipe, seed=seed)
        images = dataset.test.pixels[:70]
        found = [predict(trained.model, images), hidden_layer(trained.model)(images)]
        figures = [repr(value) for key, value in trained.history.items() if key != "seconds"]
        weights = [variable.numpy() for variable in trained.model.variables]
        return [array.tobytes() for array in (*weights, *found)] + [str(figures).encode()]

    expected = bytes_of(0)
    steps = 1 + bool(recipe.patience and recipe.validation_share)
    assert len(list(cache.glob("*.npz"))) == steps + 2  # Both ways to ask.
    assert bytes_of(1) != expected
    calls = []
    monkeypatch.setattr(tf, "function", lambda *given, **more: calls.append(given))
    assert bytes_of(0) == expected
    assert not calls
