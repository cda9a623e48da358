"""A run: one training's folder, from its configuration to its predictions."""

import csv
import importlib.metadata
import io
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from hardpairs.analysis.neighbours import find_neighbours, save_neighbours
from hardpairs.data.datasets import BUNDLED
from hardpairs.data.split import Dataset, SplitName
from hardpairs.files import whole_file, write_text
from hardpairs.predictions.predictions import Predictions, save_predictions
from hardpairs.training.backend import keras
from hardpairs.training.fit import (
    Progress,
    TrainedModel,
    easiest,
    hidden_activations,
    predict,
    train,
)
from hardpairs.training.nets import build_net
from hardpairs.training.recipes import Recipe, recipe_record

# A third of Fashion-MNIST's training images: enough neighbours, at a third of the time.
NEIGHBOUR_CANDIDATES = 20_000


def create_run(
    folder: Path,
    source: str,
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    precision: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    for_study: bool = False,
) -> Predictions:
    """Train, predict the test split once, and fill ``folder``.

    Writes config.toml, environment.json, history.csv, filters.npy (where the net begins with a
    convolution), model.keras, validation.npz (where images were held out), neighbours.npz and,
    last, predictions.npz.

    Args:
        folder: An existing, empty folder.
        source: The name or folder that ``dataset`` was loaded from, kept for the record.
        dataset, recipe, seed, precision, on_progress: As for `hardpairs.training.fit.train`.
        for_study: Write only history.csv, predictions of the images held out (validation.npz,
            where there are any) and predictions.npz.

    Raises:
        InputError: The folder can't be written.
    """
    if source not in BUNDLED:
        source = str(Path(source).resolve())
    classes = len(dataset.class_names)
    searched = time.perf_counter()
    easy = easiest(dataset.train, recipe, classes=classes, seed=seed, precision=precision)
    searched = time.perf_counter() - searched
    trained = train(
        dataset.train,
        recipe,
        classes=classes,
        seed=seed,
        precision=precision,
        easy=easy,
        on_progress=on_progress,
    )
    configuration = {
        "data": source,
        "seed": seed,
        "precision": trained.precision,
        "recipe": recipe_record(recipe),
    }
    metadata = {
        **configuration,
        "train_images": len(dataset.train) - trained.held_out,
        "held_out_images": trained.held_out,
        "train_fingerprint": dataset.train.fingerprint,
        "shape": list(trained.model.input_shape[1:]),
        "parameters": trained.model.count_params(),
        "epochs": len(trained.history["loss"]),
        "kept_epoch": trained.kept_epoch,
        "fit_seconds": round(searched + trained.fit_seconds, 3),
        "versions": versions(),
    }
    predictions = _predictions(trained, dataset, "test", 0, metadata)
    write_text(folder / "history.csv", _history_csv(trained))
    if trained.held_out:
        first = len(dataset.train) - trained.held_out
        validation = _predictions(trained, dataset, "train", first, metadata)
        save_predictions(validation, folder / "validation.npz")
    if not for_study:
        write_text(folder / "config.toml", tomli_w.dumps(configuration))
        environment = json.dumps(_environment(predictions), indent=2) + "\n"
        write_text(folder / "environment.json", environment)
        _write_weights(trained, folder)
        _write_neighbours(trained, dataset, folder)
    save_predictions(predictions, folder / "predictions.npz")
    return predictions


def _predictions(
    trained: TrainedModel,
    dataset: Dataset,
    split_name: SplitName,
    first: int,
    metadata: dict[str, Any],
) -> Predictions:
    """Predict a split's images from the ``first`` on."""
    split = dataset.train if split_name == "train" else dataset.test
    return Predictions(
        labels=split.labels[first:],
        probabilities=predict(trained.model, split.images[first:]),
        class_names=dataset.class_names,
        ids=split.ids[first:],
        split=split_name,
        fingerprint=split.fingerprint,
        metadata=metadata,
    )


def _write_weights(trained: TrainedModel, folder: Path) -> None:
    kernels = first_layer_kernels(trained.model)
    if kernels is not None:
        with whole_file(folder / "filters.npy") as partial:
            np.save(partial, kernels, allow_pickle=False)
    with whole_file(folder / "model.keras") as partial:
        trained.model.save(partial)


def _write_neighbours(trained: TrainedModel, dataset: Dataset, folder: Path) -> None:
    """Write each test image's nearest training images in the net's last hidden layer."""
    candidates = np.arange(len(dataset.train))
    candidates = candidates[:: -(-len(candidates) // NEIGHBOUR_CANDIDATES)]
    neighbours = find_neighbours(
        hidden_activations(trained.model, dataset.train.images[candidates]),
        candidates,
        dataset.train.labels[candidates],
        hidden_activations(trained.model, dataset.test.pixels),
    )
    save_neighbours(neighbours, folder / "neighbours.npz")


def load_model(folder: Path) -> "keras.Model":
    """Rebuild a run's net from our own code and fill in its weights.

    ``model.keras`` is read for its numbers alone; the configuration inside it, which could name
    code to run, is never looked at.
    """
    record = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    shape = tuple(record["shape"])
    model = build_net(record["net"], shape, record["classes"], options=record["net_options"])
    model.load_weights(folder / "model.keras")
    return model


def first_layer_kernels(model: "keras.Model") -> np.ndarray | None:
    """Return float32 (H, W, channels, filters) of a first convolution, None if there is none."""
    weighted = [layer for layer in model.layers if layer.weights]
    if weighted and isinstance(weighted[0], keras.layers.Conv2D):
        return np.asarray(keras.ops.convert_to_numpy(weighted[0].kernel), np.float32)
    return None


def versions() -> dict[str, str]:
    """Versions of Python, this package and what decides a training's numbers."""
    backend = keras.backend.backend()
    distributions = [
        name
        for name in ("hardpairs", "keras", backend, f"{backend}-cpu", "numpy")
        if any(importlib.metadata.distributions(name=name))
    ]
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in distributions},
    }


def _environment(predictions: Predictions) -> dict[str, Any]:
    metadata = predictions.metadata
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": metadata["versions"],
        "backend": keras.backend.backend(),
        "precision": metadata["precision"],
        "processor": _processor(),
        "platform": platform.platform(),
        "seed": metadata["seed"],
        "net": metadata["recipe"]["net"],
        "net_options": metadata["recipe"]["net_options"],
        "shape": metadata["shape"],
        "classes": len(predictions.class_names),
        "data": metadata["data"],
        "train_fingerprint": metadata["train_fingerprint"],
        "test_fingerprint": predictions.fingerprint,
        "git_commit": _git_commit(),
        "command": sys.argv,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # Not Linux.
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def _git_commit() -> str | None:
    """The commit this package was checked out at, None for an installed one."""
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():
        return None
    try:
        described = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # No git installed.
        return None
    return described.stdout.strip() or None


def _history_csv(trained: TrainedModel) -> str:
    names = list(trained.history)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *names, "kept"])
    for index, row in enumerate(zip(*trained.history.values(), strict=True), start=1):
        values = [f"{value:.6g}" for value in row]
        writer.writerow([index, *values, int(index == trained.kept_epoch)])
    return text.getvalue()
