"""The exceptions that mean: what was given, not the program, is at fault."""

import re
from pathlib import Path

ADDRESS = re.compile("[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # One letter is a drive.


class InputError(Exception):
    """Something given by the user can't be used.

    The message is one sentence that names the file or option, what is wrong with it and what
    to do. The command line prints it without a traceback and exits with code 2.
    """


class MissingExtra(InputError, ImportError):
    """What is asked for needs packages that one of the extras brings; the message names it."""


def is_address(path: str | Path) -> bool:
    """Whether what should be a path is an address on the web, as of http, s3 or hf."""
    return ADDRESS.match(str(path)) is not None


def address_given(path: str | Path) -> str:
    """What to do with an address."""
    return (
        f"{path}: is an address, and nothing is read from the web or written there; to read it, "
        "download it first."
    )
