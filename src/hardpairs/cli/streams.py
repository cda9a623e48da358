"""Standard output and error: written to whatever they are, a terminal of 1980 or a full disk."""

import codecs
import os
import sys
from contextlib import suppress

import click

from hardpairs.foreign import one_line

SPELT_OUT = {
    **{"←": "<-", "→": "->", "≤": "<=", "≥": ">=", "…": "...", "·": "-", "×": "x", "–": "-"},  # noqa: RUF001
    **dict.fromkeys("─━╸╺╴╶═", "-"),
    **dict.fromkeys("│┃║", "|"),
}


def prepare_streams() -> None:
    """Let no character stop a command: what a stream's encoding lacks is spelt out."""
    codecs.register_error("spelt_out", _spell_out)
    if not os.environ.get("COLUMNS", "").strip("0"):
        os.environ.pop("COLUMNS", None)  # A terminal of no width: rich would print nothing at all.
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # Closed by whoever started this.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="spelt_out")


def _spell_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    spelt = [
        SPELT_OUT.get(character) or character.encode("ascii", "backslashreplace").decode()
        for character in text
    ]
    return "".join(spelt), error.end


def say(text: str) -> None:
    """Print a sentence about the command itself on standard error, if that can be."""
    with suppress(OSError):
        click.echo(f"hardpairs: {one_line(text)}", err=True)


def output_works() -> bool:
    """Whether standard output takes what was written to it; if not, it is given up."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        # Or Python would try again at its end, and complain in its own words.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
