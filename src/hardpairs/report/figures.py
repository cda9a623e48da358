"""Figures of a whole classifier: its confusion matrix, its training, its first filters."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator, PercentFormatter

from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.subject import Subject
from hardpairs.report.canvas import (
    BLUE,
    GREY,
    GRID,
    INK,
    ORANGE,
    Picture,
    entitle,
    figure_of,
    fit_texts,
    grid_figure,
    headed_figure,
    of_subject,
)
from hardpairs.report.describe import accuracy_line, describe
from hardpairs.report.names import short_names, text_width
from hardpairs.wording import percent

MOST_CLASSES_IN_MATRIX = 40
CELL = 0.55  # Inches.
MATRIX_SIZE = 10.0  # Of the names, points.
SLIDE_DIGITS = 18 / 1080  # Of the figure's height: 18 pixels where it fills a 1080p slide.
FILTERS_PER_ROW = 8
FILTERS_WIDTH = 8.8  # Inches.


@of_subject
def draw_confusion(subject: Subject, *, ax: Axes | None = None) -> Figure | None:
    """Draw the matrix: counts in the cells, colour by share of the row; None above 40 classes.

    Args:
        subject: A report or its `Subject`; or labels and probabilities, with ``class_names`` and
            what else `hardpairs.evaluate` takes. A report has its own names.
        ax: Axes to draw into, by default those of a figure of its own.
    """
    evaluation = subject.evaluation
    if len(evaluation.class_names) > MOST_CLASSES_IN_MATRIX:
        return None
    if ax is None:
        axes, beside = _matrix_axes(subject)
    else:
        axes, beside = ax, None
        entitle(axes, f"{percent(evaluation.accuracy, 2)} are right")
    picture = _fill_matrix(axes, evaluation)
    figure = figure_of(axes)
    bar = figure.colorbar(
        picture,
        cax=beside,
        ax=axes if beside is None else None,
        ticks=[0, 0.05, 0.2, 0.5, 1],
    )
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
    return figure


def _matrix_axes(subject: Subject) -> tuple[Axes, Axes]:
    """Axes of a new figure for the matrix and for the bar beside it, as large as names ask for."""
    names = short_names(subject.evaluation.class_names)
    longest = max(text_width(name, MATRIX_SIZE) for name in names) / 72
    cells, left, below = CELL * len(names), 0.55 + longest, 0.6 + 0.75 * longest
    width, height = max(left + cells + 1.35, 4.6), below + cells + 0.08
    headline = accuracy_line(subject.evaluation)
    figure = headed_figure(width, height, headline, describe(subject))
    total = figure.get_size_inches()[1]
    axes = figure.add_axes((left / width, below / total, cells / width, cells / total))
    right, foot = left + cells + 0.25, below + 0.2 * cells
    beside = (right / width, foot / total, 0.16 / width, 0.6 * cells / total)
    return axes, figure.add_axes(beside)


def _fill_matrix(axes: Axes, evaluation: Evaluation) -> AxesImage:
    names = short_names(evaluation.class_names)
    classes, size, shares = len(names), MATRIX_SIZE, evaluation.row_shares
    # The square root lifts the mistakes, a few percent of a row, out of the background.
    picture = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    _write_counts(axes, evaluation.confusion, shares)
    axes.set_xticks(range(classes), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(classes), names)
    between, ends = np.arange(classes + 1) - 0.5, (-0.5, classes - 0.5)
    for draw_lines in (axes.hlines, axes.vlines):
        draw_lines(between, *ends, color="white", linewidth=1.5)
    axes.tick_params(length=0, labelsize=size)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    return picture


def _write_counts(axes: Axes, confusion: np.ndarray, shares: np.ndarray) -> None:
    """Write the counts as large as the cells allow, up to what the names or a slide ask for."""
    figure, digits = figure_of(axes), max(len(str(confusion.max())), 2)
    height = figure.get_size_inches()[1]
    side = min(axes.get_window_extent().size) / figure.dpi / len(confusion)
    wanted = max(1.15 * SLIDE_DIGITS * height * 72, MATRIX_SIZE)
    size = min(wanted, 0.9 * side * 72 / (0.66 * digits))
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            axes.text(
                column,
                row,
                f"{count}",
                ha="center",
                va="center",
                fontsize=size,
                fontweight="bold" if row == column else "normal",
                color="white" if shares[row, column] > 0.3 else INK,
            )


@of_subject
def draw_filters(subject: Subject, *, ax: Axes | None = None) -> Figure | None:
    """Draw first-layer kernels, each on its own scale; None where unknown.

    Kernels of three channels are drawn in colour, grey where they respond to nothing.

    Args:
        subject: The analysis, with kernels.
        ax: Axes to draw into, by default those of a figure of its own.
    """
    kernels = subject.kernels
    if kernels is None or kernels.ndim != 4 or kernels.shape[2] not in (1, 3):
        return None
    count, coloured = kernels.shape[3], kernels.shape[2] == 3
    rows = -(-count // FILTERS_PER_ROW)
    answers = "blue responds to bright, red to dark pixels"
    if coloured:
        answers = "the colours that each responds to"
    across, down = FILTERS_PER_ROW * 1.15 + 1.2, rows * 1.32
    headline = f"The {count} filters of the first layer: {answers}"
    figure, axes = grid_figure(
        across, down, headline, describe(subject), width=FILTERS_WIDTH, ax=ax
    )
    for index in range(count):
        row, column = divmod(index, FILTERS_PER_ROW)
        left, top = column * 1.15, row * 1.32 + 0.25
        pixels = kernel_pixels(kernels[..., index])
        axes.add_artist(Picture(pixels, left, top, framed=False))
        axes.text(left, top - 0.04, f"{index}", fontsize=8, color=GREY, va="bottom")
    if not coloured:
        bar_axes = axes.inset_axes(
            ((across - 1.05) / across, 0.07 / down, 0.16 / across, min(2.0, down - 0.3) / down)
        )
        bar = figure.colorbar(ScalarMappable(Normalize(-1, 1), "RdBu"), cax=bar_axes)
        bar.set_ticks([-1, 0, 1], labels=["-1", "0", "1"], fontsize=8)
        bar.set_label("share of the largest weight", fontsize=8)
        bar.outline.set_visible(False)
    if ax is not None:
        fit_texts(axes, FILTERS_WIDTH)
    return figure


def kernel_pixels(kernel: np.ndarray) -> np.ndarray:
    """One kernel (height, width, 1 or 3) as uint8 (height, width, 3), on its own scale."""
    scaled = (kernel / max(float(np.abs(kernel).max()), 1e-12) + 1) / 2
    if kernel.shape[2] == 1:
        return mpl.colormaps["RdBu"](scaled[..., 0], bytes=True)[..., :3]
    return np.rint(255 * scaled).astype(np.uint8)


@of_subject
def draw_history(subject: Subject, *, ax: Any = None) -> Figure | None:
    """Draw loss and accuracy by epoch; the epoch whose weights were kept is marked.

    Args:
        subject: The analysis, with a history.
        ax: Two axes to draw into, or one, which gets the loss; by default those of a figure of
            its own.

    Returns:
        The figure, or None where the history is unknown or of one epoch, which is no curve.
    """
    history, kept_epoch = subject.history, subject.kept_epoch
    shown = [name for name in ("loss", "accuracy") if history and len(history.get(name, ())) > 1]
    if history is None or not shown:
        return None
    panels = _history_axes(subject, history, len(shown)) if ax is None else np.ravel(ax)
    for axes, name in zip(panels, shown, strict=False):
        _draw_curves(axes, history, name, kept_epoch)
    axes.legend(frameon=True, framealpha=1, edgecolor="white", loc="best")
    return figure_of(panels[0])


def _history_axes(subject: Subject, history: dict[str, list[float]], count: int) -> np.ndarray:
    headline = _history_headline(history, subject.kept_epoch)
    figure = headed_figure(8.8, 3.2, headline, describe(subject))
    height = figure.get_size_inches()[1]
    figure.subplots_adjust(
        left=0.07, right=0.985, top=2.85 / height, bottom=0.45 / height, wspace=0.18
    )
    return figure.subplots(1, count, squeeze=False)[0]


def _draw_curves(axes: Axes, history: dict[str, list[float]], name: str, kept_epoch: int) -> None:
    for key, colour, marker, label in (
        (name, BLUE, "o", "training"),
        (f"val_{name}", ORANGE, "s", "validation"),
    ):
        if key in history:
            epochs = range(1, len(history[key]) + 1)
            axes.plot(epochs, history[key], marker=marker, ms=4, color=colour, label=label)
    if kept_epoch:
        label = f"epoch {kept_epoch}, kept"
        axes.axvline(kept_epoch, color=GREY, linewidth=1, linestyle=":", label=label)
    axes.set_title(name)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    if name == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))


def _history_headline(history: dict[str, list[float]], kept_epoch: int) -> str:
    watched = "val_loss" if "val_loss" in history else "loss" if "loss" in history else "accuracy"
    values = history[watched]
    word = {"val_loss": "Validation loss", "loss": "Training loss"}.get(watched, "Accuracy")
    kept = f"; the weights of epoch {kept_epoch} were kept" if kept_epoch else ""
    return f"{word} from {values[0]:.3g} to {values[-1]:.3g} in {len(values)} epochs{kept}"
