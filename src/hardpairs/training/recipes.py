"""Recipes: what is trained how, one row of data each."""

from dataclasses import dataclass
from typing import Literal

from hardpairs.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training but the data, the seed and the precision.

    A variant is ``dataclasses.replace(recipe, flips=False)``.

    Attributes:
        name: How the command line calls it.
        promise: What it is for and what it gave when measured, in a sentence.
        model: Name of a function in `hardpairs.training.nets`.
        epochs: Passes over the training images, at most.
        batch_size: Images per step.
        optimizer: "adam" as Keras has it; "adamw" (Loshchilov, Hutter, ICLR 2019); "muon", see
            `hardpairs.training.optimizers.ConvolutionMuon`.
        learning_rate: The constant rate, or the peak of the one-cycle schedule.
        schedule: "constant", or "one-cycle": linear warm-up, then linear decay to 0.
        warm_up_share: Share of the steps that one-cycle warms up.
        weight_decay: Of AdamW and Muon; biases and normalisation have none.
        label_smoothing: Share of each target spread over all classes.
        flips: Mirror half of the images left to right.
        shift: Move each image by up to so many pixels in both directions.
        cutout: Blank a square of so many pixels a side; 0 for none.
        random_erasing: Share of the images in which a rectangle of random size is noise.
        rotation: Turn each image by up to so much of a full turn, as Keras' RandomRotation.
        zoom: Scale each image by up to so much, in or out, as Keras' RandomZoom.
        easy_share: Share of the training images, those that `sprint` finds easiest, which take
            turns, so that there is time for more epochs.
        easy_every: An easy image is in one of so many epochs, the others are in each.
        validation_share: Last part of the training images held out to watch, never trained on.
        patience: Stop after so many epochs without a lower validation loss and restore the best
            weights; 0 trains all epochs and keeps the last weights.
    """

    name: str
    promise: str
    model: str
    epochs: int
    batch_size: int = 128
    optimizer: Literal["adam", "adamw", "muon"] = "adam"
    learning_rate: float = 0.001
    schedule: Literal["constant", "one-cycle"] = "constant"
    warm_up_share: float = 0.1
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    flips: bool = False
    shift: int = 0
    cutout: int = 0
    random_erasing: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0
    easy_share: float = 0.0
    easy_every: int = 1
    validation_share: float = 0.1
    patience: int = 0


_ROWS = (
    Recipe(
        name="lesson",
        promise="The lesson's CNN under the lesson's settings: 92.3% of clothes, 1 seed.",
        model="cnn",
        epochs=20,
        patience=3,
    ),
    Recipe(
        name="fast",
        promise="The lesson's CNN under the fast schedule: 91.9% of clothes, mean of 3 seeds.",
        model="cnn",
        epochs=3,
        batch_size=64,
        optimizer="muon",
        learning_rate=0.01,
        schedule="one-cycle",
        weight_decay=0.01,
        validation_share=0.0,
    ),
    Recipe(
        name="sprint",
        promise="A fixed layer, two convolutions, one epoch: 91.5% of clothes, mean of 10 seeds.",
        model="cosine-sprint",
        epochs=1,
        batch_size=96,
        optimizer="muon",
        learning_rate=0.018,
        schedule="one-cycle",
        weight_decay=0.01,
        validation_share=0.0,
    ),
    Recipe(
        name="quick",
        promise="The same layers, five epochs, flips: 93.2% of clothes, mean of 10 seeds.",
        model="cosine-quick",
        epochs=5,
        batch_size=128,
        optimizer="muon",
        learning_rate=0.018,
        schedule="one-cycle",
        weight_decay=0.01,
        label_smoothing=0.05,
        flips=True,
        validation_share=0.0,
    ),
    Recipe(
        name="strong",
        promise="Four convolutions, 13 epochs, augmented: 94.0% of clothes, mean of 5 seeds.",
        model="cosine-strong",
        epochs=13,
        batch_size=128,
        optimizer="muon",
        learning_rate=0.018,
        schedule="one-cycle",
        weight_decay=0.01,
        label_smoothing=0.05,
        flips=True,
        shift=1,
        cutout=8,
        validation_share=0.0,
    ),
    Recipe(
        name="small",
        promise="Under 100,000 parameters, 40 epochs: 94.4% of clothes, mean of 3 seeds.",
        model="cosine-small",
        epochs=40,
        batch_size=128,
        optimizer="muon",
        learning_rate=0.018,
        schedule="one-cycle",
        weight_decay=0.01,
        label_smoothing=0.05,
        flips=True,
        shift=1,
        cutout=8,
        validation_share=0.0,
    ),
    Recipe(
        name="best",
        promise="Mirrored filters at full size, 23 epochs: 95.0% of clothes, mean of 3 seeds.",
        model="mirrored",
        epochs=23,
        batch_size=128,
        optimizer="muon",
        learning_rate=0.018,
        schedule="one-cycle",
        weight_decay=0.01,
        label_smoothing=0.05,
        shift=1,
        random_erasing=0.5,
        easy_share=0.6,
        easy_every=2,
        validation_share=0.0,
    ),
    Recipe(
        name="fast-dense",
        promise="The dense net under the fast schedule: 88.5% of clothes, mean of 3 seeds.",
        model="dense",
        epochs=12,
        batch_size=64,
        optimizer="adamw",
        learning_rate=0.002,
        schedule="one-cycle",
        weight_decay=0.01,
        validation_share=0.0,
    ),
    Recipe(
        name="dense",
        promise="The dense net under the lesson's settings: 88.0% of clothes, mean of 3 seeds.",
        model="dense",
        epochs=20,
        patience=3,
    ),
)
RECIPES = {recipe.name: recipe for recipe in _ROWS}


def find_recipe(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
        InputError: There is none.
    """
    if name not in RECIPES:
        raise InputError(f"{name}: no such recipe; choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]
