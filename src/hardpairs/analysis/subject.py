"""Subject: predictions and whatever else is known of the images, handed on whole."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hardpairs.analysis.calibration import Calibration, calibrate, reliability
from hardpairs.analysis.evaluation import Evaluation, evaluate
from hardpairs.analysis.evidence import Evidence, gather_evidence
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.people import compare_with_people
from hardpairs.analysis.verdicts import Verdict, judge_mistakes, verdicts_dict
from hardpairs.data.about import About
from hardpairs.data.split import Images
from hardpairs.predictions.predictions import Predictions


@dataclass(frozen=True)
class Subject:
    """What an analysis is made from; only the predictions are always there.

    What follows from it is computed when first asked for, once.

    Attributes:
        predictions: Of the N images.
        images: In the predictions' order, or None.
        inverted: Whether the images are white on black.
        about: What is known of the data beyond its images, or None.
        dataset: The data's name, "" where unknown.
        human_votes: float64 (K, K), see `load_human_votes`, or None.
        history: "loss" and "accuracy" by epoch, with validation also "val_loss" and
            "val_accuracy", or None.
        kept_epoch: The epoch, counted from 1, whose weights were kept; 0 where unknown.
        kernels: float (height, width, channels, filters), the net's first convolution, or None.
        other_runs: Further runs' predictions of the same images, as evidence.
        votes: int64 (N, K), how many people chose each class, see `load_votes`, or None.
        neighbours: Nearest training images of each image, or None.
        validation: Predictions of the images held out from training, or None.
        train_images: What the neighbours' indices point into, or None.
        notes: What was left out, and why, a sentence each.
    """

    predictions: Predictions
    images: Images | None = None
    inverted: bool = True
    about: About | None = None
    dataset: str = ""
    human_votes: np.ndarray | None = None
    history: dict[str, list[float]] | None = None
    kept_epoch: int = 0
    kernels: np.ndarray | None = None
    other_runs: tuple[Predictions, ...] = ()
    votes: np.ndarray | None = None
    neighbours: Neighbours | None = None
    validation: Predictions | None = None
    train_images: Images | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def evaluation(self) -> Evaluation:
        """Accuracy, the report for each class, the confusion matrix, the hard pairs."""
        return evaluate(self.predictions)

    @cached_property
    def evidence(self) -> Evidence:
        """Of every image, from all sources at hand."""
        return gather_evidence(
            (self.predictions, *self.other_runs), votes=self.votes, neighbours=self.neighbours
        )

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Of every mistake."""
        return judge_mistakes(self.predictions, self.evidence)

    @cached_property
    def calibration(self) -> Calibration:
        """Of the predictions, with a temperature where there is validation."""
        return calibrate(self.predictions, self.validation)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds: the evaluation, the verdicts, and what is known of it."""
        predictions = self.predictions
        return {
            **self.evaluation.to_dict(),
            "calibration": self.calibration.to_dict(),
            "verdicts": verdicts_dict(
                predictions, self.evidence, self.verdicts, 1 + len(self.other_runs)
            ),
            "people": (
                None
                if self.votes is None
                else compare_with_people(predictions, self.votes).to_dict()
            ),
            "split": predictions.split,
            "fingerprint": predictions.fingerprint,
            "training": predictions.metadata,
            "reliability": _reliability(predictions),
        }


def _reliability(predictions: Predictions) -> list[dict[str, float]]:
    """The bins that hold images, see `reliability`."""
    bins = reliability(predictions.labels, predictions.known_probabilities())
    return [
        {"images": int(images), "confidence": confidence, "accuracy": accuracy}
        for images, confidence, accuracy in bins.tolist()
        if images
    ]
