"""Batches: the order of the images and their augmentation, owned by (seed, epoch, step).

Keras' own shuffling repeats one order in every epoch once a global seed is set, and its
augmentation layers depend on hidden state; here the n-th batch of an epoch is a pure function of
its coordinates, on every backend.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from hardpairs.training.augment import augment, mix
from hardpairs.training.backend import keras

BYTES_AT_ONCE = 2**22  # Of images handed to TensorFlow; each time costs it a millisecond.
BATCHES_AHEAD = 4

Batch = tuple[np.ndarray, np.ndarray]


class Batches:
    """Shuffled, augmented training batches: (uint8 (B, H, W, C), targets float32 (B, K)).

    What is left over after the last full batch waits for another epoch's order; fewer images
    than one batch are one batch. Easy images take turns: see ``easy`` below.
    """

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        rows: np.ndarray,
        *,
        batch_size: int,
        seed: int,
        table: Sequence[tuple[str, Any]] = (),
        mixup: float = 0.0,
        easy: np.ndarray | None = None,
        easy_every: int = 1,
    ) -> None:
        """Take images uint8 (N, H, W, C), their targets (N, K), and which of them to train on.

        Args:
            images, targets: Of all images.
            rows: Those to train on.
            batch_size: B.
            seed: Decides order and augmentation.
            table: What to do to a batch, see `hardpairs.training.augment.augment`.
            mixup: See `hardpairs.training.augment.mix`, which comes last; 0 for none.
            easy: Of these rows an epoch shows every ``easy_every``-th, the next epoch the next
                ones; all other images are in every epoch.
            easy_every: See ``easy``.
        """
        self.images, self.targets = images, targets
        self.batch_size, self.seed = batch_size, seed
        self.table, self.mixup = table, mixup
        self.easy = np.array([], int) if easy is None else easy
        self.easy_every = easy_every
        self.others = np.setdiff1d(rows, self.easy)
        # Ends in a 1, where the numbers of an epoch's order and of a step end as if in a 0.
        self.first_turns = np.random.default_rng((seed, 0, 0, 1)).integers(2, size=len(images))
        self._drawn = lru_cache(2)(self._draw)  # Threads are at the end of one and in the next.

    def __len__(self) -> int:
        """How many batches an epoch has."""
        shown = len(self.others) + len(self.easy) // self.easy_every
        return max(shown // self.batch_size, 1)

    def batch(self, epoch: int, step: int) -> Batch:
        """Return an epoch's batch; both are counted from 0."""
        order, turns = self._drawn(epoch)
        chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
        rng = np.random.default_rng((self.seed, epoch, step))
        images = augment(self.images[chosen], self.table, rng, turns[chosen])
        targets = self.targets[chosen]
        return mix(images, targets, self.mixup, rng) if self.mixup else (images, targets)

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows that an epoch shows, in order, and how often each row of all was mirrored."""
        in_turn = self.easy[epoch % self.easy_every :: self.easy_every]
        shown = np.concatenate([self.others, in_turn])
        order = np.random.default_rng((self.seed, epoch)).permutation(shown)
        turns = self.first_turns + epoch
        turns[self.easy] = self.first_turns[self.easy] + epoch // self.easy_every
        return order, turns


def as_fit_takes_them(batches: Batches, epochs: range) -> dict[str, Any]:
    """Return the arguments of `keras.Model.fit` by which it is given batches fastest.

    Under TensorFlow, Keras would wrap them in a dataset that tunes itself, which can hold up the
    end of a training for seconds while its tuner sleeps; and it would begin another one for every
    epoch, which takes as long as dozens of small batches. Elsewhere it would make each batch only
    when it is needed.

    Args:
        batches: Of any epoch.
        epochs: Those to train, counted from 0.

    Returns:
        "x", "steps_per_epoch" and "callbacks".
    """
    if keras.backend.backend() != "tensorflow":
        ahead = _MadeAhead(batches)
        # Keras' own hooks of a dataset fire for peeks too.
        begin = keras.callbacks.LambdaCallback(on_epoch_begin=ahead.begin_epoch)
        return {"x": ahead, "steps_per_epoch": None, "callbacks": [begin]}
    import tensorflow as tf

    signature = (
        tf.TensorSpec((None, None, *batches.images.shape[1:]), tf.uint8),
        tf.TensorSpec((None, None, *batches.targets.shape[1:]), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(
        lambda: _several_at_once(batches, epochs), output_signature=signature
    )
    dataset = dataset.prefetch(1).unbatch().prefetch(BATCHES_AHEAD)
    options = tf.data.Options()
    options.autotune.enabled = False
    return {
        "x": dataset.with_options(options),
        "steps_per_epoch": len(batches),
        "callbacks": [],
    }


def _several_at_once(batches: Batches, epochs: range) -> Iterator[Batch]:
    bytes_each = batches.batch_size * batches.images[:1].nbytes
    count = max(BYTES_AT_ONCE // bytes_each, 1)
    for epoch, first in product(epochs, range(0, len(batches), count)):
        steps = range(first, min(first + count, len(batches)))
        images, targets = zip(*(batches.batch(epoch, step) for step in steps), strict=True)
        yield np.stack(images), np.stack(targets)


class _MadeAhead(keras.utils.PyDataset):
    """An epoch's batches, the next ones made by threads while the backend computes."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches, self.epoch = batches, 0
        self.threads = ThreadPoolExecutor(BATCHES_AHEAD)
        self.coming: dict[int, Future[Batch]] = {}

    def begin_epoch(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        self.coming.clear()

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, step: int) -> Batch:
        for index in range(step, min(step + BATCHES_AHEAD, len(self))):
            if index not in self.coming:
                made = self.threads.submit(self.batches.batch, self.epoch, index)
                self.coming[index] = made
        return self.coming.pop(step).result()
