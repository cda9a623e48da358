"""hardpairs: train an image classifier, then see which classes it mixes up and on which images.

The names below are the Python interface. They are imported when first used, so that
``import hardpairs`` and everything that doesn't train stays free of Keras.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardpairs.analysis import analyse
    from hardpairs.datasets import Dataset, Split, load_dataset
    from hardpairs.errors import InputError
    from hardpairs.evaluation import Evaluation, evaluate
    from hardpairs.evidence import Evidence, gather_evidence
    from hardpairs.predictions import Predictions, load_predictions, save_predictions
    from hardpairs.recipes import RECIPES, Recipe, find_recipe
    from hardpairs.runs import create_run, load_model
    from hardpairs.training import TrainedModel, predict, train
    from hardpairs.verdicts import Verdict, judge_mistakes
    from hardpairs.votes import load_votes

_HOMES = {
    "analysis": ("analyse",),
    "datasets": ("Dataset", "Split", "load_dataset"),
    "errors": ("InputError",),
    "evaluation": ("Evaluation", "evaluate"),
    "evidence": ("Evidence", "gather_evidence"),
    "predictions": ("Predictions", "load_predictions", "save_predictions"),
    "recipes": ("RECIPES", "Recipe", "find_recipe"),
    "runs": ("create_run", "load_model"),
    "training": ("TrainedModel", "predict", "train"),
    "verdicts": ("Verdict", "judge_mistakes"),
    "votes": ("load_votes",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "RECIPES",
    "Dataset",
    "Evaluation",
    "Evidence",
    "InputError",
    "Predictions",
    "Recipe",
    "Split",
    "TrainedModel",
    "Verdict",
    "analyse",
    "create_run",
    "evaluate",
    "find_recipe",
    "gather_evidence",
    "judge_mistakes",
    "load_dataset",
    "load_model",
    "load_predictions",
    "load_votes",
    "predict",
    "save_predictions",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'hardpairs' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hardpairs.{_MODULE_OF[name]}"), name)
