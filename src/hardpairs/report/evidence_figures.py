"""Figures of what the evidence says: mistakes by verdict, and the reliability diagram."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from hardpairs.analysis.calibration import BINS
from hardpairs.analysis.evaluation import HardPair
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import AMBIGUOUS, MODEL_ERROR, SUSPECT, VERDICTS, Verdict
from hardpairs.data.split import Images
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.figures import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PAIRS_SHOWN,
    STYLE,
    bare_axes,
    fit_axes,
    place_image,
    short_names,
    write_headline,
)

IMAGES_PER_VERDICT = 3
FEWEST_IN_BIN = 10  # Fewer images say nothing of a share.
COLOURS = {SUSPECT: ORANGE, AMBIGUOUS: INK, MODEL_ERROR: BLUE}


@mpl.rc_context(STYLE)
def draw_verdicts(subject: Subject) -> Figure | None:
    """Draw, for each top hard pair, typical mistakes of each verdict.

    Returns:
        The figure, or None where there is no image or no mistake.
    """
    evaluation, predictions, images = subject.evaluation, subject.predictions, subject.images
    verdicts, pairs = subject.verdicts, evaluation.hard_pairs[:PAIRS_SHOWN]
    if images is None or not pairs or not verdicts:
        return None
    names = short_names(evaluation)
    group = IMAGES_PER_VERDICT * 1.12 + 0.3
    units_wide, units_high = 1.35 + len(VERDICTS) * group, len(pairs) * 1.62
    width = 9.8
    height = 0.45 + units_high * width / units_wide
    figure = Figure(figsize=(width, height))
    axes = bare_axes(figure, (0.1, 0, width - 0.2, height - 0.45), units_wide, units_high)
    for line, pair in enumerate(pairs):
        top = line * 1.62
        title = f"{names[pair.first]}\nand\n{names[pair.second]}"
        axes.text(1.15, top + 0.75, title, ha="right", va="center", linespacing=1.3)
        of_pair = _mistakes_of(pair, predictions, verdicts)
        for column, name in enumerate(VERDICTS):
            chosen = most_pronounced([v for v in of_pair if v.verdict == name], name)
            left = 1.35 + column * group
            count = sum(verdict.verdict == name for verdict in of_pair)
            axes.text(left, top + 0.2, f"{name}: {count} of {len(of_pair)}", color=COLOURS[name])
            _place_mistakes(axes, chosen, predictions, images, names, left=left, top=top + 0.27)
    fit_axes(axes, units_wide, units_high)
    write_headline(figure, "The hard pairs by verdict: misclassified isn't yet mislabelled")
    return figure


def most_pronounced(verdicts: Sequence[Verdict], name: str) -> list[Verdict]:
    """The first few of one verdict: least probable labels, most ambiguous, least ambiguous."""
    column, sign = {
        SUSPECT: ("label_probability", 1),
        AMBIGUOUS: ("ambiguity", -1),
        MODEL_ERROR: ("ambiguity", 1),
    }[name]
    ordered = sorted(verdicts, key=lambda verdict: sign * float(verdict.evidence[column] or 0))
    return ordered[:IMAGES_PER_VERDICT]


@mpl.rc_context(STYLE)
def draw_calibration(subject: Subject) -> Figure | None:
    """Draw the reliability diagram, before and, where there is a temperature, after scaling.

    Bins of fewer than 10 images are left out of the picture, not of the error.
    """
    calibration = subject.calibration
    if calibration is None:
        return None
    figure = Figure(figsize=(6.2, 5.4))
    axes = figure.add_axes((0.11, 0.1, 0.86, 0.79))
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="calibrated")
    lowest = 1 / len(subject.predictions.class_names)
    curves = [("as predicted", calibration.before, ORANGE, "s")]
    if calibration.temperature is not None and calibration.after is not None:
        label = f"temperature {calibration.temperature:.2f}"
        curves.append((label, calibration.after, BLUE, "o"))
    for label, error, colour, marker in curves:
        shown = [each for each in error.bins if each.images >= FEWEST_IN_BIN]
        low, high = error.interval
        axes.plot(
            [each.confidence for each in shown],
            [each.accuracy for each in shown],
            color=colour,
            marker=marker,
            ms=4,
            label=f"{label}: error {error.value:.1%} ({low:.1%} to {high:.1%})",
        )
    axes.set_xlim(lowest - 0.02, 1.01)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(f"probability of the predicted class, {BINS} bins")
    axes.set_ylabel("share right")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(color="#E6E8EB")
    axes.set_axisbelow(True)
    axes.legend(frameon=True, framealpha=1, edgecolor="white", loc="lower right")
    write_headline(figure, "Can the probabilities be taken at their word?")
    return figure


def _mistakes_of(
    pair: HardPair, predictions: Predictions, verdicts: Sequence[Verdict]
) -> list[Verdict]:
    """Both directions of a pair."""
    classes, predicted = {pair.first, pair.second}, predictions.predicted
    return [
        verdict
        for verdict in verdicts
        if {int(predictions.labels[verdict.row]), int(predicted[verdict.row])} == classes
    ]


def _place_mistakes(
    axes: Axes,
    verdicts: Sequence[Verdict],
    predictions: Predictions,
    images: Images,
    names: Sequence[str],
    *,
    left: float,
    top: float,
) -> None:
    for column, verdict in enumerate(verdicts):
        row, middle = verdict.row, left + column * 1.12
        place_image(axes, images[row], middle, top)
        label, taken_for = predictions.labels[row], predictions.predicted[row]
        caption = f"{names[label]}\n→ {names[taken_for]}"
        axes.text(middle + 0.5, top + 1.04, caption, ha="center", va="top", fontsize=7.5)
