from itertools import pairwise

import numpy as np
import pytest

from hardpairs.training import batches as batches_module
from hardpairs.training.augment import mix
from hardpairs.training.batches import Batches, as_fit_takes_them

pytestmark = pytest.mark.train


def orders(seed: int, epochs: int = 3) -> list[list[int]]:
    """The order of the images, read off the batches themselves."""
    images = np.zeros((52, 28, 28, 1), np.uint8)
    images[:, 0, 0, 0] = np.arange(52)
    targets = np.eye(52, dtype=np.float32)
    batches = Batches(images, targets, np.arange(52), batch_size=8, seed=seed)
    result = []
    for epoch in range(epochs):
        made = [batches.batch(epoch, step) for step in range(len(batches))]
        pixels, shown = (np.concatenate(parts) for parts in zip(*made, strict=True))
        order = pixels[:, 0, 0, 0]
        assert (shown.argmax(axis=1) == order).all()
        result.append(order.tolist())
    return result


def test_every_epoch_and_every_seed_has_its_own_order():
    first = orders(seed=1)
    assert first == orders(seed=1)
    assert all(len(set(order)) == len(order) == 48 for order in first)  # Full batches only.
    assert set().union(*first) == set(range(52))
    different = [tuple(order) for order in first + orders(seed=2)]
    assert len(set(different)) == 6


@pytest.mark.parametrize("bytes_at_once", [1, 3 * 8 * 784, 2**22])
def test_batches_handed_over_several_at_a_time_keep_their_order(monkeypatch, bytes_at_once):
    monkeypatch.setattr(batches_module, "BYTES_AT_ONCE", bytes_at_once)
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28, 1), np.uint8)
    targets = np.eye(60, dtype=np.float32)
    table = (("flip", 0.5),)
    batches = Batches(images, targets, np.arange(60), batch_size=8, seed=0, table=table)
    handed = as_fit_takes_them(batches, range(2, 4))
    assert handed["steps_per_epoch"] == len(batches) == 7
    coordinates = [(epoch, step) for epoch in (2, 3) for step in range(7)]
    for (epoch, step), (pixels, shown) in zip(coordinates, handed["x"], strict=True):
        own = batches.batch(epoch, step)
        assert (np.asarray(pixels) == own[0]).all()
        assert (np.asarray(shown) == own[1]).all()


def test_batches_made_ahead_keep_their_order(monkeypatch):
    monkeypatch.setattr(batches_module.keras.backend, "backend", lambda: "jax")
    images = np.random.default_rng(0).integers(0, 256, (90, 28, 28, 1), np.uint8)
    targets = np.eye(90, dtype=np.float32)
    rows, table = np.arange(90), (("flip", 0.5),)
    batches = Batches(images, targets, rows, batch_size=8, seed=0, table=table, mixup=0.5)
    given = as_fit_takes_them(batches, range(2, 4))
    handed, (callback,) = given["x"], given["callbacks"]
    assert len(handed) == 11
    assert handed[0][0].shape == (8, 28, 28, 1)  # Keras peeks before the first epoch.
    for epoch in (2, 3):  # As a training does that goes on where it was stopped.
        callback.on_epoch_begin(epoch)
        for step in range(11):
            for made, own in zip(handed[step], batches.batch(epoch, step), strict=True):
                assert (made == own).all()


def test_mixed_images_and_targets_have_the_same_shares():
    images = np.full((400, 28, 28, 1), 200, np.uint8)
    images[:200] = 0
    targets = np.eye(2, dtype=np.float32)[np.arange(400) // 200]
    mixed, shares = mix(images, targets, 0.5, np.random.default_rng(0))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(mixed[:, 0, 0, 0], 200 * shares[:, 1], atol=0.51)
    assert (mixed == mixed[:, :1, :1]).all()
    # Half or more of each is its own; half of the partners are of the other class.
    own = shares[np.arange(400), np.arange(400) // 200]
    assert (own >= 0.5).all()
    assert 150 < (own < 1).sum() < 250
    again, _ = mix(images, targets, 0.5, np.random.default_rng(0))
    assert (again == mixed).all()
    bright = np.full((4, 8, 8, 1), 255, np.uint8)
    assert (mix(bright, np.eye(4, dtype=np.float32), 0.5, np.random.default_rng(1))[0] == 255).all()


def test_easy_images_take_turns_and_all_others_are_in_every_epoch():
    images, targets = np.zeros((60, 28, 28, 1), np.uint8), np.eye(60, dtype=np.float32)
    easy = np.arange(59, 29, -1)
    rows = np.arange(60)
    batches = Batches(images, targets, rows, batch_size=10, seed=0, easy=easy, easy_every=3)
    assert len(batches) == 4
    shown = []
    for epoch in range(6):
        targets_of = [batches.batch(epoch, step)[1] for step in range(4)]
        order = np.concatenate(targets_of).argmax(axis=1)
        assert sorted(set(order) - set(easy)) == list(range(30))
        shown += [index for index in order if index in easy]
    assert sorted(shown) == sorted([*easy, *easy])


def test_alternating_flips_show_both_sides_equally_often():
    images = np.zeros((40, 28, 28, 1), np.uint8)
    images[:, 0, 0, 0] = np.arange(1, 41)  # Top left; mirrored, top right.
    batches = Batches(
        *(images, np.eye(40, dtype=np.float32), np.arange(40)),
        batch_size=5,
        seed=0,
        table=(("flip", "alternating"),),
        easy=np.arange(20, 40),
        easy_every=2,
    )
    sides: dict[int, list[bool]] = {row: [] for row in range(40)}
    for epoch in range(8):
        for step in range(len(batches)):
            pixels, targets = batches.batch(epoch, step)
            for image, row in zip(pixels, targets.argmax(axis=1), strict=True):
                sides[int(row)].append(bool(image[0, -1, 0]))
    assert {len(seen) for seen in sides.values()} == {4, 8}
    for seen in sides.values():
        assert all(one != other for one, other in pairwise(seen))
    assert 10 < sum(seen[0] for seen in sides.values()) < 30
