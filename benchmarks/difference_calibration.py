"""How often the intervals of `hardpairs diff` hold the truth, and how often its gate errs.

    python benchmarks/difference_calibration.py [--pairs 1000] [--many 100000]

Two models are simulated image by image, recipes with several seeds from images of unequal
difficulty (study_calibration.py). Classes and pairs: difference_classes.py. Prints a table, writes
benchmarks/difference_calibration.json.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardpairs.analysis.changes import measure_change
from hardpairs.analysis.significance import SIGNIFICANCE, mcnemar, newcombe_bounds
from simulated import publish, share
from study_calibration import IMAGES, simulate

ACCURACY, DISCORDANT = 0.94, 0.04  # The second: two runs of one recipe, measured.


@dataclass(frozen=True)
class Outcome:
    """Of many simulated comparisons: how many, and in how many what happened."""

    setting: str
    comparisons: int
    covered: int
    failed: int


def two_models(
    setting: str,
    count: int,
    images: int,
    loss: float,
    accuracy: float = ACCURACY,
    allowed: float = 0.0,
) -> Outcome:
    """Simulate pairs of models, the second worse by ``loss``, and look at their intervals.

    The gate fails as ``--fail-if-worse`` does where ``allowed`` may be lost.
    """
    only_b, only_a = (DISCORDANT - loss) / 2, (DISCORDANT + loss) / 2
    both = accuracy - only_a
    shares = [both, only_b, only_a, 1 - both - only_b - only_a]
    tables = np.random.default_rng(20_260_101).multinomial(images, shares, count)
    low, high = newcombe_bounds(*tables.T)
    covered = (low <= -loss) & (-loss <= high)
    _, fixed, broken, _ = tables.T
    fails = (high < -allowed) & (mcnemar(fixed, broken) < SIGNIFICANCE)
    return Outcome(setting, count, int(covered.sum()), int(fails.sum()))


def two_recipes(
    setting: str,
    count: int,
    seeds: tuple[int, int],
    loss: float,
    *,
    matched: bool = False,
    allowed: float = 0.0,
) -> Outcome:
    """The same with several seeds of two recipes."""
    rng = np.random.default_rng(20_260_102)
    covered = failed = 0
    for _ in range(count):
        # The better recipe is the last; A is the better one here.
        worse, better = simulate(rng, 2, max(seeds), loss)
        change = measure_change(better[: seeds[0]], worse[: seeds[1]], matched=matched)
        low, high = change.interval or (0.0, 0.0)
        covered += low <= -loss <= high
        failed += high < -allowed and change.significant
    return Outcome(setting, count, int(covered), int(failed))


def main() -> None:
    """Parse, run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    many, studies = options.many, options.studies
    outcomes = [
        two_models(f"{options.pairs:,} pairs of equal models", options.pairs, IMAGES, 0.0),
        two_models("equal models", many, IMAGES, 0.0),
        two_models("equal models, 1,000 images", many, 1000, 0.0),
        two_models("equal models, 100 images", many, 100, 0.0),
        two_models("equal models, 97.5% right, 1,000 images", many, 1000, 0.0, 0.975),
        two_models("a loss of 0.5 points, 0.5 allowed", many, IMAGES, 0.005, allowed=0.005),
        two_models("a loss of 2 points, 2 allowed, 1,000 images", many, 1000, 0.02, allowed=0.02),
        two_models("a loss of 0.5 points", many, IMAGES, 0.005),
        two_models("a loss of 1 point", many, IMAGES, 0.01),
        two_models("a loss of 2 points, 1,000 images", many, 1000, 0.02),
        two_recipes("equal recipes, 5 and 3 seeds", studies, (5, 3), 0.0),
        two_recipes("equal recipes, 2 and 5 seeds", studies, (2, 5), 0.0),
        two_recipes("equal recipes, 2 matched seeds", studies, (2, 2), 0.0, matched=True),
        two_recipes("equal recipes, 3 and 3 seeds", studies, (3, 3), 0.0),
        two_recipes("equal recipes, 5 matched seeds", studies, (5, 5), 0.0, matched=True),
        two_recipes("equal recipes, 3 and 1 seed", studies, (3, 1), 0.0),
        two_recipes("a loss of 0.5, 0.5 allowed, 5 and 3", studies, (5, 3), 0.005, allowed=0.005),
        two_recipes("a loss of 0.5 points, 5 and 3 seeds", studies, (5, 3), 0.005),
        two_recipes("a loss of 0.5, 5 matched seeds", studies, (5, 5), 0.005, matched=True),
    ]
    publish(
        outcomes,
        options.out,
        title="95% confidence intervals, and --fail-if-worse (0 but where said), with Wilson's",
        columns=("setting", "comparisons", "interval holds the truth", "gate fails"),
        rows=[
            (each.setting, f"{each.comparisons:,}", *(
                share(count, each.comparisons, 2) for count in (each.covered, each.failed)
            ))
            for each in outcomes
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
