"""What a reader finds in a file or a call, before it is made `Predictions`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Hints:
    """What the user says of a file that names its parts in an own way.

    Attributes:
        label_column, id_column: Names of the columns of true labels and of ids; "" to look for
            the usual names.
        logits: Whether the scores are logits.
        has_truth: Whether the labels come from elsewhere, so that a column ``label`` beside no
            probabilities is the prediction.
    """

    label_column: str = ""
    id_column: str = ""
    logits: bool = False
    has_truth: bool = False


@dataclass(frozen=True)
class Found:
    """Foreign values of N images, each in whatever form it came; something is predicted.

    Attributes:
        labels: The true labels, indices or names, or None.
        scores: Of every class (N, K), or of the second of two classes (N,), or None.
        top_classes, top_scores: Of the k most probable classes, (N, k); scores may be None.
        predicted: The predicted classes, indices or names, or None; ``top_scores`` (N,) may be
            theirs.
        class_names: K names of any type, a dict between names and indices, or None.
        numbers: The predicted classes' names by number, where another column tells, else none.
        ids: Whatever tells the images apart, or None.
        extra: Further fields of `Predictions`: split, fingerprint, metadata, top_k, images,
            embeddings.
        notes: Sentences on what was taken for what.
        unnamed: The same with the first line of a table as an image's, where that may be one.
    """

    labels: Any = None
    scores: np.ndarray | None = None
    top_classes: np.ndarray | None = None
    top_scores: np.ndarray | None = None
    predicted: Any = None
    class_names: Any = None
    numbers: dict[float, str] = field(default_factory=dict)
    ids: Any = None
    extra: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unnamed: "Found | None" = None

    @property
    def count(self) -> int:
        """N."""
        given = (self.scores, self.top_classes, self.predicted)
        return next(len(values) for values in given if values is not None)


@dataclass(frozen=True)
class Truth:
    """True labels from elsewhere: a file, class folders, or the images' own dataset.

    Attributes:
        source: Where they are from, for messages.
        labels: Of M images, indices or names.
        ids: Of the M images, or None where only their order is known.
        class_names: All classes' names, or None.
        of_parts: What gives the labels of other parts of the same data, for ids that name these
            (see `hardpairs.data.source.parts_named`); or None.
        unnamed: As that of `Found`.
    """

    source: str
    labels: Any
    ids: Any = None
    class_names: Any = None
    of_parts: "Callable[[frozenset[str]], Truth] | None" = None
    unnamed: "Truth | None" = None


Reader = Callable[[Path, Hints], Found]
