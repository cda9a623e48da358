"""The pages that `hardpairs serve` shows, and what a browser lets them do."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

import hardpairs
from hardpairs.html import csp_hash, html_environment
from hardpairs.serving.model import Description
from hardpairs.wording import percent

HERE = Path(__file__).parent / "page"
# The report's files by their names: its package draws figures, which takes a second to import.
OF_REPORT = Path(hardpairs.__file__).parent / "report" / "page"
STYLES = OF_REPORT / "css" / "base.css", HERE / "try.css"
EARLY, EVERY = OF_REPORT / "js" / "early.js", OF_REPORT / "js" / "every.js"


def render_page(described: Description, *, has_report: bool) -> tuple[str, str]:
    """Return the page to try photos on, and its Content-Security-Policy."""
    told = {"described": described, "accuracy": percent(described.accuracy)}
    return _render("try.html.jinja", [EVERY, HERE / "try.js"], has_report=has_report, **told)


def render_interface(openapi: dict[str, Any], address: str) -> tuple[str, str]:
    """Return a page that tells programmers what openapi.json says, and its policy.

    Args:
        openapi: The interface.
        address: Where it is to be had, as whoever asks for the page calls it.
    """
    return _render("interface.html.jinja", [EVERY], openapi=openapi, address=address)


def _render(template: str, scripts: list[Path], **given: Any) -> tuple[str, str]:
    style, early, script = (
        "\n".join(path.read_text(encoding="utf-8") for path in paths)
        for paths in (STYLES, [EARLY], scripts)
    )
    page = (
        html_environment(HERE)
        .get_template(template)
        .render(
            style=Markup(style),  # All are this package's own files, never foreign text.
            early=Markup(early),
            script=Markup(script),
            **given,
        )
    )
    policy = (
        f"default-src 'none'; img-src data:; connect-src 'self'; style-src '{csp_hash(style)}'; "
        f"script-src '{csp_hash(early)}' '{csp_hash(script)}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy
