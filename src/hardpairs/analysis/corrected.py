"""A subject with corrected labels: what would be right if the reader is."""

from dataclasses import replace

import numpy as np

from hardpairs.analysis.alignment import take_rows
from hardpairs.analysis.subject import Subject
from hardpairs.data.corrections import Corrections, corrected_labels, count_unknown, told
from hardpairs.errors import InputError
from hardpairs.wording import percent


def correct_subject(subject: Subject, corrections: Corrections) -> Subject:
    """Correct the labels that predictions are judged by, and leave images out.

    Accuracy before the corrections stands in the notes, since it can't be compared with the new
    one: only mistakes are looked at, so corrections can hardly but raise it.

    Raises:
        InputError: An image is labelled otherwise than the file says, or none would be left.
    """
    predictions = subject.predictions
    split = predictions.split or "test"
    labels, stays = corrected_labels(predictions.labels, predictions.ids, corrections, split)
    if not stays.any():
        raise InputError(f"{corrections.source}: leaves out every image; keep some.")
    changed, rows = int((labels != predictions.labels).sum()), np.flatnonzero(stays)
    unknown = count_unknown(corrections, {split: predictions.ids})
    note = (
        f"{told(corrections, changed, int((~stays).sum()), unknown)} Before them "
        f"{percent(subject.evaluation.accuracy, 2)} of {subject.evaluation.images:,} images were "
        "right; who corrects mistakes only can hardly but raise that."
    )
    if not changed and stays.all():
        return replace(subject, notes=(*subject.notes, note))
    return subject.of_rows(
        rows,
        take_rows(predictions, rows, labels=labels[rows]),
        other_runs=tuple(take_rows(run, rows, labels=labels[rows]) for run in subject.other_runs),
        notes=(*subject.notes, note),
    )
