"""Charts as inline SVG: no styles of their own, so the page's style sheet themes them.

Numbers are placed, never computed; the page repeats them in a table under each chart.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from hardpairs.foreign import shortened

WIDTH, HEIGHT = 440, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 12, 44
ROW_HEIGHT, NAME_WIDTH, LONGEST_NAME = 30, 180, 23
Scale = Callable[[float], float]


@dataclass(frozen=True)
class Line:
    """One line of a chart: values y at x, optionally with a band from ``low`` to ``high``."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def draw_lines(
    lines: Sequence[Line],
    *,
    label: str,
    x_label: str,
    percent: bool = False,
    marked: float | None = None,
) -> Markup:
    """Draw lines over a common x axis.

    Args:
        lines: At least one, each with at least one point.
        label: What a screen reader says of the chart.
        x_label: Under the x axis.
        percent: Whether y values are shares.
        marked: Where on the x axis a vertical rule goes, if anywhere.
    """
    every_x = [x for line in lines for x in line.x]
    every_y = [y for line in lines for y in (*line.y, *line.low, *line.high)]
    x, x_ticks = _axis(every_x, LEFT, WIDTH - RIGHT, integer=True)
    y, y_ticks = _axis(every_y, HEIGHT - BOTTOM, TOP)
    parts = [*_y_grid(y, y_ticks, percent), *_x_ticks(x, x_ticks, HEIGHT - BOTTOM, x_label)]
    if marked is not None:
        parts.append(_rule(x(marked), TOP, x(marked), HEIGHT - BOTTOM, "mark"))
    for number, line in enumerate(lines):
        if line.low:
            outline = [*zip(line.x, line.high, strict=True)]
            outline += reversed([*zip(line.x, line.low, strict=True)])
            points = _points(outline, x, y)
            parts.append(Markup('<polygon class="band s{}" points="{}"/>').format(number, points))
        points = _points(zip(line.x, line.y, strict=True), x, y)
        parts.append(Markup('<polyline class="line s{}" points="{}"/>').format(number, points))
        parts.extend(
            Markup('<circle class="dot s{}" cx="{:.1f}" cy="{:.1f}" r="3.5"/>').format(
                number, x(across), y(up)
            )
            for across, up in zip(line.x, line.y, strict=True)
        )
    return _svg(parts, HEIGHT, label)


def draw_reliability(bins: Sequence[dict[str, float]], label: str) -> Markup:
    """Draw accuracy against mean probability, one dot a bin, its area the share of images."""
    x, y = _scale(0, 1, LEFT, WIDTH - RIGHT), _scale(0, 1, HEIGHT - BOTTOM, TOP)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    parts = [
        *_y_grid(y, ticks, True),
        *_x_ticks(
            x, ticks, HEIGHT - BOTTOM, "confidence: probability of the predicted class", True
        ),
        _rule(x(0), y(0), x(1), y(1), "mark"),
    ]
    most = max(entry["images"] for entry in bins)
    for entry in bins:
        across, up = x(entry["confidence"]), y(entry["accuracy"])
        radius = max(3.0, 14 * (entry["images"] / most) ** 0.5)
        parts.append(_rule(across, y(entry["confidence"]), across, up, "gap"))
        parts.append(
            Markup('<circle class="dot s0" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>').format(
                across, up, radius
            )
        )
    return _svg(parts, HEIGHT, label)


def draw_effects(
    blocks: Sequence[tuple[str, Sequence[dict[str, Any]]]], label: str, *, judged: bool
) -> Markup:
    """Draw gains in points of accuracy with their intervals, one row each, on one axis.

    Args:
        blocks: A name, and effects with "name", "gain" and "interval" (low, high), as shares, and
            whether they are "significant".
        label: What a screen reader says of the chart.
        judged: Whether colours tell which gains are significant.
    """
    effects = [effect for _, block in blocks for effect in block]
    rows = len(effects) + (len(blocks) if len(blocks) > 1 else 0)
    bottom = ROW_HEIGHT * rows + TOP
    values = [100 * value for e in effects for value in (0, e["gain"], *e["interval"])]
    x, ticks = _axis(values, NAME_WIDTH, WIDTH - RIGHT)
    parts = _x_ticks(x, ticks, bottom, "gain, points of accuracy")
    parts.append(_rule(x(0), TOP, x(0), bottom, "mark"))
    middle = TOP - ROW_HEIGHT / 2
    for name, block in blocks:
        if len(blocks) > 1:
            middle += ROW_HEIGHT
            heading = Markup('<text class="heading" x="0" y="{:.1f}">{}</text>')
            parts.append(heading.format(middle + 4, shortened(name, 2 * LONGEST_NAME)))
        for effect in block:
            middle += ROW_HEIGHT
            parts += _effect(effect, x, middle, judged)
    return _svg(parts, bottom + BOTTOM, label)


def _effect(effect: dict[str, Any], x: Scale, middle: float, judged: bool) -> list[Markup]:
    colour = (
        ("s0" if effect["gain"] > 0 else "s1") if judged and effect["significant"] else "unsure"
    )
    low, high = (x(100 * bound) for bound in effect["interval"])
    return [
        Markup('<text class="end" x="{}" y="{:.1f}">{}</text>').format(
            NAME_WIDTH - 10, middle + 4, shortened(effect["name"], LONGEST_NAME)
        ),
        _rule(low, middle, high, middle, f"line {colour}"),
        Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="4.5"/>').format(
            colour, x(100 * effect["gain"]), middle
        ),
    ]


def _axis(
    values: Sequence[float], start: float, end: float, integer: bool = False
) -> tuple[Scale, list[float]]:
    locator = MaxNLocator(5, integer=integer, steps=(1, 2, 2.5, 5, 10))
    ticks = [float(tick) for tick in locator.tick_values(min(values), max(values))]
    return _scale(ticks[0], ticks[-1], start, end), ticks


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def _y_grid(y: Scale, ticks: Sequence[float], percent: bool) -> list[Markup]:
    parts = []
    for tick in ticks:
        text = f"{100 * tick:.4g}%" if percent else f"{tick:.4g}"
        parts.append(_rule(LEFT, y(tick), WIDTH - RIGHT, y(tick), "grid"))
        parts.append(
            Markup('<text class="end" x="{}" y="{:.1f}">{}</text>').format(
                LEFT - 8, y(tick) + 4, text
            )
        )
    return parts


def _x_ticks(
    x: Scale, ticks: Sequence[float], bottom: float, label: str, percent: bool = False
) -> list[Markup]:
    parts = [
        Markup('<text class="middle" x="{:.1f}" y="{}">{}</text>').format(
            x(tick), bottom + 18, f"{100 * tick:.4g}%" if percent else f"{tick:,.10g}"
        )
        for tick in ticks
    ]
    middle = (x(ticks[0]) + x(ticks[-1])) / 2
    title = Markup('<text class="middle" x="{:.1f}" y="{}">{}</text>')
    return [*parts, title.format(middle, bottom + 38, label)]


def _points(pairs: Iterable[tuple[float, float]], x: Scale, y: Scale) -> str:
    return " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in pairs)


def _rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        kind, x1, y1, x2, y2
    )


def _svg(parts: Sequence[Markup], height: float, label: str) -> Markup:
    """All charts are of one width, and so their texts of one size."""
    return Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        label, WIDTH, height, Markup("").join(parts)
    )
