"""Figures of an audit: pairs that look the same, and labels that look wrong."""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from hardpairs.analysis.duplicates import Duplicates
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.figures import (
    GREY,
    LONGEST_NAME,
    STYLE,
    bare_axes,
    fit_axes,
    place_image,
    write_headline,
)

PAIR_COLUMNS, PAIR_ROWS = 5, 4
SUSPECT_COLUMNS, SUSPECT_ROWS = 8, 3


@mpl.rc_context(STYLE)
def draw_duplicates(duplicates: Duplicates, images: np.ndarray, train_images: int) -> Figure | None:
    """Draw the closest pairs side by side; None where there are none.

    Args:
        duplicates: Pairs of rows of ``images``.
        images: uint8 (N, 28, 28, 1), training images first.
        train_images: How many of them are training images.
    """
    shown = duplicates.pairs[: PAIR_COLUMNS * PAIR_ROWS]
    if not len(shown):
        return None
    rows = -(-len(shown) // PAIR_COLUMNS)
    units_wide, units_high = PAIR_COLUMNS * 2.4, rows * 1.65
    width = 10.0
    height = 0.4 + units_high * (width - 0.2) / units_wide
    figure = Figure(figsize=(width, height))
    axes = bare_axes(figure, (0.1, 0, width - 0.2, height - 0.4), units_wide, units_high)
    for number, pair in enumerate(shown):
        line, column = divmod(number, PAIR_COLUMNS)
        left, top = column * 2.4 + 0.1, line * 1.65 + 0.25
        distance = duplicates.distances[number]
        title = "same bytes" if distance == 0 else f"distance {distance:.4f}"
        axes.text(left, top - 0.05, title, fontsize=8, color=GREY, va="bottom")
        for side, row in enumerate(pair):
            place_image(axes, images[row], left + side * 1.06, top)
            name = f"train {row}" if row < train_images else f"test {row - train_images}"
            axes.text(left + side * 1.06 + 0.5, top + 1.04, name, ha="center", va="top", fontsize=8)
    fit_axes(axes, units_wide, units_high)
    count = len(duplicates.pairs)
    write_headline(figure, f"Images that look the same: the closest {len(shown)} of {count} pairs")
    return figure


@mpl.rc_context(STYLE)
def draw_suspects(
    predictions: Predictions, suspects: np.ndarray, images: np.ndarray
) -> Figure | None:
    """Draw the most suspect labels with label and prediction; None where there are none.

    Args:
        predictions: Of one split.
        suspects: int64, rows, the most suspect first.
        images: uint8 (N, 28, 28, 1), in the order of the predictions.
    """
    shown = suspects[: SUSPECT_COLUMNS * SUSPECT_ROWS]
    if not len(shown):
        return None
    rows = -(-len(shown) // SUSPECT_COLUMNS)
    units_wide, units_high = SUSPECT_COLUMNS * 1.3, rows * 1.75
    width = 10.0
    height = 0.4 + units_high * (width - 0.2) / units_wide
    figure = Figure(figsize=(width, height))
    axes = bare_axes(figure, (0.1, 0, width - 0.2, height - 0.4), units_wide, units_high)
    names = [name[:LONGEST_NAME] for name in predictions.class_names]
    predicted = predictions.predicted
    for number, row in enumerate(shown):
        line, column = divmod(number, SUSPECT_COLUMNS)
        left, top = column * 1.3 + 0.1, line * 1.75 + 0.25
        title = f"{predictions.split} {row}"
        axes.text(left, top - 0.04, title, fontsize=8, color=GREY, va="bottom")
        place_image(axes, images[row], left, top)
        share = predictions.known_probabilities()[row, predicted[row]]
        caption = f"{names[predictions.labels[row]]}?\n{names[predicted[row]]} {share:.0%}"
        axes.text(left + 0.5, top + 1.04, caption, ha="center", va="top", fontsize=8)
    fit_axes(axes, units_wide, units_high)
    write_headline(
        figure,
        f"Suspect labels: the first {len(shown)} of {len(suspects)} in {predictions.split}, "
        "with what the nets say",
    )
    return figure
