"""The confusion matrix on the page: colour levels, classes in order of likeness, groups of many."""

from collections import Counter
from typing import Any

import numpy as np

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.samples import even_sample
from hardpairs.analysis.subject import Subject
from hardpairs.foreign import isolated, shortened, spoken_names

MOST_CLASSES_IN_FULL = 40
MOST_CLASSES_IN_GROUPS = 3_000  # Their likeness is a matrix, 72 MB.
LEVELS = 10  # Steps of the matrix' colour map, see matrix.css.
DIFFERENCE_LEVELS = 5
MOST_SAMPLED = 10_000
FEWEST_GROUPS, MOST_GROUPS = 8, 24
LONGEST_NAME = 16
PEOPLE_EXAMPLES = 3  # Images of a cell that travel, whatever the model says of them.


def matrix_rows(evaluation: Evaluation) -> list[list[dict[str, Any]]] | None:
    """Each cell's count, share of the row and colour levels; None above 40 classes.

    "errors" is the level where the largest mistake, not the diagonal, is the darkest.
    """
    if len(evaluation.class_names) > MOST_CLASSES_IN_FULL:
        return None
    shares = evaluation.row_shares
    mistaken = shares * (1 - np.eye(len(shares)))
    most = max(float(mistaken.max()), 1e-12)
    return [
        [
            {
                "count": int(count),
                "share": float(share),
                "level": _level(share, LEVELS),
                "errors": _level(wrong / most, LEVELS),
            }
            for count, share, wrong in zip(counts, row, wrongs, strict=True)
        ]
        for counts, row, wrongs in zip(evaluation.confusion, shares, mistaken, strict=True)
    ]


def people_rows(subject: Subject) -> list[list[dict[str, Any]]] | None:
    """Each cell's share of votes, what the model's share is beyond it, and who does better.

    On the diagonal more is better, elsewhere less.
    """
    class_votes, evaluation = subject.class_votes, subject.evaluation
    if class_votes is None or len(evaluation.class_names) > MOST_CLASSES_IN_FULL:
        return None
    difference = evaluation.row_shares - class_votes
    chosen_by_most = people_counts(subject)
    for_model = np.where(np.eye(len(class_votes), dtype=bool), difference, -difference)
    return [
        [
            {
                "share": float(share),
                "level": _level(share, LEVELS),
                "difference": float(more),
                "better": "model" if gain > 0 else "people",
                "difference_level": _level(abs(gain), DIFFERENCE_LEVELS),
                "images": int(images),
            }
            for share, more, gain, images in zip(*line, strict=True)
        ]
        for line in zip(class_votes, difference, for_model, chosen_by_most, strict=True)
    ]


def people_counts(subject: Subject) -> np.ndarray:
    """int64 (K, K): images by label and by the class that most people chose; 0 where unknown."""
    classes = len(subject.predictions.class_names)
    counts = np.zeros((classes, classes), np.int64)
    if subject.votes is not None:
        np.add.at(counts, (subject.predictions.labels, subject.votes.argmax(axis=1)), 1)
    return counts


def people_examples(subject: Subject) -> np.ndarray:
    """int64: images that most people call something else, of each cell those they agree most on."""
    votes, labels = subject.votes, subject.predictions.labels
    if votes is None or len(subject.predictions.class_names) > MOST_CLASSES_IN_FULL:
        return np.empty(0, np.int64)
    chosen = votes.argmax(axis=1)
    share = votes.max(axis=1) / np.maximum(votes.sum(axis=1), 1)
    rows = np.flatnonzero(chosen != labels)
    order = rows[np.argsort(-share[rows], kind="stable")]
    cell = labels[order] * votes.shape[1] + chosen[order]
    firsts = [order[cell == each][:PEOPLE_EXAMPLES] for each in np.unique(cell)]
    return np.concatenate(firsts) if firsts else np.empty(0, np.int64)


def head_names(names: list[str]) -> list[str]:
    """Names for a matrix' head: at most 16 letters, cut where those left still tell them apart."""
    cut = [shortened(name, LONGEST_NAME) for name in names]
    half, times = (LONGEST_NAME - 1) // 2, Counter(cut)
    return [
        f"{name[:half]}…{name[-half:]}" if times[short] > 1 else short
        for name, short in zip(names, cut, strict=True)
    ]


def likeness_order(evaluation: Evaluation) -> list[int]:
    """Classes in an order that puts those that are mixed up beside each other.

    Spectral seriation of the mistakes in both directions (Atkins, Boman, Hendrickson, SIAM J.
    Comput. 28, 1998): sorted by the Laplacian's second eigenvector.
    """
    mistakes = evaluation.confusion + evaluation.confusion.T
    likeness = np.sqrt(mistakes * (1 - np.eye(len(mistakes)))) + 1e-3
    laplacian = np.diag(likeness.sum(axis=1)) - likeness
    _, vectors = np.linalg.eigh(laplacian)
    fiedler = vectors[:, min(1, len(vectors) - 1)]
    if fiedler[0] > fiedler[-1]:
        fiedler = -fiedler
    return [int(index) for index in np.argsort(fiedler, kind="stable")]


def group_classes(subject: Subject) -> list[dict[str, Any]]:
    """Groups of classes that the model mixes up, for a matrix of many classes.

    Ward's hierarchical clustering of the classes' mean predictions (square roots, so that the
    distance is Hellinger's). Empty for few classes, and for so many that a matrix is too large.

    Returns:
        For each group, that with most mistakes first, its "name", "classes", those most mixed up
        with others of the group first, "images", mistakes "inside" and "outside"; and "cells",
        its row of the matrix: of its images taken for each group's, "count", "share" and "errors",
        the colour level.
    """
    evaluation = subject.evaluation
    classes = len(evaluation.class_names)
    if not MOST_CLASSES_IN_FULL < classes <= MOST_CLASSES_IN_GROUPS:
        return []
    from scipy.cluster import hierarchy  # noqa: PLC0415  # Slow to import, and rarely needed.

    cells = evaluation.cells
    tree = hierarchy.linkage(np.sqrt(_mean_predictions(subject)), "ward")
    count = int(np.clip(round(classes**0.5), FEWEST_GROUPS, MOST_GROUPS))
    found = hierarchy.fcluster(tree, count, "maxclust") - 1
    order = {group: place for place, group in enumerate(dict.fromkeys(found.tolist()))}
    group_of = np.array([order[group] for group in found.tolist()])
    totals = np.zeros((len(order),) * 2, np.int64)
    np.add.at(totals, (group_of[cells[:, 0]], group_of[cells[:, 1]]), cells[:, 2])
    names, support = spoken_names(evaluation.class_names), [s.support for s in evaluation.classes]
    groups: list[dict[str, Any]] = []
    within = cells[(group_of[cells[:, 0]] == group_of[cells[:, 1]]) & (cells[:, 0] != cells[:, 1])]
    mixed_up = np.zeros(classes, np.int64)
    for side in (0, 1):
        np.add.at(mixed_up, within[:, side], within[:, 2])
    for number in range(len(order)):
        members = np.flatnonzero(group_of == number).tolist()
        members.sort(key=lambda index: (-mixed_up[index], -support[index]))
        more = f" and {len(members) - 2} more" if len(members) > 2 else ""
        groups.append(
            {
                "name": ", ".join(isolated(names[i]) for i in members[:2]) + more,
                "classes": members,
                "images": int(totals[number].sum()),
                "inside": int(within[group_of[within[:, 0]] == number, 2].sum()),
                "outside": int(totals[number].sum() - totals[number, number]),
            }
        )
    return _with_cells(groups, totals)


def _with_cells(groups: list[dict[str, Any]], totals: np.ndarray) -> list[dict[str, Any]]:
    """The groups, that with most mistakes first, each with its row of the matrix."""
    np.fill_diagonal(totals, [group["inside"] for group in groups])
    order_of = sorted(range(len(groups)), key=lambda number: -groups[number]["inside"])
    images = np.array([group["images"] for group in groups])[order_of]
    shares = totals[np.ix_(order_of, order_of)] / np.maximum(images, 1)[:, None]
    for place, number in enumerate(order_of):
        groups[number]["cells"] = [
            {
                "count": int(totals[number, other]),
                "share": float(share),
                "errors": _level(share / max(float(shares.max()), 1e-12), LEVELS),
            }
            for other, share in zip(order_of, shares[place], strict=True)
        ]
    return [groups[number] for number in order_of]


def _mean_predictions(subject: Subject) -> np.ndarray:
    """float64 (K, K): the mean prediction of each class's images, of 10,000 images at most.

    What was predicted counts once more, so that no class is left without.
    """
    predictions, classes = subject.predictions, len(subject.predictions.class_names)
    sums = np.zeros((classes, classes))
    cells = subject.evaluation.cells
    sums[cells[:, 0], cells[:, 1]] = cells[:, 2]
    if predictions.probabilities is not None:
        rows = even_sample(len(predictions), MOST_SAMPLED)
        rows = rows[np.argsort(predictions.labels[rows], kind="stable")]
        labels, starts = np.unique(predictions.labels[rows], return_index=True)
        sums[labels] += np.add.reduceat(predictions.probabilities[rows], starts, axis=0)
    return sums / np.maximum(sums.sum(axis=1, keepdims=True), 1e-12)


def _level(share: float, levels: int) -> int:
    """Colour level of a share: the square root lifts a few percent out of the background."""
    return int(np.ceil(levels * np.sqrt(share) - 1e-9))
