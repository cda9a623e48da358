"""What all figures share: a style of their own, a headline that fits, images in a grid, a PNG.

Nothing here depends on the user's matplotlibrc or MPLBACKEND, and pyplot isn't used: it keeps
figures alive and picks a display backend. Colours are Okabe and Ito's for lines and single-hue or
diverging maps that survive colour blindness for areas.
"""

import io
import logging
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image, ImageOps

from hardpairs.analysis.subject import Subject
from hardpairs.files import whole_file
from hardpairs.predictions.memory import check_options, make_predictions, refuse_more
from hardpairs.report.names import FAMILY, find_families, text_width

P = ParamSpec("P")
F = TypeVar("F", bound=Figure | None)
Draw = Callable[..., Figure | None]

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#6B7079", "#1F2328"
FRAME, GRID = "#D5D8DC", "#E6E8EB"
DPI = 130
HEADLINE, CAPTION = 12.0, 9.0  # Points.
MUCH_ENLARGED = 3  # From there on each pixel of a picture is drawn as a square.
MARGINS = 0.24  # Of a figure, left and right together, inches.
LINE = 1.35  # Line height, as a multiple of the size.
STYLE: Any = {
    # All of Matplotlib's own, so that nothing of the user's is left; the backend isn't ours.
    **{key: mpl.rcParamsDefault[key] for key in mpl.rcParamsDefault if "backend" not in key},
    "font.family": [FAMILY],  # One that comes along: no others have to be looked for.
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


def own_style(draw: Callable[P, F]) -> Callable[P, F]:
    """Decorate a function that draws a figure: it draws in this package's style."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> F:
        with mpl.rc_context(STYLE):
            figure = draw(*args, **kwargs)
            ax: Any = kwargs.get("ax")
            drawn_into = [figure] if ax is None else np.ravel(ax)
            # Ticks are made when asked for: here, in this style, and not by whoever draws.
            for text in (t for part in drawn_into if part is not None for t in part.findobj(Text)):
                if not text.get_text().isascii():
                    text.set_fontfamily(find_families(text.get_text()))
        return figure

    return drawn


def of_subject(draw: Draw) -> Draw:
    """Decorate a function that draws a `Subject`.

    It takes a report as well, or labels and probabilities as `make_predictions` does, with what
    else that takes, as ``class_names``. A report has its own: InputError where more is given.
    """

    @wraps(draw)
    def drawn(
        subject: Any, probabilities: Any = None, *, ax: Any = None, **more: Any
    ) -> Figure | None:
        check_options(draw.__name__, more, "ax")
        found = getattr(subject, "subject", subject)
        if isinstance(found, Subject):
            refuse_more("a report", probabilities=probabilities, **more)
        else:
            found = Subject(make_predictions(subject, probabilities, **more))
        return draw(found, ax=ax)

    return own_style(drawn)


class ShownFigure(Figure):
    """A figure that a notebook shows, whatever its backend."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        _print_png(self, file)
        return file.getvalue()


def figure_of(axes: Axes) -> Figure:
    """The whole figure that axes are in, of a subfigure's as well."""
    figure: Any = axes.figure
    return figure.figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG in one piece; raises InputError where it can't be written."""
    with whole_file(path) as partial:
        _print_png(figure, partial)


def _print_png(figure: Figure, file: Any) -> None:
    log = logging.getLogger("matplotlib.font_manager")  # It tells of fonts without a bold face.
    level = log.level
    try:
        log.setLevel(logging.ERROR)
        with mpl.rc_context(STYLE):
            # Pillow's default level takes three times as long for files a few percent smaller.
            options: Any = {"format": "png", "dpi": DPI, "pil_kwargs": {"compress_level": 2}}
            FigureCanvasAgg(figure).print_figure(file, **options)
    finally:
        log.setLevel(level)


def headed_figure(width: float, height: float, headline: str, caption: str = "") -> Figure:
    """An empty figure with a headline above it, broken into as many lines as it takes.

    Args:
        width, height: Inches; the height is what is left under the headline.
        headline: The finding, in a sentence.
        caption: Of what data and what classifier, smaller.
    """
    room = width - MARGINS
    lines = _broken(headline, HEADLINE, room, bold=True)
    small = _broken(caption, CAPTION, room) if caption else []
    above = 0.16 + (len(lines) * HEADLINE + len(small) * CAPTION) * LINE / 72
    figure = ShownFigure(figsize=(width, height + above))
    figure.subplots_adjust(top=height / (height + above))
    place: Any = {"x": MARGINS / 2 / width, "va": "top", "linespacing": LINE}
    total = height + above
    figure.text(
        y=1 - 0.1 / total, s="\n".join(lines), fontsize=HEADLINE, fontweight="bold", **place
    )
    if small:
        under = 0.13 + len(lines) * HEADLINE * LINE / 72
        figure.text(y=1 - under / total, s="\n".join(small), fontsize=CAPTION, color=GREY, **place)
    return figure


def _broken(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """Lines that each fit into ``room`` inches."""
    width = text_width(text, size, bold=bold) / 72
    most = max(int(len(text) * room / width * 0.97), 8) if width > room else len(text)
    return textwrap.wrap(text, most) or [""]


@dataclass(frozen=True)
class Tile:
    """A picture, uint8 (side, side, C) as `thumbnails` makes them, and what stands at it."""

    image: np.ndarray
    below: str = ""
    above: str = ""


def entitle(axes: Axes, headline: str) -> None:
    """Write a headline above somebody else's axes, broken where they end."""
    width = axes.get_window_extent().width / figure_of(axes).dpi
    lines = _broken(headline, CAPTION, width, bold=True)
    axes.set_title("\n".join(lines), fontsize=CAPTION)


def grid_figure(
    across: float,
    down: float,
    headline: str,
    caption: str = "",
    *,
    width: float = 9.6,
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """A headed figure of one bare axes, in which a picture is one unit wide, y running down.

    One axes holds all pictures: 36 of their own take a second to set up.

    Args:
        across, down: Units, pictures and the room between them.
        headline, caption: See `headed_figure`.
        width: Inches.
        ax: Axes to draw into, without the caption; by default those of a figure of its own.
    """
    if ax is None:
        unit = (width - MARGINS) / across
        height = down * unit + 0.08
        figure = headed_figure(width, height, headline, caption)
        total = figure.get_size_inches()[1]
        place = MARGINS / 2 / width, 0.04 / total, across * unit / width, down * unit / total
        axes = figure.add_axes(place)
    else:
        figure, axes = figure_of(ax), ax
        entitle(axes, headline)
        axes.set_aspect("equal")
    axes.axis("off")
    axes.set_xticks([])  # Ticks that nobody sees take longer to make than all the rest.
    axes.set_yticks([])
    axes.set_xlim(0, across)
    axes.set_ylim(down, 0)
    axes.set_autoscale_on(False)  # Or each picture would move the limits.
    return figure, axes


def fit_texts(axes: Axes, width: float) -> None:
    """Make what is written in axes of `grid_figure` as much smaller as its pictures are.

    Args:
        axes: Somebody else's, drawn into.
        width: Inches, of the figure that it would have been.
    """
    box, dpi = axes.get_window_extent(), figure_of(axes).dpi
    across, down = axes.get_xlim()[1], axes.get_ylim()[0]
    unit = min(box.width / across, box.height / down) / dpi
    share = min(unit * across / (width - MARGINS), 1)
    for text in axes.texts:
        text.set_fontsize(float(text.get_fontsize()) * share)


def place_tiles(
    axes: Axes, tiles: Sequence[Tile], *, left: float, top: float, step: float = 1.15
) -> None:
    """Draw pictures from left to right into axes of `grid_figure`, each framed and captioned."""
    for number, tile in enumerate(tiles):
        start = left + number * step
        axes.add_artist(Picture(tile.image, start, top))
        if tile.above:
            axes.text(start, top - 0.05, tile.above, fontsize=8, color=GREY, va="bottom")
        if tile.below:
            axes.text(start + 0.5, top + 1.05, tile.below, fontsize=8, ha="center", va="top")


class Picture(Artist):
    """A picture, uint8 (h, w, 1 or 3), one unit of its axes wide and high.

    It does what imshow does, which takes ten times as long.
    """

    def __init__(self, image: np.ndarray, left: float, top: float, *, framed: bool = True) -> None:
        super().__init__()
        self.image, self.corners = image, ((left, top + 1), (left + 1, top))
        self.framed = framed

    def draw(self, renderer: RendererBase) -> None:
        """Draw it, each pixel a square where it is much enlarged."""
        assert self.axes is not None  # noqa: S101 - It is added to one.
        corners = self.axes.transData.transform(self.corners)
        (left, bottom), (right, top) = np.rint(np.asarray(corners)).astype(int).tolist()
        # Half of the frame lies on either side of the edge.
        line = max(round(float(np.asarray(renderer.points_to_pixels(1))) / 2), 1)
        side = max(right - left, 3 * line), max(top - bottom, 3 * line)
        pixels = self.image[..., 0] if self.image.shape[2] == 1 else self.image
        much = side[0] >= MUCH_ENLARGED * pixels.shape[1]
        how = Image.Resampling.NEAREST if much else Image.Resampling.HAMMING
        shown = Image.fromarray(pixels).convert("RGBA").resize(side, how)
        if self.framed:
            shown = ImageOps.expand(ImageOps.crop(shown, line), 2 * line, FRAME)
            left, bottom = left - line, bottom - line
        graphics = renderer.new_gc()
        renderer.draw_image(graphics, left, bottom, np.asarray(shown)[::-1])
        graphics.restore()
