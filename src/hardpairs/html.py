"""What every HTML page is made with: an environment that escapes, and names for its own policy."""

import base64
import hashlib
from pathlib import Path

import jinja2


def html_environment(folder: Path) -> jinja2.Environment:
    """Templates of a folder; every text put into them is escaped, and a missing one is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        keep_trailing_newline=True,
    )


def csp_hash(text: str) -> str:
    """Name a text as a Content-Security-Policy does."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
