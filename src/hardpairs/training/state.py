"""The state of a training after a finished epoch, kept so that it can go on from there.

Everything that the next epoch depends on is in it: weights, averages and dropout's seeds, the
optimizer's variables and what early stopping remembers. Order and augmentation are functions of
(seed, epoch), so a training that goes on comes to the same weights, byte for byte, as one that
was never stopped.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.data.split import Dataset
from hardpairs.errors import InputError
from hardpairs.files import STATE_ENDING, whole_file
from hardpairs.npz import read_npz
from hardpairs.reading import parse_json
from hardpairs.training.environment import default_precision, training_environment
from hardpairs.training.recipes import Recipe, recipe_record

KEY_LENGTH = 16  # Hexadecimal digits: 64 bits, for a few hundred trainings.


@dataclass
class Record:
    """What a training says of itself after each epoch.

    Attributes:
        epochs: How many are finished.
        history: Keras' figures and "seconds", one value per finished epoch.
        finished: Whether nothing is left to train.
        stopping: What early stopping remembers, but for the weights.
    """

    epochs: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    finished: bool = False
    stopping: dict[str, float] = field(default_factory=dict)


def describe_training(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int,
    precision: str | None = None,
    easy: np.ndarray | None = None,
) -> dict[str, Any]:
    """Everything that decides a training's weights on this machine, as JSON has it.

    Args:
        dataset, recipe, seed, precision: See `hardpairs.training.fit.train`.
        easy: Likewise, rows that somebody chose; where None, all else decides them.
    """
    description = {
        "recipe": recipe_record(recipe, words=False),
        "data": dataset.train.fingerprint,
        "shuffled": dataset.shuffled,
        "classes": len(dataset.class_names),
        "seed": seed,
        "precision": precision or default_precision(),
        **training_environment(),
    }
    if easy is not None:
        description["easy"] = hashlib.sha256(easy.astype(np.int64).tobytes()).hexdigest()
    return json.loads(json.dumps(description))


def key_of(description: Mapping[str, Any]) -> str:
    """Name a training by all that decides it, see `describe_training`."""
    text = json.dumps(description, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def state_path(folder: Path, description: dict[str, Any]) -> Path:
    """Where the state of a training is kept in a folder: every training has a place of its own."""
    return folder / f".{key_of(description)}{STATE_ENDING}"


def save_state(
    path: Path, description: dict[str, Any], record: Record, arrays: Sequence[np.ndarray]
) -> None:
    """Write a state; the file appears only when complete."""
    told = json.dumps({"training": description, "record": vars(record)})
    with whole_file(path) as partial, partial.open("wb") as file:
        named: dict[str, Any] = {f"array{index}": array for index, array in enumerate(arrays)}
        np.savez(file, told=np.array(told), **named)


def load_state(path: Path, description: dict[str, Any]) -> tuple[Record, list[np.ndarray]]:
    """Read a state.

    Raises:
        InputError: Damaged, or of another training.
    """
    again = "remove it, and the training starts from its beginning"
    arrays = read_npz(path, what=f"the state of a training; {again}")
    try:
        told = parse_json(str(arrays.pop("told")))
        record = Record(**told["record"])
        ordered = [arrays[f"array{index}"] for index in range(len(arrays))]
    except Exception as error:  # Whatever a changed file makes of it.
        raise InputError(f"{path}: isn't the state of a training; {again}.") from error
    if told["training"] != description:
        raise InputError(f"{path}: is the state of another training; {again}.")
    return record, ordered
