"""How often `hardpairs diff` names a class or a pair that nothing but chance made different.

    python benchmarks/difference_classes.py [--comparisons 1000]

Ten classes of 1,000 images each are simulated, confused as Fashion-MNIST's are: 94% right, runs of
one recipe 0.2 points apart in all, up to 3.5 in one class, and 4% of their images right in only one
of two runs. Prints a table, writes benchmarks/difference_classes.json.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardpairs.analysis.changes import Change, class_changes, hardest_pairs, pair_changes
from hardpairs.analysis.difference import KEPT_PAIRS
from simulated import publish, share

CLASSES, IMAGES = 10, 10_000
LABELS = np.repeat(np.arange(CLASSES), IMAGES // CLASSES)
# Test images by true and predicted class, of `sprint`'s seed 0: which classes are alike.
CONFUSIONS = np.array(
    [
        [843, 0, 16, 16, 2, 2, 114, 0, 7, 0],
        [0, 985, 0, 9, 3, 0, 2, 0, 1, 0],
        [14, 1, 856, 8, 58, 0, 62, 0, 1, 0],
        [7, 6, 9, 899, 33, 0, 41, 0, 5, 0],
        [0, 1, 33, 18, 876, 0, 72, 0, 0, 0],
        [0, 0, 0, 0, 0, 984, 0, 10, 0, 6],
        [86, 2, 47, 19, 63, 0, 776, 0, 7, 0],
        [0, 0, 0, 0, 0, 8, 0, 976, 0, 16],
        [1, 1, 1, 5, 1, 3, 4, 3, 981, 0],
        [0, 0, 0, 0, 0, 5, 1, 41, 0, 953],
    ]
)
ALIKE = 1.8 * np.log((CONFUSIONS + CONFUSIONS.T + 1) / 2000)
EASE = 2.0  # Standard deviation of an image's scores around its class's.
LUCK = 0.2  # Of a run's liking for a class: recalls of one class then vary by 0.1 to 3.5 points.
CHANCE = 0.7  # Of what else a run finds in an image.
PLANTED = 9  # The class that is made worse: Ankle boot, as Sneaker.
TAKEN_FOR = 7


@dataclass(frozen=True)
class Setting:
    """Which comparisons: seeds of both sides, and what differs between them.

    Attributes:
        name: In the table.
        seeds: Of A and B.
        matched: Whether the same seeds are compared with each other.
        luck: Of A's and B's runs.
        same_luck: Whether A's and B's runs have the same liking for each class: then two models
            are equally good in every class, and not only two recipes.
        uneven: Whether runs like some classes far more unequally than others, 0.2 to 2 times as
            much.
        loss: What B's images of the planted class score more for another.
    """

    name: str
    seeds: tuple[int, int]
    matched: bool = False
    luck: tuple[float, float] = (LUCK, LUCK)
    same_luck: bool = False
    uneven: bool = False
    loss: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """Of many comparisons: in how many a class, a pair, a worse class, the planted one was named.

    ``planted_points`` is how much of its recall the planted class lost, on average.
    """

    setting: str
    comparisons: int
    classes: int
    pairs: int
    worse_classes: int
    planted: int
    planted_points: float


SETTINGS = (
    Setting("equal models", (1, 1), same_luck=True),
    Setting("two seeds of a recipe, as models", (1, 1)),
    Setting("3 seeds and 1: not tested", (3, 1)),
    Setting("2 and 2 seeds", (2, 2)),
    Setting("3 and 3 seeds", (3, 3)),
    Setting("3 matched seeds", (3, 3), matched=True),
    Setting("3 and 5 seeds", (3, 5)),
    Setting("5 and 5 seeds", (5, 5)),
    Setting("3 and 3 seeds, half the luck", (3, 3), luck=(LUCK / 2, LUCK / 2)),
    Setting("3 and 3 seeds, twice the luck", (3, 3), luck=(2 * LUCK, 2 * LUCK)),
    Setting("3 and 3 seeds, B's luck 1.5 times A's", (3, 3), luck=(LUCK, 1.5 * LUCK)),
    Setting("3 and 3 seeds, uneven luck", (3, 3), uneven=True),
    Setting("a class is worse, 1 and 1 seed", (1, 1), same_luck=True, loss=1.0),
    Setting("a class is worse, 3 and 3 seeds", (3, 3), loss=1.0),
    Setting("a class is worse, 5 and 5 seeds", (5, 5), loss=1.0),
)


def simulate(rng: np.random.Generator, setting: Setting) -> list[np.ndarray]:
    """Predicted classes, int64 (seeds, IMAGES), of A and B."""
    ease = rng.standard_normal((IMAGES, CLASSES), dtype=np.float32)
    scores = (ALIKE[LABELS] + EASE * ease).astype(np.float32)
    likings = rng.standard_normal((2, max(setting.seeds), CLASSES)).astype(np.float32)
    if setting.uneven:
        likings *= rng.permutation(np.linspace(0.2, 2, CLASSES)).astype(np.float32)
    if setting.same_luck:
        likings[1] = likings[0]
    sides = []
    for side, seeds in enumerate(setting.seeds):
        of_side = scores.copy()
        if side == 1:
            of_side[LABELS == PLANTED, TAKEN_FOR] += setting.loss
        predicted = [
            (
                of_side
                + setting.luck[side] * likings[side, seed]
                + CHANCE * rng.standard_normal(scores.shape, dtype=np.float32)
            ).argmax(axis=1)
            for seed in range(seeds)
        ]
        sides.append(np.array(predicted))
    return sides


def repeat(setting: Setting, comparisons: int) -> Outcome:
    """Simulate and compare so many times."""
    rng = np.random.default_rng(20_260_103)
    found = np.zeros(4, np.int64)
    lost = 0.0
    for _ in range(comparisons):
        before, after = simulate(rng, setting)
        matched = setting.matched
        classes = class_changes(LABELS, before, after, matched=matched)
        pairs = hardest_pairs(LABELS, (before, after), KEPT_PAIRS)
        of_pairs = pair_changes(LABELS, before, after, pairs, matched=matched)
        planted = classes[PLANTED]
        found += [
            any(change.significant for change in classes.values()),
            any(change.significant for change in of_pairs),
            any(map(_is_worse, classes.values())),
            _is_worse(planted),
        ]
        lost -= 100 * planted.difference / comparisons
    classes_named, pairs_named, worse, planted_named = found.tolist()
    return Outcome(
        setting=setting.name,
        comparisons=comparisons,
        classes=classes_named,
        pairs=pairs_named,
        worse_classes=worse,
        planted=planted_named if setting.loss else 0,
        planted_points=lost if setting.loss else 0.0,
    )


def _is_worse(change: Change) -> bool:
    """As ``--fail-if-worse 0 --per-class`` says it."""
    return change.significant and change.interval is not None and change.interval[1] < 0


def main() -> None:
    """Parse, run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comparisons", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    outcomes = [repeat(setting, options.comparisons) for setting in SETTINGS]
    rows = []
    for each in outcomes:
        counts = (each.classes, each.pairs, each.worse_classes)
        planted = ""
        if each.planted_points:
            planted = f"{share(each.planted, each.comparisons)}, {each.planted_points:.1f} points"
        rows.append((each.setting, *(share(count, each.comparisons) for count in counts), planted))
    publish(
        outcomes,
        options.out,
        title=f"{options.comparisons:,} comparisons each; 95% Wilson intervals",
        columns=(
            *("setting", "a class named", "a pair named", "a class worse (--per-class)"),
            "the planted one",
        ),
        rows=rows,
    )


if __name__ == "__main__":
    main()
