"""Columns by name: what is usual, what is there, what tells images apart."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardpairs.arrays import are_whole, is_text
from hardpairs.data.pictures import ENDINGS
from hardpairs.labels import clean_label

IMAGE_NAME = re.compile(rf"({'|'.join(map(re.escape, sorted(ENDINGS)))})$", re.IGNORECASE)
MOST_TEXTS = 10_000
# Usual names, compared without case, blanks and signs; the first that is there counts.
TRUE_LABEL = (
    *("truelabel", "trueclass", "groundtruth", "groundtruthlabel", "ytrue", "truth", "true", "gt"),
    *("target", "targets", "actual", "expected", "labelids", "labelid", "ytest", "givenlabel"),
    *("correctlabel", "reference", "references", "targs", "actualclass", "actuallabel"),
    *("obs", "observed"),
)
LABEL = (
    *("label", "labels", "classname", "labelname", "classlabel", "category", "y", "class"),
    "choice",
)
IDS = (
    *("id", "imageid", "filename", "filepath", "file", "path", "imagepath", "imagename"),
    *("imgpath", "img", "image", "images", "filenames", "ids", "uuid", "sampleid", "key"),
    *("index", "name"),
)
PREDICTED = (
    *("predicted", "prediction", "predictions", "pred", "preds", "ypred", "predictedlabel"),
    *("predictedclass", "predlabel", "predclass", "predictionlabel", "predictedname", "top1"),
    *("labelpred", "argmax", "yhat", "predict", "scoredlabels", "modelprediction", "hypothesis"),
    *("guess", "guessed", "got", "inferred", "classified", "predictedcategory", "modellabel"),
)
INDICES = ("index", "classid", "classindex", "labelindex", "class", "predictedindex", "top1index")
CONFIDENCE = (
    *("confidence", "conf", "score", "prob", "probability", "proba", "maxprob", "predprob"),
    *("predictionprobability", "predictionconfidence", "predictionscore", "top1prob"),
    *("predictedprobability", "top1conf", "maxprobability"),
)
VECTORS = (
    *("probabilities", "probs", "proba", "prob", "probability", "scores", "score", "logits"),
    *("logit", "predictions", "preds", "softmax", "outputs", "output", "predprobs", "yprob"),
    *("yscore", "ypred", "yproba"),
)
Table = dict[str, np.ndarray]


@dataclass(frozen=True)
class Sheet:
    """A file of a table as it was read, before it is told which column is what.

    Attributes:
        columns: By name, in their order: numbers (N,) or (N, K), texts (N,), or objects (N,).
        class_names: That stand beside the columns, or None.
        lines: Of text each row's line in the file, else empty.
        is_named: Whether the columns have names; else they are numbered, and all are numbers.
    """

    columns: Table
    class_names: Any = None
    lines: Sequence[int] = ()
    is_named: bool = True

    def matrix(self) -> np.ndarray:
        """Columns of numbers (N,) side by side, (N, K)."""
        return np.stack(list(self.columns.values()), axis=1)


def listing(table: Table) -> str:
    """The columns for a message, ten at most: "found the columns 'a' (numbers), 'b' (text)"."""
    most = 10
    kinds = {name: _kind(values) for name, values in table.items()}
    if len(kinds) > most:  # Of many numbers a few tell what they are.
        kinds = dict(sorted(kinds.items(), key=lambda pair: pair[1] == "numbers"))
    shown = [f"{name[:40]!r} ({kind})" for name, kind in kinds.items()][:most]
    more = f" and {len(table) - most} more" if len(table) > most else ""
    return f"found the columns {', '.join(shown)}{more}"


def _kind(values: np.ndarray) -> str:
    if values.ndim > 1:
        return f"lists of {values.shape[1]} {'texts' if is_text(values) else 'numbers'}"
    if is_text(values):
        return "text"
    return {"f": "numbers", "i": "numbers", "u": "numbers", "b": "true or false"}.get(
        values.dtype.kind, "mixed"
    )


def plain(name: str) -> str:
    """A column's name without case, blanks and signs."""
    return re.sub(r"[\W_]+", "", name).casefold()


def texts_of(table: Table) -> set[str]:
    """Texts that some column holds: a column of numbers named as one of them is a class."""
    texts: set[str] = set()
    for values in table.values():
        if holds_texts(values):
            distinct = set(values.tolist())
            if len(distinct) <= MOST_TEXTS:
                texts |= {text for text in map(clean_label, distinct) if text is not None}
    return texts


def first_named(table: Table, usual: Iterable[str], mentioned: set[str]) -> str | None:
    """The first column that has a usual name and isn't a class."""
    by_plain: dict[str, str] = {}
    for name, values in table.items():
        if not (name in mentioned and not is_text(values)):
            by_plain.setdefault(plain(name), name)
    return next((by_plain[each] for each in usual if each in by_plain), None)


def holds_texts(values: np.ndarray) -> bool:
    """Whether a column holds a text for each image, and not a list of them."""
    return values.ndim == 1 and is_text(values)


def tells_apart(values: np.ndarray) -> bool:
    """Whether a column holds another number or text in every row, as ids do."""
    if values.ndim != 1 or (values.dtype.kind == "f" and not are_whole(values)):
        return False
    if values.dtype.kind == "O" and not is_text(values):
        return False
    return len(set(values.tolist())) == len(values)
