"""The pages that `hardpairs serve` shows, and what a browser lets them do."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import hardpairs
from hardpairs.serving.model import Description

HERE = Path(__file__).parent / "page"
# The report's style by its file: its package draws figures, which takes a second to import.
REPORT_STYLE = Path(hardpairs.__file__).parent / "report" / "page" / "css" / "base.css"


def render_page(described: Description, *, has_report: bool) -> tuple[str, str]:
    """Return the page to try photos on, and its Content-Security-Policy."""
    return _render("try.html.jinja", "try.js", described=described, has_report=has_report)


def render_interface(openapi: dict[str, Any]) -> tuple[str, str]:
    """Return a page that tells programmers what openapi.json says, and its policy."""
    return _render("interface.html.jinja", "theme.js", openapi=openapi)


def _render(template: str, script_name: str, **given: Any) -> tuple[str, str]:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
    )
    style = "\n".join(p.read_text(encoding="utf-8") for p in (REPORT_STYLE, HERE / "try.css"))
    names = dict.fromkeys(("theme.js", script_name))
    script = "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)
    page = environment.get_template(template).render(
        style=Markup(style),  # Both are this package's own files, never foreign text.
        script=Markup(script),
        **given,
    )
    policy = (
        f"default-src 'none'; img-src data:; connect-src 'self'; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
