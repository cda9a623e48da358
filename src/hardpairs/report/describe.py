"""Saying in a line what is looked at: which data, which classifier, how good."""

from collections.abc import Sequence
from typing import Any

from hardpairs.analysis.evaluation import ClassScore, Evaluation
from hardpairs.analysis.subject import Subject, recipe_name, seed_of
from hardpairs.foreign import one_line, shortened
from hardpairs.predictions.predictions import Predictions
from hardpairs.wording import counted, percent, score_text

LONGEST = 60  # Letters of a foreign name in a sentence.
COUNTS = ("train_images", "held_out_images", "parameters")  # Of what a run's metadata tells.


def run_name(predictions: Predictions) -> str:
    """Name a classifier by its recipe and seed, as far as its metadata knows them."""
    name, seed = _cut(recipe_name(predictions)), seed_of(predictions)
    if not name:
        return "predictions"
    return name if seed is None else f"{name}, seed {seed}"


def data_name(subject: Subject) -> str:
    """Name the data, "" where unknown: its own title, else its name."""
    about = subject.about
    return _cut(about.title if about is not None else subject.dataset)


def split_name(predictions: Predictions) -> str:
    """Name the images, as in "test images"."""
    return f"{image_noun(predictions)}s"


def image_noun(predictions: Predictions) -> str:
    """The same of one, as in "test image"."""
    return f"{_cut(predictions.split)} image" if predictions.split.strip() else "image"


def describe(subject: Subject) -> str:
    """Data, number of images and classifier, in a line."""
    predictions = subject.predictions
    count = counted(len(predictions), image_noun(predictions))
    name = run_name(predictions)
    parts = (data_name(subject), count, "" if name == "predictions" else name)
    return " · ".join(part for part in parts if part)


def accuracy_line(evaluation: Evaluation) -> str:
    """Accuracy with its interval, in a sentence."""
    low, high = evaluation.accuracy_interval
    return (
        f"{percent(evaluation.accuracy, 2)} of {counted(evaluation.images, 'image')} "
        f"{'is' if evaluation.images == 1 else 'are'} right "
        f"(95% confidence interval {percent(low, 2)} to {percent(high, 2)})"
    )


def stands_out(evaluation: Evaluation) -> bool:
    """Whether one pair of classes has more mistakes than one, or the only one there is."""
    pairs, mistakes = evaluation.hard_pairs, evaluation.images - evaluation.correct
    return bool(pairs) and (pairs[0].mistakes > 1 or mistakes == 1)


def finding(evaluation: Evaluation, names: Sequence[str]) -> str:
    """The hardest pair and its mistakes, in a sentence with these names of the classes."""
    pairs, mistakes = evaluation.hard_pairs, evaluation.images - evaluation.correct
    if not pairs:
        many = evaluation.images > 1
        return f"All {evaluation.images:,} images are right" if many else "The only image is right"
    if not stands_out(evaluation):
        return f"No pair of classes stands out: {mistakes:,} are mixed up, each once"
    share = f"{pairs[0].mistakes:,} of {mistakes:,} mistakes"
    share = "the only mistake" if mistakes == 1 else share
    return f"{names[pairs[0].first]} and {names[pairs[0].second]}: {share}"


def separates(subject: Subject, first: int, second: int) -> str | None:
    """What separates two classes, where that is known of the data."""
    names, about = subject.evaluation.class_names, subject.about
    return about.separates.get(frozenset((names[first], names[second]))) if about else None


def ratio_texts(score: ClassScore) -> list[str]:
    """Precision, recall and F1 of a class that occurs; of one that doesn't there are none."""
    ratios = score.precision, score.recall, score.f1
    return [score_text(ratio) if score.support else "-" for ratio in ratios]


def facts(metadata: dict[str, Any]) -> dict[str, str]:
    """What a predictions file says of its origin, as far as it is plain."""
    known = {
        name: f"{value:,}" if name in COUNTS and type(value) is int else value
        for name, value in metadata.items()
        if isinstance(value, str | int | float)
    }
    if isinstance(metadata.get("versions"), dict):
        versions = metadata["versions"].items()
        known["versions"] = ", ".join(f"{name} {version}" for name, version in versions)
    return {one_line(name).replace("_", " "): one_line(value) for name, value in known.items()}


def _cut(text: str) -> str:
    return shortened(one_line(text).strip(), LONGEST)
