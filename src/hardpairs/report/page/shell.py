"""What every page is put together with: templates, style sheets, scripts."""

import re
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from hardpairs.analysis.calibration import plain_points
from hardpairs.foreign import one_line
from hardpairs.html import csp_hash, html_environment
from hardpairs.wording import counted, percent, score_text, seeds_interval

HERE = Path(__file__).parent


@cache
def page_environment() -> jinja2.Environment:
    """The pages' templates; every text put into them is escaped."""
    environment = html_environment(HERE)
    environment.filters |= {"percent": percent, "score": score_text, "counted": counted}
    environment.filters |= {"plain_points": plain_points, "seeds_interval": seeds_interval}
    environment.filters["options_as_code"] = _options_as_code
    return environment


def _options_as_code(text: str) -> Markup:
    """A sentence in which options, as --also, are code, which isn't broken at its hyphens."""
    return Markup(re.sub("(--[a-z-]+)", r"<code>\1</code>", str(escape(text))))


def id_text(identity: object) -> str:
    """An image's id as it is, blanks and all, which links and corrections name; if it can be."""
    text = str(identity)
    return text if text.isprintable() else one_line(text)


def own_files(styles: tuple[str, ...], scripts: tuple[str, ...]) -> dict[str, str]:
    """A page's style and scripts, of several files in this order, with their hashes.

    They are this package's own and never foreign text.
    """
    style, early, script = _joined(styles, "css"), _joined(("early",), "js"), _joined(scripts, "js")
    return {
        "style": Markup(style),
        "early": Markup(early),
        "script": Markup(script),
        "style_hash": csp_hash(style),
        "script_hashes": Markup(f"'{csp_hash(early)}' '{csp_hash(script)}'"),
    }


@cache
def _joined(names: tuple[str, ...], kind: str) -> str:
    return "\n".join((HERE / kind / f"{name}.{kind}").read_text(encoding="utf-8") for name in names)
