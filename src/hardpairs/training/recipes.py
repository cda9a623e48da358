"""Recipes: what is trained how, as data; each row says how it differs from another."""

import json
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from math import ceil
from typing import Any, Literal

from hardpairs.errors import InputError

# Fields that are for people and decide nothing.
WORDS_ONLY = ("name", "description", "measured", "on_gpu")
# See `for_images`; what is enough was measured, see docs/speed.md.
MADE_FOR, MANY_IMAGES = 60_000, 40_000
ENOUGH_STEPS, STEPS_OF_AN_EPOCH, SMALLEST_BATCH = 300, 64, 32
# Measured, see docs/speed.md.
WITHOUT_BF16 = "a training takes four to five times as long as its recipe says"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training but the data, the seed and the precision.

    A variant is ``dataclasses.replace(recipe, epochs=2)``.

    Attributes:
        name: How the command line calls it.
        description: What is trained, in a few words.
        measured: Its accuracy on Fashion-MNIST's test images and the time of its ``fit`` on two
            cores that multiply bf16, with the number of seeds; see docs/speed.md.
        on_gpu: The same on one NVIDIA H200, where that was measured: the time without compiling.
        net: Name of a function in `hardpairs.training.nets.NETS`.
        net_options: What that function takes beside the shape of the images and the classes.
        epochs: Passes over the training images, at most.
        batch_size: Images per step.
        optimizer: "adam" as Keras has it; "adamw" (Loshchilov, Hutter, ICLR 2019); "muon", see
            `hardpairs.training.optimizers.ConvolutionMuon`.
        learning_rate: The constant rate, or the peak of the one-cycle schedule.
        schedule: "constant", or "one-cycle": linear warm-up, then linear decay to 0.
        warm_up_share: Share of the steps that one-cycle warms up.
        momentum: Of Muon; a short training is better off with less of it.
        adam_share: Rate of what AdamW trains beside Muon, as a share of Muon's.
        weight_decay: Of AdamW and Muon; biases and normalisation have none.
        label_smoothing: Share of each target spread over all classes.
        augment: Changes made to each batch, in this order: names and values that
            `hardpairs.training.augment.augment` knows.
        mixup: Blends pairs of images and their targets, see `hardpairs.training.augment.mix`: the
            parameter of the beta distribution of their shares; 0 for none.
        easy_by: A recipe that finds the easy images, those of whose label it is surest once it
            was trained on them; None where no image is easy.
        easy_share: Share of the training images that is easy.
        easy_every: An easy image is in one of so many epochs, the others are in each, so that
            there is time for more epochs.
        validation_share: Share of the training images held out to watch, never trained on.
        patience: Stop after so many epochs without a lower validation loss and restore the best
            weights; 0 trains all epochs and keeps the last weights.
    """

    name: str
    description: str
    measured: str
    net: str
    epochs: int
    on_gpu: str = ""
    net_options: dict[str, Any] = field(default_factory=dict, hash=False)
    batch_size: int = 128
    optimizer: Literal["adam", "adamw", "muon"] = "adam"
    learning_rate: float = 0.001
    schedule: Literal["constant", "one-cycle"] = "constant"
    warm_up_share: float = 0.1
    momentum: float = 0.95
    adam_share: float = 0.2
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    augment: tuple[tuple[str, Any], ...] = ()
    mixup: float = 0.0
    easy_by: "Recipe | None" = None
    easy_share: float = 0.0
    easy_every: int = 1
    validation_share: float = 0.1
    patience: int = 0


_LESSON = Recipe(
    name="lesson",
    description="The lesson's CNN under the lesson's settings.",
    measured="92.3% in 70 s (1 seed)",
    net="cnn",
    epochs=20,
    patience=3,
)
_DENSE = replace(
    _LESSON,
    name="dense",
    description="The dense net under the lesson's settings.",
    measured="88.0% in 14 s (3 seeds)",
    net="dense",
)
_FAST = replace(
    _LESSON,
    name="fast",
    description="The lesson's CNN under the fast schedule.",
    measured="92.0% in 19 s (3 seeds)",
    epochs=3,
    patience=0,
    batch_size=64,
    optimizer="muon",
    learning_rate=0.01,
    schedule="one-cycle",
    weight_decay=0.01,
    validation_share=0.0,
)
_FAST_DENSE = replace(
    _FAST,
    name="fast-dense",
    description="The dense net under the fast schedule.",
    measured="88.5% in 14 s (3 seeds)",
    net="dense",
    epochs=12,
    optimizer="adamw",
    learning_rate=0.002,
)
_ONE_EPOCH = replace(
    _FAST,
    name="one epoch",
    description="The net of quick for one epoch, to find easy images.",
    measured="91.7% in 4.0 s (10 seeds)",
    net="cosine",
    net_options={"filters": (48, 96, 128), "padding": ("valid",) * 3, "all_patterns": False},
    epochs=1,
    batch_size=192,
    learning_rate=0.03,
    momentum=0.8,
    adam_share=0.4,
)
_SPRINT = replace(
    _ONE_EPOCH,
    name="sprint",
    description="A fixed layer, three convolutions, one epoch.",
    measured="91.4% in 2.7 s (10 seeds)",
    on_gpu="91.5% in 0.9 s (3 seeds)",
    net_options={**_ONE_EPOCH.net_options, "filters": (32, 64, 128)},
    batch_size=256,
    learning_rate=0.036,
)
_QUICK = replace(
    _SPRINT,
    name="quick",
    description="A wider sprint, three epochs, flips.",
    measured="93.2% in 8.5 s (10 seeds)",
    on_gpu="93.2% in 1.5 s (3 seeds)",
    net_options={**_ONE_EPOCH.net_options, "mirror_average": True},
    epochs=3,
    momentum=0.9,
    label_smoothing=0.05,
    augment=(("flip", "alternating"),),
)
_STRONG = replace(
    _QUICK,
    name="strong",
    description="Four convolutions, nine epochs, augmented.",
    measured="94.3% in 51 s (5 seeds)",
    on_gpu="94.4% in 5.3 s (3 seeds, 10 epochs)",
    net="full_size",
    net_options={"all_patterns": False, "mirror_average": True},
    epochs=9,
    augment=(("flip", "alternating"), ("shift", 1)),
    easy_by=_ONE_EPOCH,
    easy_share=0.6,
    easy_every=3,
)
_SMALL = replace(
    _STRONG,
    name="small",
    description="Under 100,000 parameters, 110 epochs.",
    measured="95.0% in 465 s (3 seeds)",
    on_gpu="",
    net_options={**_STRONG.net_options, "channels": (32, 64, 64)},
    epochs=110,
    augment=(*_STRONG.augment, ("erase", 0.25)),
)
_BEST = replace(
    _STRONG,
    name="best",
    description="Eight convolutions, 23 epochs, augmented.",
    measured="95.0% in 378 s (5 seeds)",
    on_gpu="95.1% in 14 s (3 seeds)",
    net_options={**_STRONG.net_options, "pairs": 1},
    epochs=23,
    easy_every=2,
    augment=(*_STRONG.augment, ("erase", 0.25)),
)
_RECORD = replace(
    _BEST,
    name="record",
    description="14 wider convolutions, for a GPU.",
    measured="for a GPU, see below",
    on_gpu="95.9% in 106 s (2 seeds)",
    net_options={**_STRONG.net_options, "channels": (64, 256, 512), "pairs": (1, 2, 2)},
    epochs=120,
    augment=(("flip", "alternating"), ("shift", 2), ("erase", 0.5)),
    mixup=0.5,
)
_CONVOLUTIONS = (_LESSON, _FAST, _SPRINT, _QUICK, _STRONG, _SMALL, _BEST, _RECORD)
_IN_ORDER = (*_CONVOLUTIONS, _FAST_DENSE, _DENSE)
RECIPES = {recipe.name: recipe for recipe in _IN_ORDER}


def find_recipe(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
        InputError: There is none.
    """
    if name not in RECIPES:
        near = get_close_matches(name.lower(), RECIPES, 1)
        meant = f"did you mean {near[0]}? There are" if near else "choose one of"
        raise InputError(f"{name}: no such recipe; {meant} {', '.join(RECIPES)}.")
    return RECIPES[name]


def for_images(recipe: Recipe, images: int) -> tuple[Recipe, str]:
    """Return the recipe for so many training images, and what changed; "" where nothing did.

    Recipes are made for 60,000 images. Of fewer than 40,000 one takes as many steps as of those, or
    300 where those are more. If it doesn't by itself, batches are halved until an epoch has 64 of
    them, or they have 32 images, there are more epochs, and every image is in each of them.

    >>> recipe, note = for_images(RECIPES["sprint"], 1000)
    >>> recipe.batch_size, recipe.epochs
    (32, 8)
    >>> note
    'sprint on 1,000 images: 8 epochs instead of 1, batches of 32 instead of 256.'
    """
    batch_size, epochs = recipe.batch_size, recipe.epochs
    enough = min(ENOUGH_STEPS, epochs * (MADE_FOR // batch_size))
    trained = images - round(images * recipe.validation_share)
    shown = trained - round(trained * recipe.easy_share * (1 - 1 / recipe.easy_every))
    if images >= MANY_IMAGES or epochs * (shown // batch_size) >= enough:
        return recipe, ""
    while batch_size > SMALLEST_BATCH and trained // batch_size < STEPS_OF_AN_EPOCH:
        batch_size //= 2
    epochs = max(epochs, ceil(enough / max(trained // batch_size, 1)))
    fitted = replace(
        recipe, batch_size=batch_size, epochs=epochs, easy_by=None, easy_share=0.0, easy_every=1
    )
    changed = []
    if epochs != recipe.epochs:
        changed.append(f"{epochs} epochs instead of {recipe.epochs}")
    if batch_size != recipe.batch_size:
        changed.append(f"batches of {batch_size} instead of {recipe.batch_size}")
    changed = changed or ["every image in each epoch"]
    return fitted, f"{recipe.name} on {images:,} images: {', '.join(changed)}."


def recipe_record(recipe: Recipe, *, words: bool = True) -> dict[str, Any]:
    """Return a recipe as JSON and TOML have it: lists for tuples, no key for what isn't there.

    Without ``words`` it is what decides the result, and nothing else.
    """
    record: dict[str, Any] = json.loads(json.dumps(asdict(replace(recipe, easy_by=None))))
    del record["easy_by"]
    if not words:
        record = {name: value for name, value in record.items() if name not in WORDS_ONLY}
    if recipe.easy_by:
        record["easy_by"] = recipe_record(recipe.easy_by, words=words)
    return record
