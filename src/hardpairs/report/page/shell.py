"""What every page is put together with: templates, style sheets, scripts, their hashes."""

import base64
import hashlib
from functools import cache
from pathlib import Path

import jinja2

HERE = Path(__file__).parent


@cache
def page_environment() -> jinja2.Environment:
    """The pages' templates; every text put into them is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = lambda value, decimals=1: f"{value:.{decimals}%}"
    environment.filters["points"] = lambda value: f"{100 * value:.1f}"
    return environment


@cache
def joined(names: tuple[str, ...], kind: str) -> str:
    """One style sheet or script of several files, in this order."""
    return "\n".join((HERE / kind / f"{name}.{kind}").read_text(encoding="utf-8") for name in names)


def csp_hash(text: str) -> str:
    """Name a text as a Content-Security-Policy does."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
