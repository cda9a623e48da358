"""Batches: the order of the images and their augmentation, owned by (seed, epoch, step).

Keras' own shuffling repeats one order in every epoch once a global seed is set, and its
augmentation layers depend on hidden state; here the n-th batch of an epoch is a pure function of
its coordinates, on every backend.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from hardpairs.training.augment import augment, mix
from hardpairs.training.backend import keras

BYTES_AT_ONCE = 2**22  # Of images handed to TensorFlow; each time costs it a millisecond.
BATCHES_AHEAD = 4


class Batches(keras.utils.PyDataset):
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
        super().__init__()
        self.images, self.targets = images, targets
        self.batch_size, self.seed = batch_size, seed
        self.table, self.mixup = table, mixup
        self.easy = np.array([], int) if easy is None else easy
        self.easy_every = easy_every
        self.others = np.setdiff1d(rows, self.easy)
        # Ends in a 1, where the numbers of an epoch's order and of a step end as if in a 0.
        self.first_turns = np.random.default_rng((seed, 0, 0, 1)).integers(2, size=len(images))
        self.begin_epoch(0)

    def __len__(self) -> int:
        shown = len(self.others) + len(self.easy) // self.easy_every
        return max(shown // self.batch_size, 1)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[step * self.batch_size : (step + 1) * self.batch_size]
        rng = np.random.default_rng((self.seed, self.epoch, step))
        images = augment(self.images[chosen], self.table, rng, self.turns[chosen])
        targets = self.targets[chosen]
        return mix(images, targets, self.mixup, rng) if self.mixup else (images, targets)

    def begin_epoch(self, epoch: int) -> None:
        """Draw the epoch's order. Called by a callback: Keras' own hooks also fire for peeks."""
        self.epoch = epoch
        in_turn = self.easy[epoch % self.easy_every :: self.easy_every]
        shown = np.concatenate([self.others, in_turn])
        self.order = np.random.default_rng((self.seed, epoch)).permutation(shown)
        self.turns = self.first_turns + epoch
        self.turns[self.easy] = self.first_turns[self.easy] + epoch // self.easy_every


def as_fit_takes_them(batches: Batches) -> Any:
    """Return the batches as `keras.Model.fit` is fastest with on this backend.

    Under TensorFlow, Keras would wrap them in a dataset that tunes itself, which can hold up the
    end of a training for seconds while its tuner sleeps. Elsewhere it would make each batch only
    when it is needed.
    """
    if keras.backend.backend() != "tensorflow":
        return _MadeAhead(batches)
    import tensorflow as tf

    signature = (
        tf.TensorSpec((None, None, *batches.images.shape[1:]), tf.uint8),
        tf.TensorSpec((None, None, *batches.targets.shape[1:]), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(
        lambda: _several_at_once(batches), output_signature=signature
    )
    dataset = dataset.prefetch(1).unbatch()
    # Of unknown length, Keras would count one step too many in every epoch.
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(BATCHES_AHEAD).with_options(options)


def _several_at_once(batches: Batches) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    bytes_each = batches.batch_size * batches.images[:1].nbytes
    count = max(BYTES_AT_ONCE // bytes_each, 1)
    for first in range(0, len(batches), count):
        steps = range(first, min(first + count, len(batches)))
        images, targets = zip(*(batches[step] for step in steps), strict=True)
        yield np.stack(images), np.stack(targets)


class _MadeAhead(keras.utils.PyDataset):
    """The same batches, the next ones made by threads while the backend computes."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches, self.epoch = batches, batches.epoch
        self.threads = ThreadPoolExecutor(BATCHES_AHEAD)
        self.coming: dict[int, Future[tuple[np.ndarray, np.ndarray]]] = {}

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        if self.epoch != self.batches.epoch:
            self.epoch = self.batches.epoch
            self.coming.clear()
        for index in range(step, min(step + BATCHES_AHEAD, len(self))):
            if index not in self.coming:
                self.coming[index] = self.threads.submit(self.batches.__getitem__, index)
        return self.coming.pop(step).result()
