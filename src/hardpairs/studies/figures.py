"""A study's figures: effects with intervals, learning curves, images that flipped."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from hardpairs.analysis.comparisons import Block, Effect, Score, flips
from hardpairs.report.figures import (
    BLUE,
    GREY,
    ORANGE,
    STYLE,
    bare_axes,
    fit_axes,
    place_image,
    write_headline,
)

GREEN, PURPLE = "#009E73", "#CC79A7"
LINE_COLOURS = (ORANGE, BLUE, GREEN, PURPLE)
MARKERS = "so^D"
FLIPS_SHOWN = 8


@mpl.rc_context(STYLE)
def draw_effects(panels: Mapping[str, Sequence[Effect]], headline: str) -> Figure:
    """Draw gains in points with their intervals, one panel a block, the largest on top.

    Args:
        panels: Effects by what the panel says of them.
        headline: What is to be seen.
    """
    rows = max(len(effects) for effects in panels.values())
    height = 0.3 * rows + 1.6
    figure = Figure(figsize=(9.6, height))
    figure.subplots_adjust(
        left=0.14, right=0.985, top=1 - 0.72 / height, bottom=0.62 / height, wspace=0.42
    )
    for axes, (title, effects) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        ordered = sorted(effects, key=lambda effect: effect.gain)
        for row, effect in enumerate(ordered):
            colour = GREY if not effect.told_apart else BLUE if effect.gain > 0 else ORANGE
            low, high = (100 * bound for bound in effect.interval)
            axes.plot((low, high), (row, row), color=colour, linewidth=2, solid_capstyle="round")
            axes.plot(100 * effect.gain, row, "o", color=colour, ms=6)
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set_yticks(range(len(ordered)), [effect.name for effect in ordered])
        axes.set_ylim(-0.6, len(ordered) - 0.4)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color="#E6E8EB")
        axes.set_axisbelow(True)
        axes.set_title(title, fontsize=9.5)
        axes.set_xlabel("points of accuracy, 95% interval (grey: not told from 0)", fontsize=8.5)
    write_headline(figure, headline)
    return figure


@mpl.rc_context(STYLE)
def draw_curves(curves: Mapping[str, Sequence[tuple[int, Score]]], headline: str) -> Figure:
    """Draw the share of mistakes against the number of training images, both on log axes.

    Args:
        curves: For each line its points (training images, score), by the line's name.
        headline: What is to be seen.
    """
    figure = Figure(figsize=(8.8, 4.6))
    figure.subplots_adjust(left=0.09, right=0.82, top=0.9, bottom=0.13)
    axes = figure.add_subplot()
    counts = sorted({count for line in curves.values() for count, _ in line})
    for index, (name, line) in enumerate(curves.items()):
        colour, marker = LINE_COLOURS[index % 4], MARKERS[index % 4]
        x = [count for count, _ in line]
        mistakes = np.array([1 - score.mean for _, score in line])
        low = np.array([1 - score.interval[1] for _, score in line])
        high = np.array([1 - score.interval[0] for _, score in line])
        low = np.maximum(low, mistakes / 4)  # A log axis has no room for an interval down to 0.
        axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(x, mistakes, marker=marker, ms=5, color=colour)
        axes.annotate(
            name, (x[-1], mistakes[-1]), (8, 0), textcoords="offset points", color=colour,
            va="center", fontweight="bold", annotation_clip=False,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", length=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: _round_percent(value)))
    axes.set_xlabel("training images")
    axes.set_ylabel("test images mistaken")
    axes.grid(which="both", axis="y", color="#E6E8EB")
    axes.set_axisbelow(True)
    write_headline(figure, headline)
    return figure


@mpl.rc_context(STYLE)
def draw_flips(block: Block, index: int, images: np.ndarray) -> Figure | None:
    """Draw images that recipe ``index`` mends and that it breaks, those of most seeds first.

    Args:
        block: What is compared; its first recipe is the reference.
        index: Of the other recipe.
        images: uint8 (N, 28, 28, 1), in the block's order.

    Returns:
        The figure, or None where no image flipped.
    """
    balance = flips(block, index)
    seeds = block.predicted.shape[1]
    rows = [("mended", balance), ("broken", -balance)]
    if not balance.any():
        return None
    height = 1.4 * len(rows) + 0.45
    figure = Figure(figsize=(9.6, height))
    wide, high = FLIPS_SHOWN * 1.15 + 1.0, 1.5 * len(rows)
    axes = bare_axes(figure, (0.1, 0, 9.4, height - 0.45), wide, high)
    for line, (verb, score) in enumerate(rows):
        top = line * 1.5
        chosen = [int(i) for i in np.argsort(-score, kind="stable")[:FLIPS_SHOWN] if score[i] > 0]
        count = int((score == seeds).sum())
        axes.text(
            0.85, top + 0.5, f"{verb}\n\n{count} of them\nin every seed", ha="right", va="center"
        )
        for column, image in enumerate(chosen):
            left = 1.0 + column * 1.15
            place_image(axes, images[image], left, top)
            wrong = block.predicted[index if verb == "broken" else 0][:, image]
            wrong = wrong[wrong != block.labels[image]]
            taken_for = _short(block.class_names[int(np.bincount(wrong).argmax())])
            true = _short(block.class_names[int(block.labels[image])])
            caption = f"{true},\n{'was' if verb == 'mended' else 'now'} {taken_for}"
            axes.text(left + 0.5, top + 1.05, caption, ha="center", va="top", fontsize=8)
    fit_axes(axes, wide, high)
    write_headline(
        figure,
        f"From {block.names[0]} to {block.names[index]}: images that changed sides most reliably",
    )
    return figure


def _short(name: str) -> str:
    return name if len(name) <= 12 else f"{name[:11]}…"


def _round_percent(value: float) -> str:
    """Label 2% and 5% between the decades, and nothing else."""
    first = value / 10 ** np.floor(np.log10(value))
    return f"{100 * value:g}%" if round(first, 6) in (2, 5) else ""
