"""What a run's folder says of how it came about."""

import csv
import io
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w

from hardpairs.data.split import Dataset
from hardpairs.training.backend import keras
from hardpairs.training.environment import processor_facts, versions
from hardpairs.training.fit import TrainedModel
from hardpairs.training.recipes import Recipe, recipe_record


def describe_run(
    trained: TrainedModel, dataset: Dataset, recipe: Recipe, *, seed: int
) -> dict[str, Any]:
    """Return the metadata of a run's predictions."""
    not_trained_on = len(trained.held_out)
    return {
        "data": dataset.source,
        **({"data_notes": list(dataset.notes)} if dataset.notes else {}),
        "seed": seed,
        "precision": trained.precision,
        "recipe": recipe_record(recipe),
        "train_images": len(dataset.train) - not_trained_on,
        "held_out_images": not_trained_on,
        "train_fingerprint": dataset.train.fingerprint,
        "shape": list(trained.model.input_shape[1:]),
        "parameters": trained.model.count_params(),
        "epochs": len(trained.history["loss"]),
        "kept_epoch": trained.kept_epoch,
        "fit_seconds": round(trained.fit_seconds, 3),
        "versions": {"python": platform.python_version(), **versions(keras.backend.backend())},
    }


def config_toml(metadata: dict[str, Any]) -> str:
    """What to train again with."""
    return tomli_w.dumps({name: metadata[name] for name in ("data", "seed", "precision", "recipe")})


def environment(metadata: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
    """Machine, versions, data and net: what `hardpairs.load_model` builds the net from."""
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
        "classes": len(dataset.class_names),
        "data": metadata["data"],
        "train_fingerprint": metadata["train_fingerprint"],
        "test_fingerprint": dataset.test.fingerprint,
        "git_commit": _git_commit(),
        "command": sys.argv,
    }


def history_csv(trained: TrainedModel) -> str:
    """One line an epoch: Keras' figures, and whether its weights were kept."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *trained.history, "kept"])
    for index, row in enumerate(zip(*trained.history.values(), strict=True), start=1):
        values = [f"{value:.6g}" for value in row]
        writer.writerow([index, *values, int(index == trained.kept_epoch)])
    return text.getvalue()


def _processor() -> str:
    names = processor_facts("model name")
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
