"""hardpairs: train an image classifier, then see which classes it mixes up and on which images.

The names below are the Python interface. They are imported when first used, so that
``import hardpairs`` and everything that doesn't train stays free of Keras.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardpairs.analysis.difference import Difference, diff
    from hardpairs.analysis.evaluation import Evaluation, evaluate
    from hardpairs.analysis.evidence import Evidence, gather_evidence
    from hardpairs.analysis.subject import Subject
    from hardpairs.analysis.verdicts import Verdict, judge_mistakes
    from hardpairs.data.datasets import load_dataset
    from hardpairs.data.split import Dataset, Split
    from hardpairs.data.votes import load_votes
    from hardpairs.errors import InputError
    from hardpairs.predictions.load import load_predictions
    from hardpairs.predictions.predictions import Predictions, save_predictions
    from hardpairs.report.calibration_figure import draw_calibration
    from hardpairs.report.explore import Report, explore
    from hardpairs.report.figures import draw_confusion, draw_filters, draw_history
    from hardpairs.report.mistake_figures import draw_hardest, draw_pairs, draw_verdicts
    from hardpairs.report.write import analyse
    from hardpairs.studies.findings import Findings, load_study
    from hardpairs.training.callback import ReportCallback
    from hardpairs.training.fit import TrainedModel, easiest, train
    from hardpairs.training.predict import predict
    from hardpairs.training.recipes import RECIPES, Recipe, find_recipe
    from hardpairs.training.runs import create_run
    from hardpairs.training.stored_model import load_model

_HOMES = {
    "analysis.difference": ("Difference", "diff"),
    "analysis.evaluation": ("Evaluation", "evaluate"),
    "analysis.evidence": ("Evidence", "gather_evidence"),
    "analysis.subject": ("Subject",),
    "analysis.verdicts": ("Verdict", "judge_mistakes"),
    "data.datasets": ("load_dataset",),
    "data.split": ("Dataset", "Split"),
    "data.votes": ("load_votes",),
    "errors": ("InputError",),
    "predictions.load": ("load_predictions",),
    "predictions.predictions": ("Predictions", "save_predictions"),
    "report.calibration_figure": ("draw_calibration",),
    "report.explore": ("Report", "explore"),
    "report.figures": ("draw_confusion", "draw_filters", "draw_history"),
    "report.mistake_figures": ("draw_hardest", "draw_pairs", "draw_verdicts"),
    "report.write": ("analyse",),
    "studies.findings": ("Findings", "load_study"),
    "training.callback": ("ReportCallback",),
    "training.fit": ("TrainedModel", "easiest", "train"),
    "training.recipes": ("RECIPES", "Recipe", "find_recipe"),
    "training.predict": ("predict",),
    "training.runs": ("create_run",),
    "training.stored_model": ("load_model",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}
_NEEDS_KERAS = {
    *("training.callback", "training.fit", "training.predict", "training.runs"),
    "training.stored_model",
}

__all__ = [
    "RECIPES",
    "Dataset",
    "Difference",
    "Evaluation",
    "Evidence",
    "Findings",
    "InputError",
    "Predictions",
    "Recipe",
    "Report",
    "ReportCallback",
    "Split",
    "Subject",
    "TrainedModel",
    "Verdict",
    "analyse",
    "create_run",
    "diff",
    "draw_calibration",
    "draw_confusion",
    "draw_filters",
    "draw_hardest",
    "draw_history",
    "draw_pairs",
    "draw_verdicts",
    "easiest",
    "evaluate",
    "explore",
    "find_recipe",
    "gather_evidence",
    "judge_mistakes",
    "load_dataset",
    "load_model",
    "load_predictions",
    "load_study",
    "load_votes",
    "predict",
    "save_predictions",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("hardpairs")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'hardpairs' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hardpairs.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    # `help` and completion ask for every name: one that can't be imported would end them.
    has_keras = importlib.util.find_spec("keras") is not None
    names = [name for name in __all__ if has_keras or _MODULE_OF[name] not in _NEEDS_KERAS]
    return [*names, "__version__"]
