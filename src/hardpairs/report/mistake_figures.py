"""Figures of mistakes: the hard pairs, the hardest class, and mistakes by verdict."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import (
    AMBIGUOUS,
    CANNOT_TELL,
    MODEL_ERROR,
    SUSPECT,
    VERDICTS,
    Verdicts,
    count_verdicts,
)
from hardpairs.foreign import spoken_names
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    Tile,
    fit_texts,
    grid_figure,
    of_subject,
    place_tiles,
)
from hardpairs.report.choice import (
    cell_rows,
    confident_and_borderline,
    directions,
    of_pair,
    spread,
    typical_mistakes,
)
from hardpairs.report.describe import describe, finding
from hardpairs.report.names import LONGEST_NAME, short_id, short_names
from hardpairs.report.pictures import pictures
from hardpairs.wording import counted, percent

WIDTH, HARDEST_WIDTH = 10.4, 9.6  # Inches.
IN_SENTENCE = 20.0  # Widths of the letter M.
UNDER_PAIR, UNDER_VERDICT = 6.7, 5.7  # More runs into the next picture's caption.
PAIRS_SHOWN = 3
PER_GROUP = 3
RIGHT_SHOWN = 2
IMAGES_PER_VERDICT = 3
COLOURS = {SUSPECT: ORANGE, AMBIGUOUS: INK, MODEL_ERROR: BLUE, CANNOT_TELL: GREY}


def _names(subject: Subject, longest: float = LONGEST_NAME) -> list[str]:
    return short_names(spoken_names(subject.predictions.class_names), longest)


@of_subject
def draw_pairs(subject: Subject, *, ax: Axes | None = None) -> Figure | None:
    """Draw mistakes of the top hard pairs, one row a direction.

    Each row has confident mistakes, borderline ones, and right images of the class to compare.

    Args:
        subject: The analysis, with images.
        ax: Axes to draw into, by default those of a figure of its own.

    Returns:
        The figure, or None where there is no image or no mistake.
    """
    evaluation, predictions = subject.evaluation, subject.predictions
    rows = [
        direction
        for pair in evaluation.hard_pairs[:PAIRS_SHOWN]
        for direction in directions(pair)
        if direction[2]
    ]
    if subject.images is None or not rows:
        return None
    names, captions = _names(subject), _names(subject, UNDER_PAIR)
    graded = predictions.has_probabilities
    headings = (
        ("most confident", "borderline", "right, to compare")
        if graded
        else ("mistakes", "", "right, to compare")
    )
    starts = (1.9, 2.1 + 1.12 * PER_GROUP, 2.3 + 2.24 * PER_GROUP)
    figure, axes = grid_figure(
        starts[2] + 1.12 * RIGHT_SHOWN,
        len(rows) * 1.48 + 0.3,
        finding(evaluation, _names(subject, IN_SENTENCE)),
        describe(subject),
        width=WIDTH,
        ax=ax,
    )
    used = set()
    for line, (true, taken_for, count, share) in enumerate(rows):
        top = 0.3 + line * 1.48
        title = f"{names[true]}\n→ {names[taken_for]}\n\n{count:,} of them,\n{percent(share)}"
        axes.text(1.75, top + 0.5, title, ha="right", va="center", linespacing=1.3)
        for chosen, start in zip(_chosen(predictions, true, taken_for), starts, strict=True):
            tiles = _captioned(subject, chosen, captions, (true, taken_for))
            place_tiles(axes, tiles, left=start, top=top, step=1.12)
            used |= {start} if tiles else set()
    for heading, start in zip(headings, starts, strict=True):
        if start in used:
            axes.text(start, 0.2, heading, color=GREY, fontweight="bold")
    if ax is not None:
        fit_texts(axes, WIDTH)
    return figure


def _chosen(predictions: Predictions, true: int, taken_for: int) -> tuple[np.ndarray, ...]:
    """Rows of a direction: confident mistakes, borderline ones, right images to compare."""
    right = cell_rows(predictions, true, true)
    compared = spread(right[: len(right) // 2], RIGHT_SHOWN)
    return *confident_and_borderline(cell_rows(predictions, true, taken_for), PER_GROUP), compared


def _captioned(
    subject: Subject, rows: np.ndarray, names: Sequence[str], classes: tuple[int, int]
) -> list[Tile]:
    """Pictures, each with its probabilities of two classes where they are known."""
    probabilities = subject.predictions.probabilities
    return [
        Tile(
            picture,
            below=""
            if probabilities is None
            else "\n".join(f"{names[index]} {probabilities[row, index]:.0%}" for index in classes),
        )
        for row, picture in zip(rows, pictures(subject, rows), strict=True)
    ]


@of_subject
def draw_hardest(subject: Subject, *, ax: Axes | None = None) -> Figure | None:
    """Draw 4 mistakes of the hardest class, see `typical_mistakes`.

    Args:
        subject: The analysis, with images.
        ax: Axes to draw into, by default those of a figure of its own.

    Returns:
        The figure, or None where there is no image or no mistake of it, or all classes are as hard.
    """
    evaluation, predictions = subject.evaluation, subject.predictions
    chosen = typical_mistakes(evaluation, predictions, evaluation.hardest, 4)
    if subject.images is None or not len(chosen) or not evaluation.marks:
        return None
    as_hard = list(evaluation.marks.values()).count("hardest")
    which = "the hardest class" if as_hard == 1 else f"one of the {as_hard:,} hardest classes"
    name = _names(subject, IN_SENTENCE)[evaluation.hardest]
    names, score = _names(subject), evaluation.classes[evaluation.hardest]
    missed = score.support - int(evaluation.row(evaluation.hardest)[evaluation.hardest])
    figure, axes = grid_figure(
        8.0,
        2.0 if predictions.has_probabilities else 1.55,
        f"{name} is {which}: {missed:,} of its {counted(score.support, 'image')} "
        f"{'is' if missed == 1 else 'are'} taken for something else",
        describe(subject),
        width=HARDEST_WIDTH,
        ax=ax,
    )
    for column, (row, picture) in enumerate(zip(chosen, pictures(subject, chosen), strict=True)):
        left = 0.85 + column * 2.0
        above = f"image {short_id(predictions.ids[row])}"
        if predictions.probabilities is None:
            tile = Tile(picture, f"→ {names[predictions.predicted[row]]}", above)
        else:
            tile = Tile(picture, "", above)
            _place_probabilities(
                axes, predictions.probabilities[row], names, evaluation.hardest, (left, 1.42)
            )
        place_tiles(axes, [tile], left=left, top=0.22)
    if ax is not None:
        fit_texts(axes, HARDEST_WIDTH)
    return figure


def _place_probabilities(
    axes: Axes,
    probabilities: np.ndarray,
    names: Sequence[str],
    true: int,
    corner: tuple[float, float],
) -> None:
    """Bars for the three most probable classes, the true class always among them."""
    left, top = corner
    shown = [int(index) for index in np.argsort(-probabilities, kind="stable")[:3]]
    if true not in shown:
        shown[-1] = true
    for line, index in enumerate(shown):
        middle, value = top + 0.22 * line, float(probabilities[index])
        colour = BLUE if index == true else ORANGE
        axes.add_patch(Rectangle((left, middle - 0.07), 0.75 * value, 0.14, color=colour, lw=0))
        axes.text(left - 0.04, middle, names[index], ha="right", va="center", fontsize=8)
        axes.text(left + 0.75 * value + 0.03, middle, f"{value:.0%}", va="center", fontsize=8)


@of_subject
def draw_verdicts(subject: Subject, *, ax: Axes | None = None) -> Figure | None:
    """Draw, for each top hard pair, typical mistakes of each verdict.

    Args:
        subject: The analysis, with images.
        ax: Axes to draw into, by default those of a figure of its own.

    Returns:
        The figure, or None where there is no image, no mistake or no verdict.
    """
    evaluation, predictions = subject.evaluation, subject.predictions
    verdicts, pairs = subject.verdicts, evaluation.hard_pairs[:PAIRS_SHOWN]
    if subject.images is None or not pairs or not verdicts:
        return None
    names, captions = _names(subject), _names(subject, UNDER_VERDICT)
    # Of a model alone two verdicts aren't looked for, which isn't none found.
    kinds = [k for k in range(len(VERDICTS)) if not verdicts.alone or (verdicts.kinds == k).any()]
    group = IMAGES_PER_VERDICT * 1.12 + 0.3
    figure, axes = grid_figure(
        1.85 + len(VERDICTS) * group,
        len(pairs) * 1.95,
        "Misclassified isn't mislabelled: the hard pairs' mistakes by verdict",
        describe(subject),
        width=WIDTH,
        ax=ax,
    )
    for line, pair in enumerate(pairs):
        top = line * 1.95
        title = f"{names[pair.first]}\nand\n{names[pair.second]}"
        axes.text(1.75, top + 0.85, title, ha="right", va="center", linespacing=1.3)
        mistakes = verdicts.where(of_pair(predictions, pair)[verdicts.rows])
        counts = count_verdicts(mistakes)
        for column, kind in enumerate(kinds):
            left, name = 1.9 + column * group, VERDICTS[kind]
            heading = f"{name}: {counts[name]:,} of {len(mistakes):,}"
            axes.text(left, top + 0.22, heading, color=COLOURS[name], fontweight="bold")
            shown = _most_pronounced(mistakes, kind)
            tiles = [
                Tile(
                    picture,
                    f"{captions[predictions.labels[row]]}\n"
                    f"→ {captions[predictions.predicted[row]]}",
                )
                for row, picture in zip(shown, pictures(subject, shown), strict=True)
            ]
            place_tiles(axes, tiles, left=left, top=top + 0.32, step=1.12)
    if ax is not None:
        fit_texts(axes, WIDTH)
    return figure


def _most_pronounced(verdicts: Verdicts, kind: int) -> np.ndarray:
    """Rows of the first few of one verdict, the most probable first."""
    of_kind = verdicts.where(verdicts.kinds == kind)
    order = np.argsort(-of_kind.probabilities, kind="stable")
    return of_kind.rows[order][:IMAGES_PER_VERDICT]
