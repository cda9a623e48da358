"""What `hardpairs predict --figure` draws: what the net saw, what it says, what that is like."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hardpairs.foreign import one_line
from hardpairs.report.canvas import BLUE, GREY, ORANGE, headed_figure, own_style
from hardpairs.report.names import cut_name, short_names
from hardpairs.serving.answer import Answer, Kept
from hardpairs.wording import probability_text

MOST_PHOTOS = 20
BARS = 5
WIDTH, HEIGHT = 8.0, 2.3  # Inches, of one photo.
GAP = 2  # Pixels between training images.
LONGEST_TITLE = 40.0


@own_style
def draw_answers(answers: Sequence[Answer]) -> Figure:
    """Draw answers of one net, one below the other, at most `MOST_PHOTOS`."""
    shown = answers[:MOST_PHOTOS]
    first = shown[0]
    if len(answers) > 1:
        headline = f"{len(shown):,} photos"
        headline += f" of {len(answers):,}" if len(answers) > len(shown) else ""
    elif first.nothing:
        headline = "nothing found"
    else:
        share = probability_text(first.probabilities.max())
        headline = f"{short_names(first.classes)[first.order[0]]}, {share}"
    figure = headed_figure(WIDTH, HEIGHT * len(shown), headline)
    top = figure.subplotpars.top
    height = top / len(shown)
    for place, found in enumerate(shown):
        bottom = top - (place + 1) * height
        _draw_one(figure, found, bottom, height)
    return figure


def _draw_one(figure: Figure, found: Answer, bottom: float, height: float) -> None:
    def axes(left: float, low: float, width: float, high: float) -> Axes:
        return figure.add_axes((left, bottom + low * height, width, high * height))

    names = short_names(found.classes)
    saw = axes(0.015, 0.16, 0.2, 0.66)
    _show(saw, found.picture)
    figure.text(0.015, bottom + 0.87 * height, cut_name(one_line(found.name), LONGEST_TITLE))
    figure.text(0.015, bottom + 0.08 * height, "what the net saw", color=GREY, size=8)
    doubts = "; ".join(doubt.code for doubt in found.doubts)
    if doubts:
        figure.text(0.36, bottom + 0.08 * height, f"doubts: {doubts}", color=ORANGE, size=8)
    if found.nothing:
        return
    _draw_bars(axes(0.36, 0.2, 0.2, 0.6), found, names)
    rows = (
        ("nearest training images", found.nearest, 0.5),
        (f"typical: {names[found.order[0]]}", found.typical, 0.12),
    )
    for title, kept, low in rows:
        if kept:
            strip = axes(0.62, low, 0.07 * len(kept), 0.3)
            _show(strip, _strip(kept))
            strip.set_title(title, fontsize=8, fontweight="normal", color=GREY, pad=3)


def _draw_bars(axes: Axes, found: Answer, names: Sequence[str]) -> None:
    order = found.order[:BARS]
    shares = found.probabilities[order]
    places = np.arange(len(order))
    axes.barh(places, shares, color=[BLUE, *[GREY] * (len(order) - 1)], height=0.6)
    for place, share in enumerate(shares.tolist()):
        axes.text(share + 0.02, place, probability_text(share), va="center", fontsize=8)
    axes.set_yticks(places, [names[index] for index in order], fontsize=8)
    axes.set_ylim(BARS - 0.4, -0.6)
    axes.set_xlim(0, 1.3)
    axes.set_xticks([])
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(length=0)


def _show(axes: Axes, picture: np.ndarray) -> None:
    gray = picture.shape[2] == 1
    axes.imshow(
        picture[..., 0] if gray else picture,
        cmap="gray" if gray else None,
        vmin=0,
        vmax=255,
        interpolation="nearest",
    )
    axes.set_axis_off()


def _strip(kept: Sequence[Kept]) -> np.ndarray:
    """Pictures side by side on white."""
    height, width, channels = kept[0].picture.shape
    strip = np.full((height, len(kept) * (width + GAP) - GAP, channels), 255, np.uint8)
    for place, each in enumerate(kept):
        strip[:, place * (width + GAP) : place * (width + GAP) + width] = each.picture
    return strip
