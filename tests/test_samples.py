import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hardpairs.analysis import embedded
from hardpairs.analysis.embedded import embedded_neighbours
from hardpairs.analysis.neighbours import class_shares
from hardpairs.analysis.samples import even_sample


@given(count=st.integers(0, 5_000), most=st.integers(1, 5_000))
def test_one_row_of_every_stretch(count, most):
    rows = even_sample(count, most)
    assert len(rows) == min(count, most)
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, even_sample(count, most))
    if count > most:
        stretches = np.arange(most + 1) * count // most
        assert (rows >= stretches[:-1]).all()
        assert (rows < stretches[1:]).all()


def test_classes_in_turns_are_sampled_in_proportion():
    counts = np.bincount(even_sample(60_000, 6_000) % 10, minlength=10)
    assert counts.min() > 450
    assert counts.max() < 750


def clusters(images: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings that tell their classes, which take turns."""
    labels = np.arange(images) % classes
    noise = np.random.default_rng(0).normal(0, 0.05, (images, classes))
    return (np.eye(classes)[labels] + noise).astype(np.float32), labels


def test_neighbours_of_classes_in_turns(monkeypatch):
    monkeypatch.setattr(embedded, "MOST_CANDIDATES", 1_000)
    embeddings, labels = clusters(1_040, 4)
    found = embedded_neighbours(embeddings, labels, 4)
    assert (found.labels == labels[:, None]).mean() > 0.99
    assert (found.hidden.argmax(axis=1) == labels).all()


def test_shares_of_classes_in_turns():
    embeddings, labels = clusters(8_000, 4)
    shares = class_shares(embeddings, labels, embeddings[:40], 4)
    assert (shares[np.arange(40), labels[:40]] > 0.95).all()
