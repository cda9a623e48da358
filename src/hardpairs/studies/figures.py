"""A study's figures: effects with intervals, learning curves, images that changed."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from hardpairs.analysis.comparisons import Block, Effect, Score, fixed_seeds
from hardpairs.data.split import Split, thumbnails
from hardpairs.report.canvas import (
    BLUE,
    GREY,
    GRID,
    LINE,
    ORANGE,
    Tile,
    figure_of,
    grid_figure,
    headed_figure,
    own_style,
    place_tiles,
)
from hardpairs.report.names import short_names
from hardpairs.report.pictures import picture_side

GREEN, PURPLE = "#009E73", "#CC79A7"
LINE_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)  # As on the page.
MARKERS = "so^D"
FONT_SIZE = 9  # Points.
CHANGES_SHOWN = 8
CAPTION_NAME = 8.0  # Widths of the letter M: "was " or "now " stands before it.


@own_style
def draw_effects(panels: Mapping[str, Sequence[Effect]], headline: str, *, judged: bool) -> Figure:
    """Draw gains in points with their intervals, one panel a block, the largest on top.

    Args:
        panels: Effects by what the panel says of them.
        headline: What is to be seen.
        judged: Whether colours tell which gains are significant.
    """
    rows = max(len(effects) for effects in panels.values())
    figure = headed_figure(9.6, 0.3 * rows + 1.28, headline)
    height = figure.get_size_inches()[1]
    figure.subplots_adjust(
        left=0.14, right=0.985, top=(0.3 * rows + 0.98) / height, bottom=0.8 / height, wspace=0.58
    )
    for axes, (title, effects) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        ordered = sorted(effects, key=lambda effect: effect.gain)
        for row, effect in enumerate(ordered):
            colour = (
                GREY if not (judged and effect.significant) else BLUE if effect.gain > 0 else ORANGE
            )
            low, high = (100 * bound for bound in effect.interval)
            axes.plot((low, high), (row, row), color=colour, linewidth=2, solid_capstyle="round")
            axes.plot(100 * effect.gain, row, "o", color=colour, ms=6)
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set_yticks(range(len(ordered)), [effect.name for effect in ordered])
        axes.set_ylim(-0.6, len(ordered) - 0.4)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=GRID)
        axes.set_axisbelow(True)
        axes.set_title(title)
        key = "\n(grey: not significant)" if judged else ""
        axes.set_xlabel(f"points of accuracy, 95% confidence interval{key}")
    return figure


@own_style
def draw_curves(curves: Mapping[str, Sequence[tuple[int, Score]]], headline: str) -> Figure:
    """Draw the share of mistakes against the number of training images, both on log axes.

    A log axis has no 0: what reaches there runs off its end.

    Args:
        curves: For each line its points (training images, score), by the line's name.
        headline: What is to be seen.
    """
    figure = headed_figure(8.8, 4.2, headline)
    height = figure.get_size_inches()[1]
    figure.subplots_adjust(left=0.09, right=0.82, top=4.1 / height, bottom=0.6 / height)
    axes = figure.add_subplot()
    scores = [score for line in curves.values() for _, score in line if score.mean < 1]
    floors = [max(1 - score.interval[1], (1 - score.mean) / 4) for score in scores]
    floor = min(floors, default=0.001)
    counts = sorted({count for line in curves.values() for count, _ in line})
    for index, line in enumerate(curves.values()):
        colour, marker = LINE_COLOURS[index % 4], MARKERS[index % 4]
        x = [count for count, _ in line]
        mistakes = np.array([1 - score.mean for _, score in line])
        low = np.array([1 - score.interval[1] for _, score in line])
        high = np.array([1 - score.interval[0] for _, score in line])
        axes.fill_between(
            x, np.maximum(low, 0.8 * floor), high, color=colour, alpha=0.18, linewidth=0
        )
        axes.plot(x, mistakes, marker=marker, ms=5, color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.9 * floor)
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: _round_percent(value)))
    axes.set_xlabel("training images")
    axes.set_ylabel("test images mistaken")
    axes.grid(which="both", axis="y", color=GRID)
    axes.set_axisbelow(True)
    _name_lines(axes, [(name, line[-1][0], 1 - line[-1][1].mean) for name, line in curves.items()])
    return figure


def _name_lines(axes: Axes, ends: Sequence[tuple[str, int, float]]) -> None:
    """Write each line's name at its end, pushed up or down where two would lie on each other."""
    axes.autoscale_view()
    scale = 72 / figure_of(axes).dpi
    wanted = [scale * axes.transData.transform((x, y))[1] for _, x, y in ends]
    heights = [(name.count("\n") + 1) * LINE * FONT_SIZE for name, _, _ in ends]
    for index, place in zip(range(len(ends)), spread(wanted, heights), strict=True):
        name, x, y = ends[index]
        axes.annotate(
            name, (x, y), (8, place - wanted[index]), textcoords="offset points",
            color=LINE_COLOURS[index % 4], va="center", fontweight="bold", annotation_clip=False,
        )  # fmt: skip


def spread(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Middles of labels, as near to where they are wanted as they can be without overlap.

    >>> spread([0.0, 1.0, 50.0], [10.0, 10.0, 10.0])
    [-4.5, 5.5, 50.0]
    """
    groups: list[tuple[float, list[int]]] = []  # Middle of a stack, and its labels upwards.
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index]):
        middle, stack = wanted[index], [index]
        while groups:
            below, others = groups[-1]
            height = sum(heights[each] for each in stack + others)
            if middle - below >= height / 2:
                break
            groups.pop()
            middle = (middle * len(stack) + below * len(others)) / len(stack + others)
            stack = others + stack
        groups.append((middle, stack))
    places = [0.0] * len(wanted)
    for middle, stack in groups:
        bottom = middle - sum(heights[each] for each in stack) / 2
        for each in stack:
            places[each] = bottom + heights[each] / 2
            bottom += heights[each]
    return places


@own_style
def draw_changes(block: Block, index: int, split: Split, mark: str = "") -> Figure | None:
    """Draw images that recipe ``index`` fixes and that it breaks, those of most seeds first.

    Args:
        block: What is compared; its first recipe is the reference.
        index: Of the other recipe.
        split: The images, in the block's order.
        mark: What the headline begins with.

    Returns:
        The figure, or None where no image changed.
    """
    balance = fixed_seeds(block, index)
    seeds = block.predicted.shape[1]
    rows = [("fixed", balance), ("broken", -balance)]
    if not balance.any():
        return None
    figure, axes = grid_figure(
        CHANGES_SHOWN * 1.15 + 1.0,
        1.55 * len(rows),
        f"{mark}From {block.names[0]} to {block.names[index]}: "
        "images that changed sides most reliably",
    )
    names, side = short_names(block.class_names, CAPTION_NAME), picture_side(split.images)
    for line, (verb, score) in enumerate(rows):
        top = line * 1.55
        chosen = np.argsort(-score, kind="stable")[:CHANGES_SHOWN]
        chosen = chosen[score[chosen] > 0]
        title = f"{verb}\n\n{(score == seeds).sum():,} of them\nin all {seeds} seeds"
        axes.text(0.85, top + 0.5, title, ha="right", va="center")
        tiles = []
        for image, picture in zip(
            chosen, thumbnails(split.images, chosen, side, split.inverted), strict=True
        ):
            wrong = block.predicted[index if verb == "broken" else 0][:, image]
            wrong = wrong[wrong != block.labels[image]]
            taken_for = names[int(np.bincount(wrong).argmax())]
            when = "was" if verb == "fixed" else "now"
            tiles.append(Tile(picture, f"{names[block.labels[image]]},\n{when} {taken_for}"))
        place_tiles(axes, tiles, left=1.0, top=top)
    return figure


def _round_percent(value: float) -> str:
    """Label 2% and 5% between the decades, and nothing else."""
    first = value / 10 ** np.floor(np.log10(value))
    return f"{100 * value:g}%" if round(first, 6) in (2, 5) else ""
