"""A pair's spectrum before and after: where A and where B see the images of two classes."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from hardpairs.report.page.both import KINDS, Both

WIDTH, LANE, GAP, MARGIN = 720, 54, 74, 34
BINS = 48
MOST_LINES = 150


def draw_spectrum(both: Both, first: int, second: int) -> Markup | None:
    """Draw both sides' order of a pair's images, and a line for each image that changes sides.

    Images of the two classes lie from surely ``first`` to surely ``second`` by p(second) /
    (p(first) + p(second)), A's above, B's below; bars count them, one colour a class. A line
    leads to its image.

    Returns:
        SVG, or None where a side has no probabilities.
    """
    a, b = both.probabilities
    if a is None or b is None:
        return None
    rows = np.flatnonzero((both.labels == first) | (both.labels == second))
    places = [_places(each[rows], first, second) for each in (a, b)]
    of_second = both.labels[rows] == second
    tallest = max(
        np.histogram(place[of], BINS, (0, 1))[0].max(initial=1)
        for place in places
        for of in (of_second, ~of_second)
    )
    bars = [
        _bars(place[of], colour, base, up, tallest)
        for place, base, up in ((places[0], LANE, 1), (places[1], LANE + GAP, -1))
        for of, colour in ((~of_second, "s0"), (of_second, "s1"))
    ]
    lines = _lines(both, rows, places, (first, second))
    middle = Markup('<line class="mark" x1="{0}" y1="0" x2="{0}" y2="{1}"/>').format(
        _x(0.5), 2 * LANE + GAP
    )
    labels = Markup('<text x="0" y="{}">A</text><text x="0" y="{}">B</text>').format(
        LANE - 6, LANE + GAP + 16
    )
    return Markup(
        '<svg class="spectrum" role="group" aria-label="{}" viewBox="0 0 {} {}">{}</svg>'
    ).format(
        f"order of {len(rows):,} images by A above and by B below; the arrow keys move between "
        "those that change sides",
        WIDTH,
        2 * LANE + GAP,
        middle + labels + Markup("").join([*bars, *lines]),
    )


def _lines(
    both: Both, rows: np.ndarray, places: Sequence[np.ndarray], pair: tuple[int, int]
) -> list[Markup]:
    """A line for each image that changes sides, those that go furthest first."""
    inside = np.all([np.isin(each[rows], pair) for each in both.predicted], axis=0)
    kinds = both.kinds[rows]
    turned = np.flatnonzero(np.isin(kinds, (0, 1)) & inside)
    far = np.argsort(-np.abs(places[0][turned] - places[1][turned]), kind="stable")
    lines = []
    for place in turned[far[:MOST_LINES]].tolist():
        kind = KINDS[kinds[place]]
        told = f"image {both.ids[rows[place]]}, {kind}"
        link = Markup('<a href="#changed={}&amp;pair={},{}&amp;image={}" aria-label="{}">').format(
            kind, *pair, str(both.ids[rows[place]]), told
        )
        line = Markup(
            '<line class="turned {}" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}">'
            "<title>{}</title></line></a>"
        ).format(kind, _x(places[0][place]), LANE, _x(places[1][place]), LANE + GAP, told)
        lines.append(link + line)
    return lines


def _places(probabilities: np.ndarray, first: int, second: int) -> np.ndarray:
    """From 0, surely ``first``, to 1, surely ``second``; float64 (n,)."""
    two = probabilities[:, [first, second]].astype(np.float64)
    return two[:, 1] / np.maximum(two.sum(axis=1), 1e-12)


def _x(place: float) -> float:
    return MARGIN + float(place) * (WIDTH - 2 * MARGIN)


def _bars(places: np.ndarray, colour: str, base: int, up: int, tallest: int) -> Markup:
    """Counts over the axis; the root keeps the few in the middle visible."""
    counts = np.histogram(places, BINS, (0, 1))[0]
    width = (WIDTH - 2 * MARGIN) / BINS
    parts = []
    for index, count in enumerate(counts.tolist()):
        if count:
            height = (LANE - 4) * (count / tallest) ** 0.5
            parts.append(
                Markup(
                    '<rect class="bin {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
                ).format(
                    colour,
                    MARGIN + index * width,
                    base - height if up > 0 else base,
                    width - 1,
                    height,
                )
            )
    return Markup("").join(parts)
