"""Batches: the order of the images and their augmentation, owned by (seed, epoch, step).

Keras' own shuffling repeats one order in every epoch once a global seed is set, and its
augmentation layers depend on hidden state; here the n-th batch of an epoch is a pure function of
its coordinates, on every backend.
"""

from typing import Any

import numpy as np

from hardpairs.training.backend import keras

BATCHES_AHEAD = 4


class Batches(keras.utils.PyDataset):
    """Shuffled, augmented training batches: (uint8 (B, 28, 28), one-hot float32 (B, K)).

    What is left over after the last full batch waits for another epoch's order; fewer images
    than one batch are one batch. Easy images take turns: see ``easy`` below.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        batch_size: int,
        seed: int,
        flips: bool = False,
        shift: int = 0,
        cutout: int = 0,
        random_erasing: float = 0.0,
        rotation: float = 0.0,
        zoom: float = 0.0,
        easy: np.ndarray | None = None,
        easy_every: int = 1,
    ) -> None:
        """Take images uint8 (N, 28, 28), one-hot labels (N, K), and which images take turns.

        Of the indices ``easy``, an epoch shows every ``easy_every``-th, the next epoch the next
        ones; all other images are in every epoch.
        """
        super().__init__()
        self.images, self.labels = images, labels
        self.batch_size, self.seed = batch_size, seed
        self.flips, self.shift = flips, shift
        self.cutout, self.random_erasing = cutout, random_erasing
        self.rotation, self.zoom = rotation, zoom
        self.easy = np.array([], int) if easy is None else easy
        self.easy_every = easy_every
        self.others = np.setdiff1d(np.arange(len(labels)), self.easy)
        self.begin_epoch(0)

    def __len__(self) -> int:
        shown = len(self.others) + len(self.easy) // self.easy_every
        return max(shown // self.batch_size, 1)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[step * self.batch_size : (step + 1) * self.batch_size]
        images = self.images[chosen]
        rng = np.random.default_rng((self.seed, self.epoch, step))
        if self.flips:
            images = flip(images, rng)
        if self.rotation or self.zoom:
            images = rotate_and_zoom(images, self.rotation, self.zoom, rng)
        if self.shift:
            images = shift(images, self.shift, rng)
        if self.cutout:
            images = cut_out(images, self.cutout, rng)
        if self.random_erasing:
            images = erase(images, self.random_erasing, rng)
        return images, self.labels[chosen]

    def begin_epoch(self, epoch: int) -> None:
        """Draw the epoch's order. Called by a callback: Keras' own hooks also fire for peeks."""
        self.epoch = epoch
        in_turn = self.easy[epoch % self.easy_every :: self.easy_every]
        shown = np.concatenate([self.others, in_turn])
        self.order = np.random.default_rng((self.seed, epoch)).permutation(shown)


def as_fit_takes_them(batches: Batches) -> Any:
    """Return the batches as `keras.Model.fit` is fastest with on this backend.

    Under TensorFlow, Keras would wrap them in a dataset that tunes itself, which can hold up the
    end of a training for seconds while its tuner sleeps.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    signature = (
        tf.TensorSpec((None, *batches.images.shape[1:]), tf.uint8),
        tf.TensorSpec((None, *batches.labels.shape[1:]), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(
        lambda: (batches[step] for step in range(len(batches))), output_signature=signature
    )
    # Of unknown length, Keras would count one step too many in every epoch.
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(BATCHES_AHEAD).with_options(options)


def flip(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirror each image left to right with probability 1/2."""
    mirrored = rng.random(len(images)) < 0.5
    return np.where(mirrored[:, None, None], images[:, :, ::-1], images)


def rotate_and_zoom(
    images: np.ndarray, rotation: float, zoom: float, rng: np.random.Generator
) -> np.ndarray:
    """Turn and scale each image about its centre, in one bilinear resampling.

    Args:
        images: uint8 (B, 28, 28).
        rotation: Angles are uniform within this share of a full turn, both ways, as in Keras.
        zoom: Scales are uniform from 1 - zoom to 1 + zoom, as in Keras; background moves in.
        rng: Drawn from twice, in this order.
    """
    count, height, width = images.shape
    angle = 2 * np.pi * rng.uniform(-rotation, rotation, (count, 1, 1))
    scale = rng.uniform(1 - zoom, 1 + zoom, (count, 1, 1))
    cosine = (scale * np.cos(angle)).astype(np.float32)
    sine = (scale * np.sin(angle)).astype(np.float32)
    down = np.arange(height, dtype=np.float32)[:, None] - np.float32((height - 1) / 2)
    right = np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2)
    # Background on every side, so that whatever lies outside can be clipped to it.
    rows = (cosine * down + sine * right) + np.float32((height + 1) / 2)
    columns = (cosine * right - sine * down) + np.float32((width + 1) / 2)
    np.clip(rows, 0, height + 1, out=rows)
    np.clip(columns, 0, width + 1, out=columns)
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    rows -= top
    columns -= left
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2))).ravel()
    stride = width + 3
    corner = top * np.int32(stride) + left
    corner += np.arange(count, dtype=np.int32)[:, None, None] * np.int32((height + 3) * stride)
    upper = _between(padded[corner], padded[corner + 1], columns)
    lower = _between(padded[corner + stride], padded[corner + stride + 1], columns)
    return (_between(upper, lower, rows) + np.float32(0.5)).astype(np.uint8)


def _between(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    start = first.astype(np.float32, copy=False)
    return start + (second - start) * share


def shift(images: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Move each image by -most..most whole pixels down and right; background moves in."""
    count, height, width = images.shape
    padded = np.pad(images, ((0, 0), (most, most), (most, most)))
    down, right = rng.integers(0, 2 * most + 1, size=(2, count, 1, 1))
    rows = down + np.arange(height)[:, None]
    columns = right + np.arange(width)
    return padded[np.arange(count)[:, None, None], rows, columns]


def cut_out(images: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Blank a square at a random place, which may reach over the edge (DeVries, Taylor 2017)."""
    count, height, width = images.shape
    top = rng.integers(1 - size, height, size=(count, 1, 1))
    left = rng.integers(1 - size, width, size=(count, 1, 1))
    rows, columns = np.arange(height)[:, None], np.arange(width)
    inside = (rows >= top) & (rows < top + size) & (columns >= left) & (columns < left + size)
    return np.where(inside, np.uint8(0), images)


def erase(images: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Fill a rectangle of some images with noise: random erasing (Zhong et al., AAAI 2020).

    Args:
        images: uint8 (B, 28, 28).
        share: Each image is chosen with this probability.
        rng: Decides which images, where, and the noise. Areas are 0.02 to 0.4 of an image and
            sides 0.3 to 1 to each other, as in the paper, which finds noise better than one
            colour; here black would be background, a piece of clothing of another shape.
    """
    count, height, width = images.shape
    area = height * width * rng.uniform(0.02, 0.4, (count, 1, 1))
    stretch = np.exp(rng.uniform(np.log(0.3), -np.log(0.3), (count, 1, 1)))
    tall = np.minimum(np.sqrt(area * stretch), height).astype(int)
    wide = np.minimum(np.sqrt(area / stretch), width).astype(int)
    top = (rng.random((count, 1, 1)) * (height - tall + 1)).astype(int)
    left = (rng.random((count, 1, 1)) * (width - wide + 1)).astype(int)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    inside = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)
    chosen = rng.random((count, 1, 1)) < share
    return np.where(inside & chosen, rng.integers(0, 256, images.shape, np.uint8), images)
