"""Evidence on an image as sentences, for people to read."""

import numpy as np

from hardpairs.analysis.evidence import Evidence
from hardpairs.analysis.subject import Subject
from hardpairs.foreign import isolated, spoken_names
from hardpairs.wording import counted


def evidence_sentences(subject: Subject, rows: np.ndarray) -> list[list[str]]:
    """What is known of some images' labels, for each a sentence of every source at hand."""
    names = [*map(isolated, spoken_names(subject.predictions.class_names))]
    return [_of_image(subject, row, names) for row in rows.tolist()]


def _of_image(subject: Subject, row: int, names: list[str]) -> list[str]:
    predictions, evidence = subject.predictions, subject.evidence
    label, taken_for = (names[index[row]] for index in (predictions.labels, predictions.predicted))
    right = predictions.labels[row] == predictions.predicted[row]
    sentences = []
    nearest = subject.nearest
    if nearest is not None:
        labels = nearest.labels[row]
        images = "training images" if nearest.of_training else "images among those predicted"
        of_label = int((labels == predictions.labels[row]).sum())
        of_other = int((labels == predictions.predicted[row]).sum())
        other = "" if right else f", {of_other} {taken_for}"
        sentences.append(
            f"{of_label} of its {len(labels)} nearest {images} "
            f"{'is' if of_label == 1 else 'are'} labelled {label}{other}."
        )
    if evidence.people is not None and evidence.people_for_label is not None:
        chose = int(evidence.people_for_label[row])
        other = ""
        if not right and evidence.people_for_prediction is not None:
            other = f", {evidence.people_for_prediction[row]} {taken_for}"
        people = counted(int(evidence.people[row]), "person", "people")
        sentences.append(f"{chose} of {people} chose {label}{other}.")
    if evidence.runs_for_label is not None:
        runs = 1 + len(subject.other_runs)
        agree = round(float(evidence.runs_for_label[row]) * runs)
        verb = "predicts" if agree == 1 else "predict"
        sentences.append(f"{agree} of {runs} runs {verb} {label}.")
    judged = not right and not subject.verdicts.reason
    return sentences + (_causes(evidence, row) if judged else [])


def _cause_text(share: float) -> str:
    """Whole percents; an estimate, which is never told as none or as all."""
    return "under 1%" if share < 0.01 else "over 99%" if share >= 0.995 else f"{share:.0%}"


def _causes(evidence: Evidence, row: int) -> list[str]:
    """Scores stay in mistakes.csv: beside a probability, they look like another one of the same."""
    known = [
        (name, _cause_text(column[row]))
        for name, column in (
            ("a wrong label", evidence.label_error_probability),
            ("an ambiguous picture", evidence.ambiguous_probability),
            ("the model", evidence.model_error_probability),
        )
        if column is not None
    ]
    if len(known) == 1:
        name, share = known[0]
        return [f"{name.capitalize()}: {share} probable."]
    told = ", ".join(f"{name} {share}" for name, share in known)
    return [f"How probable each cause is: {told}."] if told else []
