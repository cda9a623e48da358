"""The two sides of a comparison: the runs of each, what is known of them, what they are called."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.analysis.alignment import Aligned
from hardpairs.analysis.calibration import calibrate
from hardpairs.analysis.intervals import wilson_interval
from hardpairs.analysis.significance import mean_interval
from hardpairs.analysis.subject import Subject, recipe_name, seed_of
from hardpairs.analysis.verdicts import knows_confidence
from hardpairs.errors import InputError
from hardpairs.foreign import one_line
from hardpairs.predictions.predictions import Predictions

LONGEST_NAME = 60
Run = str | Path | Predictions | Subject


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a fitted model, or a recipe trained with several seeds.

    Attributes:
        name: Recipe and seeds where known, else the file's name; different for the two sides.
        seeds: Of its runs, None where unknown.
        accuracies: Of its runs.
        accuracy: Their mean.
        interval: 95%: Wilson's over images for one run, the t interval over several.
        calibration_error: Expected calibration error, mean over runs; None without confidence.
        calibration_interval: 95%: over images for one run, over runs for several.
    """

    name: str
    seeds: tuple[int | None, ...]
    accuracies: tuple[float, ...]
    accuracy: float
    interval: tuple[float, float]
    calibration_error: float | None
    calibration_interval: tuple[float, float] | None


def describe_sides(
    runs: Sequence[Sequence[Predictions]], files: Sequence[Sequence[str]]
) -> tuple[Side, Side]:
    """Describe both sides, with names that differ.

    Args:
        runs: Of each side.
        files: What each run was read from.
    """
    names = [_side_name(*side) for side in zip(runs, files, strict=True)]
    if names[0] == names[1]:
        names = [
            f"{name} ({one_line(side[0])[-LONGEST_NAME:]})"
            for name, side in zip(names, files, strict=True)
        ]
    if names[0] == names[1]:
        names[1] = f"{names[1]}, again"
    first, second = (_describe_side(*side) for side in zip(runs, names, strict=True))
    return first, second


def _describe_side(runs: Sequence[Predictions], name: str) -> Side:
    accuracies = [float((run.predicted == run.labels).mean()) for run in runs]
    right, images = int((runs[0].predicted == runs[0].labels).sum()), len(runs[0])
    errors = [calibrate(run, None).before for run in runs if knows_confidence(run)]
    values = [error.value for error in errors]
    of_errors = errors[0].interval if len(errors) == 1 else _interval_over_runs(values)
    return Side(
        name=name,
        seeds=tuple(seed_of(run) for run in runs),
        accuracies=tuple(accuracies),
        accuracy=float(np.mean(accuracies)),
        interval=_interval_over_runs(accuracies) or wilson_interval(right, images),
        calibration_error=float(np.mean(values)) if values else None,
        calibration_interval=of_errors,
    )


def _interval_over_runs(shares: Sequence[float]) -> tuple[float, float] | None:
    if len(shares) < 2:
        return None
    low, high = mean_interval(np.array(shares))
    return max(low, 0.0), min(high, 1.0)


def _side_name(runs: Sequence[Predictions], files: Sequence[str]) -> str:
    path, name = Path(files[0]), recipe_name(runs[0])
    if not name:
        stem = path.parent.name if path.name == "predictions.npz" else path.stem
        name = stem or str(path)
    shown = one_line(name)[:LONGEST_NAME]
    if len(runs) > 1:
        return f"{shown}, {len(runs)} seeds"
    seed = seed_of(runs[0])
    return shown if seed is None else f"{shown}, seed {seed}"


def as_subjects(side: Run | Sequence[Run], load: Callable[..., Subject]) -> list[Subject]:
    """Gather what is known of a side's runs.

    Args:
        side: One run or several.
        load: `load_subject` with what goes for all runs; images are looked for with the first.

    Raises:
        InputError: There is no run, or one can't be read.
    """
    every = _listed(side)
    if not every:
        raise InputError("a side without predictions can't be compared; give at least one.")
    subjects: list[Subject] = []
    for each in every:
        if isinstance(each, Subject):
            subjects.append(each)
        elif isinstance(each, Predictions):
            subjects.append(Subject(each))
        elif isinstance(each, str | Path):
            subjects.append(load(each, with_images=False) if subjects else load(each))
        else:
            raise InputError(
                f"a side of the comparison holds {type(each).__name__}, which is no predictions; "
                "give hardpairs.Predictions(labels, probabilities, class_names), what explore "
                "returns, or a path."
            )
    return subjects


def file_names(side: Run | Sequence[Run], letter: str) -> list[str]:
    """What messages call each run: its path, where it has one, else its side."""
    every = _listed(side)
    return [
        str(each)
        if isinstance(each, str | Path)
        else f"predictions {letter}{f', run {number}' if number > 1 else ''}"
        for number, each in enumerate(every, start=1)
    ]


def _listed(side: Any) -> list[Run]:
    """The runs of a side; of what `explore` returned the subject."""
    every = list(side) if isinstance(side, list | tuple) else [side]
    return [getattr(each, "subject", each) for each in every]


def match_seeds(a: Sequence[Predictions], b: Sequence[Predictions]) -> tuple[int, ...] | None:
    """Where each seed of A is in B; None unless both have the same two seeds or more."""
    seeds = [[seed_of(run) for run in side] for side in (a, b)]
    known = [each for each in seeds[0] if each is not None]
    if (
        len(known) < 2
        or len(seeds[0]) != len(seeds[1])
        or len(set(known)) < len(seeds[0])
        or sorted(known) != sorted(each for each in seeds[1] if each is not None)
    ):
        return None
    return tuple(seeds[1].index(seed) for seed in seeds[0])


def lone_side(a: Sequence[Predictions], b: Sequence[Predictions]) -> str:
    """The side that has one run where the other has several, "A" or "B"; else ""."""
    counts = [len(a), len(b)]
    return "AB"[counts.index(1)] if min(counts) == 1 < max(counts) else ""


def first_subject(
    subject: Subject, rows: np.ndarray, classes: np.ndarray, runs: Sequence[Predictions]
) -> Subject:
    """What is known of a side's first run, in the rows and classes that both sides have."""
    count = len(runs[0].class_names)

    def in_place(values: np.ndarray) -> np.ndarray:
        wide = np.zeros((len(rows), count), values.dtype)
        wide[:, classes] = values
        return wide

    taken = subject.of_rows(rows, runs[0], other_runs=tuple(runs[1:]))
    neighbours = taken.neighbours
    if neighbours is not None:
        shares: dict[str, Any] = {name: in_place(each) for name, each in neighbours.shares.items()}
        neighbours = replace(neighbours, labels=classes[neighbours.labels], **shares)
    return replace(
        taken,
        class_votes=taken.class_votes if np.array_equal(classes, np.arange(count)) else None,
        votes=None if taken.votes is None else in_place(taken.votes),
        neighbours=neighbours,
    )


def first_subjects(
    subjects: Sequence[Subject],
    firsts: Sequence[int],
    aligned: Aligned,
    runs: Sequence[Sequence[Predictions]],
) -> tuple[Subject, Subject]:
    """Each side's first run, with the images and the people's votes of both."""
    a, b = (
        first_subject(subject, aligned.rows[place], aligned.classes[place], side)
        for subject, place, side in zip(subjects, firsts, runs, strict=True)
    )
    b = replace(b, votes=a.votes)  # People were asked once.
    if a.images is None:
        a = replace(a, images=b.images, inverted=b.inverted)
    return a, b
