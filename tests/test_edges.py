import sys

import numpy as np
import pytest

from hardpairs.analysis.samples import even_sample
from hardpairs.data.split import Split
from hardpairs.training import edges


@pytest.fixture
def splits() -> tuple[Split, Split]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (300, 12, 12, 1), np.uint8)
    labels = rng.integers(0, 3, 300)
    images[labels == 1, :, 6:] //= 8
    images[labels == 2, 6:] //= 8
    return Split(images[:200], labels[:200]), Split(images[200:], labels[200:])


def expected(train: Split, test: Split, rows=slice(None)) -> np.ndarray:
    shares = edges.edge_shares(train.images[rows], train.labels[rows], test.images, 3)
    assert shares is not None
    return shares


def test_a_process_of_its_own_finds_the_same(splits, monkeypatch):
    train, test = splits
    monkeypatch.setattr(edges, "available_cores", lambda: 2)
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # Which decides what a pipe can do.
    wanted = expected(train, test)
    assert (wanted.argmax(axis=1) == test.labels).mean() > 0.8
    monkeypatch.setattr(edges, "edge_shares", None)  # Not to be found here.
    with edges.edge_shares_beside(train, test, 3) as wait:
        np.testing.assert_allclose(wait(), wanted, atol=1e-6)
        np.testing.assert_allclose(wait(), wanted, atol=1e-6)


def test_an_even_sample_of_many_training_images_is_asked(splits, monkeypatch):
    train, test = splits
    monkeypatch.setattr(edges, "available_cores", lambda: 2)
    monkeypatch.setattr(edges, "MOST_CANDIDATES", 80)
    with edges.edge_shares_beside(train, test, 3) as wait:
        found = wait()
    np.testing.assert_allclose(found, expected(train, test, even_sample(200, 80)), atol=1e-6)


def test_what_the_process_cannot_do_is_done_here(splits, monkeypatch):
    train, test = splits
    monkeypatch.setattr(edges, "available_cores", lambda: 2)
    wanted = expected(train, test)
    monkeypatch.setattr(edges, "__name__", "hardpairs.nothing")
    with edges.edge_shares_beside(train, test, 3) as wait:
        np.testing.assert_array_equal(wait(), wanted)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with edges.edge_shares_beside(train, test, 3) as wait:
        np.testing.assert_array_equal(wait(), wanted)


def test_one_core_or_large_images_get_no_process(splits, monkeypatch):
    train, test = splits
    large = Split(np.repeat(train.images, 4, axis=1), train.labels)
    monkeypatch.setattr(edges.subprocess, "Popen", None)
    monkeypatch.setattr(edges, "available_cores", lambda: 1)
    with edges.edge_shares_beside(train, test, 3) as wait:
        np.testing.assert_array_equal(wait(), expected(train, test))
    monkeypatch.setattr(edges, "available_cores", lambda: 2)
    for images, asked in ((large, test), (train, large)):
        with edges.edge_shares_beside(images, asked, 3) as wait:
            assert wait is None  # Left to whoever knows how wide the net is.
    monkeypatch.setattr(edges, "MOST_TESTED", 99)
    with edges.edge_shares_beside(train, test, 3) as wait:
        assert wait is None


def test_the_process_ends_with_what_it_is_for(splits, monkeypatch):
    train, test = splits
    monkeypatch.setattr(edges, "available_cores", lambda: 2)
    begun = []
    start = edges.subprocess.Popen
    monkeypatch.setattr(
        edges.subprocess, "Popen", lambda *a, **k: begun.append(start(*a, **k)) or begun[0]
    )
    with pytest.raises(KeyboardInterrupt), edges.edge_shares_beside(train, test, 3):
        raise KeyboardInterrupt
    assert begun[0].poll() is not None
