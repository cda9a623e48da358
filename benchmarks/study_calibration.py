"""How often a study names an effect that isn't there, and how often it finds one that is.

    python benchmarks/study_calibration.py [--studies 200]

Studies are simulated from images of unequal difficulty and seeds of unequal luck, as measured:
about 92.5% right, runs of one recipe 0.2 points apart. Prints a table, writes
benchmarks/study_calibration.json.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from hardpairs.analysis.significance import SIGNIFICANCE, crossed_error, holm
from simulated import publish, share

IMAGES = 10_000
MEAN, SPREAD = 4.6, 2.9  # Of an image's log odds of being right: 92.5% right, most for certain.
SEED_LUCK = 0.04  # Standard deviation of a whole run's log odds.
TASTE = 0.3  # How differently two equally good recipes find one image, in log odds.


@dataclass(frozen=True)
class Outcome:
    """Of many simulated studies: how many, and in how many something was said."""

    setting: str
    recipes: int
    seeds: int
    gain: float
    studies: int
    any_effect: int
    winner: int
    planted_found: int


def simulate(
    rng: np.random.Generator, recipes: int, seeds: int, gain: float = 0.0, taste: float = 0.0
) -> np.ndarray:
    """Who is right, bool (recipes, seeds, images); the last recipe is better by ``gain``."""
    ease = rng.normal(MEAN, SPREAD, IMAGES)
    right = expit(ease).mean()
    lift = brentq(lambda lift: expit(ease + lift).mean() - right - gain, -1, 3)
    tastes = rng.normal(0, taste, (recipes, IMAGES)) if taste else np.zeros((recipes, 1))
    # What makes an image easier for one recipe makes another harder: no recipe gains by it.
    tastes = np.array([_centred(ease, row) if taste else row for row in tastes])
    lifts = np.array([0.0] * (recipes - 1) + [lift])
    odds = (ease + tastes + lifts[:, None]).astype(np.float32)[:, None]
    luck = rng.normal(0, SEED_LUCK, (recipes, seeds, 1)).astype(np.float32)
    return rng.random((recipes, seeds, IMAGES), dtype=np.float32) < expit(odds + luck)


def _centred(ease: np.ndarray, taste: np.ndarray) -> np.ndarray:
    """Shift a recipe's tastes so that it is as good over all imaginable images as without."""
    spread = np.sqrt(SPREAD**2 + TASTE**2)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()

    def accuracy(shift: float, deviation: float) -> float:
        return float(weights @ expit(MEAN + shift + deviation * nodes))

    shift = brentq(lambda shift: accuracy(shift, spread) - accuracy(0, SPREAD), -1, 1)
    return taste + shift


def study(correct: np.ndarray) -> tuple[np.ndarray, bool]:
    """Which effects over the first recipe are significant, and whether a winner is named.

    The last recipe leads: where nothing differs, whichever the validation images pick is as good
    as any, and a planted effect is taken to be seen on them.
    """
    error, means = crossed_error(correct), correct.mean(axis=(1, 2))
    found = holm(np.array([error.p_value(gain) for gain in means[1:] - means[0]])) < SIGNIFICANCE
    leader = len(means) - 1
    ahead = means[leader] - np.delete(means, leader)
    beaten = holm(np.array([error.p_value(gain) for gain in ahead])) < SIGNIFICANCE
    return found, bool((beaten & (ahead > 0)).all())


def repeat(
    setting: str, studies: int, recipes: int, seeds: int, gain: float, taste: float = 0.0
) -> Outcome:
    """Simulate and analyse so many studies."""
    rng = np.random.default_rng(20_240_501)
    results = [study(simulate(rng, recipes, seeds, gain, taste)) for _ in range(studies)]
    return Outcome(
        setting=setting,
        recipes=recipes,
        seeds=seeds,
        gain=gain,
        studies=studies,
        any_effect=sum(bool(found.any()) for found, _ in results),
        winner=sum(winner for _, winner in results),
        planted_found=sum(bool(found[-1]) for found, _ in results) if gain else 0,
    )


def main() -> None:
    """Parse, run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    outcomes = [
        repeat(name, options.studies, recipes, seeds, gain, taste)
        for name, recipes, seeds, gain, taste in (
            ("no effect, 9 factors", 10, 5, 0.0, 0.0),
            ("no effect, 9 factors, tastes differ", 10, 5, 0.0, TASTE),
            ("no effect, 2 recipes", 2, 5, 0.0, 0.0),
            ("no effect, 2 recipes, tastes differ", 2, 5, 0.0, TASTE),
            ("one factor of 9 gains 0.5 points", 10, 10, 0.005, 0.0),
            ("one factor of 9 gains 0.5, tastes differ", 10, 10, 0.005, TASTE),
            ("one factor of 9 gains 0.5 points", 10, 5, 0.005, 0.0),
            ("2 recipes, gain 0.5 points", 2, 10, 0.005, 0.0),
        )
    ]
    rows = []
    for each in outcomes:
        shares = [share(count, each.studies) for count in (each.any_effect, each.winner)]
        planted = share(each.planted_found, each.studies) if each.gain else ""
        rows.append((each.setting, f"{each.seeds}", *shares, planted))
    publish(
        outcomes,
        options.out,
        title=f"{options.studies} simulated studies each, 95% Wilson intervals",
        columns=("setting", "seeds", "any effect told", "winner named", "planted one found"),
        rows=rows,
    )


if __name__ == "__main__":
    main()
