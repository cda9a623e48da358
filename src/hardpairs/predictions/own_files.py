"""What this package wrote about predictions, given in the place of the predictions themselves."""

from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.errors import InputError
from hardpairs.predictions.columns import Table

OF_MISTAKES = ("index", "true", "predicted", "probability", "verdict", "verdict_probability")
OF_CORRECTIONS = {"split", "id", "label", "mark", "correction"}
OF_METRICS = {"accuracy", "accuracy_interval", "hard_pairs", "confusion", "cells"}
OF_A_RUN = (
    *("mistakes.csv", "metrics.json", "history.csv", "neighbours.npz", "hidden.npy"),
    *("filters.npy", "config.toml", "environment.json", "report.html", "answers.md"),
    *("fashion.md", "model.keras", "model.onnx", "model.json", "nearest.npz", "corrections.csv"),
)


def check_run_file(path: Path) -> None:
    """Refuse a file of a run's folder that isn't its predictions.

    Raises:
        InputError: It says which folder to give.
    """
    is_ours = path.name in OF_A_RUN or path.suffix == ".png"
    if is_ours and path.is_file() and (path.parent / "predictions.npz").is_file():
        raise InputError(
            f"{path}: is a file of a run, not its predictions; give the run's folder, "
            f"{path.parent}."
        )


def without_verdicts(table: Table) -> Table:
    """A table of images as this package writes it, without the columns that judge them.

    Raises:
        InputError: It holds mistakes alone, of which every prediction is wrong; or corrections.
    """
    if set(table) == OF_CORRECTIONS:
        raise InputError(
            "holds corrections, not predictions or all labels; give it with --corrections, beside "
            "the predictions."
        )
    if not set(OF_MISTAKES) <= set(table):
        return table
    if not np.any(table["true"] == table["predicted"]):
        raise InputError(
            "is a list of mistakes, as hardpairs writes it, without the images that are right; "
            "give the predictions that it was made from."
        )
    return {name: table[name] for name in OF_MISTAKES[:4]}


def check_metrics(content: Any) -> None:
    """Refuse metrics.json, which holds what was counted of predictions.

    Raises:
        InputError: It is that.
    """
    if isinstance(content, dict) and len(OF_METRICS & set(content)) == len(OF_METRICS) - 1:
        raise InputError(
            "holds what hardpairs counted, not predictions; give the predictions that it was made "
            "from."
        )
