"""Figures of an audit: pairs that look the same, and labels that look wrong."""

import numpy as np
from matplotlib.figure import Figure

from hardpairs.analysis.duplicates import Duplicates
from hardpairs.data.split import Dataset, Split, thumbnails
from hardpairs.predictions.predictions import Predictions
from hardpairs.report.canvas import Tile, grid_figure, own_style, place_tiles
from hardpairs.report.names import short_id, short_names
from hardpairs.report.pictures import picture_side

PAIR_COLUMNS, PAIR_ROWS = 5, 4
SUSPECT_COLUMNS, SUSPECT_ROWS = 8, 3
CAPTION_NAME = 8.5  # Widths of the letter M: a percentage stands behind it.


@own_style
def draw_duplicates(duplicates: Duplicates, dataset: Dataset) -> Figure | None:
    """Draw the closest pairs side by side; None where there are none.

    Args:
        duplicates: Pairs of rows of both splits together, training images first.
        dataset: Of those splits.
    """
    shown = duplicates.pairs[: PAIR_COLUMNS * PAIR_ROWS]
    if not len(shown):
        return None
    rows = -(-len(shown) // PAIR_COLUMNS)
    headline = (
        f"Images that look the same: the closest {len(shown)} of {len(duplicates.pairs):,} pairs"
    )
    figure, axes = grid_figure(PAIR_COLUMNS * 2.4, rows * 1.65, headline, width=10.0)
    for number, pair in enumerate(shown):
        line, column = divmod(number, PAIR_COLUMNS)
        distance = duplicates.distances[number]
        title = "same bytes" if distance == 0 else f"distance {distance:.4f}"
        first, second = (_located(dataset, int(row)) for row in pair)
        tiles = [Tile(*first, title), Tile(*second)]
        left, top = column * 2.4 + 0.1, line * 1.65 + 0.25
        place_tiles(axes, tiles, left=left, top=top, step=1.06)
    return figure


def _located(dataset: Dataset, row: int) -> tuple[np.ndarray, str]:
    """Picture and name of a row of both splits together."""
    in_train = row < len(dataset.train)
    split, name = (dataset.train, "train") if in_train else (dataset.test, "test")
    index = row if in_train else row - len(dataset.train)
    picture = thumbnails(
        split.images, np.array([index]), picture_side(split.images), split.inverted
    )
    return picture[0], f"{name} {short_id(split.ids[index])}"


@own_style
def draw_suspects(predictions: Predictions, suspects: np.ndarray, split: Split) -> Figure | None:
    """Draw the most suspect labels with label and prediction; None where there are none.

    Args:
        predictions: Of one split.
        suspects: int64, rows, the most suspect first.
        split: That split, in the order of the predictions.
    """
    shown = suspects[: SUSPECT_COLUMNS * SUSPECT_ROWS]
    if not len(shown):
        return None
    rows = -(-len(shown) // SUSPECT_COLUMNS)
    headline = (
        f"Suspect labels: the first {len(shown)} of {len(suspects):,} in {predictions.split}, "
        "with what the nets say"
    )
    figure, axes = grid_figure(SUSPECT_COLUMNS * 1.3, rows * 1.75, headline, width=10.0)
    names = short_names(predictions.class_names, CAPTION_NAME)
    predicted = predictions.predicted
    probabilities = predictions.known_probabilities()
    small = thumbnails(split.images, shown, picture_side(split.images), split.inverted)
    for number, row in enumerate(shown):
        line, column = divmod(number, SUSPECT_COLUMNS)
        share = probabilities[row, predicted[row]]
        caption = f"{names[predictions.labels[row]]}?\n{names[predicted[row]]} {share:.0%}"
        tile = Tile(small[number], caption, f"{predictions.split} {short_id(split.ids[row])}")
        place_tiles(axes, [tile], left=column * 1.3 + 0.1, top=line * 1.75 + 0.25)
    return figure
