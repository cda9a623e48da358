"""A pair's spectrum before and after: where A and where B see the images of two classes."""

import numpy as np
from markupsafe import Markup

from hardpairs.analysis.difference import Difference
from hardpairs.predictions.predictions import Predictions

WIDTH, LANE, GAP, MARGIN = 720, 54, 74, 34
BINS = 48
MOST_LINES = 150


def draw_spectrum(difference: Difference, first: int, second: int) -> Markup | None:
    """Draw both sides' order of a pair's images, and a line for each image that changes sides.

    Images of the two classes lie from surely ``first`` to surely ``second`` by p(second) /
    (p(first) + p(second)), A's above, B's below; bars count them, one colour a class. A line
    leads to its image.

    Returns:
        SVG, or None where a side has no probabilities.
    """
    a, b = (side[0] for side in difference.runs)
    if a.probabilities is None or b.probabilities is None:
        return None
    rows = np.flatnonzero((a.labels == first) | (a.labels == second))
    places = [_places(run, rows, first, second) for run in (a, b)]
    of_second = a.labels[rows] == second
    tallest = max(
        np.histogram(place[of], BINS, (0, 1))[0].max(initial=1)
        for place in places
        for of in (of_second, ~of_second)
    )
    parts = [
        _bars(place[of], colour, base, up, tallest)
        for place, base, up in ((places[0], LANE, 1), (places[1], LANE + GAP, -1))
        for of, colour in ((~of_second, "s0"), (of_second, "s1"))
    ]
    right = [run.predicted[rows] == run.labels[rows] for run in (a, b)]
    inside = [np.isin(run.predicted[rows], (first, second)) for run in (a, b)]
    turned = np.flatnonzero((right[0] != right[1]) & inside[0] & inside[1])
    far = np.argsort(-np.abs(places[0][turned] - places[1][turned]), kind="stable")
    for place in turned[far[:MOST_LINES]].tolist():
        kind = "fixed" if right[1][place] else "broken"
        link = Markup('<a href="#changed={}&amp;pair={},{}&amp;image={}">').format(
            kind, first, second, str(a.ids[rows[place]])
        )
        line = Markup(
            '<line class="turned {}" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}">'
            "<title>{}</title></line></a>"
        ).format(
            kind,
            _x(places[0][place]),
            LANE,
            _x(places[1][place]),
            LANE + GAP,
            f"image {a.ids[rows[place]]}, {kind}",
        )
        parts.append(link + line)
    middle = Markup('<line class="mark" x1="{0}" y1="0" x2="{0}" y2="{1}"/>').format(
        _x(0.5), 2 * LANE + GAP
    )
    labels = Markup('<text x="0" y="{}">A</text><text x="0" y="{}">B</text>').format(
        LANE - 6, LANE + GAP + 16
    )
    return Markup(
        '<svg class="spectrum" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>'
    ).format(
        f"order of {len(rows):,} images by A above and by B below",
        WIDTH,
        2 * LANE + GAP,
        middle + labels + Markup("").join(parts),
    )


def _places(run: Predictions, rows: np.ndarray, first: int, second: int) -> np.ndarray:
    """From 0, surely ``first``, to 1, surely ``second``; float64 (n,)."""
    two = run.known_probabilities()[rows][:, [first, second]].astype(np.float64)
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
