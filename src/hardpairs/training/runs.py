"""A run: one training's folder, from its configuration to its predictions."""

import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hardpairs.analysis.neighbours import (
    HIDDEN_COMPONENTS,
    SAMPLED,
    Neighbours,
    class_shares,
    find_neighbours,
    principal_axes,
    row_lengths,
    save_neighbours,
    unit_rows,
)
from hardpairs.analysis.samples import even_sample
from hardpairs.data.split import Dataset, Split, SplitName
from hardpairs.files import whole_file, write_text
from hardpairs.predictions.predictions import Predictions, save_predictions
from hardpairs.training.backend import keras, own_settings
from hardpairs.training.edges import MOST_CANDIDATES, Shares, edge_shares
from hardpairs.training.fit import TrainedModel, train
from hardpairs.training.nets import hidden_part
from hardpairs.training.predict import hidden_layer, predict
from hardpairs.training.progress import OnProgress, Progress, ignore
from hardpairs.training.recipes import Recipe
from hardpairs.training.record import config_toml, describe_run, environment, history_csv
from hardpairs.training.stored_model import save_model

MOST_ACTIVATIONS = 2**26  # Of all candidates: those of a wide layer are fewer.
AT_A_TIME = 5000  # Images whose activations are in memory: a wide layer's are 64 MB.


@dataclass(frozen=True)
class Outcome:
    """A trained net and what it says of the images that it wasn't trained on.

    Attributes:
        trained: The net.
        test: Predictions of the test split.
        validation: Predictions of the images held out, None if there are none.
    """

    trained: TrainedModel
    test: Predictions
    validation: Predictions | None


@own_settings()
def train_and_predict(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    precision: str | None = None,
    state: Path | None = None,
    on_progress: OnProgress = ignore,
) -> Outcome:
    """Train, and predict the test split once; arguments as for `hardpairs.training.fit.train`."""
    trained = train(
        *(dataset, recipe),
        seed=seed,
        precision=precision,
        state=state,
        on_progress=on_progress,
    )
    on_progress(Progress("predicting"))
    metadata = describe_run(trained, dataset, recipe, seed=seed)

    def predictions(split: Split, name: SplitName, rows: Any, fingerprint: str) -> Predictions:
        part = split.take(rows)
        return Predictions(
            labels=part.labels,
            probabilities=predict(trained.model, part.pixels),
            class_names=dataset.class_names,
            ids=part.ids,
            split=name,
            fingerprint=fingerprint,
            metadata=metadata,
        )

    train_split, test_split, held_out = dataset.train, dataset.test, trained.held_out
    validation = None
    if len(held_out):
        validation = predictions(train_split, "train", held_out, train_split.fingerprint)
    test = predictions(test_split, "test", slice(None), test_split.fingerprint)
    return Outcome(trained, test, validation)


@own_settings()
def create_run(
    folder: str | Path,
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    precision: str | None = None,
    train_rows: np.ndarray | None = None,
    state: Path | None = None,
    edges: Callable[[], Shares] | None = None,
    on_progress: OnProgress = ignore,
) -> Predictions:
    """Train, predict the test split once, and fill ``folder``.

    Writes config.toml, environment.json, history.csv, filters.npy (where the net begins with a
    convolution), model.keras, validation.npz (where images were held out), neighbours.npz,
    hidden.npy and, last, predictions.npz.

    Args:
        folder: An existing folder.
        train_rows: int64, where each training image stands in the data as it is loaded; None where
            they are all there.
        edges: See `net_neighbours`.
        dataset, recipe, seed, precision, state, on_progress: As for
            `hardpairs.training.fit.train`.

    Raises:
        InputError: The folder can't be written, or `hardpairs.training.fit.train` raises it.
    """
    folder = Path(folder)
    outcome = train_and_predict(
        *(dataset, recipe), seed=seed, precision=precision, state=state, on_progress=on_progress
    )
    trained, metadata = outcome.trained, outcome.test.metadata
    write_text(folder / "history.csv", history_csv(trained))
    write_text(folder / "config.toml", config_toml(metadata))
    record = json.dumps(environment(metadata, dataset), indent=2) + "\n"
    write_text(folder / "environment.json", record)
    if outcome.validation:
        save_predictions(outcome.validation, folder / "validation.npz")
    _write_weights(trained, folder)
    on_progress(Progress("finding neighbours"))
    neighbours, hidden = net_neighbours(trained.model, dataset, edges)
    if train_rows is not None:
        neighbours = replace(neighbours, indices=train_rows[neighbours.indices].astype(np.int32))
    save_neighbours(neighbours, folder / "neighbours.npz")
    with whole_file(folder / "hidden.npy") as partial:
        np.save(partial, hidden.astype(np.float16), allow_pickle=False)
    save_predictions(outcome.test, folder / "predictions.npz")
    return outcome.test


def _write_weights(trained: TrainedModel, folder: Path) -> None:
    kernels = first_layer_kernels(trained.model)
    if kernels is not None:
        with whole_file(folder / "filters.npy") as partial:
            np.save(partial, kernels, allow_pickle=False)
    save_model(trained.model, folder / "model.keras")


def net_neighbours(
    model: "keras.Model", dataset: Dataset, edges: Callable[[], Shares] | None = None
) -> tuple[Neighbours, np.ndarray]:
    """Find each test image's nearest training images: a few, and the classes of many.

    Args:
        model: The net in whose last hidden layer they are near.
        dataset: The images.
        edges: What gives the classes by edges, as `hardpairs.training.edges.edge_shares_beside`
            has it; by default they are found here.

    Returns:
        They, and float32 (N, D), the test images' principal components of the last hidden layer.
    """
    train, classes = dataset.train, len(dataset.class_names)
    layer = hidden_layer(model)
    width = math.prod(model.layers[-1].input.shape[1:])
    most = min(MOST_CANDIDATES, MOST_ACTIVATIONS // width)
    candidates = even_sample(len(train), most)
    labels = train.labels[candidates]
    few = candidates[even_sample(len(candidates), SAMPLED)]
    axes = principal_axes(unit_rows(layer(train.pixels[few])), HIDDEN_COMPONENTS)

    def projected(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), AT_A_TIME)
        activations = (layer(images[start : start + AT_A_TIME]) for start in starts)
        return np.concatenate([(part @ axes) / row_lengths(part) for part in activations])

    def by_edges() -> Shares:
        return edge_shares(train.take(candidates).images, labels, dataset.test.images, classes)

    # Searches side by side, each in one thread, take two thirds of the time that one after the
    # other takes with both: threads that share products would wait for each other, and for
    # TensorFlow's.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(1) as beside:
        by_edge = beside.submit(edges or by_edges)
        known, asked = projected(train.pixels[candidates]), projected(dataset.test.pixels)
        by_layer = beside.submit(class_shares, known, labels, asked, classes)
        neighbours = find_neighbours(known, candidates, labels, asked)
        return replace(neighbours, hidden=by_layer.result(), edges=by_edge.result()), asked


def first_layer_kernels(model: "keras.Model") -> np.ndarray | None:
    """Return float32 (H, W, channels, filters) of a first convolution, None if there is none."""
    weighted = [layer for layer in hidden_part(model).layers if layer.weights]
    if weighted and isinstance(weighted[0], keras.layers.Conv2D):
        return np.asarray(weighted[0].kernel.numpy(), np.float32)
    return None
