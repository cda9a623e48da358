"""Comparing recipes from their predictions: several seeds each, on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardpairs.analysis.changes import Change, class_changes, hardest_pairs, pair_changes
from hardpairs.analysis.evaluation import HardPair
from hardpairs.analysis.moderation import moderate
from hardpairs.analysis.significance import (
    SIGNIFICANCE,
    CrossedError,
    crossed_error,
    holm,
    mcnemar,
    mean_interval,
    paired_bootstrap,
)
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions

SHOWN_PAIRS = 3


@dataclass(frozen=True)
class Block:
    """Recipes that are compared with each other: the same seeds, the same images.

    Attributes:
        names: A recipes; the first is what the others are compared with.
        class_names: K names.
        labels: int64 (N,).
        predicted: int64 (A, S, N), for every recipe and seed.
        seconds: float64 (A, S), of training.
    """

    names: tuple[str, ...]
    class_names: tuple[str, ...]
    labels: np.ndarray
    predicted: np.ndarray
    seconds: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """bool (A, S, N)."""
        return self.predicted == self.labels


@dataclass(frozen=True)
class Score:
    """One recipe: accuracy of each seed, their mean with its 95% t interval, seconds to train."""

    name: str
    accuracies: tuple[float, ...]
    mean: float
    interval: tuple[float, float]
    seconds: float


@dataclass(frozen=True)
class ClassGain:
    """The change of a class's recall, see `hardpairs.analysis.changes.class_changes`."""

    name: str
    change: Change


@dataclass(frozen=True)
class PairGain:
    """The change of the mistakes between two classes, see `hardpairs.analysis.changes`."""

    first: str
    second: str
    change: Change


@dataclass(frozen=True)
class SeedTest:
    """Two fitted models of one seed: images fixed and broken, exact McNemar p-value."""

    fixed: int
    broken: int
    p_value: float


@dataclass(frozen=True)
class Effect:
    """What one recipe gains over another.

    Attributes:
        name, reference: The two recipes.
        gain: Difference of mean accuracies.
        interval: 95%, over seeds and images, see `significance.CrossedError`.
        bootstrap: 95%, the paired bootstrap over seeds and images.
        p_value: By the same analysis as ``interval``, after Holm over the block's effects.
        significant: Whether that is below 5%.
        seeds_needed: To tell an effect of this size in 80% of studies; None if over 1,000.
        errors_removed: The gain as a share of the reference's mistakes; None where it makes none.
        seeds: McNemar's test for each seed.
        classes: One `ClassGain` for each class that has images.
        pairs: The hardest pairs of all recipes together, so that none is favoured.
        extra_seconds: Mean training time, more than the reference's.
    """

    name: str
    reference: str
    gain: float
    interval: tuple[float, float]
    bootstrap: tuple[float, float]
    p_value: float
    significant: bool
    seeds_needed: int | None
    errors_removed: float | None
    seeds: tuple[SeedTest, ...]
    classes: tuple[ClassGain, ...]
    pairs: tuple[PairGain, ...]
    extra_seconds: float


@dataclass(frozen=True)
class Leader:
    """The recipe that is best on the validation images, and what it is significantly better than.

    Attributes:
        name: The leader.
        gain: Over the block's first recipe, on the test images.
        rivals: Recipes that it isn't significantly better than; empty where it is the winner.
        seeds_needed: To tell the nearest of them from it; None where there is none, or over 1,000.
    """

    name: str
    gain: float
    rivals: tuple[str, ...]
    seeds_needed: int | None


def make_block(names: Sequence[str], runs: Sequence[Sequence[Predictions]]) -> Block:
    """Put recipes side by side.

    Args:
        names: One per recipe.
        runs: For each recipe its predictions, one per seed, the same seeds in the same order.

    Raises:
        InputError: Fewer than two seeds, or predictions of different images.
    """
    first = runs[0][0]
    if len(runs[0]) < 2:
        raise InputError("--seeds: one seed shows no spread; compare at least two.")
    for run in (run for row in runs for run in row):
        if not (np.array_equal(run.ids, first.ids) and np.array_equal(run.labels, first.labels)):
            raise InputError("recipes to compare were predicted on different images; redo them.")
    return Block(
        names=tuple(names),
        class_names=first.class_names,
        labels=first.labels,
        predicted=np.array([[run.predicted for run in row] for row in runs]),
        seconds=np.array([[run.metadata.get("fit_seconds", 0.0) for run in row] for row in runs]),
    )


def scores(block: Block) -> tuple[Score, ...]:
    """Return every recipe's accuracy."""
    result = []
    for name, row, seconds in zip(
        block.names, block.correct.mean(axis=2), block.seconds, strict=True
    ):
        low, high = mean_interval(row)
        interval = max(low, 0.0), min(high, 1.0)
        accuracies = tuple(row.tolist())
        result.append(Score(name, accuracies, float(row.mean()), interval, float(seconds.mean())))
    return tuple(result)


def effects(block: Block) -> tuple[Effect, ...]:
    """Compare every recipe with the first; in the block's order."""
    correct = block.correct
    error = _error(correct)
    means = correct.mean(axis=(1, 2))
    gains = [float(gain) for gain in means[1:] - means[0]]
    p_values = holm(np.array([error.p_value(gain) for gain in gains]))
    pairs = hardest_pairs(block.labels, tuple(block.predicted), SHOWN_PAIRS)
    result = []
    for index, (gain, p_value) in enumerate(zip(gains, p_values, strict=True), start=1):
        fixed = (correct[index] & ~correct[0]).sum(axis=1)
        broken = (correct[0] & ~correct[index]).sum(axis=1)
        differences = correct[index].astype(np.int8) - correct[0]
        result.append(
            Effect(
                name=block.names[index],
                reference=block.names[0],
                gain=gain,
                interval=error.interval(gain),
                bootstrap=paired_bootstrap(differences),
                p_value=float(p_value),
                significant=bool(p_value < SIGNIFICANCE),
                seeds_needed=error.seeds_needed(gain, len(gains)),
                errors_removed=gain / (1 - float(means[0])) if means[0] < 1 else None,
                seeds=tuple(
                    SeedTest(int(m), int(b), float(mcnemar(m, b)))
                    for m, b in zip(fixed, broken, strict=True)
                ),
                classes=_class_gains(block, index),
                pairs=_pair_gains(block, index, pairs),
                extra_seconds=float(block.seconds[index].mean() - block.seconds[0].mean()),
            )
        )
    return tuple(result)


def choose_leader(block: Block, validation: Block) -> Leader:
    """Choose the best recipe on validation images and test it against all others on ``block``.

    Chosen on other images than it is tested on, it needs no correction for having been chosen.
    """
    leader = int(validation.correct.mean(axis=(1, 2)).argmax())
    correct = block.correct
    error = _error(correct)
    means = correct.mean(axis=(1, 2))
    others = [index for index in range(len(means)) if index != leader]
    ahead = [float(means[leader] - means[index]) for index in others]
    p_values = holm(np.array([error.p_value(difference) for difference in ahead]))
    close = [
        index
        for index, difference, p_value in zip(others, ahead, p_values, strict=True)
        if difference <= 0 or p_value >= SIGNIFICANCE
    ]
    gaps = [abs(float(means[leader] - means[index])) for index in close]
    return Leader(
        name=block.names[leader],
        gain=float(means[leader] - means[0]),
        rivals=tuple(block.names[index] for index in close),
        seeds_needed=error.seeds_needed(min(gaps), len(others)) if gaps else None,
    )


def _error(correct: np.ndarray) -> CrossedError:
    """Of bool (A, S, N), no smaller than chance alone makes it: as `hardpairs diff` has it."""
    return moderate([crossed_error(correct)], [correct.shape[2]])[0]


def fixed_seeds(block: Block, index: int) -> np.ndarray:
    """Seeds in which recipe ``index`` fixes an image less those in which it breaks it, int (N,)."""
    correct = block.correct
    return (correct[index].astype(np.int64) - correct[0]).sum(axis=0)


def _class_gains(block: Block, index: int) -> tuple[ClassGain, ...]:
    first, other = block.predicted[0], block.predicted[index]
    changes = class_changes(block.labels, first, other, matched=True)
    return tuple(ClassGain(block.class_names[place], change) for place, change in changes.items())


def _pair_gains(block: Block, index: int, pairs: Sequence[HardPair]) -> tuple[PairGain, ...]:
    first, other = block.predicted[0], block.predicted[index]
    changes = pair_changes(block.labels, first, other, pairs, matched=True)
    names = block.class_names
    return tuple(
        PairGain(names[pair.first], names[pair.second], change)
        for pair, change in zip(pairs, changes, strict=True)
    )
