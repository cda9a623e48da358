"""Foreign names in figures and sentences: cut so that they stay different, in letters there are."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from hardpairs.foreign import one_line

LONGEST_NAME = 9.5  # Widths of the letter M: some 15 letters of ordinary text.
FAMILY = "DejaVu Sans"  # Comes with Matplotlib.
CUT = "…"
ORDINARY_WEIGHTS = (400, 500, "normal", "regular", "medium", "book")
LONGEST_ID = 16  # Letters.
MOST_LETTERS = 60  # Looked at of one name, which may be a book.


def short_names(names: Sequence[str], longest: float = LONGEST_NAME) -> list[str]:
    """Names for a figure: one line, no wider than ``longest``, and still all different.

    Cut at the end; in the middle where the ends are what differs; with the class's number where
    neither tells. A name in letters that no font here has is the class's number as well.

    Args:
        names: Class names.
        longest: In widths of the letter M.
    """
    lines = [one_line(name).strip() for name in names]
    fonts = _find_fonts("".join(lines))
    plain = [
        line if line and _drawable(line, fonts) else f"class {index}"
        for index, line in enumerate(lines)
    ]
    cut = [cut_name(name, longest) for name in plain]
    repeated = _repeated(cut)
    cut = [
        _cut_middle(plain[index], longest) if name in repeated else name
        for index, name in enumerate(cut)
    ]
    repeated = _repeated(cut)
    return [
        f"{cut_name(plain[index], longest - 2)} ({index})" if name in repeated else name
        for index, name in enumerate(cut)
    ]


def without_letters(names: Sequence[str]) -> int:
    """How many names figures have to call by their number: no font here has their letters."""
    lines = [one_line(name).strip() for name in names]
    fonts = _find_fonts("".join(lines))
    return sum(not _drawable(line, fonts) for line in lines)


def short_id(identity: object) -> str:
    """An image's number or file name for a caption: of a long one the end, which tells."""
    text = one_line(identity)
    return text if len(text) <= LONGEST_ID else f"{CUT}{text[-LONGEST_ID + 1 :]}"


def cut_name(name: str, longest: float) -> str:
    """Cut a name at its end, to ``longest`` widths of the letter M."""
    room = longest * _letter_width("M")
    if text_width(name, 1) <= room:
        return name
    kept = min(len(name), MOST_LETTERS)
    while kept and text_width(name[:kept] + CUT, 1) > room:
        kept -= 1
    return name[:kept].rstrip() + CUT


def _cut_middle(name: str, longest: float) -> str:
    room = longest * _letter_width("M")
    kept = min(len(name) // 2, MOST_LETTERS)
    while kept > 1 and text_width(name[:kept] + CUT + name[-kept:], 1) > room:
        kept -= 1
    return f"{name[:kept].rstrip()}{CUT}{name[-kept:].lstrip()}"


def _repeated(names: Sequence[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in points of one line, letters that the font lacks taken for square ones."""
    return sum(_letter_width(letter, bold) for letter in text) * size


@lru_cache(maxsize=4096)
def _letter_width(letter: str, bold: bool = False) -> float:
    """As a multiple of the size."""
    font = _open_font(_own_path(bold))
    if not font.get_char_index(ord(letter)):
        return 0.0 if unicodedata.combining(letter) else 1.0
    font.set_size(100, 72)
    advance: int = font.load_char(ord(letter)).linearHoriAdvance  # In 65,536ths of a point.
    return advance / 65_536 / 100


def find_families(text: str) -> tuple[str, ...]:
    """Font families that together have the letters of a text, as far as fonts here have them."""
    return tuple(family for family, _ in _find_fonts(text))


@lru_cache(maxsize=64)
def _find_fonts(text: str) -> tuple[tuple[str, str], ...]:
    """Families and files."""
    missing = _visible(text)
    fonts: list[tuple[str, str]] = []
    for family, path in ((FAMILY, _own_path()), *(_other_fonts() if not text.isascii() else ())):
        found = _letters(path, missing)
        if found or not fonts:
            fonts.append((family, path))
            missing -= found
        if not missing:
            break
    return tuple(fonts)


def _drawable(name: str, fonts: Sequence[tuple[str, str]]) -> bool:
    return not _visible(name).difference(*(_letters(path, _visible(name)) for _, path in fonts))


def _visible(text: str) -> set[str]:
    return {letter for letter in text if unicodedata.category(letter)[0] not in "CZ"}


@lru_cache(maxsize=64)
def _open_font(path: str) -> FT2Font:
    """Our own: Matplotlib's are shared with what it draws, and their size is a state."""
    return FT2Font(path)


@lru_cache(maxsize=2)
def _own_path(bold: bool = False) -> str:
    weight = "bold" if bold else "normal"
    return str(font_manager.findfont(font_manager.FontProperties(family=[FAMILY], weight=weight)))


@lru_cache(maxsize=1)
def _other_fonts() -> tuple[tuple[str, str], ...]:
    """Family and file of this computer's upright fonts; those made for many scripts first.

    Matplotlib's own others are left out: they are of mathematical signs, or of boxes.
    """
    own = Path(mpl.get_data_path())
    fonts = {
        entry.name: entry.fname
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal"
        and entry.weight in ORDINARY_WEIGHTS
        and own not in Path(entry.fname).parents
    }
    broad = ("noto sans cjk", "noto sans", "arial unicode", "hiragino", "yu gothic", "microsoft")
    return tuple(
        sorted(fonts.items(), key=lambda font: (not font[0].lower().startswith(broad), font))
    )


def _letters(path: str, wanted: set[str]) -> set[str]:
    """Those that a font has; none of one that has pictures instead of outlines."""
    try:
        font = _open_font(path)
    except (OSError, RuntimeError):
        return set()
    return {letter for letter in wanted if font.get_char_index(ord(letter))}
