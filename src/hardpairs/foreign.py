"""Foreign text made harmless for where it goes: a line, Markdown, a table for spreadsheets.

Names of classes, files, recipes and splits come from other people's files. They are data: wherever
they are shown they may neither act nor hide what stands beside them.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

# What Markdown, HTML inside it, and the maths, mentions and emoji of its dialects begin with.
_ACTS = {ord(character): f"&#{ord(character)};" for character in "\\`*_{}[]<>#|!&~$^=@"}
_INSIDE_A_WORD = re.compile("(?<=[A-Za-z0-9])&#95;(?=[A-Za-z0-9])")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
_UNSEEN = {"Cc": "�", "Cf": "", "Cs": "�", "Zl": " ", "Zp": " "}
_JOINERS = "\u200c\u200d"  # Persian, Hindi and emoji are spelt with them.
_IN_MEMORY = re.compile(r"[\s:]*<[^<>]* at 0x[0-9a-fA-F]+>")


def one_line(text: object) -> str:
    """Text on one line: white space is one blank, control characters show as a replacement mark.

    Marks that turn the direction of what follows are taken out, lone surrogates replaced, so the
    result can be printed to any terminal and encoded as UTF-8.

    >>> one_line("a\\n b\\x1b[2J")
    'a b�[2J'
    """
    shown = " ".join(str(text).split())
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(
        character
        if character in _JOINERS
        else _UNSEEN.get(unicodedata.category(character), character)
        for character in shown
    )


def reason_of(error: BaseException) -> str:
    """What another library's exception says, in a few words; no address in memory.

    >>> reason_of(ValueError("cannot identify image file <_io.BytesIO object at 0x7f3a>"))
    'cannot identify image file'
    """
    said = str(getattr(error, "strerror", None) or error).strip().split("\n")[0]
    return one_line(_IN_MEMORY.sub("", said))[:80].rstrip(". ") or type(error).__name__


def spoken_names(names: Sequence[str]) -> list[str]:
    """Names for a sentence: a blank one says which class it is, and so do all if any is a number.

    >>> spoken_names(["5", "6"])
    ['class 5', 'class 6']
    """
    lines = [one_line(name).strip() for name in names]
    if any(re.fullmatch(r"[-+]?[\d.,]+", line) for line in lines):
        lines = [f"class {line}" if line else line for line in lines]
    return [line or f"class {index}" for index, line in enumerate(lines)]


def isolated(name: str) -> str:
    """A name between marks that keep its writing direction from what stands beside it."""
    return f"\u2068{name}\u2069"


def shortened(text: str, longest: int) -> str:
    """Text of at most so many characters, cut at its end."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def escape_markdown(text: object) -> str:
    """Keep text from acting as Markdown or as HTML inside it.

    An underscore inside a word means nothing to CommonMark and stays readable as it is.

    >>> escape_markdown("ankle_boot <b>")
    'ankle_boot &#60;b&#62;'
    """
    escaped = _INSIDE_A_WORD.sub("_", one_line(text).translate(_ACTS))
    return escaped.replace("://", "&#58;//").replace("www.", "www&#46;")


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV whose texts no spreadsheet takes for formulas.

    A text that begins like a formula, and isn't a number, gets an apostrophe before it, which
    spreadsheets take for "this is text"; see `without_apostrophe`. Line breaks are all ``\\n``.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return file.getvalue()


def without_apostrophe(cell: str) -> str:
    """Undo what `csv_text` did to a text."""
    return cell[1:] if cell.startswith("'") and _like_formula(cell[1:]) else cell


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = value.encode("utf-8", "replace").decode("utf-8")
    value = value.replace("\r\n", "\n").replace("\r", "\n")  # Python before 3.13 doesn't quote it.
    return f"'{value}" if _like_formula(value) else value


def _like_formula(text: str) -> bool:
    text = text.lstrip("'")  # One that has an apostrophe of its own gets a second.
    if not text.lstrip(" ").startswith(_FORMULA_STARTS):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False
