"""Figures: each function draws one and returns it; `save_figure` writes it as PNG.

Colours are Okabe and Ito's for lines and single-hue or diverging maps that survive colour
blindness for areas. pyplot isn't used: it keeps figures alive and picks a display backend.
"""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from hardpairs.analysis.evaluation import Evaluation, HardPair
from hardpairs.analysis.subject import Subject
from hardpairs.files import whole_file
from hardpairs.predictions.predictions import Predictions

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#8A8F98", "#1F2328"
DPI = 130
PAIRS_SHOWN = 3
MISTAKES_PER_DIRECTION = 6
MOST_CLASSES_IN_MATRIX = 40
LONGEST_NAME = 14
STYLE: Any = {
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "white",
    "text.parse_math": False,  # Class names are foreign text; a dollar sign is a dollar sign.
}


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all; raises InputError where it can't be written."""
    with whole_file(path) as partial:
        # Pillow's default level takes three times as long for files a few percent smaller.
        FigureCanvasAgg(figure).print_figure(partial, dpi=DPI, pil_kwargs={"compress_level": 2})


@mpl.rc_context(STYLE)
def draw_confusion(subject: Subject) -> Figure | None:
    """Draw the matrix: counts in the cells, colour by share of the row; None above 40 classes."""
    evaluation = subject.evaluation
    classes = len(evaluation.class_names)
    if classes > MOST_CLASSES_IN_MATRIX:
        return None
    names = short_names(evaluation)
    cells = 0.55 * classes
    width, height = cells + 2.6, cells + 1.75
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((1.2 / width, 1.25 / height, cells / width, cells / height))
    support = np.maximum(evaluation.confusion.sum(axis=1, keepdims=True), 1)
    shares = evaluation.confusion / support
    # The square root lifts the mistakes, a few percent of a row, out of the background.
    picture = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    for (row, column), count in np.ndenumerate(evaluation.confusion):
        if count:
            axes.text(
                column,
                row,
                f"{count}",
                ha="center",
                va="center",
                fontsize=8.5,
                fontweight="bold" if row == column else "normal",
                color="white" if shares[row, column] > 0.3 else INK,
            )
    axes.set_xticks(range(classes), names, rotation=45, ha="right")
    axes.set_yticks(range(classes), names)
    axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    low, high = evaluation.accuracy_interval
    headline = (
        f"{evaluation.accuracy:.2%} right (95% interval {low:.2%} to {high:.2%}), "
        f"{evaluation.images:,} images"
    )
    write_headline(figure, headline)
    bar_axes = figure.add_axes(
        (1 - 1.1 / width, (1.25 + 0.2 * cells) / height, 0.16 / width, 0.6 * cells / height)
    )
    bar = figure.colorbar(picture, cax=bar_axes, ticks=[0, 0.05, 0.2, 0.5, 1])
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
    return figure


@mpl.rc_context(STYLE)
def draw_filters(subject: Subject) -> Figure | None:
    """Draw the first layer's kernels, each on its own scale; None where they are unknown."""
    kernels = subject.kernels
    if kernels is None:
        return None
    count = kernels.shape[-1]
    columns = 8
    rows = -(-count // columns)
    width, height = 8.8, 0.55 + 0.98 * rows
    figure = Figure(figsize=(width, height))
    axes = bare_axes(figure, (0.1, 0.05, 7.6, height - 0.5), columns * 1.15, rows * 1.3)
    for index in range(count):
        row, column = divmod(index, columns)
        kernel = kernels[:, :, 0, index]
        scaled = kernel / max(float(np.abs(kernel).max()), 1e-12)
        left, top = column * 1.15, row * 1.3 + 0.25
        picture = axes.imshow(
            scaled, cmap="RdBu", vmin=-1, vmax=1, extent=(left, left + 1, top + 1, top)
        )
        axes.text(left, top - 0.04, f"{index}", fontsize=8, color=GREY, va="bottom")
    fit_axes(axes, columns * 1.15, rows * 1.3)
    bar_axes = figure.add_axes((1 - 0.95 / width, 0.2, 0.16 / width, 0.55))
    bar = figure.colorbar(picture, cax=bar_axes, ticks=[-1, 0, 1])
    bar.set_label("weight, share of the largest")
    bar.outline.set_visible(False)
    write_headline(
        figure,
        f"The {count} filters of the first layer: blue answers to bright, red to dark pixels",
    )
    return figure


@mpl.rc_context(STYLE)
def draw_pairs(subject: Subject) -> Figure | None:
    """Draw the most confident mistakes of the top hard pairs, one row a direction.

    Returns:
        The figure, or None where there is no image or no mistake.
    """
    evaluation, predictions, images = subject.evaluation, subject.predictions, subject.images
    if images is None:
        return None
    names = short_names(evaluation)
    rows: list[tuple[str, np.ndarray, int, int]] = []
    for pair in evaluation.hard_pairs[:PAIRS_SHOWN]:
        for true, taken_for, count, share in directions(pair):
            chosen = confident_mistakes(predictions, true, taken_for)[:MISTAKES_PER_DIRECTION]
            title = f"{names[true]}\ntaken for\n{names[taken_for]}\n\n{count} of them, {share:.1%}"
            if len(chosen):
                rows.append((title, chosen, true, taken_for))
    if not rows:
        return None
    height = 1.56 * len(rows) + 0.4
    figure = Figure(figsize=(9.6, height))
    # One axes, an image is 1 wide; 36 axes of their own take a second to set up.
    units_wide, units_high = MISTAKES_PER_DIRECTION * 1.2 + 1.35, len(rows) * 1.42
    axes = bare_axes(figure, (0.1, 0, 9.4, height - 0.4), units_wide, units_high)
    for line, (title, chosen, true, taken_for) in enumerate(rows):
        top = line * 1.42
        axes.text(1.15, top + 0.5, title, ha="right", va="center", linespacing=1.3)
        for column, index in enumerate(chosen):
            left = 1.3 + column * 1.2
            place_image(axes, images[index], left, top)
            mine, other = predictions.known_probabilities()[index][[true, taken_for]]
            caption = f"{names[true]} {mine:.0%}\n{names[taken_for]} {other:.0%}"
            axes.text(left + 0.5, top + 1.05, caption, ha="center", va="top", fontsize=8)
    fit_axes(axes, units_wide, units_high)
    write_headline(figure, "The hard pairs: most confident mistakes, with both probabilities")
    return figure


@mpl.rc_context(STYLE)
def draw_hardest(subject: Subject) -> Figure | None:
    """Draw 4 mistakes of the hardest class, see `typical_mistakes`; None where it has none."""
    evaluation, predictions, images = subject.evaluation, subject.predictions, subject.images
    chosen = typical_mistakes(evaluation, predictions, evaluation.hardest, 4)
    if images is None or not len(chosen):
        return None
    names = short_names(evaluation)
    figure = Figure(figsize=(9.6, 3.6))
    axes = bare_axes(figure, (0.1, 0.05, 9.4, 3.1), 7.1, 2.3)
    for column, index in enumerate(chosen):
        left = 0.6 + column * 1.75
        axes.text(left, 0.13, f"image {predictions.ids[index]}", fontsize=8, color=GREY)
        place_image(axes, images[index], left, 0.2, size=1.2)
        _place_probabilities(
            axes, predictions.known_probabilities()[index], evaluation, left=left, top=1.52
        )
    fit_axes(axes, 7.1, 2.3)
    write_headline(
        figure,
        f"{names[evaluation.hardest]}, the hardest class: four that were taken for something else",
    )
    return figure


@mpl.rc_context(STYLE)
def draw_history(subject: Subject) -> Figure | None:
    """Draw loss and accuracy by epoch; the epoch whose weights were kept is marked.

    Returns:
        The figure, or None where the history is unknown.
    """
    history, kept_epoch = subject.history, subject.kept_epoch
    if history is None:
        return None
    figure = Figure(figsize=(8.8, 3.4))
    figure.subplots_adjust(left=0.06, right=0.985, top=0.9, bottom=0.14, wspace=0.18)
    epochs = range(1, len(history["loss"]) + 1)
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for key, colour, marker, label in (
            (name, BLUE, "o", "training"),
            (f"val_{name}", ORANGE, "s", "validation"),
        ):
            if key in history:
                axes.plot(epochs, history[key], marker=marker, ms=4, color=colour, label=label)
        axes.axvline(
            kept_epoch, color=GREY, linewidth=1, linestyle=":", label=f"epoch {kept_epoch}, kept"
        )
        axes.set_title(name)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y", color="#E6E8EB")
        axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    axes.legend(frameon=True, framealpha=1, edgecolor="white", loc="lower right")
    return figure


def directions(pair: HardPair) -> list[tuple[int, int, int, float]]:
    """Both directions of a pair: (true, taken for, mistakes, share of the true class)."""
    return [
        (pair.first, pair.second, pair.first_as_second, pair.first_share),
        (pair.second, pair.first, pair.second_as_first, pair.second_share),
    ]


def confident_mistakes(predictions: Predictions, true: int, taken_for: int) -> np.ndarray:
    """Rows where ``true`` was predicted as ``taken_for``, most confident first."""
    rows = np.flatnonzero((predictions.labels == true) & (predictions.predicted == taken_for))
    return rows[np.argsort(-predictions.known_probabilities()[rows, taken_for], kind="stable")]


def typical_mistakes(
    evaluation: Evaluation, predictions: Predictions, true: int, count: int
) -> np.ndarray:
    """Rows of mistakes of a class, spread over what it is taken for.

    The most confident mistake towards each class that it is taken for, the most frequent first;
    then the second most confident of each, and so on, until there are ``count``.
    """
    row = evaluation.row(true)
    row[true] = 0
    frequent = [int(column) for column in np.argsort(-row, kind="stable") if row[column]]
    queues = [confident_mistakes(predictions, true, column) for column in frequent[:count]]
    depth = max((len(queue) for queue in queues), default=0)
    spread = [queue[rank] for rank in range(depth) for queue in queues if rank < len(queue)]
    return np.array(spread[:count], dtype=np.int64)


def short_names(evaluation: Evaluation) -> list[str]:
    """Class names cut to 14 characters."""
    return [
        name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
        for name in evaluation.class_names
    ]


def bare_axes(
    figure: Figure, inches: tuple[float, float, float, float], width: float, height: float
) -> Axes:
    """Bare axes at (left, bottom, width, height) in inches, y running down from 0."""
    figure_width, figure_height = figure.get_size_inches()
    left, bottom, across, up = inches
    axes = figure.add_axes(
        (left / figure_width, bottom / figure_height, across / figure_width, up / figure_height)
    )
    axes.axis("off")
    fit_axes(axes, width, height)
    return axes


def fit_axes(axes: Axes, width: float, height: float) -> None:
    """Set the limits, again after imshow, which moves them; keep pixels square."""
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_aspect("equal", anchor="NW")


def place_image(axes: Axes, image: np.ndarray, left: float, top: float, size: float = 1.0) -> None:
    """Draw a uint8 image, framed, into axes made by `bare_axes`."""
    extent = (left, left + size, top + size, top)
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=255, extent=extent)
    axes.add_patch(Rectangle((left, top), size, size, fill=False, edgecolor="#D5D8DC"))


def _place_probabilities(
    axes: Axes, probabilities: np.ndarray, evaluation: Evaluation, *, left: float, top: float
) -> None:
    """Bars for the three most probable classes, the true class always among them."""
    true, names = evaluation.hardest, short_names(evaluation)
    shown = [int(index) for index in np.argsort(-probabilities, kind="stable")[:3]]
    if true not in shown:
        shown[-1] = true
    for line, index in enumerate(shown):
        middle, value = top + 0.24 * line, float(probabilities[index])
        colour = BLUE if index == true else ORANGE
        axes.add_patch(Rectangle((left, middle - 0.08), 0.85 * value, 0.16, color=colour, lw=0))
        axes.text(left - 0.04, middle, names[index], ha="right", va="center", fontsize=8)
        axes.text(left + 0.85 * value + 0.03, middle, f"{value:.0%}", va="center", fontsize=8)


def write_headline(figure: Figure, text: str) -> None:
    """Write the figure's one sentence into its upper left corner."""
    height = figure.get_size_inches()[1]
    figure.text(0.012, 1 - 0.1 / height, text, fontsize=11, fontweight="bold", va="top")
