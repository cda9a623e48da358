"""Subject: predictions and whatever else is known of the images, handed on whole."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from hardpairs.analysis.calibration import Calibration, calibrate
from hardpairs.analysis.embedded import embedded_neighbours, same_embeddings
from hardpairs.analysis.evaluation import Evaluation, evaluate
from hardpairs.analysis.evidence import Evidence, gather_evidence
from hardpairs.analysis.gradients import edge_components
from hardpairs.analysis.neighbours import Neighbours
from hardpairs.analysis.people import compare_with_people
from hardpairs.analysis.verdicts import (
    ONE_WITNESS,
    Verdicts,
    image_columns,
    judge_mistakes,
    knows_confidence,
    verdict_columns,
    verdicts_dict,
)
from hardpairs.data.about import About
from hardpairs.data.split import Chosen, Images
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions
from hardpairs.showing import as_frame, as_html, chosen_columns

FEWEST_EMBEDDED = 50  # Images among which nearest ones tell anything.
NO_CALIBRATION = (
    "Calibration is left out: only the predicted classes are known, or their probabilities are 1."
)


@dataclass(frozen=True, eq=False, repr=False)
class Subject:
    """What an analysis is made from; only the predictions are always there.

    What follows from it is computed when first asked for, once.

    Attributes:
        predictions: Of the N images.
        images: In the predictions' order; by default those that came with the predictions, or None.
        inverted: Whether the images are white on black.
        about: What is known of the data beyond its images, or None.
        dataset: The data's name, "" where unknown.
        class_votes: float64 (K, K), see `load_class_votes`, or None.
        history: "loss" and "accuracy" by epoch, with validation also "val_loss" and
            "val_accuracy", or None.
        kept_epoch: The epoch, counted from 1, whose weights were kept; 0 where unknown.
        kernels: float (height, width, channels, filters), the net's first convolution, or None.
        other_runs: Further runs' predictions of the same images, as evidence.
        votes: int64 (N, K), how many people chose each class, see `load_votes`, or None.
        neighbours: Nearest training images of each image, or None.
        validation: Predictions of the images held out from training, or None.
        train_images: What the neighbours' indices point into, or None.
        hidden: float (N, D), the net's last hidden layer or its principal components, or None; by
            default the embeddings that came with the predictions.
        neighbour_map: Whether the page's map is made by t-SNE, from what is hidden.
        link: What an image's id is appended to, to reach the original: an address that ends in a
            stroke, or "" for none.
        no_verdicts: Why none are wanted, in a sentence; "" where they are.
        notes: What was left out while it was gathered, and why, a sentence each; with what was
            left out later: `remarks`.

    Raises:
        InputError: The images aren't uint8, or not as many as the predictions.
    """

    predictions: Predictions
    images: Images | None = None
    inverted: bool = False
    about: About | None = None
    dataset: str = ""
    class_votes: np.ndarray | None = None
    history: dict[str, list[float]] | None = None
    kept_epoch: int = 0
    kernels: np.ndarray | None = None
    other_runs: tuple[Predictions, ...] = ()
    votes: np.ndarray | None = None
    neighbours: Neighbours | None = None
    validation: Predictions | None = None
    train_images: Images | None = None
    hidden: np.ndarray | None = None
    neighbour_map: bool = False
    link: str = ""
    no_verdicts: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        images = self.predictions.images if self.images is None else self.images
        if images is not None:
            object.__setattr__(self, "images", _checked_images(images, self.predictions))
        if self.hidden is None:
            object.__setattr__(self, "hidden", self.predictions.embeddings)

    @cached_property
    def evaluation(self) -> Evaluation:
        """Accuracy, the report for each class, the confusion matrix, the hard pairs."""
        return evaluate(self.predictions)

    @cached_property
    def evidence(self) -> Evidence:
        """Of every image, from all sources at hand."""
        return gather_evidence(
            (self.predictions, *self.other_runs), votes=self.votes, neighbours=self.nearest
        )

    @cached_property
    def nearest(self) -> Neighbours | None:
        """The neighbours given; else those among the predicted images, by their embeddings.

        Where neither embeddings nor probabilities are known, by the edges of images in memory.
        """
        predictions, images = self.predictions, self.images
        if self.neighbours is not None or len(predictions) < FEWEST_EMBEDDED:
            return self.neighbours
        known = predictions.labels, len(predictions.class_names)
        if predictions.embeddings is not None:
            return embedded_neighbours(predictions.embeddings, *known)
        if predictions.has_probabilities or not isinstance(images, np.ndarray):
            return None
        found = embedded_neighbours(edge_components(images, images[:0])[0], *known)
        return replace(found, hidden=None, edges=found.hidden)

    @cached_property
    def verdicts(self) -> Verdicts:
        """Of every mistake, or why there are none."""
        return judge_mistakes(self.predictions, self.evidence, unwanted=self.no_verdicts)

    @cached_property
    def calibration(self) -> Calibration | None:
        """Of the predictions, with a temperature where there is validation.

        None where there is no confidence to speak of, see `knows_confidence`.
        """
        if not knows_confidence(self.predictions):
            return None
        return calibrate(self.predictions, self.validation)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """Everything that was converted or left out, and why, a sentence each."""
        return (
            *self.predictions.notes,
            *self.notes,
            *self._same_embeddings(),
            *(() if self.calibration is not None else (NO_CALIBRATION,)),
            *((self.verdicts.reason,) if self.verdicts.reason else ()),
            *((ONE_WITNESS,) if self.verdicts and self.verdicts.alone else ()),
        )

    def _same_embeddings(self) -> tuple[str, ...]:
        predictions, nearest = self.predictions, self.nearest
        if predictions.embeddings is None or nearest is None or nearest.of_training:
            return ()
        arrays = predictions.embeddings, predictions.labels, predictions.ids
        return tuple(filter(None, [same_embeddings(nearest, *arrays)]))

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds, see docs/metrics.md: strict JSON, every figure of the page."""
        predictions, calibration = self.predictions, self.calibration
        people = self.votes is not None and compare_with_people(predictions, self.votes).to_dict()
        return {
            **self.evaluation.to_dict(),
            "calibration": calibration and calibration.to_dict(),
            "verdicts": verdicts_dict(predictions, self.verdicts, 1 + len(self.other_runs)),
            "people": people or None,
            "split": predictions.split,
            "fingerprint": predictions.fingerprint,
            "training": predictions.metadata,
            "reliability": calibration.bins_dict() if calibration else [],
            "notes": self.remarks,
        }

    def of_rows(self, rows: np.ndarray, predictions: Predictions, **changed: Any) -> "Subject":
        """What is known of some rows, int64 (n,), whose predictions are given.

        Further runs stay as they are unless they are among what is ``changed``.
        """

        def taken(values: Any) -> Any:
            return None if values is None else values[rows]

        images: Any = self.images
        is_read_later = images is not None and not isinstance(images, np.ndarray)
        known = {
            "images": Chosen(images, rows) if is_read_later else taken(images),
            "votes": taken(self.votes),
            "neighbours": self.neighbours and self.neighbours.take(rows),
            "hidden": taken(self.hidden),
        }
        return replace(self, predictions=predictions, **known, **changed)

    def to_frame(self, what: str = "mistakes") -> Any:
        """A DataFrame, its columns named as in mistakes.csv and metrics.json.

        Args:
            what: "mistakes", a row for each, as in mistakes.csv; "images", the same of all images;
                "verdicts", a row for each verdict in each direction of a pair; or a table of
                `Evaluation.to_frame`: "classes", "pairs", "matrix".

        Raises:
            InputError: There is no such table, or neither pandas nor Polars is installed.
        """
        every = np.arange(len(self.predictions))
        mistakes = np.flatnonzero(self.predictions.predicted != self.predictions.labels)
        tables = {
            "mistakes": lambda: image_columns(self.predictions, self.verdicts, mistakes),
            "images": lambda: image_columns(self.predictions, self.verdicts, every),
            "verdicts": lambda: verdict_columns(self.predictions, self.verdicts),
            **self.evaluation.tables(),
        }
        return as_frame(chosen_columns(tables, what)())

    def __repr__(self) -> str:
        return f"Subject of {self.predictions!r}"

    def _repr_html_(self) -> str:
        return as_html(self)


def recipe_name(run: Predictions) -> str:
    """The name of its recipe, foreign text, as far as the metadata know it; else ""."""
    recipe = run.metadata.get("recipe")
    name = recipe.get("name") if isinstance(recipe, dict) else recipe
    return name if isinstance(name, str) and name.strip() else ""


def seed_of(run: Predictions) -> int | None:
    """The seed that a run was trained with, None where its metadata don't know it."""
    seed = run.metadata.get("seed")
    return seed if isinstance(seed, int) and not isinstance(seed, bool) else None


def _checked_images(images: Any, predictions: Predictions) -> Any:
    """Images as the predictions need them; a gray array (N, H, W) becomes (N, H, W, 1)."""
    if isinstance(images, np.ndarray):
        if images.ndim == 3:
            images = images[..., None]
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            raise InputError(
                f"images are {images.dtype} of shape {images.shape}, expected uint8 of shape "
                "(images, height, width) or (images, height, width, 1 or 3); "
                "bring them to 0 to 255 and the colours last."
            )
    if len(images) != len(predictions):
        raise InputError(
            f"{len(images):,} images for {len(predictions):,} predictions; give one for each."
        )
    return images
