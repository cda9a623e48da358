"""A hard pair on the page: its images between the two classes, what to do, and a quiz."""

from typing import Any

import numpy as np

from hardpairs.analysis.evaluation import HardPair
from hardpairs.analysis.intervals import wilson_interval
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import AMBIGUOUS, MODEL_ERROR, SUSPECT, count_verdicts
from hardpairs.foreign import isolated, spoken_names
from hardpairs.report.choice import cell_rows, confident_and_borderline, directions, of_pair
from hardpairs.report.describe import separates, stands_out
from hardpairs.wording import percent

STEPS = 11  # Of the spectrum, an odd number: the crossing is in the middle.
SUREST = 6  # Right images of each class, to compare.
FIRST_IMAGES = 8
QUIZ_IMAGES, QUIZ_PAIRS = 20, 3
FEWEST_MISTAKES = 20  # Fewer carry no advice.
ADVICE = {
    SUSPECT: (
        0.2,
        "Look at the label suspects first: more of these labels look wrong than is usual.",
    ),
    AMBIGUOUS: (
        0.5,
        "Most of these pictures are ambiguous: before more training, consider a second label for "
        "them, or one class for both.",
    ),
    MODEL_ERROR: (
        0.5,
        "Most of these are model errors: the pictures can be told, so more training images of the "
        "two classes or a better model should help.",
    ),
}


def lean(subject: Subject, first: int, second: int, rows: np.ndarray) -> np.ndarray:
    """float (n,): p(first) / (p(first) + p(second)) of some images; 1 is surely the first."""
    probabilities = subject.predictions.probabilities
    if probabilities is None:
        return (subject.predictions.predicted[rows] == first).astype(np.float64)
    mine = probabilities[rows, first].astype(np.float64)
    return mine / np.maximum(mine + probabilities[rows, second], 1e-12)


def pair_data(subject: Subject, number: int, place_of: dict[int, int]) -> dict[str, Any]:
    """What the page's script is given of a hard pair.

    Args:
        subject: What the page shows.
        number: Of the pair, among the hardest.
        place_of: Where a row stands among the images that the page carries.

    Returns:
        "first", "second"; "spectrum": [place, step] of the images carried, from surely the first to
        surely the second; "counts": how many images there are, carried or not, of each of the two
        labels in each step, [right, wrong]; "told": what the page says of the pair, a sentence
        each.
    """
    pair = subject.evaluation.hard_pairs[number]
    predictions = subject.predictions
    rows = np.flatnonzero(of_pair(predictions, pair))
    away = 1 - lean(subject, pair.first, pair.second, rows)
    order = np.argsort(away, kind="stable")
    steps = np.minimum((away * STEPS).astype(np.int64), STEPS - 1)
    labels = predictions.labels[rows]
    counts = np.zeros((2, STEPS, 2), np.int64)
    sides = (labels == pair.second).astype(np.int64)
    np.add.at(counts, (sides, steps, (labels != predictions.predicted[rows]).astype(np.int64)), 1)
    facts = pair_facts(subject, pair)
    return {
        "first": pair.first,
        "second": pair.second,
        "spectrum": [
            [place_of[row], step]
            for row, step in zip(rows[order].tolist(), steps[order].tolist(), strict=True)
            if row in place_of
        ],
        "counts": counts.tolist(),
        "told": [*facts["told"], *([facts["advice"]] if facts["advice"] else [])],
    }


def pair_facts(subject: Subject, pair: HardPair) -> dict[str, Any]:
    """What the page says of a hard pair.

    Returns:
        "pair"; "verdicts", how many mistakes of both directions got each, empty where none is
        given; "told", sentences on what separates the two and
        what people do, where that is known; "advice", a sentence or None.
    """
    verdicts, predictions = subject.verdicts, subject.predictions
    of_both = verdicts.where(of_pair(predictions, pair)[verdicts.rows])
    counts = count_verdicts(of_both) if verdicts else {}
    names = predictions.class_names
    known = separates(subject, pair.first, pair.second)
    told = [f"What separates them: {known}."] if known else []
    if subject.class_votes is not None:
        told.append(_people_sentence(pair, subject.class_votes, spoken_names(names)))
    return {
        "pair": pair,
        "verdicts": counts,
        "told": told,
        "advice": advice(counts, pair.mistakes) if counts else None,
    }


def _people_sentence(pair: HardPair, votes: np.ndarray, names: list[str]) -> str:
    first, second = (isolated(names[index]) for index in (pair.first, pair.second))
    there, back = votes[pair.first, pair.second], votes[pair.second, pair.first]
    more = "more" if there + back > pair.first_share + pair.second_share else "less"
    return (
        f"People mix them up {more}: {percent(there, 0)} of their votes on {first} go to {second}, "
        f"{percent(back, 0)} the other way."
    )


def advice(counts: dict[str, int], mistakes: int) -> str | None:
    """What to do about a pair, where the verdicts leave no doubt; else None.

    A share counts as large where its whole 95% confidence interval lies above the bound.
    """
    if mistakes < FEWEST_MISTAKES:
        return None
    for verdict, (bound, sentence) in ADVICE.items():
        if wilson_interval(counts[verdict], mistakes)[0] > bound:
            return sentence
    return None


def first_images(subject: Subject) -> np.ndarray:
    """int64: eight mistakes of the hardest pair, confident and borderline ones of both kinds.

    Where no pair stands out, they are of all hard pairs.
    """
    evaluation = subject.evaluation
    if not evaluation.hard_pairs:
        return np.empty(0, np.int64)
    groups = [
        part
        for pair in evaluation.hard_pairs[: 1 if stands_out(evaluation) else None]
        for true, taken_for, _, _ in directions(pair)
        for part in confident_and_borderline(
            cell_rows(subject.predictions, true, taken_for), FIRST_IMAGES
        )
    ]
    depth = max(len(group) for group in groups)
    turns = [int(group[n]) for n in range(depth) for group in groups if n < len(group)]
    return np.array(turns[:FIRST_IMAGES], np.int64)


def surest(subject: Subject) -> np.ndarray:
    """int64: right images of the hard pairs' classes that the model is surest of, to compare."""
    classes = {
        index for pair in subject.evaluation.hard_pairs for index in (pair.first, pair.second)
    }
    rows = [cell_rows(subject.predictions, index, index)[:SUREST] for index in sorted(classes)]
    return np.concatenate(rows) if rows else np.empty(0, np.int64)


def quiz_rows(subject: Subject) -> list[tuple[int, int, int]]:
    """Images of the hardest pairs between which the model hesitates: (row, first, second).

    Chosen at random with a fixed seed among those for which neither class gets more than nine
    tenths; the same number of each pair, as far as there are.
    """
    rng = np.random.default_rng(0)
    chosen: list[tuple[int, int, int]] = []
    pairs = subject.evaluation.hard_pairs[:QUIZ_PAIRS]
    if subject.predictions.probabilities is None:
        return []
    for number, pair in enumerate(pairs):
        rows = np.flatnonzero(of_pair(subject.predictions, pair))
        share = lean(subject, pair.first, pair.second, rows)
        rows = rng.permutation(rows[(share > 0.1) & (share < 0.9)])
        wanted = -(-(QUIZ_IMAGES - len(chosen)) // (len(pairs) - number))
        chosen += [(int(row), pair.first, pair.second) for row in rows[:wanted]]
    order = rng.permutation(len(chosen))
    return [chosen[index] for index in order]


def quiz_data(subject: Subject, place_of: dict[int, int]) -> dict[str, Any] | None:
    """The quiz: images, their two classes, how many the model got right and what people did.

    Returns:
        "items": [place, first, second]; "model": images right; "people": mean share of the votes
        on these images that chose the label, or None. None where there are too few images.
    """
    items = [item for item in quiz_rows(subject) if item[0] in place_of]
    if len(items) < 5 or subject.images is None:
        return None
    rows = np.array([row for row, _, _ in items])
    predictions, votes = subject.predictions, subject.votes
    right = predictions.labels[rows] == predictions.predicted[rows]
    people = None
    if votes is not None:
        people = float((votes[rows, predictions.labels[rows]] / votes[rows].sum(axis=1)).mean())
    return {
        "items": [[place_of[row], first, second] for row, first, second in items],
        "model": int(right.sum()),
        "people": None if people is None else percent(people, 0),
    }
