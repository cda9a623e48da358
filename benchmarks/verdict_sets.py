"""Data with known truth, and what a model says of them; kept in runs/verdict_rule/."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from hardpairs.analysis.gradients import edge_components
from hardpairs.analysis.neighbours import Neighbours, class_shares, find_neighbours
from hardpairs.data.datasets import load_dataset
from hardpairs.data.split import Dataset, Split
from hardpairs.files import whole_file
from hardpairs.predictions.predictions import Predictions

CACHE = Path("runs/verdict_rule")
CLEAR, WRONG, BOTH = 0, 1, 2  # The truth on a label: right and clear, planted, or of two classes.


@dataclass(frozen=True)
class Judged:
    """Test images as one model sees them.

    Attributes:
        labels: int64 (N,), planted errors included.
        truth: int8 (N,): 1 where an error was planted, 2 where the picture shows two classes.
        probabilities: float32 (N, K).
        nearest: int64 (N, 20), labels of the nearest training images.
        hidden, edges: float32 (N, K), shares of many neighbours; hidden is (0, K) without a net.
    """

    labels: np.ndarray
    truth: np.ndarray
    probabilities: np.ndarray
    nearest: np.ndarray
    hidden: np.ndarray
    edges: np.ndarray

    @property
    def predictions(self) -> Predictions:
        """Of the test images, classes by number."""
        names = tuple(f"class {number}" for number in range(self.probabilities.shape[1]))
        return Predictions(self.labels, self.probabilities, names)

    @property
    def neighbours(self) -> Neighbours:
        """Of the test images; which training images they are is of no account here."""
        indices = np.zeros(self.nearest.shape, np.int32)
        hidden = self.hidden if len(self.hidden) else None
        return Neighbours(indices, self.nearest, hidden, self.edges)


def judged(name: str) -> Judged:
    """Return one of `SETS`, made and trained unless it is kept."""
    path = CACHE / f"{name}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = SETS[name]()
        with whole_file(path) as part:
            np.savez(part, **{each.name: getattr(made, each.name) for each in fields(made)})
    with np.load(path, allow_pickle=False) as arrays:
        return Judged(**arrays)


def _known(shares: np.ndarray | None) -> np.ndarray:
    if shares is None:
        raise SystemExit("too many images and classes for shares of neighbours")
    return shares


def _by_net(make: Callable[[], tuple[Dataset, np.ndarray]]) -> Judged:
    """`sprint`, the net that trains in seconds, and its neighbours as every run writes them."""
    from hardpairs.training.recipes import RECIPES
    from hardpairs.training.runs import net_neighbours, train_and_predict

    dataset, truth = make()
    outcome = train_and_predict(dataset, RECIPES["sprint"], seed=0)
    near, _ = net_neighbours(outcome.trained.model, dataset)
    return Judged(
        dataset.test.labels,
        truth,
        outcome.test.known_probabilities(),
        near.labels.astype(np.int64),
        _known(near.hidden),
        _known(near.edges),
    )


def _by_regression(make: Callable[[], tuple[Dataset, np.ndarray]], penalty: float) -> Judged:
    """Logistic regression on the pixels: weak, and known as predictions from elsewhere are."""
    dataset, truth = make()
    train, test = dataset.train, dataset.test
    seen, new = (split.pixels.reshape(len(split), -1) / 255 for split in (train, test))
    model = LogisticRegression(C=penalty, max_iter=300).fit(seen, train.labels)
    known, asked = edge_components(train.images, test.images)
    classes = len(dataset.class_names)
    near = find_neighbours(known, np.arange(len(known)), train.labels, asked)
    return Judged(
        test.labels,
        truth,
        model.predict_proba(new).astype(np.float32),
        near.labels.astype(np.int64),
        np.empty((0, classes), np.float32),
        _known(class_shares(known, train.labels, asked, classes)),
    )


def _plain(name: str) -> tuple[Dataset, np.ndarray]:
    dataset = load_dataset(name)
    return dataset, np.zeros(len(dataset.test), np.int8)


def _noisy(
    make: Callable[[], tuple[Dataset, np.ndarray]], share: float = 0.04
) -> tuple[Dataset, np.ndarray]:
    """Half of the errors at random, half towards the next class but two, in both splits."""
    dataset, _ = make()
    rng = np.random.default_rng(0)
    classes = len(dataset.class_names)
    parts, truths = [], []
    for split in (dataset.train, dataset.test):
        rows = rng.choice(len(split), round(share * len(split)), replace=False)
        step = np.where(rng.random(len(rows)) < 0.5, rng.integers(1, classes, len(rows)), 2)
        labels, truth = split.labels.copy(), np.zeros(len(split), np.int8)
        labels[rows] = (labels[rows] + step) % classes
        truth[rows] = WRONG
        parts.append(Split(split.images, labels))
        truths.append(truth)
    return replace(dataset, train=parts[0], test=parts[1]), truths[1]


def _crossed() -> tuple[Dataset, np.ndarray]:
    """100 classes: a digit beside a piece of clothing, each half as wide."""
    digits, clothes = load_dataset("digits"), load_dataset("fashion-mnist")
    rng = np.random.default_rng(0)

    def cross(one: Split, other: Split) -> Split:
        order = rng.permutation(len(one))
        halves = [
            split.pixels[rows, :, :, 0].reshape(len(rows), 28, 14, 2).mean(axis=3)
            for split, rows in ((one, order), (other, np.arange(len(other))))
        ]
        images = np.concatenate(halves, axis=2).astype(np.uint8)
        return Split(images, 10 * one.labels[order] + other.labels)

    names = tuple(f"{digit} {piece}" for digit in range(10) for piece in clothes.class_names)
    dataset = replace(
        clothes,
        class_names=names,
        train=cross(digits.train, clothes.train),
        test=cross(digits.test, clothes.test),
    )
    return dataset, np.zeros(len(dataset.test), np.int8)


def _blended() -> tuple[Dataset, np.ndarray]:
    """Digits, of which a tenth are laid half over another; such carry either's label."""
    dataset = load_dataset("digits")
    rng = np.random.default_rng(0)
    parts, truths = [], []
    for split in (dataset.train, dataset.test):
        rows = rng.choice(len(split), len(split) // 10, replace=False)
        others = rng.integers(0, len(split), len(rows))
        images, labels = split.pixels.copy(), split.labels.copy()
        both = images[rows].astype(np.uint16) + images[others]
        images[rows] = (both // 2).astype(np.uint8)
        labels[rows] = np.where(rng.random(len(rows)) < 0.5, labels[rows], labels[others])
        truth = np.zeros(len(split), np.int8)
        truth[rows[split.labels[rows] != split.labels[others]]] = BOTH
        parts.append(Split(images, labels))
        truths.append(truth)
    return replace(dataset, train=parts[0], test=parts[1]), truths[1]


def _small_digits() -> tuple[Dataset, np.ndarray]:
    """scikit-learn's 8 x 8 digits, the odd ones judged."""
    data = load_digits()
    images = (data.images * 255 / 16).astype(np.uint8)
    return _dataset(images, data.target, tuple("0123456789"), np.arange(len(images)) % 2 == 1)


def _glyphs() -> tuple[Dataset, np.ndarray]:
    """Ten letters of one font, turned, scaled and moved, that nobody takes for another."""
    rng = np.random.default_rng(0)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans:bold"), 22)
    letters = "ABEHKMRSTX"
    labels = rng.integers(0, len(letters), 6000)
    images = np.empty((len(labels), 28, 28), np.uint8)
    for row, label in enumerate(labels):
        picture = Image.new("L", (44, 44))
        ImageDraw.Draw(picture).text((22, 22), letters[label], fill=255, font=font, anchor="mm")
        turned = picture.rotate(rng.uniform(-20, 20), Image.Resampling.BILINEAR)
        moved = ndimage.shift(np.asarray(turned, np.float32), rng.uniform(-3, 3, 2), order=1)
        images[row] = np.clip(moved[8:36, 8:36] + rng.normal(0, 12, (28, 28)), 0, 255)
    return _dataset(images, labels, tuple(letters), np.arange(len(labels)) % 2 == 1)


def _dataset(
    images: np.ndarray, labels: np.ndarray, names: tuple[str, ...], tested: np.ndarray
) -> tuple[Dataset, np.ndarray]:
    labels = labels.astype(np.int64)
    dataset = Dataset(
        name="made",
        source="",
        class_names=names,
        train=Split(images[~tested], labels[~tested]),
        test=Split(images[tested], labels[tested]),
    )
    return dataset, np.zeros(int(tested.sum()), np.int8)


FASHION, DIGITS = partial(_plain, "fashion-mnist"), partial(_plain, "digits")
SETS: dict[str, Callable[[], Judged]] = {
    "fashion-mnist": partial(_by_net, FASHION),
    "fashion-mnist, noisy": partial(_by_net, partial(_noisy, FASHION)),
    "digits": partial(_by_net, DIGITS),
    "digits, noisy": partial(_by_net, partial(_noisy, DIGITS)),
    "digits, blended": partial(_by_net, _blended),
    "crossed, 100 classes": partial(_by_net, _crossed),
    "8 x 8 digits": partial(_by_regression, _small_digits, 1.0),
    "8 x 8 digits, noisy": partial(_by_regression, partial(_noisy, _small_digits), 1.0),
    "glyphs": partial(_by_regression, _glyphs, 0.001),
    "glyphs, noisy": partial(_by_regression, partial(_noisy, _glyphs), 0.001),
}
