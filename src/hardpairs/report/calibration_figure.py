"""The reliability diagram: does confidence match accuracy?"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from hardpairs.analysis.calibration import BINS, plain_points
from hardpairs.analysis.subject import Subject
from hardpairs.report.canvas import (
    BLUE,
    GREY,
    GRID,
    ORANGE,
    entitle,
    figure_of,
    headed_figure,
    of_subject,
)
from hardpairs.report.describe import describe

FEWEST_IN_BIN = 10  # Fewer images say nothing of a share.


@of_subject
def draw_calibration(subject: Subject, *, ax: Axes | None = None) -> Figure | None:
    """Draw the reliability diagram, before and, where there is a temperature, after scaling.

    Bins of fewer than 10 images are left out of the picture, not of the error.

    Args:
        subject: A report or its `Subject`; or labels and probabilities, with ``class_names`` and
            what else `hardpairs.evaluate` takes. A report has its own names.
        ax: Axes to draw into, by default those of a figure of its own.

    Returns:
        The figure, or None where there are no probabilities, or no bin of 10 images.
    """
    calibration = subject.calibration
    if calibration is None or all(b.images < FEWEST_IN_BIN for b in calibration.before.bins):
        return None
    headline = _headline(calibration.before.value)
    if ax is None:
        figure = headed_figure(6.4, 5.0, headline, describe(subject))
        height = figure.get_size_inches()[1]
        axes = figure.add_axes((0.11, 0.5 / height, 0.86, 4.4 / height))
    else:
        axes = ax
        entitle(axes, headline)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="calibrated")
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
            label=f"{label}: error {plain_points(error.value)} points "
            f"({plain_points(low)} to {plain_points(high)})",
        )
    lowest = 1 / len(subject.predictions.class_names)
    axes.set_xlim(lowest - 0.02, 1.01)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(f"confidence: probability of the predicted class, {BINS} bins")
    axes.set_ylabel("accuracy: share that is right")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.legend(frameon=True, framealpha=1, edgecolor="white", loc="best")
    return figure_of(axes)


def _headline(error: float) -> str:
    return f"Confidence and accuracy differ by {plain_points(error)} points on average"
