"""Predictions from what is in memory: arrays, tensors, frames, or what a framework returned."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.arrays import is_text, to_numpy
from hardpairs.errors import InputError
from hardpairs.foreign import one_line
from hardpairs.labels import listed, numbered_columns, to_names
from hardpairs.predictions.classes import with_own_numbers
from hardpairs.predictions.columns import LABEL, TRUE_LABEL, first_named
from hardpairs.predictions.convert import to_predictions
from hardpairs.predictions.found import Found, Hints, Truth
from hardpairs.predictions.frames import (
    are_records,
    column_names,
    feature_names,
    fields_table,
    frame_table,
    is_frame,
    records_table,
    shows_pictures,
)
from hardpairs.predictions.handed import (
    bare_scores,
    check_categories,
    check_order,
    join_batches,
    joined_ids,
    joined_records,
    joined_rows,
    named_scores,
)
from hardpairs.predictions.joined_truth import join_truth
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.numpy_files import find_arrays, is_scores
from hardpairs.predictions.predictions import Predictions
from hardpairs.predictions.table import find_columns, find_truth

OPTIONS = ("class_names", "ids", "embeddings", "logits")


def make_predictions(
    labels: Any,
    probabilities: Any = None,
    *,
    class_names: Any = None,
    ids: Any = None,
    embeddings: Any = None,
    logits: bool = False,
    truth: Callable[[], Truth] | None = None,
) -> Predictions:
    """Make `Predictions` of whatever is at hand.

    Args:
        labels: N true labels: indices, names, one-hot. In place of labels and probabilities also a
            frame or records with columns of both, a dict of arrays named as in an .npz,
            `Predictions`, a predictions file's path, or what Hugging Face's ``Trainer.predict``
            returns; in place of labels a frame or records of them, or a Keras generator.
        probabilities: (N, K) probabilities or logits, (N,) of the second of two classes, N
            predicted classes, or a frame or records of these; ids on both sides join them.
        class_names: K names, or a dict between names and indices. Neither names nor ids nor
            embeddings are taken beside `Predictions` or a file, which hold their own.
        ids: N file names or numbers.
        embeddings: (N, D), or None.
        logits: Whether the scores are logits, where that isn't to be guessed.
        truth: Called for true labels where there are none.

    Raises:
        InputError: Something doesn't fit together (see the message).
    """
    more = {"class_names": class_names, "ids": ids, "embeddings": embeddings}
    if isinstance(labels, Predictions):
        refuse_more("Predictions", probabilities=probabilities, **more, logits=logits or None)
        return labels
    if probabilities is None and isinstance(labels, str | Path):
        refuse_more(one_line(labels), **more)
        return load_predictions(labels, hints=Hints(logits=logits), truth=truth)
    found = _found(labels, probabilities, Hints(has_truth=truth is not None))
    if class_names is None and found.class_names is None and found.scores is not None:
        check_categories(labels, found.scores.shape[-1])
    if class_names is not None:
        is_read_once = isinstance(class_names, Iterator)
        found = _with_names(found, [*class_names] if is_read_once else class_names)
        found = with_own_numbers(found, class_names)
    if ids is not None:
        found = replace(found, ids=joined_ids(ids, found.count))
    if embeddings is not None:
        rows = joined_rows(embeddings, "embeddings")
        found = replace(found, extra={**found.extra, "embeddings": rows})
    given = truth() if truth is not None and found.labels is None else None
    return to_predictions(found, logits=logits, truth=given)


def check_options(function: str, more: Mapping[str, Any], *others: str) -> None:
    """Raise TypeError for what `make_predictions` doesn't take, as Python does, with the near name.

    Args:
        function: The public one that hands its options on.
        more: What it was given.
        others: Its own options.
    """
    for name in more:
        if name not in OPTIONS:
            near = get_close_matches(name, (*OPTIONS, *others), n=1)
            hint = f". Did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{hint}")


def refuse_more(whole: str, **more: Any) -> None:
    """Raise InputError where anything but None is given beside what has its own already."""
    given = " and ".join(name for name, value in more.items() if value is not None)
    if given:
        raise InputError(
            f"{given} given with {whole} would be ignored; give {whole} alone, or all of it as "
            "arrays."
        )


def _with_names(found: Found, class_names: Any) -> Found:
    """The names given, in their order the columns of scores that have names of their own.

    Raises:
        InputError: Some of the columns are named as given and others aren't.
    """
    if found.scores is None or not isinstance(found.class_names, list):
        return replace(found, class_names=class_names)
    columns, names = to_names(found.class_names), to_names(class_names)
    if set(columns).isdisjoint(names):
        return replace(found, class_names=class_names)
    if sorted(columns) != sorted(names):
        raise InputError(
            f"the columns of probabilities are named {listed(columns)}, and class_names are "
            f"{listed(names)}; give names of the same classes, or none."
        )
    order = [columns.index(name) for name in names]
    return replace(found, scores=found.scores[:, order], class_names=class_names)


def _found(labels: Any, probabilities: Any, hints: Hints) -> Found:
    """Labels and predictions, wherever they stand in what was given."""
    if probabilities is None and hasattr(labels, "predictions") and hasattr(labels, "label_ids"):
        labels, probabilities = labels.label_ids, labels  # Trainer.predict's output.
    if probabilities is None:
        return _in_one(labels, hints)
    names: Any = None
    ids: Any = None
    if hasattr(labels, "class_indices") and hasattr(labels, "classes"):  # A Keras generator.
        names, ids = labels.class_indices, getattr(labels, "filenames", None)
        labels = _in_order(labels).classes
    given = labels
    if hasattr(labels, "element_spec"):
        raise InputError(
            "labels are a tf.data.Dataset, which may shuffle each time it is read; make it with "
            "shuffle=False and give numpy.concatenate([y for _, y in dataset]), with "
            "class_names=dataset.class_names."
        )
    probabilities = bare_scores(probabilities)
    truth = _truth(labels)
    labels, joined = join_batches(None if truth else labels, probabilities)
    found = _predicted(joined, names)
    if truth is None or truth.ids is None or found.ids is None:  # Else they are joined by ids.
        check_order(given, probabilities)
    if truth is None:
        return replace(found, labels=labels, ids=found.ids if ids is None else ids)
    notes: list[str] = []
    joined = join_truth(found, truth, notes)
    if found.ids is None:
        return replace(joined, ids=truth.ids)
    return replace(joined, notes=(*joined.notes, *notes))


def _truth(labels: Any) -> Truth | None:
    """The labels in a frame of several columns, or in records, with what stands beside them."""
    is_table = is_frame(labels) and column_names(labels) is not None
    if not is_table and not are_records(labels):
        return None
    table = frame_table(labels) if is_table else records_table(labels)
    if "" in table and not is_text(table[""]):  # An index that numbers rows of something else.
        del table[""]
    vector, ids, names = find_truth(table, Hints())
    names = names or feature_names(labels)
    return Truth("the labels' table", vector, ids, None if names is None else tuple(names))


def _predicted(given: Any, names: Any) -> Found:
    """What is predicted: scores, classes, or a table of these, as of ``find_columns``."""
    if (pairs := named_scores(given)) is not None:
        return pairs
    if isinstance(given, Mapping) or are_records(given):
        return _in_one(given, Hints(has_truth=True))
    array = to_numpy(given, "probabilities")
    if is_frame(given) and names is None:
        names = column_names(given)
        if names and (array.ndim < 2 or array.dtype.kind in "OUS"):  # Columns of several kinds.
            return _in_one(given, Hints(has_truth=True))
    if isinstance(names, list) and array.ndim == 2 and array.shape[1] == len(names):
        order, names = numbered_columns(list(map(str, names)))
        array = array[:, order]
    if (array.ndim == 1 and not is_scores(array)) or array.dtype.kind in "OUS":
        return Found(predicted=array, class_names=names)
    if array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind in "iub":
        return Found(predicted=array[:, 0], class_names=names)
    return Found(scores=array, class_names=names)


def _in_one(given: Any, hints: Hints) -> Found:
    """Labels and predictions in one: a frame, records, a dict of columns or of arrays."""
    if is_frame(given):
        table = find_columns(frame_table(given), hints)
        return table if table.class_names else replace(table, class_names=feature_names(given))
    if isinstance(given, np.ndarray) and given.dtype.names:
        return find_columns(fields_table(given), hints)
    if are_records(given):
        return find_columns(joined_records(given) or records_table(given), hints)
    if isinstance(given, Mapping):
        arrays = {
            str(name): to_numpy(value, str(name))
            for name, value in given.items()
            if not (isinstance(value, list) and shows_pictures(str(name), value))
        }
        found = find_arrays(arrays, hints)
        if found is not None:
            return found
        lengths = {array.shape[:1] for array in arrays.values()}
        is_labelled = first_named(arrays, (*TRUE_LABEL, *LABEL), set()) is not None
        if len(lengths) == 1 and (is_labelled or hints.has_truth):
            return find_columns(arrays, hints)
        raise InputError(
            f"the dict has {listed(arrays)}; give 'labels' and 'probabilities', or both alone."
        )
    raise InputError(
        f"labels are given ({type(given).__name__}) and nothing predicted; give a "
        "probability for each class, or the predicted classes."
    )


def _in_order(generator: Any) -> Any:
    if getattr(generator, "shuffle", False):
        raise InputError(
            "the generator shuffles, so that its labels aren't in the order of the predictions; "
            "make it with shuffle=False and predict again."
        )
    return generator
