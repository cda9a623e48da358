"""Predictions of several runs of one recipe, for what compares models."""

import numpy as np

from hardpairs.predictions.predictions import Predictions


def runs(
    accuracy: float, seeds: int, images: int = 4000, first: int = 0, **fields
) -> list[Predictions]:
    """Runs of one recipe: the same images are hard for all, chance and seed decide the rest."""
    rng = np.random.default_rng(99)
    labels, ease = rng.integers(0, 5, images), rng.normal(0, 1.5, images)
    made = []
    for seed in range(first, first + seeds):
        chance = np.random.default_rng([seed, round(1000 * accuracy)])
        lift = np.log(accuracy / (1 - accuracy)) * 1.6 + chance.normal(0, 0.03)
        right = chance.random(images) < 1 / (1 + np.exp(-ease - lift))
        predicted = np.where(right, labels, (labels + chance.integers(1, 5, images)) % 5)
        probabilities = np.full((images, 5), 0.05)
        probabilities[np.arange(images), predicted] = 0.8
        metadata = {"seed": seed, "recipe": {"name": f"r{accuracy}"}}
        names = tuple("abcde")
        made.append(Predictions(labels, probabilities, names, metadata=metadata, **fields))
    return made
