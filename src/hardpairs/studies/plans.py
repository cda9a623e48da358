"""Plans: which recipes a study trains, on which data."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.studies.jobs import Job, training_count
from hardpairs.training.recipes import RECIPES, Recipe, for_images

ADDED, REMOVED = "added alone", "removed from the full recipe"
STRETCH, EXTRAS = "the lesson's stretch", "from the fast recipes"
BASE_EPOCHS, LONGER_EPOCHS = 2, 7
QUICK_FRACTION = 0.03
QUICK_FACTORS = ("third-block", "flips", "zooms")
QUICK_CURVE_FRACTIONS = (0.01, 0.03)
CURVE_FRACTIONS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
MOST_EPOCHS_TIMES = 4  # A small part of the data is seen more often, up to so many times.


@dataclass(frozen=True)
class Arm:
    """One row of a study: a recipe on a part of a dataset, trained with every seed."""

    name: str
    source: str
    recipe: Recipe
    fraction: float = 1.0

    def jobs(self, seeds: int) -> list[Job]:
        """One job per seed, counted from 0."""
        return [Job(self.source, self.recipe, seed, self.fraction) for seed in range(seeds)]


@dataclass(frozen=True)
class Factor:
    """One thing to add to the lesson's net: fields of the recipe, options of its net, or rows of
    its table of augmentations.
    """

    group: str
    what: str
    changes: dict[str, Any] = field(default_factory=dict)
    net_options: dict[str, Any] = field(default_factory=dict)
    augment: tuple[tuple[str, Any], ...] = ()


FACTORS = {
    "third-block": Factor(
        STRETCH, "a third convolution, of 128 filters", net_options={"third_block": True}
    ),
    "flips": Factor(STRETCH, "mirror half of the images", augment=(("flip", 0.5),)),
    "rotations": Factor(
        STRETCH, "turn by up to 0.005 of a full turn", augment=(("rotate_and_zoom", (0.005, 0.0)),)
    ),
    "zooms": Factor(STRETCH, "scale by up to 2%", augment=(("rotate_and_zoom", (0.0, 0.02)),)),
    "longer": Factor(
        STRETCH,
        f"{LONGER_EPOCHS} epochs instead of {BASE_EPOCHS}, with early stopping",
        {"epochs": LONGER_EPOCHS, "patience": 3},
    ),
    "batch-norm": Factor(
        EXTRAS,
        "batch norm in all layers but the first and the last",
        net_options={"batch_norm": True},
    ),
    "one-cycle": Factor(
        EXTRAS,
        "warm the rate up, then decay it to 0; the same mean rate",
        {"schedule": "one-cycle", "learning_rate": 0.014},
    ),
    "label-smoothing": Factor(
        EXTRAS, "3% of each target spread over all classes", {"label_smoothing": 0.03}
    ),
    "erasing": Factor(EXTRAS, "blank a square of 3 x 3 pixels", augment=(("cutout", 3),)),
}

# What the ablation starts from: the fast recipe's optimizer at a constant rate, half of one-cycle's
# peak, which is one-cycle's mean, in larger batches, for a hundred trainings have to fit an hour.
# Images are held out because the leader is chosen on them.
BASE = replace(
    RECIPES["fast"],
    name="ablation",
    schedule="constant",
    epochs=BASE_EPOCHS,
    batch_size=128,
    learning_rate=0.007,
    validation_share=0.1,
)


def compare_arms(
    sources: Sequence[str], recipes: Sequence[Recipe], *, quick: bool
) -> dict[str, list[Arm]]:
    """Every recipe on every dataset: a block of arms for each dataset, by its name."""
    return {
        name: [
            Arm(recipe.name, source, _quick(recipe, 5) if quick else recipe, _part(quick))
            for recipe in recipes
        ]
        for source, name in distinct_names(sources).items()
    }


def ablate_arms(source: str, factors: Collection[str], *, quick: bool) -> dict[str, list[Arm]]:
    """Two blocks: each factor added alone to the base, and each removed from the full recipe.

    Raises:
        InputError: A factor is unknown, or there are fewer than two.
    """
    unknown = [name for name in factors if name not in FACTORS]
    if unknown:
        raise InputError(
            f"--factors: {unknown[0]} is no factor; choose from {', '.join(FACTORS)}, with commas "
            "between them."
        )
    if len(set(factors)) < 2:
        raise InputError("--factors: one alone has nothing to be ranked against; name two or more.")

    def arm(name: str, chosen: Collection[str]) -> Arm:
        recipe = replace(combine(chosen), name=name)
        return Arm(name, source, _quick(recipe, 1) if quick else recipe, _part(quick))

    return {
        ADDED: [arm("base", ()), *(arm(name, (name,)) for name in factors)],
        REMOVED: [
            arm("full recipe", factors),
            *(
                arm(f"without {name}", [other for other in factors if other != name])
                for name in factors
            ),
        ],
    }


def combine(factors: Collection[str]) -> Recipe:
    """Return the ablation's base with these factors added, in the order of `FACTORS`."""
    recipe, table = BASE, dict[str, Any]()
    for factor in (factor for name, factor in FACTORS.items() if name in factors):
        options = {**recipe.net_options, **factor.net_options}
        recipe = replace(recipe, net_options=options, **factor.changes)
        for name, value in factor.augment:
            # Rotations and zooms together are one resampling: each blurs.
            both = name == "rotate_and_zoom" and name in table
            table[name] = tuple(np.add(table[name], value).tolist()) if both else value
    return replace(recipe, augment=tuple(table.items()))


def curve_arms(
    sources: Sequence[str], recipes: Sequence[Recipe], *, quick: bool
) -> dict[str, list[Arm]]:
    """Every recipe on growing parts of every dataset: a block for each part."""
    return {
        f"{name}, {100 * fraction:g}% of the images": [
            Arm(
                recipe.name,
                source,
                _quick(recipe, 5) if quick else _stretch(recipe, fraction),
                fraction,
            )
            for recipe in recipes
        ]
        for source, name in distinct_names(sources).items()
        for fraction in (QUICK_CURVE_FRACTIONS if quick else CURVE_FRACTIONS)
    }


def for_data(
    plan: Mapping[str, Sequence[Arm]], datasets: Mapping[str, Dataset]
) -> tuple[dict[str, list[Arm]], list[str]]:
    """Return a plan whose recipes suit the number of images, and what changed; see `for_images`."""
    fitted, notes = dict[str, list[Arm]](), dict[str, None]()
    for name, arms in plan.items():
        fitted[name] = []
        for arm in arms:
            count = training_count(arm.fraction, datasets[arm.source])
            recipe, note = for_images(arm.recipe, count)
            fitted[name].append(replace(arm, recipe=recipe))
            notes[note] = None
    return fitted, list(filter(None, notes))


def distinct_names(sources: Iterable[str]) -> dict[str, str]:
    """Name every source by the last part of its path, or more of it where that is another's too.

    Names that come to the same file's name count as the same; what no path tells apart is numbered.

    >>> distinct_names(["digits", "/a/cats", "/b/cats"])
    {'digits': 'digits', '/a/cats': 'a/cats', '/b/cats': 'b/cats'}
    """
    parts = {source: Path(source).parts for source in sources}
    taken = dict.fromkeys(parts, 1)
    while True:
        names = {source: "/".join(parts[source][-taken[source] :]) for source in parts}
        plain = {source: in_file_name(name).casefold() for source, name in names.items()}
        count = Counter(plain.values())
        longer = [s for s in parts if count[plain[s]] > 1 and taken[s] < len(parts[s])]
        if not longer:
            break
        for source in longer:
            taken[source] += 1
    numbered = Counter[str]()
    for source, name in names.items():
        numbered[plain[source]] += 1
        if numbered[plain[source]] > 1:
            names[source] = f"{name} ({numbered[plain[source]]})"
    return names


def in_file_name(name: str) -> str:
    """A name as part of a file's: letters and digits as they are, a stroke for everything else.

    >>> in_file_name("a/my_cats")
    'a-my-cats'
    """
    return re.sub(r"[\W_]", "-", name)


def _stretch(recipe: Recipe, fraction: float) -> Recipe:
    return replace(recipe, epochs=round(recipe.epochs * min(1 / fraction, MOST_EPOCHS_TIMES)))


def _quick(recipe: Recipe, epochs: int) -> Recipe:
    return replace(recipe, epochs=min(recipe.epochs, epochs))


def _part(quick: bool) -> float:
    return QUICK_FRACTION if quick else 1.0
